"""From a column to slices: what is pooled, and columns that make none."""

import numpy as np
import pytest

from pipeline.data.digits import Digits
from pipeline.data.slices import slices_of, slices_of_classes, slices_of_values
from pipeline.errors import BadInput
from pipeline.records.rows import Dataset

COUNTRIES = np.repeat(["de", "fr", "xx", "yy"], [30, 20, 9, 3])


def test_values_below_ten_rows_are_one_slice_the_last_and_are_named():
    found = slices_of_values(COUNTRIES, "country", 62)
    assert found.names == ("de", "fr", "2 rare values")
    assert found.pooled == ("xx", "yy")
    assert np.bincount(found.codes).tolist() == [30, 20, 12]


def test_a_single_rare_value_keeps_its_name():
    found = slices_of_values(COUNTRIES[:-3], "country", 59)
    assert (found.names, found.pooled) == (("de", "fr", "xx"), ("xx",))


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (np.repeat([2, 10], 10), ("2", "10")),
        (np.repeat([0.5, 2.0], 10), ("0.5", "2")),
        (np.repeat([True, False], 10), ("False", "True")),
    ],
)
def test_numbers_and_booleans_are_named_as_they_are_written(values, names):
    assert slices_of_values(values, "kind", 20).names == names


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.repeat("de", 62), "at least 2 values; found one, de"),
        (np.arange(1001), "at most 1,000 values; found 1,001"),
        (np.arange(62), "a slice of 10 rows or more; found 62 values"),
        (np.where(np.arange(62) == 5, "  ", COUNTRIES), "a value in every row; found none in row 5, and 1 such rows"),
        (np.where(np.arange(62) < 2, np.nan, 1.0), "found none in row 0, and 2 such rows"),
        (np.ones((62, 2)), r"one value for each of the 62 rows; found shape \(62, 2\)"),
    ],
)
def test_a_column_that_makes_no_slices_is_refused(values, message):
    with pytest.raises(BadInput, match=message):
        slices_of_values(values, "country", 1001 if len(values) == 1001 else 62)


def test_classes_are_slices_by_their_names_and_an_empty_one_is_refused():
    classes = np.repeat([0, 2], 10)
    assert slices_of_classes(classes // 2, ["cat", "dog"]).names == ("cat", "dog")
    with pytest.raises(BadInput, match="rows of every class; found none of dog, and 1 such of 3 classes"):
        slices_of_classes(classes, ["cat", "dog", "eel"])


def test_data_without_columns_name_no_slices():
    with pytest.raises(BadInput, match=r"data.by must name a column of data=digits, which has none; found 'writer'"):
        Digits(by="writer").column("test", "writer", key="data.by")


def test_without_a_column_there_are_no_slices_and_the_label_makes_one_of_each_digit():
    digits = Digits()
    assert slices_of(digits, digits.rows("test")) is None
    by_class = Digits(by="label")
    rows = by_class.rows("test")
    found = slices_of(by_class, rows)
    assert found.names == tuple("0123456789")
    np.testing.assert_array_equal(found.codes, rows.labels)


def test_rows_without_classes_are_no_slices_by_their_label():
    rows = Dataset(np.empty((3, 0)), None, 0, 1.0, "losses", "digest of losses")
    with pytest.raises(BadInput, match="must go with rows that have classes; found none in losses: name a column"):
        slices_of(Digits(by="label"), rows)
