import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.metric import MEMBERS
from pipeline.metric.chosen import asked_for, kept_of, known_of, main_metrics, notes_on_unknown, refuse_unknown
from pipeline.metric.value import Value
from pipeline.records.scores import Scores


def chosen(*names):
    return {name: MEMBERS[name]() for name in names}


@pytest.mark.parametrize(
    ("gives", "given", "expected"),
    [
        ("logits", (), ("loss", "accuracy", "top_5")),
        ("probabilities", (), ("loss", "accuracy", "top_5")),
        ("labels", (), ("accuracy",)),
        ("scores", ("loss",), ("loss",)),
        ("scores", ("loss", "accuracy"), ("loss", "accuracy")),
        ("scores", ("value",), ("value",)),
    ],
)
def test_what_is_told_by_what_a_model_gives(gives, given, expected):
    names = ("accuracy", "loss", "top_k") if "top_5" in expected else ("accuracy", "loss")
    names = ("value",) if given == ("value",) else names
    assert tuple(known_of(chosen(*names), gives=gives, given=given)) == expected


def test_a_metric_that_needs_outputs_is_refused_of_scores():
    with pytest.raises(BadInput, match=r"the metric brier needs .* found the accuracy of each row alone: leave it out"):
        refuse_unknown(chosen("accuracy", "brier"), gives="scores", given=("accuracy",))


def test_a_choice_of_which_nothing_is_told_is_refused():
    with pytest.raises(BadInput, match=r"metric must name one .* found metric=\[loss\] and labels alone"):
        refuse_unknown(chosen("loss"), gives="labels", n_classes=3)


@pytest.mark.parametrize(
    ("gives", "given", "said"),
    [
        ("logits", (), []),
        ("labels", (), ["no loss: the model gives labels alone"]),
        ("scores", ("accuracy",), ["no loss: the rows have only whether each is right"]),
        ("scores", ("loss",), ["no accuracy: the rows have only their losses"]),
    ],
)
def test_a_metric_that_the_outputs_do_not_tell_is_noted_with_the_reason(gives, given, said):
    assert notes_on_unknown(chosen("loss", "accuracy"), gives=gives, given=given) == said


def test_only_the_columns_asked_for_are_kept_and_the_counts_with_them():
    scores = Scores(np.ones(2), np.ones(2, dtype=bool), further={"brier": np.zeros(2)}, ties=3, capped=4)
    assert kept_of(scores, chosen("loss", "accuracy", "brier")) is scores
    kept = kept_of(scores, chosen("brier", "accuracy"))
    assert (kept.metrics, kept.ties, kept.capped) == (("accuracy", "brier"), 3, 4)
    assert list(main_metrics()) == ["loss", "accuracy"]


def test_a_column_of_values_is_the_one_metric():
    value = Value(quantity="latency", measured_in="ms")
    for metrics in ({}, main_metrics(), chosen("value"), {"value": value}):
        assert asked_for(metrics, value="latency", unit="ms") == {"value": value}
    refuse_unknown({"value": value}, gives="scores", given=("value",))
    with pytest.raises(
        BadInput, match=r"metric must be left out with data\.value=latency, .*; found metric=\[loss,brier\]"
    ):
        asked_for(chosen("loss", "brier"), value="latency", unit="")
    assert asked_for({}, value=None, unit="") == main_metrics()
    with pytest.raises(
        BadInput, match=r"metric=value must go with the column of the values; found no data\.value: name"
    ):
        asked_for(chosen("loss", "value"), value=None, unit="")
