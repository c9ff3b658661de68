import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pipeline.data.inputs import finite_float32
from pipeline.errors import BadInput

FINITE = arrays(
    np.float64,
    array_shapes(max_dims=2, max_side=5),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)


@given(FINITE)
def test_numbers_that_float32_holds_are_returned_exactly(values):
    found = finite_float32(values, source="x")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, values)


def test_float32_is_returned_without_a_copy():
    values = np.zeros((3, 2), np.float32)
    assert finite_float32(values, source="x") is values


@given(FINITE, st.sampled_from([np.nan, np.inf, -np.inf, 1e39, -1e300]), st.data())
def test_the_first_number_that_is_not_finite_in_float32_is_named_as_it_was_stored(values, wrong, data):
    at = tuple(data.draw(st.integers(0, side - 1)) for side in values.shape)
    values[at] = wrong
    with pytest.raises(BadInput, match=r"^x must hold finite numbers \(in float32\); found ") as said:
        finite_float32(values, source="x", where=lambda row: f"line {row + 2}")
    column = f", column {at[1]}" if len(at) == 2 else ""
    assert f"found {np.float64(wrong)} in line {at[0] + 2}{column}: mend or remove that row" in str(said.value)


def test_a_signalling_nan_is_refused_without_a_warning():
    values = np.array([0x7F800001], np.uint32).view(np.float32)
    with pytest.raises(BadInput, match="found nan in row 0"):
        finite_float32(values, source="x")
