"""Blocks of predictions, as the layout says; what is refused stands in test_predictions."""

import numpy as np
import pytest
from scipy.special import expit

from pipeline.data.formats.open_table import open_table
from pipeline.data.layout import layout_of
from pipeline.data.prediction_blocks import PredictionBlocks
from pipeline.errors import BadInput
from pipeline.loss import cross_entropy, cross_entropy_of_probabilities
from tests import written as tables

RNG = np.random.default_rng(11)
LABEL = RNG.integers(0, 2, 30)


@pytest.fixture
def blocks(tmp_path):
    """A function from columns to all rows' inputs and labels."""

    def read(columns, **named):
        source = open_table(tables.write(tmp_path, "a.npz", columns))
        predicted = PredictionBlocks(source, layout_of(source.columns, where="FILE"), **named)
        found = [block for shard in range(len(source.bounds) - 1) for block in predicted.read(shard)]
        labels = None if found[0].labels is None else np.concatenate([block.labels for block in found])
        return np.concatenate([block.inputs for block in found]), labels

    return read


def test_one_logit_is_that_of_class_1_against_0(blocks):
    logit = RNG.normal(size=30)
    inputs, labels = blocks({"logit": logit, "label": LABEL})
    np.testing.assert_array_equal(labels, LABEL)
    # By hand: -log of the logistic function of the logit, turned round for class 0.
    expected = -np.log(expit(np.where(LABEL == 1, logit, -logit)))
    np.testing.assert_allclose(cross_entropy(inputs, labels), expected, rtol=1e-12)


def test_one_probability_is_that_of_class_1(blocks):
    probability = RNG.random(30)
    inputs, labels = blocks({"probability": probability, "label": LABEL})
    expected = -np.log(np.where(LABEL == 1, probability, 1 - probability))
    np.testing.assert_allclose(cross_entropy_of_probabilities(inputs, labels), expected, rtol=1e-12)


def test_scores_are_handed_on_with_labels_where_there_are_any(blocks):
    loss, correct = RNG.exponential(size=30), RNG.random(30) < 0.5
    inputs, labels = blocks({"loss": loss, "correct": correct})
    np.testing.assert_array_equal(inputs, np.stack([loss, correct], axis=1))
    assert labels is None
    _, labels = blocks({"loss": loss, "label": LABEL})
    np.testing.assert_array_equal(labels, LABEL)


def test_numbers_keep_their_precision(blocks):
    for kind, kept in (
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.float16, np.float32),
        ("i8", np.float64),
    ):
        logits = (100 * RNG.normal(size=(30, 2))).astype(kind)
        inputs, _ = blocks({"logits": logits, "label": LABEL})
        assert inputs.dtype == kept
        np.testing.assert_array_equal(inputs, logits)


def test_a_class_held_impossible_is_taken_where_it_is_asked_for(blocks):
    logits = RNG.normal(size=(30, 2))
    logits[3, 0] = -np.inf
    inputs, _ = blocks({"logits": logits, "label": LABEL}, masked=True)
    np.testing.assert_array_equal(inputs, logits)
    with pytest.raises(BadInput, match=r"logits must be finite; found -inf .* in row 3 of"):
        blocks({"logits": logits, "label": LABEL})


def test_a_sum_may_be_off_by_the_tolerance(blocks):
    off = np.full((30, 2), 0.5 + 4e-4)
    inputs, _ = blocks({"probabilities": off, "label": LABEL})
    # Nothing is normalised.
    np.testing.assert_array_equal(inputs, off)
    with pytest.raises(BadInput, match=r"must sum to 1 within data\.tolerance=0\.0005; .*, \+0\.0008 off, in row 0 of"):
        blocks({"probabilities": off, "label": LABEL}, tolerance=5e-4)


def test_a_label_beyond_64_bits_with_a_sign_does_not_pass_for_a_class(blocks):
    labels = LABEL.astype(np.uint64)
    labels[29] = 2**64 - 1
    with pytest.raises(BadInput, match=r"label must hold classes 0 … 1 \(there are 2\); found .* in row 29 of"):
        blocks({"logits": RNG.normal(size=(30, 2)), "label": labels})
