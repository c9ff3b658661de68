from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.metric.accuracy import Accuracy
from pipeline.metric.brier import Brier
from pipeline.metric.loss import Loss
from pipeline.plots import verdict
from pipeline.records.verdict import BETTER, NOT_WORSE, UNDECIDED, WORDS, WORSE

METRICS = {"loss": Loss(), "accuracy": Accuracy()}


def rows(labels, codes, metrics=METRICS, *, width=0.02, scale=0.05):
    frame = pd.DataFrame({"label": labels, "verdict": codes})
    for metric in metrics:
        values = np.linspace(-scale, scale, len(labels))
        frame[f"{metric}/difference"] = values
        frame[f"{metric}/difference_low"], frame[f"{metric}/difference_high"] = values - width, values + width
        frame[f"{metric}/margin"], frame[f"{metric}/verdict"] = 0.01, codes
    return frame


CASES = {
    "one": (rows(["b.parquet"], [WORSE]), METRICS),
    "four, one of a long name": (
        rows(["b", "c", "the same, trained 1/4 as long, $once$ more and with other seeds", "d"], range(4)), METRICS
    ),
    "twelve": (rows([f"model_{i}" for i in range(12)], [UNDECIDED] * 12), METRICS),
    "three metrics": (rows(["b"], [BETTER], [*METRICS, "brier"]), {**METRICS, "brier": Brier()}),
    "no width": (rows(["b"], [NOT_WORSE], width=0.0, scale=0.0), METRICS),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_drawn_and_no_text_collides_or_leaves_the_figure(case, texts_outside, overlapping_texts):
    figure = verdict.draw(*CASES[case])
    figure.draw_without_rendering()
    assert figure.get_suptitle()
    assert all(axes.get_xlabel() and axes.get_ylabel() for axes in figure.axes)
    assert texts_outside(figure) == []
    assert overlapping_texts(figure) == []


def test_each_verdict_has_its_colour_and_its_word():
    frame, metrics = CASES["four, one of a long name"]
    loss = verdict.draw(frame, metrics).axes[0]
    points = [line for line in loss.lines if line.get_marker() not in ("", "None", None)]
    assert [line.get_color() for line in points] == list(verdict.COLOURS)
    assert len({line.get_marker() for line in points}) == 4
    (beside,) = loss.child_axes
    assert [label.get_text() for label in beside.get_yticklabels()] == list(WORDS)


def test_the_margin_is_on_the_bad_side():
    loss, accuracy = verdict.draw(*CASES["one"]).axes
    for axes, expected in ((loss, 0.01), (accuracy, -1.0)):
        places = [
            float(path[0, 0]) for lines in axes.collections for path in lines.get_segments() if path[0, 0] == path[1, 0]
        ]
        assert places == pytest.approx([expected])
