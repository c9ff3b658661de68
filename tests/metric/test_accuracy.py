import numpy as np

from pipeline.metric.accuracy import Accuracy


def test_a_row_is_right_where_the_largest_output_is_the_label_s_and_ties_go_to_the_lowest_class():
    outputs = np.array([[0.1, 0.9], [0.9, 0.1], [0.5, 0.5], [0.5, 0.5]])
    labels = np.array([1, 1, 0, 1])
    found = Accuracy().values(outputs, labels, gives="probabilities")
    assert found.dtype == Accuracy.dtype == np.bool_
    assert found.tolist() == [True, False, True, False]
