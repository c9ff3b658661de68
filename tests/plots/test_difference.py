from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.plots import difference

INF, NAN = np.inf, np.nan


def rows(loss, accuracy, labels, *, needed=(400, 3_000_000), width=0.02):
    frame = pd.DataFrame({"label": labels, "confidence": 0.95, "group": ""})
    for metric, values, n in (("loss", loss, needed[0]), ("accuracy", accuracy, needed[1])):
        if values is not None:
            frame[f"{metric}/difference"] = values
            frame[f"{metric}/difference_low"] = np.subtract(values, width)
            frame[f"{metric}/difference_high"] = np.add(values, width)
            frame[f"{metric}/n_for_power"] = n
    return frame


def _unbounded():
    frame = rows([0.1, NAN], [0.0, 0.01], ["b", "c"], needed=(INF, [INF, 90]))
    frame.loc[0, ["loss/difference_low", "loss/difference_high"]] = -INF, INF
    return frame


CASES = {
    "one other model": rows([-0.0234], [0.012], ["b.parquet"]),
    "three, one of a long name": rows(
        [-0.1, 0.2, 0.0], [0.05, -0.01, 0.0], ["b", "c", "a-very-long-name-of-a-checkpoint-after-12000-steps"]
    ),
    "twelve": rows(np.linspace(-1, 1, 12), np.linspace(0.1, -0.1, 12), [f"model_{i}$x$" for i in range(12)]),
    "loss alone": rows([0.1, 0.2], None, ["b", "c"]),
    "accuracy alone": rows(None, [0.1, -0.2], ["b", "c"]),
    "no change at all": rows([0.0], [0.0], ["b"], needed=(INF, INF), width=0.0),
    "an infinite mean": _unbounded(),
}


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_drawn_and_no_text_collides_or_leaves_the_figure(case, texts_outside, overlapping_texts):
    figure = difference.draw(CASES[case], power=0.8, significance=0.05)
    figure.draw_without_rendering()
    assert figure.get_suptitle()
    assert all(axes.get_xlabel() and axes.get_ylabel() for axes in figure.axes)
    assert texts_outside(figure) == []
    assert overlapping_texts(figure) == []


def test_points_intervals_and_examples_stand_in_one_row_from_the_top_down():
    frame = CASES["three, one of a long name"]
    figure = difference.draw(frame, power=0.8, significance=0.05)
    loss, accuracy = figure.axes[0], figure.axes[1]
    for axes, metric, times in ((loss, "loss", 1), (accuracy, "accuracy", 100)):
        (points,) = [line for line in axes.lines if line.get_marker() not in ("", "None", None)]
        assert points.get_xdata() == pytest.approx(times * frame[f"{metric}/difference"])
        assert points.get_ydata().tolist() == [2, 1, 0]
        ends = np.array([segment[:, 0] for segment in axes.collections[0].get_segments()])
        assert ends == pytest.approx(
            times * frame[[f"{metric}/difference_low", f"{metric}/difference_high"]].to_numpy()
        )
    said = [text.get_text() for text in accuracy.child_axes[0].get_yticklabels()]
    assert said == ["3 million"] * 3
    assert [text.get_text() for text in loss.get_yticklabels()][2] == "a-very-long-n…-12000-steps"


def test_where_nothing_is_finite_there_is_no_figure():
    assert difference.draw(rows([NAN], None, ["b"]), power=0.8, significance=0.05) is None


def test_an_unbounded_interval_is_left_out_and_no_number_of_examples_is_never():
    figure = difference.draw(CASES["an infinite mean"], power=0.8, significance=0.05)
    assert len(figure.axes[0].collections[0].get_segments()) == 0
    assert [text.get_text() for text in figure.axes[0].child_axes[0].get_yticklabels()] == ["never", "never"]
