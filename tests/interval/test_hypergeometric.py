import numpy as np
import pytest
from scipy import stats

from pipeline.interval.hypergeometric import at_least, at_most


@pytest.mark.parametrize(("n", "size"), [(1, 1), (1, 5), (4, 9), (9, 9), (30, 200), (150, 200), (1_000, 60_000)])
def test_both_tails_against_scipy_for_any_count_and_any_number_of_right_rows(n, size):
    rng = np.random.default_rng(n)
    right = rng.integers(0, size + 1, 200)
    k = np.clip(rng.normal(n * right / size, 3 * np.sqrt(n) / 2 + 1), -2, n + 2).astype(int)
    np.testing.assert_allclose(at_least(k, right, n, size), stats.hypergeom.sf(k - 1, size, right, n), atol=1e-9)
    np.testing.assert_allclose(at_most(k, right, n, size), stats.hypergeom.cdf(k, size, right, n), atol=1e-9)


def test_beyond_the_possible_counts_the_tails_are_0_and_1():
    assert at_least([0, 3, 4], 3, 5, 9).tolist()[0::2] == [1.0, 0.0]
    assert at_most([-1, 3], 3, 5, 9).tolist() == [0.0, 1.0]
