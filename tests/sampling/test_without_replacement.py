import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.sampling.base import generator
from pipeline.sampling.without_replacement import WithoutReplacement


@pytest.mark.parametrize("batch_size", [1, 2, 50, 99])
def test_no_row_comes_twice(batch_size):
    for i in range(20):
        indices = WithoutReplacement().draw(100, batch_size, generator(0, batch_size, i)).indices
        assert len(np.unique(indices)) == batch_size


def test_a_batch_of_all_rows_is_the_population():
    for i in range(5):
        indices = WithoutReplacement().draw(100, 100, generator(0, 100, i)).indices
        np.testing.assert_array_equal(np.sort(indices), np.arange(100))
    assert WithoutReplacement().standard_error(3.0, 100, 100) == 0


def test_a_batch_larger_than_the_population_is_refused():
    with pytest.raises(BadInput, match=r"batch_size must be at most the population's 1,000 rows .* found 1,001"):
        WithoutReplacement().check(1000, 1001)
