"""Labels: what is refused, and that encodings say the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipeline.data.labels import check_range, classes_of, one_hot, rows_to_labels
from pipeline.errors import BadInput

CLASSES = hnp.arrays(np.int64, st.integers(1, 30), elements=st.integers(0, 6))


@given(CLASSES, st.sampled_from(["u1", "i1", "<i2", ">i4", "u8", "f2", "f4", ">f8"]))
def test_classes_are_the_same_whatever_type_they_are_stored_as(classes, stored):
    found = classes_of(classes.astype(stored), source="t")
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, classes)


@given(CLASSES, st.sampled_from(["?", "u1", "i8", "f2", "f4", "f8"]))
def test_one_hot_rows_and_integer_classes_turn_into_each_other(classes, stored):
    rows = one_hot(classes, 7)
    assert rows.dtype == np.float32
    assert rows.shape == (len(classes), 7)
    np.testing.assert_array_equal(rows.sum(axis=1), 1)
    np.testing.assert_array_equal(rows_to_labels(rows.astype(stored), source="t"), classes)


@given(hnp.arrays(np.float64, (5, 4), elements=st.floats(0.01, 1)))
def test_soft_rows_stay_as_they_are(weights):
    rows = weights / weights.sum(axis=1, keepdims=True)
    found = rows_to_labels(rows, source="t")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, rows.astype(np.float32))


def test_one_soft_row_keeps_all_rows_as_rows():
    rows = np.array([[0, 1.0], [0.5, 0.5]])
    assert rows_to_labels(rows, source="t").shape == (2, 2)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([0, 1, -1], "found -1 in row 2"),
        ([0.0, np.nan], "found nan in row 1"),
        ([np.inf], "found inf in row 0"),
        ([0.0, 1.5], "found 1.5 in row 1"),
        ([3, 2**40], "below 1,000,000; found 1099511627776 in row 1"),
        (np.array([2**64 - 1], dtype=np.uint64), "below 1,000,000; found 18446744073709551615 in row 0"),
    ],
)
def test_what_is_no_class_number_is_refused_with_its_row(values, found):
    with pytest.raises(BadInput, match=f"^labels must hold .*{found}"):
        classes_of(np.asarray(values), source="labels")


@pytest.mark.parametrize(("classes", "found"), [([0, 3], "found 3 in row 1"), ([-1], "found -1 in row 0")])
def test_a_class_out_of_range_is_refused(classes, found):
    with pytest.raises(BadInput, match=rf"labels must hold classes 0 … 2 \(there are 3\); {found}"):
        check_range(np.array(classes), 3, source="labels")


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([[0, 1], [0.5, 0.4]], "sum of 1; found a sum of 0.9 in row 1"),
        ([[1, 1]], "found a sum of 2 in row 0"),
        ([[0, 0]], "found a sum of 0 in row 0"),
        ([[0, 1], [-0.5, 1.5]], r"none negative; found \[-0.5 +1.5\] in row 1"),
        ([[np.nan, 1]], r"finite .*; found \[nan +1.\] in row 0"),
        ([[np.inf, 0]], r"finite .*; found \[inf +0.\] in row 0"),
        ([[0.5, 0.5002]], "found a sum of 1.0002 in row 0"),
    ],
)
def test_a_row_that_is_no_distribution_is_refused_with_its_sum(rows, found):
    with pytest.raises(BadInput, match=found):
        rows_to_labels(np.array(rows), source="t")


def test_a_sum_within_the_tolerance_is_taken_and_not_changed():
    rows = np.array([[0.5, 0.50005]])
    np.testing.assert_array_equal(rows_to_labels(rows, source="t"), rows.astype(np.float32))


def test_a_wide_row_is_named_in_one_line():
    rows = np.full((1, 1000), -1.0)
    with pytest.raises(BadInput, match=r"in row 0") as caught:
        rows_to_labels(rows, source="t")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
