import numpy as np

from pipeline.metric.loss import Loss


def test_the_loss_of_logits_and_of_probabilities_by_hand():
    labels = np.array([0, 1])
    probabilities = np.array([[0.25, 0.75], [1.0, 0.0]])
    np.testing.assert_allclose(Loss().values(probabilities, labels, gives="probabilities"), [np.log(4), np.inf])
    logits = np.array([[0.0, np.log(3.0)], [0.0, 0.0]])
    np.testing.assert_allclose(Loss().values(logits, labels, gives="logits"), [np.log(4), np.log(2)])


def test_it_is_the_one_metric_that_a_cap_cuts():
    assert Loss.takes_loss_cap
    assert Loss().most == np.inf
