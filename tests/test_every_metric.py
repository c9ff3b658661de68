"""The laws all metrics obey."""

import numpy as np
import pytest
from scipy.special import softmax

from pipeline.accuracy import is_correct
from pipeline.loss import cross_entropy
from pipeline.metric import MEMBERS

# The values of this one are read, never computed.
EVERY = pytest.mark.parametrize("name", [name for name in MEMBERS if name != "value"])


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return rng.normal(0, 2, (300, 8)), rng.integers(0, 8, 300)


@EVERY
def test_one_value_a_row_within_the_bounds(rows, name):
    metric = MEMBERS[name]()
    found = metric.values(*rows, gives="logits")
    assert found.shape == (300,)
    assert found.dtype == metric.dtype
    assert found.min() >= 0
    assert found.max() <= metric.most
    assert not metric.is_share or set(found) <= {0.0, 1.0}


@EVERY
def test_probabilities_give_what_their_logits_give(rows, name):
    logits, labels = rows
    metric = MEMBERS[name]()
    from_logits = metric.values(logits, labels, gives="logits")
    found = metric.values(softmax(logits, axis=1), labels, gives="probabilities")
    np.testing.assert_allclose(found, from_logits, rtol=1e-9, atol=1e-12)


@EVERY
def test_one_hot_labels_give_what_classes_give(rows, name):
    logits, labels = rows
    metric = MEMBERS[name]()
    found = metric.values(logits, np.eye(8)[labels], gives="logits")
    np.testing.assert_allclose(found, metric.values(logits, labels, gives="logits"), rtol=1e-12, atol=1e-15)


@EVERY
def test_a_row_does_not_depend_on_the_others(rows, name):
    logits, labels = rows
    metric = MEMBERS[name]()
    alone = metric.values(logits[7:8], labels[7:8], gives="logits")
    np.testing.assert_allclose(alone, metric.values(logits, labels, gives="logits")[7:8], rtol=1e-14)


def test_loss_and_accuracy_are_those_of_the_numeric_core(rows):
    np.testing.assert_array_equal(MEMBERS["loss"]().values(*rows, gives="logits"), cross_entropy(*rows))
    np.testing.assert_array_equal(MEMBERS["accuracy"]().values(*rows, gives="logits"), is_correct(*rows))
