import numpy as np

from pipeline.sampling.with_replacement import IndependentPlan, WithReplacement
from tests.populations import frame_of, some_scores


def test_it_draws_what_numpys_choice_draws():
    drawn = IndependentPlan(1797, 100).batch(7, 3).indices
    expected = np.random.default_rng(np.random.SeedSequence((7, 100, 3))).choice(1797, 100)
    np.testing.assert_array_equal(drawn, expected)


def test_a_batch_may_be_larger_than_the_population():
    plan = WithReplacement().plan(frame_of(some_scores(10)), 100)
    assert len(plan.batch(0, 0).indices) == 100
