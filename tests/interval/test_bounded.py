"""Guaranteed intervals under every design: scaling to [0, 1], Bonferroni over strata, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.estimation.draws import batches_with_values
from pipeline.interval.bounded import bounded_estimate, refuse_unbounded
from pipeline.interval.capital import fixed_interval
from pipeline.interval.loss.betting import Betting
from pipeline.records.scores import Scores
from pipeline.sampling import MEMBERS
from tests.populations import batches, frame_of, scored_of, some_scores

CAP = 4.0


def drawn(design, n=40, size=200):
    scores = some_scores(size)
    capped = Scores(np.minimum(scores.loss, CAP), scores.correct)
    scored = scored_of(capped, MEMBERS[design](), n, frame=frame_of(capped))
    (_, found), *_ = batches_with_values(scored, seed=1, draws=3, target="population")
    return found["loss"]


def estimate(rows, interval_of=fixed_interval, cap=CAP):
    return bounded_estimate(rows, 0.9, interval_of, cap=cap, key="interval/loss=any", words="any")


def hoeffding(values, *, confidence, population_size=None):
    """Hoeffding's interval for values in [0, 1], in closed form."""
    reach = np.sqrt(np.log(2 / (1 - confidence)) / (2 * values.shape[1]))
    return values.mean(axis=1) - reach, values.mean(axis=1) + reach


def test_a_simple_sample_has_the_interval_of_its_shares_of_the_cap_against_hoeffdings_closed_form():
    rows = np.random.default_rng(0).uniform(1, 3, size=(4, 100))
    found = estimate(batches(rows), hoeffding)
    reach = CAP * np.sqrt(np.log(2 / 0.1) / 200)
    np.testing.assert_allclose(found.low, np.clip(rows.mean(axis=1) - reach, 0, CAP))
    np.testing.assert_allclose(found.high, np.clip(rows.mean(axis=1) + reach, 0, CAP))


def test_strata_share_alpha_and_are_weighted_by_their_shares_against_hoeffdings_closed_form():
    rows = drawn("stratified")
    found, expected = estimate(rows, hoeffding), np.zeros((2, len(rows.mean)))
    ends = np.cumsum([0, *rows.strata.drawn])
    for start, stop, share in zip(ends, ends[1:], rows.strata.shares, strict=False):
        own = rows.values[:, start:stop] / CAP
        reach = np.sqrt(np.log(2 * len(rows.strata.drawn) / 0.1) / (2 * (stop - start)))
        expected += share * CAP * np.array([own.mean(axis=1) - reach, own.mean(axis=1) + reach])
    np.testing.assert_allclose(found.low, np.clip(expected[0], 0, CAP))
    np.testing.assert_allclose(found.high, np.clip(expected[1], 0, CAP))


@pytest.mark.parametrize("design", ["with_replacement", "without_replacement", "stratified", "importance"])
def test_the_interval_holds_the_estimate_and_lies_between_0_and_the_cap(design):
    found = estimate(drawn(design))
    assert np.all((found.low >= 0) & (found.low <= found.value) & (found.value <= found.high) & (found.high <= CAP))


def test_the_whole_population_has_no_width():
    rows = batches(np.random.default_rng(0).uniform(0, CAP, size=(2, 9)), population_size=9)
    found = estimate(rows)
    np.testing.assert_array_equal(found.low, found.value)
    np.testing.assert_array_equal(found.high, found.value)


@pytest.mark.parametrize("value", [CAP * 1.001, np.inf, np.nan])
def test_a_loss_above_the_cap_is_refused(value):
    rows = batches(np.array([[0.5, 1.0, 2.0]]))
    rows = replace(rows, expanded=np.array([[0.5, 1.0, value]]))
    with pytest.raises(BadInput, match=r"^interval\.loss\.cap must be at least every loss; found a loss of"):
        estimate(rows)


def test_batches_without_values_are_a_mistake_of_the_program():
    with pytest.raises(ValueError, match="must have the units' values"):
        estimate(replace(batches(np.ones((1, 3))), expanded=None))


@pytest.mark.parametrize(
    ("design", "target", "message"),
    [
        ("systematic", "population", "must have rows in random order"),
        ("difference", "population", "must have the batch's own mean"),
        ("with_replacement", "superpopulation", "must have a simple random sample of rows, none of them twice"),
        ("stratified", "superpopulation", "must have a simple random sample of rows, none of them twice"),
    ],
)
def test_a_design_without_the_guarantee_is_refused(design, target, message):
    plan = MEMBERS[design]().plan(frame_of(some_scores(60)), 20)
    with pytest.raises(BadInput, match=rf"^interval/loss=betting .*{message}"):
        refuse_unbounded(plan, target, metric="loss", interval="betting")


def test_a_simple_random_sample_is_taken_for_both_targets():
    plan = MEMBERS["without_replacement"]().plan(frame_of(some_scores(60)), 20)
    for target in ("population", "superpopulation"):
        refuse_unbounded(plan, target, metric="loss", interval="betting")


@pytest.mark.parametrize("cap", [0.0, -1.0, np.inf, np.nan])
def test_a_cap_that_is_none_is_refused(cap):
    with pytest.raises(BadInput, match=r"^interval\.loss\.cap must be above 0 nats and finite, or null; found"):
        Betting(cap=cap)


def test_an_intervals_own_cap_is_kept_and_a_missing_one_taken_over():
    assert Betting(cap=3.0).with_cap(9.0).known_cap() == 3.0
    assert Betting().with_cap(9.0).known_cap() == 9.0
    with pytest.raises(BadInput, match=r"found null: set it, or study\.loss_cap"):
        Betting().with_cap(None).known_cap()
