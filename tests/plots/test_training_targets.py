from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from pipeline.plots import training_targets

SIZES = (8, 32, 128, 512)
STEPS = (7_000.0, 1_400.0, 600.0, 330.0)


def cells_of(sizes=SIZES, steps=STEPS, *, group="", target=0.13, missed=()):
    rows = []
    for size, count in zip(sizes, steps, strict=True):
        row = {"batch_size": size, "group": group, "budget/steps": 240_000 // size, "budget/examples": 240_000,
               "budget/seconds": 9.5, "loss/target": target, "accuracy/target": 0.962}  # fmt: skip
        for metric in ("loss", "accuracy"):
            own = math.inf if (metric, size) in missed else count
            row |= {f"{metric}/steps_to_target": own, f"{metric}/examples_to_target": own * size,
                    f"{metric}/seconds_to_target": own * 2e-4}  # fmt: skip
        rows.append(row)
    return pd.DataFrame(rows)


MISSED = (("accuracy", 512), ("accuracy", 128))
CASES = {
    "mnist": cells_of(),
    "some not reached": cells_of(missed=MISSED),
    "none reached": cells_of(missed=[(metric, size) for metric in ("loss", "accuracy") for size in SIZES]),
    "one size": cells_of((64,), (100.0,)),
    "ten sizes": cells_of(tuple(2**i for i in range(10)), tuple(2.0 ** (14 - i) for i in range(10))),
    "two groups": pd.concat([cells_of(group="seed=0"), cells_of(group="seed=1", target=0.2, missed=MISSED)]),
    "reached at once": cells_of(steps=(0.0, 0.0, 0.0, 0.0)),
}


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_drawn_without_overlap(case, laid_out, overlapping_texts, texts_outside):
    figure = laid_out(training_targets.draw(CASES[case].reset_index(drop=True), "240,000 examples"))
    assert overlapping_texts(figure) == []
    assert texts_outside(figure) == []
    assert figure.get_suptitle()


def markers(axes):
    return [line for line in axes.lines if line.get_marker() != "None"]


def test_steps_examples_and_seconds_are_drawn_against_the_batch_size():
    axes = training_targets.draw(CASES["mnist"], "").axes
    for row, factor in enumerate((1, np.array(SIZES), 2e-4)):
        for panel in axes[2 * row : 2 * row + 2]:
            (line,) = markers(panel)
            np.testing.assert_allclose(line.get_xdata(), SIZES)
            np.testing.assert_allclose(line.get_ydata(), np.array(STEPS) * factor)
            assert (panel.get_xscale(), panel.get_yscale()) == ("log", "log")
    assert [panel.get_title() for panel in axes[:2]] == [
        "Loss 0.13 nats on the test split",
        "Accuracy 96.2 % on the test split",
    ]


def test_the_ideal_is_steps_by_one_over_b_and_the_same_examples():
    axes = training_targets.draw(CASES["mnist"], "").axes
    for panel, expected in ((axes[0], 7_000 * 8 / np.array(SIZES)), (axes[2], np.full(4, 56_000.0))):
        (ideal,) = (line for line in panel.lines if line.get_linestyle() == ":")
        np.testing.assert_allclose(ideal.get_ydata(), expected)
    assert not [line for line in axes[4].lines if line.get_linestyle() == ":"]


def test_a_size_that_did_not_get_there_is_hollow_at_what_it_spent_and_the_legend_says_so():
    figure = training_targets.draw(CASES["some not reached"], "240,000 examples")
    hollow = [line for line in markers(figure.axes[1]) if line.get_markerfacecolor() == "white"]
    assert sorted((line.get_xdata()[0], line.get_ydata()[0]) for line in hollow) == [(128, 1_875), (512, 468)]
    texts = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert "↑ not reached within 240,000 examples: more is needed" in texts
    assert not any(
        "not reached" in text.get_text() for text in training_targets.draw(CASES["mnist"], "x").legends[0].get_texts()
    )


def test_the_title_names_the_cheapest_sizes():
    titles = {case: training_targets.draw(CASES[case].reset_index(drop=True), "").get_suptitle() for case in CASES}
    assert titles["mnist"].replace("\n", " ") == (
        "Target of the loss: fewest steps with b = 512 (330), fewest examples with b = 32 (44,800)"
    )
    assert titles["none reached"] == "No batch size reached a target within its budget"
