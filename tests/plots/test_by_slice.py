"""A line a class, worst first, with the values and ends that the table has."""

import numpy as np
import pandas as pd
import pytest

from pipeline.plots import by_slice

METRICS = {"loss": 0.2, "accuracy": 0.9}


def classes(count, name="class {}"):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"class": [name.format(i) for i in range(count)], "rows": 30.0})
    for metric, values in (("loss", rng.random(count)), ("accuracy", rng.permutation(count) / count)):
        frame[metric], frame[f"{metric}_low"], frame[f"{metric}_high"] = values, values - 0.1, values + 0.2
    return frame


def draw(frame, metrics=METRICS):
    return by_slice.draw(frame, metrics, "p.csv, mlp", 0.95)


def test_the_classes_stand_in_the_order_of_their_accuracy_with_their_intervals():
    frame = classes(8)
    figure = draw(frame)
    order = np.argsort(frame["accuracy"].to_numpy())
    loss, accuracy = figure.axes
    for axes, metric, factor in ((loss, "loss", 1), (accuracy, "accuracy", 100)):
        (points,) = [line for line in axes.lines if line.get_marker() not in ("", "None", None)]
        own = frame.iloc[order]
        assert points.get_xdata() == pytest.approx(factor * own[metric])
        assert points.get_ydata().tolist() == list(range(7, -1, -1))
        ends = np.array([segment[:, 0] for segment in axes.collections[0].get_segments()])
        assert ends == pytest.approx(factor * own[[f"{metric}_low", f"{metric}_high"]].to_numpy())
    assert [text.get_text() for text in loss.get_yticklabels()] == [f"class {i} (30)" for i in order]
    assert figure.get_suptitle() == "p.csv, mlp: each class, with 95 % intervals"


def test_of_many_classes_the_worst_are_drawn():
    figure = draw(classes(80))
    assert len(figure.axes[0].get_yticklabels()) == 30
    assert "the 30 worst of 80 classes" in figure.get_suptitle()


def test_an_end_that_is_infinite_is_not_drawn_and_a_single_metric_has_one_panel():
    frame = classes(3)[["class", "rows", "loss", "loss_low", "loss_high"]]
    frame.loc[0, ["loss_low", "loss_high"]] = -np.inf, np.inf
    figure = draw(frame, {"loss": np.inf})
    assert len(figure.axes) == 1
    assert len(figure.axes[0].collections[0].get_segments()) == 2


@pytest.mark.parametrize("count", [2, 30])
def test_long_names_are_cut_and_no_texts_collide(count, laid_out):
    figure = laid_out(draw(classes(count, "a class with a very long name, number {}")))
    labels = [text for text in figure.axes[0].get_yticklabels() if text.get_text()]
    boxes = [text.get_window_extent() for text in labels]
    assert all(len(text.get_text()) <= 28 for text in labels)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])
