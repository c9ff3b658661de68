"""The laws that every gain obeys."""

import numpy as np
import pytest

from pipeline.estimation.bounded_gain import BoundedGain
from pipeline.estimation.evidence import LEAST_P, Gain
from pipeline.estimation.gain import ShareGain, gain_of
from pipeline.metric.loss import Loss

RNG = np.random.default_rng(9)
FIRST = RNG.exponential(1, 400)
SECOND = FIRST - RNG.exponential(0.2, 400) + 0.15

GAINS = {
    "a mean": gain_of(Loss(), FIRST, SECOND),
    "a mean with room": gain_of(Loss(), FIRST, SECOND, reach=5.0),
    "a mean within bounds": BoundedGain(400, (FIRST - SECOND)[None], 2.0),
    "a share": ShareGain(400, np.array([30.0]), np.array([18.0])),
}


@pytest.fixture(params=GAINS)
def gain(request):
    return GAINS[request.param]


def test_the_ends_lie_around_the_value_and_further_out_for_a_smaller_error(gain):
    assert isinstance(gain, Gain)
    (low, high), (lower, higher) = gain.ends(0.05, 0.05), gain.ends(0.01, 0.01)
    assert lower < low < gain.value[0] < high < higher


@pytest.mark.parametrize("error", [0.1, 0.025, 1e-4])
def test_a_gain_is_above_what_its_lower_end_is_above_and_below_what_its_upper_end_is_below(gain, error):
    low, high = gain.ends(error, error)
    width = high - low
    assert [bool(gain.is_above(low + by * width, error)[0]) for by in (-0.01, 0.01)] == [True, False]
    assert [bool(gain.is_below(high + by * width, error)[0]) for by in (-0.01, 0.01)] == [False, True]


@pytest.mark.parametrize("error", [0.1, 0.025, 1e-4])
def test_the_p_value_of_an_end_is_twice_its_error(gain, error):
    assert [gain.p(end) for end in gain.ends(error, error)] == pytest.approx([2 * error] * 2, rel=0.03)


def test_p_values_lie_between_the_least_and_1_and_fall_away_from_the_value(gain):
    value = float(gain.value[0])
    found = [gain.p(value + by) for by in (0.0, 0.02, 0.1, 0.5)]
    assert found == sorted(found, reverse=True)
    assert found[0] <= 1
    assert found[-1] >= LEAST_P


def test_more_rows_of_the_same_kind_have_narrower_ends(gain):
    (low, high), (lower, higher) = gain.of_size(4_000).ends(0.025, 0.025), gain.ends(0.025, 0.025)
    assert lower < low < high < higher
    assert gain.method
