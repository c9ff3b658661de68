from __future__ import annotations

import numpy as np
import pytest

from pipeline.plots import style


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.005, 5, [0.01, 0.1, 1]),
        (0.05, 2, [0.1, 0.3, 1]),
        (0.9, 6, [1, 2, 5]),
        (2.1, 5.5, [3, 4, 5]),
    ],
)
def test_log_ticks_are_at_least_three_round_numbers(low, high, expected):
    np.testing.assert_allclose(style.log_ticks(low, high), expected)


def test_log_ticks_are_thinned_to_the_room():
    assert len(style.log_ticks(1e-12, 1, at_most=5)) <= 5


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3.2e-8, "32 ns"), (1e-6, "1 µs"), (9.996e-4, "1 ms"), (0.0853, "85 ms"), (1.0, "1 s"), (432.1, "430 s")],
)
def test_durations_have_two_digits_and_the_unit_people_use(seconds, text):
    assert style.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0673, "0.067"), (4.94, "4.9"), (128.0, "130"), (0.0, "0"), (12_345.0, "12,000"), (0.060, "0.060")],
)
def test_significant_writes_two_digits_without_an_exponent(value, text):
    assert style.significant(value) == text


def test_a_dollar_sign_is_not_read_as_mathematics():
    figure, axes = style.new_figure("costs $1 or $2")
    style.name_panel(axes[0, 0], title="$x$ and $y", x="a", y="b")
    figure.canvas.draw()
    assert figure.get_suptitle() == r"costs \$1 or \$2"
