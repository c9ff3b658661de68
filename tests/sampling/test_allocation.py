import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sampling.allocation import allocate, fewest


@st.composite
def strata(draw):
    sizes = np.array(draw(st.lists(st.integers(1, 60), min_size=1, max_size=8)))
    weights = np.array(draw(st.lists(st.sampled_from([0.0, 1e-3, 0.5, 1.0, 7.0, 400.0]), min_size=8, max_size=8)))
    total = draw(st.integers(int(fewest(sizes).sum()), int(sizes.sum())))
    return weights[: len(sizes)], sizes, total


@given(strata())
def test_the_parts_make_the_total_with_two_of_each_and_none_beyond_its_size(case):
    weights, sizes, total = case
    drawn = allocate(weights, sizes, total)
    assert drawn.sum() == total
    assert np.all(drawn >= np.minimum(sizes, 2))
    assert np.all(drawn <= sizes)


@given(strata())
def test_within_the_bounds_it_is_proportional_to_the_weights_but_for_rounding(case):
    weights, sizes, total = case
    drawn = allocate(weights, sizes, total)
    # The conditions of Karush, Kuhn and Tucker for the least Σ w²/n within bounds: one λ with n = λw where n is free,
    # n ≥ λw at the lower bound, n ≤ λw at the upper; each n is within 1 of its real number.
    known = weights > 0
    can_be_more, can_be_fewer = known & (drawn < sizes), known & (drawn > fewest(sizes))
    if can_be_more.any() and can_be_fewer.any():
        most = ((drawn[can_be_fewer] - 1) / weights[can_be_fewer]).max()
        least = ((drawn[can_be_more] + 1) / weights[can_be_more]).min()
        assert most <= least * (1 + 1e-9)


@given(strata())
def test_strata_without_spread_get_more_than_two_only_once_the_others_are_full(case):
    weights, sizes, total = case
    drawn = allocate(weights, sizes, total)
    still = weights == 0
    if (weights > 0).any() and (drawn[still] > fewest(sizes)[still]).any():
        np.testing.assert_array_equal(drawn[~still], sizes[~still])


@pytest.mark.parametrize(
    ("weights", "sizes", "total", "expected"),
    [
        ([50, 30, 20], [50, 30, 20], 10, [5, 3, 2]),
        # 10 · (33, 33, 34)/100: the remainder goes to the largest, 3.4.
        ([33, 33, 34], [33, 33, 34], 10, [3, 3, 4]),
        # Equal remainders: to the first.
        ([25, 25, 25, 25], [25, 25, 25, 25], 10, [3, 3, 2, 2]),
        # A stratum of one is taken whole; 2 are the fewest of the small one.
        ([1, 9, 90], [1, 9, 90], 10, [1, 2, 7]),
        # Neyman: 100·5, 100·2, 100·1 of 80 are 50, 20, 10.
        ([500, 200, 100], [100, 100, 100], 80, [50, 20, 10]),
        # 160 would be 100, 40, 20: the first has 70, and 90 are shared out 2 : 1.
        ([500, 200, 100], [70, 100, 100], 160, [70, 60, 30]),
        # No spread anywhere: proportional.
        ([0, 0], [30, 10], 8, [6, 2]),
    ],
)
def test_against_shares_worked_out_by_hand(weights, sizes, total, expected):
    assert allocate(np.array(weights, dtype=float), np.array(sizes), total).tolist() == expected
