import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import accuracy_score

from pipeline.accuracy import is_correct, is_tied


@st.composite
def examples(draw):
    n, k = draw(st.integers(1, 40)), draw(st.integers(1, 12))
    # Few values, so that ties are common.
    logits = draw(hnp.arrays(np.float32, (n, k), elements=st.sampled_from([-1.0, 0.0, 0.5, 2.0])))
    return logits, draw(hnp.arrays(np.int64, n, elements=st.integers(0, k - 1)))


@given(examples())
def test_is_correct_against_sklearn_and_numpy_argmax(case):
    logits, labels = case
    expected = logits.argmax(axis=1) == labels
    np.testing.assert_array_equal(is_correct(logits, labels), expected)
    assert is_correct(logits, labels).mean() == pytest.approx(accuracy_score(labels, logits.argmax(axis=1)), abs=1e-12)


@given(examples())
def test_ties_against_counting_each_row(case):
    logits, _ = case
    assert is_tied(logits).tolist() == [list(row).count(max(row)) > 1 for row in logits.tolist()]


@given(examples(), st.integers(-8, 8))
def test_one_hot_labels_and_a_shift_of_the_logits_change_nothing(case, shift):
    logits, labels = case
    one_hot = np.eye(logits.shape[1])[labels]
    np.testing.assert_array_equal(is_correct(logits + np.float32(shift), one_hot), is_correct(logits, labels))


@given(examples(), st.integers(1, 7))
def test_a_row_is_right_or_wrong_in_a_block_of_any_size(case, block):
    logits, labels = case
    parts = [is_correct(logits[i : i + block], labels[i : i + block]) for i in range(0, len(labels), block)]
    np.testing.assert_array_equal(np.concatenate(parts), is_correct(logits, labels))


def test_a_tie_goes_to_the_lowest_class():
    logits = [[1.0, 3.0, 3.0], [3.0, 3.0, 3.0]]
    assert is_correct(logits, [1, 1]).tolist() == [True, False]
    assert is_correct(logits, [2, 0]).tolist() == [False, True]
    assert is_tied(logits).tolist() == [True, True]


def test_shapes_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="labels must match"):
        is_correct([[1.0, 2.0]], [0, 1])
    with pytest.raises(ValueError, match="labels must match"):
        is_correct([[1.0, 2.0]], [[0, 1, 0]])
    with pytest.raises(ValueError, match="logits must have the shape"):
        is_correct([1.0, 2.0], [0])


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint64])
def test_labels_of_any_whole_type_are_judged_alike(dtype):
    logits = np.random.default_rng(0).normal(size=(1000, 100))
    assert is_correct(logits, logits.argmax(axis=1).astype(dtype)).all()
