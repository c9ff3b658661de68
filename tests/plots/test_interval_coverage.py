from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.plots import interval_coverage, interval_width, style
from pipeline.study.judging import MEMBERS, judge

SIZES = (2, 3, 10, 30, 100, 300, 1_000)
PLOTS = {"coverage": interval_coverage.draw, "width": interval_width.draw}


def coverage_table(sizes=SIZES, *, groups=("",), names=None, draws=500):
    """Every interval at every size, in the columns that the study writes; the widths and misses are made up."""
    rng = np.random.default_rng(4)
    rows = []
    for group in groups:
        for size in sizes:
            for metric, members in MEMBERS.items():
                for place, name in enumerate(names or members):
                    centre = rng.normal(0, 1, draws)
                    half = 1.96 * (1 - 0.12 * place / np.sqrt(size)) + 2 * (name in ("betting", "sequence"))
                    if name == "bootstrap_t" and size <= 3:
                        half = np.inf
                    if name == "wald" and size <= 10:
                        half = 0.0
                    found = judge(centre - half, centre + half, 0.0)
                    rows.append(
                        {
                            "batch_size": size,
                            "group": group,
                            "metric": metric,
                            "interval": name,
                            "is_configured": name in ("hall", "wilson"),
                            "confidence": 0.95,
                            "draws": draws,
                            **found,
                            "width_ratio": found["width_median"] / 3.92,
                        }
                    )
    return pd.DataFrame(rows)


CASES = {
    "seven sizes": coverage_table,
    "eleven sizes": lambda: coverage_table((1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 60_000)),
    "one size": lambda: coverage_table((100,)),
    "two designs": lambda: coverage_table(groups=("sampling=with_replacement", "sampling=stratified")),
    "none for the loss": lambda: coverage_table().query("metric == 'accuracy'"),
    "no end anywhere": lambda: coverage_table((2,), names=["bootstrap_t"]),
    "a population of equal rows": lambda: coverage_table().assign(width=0.0, width_median=0.0, width_ratio=np.nan),
}


@pytest.fixture(scope="module", params=[(case, plot) for case in CASES for plot in PLOTS], ids=lambda p: " ".join(p))
def figure(request):
    case, plot = request.param
    drawn = PLOTS[plot](CASES[case]())
    drawn.draw_without_rendering()
    return drawn


def test_every_case_is_drawn_with_a_message_and_units_and_no_text_outside(figure, texts_outside):
    assert figure.get_suptitle()
    assert texts_outside(figure) == []
    for axes in figure.axes:
        assert axes.get_xlabel() == "batch size b [rows]"
        assert axes.get_ylabel().count("[") == 1
        assert axes.lines or axes.texts


def test_no_text_covers_another(figure, overlapping_texts):
    legends = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    assert overlapping_texts(figure) == []
    for legend in legends:
        assert not any(
            legend.get_window_extent().overlaps(axes.xaxis.label.get_window_extent()) for axes in figure.axes
        )
        for other in [*figure.legends, *(each for each in legends if each is not legend)]:
            assert not legend.get_window_extent().overlaps(other.get_window_extent())


def test_points_are_the_coverage_and_bars_its_range():
    table = coverage_table()
    figure = interval_coverage.draw(table)
    for axes, metric in zip(figure.axes, MEMBERS, strict=True):
        curves = [line for line in axes.lines if line.get_marker() not in ("None", "")]
        for line, bars, name in zip(curves, axes.collections, MEMBERS[metric], strict=True):
            own = table[(table["metric"] == metric) & (table["interval"] == name) & np.isfinite(table["width_median"])]
            np.testing.assert_allclose(line.get_ydata(), 100 * own["coverage"])
            np.testing.assert_allclose([s[0, 1] for s in bars.get_segments()], 100 * own["coverage_low"])
            np.testing.assert_allclose([s[1, 1] for s in bars.get_segments()], 100 * own["coverage_high"])
            # Side by side, but nearer to their own size than to the next.
            np.testing.assert_allclose(line.get_xdata(), own["batch_size"], rtol=0.19)


def test_widths_are_the_medians_over_the_ideal():
    table = coverage_table()
    loss = interval_width.draw(table).axes[0]
    own = table[(table["metric"] == "loss") & (table["interval"] == "hall")]
    assert any(np.array_equal(line.get_ydata(), own["width_ratio"]) for line in loss.lines)
    assert loss.get_ylim() == interval_width.draw(table).axes[1].get_ylim()


def test_curves_of_a_panel_look_different_and_one_in_both_panels_looks_alike():
    table = coverage_table()
    looks = {m: {c.name: c.look for c in interval_coverage.curves_of(table, m)} for m in MEMBERS}
    for of_metric in looks.values():
        seen = {(look["color"], look["marker"], look["markerfacecolor"]) for look in of_metric.values()}
        assert len(seen) == len(of_metric)
    assert looks["loss"]["sequence"]["color"] == looks["accuracy"]["sequence"]["color"]
    assert set(looks["loss"]["hall"]) == set(looks["loss"]["t"])
    assert looks["loss"]["hall"]["linewidth"] > looks["loss"]["t"]["linewidth"]
    assert {look["color"] for of in looks.values() for look in of.values()} <= set(style.COLOURS)


def test_what_is_not_drawn_is_said():
    table = coverage_table()
    said = [axes.get_legend().get_title().get_text() for axes in interval_width.draw(table).axes]
    assert said == ["Not drawn: bootstrap_t has no end at b = 2, 3", "Not drawn: wald has no width at b = 2, 3, 10"]
    of_coverage = [axes.get_legend().get_title().get_text() for axes in interval_coverage.draw(table).axes]
    assert of_coverage == ["Not drawn: bootstrap_t has no end at b = 2, 3", ""]


def test_the_title_names_the_worst_or_says_that_all_hold():
    table = coverage_table()
    assert "wald (accuracy) holds 0 % at b = 2" in interval_coverage.draw(table).get_suptitle()
    fine = table.assign(coverage=0.95, coverage_low=0.94, coverage_high=0.96)
    assert interval_coverage.draw(fine).get_suptitle() == "Every interval holds the 95 % that it promises"


def test_the_frame_is_left_as_it_was():
    table = coverage_table()
    before = table.copy()
    for draw in PLOTS.values():
        draw(table)
    pd.testing.assert_frame_equal(table, before)
