from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest

from pipeline.plots import until
from pipeline.report.until import About, Found, Look
from pipeline.study.pool import looks_frame

GOALS = {"loss": 0.05, "accuracy": 0.02}
ABOUT = About(population="mnist test", n_rows=10_000, confidence=0.95)


def looks(rows, *, widest=2.0):
    return looks_frame(
        [
            Look(
                drawn=n,
                rows=n,
                capped=0,
                found={
                    "loss": Found(0.2, max(0.2 - widest / n**0.5, 0.0), 0.2 + widest / n**0.5),
                    "accuracy": Found(0.93, 0.93 - widest / 4 / n**0.5, min(0.93 + widest / 4 / n**0.5, 1.0)),
                },
            )
            for n in rows
        ]
    )


MANY = [50, 100, 150, 200, 300, 500, 1_000, 2_000]
CASES = {
    "enough": (looks(MANY), GOALS),
    "not enough": (looks(MANY[:3]), GOALS),
    "one look": (looks([50]), GOALS),
    "wide at first": (looks(MANY, widest=20.0), GOALS),
    "one metric": (looks(MANY), GOALS | {"loss": None}),
    "all rows": (looks([5, 10, 1_000_000], widest=0.0), GOALS),
    "no width and no goal": (looks([5, 10], widest=0.0), {"loss": None, "accuracy": 1e-9}),
}


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_drawn_and_no_text_covers_another_or_leaves_the_figure(
    case, laid_out, overlapping_texts, texts_outside
):
    figure = laid_out(until.draw(*CASES[case], ABOUT))
    assert overlapping_texts(figure) == []
    assert texts_outside(figure) == []
    for text in figure.findobj(mpl.text.Text):
        assert not text.get_text() or text.get_fontsize() >= 10
    loss, accuracy = figure.axes
    assert loss.get_ylabel() == "loss [nats]"
    assert accuracy.get_ylabel() == "accuracy [%]"


@pytest.mark.parametrize("case", ["enough", "one look"])
def test_the_goal_is_as_wide_as_asked_around_the_last_interval_and_in_view(case):
    frame, _ = CASES[case]
    for axes, name, factor in zip(until.draw(frame, GOALS, ABOUT).axes, GOALS, (1, 100), strict=True):
        last = frame.iloc[-1]
        middle = factor * (last[f"{name}_low"] + last[f"{name}_high"]) / 2
        dashes = sorted(line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == "--")
        assert dashes == pytest.approx([middle - factor * GOALS[name], middle + factor * GOALS[name]])
        low, high = axes.get_ylim()
        for end in (*dashes, factor * last[f"{name}_low"], factor * last[f"{name}_high"]):
            assert low <= end <= high


def test_a_metric_that_is_not_asked_for_has_no_goal():
    loss, _ = until.draw(*CASES["one metric"], ABOUT).axes
    assert not [line for line in loss.lines if line.get_linestyle() == "--"]
    assert loss.get_title().endswith("not asked for")


def test_the_band_is_the_intervals_of_the_looks():
    frame, goals = CASES["enough"]
    band = until.draw(frame, goals, ABOUT).axes[0].collections[0].get_paths()[0].vertices
    for n, low, high in zip(frame["rows"], frame["loss_low"], frame["loss_high"], strict=True):
        at = np.isclose(band[:, 0], n)
        assert band[at, 1].min() == pytest.approx(low)
        assert band[at, 1].max() == pytest.approx(high)


def test_intervals_that_are_cut_off_are_counted():
    frame, goals = CASES["wide at first"]
    axes = until.draw(frame, goals, ABOUT).axes[0]
    low, high = axes.get_ylim()
    cut = int(((frame["loss_high"] > high) | (frame["loss_low"] < low)).sum())
    assert cut > 0
    assert f"first {cut} looks reach beyond" in " ".join(axes.texts[-1].get_text().split())


@pytest.mark.parametrize(("case", "verdict"), [("enough", "enough"), ("not enough", "not enough")])
def test_the_title_says_whether_it_was_enough(case, verdict):
    rows = f"{CASES[case][0]['rows'].iloc[-1]:,}"
    assert until.draw(*CASES[case], ABOUT).get_suptitle() == f"mnist test: {rows} of 10,000 rows were {verdict}"


def test_the_axis_of_the_loss_names_the_cap():
    loss, accuracy = until.draw(*CASES["enough"], replace(ABOUT, loss_cap=10.0)).axes
    assert loss.get_ylabel() == "loss [nats], rows cut to 10"
    assert "cut" not in accuracy.get_ylabel()
