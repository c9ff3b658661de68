from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.plots import designs, style

RATIOS = {
    "with_replacement": ("with replacement", 1.0, 1.0),
    "stratified_label": ("strata by class", 1.02, 1.01),
    "importance_entropy": ("chances by entropy", 1.73, 2.64),
    "stratified_confidence_neyman_accuracy": ("Neyman strata, accuracy", 1.58, 2.42),
    "stratified_confidence_neyman_accuracy_ideal": ("ideal Neyman, accuracy", 1.9, 3.04),
    "systematic_stored": ("systematic as stored", 0.6, 0.5),
}


def ratios(**changes):
    made = [
        {"design": key, "words": words, "metric": metric, "is_configured": key == "with_replacement",
         "is_ranked": key != "systematic_stored",
         "variance_ratio": value, "ratio_low": value * 0.95, "ratio_high": value * 1.1}
        for key, (words, *pair) in RATIOS.items()
        for metric, value in zip(("loss", "accuracy"), pair, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(made).assign(**changes)


def draw(frame):
    figure = designs.draw(frame, "mnist test, 10,000 rows: batches of 100, 4,000 draws", "mnist test, mlp")
    figure.draw_without_rendering()
    return figure


@pytest.mark.parametrize("changes", [{}, {"ratio_low": np.nan, "ratio_high": np.nan}, {"variance_ratio": 1.0}])
def test_every_case_is_drawn_and_no_text_leaves_the_figure_or_covers_another(changes, texts_outside, overlapping_texts):
    figure = draw(ratios(**changes))
    assert texts_outside(figure) == []
    assert overlapping_texts(figure) == []


USABLE = [key for key in RATIOS if not key.endswith("_ideal")]


def dots(axes, marker):
    """The dots of one metric, from the bottom up: x and colour."""
    found = [line for line in axes.lines if line.get_marker() == marker]
    found.sort(key=lambda line: line.get_ydata()[0])
    return [(line.get_xdata()[0], line.get_color()) for line in found]


def test_both_metrics_of_every_usable_design_are_dots_at_their_ratios_in_its_own_colour(tick_texts):
    axes, _ = draw(ratios()).axes
    order = sorted(USABLE, key=lambda key: max(RATIOS[key][1:]))
    for marker, place in (("o", 1), ("s", 2)):
        assert dots(axes, marker) == [(RATIOS[key][place], style.design_colour(key)) for key in order]
    low, high = axes.get_xlim()
    assert low < 0.5
    assert high > 3.04
    assert tick_texts(axes.yaxis)[0] == "systematic as stored †"
    assert "with replacement *" in tick_texts(axes.yaxis)


def test_designs_that_need_the_values_themselves_stand_apart_on_the_same_scale(tick_texts):
    usable, ideal = draw(ratios()).axes
    assert tick_texts(ideal.yaxis) == ["ideal Neyman, accuracy"]
    assert "ideal Neyman, accuracy" not in tick_texts(usable.yaxis)
    assert ideal.get_title().startswith("Not usable")
    assert ideal.get_xlim() == usable.get_xlim()
    assert len(draw(ratios()[lambda own: ~own["design"].str.endswith("_ideal")]).axes) == 1


def test_a_simple_random_sample_is_a_line_at_1():
    for axes in draw(ratios()).axes:
        assert any(np.allclose(line.get_xdata(), 1.0) and len(line.get_xdata()) == 2 for line in axes.lines)


def test_the_title_names_the_best_that_can_be_had():
    assert "loss 58 (chances by entropy), accuracy 38 (chances by entropy)" in " ".join(
        draw(ratios()).get_suptitle().split()
    )


def test_the_title_names_a_best_design_only_where_it_is_better_beyond_chance():
    assert "loss 58 (chances by entropy), accuracy 38" in draw(ratios()).get_suptitle().replace("\n", " ")
    luck = ratios()
    luck.loc[luck["metric"] == "loss", "ratio_low"] = 0.9
    title = draw(luck).get_suptitle().replace("\n", " ")
    assert "loss none beyond chance, accuracy 38 (chances by entropy)" in title
    none = draw(ratios(ratio_low=0.9)).get_suptitle()
    assert "No design does better than a simple random sample, beyond chance" in none.replace("\n", " ")


def test_the_legend_says_of_every_design_that_is_not_ranked_why(texts_outside):
    (legend,) = draw(ratios()).legends
    assert "not ranked: the ratio may be luck" in [text.get_text() for text in legend.get_texts()]
