from __future__ import annotations

import numpy as np
import pytest

from pipeline import sampling
from pipeline.plots import style


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.005, 5, [0.01, 0.1, 1]),
        (0.05, 2, [0.1, 0.3, 1]),
        (0.9, 6, [1, 2, 5]),
        (2.1, 5.5, [2.5, 3, 3.5, 4, 4.5, 5, 5.5]),
    ],
)
def test_log_ticks_are_at_least_three_round_numbers(low, high, expected):
    np.testing.assert_allclose(style.log_ticks(low, high), expected)


def test_log_ticks_are_thinned_to_the_room():
    assert len(style.log_ticks(1e-12, 1, at_most=5)) <= 5


def test_a_dollar_sign_is_not_read_as_mathematics():
    figure, axes = style.new_figure("costs $1 or $2")
    style.name_panel(axes[0, 0], title="$x$ and $y", x="a", y="b")
    figure.canvas.draw()
    assert figure.get_suptitle() == r"costs \$1 or \$2"


@pytest.mark.parametrize(
    ("key", "entry"),
    [
        ("stratified_confidence_neyman_loss", "neyman_loss"),
        ("stratified_confidence_neyman_accuracy_ideal", "neyman_accuracy"),
        ("stratified_entropy", "stratified"),
        ("importance_entropy", "importance_entropy"),
        ("without_replacement", "without_replacement"),
    ],
)
def test_the_longest_part_of_a_key_gives_a_design_its_colour(key, entry):
    assert style.design_colour(key) == style.DESIGNS[entry]


def test_every_design_has_a_colour_of_its_own():
    assert set(sampling.MEMBERS) <= set(style.DESIGNS)
    assert len(set(style.DESIGNS.values())) == len(style.DESIGNS)
