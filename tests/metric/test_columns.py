"""From the name of a column to the metric, and the order in which metrics stand."""

import math

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.metric import MEMBERS
from pipeline.metric.columns import described, in_order, of_column, refuse_unknown
from pipeline.metric.top_k import TopK
from pipeline.metric.value import Value


@pytest.mark.parametrize("name", MEMBERS)
def test_every_member_is_found_by_its_own_column(name):
    assert of_column(MEMBERS[name]().column) == MEMBERS[name]()


@pytest.mark.parametrize("k", [1, 3, 12])
def test_the_name_of_top_k_tells_its_k(k):
    assert of_column(f"top_{k}") == TopK(k=k)


@pytest.mark.parametrize("column", ["top_0", "top_k", "top_05", "loss_2", "calibration_error"])
def test_an_unknown_name_gives_a_metric_without_unit_and_bound(column):
    found = of_column(column)
    assert (found.column, found.words) == (column, column.replace("_", " "))
    assert (found.unit, found.is_share, found.factor, found.bounds) == ("", False, 1.0, (-math.inf, math.inf))
    with pytest.raises(BadInput, match=rf"metric must be one of loss, .*; found {column}"):
        found.values(np.zeros((1, 2)), np.zeros(1, int), gives="logits")


def test_loss_and_accuracy_come_first_and_each_once():
    found = in_order(["brier", "accuracy", "top_2", "loss", "brier"])
    assert [metric.column for metric in found] == ["loss", "accuracy", "brier", "top_2"]
    assert in_order([]) == []


def test_configured_words_are_known_inside_their_context_alone():
    latency, cost = Value(quantity="latency", measured_in="ms"), Value(quantity="cost", measured_in="$")
    with described({"value": latency}):
        assert of_column("value") is latency
        with described({"value": cost}):
            assert in_order(["value"]) == [cost]
        assert of_column("value") is latency
        assert of_column("loss") == MEMBERS["loss"]()
    assert of_column("value") == Value()


def test_two_quantities_under_one_name_keep_its_own_words():
    latency, cost = Value(quantity="latency", measured_in="ms"), Value(quantity="cost", measured_in="$")
    with described({"value": latency}, {"value": cost}, {"value": latency}):
        assert of_column("value") == Value()
    with described({"value": latency}, {"value": Value(quantity="latency", measured_in="ms")}):
        assert of_column("value") == latency


@pytest.mark.parametrize(("name", "near"), [("acuracy", "accuracy"), ("top_k", "top_5"), ("briar", "brier")])
def test_a_name_that_no_metric_has_is_refused_with_all_names_and_the_nearest_one(name, near):
    with pytest.raises(
        BadInput, match=rf"^study\.on must be of the metrics loss, .*; found {name}: did you mean {near}\?$"
    ):
        refuse_unknown("study.on", name)


@pytest.mark.parametrize("name", ["loss", "accuracy", "top_7", "brier", "value", "auc", "ece"])
def test_a_name_that_some_metric_has_is_taken(name):
    refuse_unknown("study.on", name)
