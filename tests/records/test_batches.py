"""Strata have shares that weight their means to the population's."""

import numpy as np

from pipeline.records.batches import Strata


def test_the_mean_of_strata_weighted_by_their_shares_is_the_populations_mean():
    values, sizes = np.arange(1.0, 11.0) ** 2, np.array([2, 5, 3])
    strata = Strata(np.array([1, 2, 2]), sizes)
    means = [part.mean() for part in np.split(values, np.cumsum(sizes)[:-1])]
    np.testing.assert_allclose(strata.shares @ means, values.mean(), rtol=1e-14)


def test_shares_are_of_what_the_strata_have_not_of_what_is_drawn_from_them():
    np.testing.assert_array_equal(Strata(np.array([9, 1]), np.array([30, 10])).shares, [0.75, 0.25])
