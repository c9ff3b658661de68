from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.plots import difference

INF, NAN = np.inf, np.nan


def rows(loss, accuracy, labels, *, needed=(400, 3_000_000), width=0.02):
    frame = pd.DataFrame({"label": labels, "confidence": 0.95, "group": ""})
    frame = frame.assign(population="mnist test", model_name="old.npz")
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
    "no model": rows([0.1], [0.02], ["b.parquet"]).assign(population="a.parquet", model_name=""),
    "a long name of the first, in groups": rows([-0.08], [0.097], ["gb.csv"]).assign(
        population="patients_of_2026_by_patient.csv", model_name="", groups=100
    ),
    "an infinite mean": _unbounded(),
}


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_drawn_and_no_text_collides_or_leaves_the_figure(case, texts_outside, overlapping_texts):
    figure = difference.draw(CASES[case], power=0.8, significance=0.05)
    figure.draw_without_rendering()
    assert figure.get_suptitle()
    assert all(axes.get_xlabel() and axes.get_yticklabels() for axes in figure.axes)
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
    assert said == ["3,000,000"] * 3
    assert [text.get_text() for text in loss.get_yticklabels()][2] == "a-very-lo…2000-steps"


def test_where_nothing_is_finite_there_is_no_figure():
    assert difference.draw(rows([NAN], None, ["b"]), power=0.8, significance=0.05) is None


def test_a_metric_in_which_nothing_changes_has_no_panel():
    frame = rows([0.1], [0.0], ["b"], width=0.0)
    (axes,) = difference.draw(frame, power=0.8, significance=0.05).axes
    assert axes.get_title().startswith("Loss")
    assert difference.draw(rows([0.0], [0.0], ["b"], width=0.0), power=0.8, significance=0.05) is None


def test_both_models_are_named_and_one_comparison_is_told_in_the_title():
    one = difference.draw(CASES["one other model"], power=0.8, significance=0.05)
    assert one.get_suptitle().replace("\n", " ").replace("\u00a0", " ") == (
        "mnist test: b.parquet minus old.npz: loss −0.023 nats [−0.043, −0.003], accuracy +1.2 points [−0.8, +3.2]"
    )
    assert one.axes[0].get_xlabel() == "mean loss minus that of old.npz [nats]"
    several = difference.draw(CASES["loss alone"], power=0.8, significance=0.05)
    assert several.get_suptitle().startswith("mnist test: 2 models against old.npz")
    predictions = difference.draw(CASES["no model"], power=0.8, significance=0.05)
    assert predictions.get_suptitle().startswith("b.parquet minus a.parquet: ")
    files = CASES["one other model"].assign(population="old.npz")
    assert difference.draw(files, power=0.8, significance=0.05).get_suptitle().startswith("b.parquet minus old.npz:")


def test_an_unbounded_interval_is_left_out_and_no_number_of_examples_is_infinite():
    figure = difference.draw(CASES["an infinite mean"], power=0.8, significance=0.05)
    assert len(figure.axes[0].collections[0].get_segments()) == 0
    assert [text.get_text() for text in figure.axes[0].child_axes[0].get_yticklabels()] == ["∞", "∞"]


def test_each_panel_of_further_metrics_looks_as_the_legend_says():
    frame = rows([0.1], [0.02], ["b"])
    for name in ("auc", "ece"):
        for end, value in (("", 0.01), ("_low", 0.0), ("_high", 0.02)):
            frame[f"{name}/difference{end}"] = value
        frame[f"{name}/n_for_power"] = 100
    figure = difference.draw(frame, power=0.8, significance=0.05)
    drawn = [
        (line.get_color(), line.get_marker())
        for axes in figure.axes
        for line in axes.lines
        if line.get_marker() not in ("", "None", None)
    ]
    legend = [(own.get_color(), own.get_marker()) for own in figure.legends[0].legend_handles[:4]]
    assert drawn == legend
    assert len(set(drawn)) == 4
    assert [axes.get_xlabel().replace("\n", " ") for axes in figure.axes[2:]] == [
        "AUC minus that of old.npz",
        "calibration error minus that of old.npz [percentage points]",
    ]


def test_the_title_has_signs_and_the_legend_the_units_that_are_needed():
    frame = rows([-0.08], [0.097], ["gb.csv"])
    for units, given in (("examples", frame), ("groups", frame.assign(groups=100))):
        figure = difference.draw(given, power=0.8, significance=0.05)
        title = figure.get_suptitle().replace("\u00a0", " ").replace("\n", " ")
        assert "loss −0.080 nats [−0.100, −0.060], accuracy +9.7 points [+7.7, +11.7]" in title
        told = [text.get_text() for text in figure.legends[0].get_texts()]
        assert any(text.startswith(f"at the right: {units} that") for text in told)
