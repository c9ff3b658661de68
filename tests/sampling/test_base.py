"""What all plans share: draws by number, and the words for a batch that is too large."""

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.records.rows import Dataset
from pipeline.sampling import MEMBERS
from pipeline.sampling.base import refuse_more_than_all
from pipeline.sampling.with_replacement import IndependentPlan
from pipeline.sampling.without_replacement import SimplePlan
from tests.populations import frame_of, some_scores


def test_a_draw_is_the_plans_own_draw_with_the_generator_of_seed_batch_size_and_number():
    plan = IndependentPlan(50, 8)
    rng = np.random.default_rng(np.random.SeedSequence((3, 8, 5)))
    np.testing.assert_array_equal(plan.batch(3, 5).indices, plan.draw(rng).indices)


def test_draws_by_number_do_not_depend_on_the_draws_before_them():
    forwards, backwards = SimplePlan(50, 8), SimplePlan(50, 8)
    first = {i: forwards.batch(0, i).indices.tolist() for i in range(5)}
    assert {i: backwards.batch(0, i).indices.tolist() for i in reversed(range(5))} == first


@pytest.mark.parametrize("name", MEMBERS)
def test_a_plan_is_simple_exactly_if_it_has_neither_strata_nor_unequal_chances_nor_a_correction(name):
    design = MEMBERS[name](**({"rows": 1} if name == "blocks" else {}))
    plan = design.plan(frame_of(some_scores(60)), 20)
    assert plan.is_simple == (name not in ("stratified", "importance", "difference"))
    assert plan.is_simple or plan.words


def test_the_units_of_rows_in_groups_are_the_groups():
    dataset = Dataset(np.zeros((5, 1)), np.zeros(5, int), 2, 1.0, "rows", "d", groups=np.array([1, 0, 1, 2, 2]))
    units = MEMBERS["without_replacement"]().units(dataset)
    assert units.size == 3
    assert [sorted(units.rows_of(np.array([g])).tolist()) for g in range(3)] == [[1], [0, 2], [3, 4]]


def test_a_batch_of_all_rows_is_taken_and_one_more_is_refused():
    refuse_more_than_all(1000, 1000)
    with pytest.raises(BadInput, match=r"at most the population's 1,000 rows without replacement; found 1,001"):
        refuse_more_than_all(1000, 1001)
