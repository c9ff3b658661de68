"""`model=given` passes on what the rows hold, and goes with predictions alone."""

import numpy as np
import pytest

from pipeline import data as data_family
from pipeline.data.layout import Layout
from pipeline.errors import BadInput
from pipeline.loss import cross_entropy
from pipeline.model.given import Given, GivenClassifier
from pipeline.records.rows import Dataset
from pipeline.scoring.rows import score

LOGITS = np.random.default_rng(0).normal(size=(40, 3))
LABELS = np.arange(40) % 3


def layout_of(gives):
    return Layout(gives, ("p0", "p1", "p2"), "label", 3)


def test_rows_come_out_as_the_very_same_array_whatever_the_scale():
    classifier = GivenClassifier(layout_of("logits"))
    assert classifier.logits(LOGITS) is LOGITS
    assert classifier.from_stored(0.5)(LOGITS) is LOGITS


def test_the_scores_of_given_logits_are_the_losses_and_hits_of_these_logits():
    found = score(GivenClassifier(layout_of("logits")), Dataset(LOGITS, LABELS, 3, 1.0, "rows", "d"))
    np.testing.assert_allclose(found.loss, cross_entropy(LOGITS, LABELS))
    np.testing.assert_array_equal(found.correct, LOGITS.argmax(axis=1) == LABELS)


def test_logits_and_probabilities_in_one_file_are_two_classifiers():
    digests = {GivenClassifier(layout_of(gives)).digest for gives in ("logits", "probabilities")}
    assert len(digests) == 2


def test_data_without_predictions_are_refused():
    with pytest.raises(BadInput, match=r"^model=given must go with data that are predictions; found data=digits"):
        Given().build(data_family.MEMBERS["digits"]())
