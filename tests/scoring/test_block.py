"""A block of rows goes through the classifier and comes out as scores; NumPy and SciPy say what they must be."""

import numpy as np
import pytest
from scipy import special

from pipeline import accuracy, loss
from pipeline.errors import BadInput
from pipeline.model.base import Classifier, unchanged
from pipeline.model.network import Network
from pipeline.records.rows import Block
from pipeline.scoring.block import BLOCK, BlockScorer, in_blocks, main_functions, refuse_sums

RNG = np.random.default_rng(5)
LABELS = RNG.integers(0, 4, 50)


class Passing(Classifier):
    """A classifier that gives the rows themselves as what it is said to give."""

    def __init__(self, gives, metrics=(), *, is_checked=False):
        self.n_inputs, self.n_classes, self.digest = 4, 4, gives
        self.gives, self.metrics, self.is_checked = gives, metrics, is_checked

    def logits(self, inputs):
        return inputs

    def from_stored(self, scale):
        return unchanged


def row(number):
    return f"row {number}"


def scored(classifier, inputs, labels=LABELS, *, cap=None, functions=None):
    return BlockScorer(classifier, 1.0, cap, functions or main_functions())(Block(inputs, labels), where=row)


def test_logits_become_the_cross_entropy_and_whether_the_largest_is_the_labels():
    logits = RNG.normal(size=(50, 4)).astype(np.float32)
    scores = scored(Passing("logits"), logits)
    wide = logits.astype(np.float64)
    np.testing.assert_allclose(scores.loss, special.logsumexp(wide, axis=1) - wide[np.arange(50), LABELS], rtol=1e-5)
    np.testing.assert_array_equal(scores.correct, logits.argmax(axis=1) == LABELS)
    assert (scores.correct.dtype, scores.ties, scores.capped) == (np.bool_, 0, 0)


def test_8_bit_pixels_are_scaled_before_the_network_sees_them():
    pixels = RNG.integers(0, 256, (50, 4), dtype=np.uint8)
    network = Network([(np.eye(4, dtype=np.float32), np.zeros(4, np.float32))], "relu")
    found = BlockScorer(network, 1 / 255, None, main_functions())(Block(pixels, LABELS), where=row)
    logits = pixels / 255
    expected = special.logsumexp(logits, axis=1) - logits[np.arange(50), LABELS]
    np.testing.assert_allclose(found.loss, expected, rtol=1e-5)


def test_probabilities_become_minus_the_log_of_the_labels():
    p = RNG.dirichlet(np.ones(4), 50)
    scores = scored(Passing("probabilities"), p)
    np.testing.assert_allclose(scores.loss, -np.log(p[np.arange(50), LABELS]), rtol=1e-12)


def test_probabilities_that_do_not_sum_to_1_are_refused_unless_they_were_checked():
    p = RNG.dirichlet(np.ones(4), 50)
    p[17] *= 1.5
    with pytest.raises(BadInput, match=r"^probabilities must be 0 or more and sum to 1 .*found \+0.5 off in row 17"):
        scored(Passing("probabilities"), p)
    assert len(scored(Passing("probabilities", is_checked=True), p)) == 50


def test_a_negative_probability_is_named_with_its_value():
    p = np.array([[0.5, 0.5], [1.25, -0.25]])
    with pytest.raises(BadInput, match=r"found -0.25 in row 1: mend that row, or give logits$"):
        refuse_sums(p, row)
    refuse_sums(p[:1], row)


@pytest.mark.parametrize("labels", [LABELS, np.eye(4)[LABELS]], ids=["classes", "one-hot"])
def test_labels_alone_give_an_accuracy_and_no_loss(labels):
    given = RNG.integers(0, 4, 50)
    scores = scored(Passing("labels"), given, labels)
    assert scores.metrics == ("accuracy",)
    np.testing.assert_array_equal(scores.correct, given == LABELS)


def test_scores_are_taken_by_the_names_of_their_columns_and_need_no_labels():
    columns = np.column_stack([RNG.random(50), RNG.integers(0, 2, 50)])
    scores = scored(Passing("scores", ("loss", "accuracy")), columns, None)
    np.testing.assert_array_equal(scores.loss, columns[:, 0])
    np.testing.assert_array_equal(scores.correct, columns[:, 1] == 1)
    assert scored(Passing("scores", ("accuracy",)), columns[:, 1:], None).metrics == ("accuracy",)


def test_losses_above_the_cap_count_as_the_cap_and_are_counted():
    logits = np.array([[0.0, 100.0, 0, 0], [100.0, 0.0, 0, 0], [0.0, 0.0, 0, 0]])
    scores = scored(Passing("logits"), logits, np.zeros(3, int), cap=2.0)
    assert scores.loss.tolist() == [2.0, 0.0, pytest.approx(np.log(4))]
    assert scores.capped == 1
    assert scored(Passing("scores", ("loss",)), np.array([[3.0], [1.0]]), None, cap=2.0).capped == 1


def test_rows_whose_largest_logit_is_shared_are_counted():
    logits = np.array([[1.0, 1.0, 0, 0], [1.0, 0.0, 0, 0], [0.0, 0.0, 0, 0]])
    assert scored(Passing("logits"), logits, np.zeros(3, int)).ties == 2


def test_further_functions_are_evaluated_beside_the_main_ones_or_without_them():
    def margin(outputs, labels, *, gives):
        return outputs.max(axis=1) - outputs[np.arange(len(outputs)), labels]

    logits = RNG.normal(size=(50, 4))
    both = scored(Passing("logits"), logits, functions={**main_functions(), "margin": margin})
    assert both.metrics == ("loss", "accuracy", "margin")
    alone = scored(Passing("logits"), logits, functions={"margin": margin}, cap=0.1)
    assert (alone.metrics, alone.capped) == (("margin",), 0)
    np.testing.assert_array_equal(alone.columns["margin"], both.columns["margin"])
    assert main_functions() == {"loss": loss.of_block, "accuracy": accuracy.of_block}


@pytest.mark.parametrize("rows", [1, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
def test_many_rows_go_through_in_blocks_of_a_fixed_size(rows):
    sizes = []

    def forward(inputs):
        sizes.append(len(inputs))
        return inputs * 2

    inputs = RNG.normal(size=(rows, 3))
    np.testing.assert_array_equal(in_blocks(forward, inputs), inputs * 2)
    assert max(sizes) <= BLOCK
    assert sum(sizes) == rows


def test_labels_of_many_rows_stay_one_a_row():
    inputs = RNG.normal(size=(BLOCK + 5, 3))
    assert in_blocks(lambda block: block.argmax(axis=1), inputs).tolist() == inputs.argmax(axis=1).tolist()


def test_predictions_are_passed_on_without_a_copy():
    inputs = RNG.normal(size=(BLOCK + 5, 3))
    assert in_blocks(unchanged, inputs) is inputs
