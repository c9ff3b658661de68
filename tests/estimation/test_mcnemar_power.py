"""The power of McNemar's test against enumeration over all tables, and against simulation."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation.mcnemar import mcnemar, mcnemar_mid_p
from pipeline.estimation.mcnemar_power import mcnemar_power, rows_for_mcnemar
from pipeline.estimation.paired import Question, n_for_power

SHARES = [(0.5, 0.2), (0.06, 0.03), (0.9, 0.05), (0.3, 0.0)]


@pytest.mark.parametrize(("gained", "lost"), SHARES)
@pytest.mark.parametrize("n", [1, 5, 12, 20])
def test_the_power_is_the_chance_of_all_tables_that_are_rejected_by_enumeration(gained, lost, n):
    tables = [(b, c) for b, c in product(range(n + 1), repeat=2) if b + c <= n]
    chances = stats.multinomial.pmf([(b, c, n - b - c) for b, c in tables], n, [gained, lost, 1 - gained - lost])
    for test, is_mid in ((mcnemar, False), (mcnemar_mid_p, True)):
        expected = sum(p for (b, c), p in zip(tables, chances, strict=True) if test(b, c) <= 0.05)
        found = mcnemar_power(n, gained, lost, significance=0.05, is_mid=is_mid)
        assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("gained", "lost"), [*SHARES, (0.02, 0.01), (0.004, 0.001)])
@pytest.mark.parametrize("power", [0.8, 0.9])
def test_the_rows_have_the_power_and_the_normal_formulas_do_not(gained, lost, power):
    value = gained - lost
    about = n_for_power(value, gained + lost - value**2, Question(power=power))
    n = rows_for_mcnemar(gained, lost, power=power, significance=0.05, about=about)
    assert mcnemar_power(n, gained, lost, significance=0.05) >= power
    assert mcnemar_power(n - 1, gained, lost, significance=0.05) < power
    assert mcnemar_power(about, gained, lost, significance=0.05) < power
    assert min(mcnemar_power(n + more, gained, lost, significance=0.05) for more in range(20)) > power - 2e-3


def test_at_the_normal_formulas_rows_the_mid_p_version_has_the_power_and_the_exact_one_3_points_less():
    exact, mid = (mcnemar_power(778, 0.06, 0.03, significance=0.05, is_mid=is_mid) for is_mid in (False, True))
    assert exact == pytest.approx(0.773, abs=1e-3)
    assert mid == pytest.approx(0.804, abs=1e-3)


def test_the_formula_for_many_turned_rows_meets_the_search_where_it_takes_over():
    gained, lost = 0.051, 0.049
    about = n_for_power(gained - lost, gained + lost - (gained - lost) ** 2, Question())
    assert about * 0.1 < 20_000
    searched = rows_for_mcnemar(gained, lost, power=0.8, significance=0.05, about=about)
    assert searched == pytest.approx(about + 2 / (gained - lost), rel=2e-4)
    many = rows_for_mcnemar(gained, lost, power=0.8, significance=0.05, about=1e6)
    assert many == pytest.approx(1e6 + 2 / (gained - lost), abs=1)
    assert math.isinf(rows_for_mcnemar(0.1, 0.1, power=0.8, significance=0.05, about=math.inf))


def test_a_share_of_one_is_allowed():
    assert mcnemar_power(10, 0.9, 0.1, significance=0.05) == pytest.approx(
        float(np.sum([stats.binom.pmf(k, 10, 0.9) for k in range(11) if mcnemar(k, 10 - k) <= 0.05]))
    )
