import numpy as np
import pytest
from scipy import stats

from pipeline.interval.accuracy.wilson import Wilson
from tests.populations import batches


def estimate(k, n, confidence=0.95, population_size=None):
    rows = np.arange(n) < np.atleast_1d(k)[:, None]
    return Wilson().estimate(batches(rows, population_size), confidence)


@pytest.mark.parametrize("n", [1, 2, 10, 1000])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_the_interval_against_scipys_binomtest_for_every_count(n, confidence):
    counts = np.unique(np.linspace(0, n, 11).astype(int))
    found = estimate(counts, n, confidence)
    for i, k in enumerate(counts):
        expected = stats.binomtest(int(k), n).proportion_ci(confidence, method="wilson")
        assert found.low[i] == pytest.approx(expected.low, abs=1e-12)
        assert found.high[i] == pytest.approx(expected.high, abs=1e-12)


def test_the_published_examples_of_newcombe_1998():
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3 (score, no continuity correction).
    published = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
    for k, n, low, high in published:
        found = estimate(k, n)
        assert (round(float(found.low[0]), 4), round(float(found.high[0]), 4)) == (low, high)


def test_its_ends_reject_the_count_in_the_score_test_with_the_finite_variance():
    n, size, k = 40, 100, 31
    found = estimate(k, n, population_size=size)
    z = stats.norm.ppf(0.975)
    for end in (found.low[0], found.high[0]):
        spread = np.sqrt(end * (1 - end) / n * (size - n) / (size - 1))
        assert abs(k / n - end) == pytest.approx(z * spread, rel=1e-12)


def test_none_and_all_right_reach_to_0_and_to_1_exactly():
    assert estimate(0, 7).low[0] == 0
    assert estimate(7, 7).high[0] == 1
    assert estimate(0, 7).high[0] > 0
    assert estimate(7, 7).low[0] < 1
