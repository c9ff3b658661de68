import numpy as np
import pytest

from pipeline.data.digits import Digits
from pipeline.data.groups_and_weights import with_columns
from pipeline.data.npz import Npz
from pipeline.errors import BadInput
from pipeline.records.rows import Dataset


@pytest.fixture
def five():
    return Dataset(np.zeros((5, 2), np.float32), np.array([0, 1, 0, 1, 0]), 2, 1.0, "five", "d")


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "rows.npz"
    np.savez(
        path,
        x=np.random.default_rng(0).random((6, 3)),
        t=np.array([0, 1, 0, 1, 2, 2]),
        writer=np.array([7, 7, 3, 3, 3, 9]),
        size=np.array([[1.0], [2], [1], [1], [4], [1]]),
    )
    return path


@pytest.mark.parametrize("group", [np.array(["b", "a", "b", "c", "a"]), np.array([2.5, -1, 2.5, 9, -1])])
def test_equal_values_make_a_group_whatever_their_type(five, group):
    found = with_columns(five, group=group).groups
    for i in range(5):
        np.testing.assert_array_equal(found == found[i], group == group[i])
    assert set(found) == {0, 1, 2}


def test_the_digest_covers_groups_and_weights(five):
    ones, twos = np.ones(5), np.arange(1.0, 6)
    digests = {
        five.digest,
        with_columns(five, weight=ones).digest,
        with_columns(five, weight=twos).digest,
        with_columns(five, group=twos).digest,
        with_columns(five, group=twos, weight=twos).digest,
    }
    assert len(digests) == 5
    assert with_columns(five, weight=ones).digest == with_columns(five, weight=ones).digest


def test_without_columns_the_data_set_is_left_as_it_is(five):
    assert with_columns(five) is five


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"weight": np.array([1, 1, 0, 1, -1.0])}, r"above 0 and finite in every row; found 0 in row 2, and 2 such"),
        ({"weight": np.array([1, np.nan, 1, 1, 1])}, "found nan in row 1"),
        ({"weight": np.array(list("abcde"))}, "column of numbers; found type <U1"),
        ({"weight": np.ones(4)}, r"one value for each of the 5 rows; found shape \(4,\)"),
        ({"group": np.ones((5, 2))}, r"found shape \(5, 2\)"),
        ({"group": np.ones(5)}, "at least 2 groups; found one"),
        ({"group": np.array([1, 2, np.nan, 1, 2])}, "found NaN in row 2"),
    ],
)
def test_columns_that_say_nothing_are_refused(five, columns, message):
    with pytest.raises(BadInput, match=message):
        with_columns(five, **columns)


def test_an_npz_files_arrays_are_its_columns(saved):
    dataset = Npz(path=str(saved), group="writer", weight="size").load()
    np.testing.assert_array_equal(dataset.groups, [1, 1, 0, 0, 0, 2])
    np.testing.assert_array_equal(dataset.weights, [1, 2, 1, 1, 4, 1])
    assert dataset.name == "rows.npz test by writer"


def test_a_missing_column_is_refused_and_named(saved):
    with pytest.raises(BadInput, match=r"data.group=author must be an array of .*rows.npz; .*author"):
        Npz(path=str(saved), group="author").load()
    with pytest.raises(BadInput, match=r"data.weight must name a column of data=digits, which has none; found 'w'"):
        Digits(weight="w").load()
