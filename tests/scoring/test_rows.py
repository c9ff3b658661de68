import time
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special

from pipeline import accuracy, loss
from pipeline.data.mnist import Mnist
from pipeline.errors import BadInput
from pipeline.model.base import Classifier
from pipeline.model.network import Network
from pipeline.model.npz import Npz
from pipeline.records.rows import Dataset
from pipeline.runtime import cores
from pipeline.scoring import block as block_module
from pipeline.scoring import rows as rows_module
from pipeline.scoring.rows import score


class Given(Classifier):
    """Its logits are its inputs."""

    digest = ""

    def __init__(self, width):
        self.n_inputs = self.n_classes = width

    def logits(self, inputs):
        return inputs


def dataset_of(inputs, labels, scale=1.0):
    inputs = np.asarray(inputs)
    inputs = inputs if inputs.dtype == np.uint8 else inputs.astype(np.float32)
    return Dataset(inputs, np.asarray(labels), n_classes=4, scale=scale, name="made", digest="")


def pixels_and_network(n=5000, seed=0):
    rng = np.random.default_rng(seed)
    dataset = dataset_of(rng.integers(0, 256, size=(n, 20), dtype=np.uint8), rng.integers(0, 4, size=n), 1 / 255)
    layers = [
        (rng.normal(size=s).astype(np.float32), rng.normal(size=s[1]).astype(np.float32)) for s in [(20, 9), (9, 4)]
    ]
    return dataset, Network(layers, "sigmoid")


PIXELS, NETWORK = pixels_and_network()
ALL = score(NETWORK, PIXELS)


@pytest.mark.parametrize("n", [0, 1, 2, 1023, 1024, 1025, 4097, 5000])
def test_any_number_of_rows_is_scored_as_loss_and_accuracy_in_one_go_score_them(n):
    dataset = dataset_of(PIXELS.inputs[:n], PIXELS.labels[:n], PIXELS.scale)
    scores = score(NETWORK, dataset)
    logits = NETWORK.logits(dataset.inputs * np.float32(dataset.scale))
    assert scores.loss.shape == scores.correct.shape == (n,)
    assert scores.loss.dtype == np.float64
    np.testing.assert_allclose(scores.loss, loss.cross_entropy(logits, dataset.labels), rtol=1e-4, atol=1e-5)
    assert np.mean(scores.correct == accuracy.is_correct(logits, dataset.labels)) >= 0.999 if n else True


@given(rows=st.lists(st.integers(0, len(PIXELS) - 1), max_size=3000))
@settings(deadline=None, max_examples=50)
def test_rows_in_any_order_and_number_have_the_scores_they_have_among_all(rows):
    rows = np.array(rows, dtype=np.intp)
    scores = score(NETWORK, PIXELS, rows)
    np.testing.assert_allclose(scores.loss, ALL.loss[rows], rtol=1e-4, atol=1e-5)
    assert np.mean(scores.correct != ALL.correct[rows]) <= 0.001 if len(rows) else True


@given(seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=10)
def test_a_permutation_of_all_rows_permutes_the_scores(seed):
    order = np.random.default_rng(seed).permutation(2500)
    dataset = dataset_of(PIXELS.inputs[:2500], PIXELS.labels[:2500], PIXELS.scale)
    np.testing.assert_allclose(score(NETWORK, dataset, order).loss, ALL.loss[order], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("block", [1, 7, 100, 4096])
def test_the_block_size_changes_no_score_beyond_rounding(block, monkeypatch):
    monkeypatch.setattr(rows_module, "BLOCK", block)
    monkeypatch.setattr(block_module, "BLOCK", block)
    scores = score(NETWORK, PIXELS, np.arange(500))
    np.testing.assert_allclose(scores.loss, ALL.loss[:500], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_number_of_threads_changes_no_bit(threads, monkeypatch):
    monkeypatch.setattr(cores, "count", lambda: threads)
    dataset, network = pixels_and_network(40_000)
    scores = score(network, dataset)
    monkeypatch.undo()
    again = score(network, dataset)
    assert (scores.loss == again.loss).all()
    assert (scores.correct == again.correct).all()


@pytest.mark.parametrize("size", [0, 1, 1024, 1025, 10_000, 60_000, 123_456])
def test_stripes_are_whole_blocks_that_follow_each_other_to_the_end(size):
    stripes = rows_module._stripes(size)
    assert stripes[0][0] == 0
    assert stripes[-1][1] == size
    assert all(a[1] == b[0] for a, b in pairwise(stripes))
    assert all(
        start % rows_module.BLOCK == 0 and stop - start <= rows_module._STRIPE * rows_module.BLOCK
        for start, stop in stripes
    )
    assert size == 0 or all(stop > start for start, stop in stripes)


@given(
    rows=st.lists(st.integers(0, 99), max_size=60),
    bounds=st.lists(st.integers(0, 100), max_size=8),
    most=st.integers(1, 70),
)
def test_rows_from_disk_are_scored_in_pieces_as_all_at_once_in_the_order_asked_for(rows, bounds, most):
    taken = []

    def take(chosen):
        taken.append(len(chosen))
        return PIXELS.take(chosen)

    population = SimpleNamespace(
        bounds=np.array([0, *sorted(bounds), 100]), take=take, where=PIXELS.where, scale=PIXELS.scale
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_module, "_TAKEN_AT_ONCE", most)
        found = score(NETWORK, population, np.array(rows, int))
    expected = score(NETWORK, PIXELS, np.array(rows, int))
    np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-5)
    assert found.correct.tolist() == expected.correct.tolist()
    assert found.ties == expected.ties
    widest = np.diff(np.searchsorted(np.sort(rows), population.bounds)).max()
    assert max(taken) <= max(most, widest)
    assert sum(taken) == len(rows)


def test_one_hot_labels_give_the_figures_of_integers_to_the_last_bit():
    one_hot = dataset_of(PIXELS.inputs, np.eye(4, dtype=np.float32)[PIXELS.labels], PIXELS.scale)
    scores = score(NETWORK, one_hot)
    assert (scores.loss == ALL.loss).all()
    assert (scores.correct == ALL.correct).all()


def test_soft_labels_are_honoured_against_the_mean_over_labels():
    soft = np.random.default_rng(1).dirichlet(np.ones(4), size=50).astype(np.float32)
    scores = score(Given(4), dataset_of(PIXELS.inputs[:50, :4].astype(float) / 99, soft))
    by_label = [
        score(Given(4), dataset_of(PIXELS.inputs[:50, :4].astype(float) / 99, np.full(50, j))).loss for j in range(4)
    ]
    np.testing.assert_allclose(scores.loss, (soft.T * np.array(by_label)).sum(axis=0), rtol=1e-6)


def test_ties_are_counted_and_go_to_the_lowest_class():
    scores = score(Given(4), dataset_of([[1, 1, 0, 0], [0, 1, 1, 1], [0, 0, 0, 1]], [0, 2, 3]))
    assert scores.ties == 2
    assert scores.correct.tolist() == [True, False, True]
    many = np.zeros((5000, 4))
    assert score(Given(4), dataset_of(many, np.zeros(5000, int))).ties == 5000


@st.composite
def logits_and_labels(draw):
    n, k = draw(st.integers(1, 40)), draw(st.integers(1, 12))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    # Few values, so that ties are common; one class at least is possible.
    logits = draw(hnp.arrays(dtype, (n, k), elements=st.sampled_from([-np.inf, -1.0, 0.1, 0.7, 1e4])))
    logits[:, draw(st.integers(0, k - 1))] = 0.1
    return logits, draw(hnp.arrays(np.int64, n, elements=st.integers(0, k - 1)))


@given(logits_and_labels(), st.booleans())
def test_a_block_has_the_loss_of_scipy_and_is_right_where_argmax_is_the_label_in_any_memory_order(case, is_turned):
    logits, labels = case
    block = np.ascontiguousarray(logits.T).T if is_turned else logits
    before = logits.copy()
    expected = -special.log_softmax(logits.astype(np.float64), axis=1)[np.arange(len(labels)), labels]
    np.testing.assert_allclose(loss.of_block(block, labels, gives="logits"), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(accuracy.of_block(block, labels, gives="logits"), logits.argmax(axis=1) == labels)
    ties = sum(np.count_nonzero(row == row.max()) > 1 for row in logits)
    assert np.count_nonzero(accuracy.is_tied(block)) == ties
    np.testing.assert_array_equal(block, before)


def test_a_block_refuses_a_label_that_is_no_class():
    logits = np.array([[0.5, 2.0, 1.0], [-1.0, 0.0, 1.0]])
    for label in (-1, 3):
        with pytest.raises(ValueError, match="labels must be 0 to 2"):
            loss.of_block(logits, np.array([0, label]), gives="logits")


def test_losses_above_the_cap_count_as_it_and_are_counted():
    dataset = dataset_of([[0, 20, 0, 0], [5, 0, 0, 0], [0, -np.inf, 0, 0]], [0, 0, 1])
    scores = score(Given(4), dataset, cap=3.0)
    assert scores.capped == 2
    assert scores.loss.tolist() == [3.0, score(Given(4), dataset).loss[1], 3.0]
    assert score(Given(4), dataset).capped == 0


def test_a_true_class_held_impossible_has_an_infinite_loss_that_is_kept():
    scores = score(Given(4), dataset_of([[0, -np.inf, 0, 0]], [1]))
    assert scores.loss.tolist() == [np.inf]
    assert scores.correct.tolist() == [False]


BAD_LOGITS = {"nan": [0, np.nan, 0, 0], "infinite": [0, np.inf, 0, 0], "no class possible": [-np.inf] * 4}


@pytest.mark.parametrize("one_hot", [False, True])
@pytest.mark.parametrize("bad", BAD_LOGITS.values(), ids=list(BAD_LOGITS))
def test_logits_that_make_no_probabilities_are_refused_by_the_first_such_row(bad, one_hot):
    inputs = np.zeros((3000, 4))
    inputs[[1500, 2900]] = bad
    labels = np.zeros(3000, int)
    dataset = dataset_of(inputs, np.eye(4)[labels] if one_hot else labels)
    with pytest.raises(BadInput, match=r"found none such in 2 of 3,000 rows, first in row 1500:") as found:
        score(Given(4), dataset)
    assert "\n" not in str(found.value)
    with pytest.raises(BadInput, match=r"found none such in 1 of 2 rows, first in row 2900:"):
        score(Given(4), dataset, np.array([7, 2900]), cap=1.0)


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_weights_so_large_that_logits_overflow_are_refused_without_a_warning(activation):
    largest = np.finfo(np.float32).max
    layers = [(np.full(s, largest, np.float32), np.zeros(s[1], np.float32)) for s in [(20, 9), (9, 4)]]
    with pytest.raises(BadInput, match="logits must be finite or -inf"):
        score(Network(layers, activation), PIXELS)


def test_one_row_is_scored_within_a_millisecond():
    # Some 50 µs on a quiet machine: neither threads nor libraries are brought up for it.
    rows = np.array([3])
    taken = []
    for _ in range(200):
        start = time.perf_counter()
        score(NETWORK, PIXELS, rows)
        taken.append(time.perf_counter() - start)
    # On a busy machine others run meanwhile; what is brought up for a row, is for each.
    assert np.quantile(taken, 0.1) < 1e-3


@pytest.mark.parametrize(
    ("split", "n_correct", "mean", "deviation", "largest"),
    [("test", 9352, 0.2245442308, 0.67338, 9.1033), ("train", 56146, 0.2240038061, 0.67513, 13.2718)],
)
@pytest.mark.parametrize("one_hot", [False, True])
def test_the_books_network_on_mnist_against_figures_in_float64(
    mnist_root, book_network, split, n_correct, mean, deviation, largest, one_hot
):
    data = Mnist(split=split, root=str(mnist_root), one_hot=one_hot)
    scores = score(Npz(path=str(book_network)).build(data), data.load())
    assert scores.correct.sum() == n_correct
    assert scores.loss.mean() == pytest.approx(mean, rel=1e-7)
    assert scores.loss.std() == pytest.approx(deviation, abs=5e-6)
    assert scores.loss.max() == pytest.approx(largest, abs=1e-4)
