"""The picture of a gate that evaluates rows as needed."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from pipeline.plots import sequence
from tests.report.test_gate import METRICS
from tests.report.test_gate_sequence import STOPPED


def looks(n):
    rows = np.geomspace(50, 1_200, n).astype(int)
    frame = {"n": rows}
    for place, name in enumerate(METRICS):
        wide = 3 / np.sqrt(rows)
        value = (0.09, -0.015)[place] + 0.3 * wide * np.cos(np.arange(n))
        frame |= {name: value, f"{name}_low": value - wide, f"{name}_high": value + wide, f"{name}_verdict": 2}
    return pd.DataFrame(frame)


CASES = {
    "many looks": (looks(40), STOPPED, METRICS),
    "one look": (looks(1), STOPPED, METRICS),
    "one metric": (looks(12), dataclasses.replace(STOPPED, findings=STOPPED.findings[:1]), {"loss": METRICS["loss"]}),
    "nothing differs": (
        looks(12).assign(loss=0.0, loss_low=0.0, loss_high=0.0),
        dataclasses.replace(STOPPED, findings=(dataclasses.replace(STOPPED.findings[0], margin=0.0),)),
        {"loss": METRICS["loss"]},
    ),
    "margins of 0": (
        looks(12),
        dataclasses.replace(STOPPED, findings=tuple(dataclasses.replace(own, margin=0.0) for own in STOPPED.findings)),
        METRICS,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_drawn_and_no_text_collides_or_leaves_the_figure(case, texts_outside, overlapping_texts):
    figure = sequence.draw(*CASES[case], "mnist test, weights.npz")
    figure.draw_without_rendering()
    assert "Worse after 1,200 of 10,000 rows" in figure.get_suptitle()
    assert all(axes.get_xlabel() and axes.get_ylabel() for axes in figure.axes)
    assert texts_outside(figure) == []
    assert overlapping_texts(figure) == []


def test_zero_and_the_margin_are_lines_on_the_side_that_is_worse_and_always_in_sight():
    loss, accuracy = sequence.draw(*CASES["many looks"]).axes
    for axes, limit in ((loss, 0.02), (accuracy, -1.0)):
        heights = {
            line.get_ydata()[0] for line in axes.lines if len(set(line.get_ydata())) == 1 and len(line.get_ydata()) == 2
        }
        assert heights == {0.0, limit}
        bottom, top = axes.get_ylim()
        assert bottom < min(0, limit) < max(0, limit) < top


def test_intervals_beyond_the_panel_are_said():
    figure = sequence.draw(*CASES["many looks"])
    assert any(
        "rows the interval reaches beyond the panel" in text.get_text() for axes in figure.axes for text in axes.texts
    )
