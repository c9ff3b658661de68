"""Every interval around every draw: which there are, that their ends are the intervals' own, and what is counted."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.errors import BadInput
from pipeline.estimation.draws import draw_batches
from pipeline.estimation.scored_units import ScoredUnits
from pipeline.interval import accuracy, loss
from pipeline.study.all_intervals import estimated, intervals_of, judge
from tests.evaluation import changed

CAP = 20.0


def every_interval(stages):
    return intervals_of(stages, dict.fromkeys(stages.metrics, CAP))


def scored_of(stages):
    return ScoredUnits(stages.scores()[0], stages.units, stages.plan)


def test_every_member_of_both_families_is_taken_or_said_to_be_left_out(stages_of):
    found, notes = every_interval(stages_of())
    left_out = {tuple(note.partition(" is left out: ")[0].split(", ")) for note in notes}
    every = {("loss", name) for name in loss.MEMBERS} | {("accuracy", name) for name in accuracy.MEMBERS}
    assert found.keys() | left_out == every
    assert not found.keys() & left_out


def test_intervals_that_need_a_cap_get_it_for_the_loss_alone(stages_of):
    found, _ = every_interval(stages_of())
    assert found["loss", "betting"].cap == CAP
    assert all(getattr(interval, "cap", None) is None for (metric, _), interval in found.items() if metric != "loss")


def test_the_configured_interval_is_taken_as_it_is_set(stages_of):
    stages = stages_of()
    own = replace(stages.experiment.interval, loss=loss.MEMBERS["bootstrap_t"](resamples=123))
    found, _ = every_interval(changed(stages, interval=own))
    assert found["loss", "bootstrap_t"].resamples == 123
    assert found["loss", "bca"].resamples == loss.MEMBERS["bca"]().resamples


def test_of_a_metric_that_is_not_asked_for_there_is_none(stages_of):
    stages = stages_of()
    found, notes = every_interval(changed(stages, metric={"loss": stages.experiment.metric["loss"]}))
    assert {metric for metric, _ in found} == {"loss"}
    assert all(note.startswith("loss, ") for note in notes)


def test_the_ends_are_those_of_the_interval_itself_on_the_same_draws(stages_of):
    stages = stages_of(draws=300)
    scored = scored_of(stages)
    every, _ = every_interval(stages)
    asked = {key: every[key] for key in [("loss", "t"), ("loss", "normal"), ("accuracy", "wilson")]}
    ends, notes = estimated(scored, asked, stages)
    batches = draw_batches(scored, seed=0, draws=300, target=stages.experiment.interval.target)
    assert notes == []
    for (metric, name), own in ends.items():
        expected = asked[metric, name].estimate(batches[metric], 0.95)
        np.testing.assert_array_equal(np.concatenate(own.low), expected.low)
        np.testing.assert_array_equal(np.concatenate(own.high), expected.high)
        assert own.method == expected.method
        assert own.seconds > 0


def test_an_interval_that_needs_the_units_values_has_an_end_for_every_draw_too(stages_of):
    stages = stages_of(draws=50)
    every, _ = every_interval(stages)
    asked = {key: interval for key, interval in every.items() if key in [("loss", "betting"), ("loss", "t")]}
    assert {interval.needs_values for interval in asked.values()} == {True, False}
    ends, _ = estimated(scored_of(stages), asked, stages)
    for own in ends.values():
        low, high = np.concatenate(own.low), np.concatenate(own.high)
        assert low.shape == high.shape == (50,)
        assert (low < high).all()


class Refusing(loss.MEMBERS["t"]):
    """An interval that cannot be made of these batches."""

    def estimate(self, batches, confidence):
        raise BadInput("groups must be more than 1")


def test_an_interval_that_cannot_be_made_is_left_out_and_the_configured_one_is_refused(stages_of):
    stages = stages_of(draws=20)
    every, _ = every_interval(stages)
    asked = {("loss", "normal"): Refusing(), ("loss", "t"): every["loss", "t"]}
    ends, notes = estimated(scored_of(stages), asked, stages)
    assert ends.keys() == {("loss", "t")}
    assert notes == ["loss, normal is left out: groups must be more than 1"]
    with pytest.raises(BadInput, match=r"^groups must be more than 1$"):
        estimated(scored_of(stages), {("loss", "t"): Refusing()}, stages)


def test_coverage_and_width_are_counted_as_written_out_by_hand():
    low = np.array([0.0, 1.5, -2.0, 0.5, 1.0, 2.0])
    high = np.array([2.0, 2.0, 0.5, 1.0, 4.0, 3.0])
    found = judge(low, high, 1.0)
    share = binomtest(3, 6).proportion_ci(0.95, method="wilson")
    assert found == {
        "coverage": 0.5,
        "coverage_low": pytest.approx(share.low),
        "coverage_high": pytest.approx(share.high),
        "missed_above": pytest.approx(2 / 6),
        "missed_below": pytest.approx(1 / 6),
        "width": pytest.approx(np.mean(high - low)),
        "width_median": 1.5,
    }
