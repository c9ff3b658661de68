from __future__ import annotations

import numpy as np
import pytest

from pipeline.plots import landscape, landscape_plane

CASES = {
    "one": lambda panel: landscape.draw([panel()]),
    "one size": lambda panel: landscape.draw([panel(sizes=(100,), population=False)]),
    "hardly moves": lambda panel: landscape.draw([panel(wide=1e-4)]),
    "does not move": lambda panel: landscape.draw([panel(wide=0.0)]),
    "two": lambda panel: landscape.draw([panel("model.activation=sigmoid"), panel("model.activation=step")]),
    "five": lambda panel: landscape.draw([panel(f"seed={i}") for i in range(5)]),
    "plane": lambda panel: landscape_plane.draw([panel(plane=True)]),
    "a flat plane without population": lambda panel: landscape_plane.draw(
        [panel(plane=True, wide=0.0, population=False)]
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_drawn_without_a_text_over_another_or_outside(
    laid_out, overlapping_texts, texts_outside, panel, case
):
    figure = laid_out(CASES[case](panel))
    assert overlapping_texts(figure) == []
    assert texts_outside(figure) == []


def test_the_takeaway_counts_the_steps_at_which_each_metric_stays_the_same(panel):
    one = panel()
    accuracy = one.curve("b100")["accuracy"].to_numpy()
    same = 40 - np.count_nonzero(np.diff(accuracy))
    figure = landscape.draw([one], "digits test, mlp")
    assert figure.get_suptitle().replace("\n", " ") == (
        "digits test, mlp: With 100 rows the loss moves with every step; "
        f"the accuracy stays the same in {same} of 40 steps"
    )
    assert [axes.get_title().replace("\n", " ") for axes in figure.axes] == [
        "Loss of 100 rows: moves with every step",
        f"Accuracy of 100 rows: stays the same in {same} of 40 steps",
    ]


@pytest.mark.parametrize(
    ("moved", "said"),
    [(40, "moves with every step"), (4, "stays the same in 36 of 40 steps"), (0, "does not move at all")],
)
def test_stillness_is_said_in_words(moved, said):
    assert landscape.still(moved, 40) == said


def test_landscapes_along_one_direction_share_their_axes_and_are_called_by_their_words(panel):
    figure = landscape.draw([panel("model.activation=sigmoid"), panel("model.activation=step", wide=3.0)])
    first, _, second, _ = figure.axes
    assert first.get_ylim() == second.get_ylim()
    assert second.get_title().startswith("step activations\n")
    other = panel("study/direction=random", wide=3.0)
    other.frame["direction_a"] = "a random direction"
    first, _, second, _ = landscape.draw([panel("study/direction=weight"), other]).axes
    assert first.get_ylim() != second.get_ylim()
    assert second.get_title().startswith("a random step\n")


def test_the_curves_are_the_frames_and_the_population_is_among_them(panel):
    one = panel()
    loss, accuracy = landscape.draw([one]).axes
    for axes, metric, factor in ((loss, "loss", 1), (accuracy, "accuracy", 100)):
        drawn = [line.get_ydata() for line in axes.lines if len(line.get_ydata()) == 41]
        for curve in ("b10", "b100", "b1000", "all"):
            assert any(np.allclose(y, factor * one.curve(curve)[metric]) for y in drawn)


def test_a_band_that_would_press_the_curves_flat_is_told_in_words(panel):
    loss = landscape.draw([panel(wide=1e-4, sizes=(100,), population=False)]).axes[0]
    assert not loss.collections
    said = loss.texts[0].get_text().replace("\n", " ")
    assert said == "95 % of such batches, b = 100, at the model: 0.11 to 0.31 nats (not drawn: too wide)"


def test_the_main_sizes_band_alone_is_drawn_and_none_of_it_is_cut_off(panel):
    one = panel()
    for axes, metric, factor in zip(landscape.draw([one]).axes, ("loss", "accuracy"), (1, 100), strict=True):
        (band,) = axes.collections
        y = band.get_paths()[0].vertices[:, 1]
        own = one.curve("b100")
        assert y.min() == pytest.approx(factor * own[f"{metric}_low"].min())
        assert y.max() == pytest.approx(factor * own[f"{metric}_high"].max())
        if metric == "loss":
            low, high = axes.get_ylim()
            assert low <= y.min()
            assert y.max() <= high


def test_of_many_sizes_four_are_drawn_the_main_one_among_them(panel):
    sizes = panel(sizes=(1, 3, 10, 30, 100, 300, 1000), main=300).sizes
    assert len(sizes) == 4
    assert 300 in sizes


def test_curves_that_would_look_flat_are_drawn_as_changes_from_the_model(panel):
    one = panel(wide=0.02)
    for axes, metric, factor in zip(landscape.draw([one]).axes, ("loss", "accuracy"), (1, 100), strict=True):
        assert axes.get_ylabel().startswith(f"change of the {metric} [")
        for line, curve in zip(axes.lines, ("b10", "b100", "b1000", "all"), strict=False):
            values = factor * one.curve(curve)[metric].to_numpy()
            np.testing.assert_allclose(line.get_ydata(), values - values[20], atol=1e-12)
        assert not axes.collections
    assert landscape.draw([panel()]).axes[0].get_ylabel() == "loss [nats]"
