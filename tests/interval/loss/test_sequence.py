import numpy as np
import pytest
from scipy import stats

from pipeline.errors import BadInput
from pipeline.interval.capital import sequence_at, sequence_interval
from pipeline.interval.loss.betting import Betting
from pipeline.interval.loss.sequence import Sequence
from tests.populations import batches


@pytest.mark.parametrize("within", [None, 0.4])
@pytest.mark.parametrize("size", [None, 200])
def test_it_is_the_sequence_of_the_shares_of_the_cap_at_its_last_value(size, within):
    rows = np.minimum(np.random.default_rng(0).exponential(size=(5, 90)), 8.0)
    found = Sequence(cap=8.0, within=within).estimate(batches(rows, size), 0.9)
    scaled = None if within is None else within / 8
    low, high = sequence_interval(rows / 8, confidence=0.9, population_size=size, within=scaled)
    np.testing.assert_allclose(found.low, 8 * low, rtol=1e-12)
    np.testing.assert_allclose(found.high, 8 * high, rtol=1e-12)
    one = sequence_at(rows[0] / 8, np.array([30, 90]), confidence=0.9, population_size=size, within=scaled)
    assert 8 * one[0][1] == pytest.approx(found.low[0], abs=3e-3 * (found.high[0] - found.low[0]))
    assert found.method.startswith("anytime-valid betting, losses up to 8 nats, 0.9")


def test_of_few_losses_looked_at_after_every_one_it_misses_at_most_alpha_within_the_binomial_bound():
    # Losses of 0 or 1 below a cap of 4: after each of 60 rows the batch so far is judged anew.
    rows = (np.random.default_rng(3).random((800, 60)) < 0.3).astype(float) * 2
    ever = np.zeros(800, bool)
    for n in range(1, 61):
        found = Sequence(cap=4.0).estimate(batches(rows[:, :n]), 0.8)
        ever |= (found.low > 0.6) | (found.high < 0.6)
    assert stats.binomtest(int(ever.sum()), 800, 0.2, alternative="greater").pvalue > 0.001


def test_it_costs_a_little_width_against_the_interval_for_one_n():
    rows = batches(np.minimum(np.random.default_rng(0).exponential(size=(50, 1000)), 8.0))
    widths = [np.median((found := part(cap=8.0).estimate(rows, 0.95)).high - found.low) for part in (Betting, Sequence)]
    assert widths[0] < widths[1] < 1.6 * widths[0]


@pytest.mark.parametrize("within", [0.0, -0.1, float("inf"), float("nan")])
def test_a_half_width_that_is_none_is_refused(within):
    with pytest.raises(BadInput, match=r"^interval\.loss\.within must be above 0 nats and finite, or null; found"):
        Sequence(cap=4.0, within=within)
