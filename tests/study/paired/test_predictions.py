"""Two files of predictions are scored as a pair, by the metrics that both have."""

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.loss import cross_entropy
from pipeline.records.scores import Scores
from pipeline.study.paired.pair import Pair
from tests.study.predicted import two_models

FIRST, SECOND, LABELS = two_models()


def test_rows_in_the_same_order_are_scored_under_both(paired):
    pair = paired()
    np.testing.assert_allclose(pair.before.loss, cross_entropy(FIRST, LABELS), rtol=1e-12)
    np.testing.assert_allclose(pair.after.loss, cross_entropy(SECOND, LABELS), rtol=1e-12)
    np.testing.assert_array_equal(pair.after.correct, SECOND.argmax(axis=1) == LABELS)
    assert pair.names == ("a.parquet", "b.parquet")
    assert (tuple(pair.metrics), pair.lacking) == (("loss", "accuracy"), [])


def test_streamed_rows_are_scored_as_those_in_memory(paired):
    pair = paired(memory=0)
    np.testing.assert_allclose(pair.after.loss, cross_entropy(SECOND, LABELS), rtol=1e-12)


def test_the_other_files_columns_may_be_called_otherwise(paired):
    pair = paired(second={"label": LABELS, "logits_b": SECOND}, columns={"logits": "logits_b"}, logits="logits")
    np.testing.assert_allclose(pair.after.loss, cross_entropy(SECOND, LABELS), rtol=1e-12)


def test_files_without_a_metric_in_common_are_refused(paired):
    with pytest.raises(
        BadInput, match=r"in common with data\.path; found loss alone in a\.parquet and accuracy alone in"
    ):
        paired({"loss": cross_entropy(FIRST, LABELS)}, {"correct": SECOND.argmax(axis=1) == LABELS})


def test_of_a_metric_that_one_file_lacks_nothing_is_compared_and_it_is_said():
    full, losses = Scores(np.ones(3), np.ones(3, bool)), Scores(np.ones(3), None)
    pair = Pair(full, losses, names=("a", "b"))
    assert (tuple(pair.metrics), pair.lacking) == (("loss",), ["no accuracy: b has none"])
    assert Pair(losses, losses, names=("a", "b")).lacking == ["no accuracy: a and b have none"]
