import numpy as np
import pytest

from pipeline import data as data_family
from pipeline.data.npz import Npz
from pipeline.errors import BadInput
from pipeline.proxy.column import Column
from pipeline.records.rows import Dataset

X, T = np.ones((5, 2), np.float32), np.array([0, 1, 0, 1, 1])


@pytest.fixture
def guess(tmp_path):
    def of(column, name="hard"):
        path = tmp_path / "rows.npz"
        np.savez(path, x=X, t=T, **{name: column})
        data = Npz(path=str(path))
        return Column(column="hard").guess(data.load(), None, data=data)

    return of


@pytest.mark.parametrize("kind", ["f4", "i8", "?", "u1"])
def test_the_column_is_the_difficulty_and_its_negative_stands_for_the_accuracy(guess, kind):
    column = np.array([3, 0, 1, 7, 2]).astype(kind)
    found = guess(column)
    np.testing.assert_array_equal(found.difficulty, column.astype(float))
    np.testing.assert_array_equal(found.loss, column.astype(float))
    np.testing.assert_array_equal(found.accuracy, -column.astype(float))


def test_negative_numbers_pass_for_they_can_be_put_in_order(guess):
    assert guess(np.array([-3.0, 0, 1, -7, 2])).difficulty.min() == -7


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (np.array([1.0, 2, np.nan, 4, np.nan]), r"finite in every row; found nan in row 2, and 2 such rows"),
        (np.array([1.0, -np.inf, 3, 4, 5]), r"found -inf in row 1, and 1 such rows"),
        (np.ones(4), r"one value for each of the 5 rows; found shape \(4,\)"),
        (np.ones((5, 2)), r"found shape \(5, 2\)"),
        (np.array(list("abcde")), r"must be a column of numbers; found type <U1"),
    ],
)
def test_a_column_that_says_nothing_of_a_row_is_refused(guess, column, message):
    with pytest.raises(BadInput, match=message):
        guess(column)


def test_a_column_of_text_of_another_source_is_refused():
    class Texts(Npz):
        def column(self, split, name, *, key):
            return np.array(list("abcde"))

    dataset = Dataset(X, T, 2, 1.0, "rows", "d")
    with pytest.raises(BadInput, match=r"proxy.column=hard must be a column of numbers; found type <U1"):
        Column(column="hard").guess(dataset, None, data=Texts(path="rows.npz"))


def test_a_missing_column_and_a_missing_name_are_refused(guess):
    with pytest.raises(BadInput, match=r"proxy.column=hard must be an array of"):
        guess(np.ones(5), name="other")
    with pytest.raises(BadInput, match=r"proxy.column must name a column of numbers; found none"):
        Column(column=" ")
    digits = data_family.MEMBERS["digits"]()
    with pytest.raises(BadInput, match=r"proxy.column must name a column of data=digits, which has none"):
        Column(column="hard").guess(digits.load(), None, data=digits)
