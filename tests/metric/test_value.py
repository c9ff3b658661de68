import math

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.metric.value import Value

LATENCY = Value(quantity="latency", measured_in="ms")
PLAIN = Value(quantity="judge score")


def test_it_is_called_by_its_column_and_measured_in_its_unit():
    assert (LATENCY.column, LATENCY.words, LATENCY.row_words, LATENCY.short) == (
        "value",
        "mean latency",
        "latency",
        "latency",
    )
    assert (LATENCY.unit, LATENCY.label) == ("ms", "mean latency [ms]")
    assert LATENCY.error_label == "error of one batch's mean latency\n(root mean square) [ms]"
    assert (LATENCY.amount("2"), LATENCY.tolerance(0.5)) == ("2 ms", "±0.5 ms")
    assert (PLAIN.unit, PLAIN.label, PLAIN.amount("2")) == ("", "mean judge score", "2 in the mean judge score")
    assert PLAIN.named_tolerance(0.5) == "±0.5 in the mean judge score"
    assert Value().words == "mean value"


def test_a_long_name_is_cut_and_moves_no_cursor():
    assert Value(quantity="x" * 500).words == f"mean {'x' * 38} …"
    assert Value(quantity="a\x1b[2J\nb").words == "mean a?[2J b"
    assert len(Value(quantity="seconds_per_generated_token").short) <= 12


def test_it_has_no_bound_and_no_better_side():
    assert LATENCY.bounds == (-math.inf, math.inf)
    assert (LATENCY.is_share, LATENCY.is_better_low, LATENCY.is_alone, LATENCY.takes_loss_cap) == (
        False,
        None,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("error", "decimals"), [(0.79, 2), (0.0996, 2), (0.00012, 5), (9.96, 0), (12.3, 0), (32_622.0, 0), (1.0, 1)]
)
def test_two_digits_of_the_error_are_shown(error, decimals):
    assert LATENCY.decimals(error) == decimals


def test_without_an_error_the_usual_decimals_are_shown():
    assert [LATENCY.decimals(error) for error in (0.0, math.nan, math.inf)] == [4, 4, 4]


def test_it_is_read_and_never_computed():
    with pytest.raises(BadInput, match=r"the metric value must be a column of the data; found none: name it with data"):
        LATENCY.values(np.zeros((1, 2)), np.zeros(1, int), gives="logits")
