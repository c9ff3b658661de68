import itertools
import math

import pytest
from scipy import stats

from pipeline.estimation.mcnemar import mcnemar, mcnemar_mid_p


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (1, 0), (3, 1), (0, 6), (4, 4), (7, 2)])
def test_mcnemars_p_against_all_ways_the_coins_can_fall(gained, lost):
    n = gained + lost
    falls = [sum(fall) for fall in itertools.product((0, 1), repeat=n)]
    as_odd = [abs(heads - n / 2) >= abs(gained - n / 2) for heads in falls]
    assert mcnemar(gained, lost) == pytest.approx(sum(as_odd) / 2**n)


@pytest.mark.parametrize(("gained", "lost"), [(10, 2), (5, 0), (3, 3), (1, 7), (40, 31)])
def test_the_mid_p_value_counts_outcomes_as_likely_as_the_one_at_hand_half(gained, lost):
    n = gained + lost
    chances = [math.comb(n, k) / 2**n for k in range(n + 1)]
    expected = sum(p for p in chances if p < chances[gained]) + sum(p for p in chances if p == chances[gained]) / 2
    assert mcnemar_mid_p(gained, lost) == pytest.approx(expected)
    assert mcnemar(gained, lost) == pytest.approx(stats.binomtest(gained, n).pvalue)


def test_ten_against_two_and_none_at_all():
    assert (round(mcnemar(10, 2), 4), round(mcnemar_mid_p(10, 2), 4)) == (0.0386, 0.0225)
    assert mcnemar_mid_p(0, 0) == 1
