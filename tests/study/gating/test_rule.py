"""The grammar of a rule that is audited."""

import pytest

from pipeline.errors import BadInput
from pipeline.metric.accuracy import Accuracy
from pipeline.metric.brier import Brier
from pipeline.metric.loss import Loss
from pipeline.study.gating.rule import rule_of

METRICS = {"loss": Loss(), "accuracy": Accuracy(), "brier": Brier()}


@pytest.mark.parametrize(
    ("text", "metric", "threshold", "written"),
    [
        ("accuracy<-0.01", "accuracy", 0.01, "accuracy<-0.01"),
        (" accuracy < -1e-2 ", "accuracy", 0.01, "accuracy<-0.01"),
        ("accuracy<0", "accuracy", 0.0, "accuracy<0"),
        ("loss>.02", "loss", 0.02, "loss>0.02"),
        ("brier>+0.5", "brier", 0.5, "brier>0.5"),
    ],
)
def test_a_rule_names_a_metric_and_how_far_it_may_be_on_the_bad_side(text, metric, threshold, written):
    rule = rule_of(text, METRICS)
    assert (rule.metric.name, rule.threshold, str(rule)) == (metric, threshold, written)
    assert str(rule.threshold) != "-0.0"


@pytest.mark.parametrize("text", ["", "accuracy", "accuracy<", "acc<-0.01", "accuracy<-0.01 or loss>1", "accuracy=1"])
def test_what_is_no_rule_is_refused_with_an_example(text):
    with pytest.raises(
        BadInput, match=r"^study\.audit must be METRIC<NUMBER .* such as study\.audit='accuracy<-0\.01'"
    ):
        rule_of(text, METRICS)


@pytest.mark.parametrize("text", ["accuracy>0.01", "accuracy<0.01", "loss<-0.01", "loss>-0.02"])
def test_a_rule_that_fails_candidates_which_are_better_is_refused(text):
    with pytest.raises(BadInput, match=r"^study\.audit must fail candidates that are worse, "):
        rule_of(text, METRICS)
