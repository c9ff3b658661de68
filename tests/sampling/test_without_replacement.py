import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.sampling.without_replacement import SimplePlan, WithoutReplacement
from tests.populations import frame_of, some_scores


@pytest.mark.parametrize("batch_size", [1, 2, 50, 99])
def test_no_row_comes_twice(batch_size):
    for i in range(20):
        assert len(np.unique(SimplePlan(100, batch_size).batch(0, i).indices)) == batch_size


def test_a_batch_of_all_rows_is_the_population():
    for i in range(5):
        np.testing.assert_array_equal(np.sort(SimplePlan(100, 100).batch(0, i).indices), np.arange(100))
    assert SimplePlan(100, 100).error_variance(np.arange(100.0), "loss") == 0


def test_a_batch_larger_than_the_population_is_refused():
    with pytest.raises(BadInput, match=r"batch_size must be at most the population's 1,000 rows .* found 1,001"):
        WithoutReplacement().plan(frame_of(some_scores(1000)), 1001)
