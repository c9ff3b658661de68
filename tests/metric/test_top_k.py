import numpy as np
import pytest
from sklearn.metrics import top_k_accuracy_score

from pipeline.accuracy import is_correct
from pipeline.errors import BadInput
from pipeline.metric.top_k import TopK


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return rng.normal(size=(500, 7)), rng.integers(0, 7, 500)


@pytest.mark.parametrize("k", [1, 2, 5, 6])
def test_the_mean_against_sklearn(rows, k):
    logits, labels = rows
    found = TopK(k=k).values(logits, labels, gives="logits")
    assert set(found) <= {0.0, 1.0}
    assert found.mean() == pytest.approx(top_k_accuracy_score(labels, logits, k=k, labels=np.arange(7)), rel=1e-12)


def test_with_k_1_it_is_the_accuracy_ties_and_label_probabilities_included():
    rng = np.random.default_rng(1)
    logits = rng.integers(0, 3, (400, 4)).astype(np.float32)
    labels = rng.integers(0, 4, 400)
    soft = rng.dirichlet(np.ones(4), 400)
    for own in (labels, soft):
        found = TopK(k=1).values(logits, own, gives="logits")
        np.testing.assert_array_equal(found, is_correct(logits, own))


def test_of_equal_logits_the_lowest_classes_are_taken():
    found = TopK(k=2).values(np.zeros((4, 4)), np.arange(4), gives="logits")
    assert found.tolist() == [1.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("k", [3, 5])
def test_as_many_as_there_are_classes_are_refused(k):
    with pytest.raises(BadInput, match=rf"metric\.top_k\.k must be below the data's 3 classes; found {k}"):
        TopK(k=k).check(3)


def test_none_at_all_is_refused():
    with pytest.raises(BadInput, match=r"metric\.top_k\.k must be a whole number of at least 1; found 0"):
        TopK(k=0)
