import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.metric import MEMBERS
from pipeline.metric.chosen import kept_of, known_of, main_metrics, refuse_unknown
from pipeline.records import Scores


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
    ],
)
def test_what_is_told_by_what_a_model_gives(gives, given, expected):
    names = ("accuracy", "loss", "top_k") if "top_5" in expected else ("accuracy", "loss")
    assert known_of(chosen(*names), gives=gives, given=given) == expected


def test_a_metric_that_needs_outputs_is_refused_of_scores():
    with pytest.raises(BadInput, match=r"the metric brier needs .* found the accuracy of each row alone: leave it out"):
        refuse_unknown(chosen("accuracy", "brier"), gives="scores", given=("accuracy",))


def test_a_choice_of_which_nothing_is_told_is_refused():
    with pytest.raises(BadInput, match=r"metric must name one .* found metric=\[loss\] and labels alone"):
        refuse_unknown(chosen("loss"), gives="labels", n_classes=3)


def test_only_the_columns_asked_for_are_kept_and_the_counts_with_them():
    scores = Scores(np.ones(2), np.ones(2, dtype=bool), further={"brier": np.zeros(2)}, ties=3, capped=4)
    assert kept_of(scores, chosen("loss", "accuracy", "brier")) is scores
    kept = kept_of(scores, chosen("brier", "accuracy"))
    assert (kept.metrics, kept.ties, kept.capped) == (("accuracy", "brier"), 3, 4)
    assert list(main_metrics()) == ["loss", "accuracy"]
