from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.metric.columns import in_order
from pipeline.plots import power
from pipeline.plots.sweep_cells import looks_of

STEPS = (0.001, 0.01, 0.1, 1.0, 10.0)
INF = np.inf


def cells(loss, accuracy, *, steps=STEPS, group="", size=1000):
    return pd.DataFrame(
        {
            "study.step": steps,
            "group": group,
            "population_size": size,
            "loss/n_for_power": loss,
            "loss/n_for_power_unpaired": np.multiply(loss, 1e4 / np.abs(steps)),
            "accuracy/n_for_power": accuracy,
            "accuracy/n_for_power_unpaired": np.multiply(accuracy, 60),
        }
    )


GRADIENT = cells([3408, 3419, 3534, 5079, 5041], [INF, INF, INF, 1_648_257, 57_633], group="study/direction=gradient")
RANDOM = cells([171_772, 46_160, 1429, 23, 5], [78_481, 353_192, 39_916, 27, 2], group="study/direction=random")
CASES = {
    "one group": GRADIENT.assign(group=""),
    "two groups": pd.concat([GRADIENT, RANDOM], ignore_index=True),
    "three groups": pd.concat([GRADIENT, RANDOM, RANDOM.assign(group="study/direction=weight")], ignore_index=True),
    "one step": cells([3534], [INF], steps=(0.1,)),
    "nothing is ever seen": cells([INF] * 5, [INF] * 5),
    "forwards and backwards": cells([50, 60, 70, 80], [90, 80, 70, INF], steps=(-1.0, -0.1, 0.1, 1.0)),
}


def draw(case):
    figure = power.draw(CASES[case], power=0.8, significance=0.05)
    figure.draw_without_rendering()
    return figure


def shown(figure):
    return [axes for axes in figure.axes if axes.get_visible()]


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_drawn_and_no_text_leaves_the_figure_or_covers_another(case, texts_outside, overlapping_texts):
    figure = draw(case)
    assert texts_outside(figure) == []
    assert overlapping_texts(figure) == []


@pytest.mark.parametrize("case", CASES)
def test_every_number_of_examples_is_in_the_picture_infinite_and_huge_ones_in_the_strip_at_the_top(case):
    figure = draw(case)
    most = 100 * CASES[case]["population_size"].max()
    drawn, never = 0, 0
    for axes in shown(figure):
        bottom, top = axes.get_ylim()
        for line in axes.lines:
            if line.get_marker() in ("None", None, ""):
                continue
            if line.get_transform() == axes.transData:
                values = np.asarray(line.get_ydata(), dtype=float)
                values = values[np.isfinite(values)]
                assert ((bottom < values) & (values < top)).all()
                drawn += len(values)
            else:
                never += len(line.get_xdata())
                assert all(0.9 < y < 1 for y in line.get_ydata())
    columns = [c for c in CASES[case] if "n_for_power" in c]
    assert drawn == (CASES[case][columns] <= most).to_numpy().sum()
    assert never == (CASES[case][["loss/n_for_power", "accuracy/n_for_power"]] > most).to_numpy().sum()


def test_no_curve_runs_through_a_step_that_has_no_number():
    (axes,) = shown(draw("one group"))
    colour, _ = looks_of(in_order(["accuracy"]))["accuracy"]
    paired = [line for line in axes.lines if line.get_color() == colour and len(line.get_xdata())]
    assert any(np.isnan(np.asarray(line.get_ydata(), dtype=float)).sum() == 4 for line in paired)


def test_the_population_is_marked_and_named():
    figure = draw("one group")
    assert any(np.allclose(line.get_ydata(), 1000) for axes in shown(figure) for line in axes.lines)
    assert "the 1,000 rows there are" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_title_counts_which_metric_needs_fewer():
    figure = draw("two groups")
    assert figure.get_suptitle().endswith("fewer for loss at 8, for accuracy at 2 of 10 steps")
    first, second = shown(figure)
    assert first.get_title() == "a gradient step\nfewer for loss at 5, for accuracy at 0 of 5 steps"
    assert second.get_title().startswith("a random step")
    assert "for neither at 5 of 5 steps" in draw("nothing is ever seen").get_suptitle()


def test_the_panels_share_their_scales():
    first, second = shown(draw("two groups"))
    assert first.get_ylim() == second.get_ylim()
    assert first.get_xlim() == second.get_xlim()


def test_steps_backwards_have_a_panel_of_their_own():
    titles = [axes.get_title() for axes in shown(draw("forwards and backwards"))]
    assert len(titles) == 2
    assert "backwards (steps below 0)" in titles[1]


def test_the_axis_ends_at_a_hundred_times_the_population_and_what_lies_beyond_is_said():
    (axes,) = shown(draw("one group"))
    assert axes.get_ylim()[1] < 100 * 1000 * 10
    said = " ".join(text.get_text() for text in axes.texts).replace("\n", " ")
    assert "over 100,000 or never" in said
    assert "Accuracy, paired: 1,600,000 at 1; none is enough at 0.001, 0.01 and 0.1" in said
    assert "above the axis, not drawn" in said
