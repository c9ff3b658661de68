from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.plots import designs

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
         "variance_ratio": value, "drawn_ratio": value * 1.02, "drawn_ratio_error": 0.05}
        for key, (words, *pair) in RATIOS.items()
        for metric, value in zip(("loss", "accuracy"), pair, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(made).assign(**changes)


def draw(frame):
    figure = designs.draw(frame, "mnist test, 10,000 rows: batches of 100, 4,000 draws")
    figure.draw_without_rendering()
    return figure


@pytest.mark.parametrize("changes", [{}, {"drawn_ratio": np.nan, "drawn_ratio_error": np.nan}, {"variance_ratio": 1.0}])
def test_every_case_is_drawn_and_no_text_leaves_the_figure_or_covers_another(changes, texts_outside, overlapping_texts):
    figure = draw(ratios(**changes))
    assert texts_outside(figure) == []
    assert overlapping_texts(figure) == []


def test_both_metrics_of_every_design_are_dots_at_their_ratios_within_the_axes(tick_texts):
    (axes,) = draw(ratios()).axes
    dots = [line for line in axes.lines if line.get_marker() in ("o", "s")]
    assert [len(line.get_xdata()) for line in dots] == [len(RATIOS), len(RATIOS)]
    for line, values in zip(dots, zip(*(pair for _, *pair in RATIOS.values()), strict=True), strict=True):
        np.testing.assert_allclose(line.get_xdata(), values)
    low, high = axes.get_xlim()
    assert low < 0.5
    assert high > 3.04
    assert tick_texts(axes.yaxis)[0] == "systematic as stored"
    assert "with replacement *" in tick_texts(axes.yaxis)


def test_a_simple_random_sample_is_a_line_at_1():
    (axes,) = draw(ratios()).axes
    assert any(np.allclose(line.get_xdata(), 1.0) and len(line.get_xdata()) == 2 for line in axes.lines)


def test_the_title_names_the_best_that_can_be_had():
    assert "loss 58 (chances by entropy), accuracy 38 (chances by entropy)" in " ".join(
        draw(ratios()).get_suptitle().split()
    )
