"""Rows that are enough, against the normal formula and against batches that are drawn."""

import numpy as np
import pytest
from scipy import stats

import pipeline as bs
from tests.face.given import two_models

LABELS, LOGITS, _ = two_models(5000)
ROWS = bs.scores(LABELS, logits=LOGITS)
Z = stats.norm.ppf(0.975)


@pytest.mark.parametrize(("metric", "within"), [("loss", 0.03), ("accuracy", 0.02)])
def test_the_numbers_are_those_of_the_normal_formula(metric, within):
    found = bs.plan(ROWS, **{f"{metric}_within": within}).metrics[metric]
    n = (Z / within) ** 2 * ROWS.values(metric).var()
    assert found.with_replacement == round(n)
    assert found.without_replacement == round(n / (1 + n / 5000))


def test_as_many_rows_are_within_as_often_as_it_says():
    found = bs.plan(ROWS, loss_within=0.03)
    n = int(found.loss.without_replacement)
    drawn = bs.sweep(ROWS, [n], draws=2000).batches["loss"]
    within = int((np.abs(drawn - ROWS.values("loss").mean()) <= 0.03).sum())
    assert stats.binomtest(within, 2000, 0.95).pvalue > 1e-3


def test_a_pilot_asks_for_more_than_all_rows_do_in_most_cases():
    known = bs.plan(ROWS, loss_within=0.03).loss.without_replacement
    rng = np.random.default_rng(0)
    enough = 0
    for _ in range(50):
        own = rng.choice(5000, 300, replace=False)
        found = bs.plan(bs.scores(LABELS[own], logits=LOGITS[own]), loss_within=0.03, population=5000)
        enough += found.loss.without_replacement >= known
    assert stats.binomtest(int(enough), 50, 0.8, alternative="less").pvalue > 1e-3


def test_what_cannot_be_reached_is_said():
    found = bs.plan(bs.scores(loss=[0.1, np.inf, 0.2]))
    assert found.loss.with_replacement == np.inf
    assert "no number of rows for ±0.02 nats" in found.sentence


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"loss_within": 0}, "loss_within must be above 0 and finite"),
        ({"population": 10}, "population must be at least the pilot's 5,000 rows; found 10"),
        ({"assurance": 0}, "assurance must be between 0 and 1"),
    ],
)
def test_bad_arguments_are_refused(given, message):
    with pytest.raises(bs.BadInput, match=message):
        bs.plan(ROWS, **given)


def test_a_small_pilot_is_refused():
    with pytest.raises(bs.BadInput, match="a pilot must be of at least 30 rows"):
        bs.plan(bs.scores(loss=[0.1] * 9), population=100)


def test_rows_are_whole_numbers_where_they_are_finite():
    found = bs.plan(ROWS)
    assert type(found.n) is type(found.loss.with_replacement) is int
    assert "." not in str(found.to_dict()["metrics"]["loss"]["without_replacement"])
    assert bs.plan(bs.scores(loss=[0.1, np.inf])).n == np.inf
