import numpy as np

from pipeline.sampling.base import generator
from pipeline.sampling.with_replacement import WithReplacement


def test_it_draws_what_numpys_choice_draws():
    drawn = WithReplacement().draw(1797, 100, generator(7, 100, 3)).indices
    expected = np.random.default_rng(np.random.SeedSequence((7, 100, 3))).choice(1797, 100)
    np.testing.assert_array_equal(drawn, expected)


def test_a_batch_may_be_larger_than_the_population():
    design = WithReplacement()
    design.check(10, 100)
    assert len(design.draw(10, 100, generator(0, 100, 0)).indices) == 100
