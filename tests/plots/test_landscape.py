from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.plots import landscape, landscape_plane


def frame_of(*, sizes=(10, 100, 1000), points=41, wide=1.0, plane=False, population=True):
    """A bowl of a loss, and an accuracy that moves in rows."""
    side = np.linspace(-1, 1, points)
    alpha, beta = (a.ravel() for a in np.meshgrid(side, side, indexing="ij")) if plane else (side, 0 * side)
    frames = []
    for size in [*sizes, *([5000] if population else [])]:
        loss = 0.2 + wide * (alpha**2 + beta**2) + 1 / size
        accuracy = np.round((0.95 - 0.3 * wide * (alpha**2 + beta**2)) * size) / size
        columns = {"point": np.arange(len(alpha)), "alpha": alpha, "rows": size, "loss": loss, "accuracy": accuracy}
        columns["curve"] = "all" if size == 5000 else f"b{size}"
        half = 0 if size == 5000 else 1 / np.sqrt(size)
        for metric in ("loss", "accuracy"):
            columns |= {f"{metric}_low": columns[metric] - half, f"{metric}_high": columns[metric] + half}
        columns |= {"direction_a": "the weight W1[2,3]", "unit_a": "added to the weight"}
        if plane:
            columns |= {"beta": beta, "direction_b": "a random direction", "unit_b": "share of each unit's own weights"}
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def panel(name="", main=100, **changes):
    return landscape.Panel(name, frame_of(**changes), main, "95 % of such batches")


CASES = {
    "one": lambda: landscape.draw([panel()]),
    "one size": lambda: landscape.draw([panel(sizes=(100,), population=False)]),
    "hardly moves": lambda: landscape.draw([panel(wide=1e-4)]),
    "does not move": lambda: landscape.draw([panel(wide=0.0)]),
    "two": lambda: landscape.draw([panel("model.activation=sigmoid"), panel("model.activation=step")]),
    "five": lambda: landscape.draw([panel(f"seed={i}") for i in range(5)]),
    "plane": lambda: landscape_plane.draw([panel(plane=True)]),
    "a flat plane without population": lambda: landscape_plane.draw([panel(plane=True, wide=0.0, population=False)]),
}


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_drawn_without_a_text_over_another_or_outside(laid_out, overlapping_texts, texts_outside, case):
    figure = laid_out(CASES[case]())
    assert overlapping_texts(figure) == []
    assert texts_outside(figure) == []


def test_the_title_counts_the_steps_at_which_each_metric_moves():
    one = panel()
    accuracy = one.curve("b100")["accuracy"].to_numpy()
    moves = np.count_nonzero(np.diff(accuracy))
    title = landscape.draw([one]).get_suptitle()
    assert title == f"With 100 rows the loss moves at 40 of 40 steps, the accuracy at {moves}"


def test_the_curves_are_the_frames_and_the_population_is_among_them():
    one = panel()
    loss, accuracy = landscape.draw([one]).axes
    for axes, metric, factor in ((loss, "loss", 1), (accuracy, "accuracy", 100)):
        drawn = [line.get_ydata() for line in axes.lines if len(line.get_ydata()) == 41]
        for curve in ("b10", "b100", "b1000", "all"):
            assert any(np.allclose(y, factor * one.curve(curve)[metric]) for y in drawn)


def test_a_band_that_would_fill_the_frame_is_told_in_words():
    loss = landscape.draw([panel(wide=1e-4, sizes=(100,), population=False)]).axes[0]
    assert not loss.collections
    assert "bands beyond the frame, at the model: 0.11 to 0.31" in loss.texts[0].get_text().replace(
        "\xa0", " "
    ).replace("\n", " ")


def test_of_many_sizes_four_are_drawn_the_main_one_among_them():
    sizes = panel(sizes=(1, 3, 10, 30, 100, 300, 1000), main=300).sizes
    assert len(sizes) == 4
    assert 300 in sizes


def test_the_plane_says_how_many_values_each_metric_takes_and_marks_the_model():
    figure = landscape_plane.draw([panel(plane=True)])
    assert "1,681 points" in figure.get_suptitle()
    assert [axes.get_title() for axes in figure.axes[:4]] == [
        "Loss of one batch of 100 rows",
        "Accuracy of one batch of 100 rows",
        "Loss of all 5,000 rows",
        "Accuracy of all 5,000 rows",
    ]
    assert all(axes.lines[0].get_xdata() == [0.0] for axes in figure.axes[:4])
