"""The laws all plots obey."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from pipeline.plots import SWEEP_PLOTS, learning_curve
from pipeline.records.learning_curve import LearningCurve

MNIST_SIZES = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 60_000)
BOTH = ("with_replacement", "without_replacement")


def not_scored(sweep):
    cells, draws = sweep()
    kept = [name for name in cells if "/" not in name or name.split("/")[1] in ("mean", "half_width", "batch")]
    return cells[kept], draws


def many_groups(sweep):
    cells, draws = sweep((10, 100), draws=5)
    names = [f"model.path=$a{i}$" for i in range(11)]
    return pd.concat([cells.assign(group=g) for g in names]), pd.concat([draws.assign(group=g) for g in names])


def only(sweep, metric):
    cells, draws = sweep()
    gone = "loss" if metric == "accuracy" else "accuracy"
    return tuple(frame[[name for name in frame if not name.startswith(gone)]] for frame in (cells, draws))


def further(sweep, **asked):
    cells, draws = sweep(**asked)
    for new, old in (("top_5", "accuracy"), ("brier", "loss"), ("squared_error", "loss")):
        for frame in (cells, draws):
            for name in [name for name in frame if name.split("/")[0].split("_")[0] == old]:
                frame[name.replace(old, new)] = frame[name]
    return cells, draws


def without_losses(sweep):
    cells, draws = sweep(designs=BOTH)
    for frame in (cells, draws):
        gone = [name for name in frame if name.startswith("loss")]
        frame.loc[frame["group"] == f"sampling={BOTH[0]}", gone] = np.nan
    return cells, draws


CASES = {
    "digits": lambda sweep: sweep(),
    "mnist, 11 sizes": lambda sweep: sweep(MNIST_SIZES, population=60_000),
    "two designs, up to all rows": lambda sweep: sweep(designs=BOTH),
    "two designs, 11 sizes": lambda sweep: sweep(MNIST_SIZES, designs=BOTH, population=60_000, draws=20),
    "one cell": lambda sweep: sweep((np.int64(100),)),
    "one row alone": lambda sweep: sweep((1,)),
    "one draw": lambda sweep: sweep(draws=1),
    "all rows alone, error 0": lambda sweep: sweep((1_000,), designs=("without_replacement",)),
    "infinite loss": lambda sweep: sweep(infinite=3),
    "nothing known of the population": not_scored,
    "11 groups": many_groups,
    "accuracy alone": lambda sweep: only(sweep, "accuracy"),
    "loss alone": lambda sweep: only(sweep, "loss"),
    "five metrics": lambda sweep: further(sweep, designs=BOTH),
    "a group without losses": lambda sweep: without_losses(sweep),
    "20 sizes": lambda sweep: sweep(tuple(range(5, 105, 5))),
}
ONE_METRIC = ("accuracy alone", "loss alone")
ROUTINE = (
    *ONE_METRIC, "five metrics", "a group without losses", "digits", "mnist, 11 sizes", "two designs, up to all rows",
    "two designs, 11 sizes", "one cell", "one draw",
)  # fmt: skip


@pytest.fixture(scope="module")
def figures(sweep):
    drawn = {}

    def get(case, plot):
        if (case, plot) not in drawn:
            figure = SWEEP_PLOTS[plot](*CASES[case](sweep))
            figure.draw_without_rendering()
            drawn[case, plot] = figure
        return drawn[case, plot]

    return get


def test_the_sweep_plots_are_in_the_order_a_person_reads_them():
    assert list(SWEEP_PLOTS) == ["funnel", "error", "cost", "coverage"]


@pytest.mark.parametrize("plot", SWEEP_PLOTS)
@pytest.mark.parametrize("case", CASES)
def test_every_case_is_drawn_without_a_warning_and_says_something(figures, case, plot):
    figure = figures(case, plot)
    assert figure.get_suptitle()
    for axes in figure.axes:
        assert axes.get_xlabel()
        assert axes.get_ylabel()
        assert axes.lines or axes.collections or axes.texts


@pytest.mark.parametrize("plot", SWEEP_PLOTS)
@pytest.mark.parametrize("case", CASES)
def test_no_text_leaves_the_figure(figures, texts_outside, case, plot):
    assert texts_outside(figures(case, plot)) == []


@pytest.mark.parametrize("plot", SWEEP_PLOTS)
@pytest.mark.parametrize("case", ROUTINE)
def test_no_text_covers_another(figures, overlapping_texts, case, plot):
    assert overlapping_texts(figures(case, plot)) == []


@pytest.mark.parametrize("plot", ["funnel", "error", "coverage"])
@pytest.mark.parametrize("case", ["digits", "mnist, 11 sizes", "two designs, up to all rows", "one cell"])
def test_batch_size_ticks_are_the_swept_sizes_with_thousands_separators(figures, sweep, tick_texts, case, plot):
    sizes = CASES[case](sweep)[0]["batch_size"].unique()
    for axes in figures(case, plot).axes:
        assert tick_texts(axes.xaxis) == [f"{size:,}" for size in sorted(sizes)]


@pytest.mark.parametrize("plot", SWEEP_PLOTS)
@pytest.mark.parametrize("case", ONE_METRIC)
def test_a_metric_that_is_not_there_has_no_panel_and_no_word(figures, case, plot):
    figure = figures(case, plot)
    gone = "accuracy" if case.startswith("loss") else "loss"
    assert len(figure.axes) == 1
    words = [text.get_text().lower() for text in figure.findobj(mpl.text.Text)]
    assert not [text for text in words if gone in text or "nan" in text]


@pytest.mark.parametrize("plot", SWEEP_PLOTS)
def test_further_metrics_have_panels_with_names_for_people(figures, plot):
    figure = figures("five metrics", plot)
    # The funnel has a block of panels for each of the two groups, of which one fits.
    assert len(figure.axes) == 5
    labels = [axes.get_ylabel() for axes in figure.axes]
    for words in ("top-5 accuracy", "Brier score", "squared error"):
        assert any(words in label for label in labels)


@pytest.mark.parametrize("plot", SWEEP_PLOTS)
def test_axis_labels_state_the_units(figures, plot):
    loss, accuracy = figures("digits", plot).axes
    assert loss.get_xlabel() == ("time of one batch [µs]" if plot == "cost" else "batch size b [rows]")
    units = {
        "funnel": ("[nats]", "[%]"),
        "error": ("[nats]", "[percentage points]"),
        "cost": ("[nats]", "[percentage points]"),
        "coverage": ("[% of draws]", "[% of draws]"),
    }
    assert loss.get_ylabel().endswith(units[plot][0])
    assert accuracy.get_ylabel().endswith(units[plot][1])


@pytest.mark.parametrize("plot", SWEEP_PLOTS)
def test_a_group_has_a_colour_and_a_name_in_the_figure(figures, plot):
    figure = figures("two designs, up to all rows", plot)
    texts = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    texts += [line for axes in figure.axes for line in axes.get_title().splitlines()]
    assert {"with replacement", "without replacement"} <= set(texts)


@pytest.mark.parametrize("plot", SWEEP_PLOTS)
def test_no_text_is_smaller_than_10_points(figures, plot):
    for text in figures("two designs, 11 sizes", plot).findobj(mpl.text.Text):
        assert not text.get_text() or text.get_fontsize() >= 10


@pytest.mark.parametrize("plot", SWEEP_PLOTS)
def test_the_saved_picture_is_1600_pixels_wide(figures, plot, tmp_path):
    from matplotlib.image import imread

    figures("one row alone", plot).savefig(tmp_path / "plot.png")
    assert imread(tmp_path / "plot.png").shape[1] == 1600


@pytest.mark.parametrize("plot", SWEEP_PLOTS)
def test_the_frames_are_left_as_they_were(sweep, plot):
    cells, draws = sweep(designs=BOTH, draws=3)
    before = cells.copy(), draws.copy()
    SWEEP_PLOTS[plot](cells, draws)
    pd.testing.assert_frame_equal(cells, before[0])
    pd.testing.assert_frame_equal(draws, before[1])


def test_matplotlibs_global_state_is_left_alone(sweep):
    before = dict(mpl.rcParams)
    for draw in SWEEP_PLOTS.values():
        draw(*sweep((10, 100), draws=3))
    learning_curve.draw(LearningCurve(np.ones(2), np.ones(2), np.ones(2)))
    assert dict(mpl.rcParams) == before


def test_importing_the_plots_imports_neither_matplotlib_nor_pandas_and_drawing_no_pyplot():
    program = (
        "import sys\nimport pipeline.plots as p\nimport pipeline.plots.learning_curve\n"
        "assert not {'matplotlib', 'pandas', 'scipy'} & set(sys.modules), 'slow import'\n"
        "from pipeline.records import LearningCurve\n"
        "p.learning_curve.draw(LearningCurve()).canvas.draw()\n"
        "assert 'matplotlib.pyplot' not in sys.modules, 'pyplot'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])
