"""A pair of scores: the metrics that both have, those of all rows together, and what is said of the others."""

import numpy as np
import pytest

from pipeline.metric.chosen import main_metrics
from pipeline.metric.together import TOGETHER
from pipeline.records.scores import Scores
from pipeline.study.paired.pair import Pair
from pipeline.study.together import Truth

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 2, 60)


def scored(seed, **without):
    rng = np.random.default_rng(seed)
    odds = rng.normal(size=60) + 2 * LABELS - 1
    columns = {
        "loss": np.logaddexp(0, np.where(LABELS, -odds, odds)),
        "predicted": (odds > 0).astype(float),
        "confidence": 1 / (1 + np.exp(-np.abs(odds))),
        "odds_1": odds,
    }
    return Scores.of({name: column for name, column in columns.items() if name not in without.get("less", ())})


def pair(first=1, second=2, labels=LABELS, less=(), **fields):
    truths = (Truth.of(labels, 2),) * 2
    asked = {**main_metrics(), **TOGETHER}
    return Pair(scored(first), scored(second, less=less), asked, ("a", "b"), truths=truths, **fields)


def test_metrics_of_all_rows_together_are_columns_like_any_other():
    both = pair()
    assert list(both.metrics) == ["loss", *TOGETHER]
    for name in TOGETHER:
        before, after = both.columns(name)
        assert before.shape == after.shape == (60,)
    assert both.slack("auc") == (0.0, 0.0)
    assert list(both.slacks) == ["ece"]
    assert both.slacks["ece"] == pair(second=1, first=2).slacks["ece"][::-1]


def test_models_that_are_alike_have_no_bias_between_them_and_of_a_population_nothing_is_debiased():
    assert pair(1, 1).slacks == {}
    plain = pair(is_sample=False)
    assert plain.slacks == {}
    assert plain.columns("ece")[0].mean() > pair().columns("ece")[0].mean()


def test_some_rows_have_their_own_values_and_those_of_one_class_have_none():
    rows = np.flatnonzero(LABELS == 1)
    part = pair().take(rows)
    assert list(part.metrics) == ["loss", "ece"]
    assert part.without["auc"] == "1 of 2 classes has no row"
    some = np.arange(30)
    assert pair().take(some).columns("auc")[0].mean() != pytest.approx(pair().columns("auc")[0][some].mean(), abs=1e-4)


def test_what_one_model_does_not_tell_is_said_of_that_one():
    both = pair(less=("odds_1",))
    assert "auc" not in both.metrics
    (said,) = [said for said in both.lacking if "AUC" in said]
    assert said == "no AUC: it needs the logits or probabilities of all classes, which are not there (in b)"
    assert "no accuracy: a and b have none" in both.lacking


def test_rows_without_classes_have_none_of_them():
    both = Pair(scored(1), scored(2), {"auc": TOGETHER["auc"]})
    assert both.metrics == {}
    assert both.without == {"auc": "the rows have no classes"}
