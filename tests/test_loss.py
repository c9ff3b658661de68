import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import logsumexp
from sklearn.metrics import log_loss

from pipeline.loss import cross_entropy, mean_cross_entropy_with_integer_labels, mean_cross_entropy_with_one_hot_labels


@st.composite
def examples(draw, dtype=np.float64, least=2):
    n, k = draw(st.integers(1, 30)), draw(st.integers(least, 12))
    floats = st.floats(-50, 50, width=64 if dtype == np.float64 else 32)
    logits = draw(hnp.arrays(dtype, (n, k), elements=floats))
    labels = draw(hnp.arrays(np.int64, n, elements=st.integers(0, k - 1)))
    return logits, labels


def softmax(logits):
    return np.exp(logits - logsumexp(logits, axis=1, keepdims=True))


@given(examples())
def test_cross_entropy_against_scipy_logsumexp(case):
    logits, labels = case
    expected = logsumexp(logits, axis=1) - logits[np.arange(len(labels)), labels]
    np.testing.assert_allclose(cross_entropy(logits, labels), expected, rtol=1e-12, atol=1e-12)


@given(st.integers(2, 12), st.integers(1, 200), st.integers(0, 2**32))
def test_mean_against_sklearn_log_loss_to_1e_12(k, n, seed):
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(scale=2, size=(n, k)), rng.integers(0, k, n)
    expected = log_loss(labels, softmax(logits), labels=np.arange(k))
    assert cross_entropy(logits, labels).mean() == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert mean_cross_entropy_with_integer_labels(softmax(logits), labels) == pytest.approx(expected, rel=1e-12)


@given(examples(), st.floats(-1e4, 1e4))
def test_adding_a_number_to_all_logits_of_a_row_changes_nothing(case, shift):
    logits, labels = case
    np.testing.assert_allclose(cross_entropy(logits + shift, labels), cross_entropy(logits, labels), atol=1e-9)


@given(examples(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_of_classes_does_not_matter(case, random):
    logits, labels = case
    n, k = logits.shape
    rows, classes = random.sample(range(n), n), random.sample(range(k), k)
    place = np.argsort(classes)
    expected = cross_entropy(logits, labels)[rows]
    np.testing.assert_allclose(
        cross_entropy(logits[rows][:, classes], place[labels[rows]]), expected, rtol=1e-13, atol=1e-14
    )


@given(examples(np.float32))
def test_one_hot_equals_integer_to_the_last_bit(case):
    logits, labels = case
    one_hot = np.eye(logits.shape[1], dtype=np.float32)[labels]
    np.testing.assert_array_equal(cross_entropy(logits, one_hot), cross_entropy(logits, labels))
    y = softmax(logits.astype(np.float64)).clip(0, 1)
    assert mean_cross_entropy_with_one_hot_labels(y, one_hot) == mean_cross_entropy_with_integer_labels(y, labels)


@given(examples(np.float32), st.integers(1, 7))
def test_a_row_has_the_same_loss_in_a_block_of_any_size(case, block):
    logits, labels = case
    parts = [cross_entropy(logits[i : i + block], labels[i : i + block]) for i in range(0, len(labels), block)]
    # NumPy adds the classes of a single row up in another order than those of several.
    np.testing.assert_allclose(np.concatenate(parts), cross_entropy(logits, labels), rtol=1e-14, atol=2e-15)


def test_logits_of_plus_and_minus_ten_thousand_in_float32_give_finite_losses():
    logits = np.array([[1e4, -1e4], [-1e4, 1e4], [1e4, 1e4], [-1e4, -1e4]], dtype=np.float32)
    loss = cross_entropy(logits, [1, 1, 0, 0])
    np.testing.assert_allclose(loss, [2e4, 0, np.log(2), np.log(2)])
    assert loss.dtype == np.float64


def test_the_exponentials_are_summed_in_float64():
    # One class far ahead of a million others: a float32 sum would lose the others' share.
    logits = np.zeros((1, 1_000_000), dtype=np.float32)
    logits[0, 0] = 16
    assert cross_entropy(logits, [0])[0] == pytest.approx(np.log(np.exp(16) + 999_999) - 16, rel=1e-6)


def test_soft_labels_are_a_weighted_sum_of_integer_ones():
    logits, soft = np.array([[0.3, -1.2, 2.0]]), np.array([[0.2, 0.5, 0.3]])
    each = np.concatenate([cross_entropy(logits, [c]) for c in range(3)])
    assert cross_entropy(logits, soft)[0] == pytest.approx(soft[0] @ each, rel=1e-15)
    y = softmax(logits)
    assert mean_cross_entropy_with_one_hot_labels(y, soft) == pytest.approx(-(soft * np.log(y)).sum(), rel=1e-15)


def test_a_probability_of_0_for_the_true_class_is_an_infinite_loss():
    assert cross_entropy([[-np.inf, 0.0]], [0])[0] == np.inf
    assert mean_cross_entropy_with_one_hot_labels([0.0, 1.0], [1, 0]) == np.inf
    assert mean_cross_entropy_with_integer_labels([[0.0, 1.0], [0.5, 0.5]], [0, 1]) == np.inf


def test_a_probability_of_0_for_another_class_does_no_harm():
    assert cross_entropy([[-np.inf, 0.0]], [[0.0, 1.0]])[0] == 0
    assert mean_cross_entropy_with_one_hot_labels([0.0, 1.0], [0, 1]) == 0


def test_the_books_example_of_one_and_of_two_rows():
    # Saitoh, Deep Learning from Scratch, section 4.2.2: -log 0.6 and -log 0.1 (there with 1e-7 added).
    right, wrong = [0.1, 0.05, 0.6, 0, 0.05, 0.1, 0, 0.1, 0, 0], [0.1, 0.05, 0.1, 0, 0.05, 0.1, 0, 0.6, 0, 0]
    one_hot = np.eye(10)[2]
    assert mean_cross_entropy_with_one_hot_labels(right, one_hot) == pytest.approx(0.510825457, abs=1e-6)
    assert mean_cross_entropy_with_one_hot_labels(wrong, one_hot) == pytest.approx(2.302584092, abs=1e-5)
    both = mean_cross_entropy_with_integer_labels([right, wrong], [2, 2])
    assert both == pytest.approx((0.510825457 + 2.302584092) / 2, abs=1e-5)
    assert mean_cross_entropy_with_integer_labels(right, 2) == mean_cross_entropy_with_one_hot_labels(right, one_hot)


@settings(max_examples=30)
@given(st.integers(2, 12), st.integers(1, 50), st.integers(0, 2**32))
def test_a_one_dimensional_example_is_a_batch_of_one(k, n, seed):
    rng = np.random.default_rng(seed)
    y, labels = rng.dirichlet(np.ones(k), n), rng.integers(0, k, n)
    one_by_one = [mean_cross_entropy_with_integer_labels(y[i], labels[i]) for i in range(n)]
    assert np.mean(one_by_one) == pytest.approx(mean_cross_entropy_with_integer_labels(y, labels), rel=1e-12)


@pytest.mark.parametrize(
    ("logits", "labels", "match"),
    [
        ([[0.0, 1.0]], [2], "labels must be 0 to 1; found 2 to 2"),
        ([[0.0, 1.0]], [-1], "labels must be 0 to 1"),
        ([[0.0, 1.0]], [0.5], "labels must be 1 integers"),
        ([[0.0, 1.0]], [0, 1], "labels must be 1 integers"),
        ([[0.0, 1.0]], [[0.0, 1.0, 0.0]], "labels must have the shape"),
        ([0.0, 1.0], [0], "logits must have the shape"),
    ],
)
def test_shapes_that_do_not_match_are_refused_rather_than_broadcast(logits, labels, match):
    with pytest.raises(ValueError, match=match):
        cross_entropy(logits, labels)


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match="probabilities must be 0 to 1"):
        mean_cross_entropy_with_integer_labels([[1.2, -0.2]], [0])
    with pytest.raises(ValueError, match="at least one row"):
        mean_cross_entropy_with_integer_labels(np.empty((0, 3)), np.empty(0, int))
