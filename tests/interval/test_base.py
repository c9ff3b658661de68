"""What all intervals share: the standard error, ends around the mean, and the words for how they were made."""

import numpy as np
import pytest
from scipy import stats

from pipeline.interval.base import around, described, standard_error
from tests.populations import batches

ROWS = np.random.default_rng(2).exponential(size=(5, 12))


def test_the_standard_error_against_scipys_and_with_the_finite_population_correction():
    np.testing.assert_allclose(standard_error(batches(ROWS)), stats.sem(ROWS, axis=1), rtol=1e-12)
    finite = standard_error(batches(ROWS, population_size=48))
    np.testing.assert_allclose(finite, stats.sem(ROWS, axis=1) * np.sqrt(1 - 12 / 48), rtol=1e-12)


def test_one_unit_has_no_standard_error_and_all_units_have_none_left():
    assert np.isnan(standard_error(batches([[3.0]]))).all()
    assert standard_error(batches(ROWS, population_size=12)).tolist() == [0.0] * 5


def test_ends_stand_below_and_above_the_mean():
    below, above = np.arange(5.0), np.arange(5.0) * 2
    found = around(batches(ROWS), below, above, "any", confidence=0.9)
    np.testing.assert_allclose(found.low, ROWS.mean(axis=1) - below)
    np.testing.assert_allclose(found.high, ROWS.mean(axis=1) + above)
    assert found.n == 12


@pytest.mark.parametrize("unknown", [np.nan, np.inf])
def test_an_end_that_is_not_known_leaves_all_numbers_possible_in_that_batch_alone(unknown):
    reach = np.ones(5)
    low_unknown, high_unknown = reach.copy(), reach.copy()
    low_unknown[1], high_unknown[3] = unknown, unknown
    found = around(batches(ROWS), low_unknown, high_unknown, "any", confidence=0.9)
    assert np.isneginf(found.low).tolist() == np.isposinf(found.high).tolist() == [False, True, False, True, False]


def test_an_interval_says_its_method_its_confidence_and_its_design():
    assert described("Wilson", batches(ROWS), 0.95) == "Wilson, 0.95"
    assert described("Wilson", batches(ROWS, population_size=48), 0.995).startswith("Wilson, 0.995, ")
