import numpy as np

from pipeline.metric.brier import Brier
from pipeline.metric.squared_error import SquaredError


def test_it_is_half_the_brier_score_and_at_most_1():
    outputs = np.array([[1.0, 0.0, 0.0], [0.2, 0.3, 0.5]])
    labels = np.array([1, 2])
    found = SquaredError().values(outputs, labels, gives="probabilities")
    np.testing.assert_allclose(found, [1.0, (0.04 + 0.09 + 0.25) / 2])
    np.testing.assert_allclose(2 * found, Brier().values(outputs, labels, gives="probabilities"))
