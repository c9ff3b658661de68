"""Metrics of all rows together are written like the others, and are no metric of a row."""

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.metric import MEMBERS
from pipeline.metric.columns import in_order, is_known_column, of_column
from pipeline.metric.together import TOGETHER


@pytest.mark.parametrize("name", TOGETHER)
def test_each_is_found_by_the_name_of_its_figures_and_is_no_member_of_the_family(name):
    metric = of_column(name)
    assert metric is TOGETHER[name]
    assert (metric.column, metric.is_together, metric.is_share, metric.bounds[0]) == (name, True, False, 0.0)
    assert is_known_column(name)
    assert name not in MEMBERS
    with pytest.raises(BadInput, match=f"metric must be one of a row; found {name}: name it in study.on"):
        metric.values(np.zeros((1, 2)), np.zeros(1, int), gives="logits")


def test_only_the_calibration_error_is_better_low_and_points_are_written_as_points():
    assert [name for name, metric in TOGETHER.items() if metric.is_better_low] == ["ece"]
    assert TOGETHER["balanced_accuracy"].tolerance(0.01) == "±1 point"
    assert TOGETHER["ece"].tolerance(0.02) == "±2 points"
    assert TOGETHER["auc"].tolerance(0.01) == "±0.01"
    assert TOGETHER["auc"].title == "AUC"
    assert [each.column for each in in_order(["auc", "loss"])] == ["loss", "auc"]
