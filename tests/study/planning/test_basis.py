"""What a plan is made from: variances of all rows as NumPy gives them, or a pilot's with an upper limit."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation.sample_size import most_share_variance, most_variance
from pipeline.metric.chosen import main_metrics
from pipeline.proxy.scores import Scores as Earlier
from pipeline.records.scores import Scores
from pipeline.sampling import MEMBERS
from pipeline.sampling.difference import DifferencePlan
from pipeline.sampling.with_replacement import IndependentPlan
from pipeline.sampling.without_replacement import SimplePlan
from pipeline.scoring.rows import score
from pipeline.study.plan import PlanStudy
from pipeline.study.planning.basis import (
    _left_of_pilot,
    from_all,
    from_pilot,
    has_free_proxy,
    is_simple_random,
    pilot_of,
    spread_out,
)
from tests.populations import frame_of, some_scores
from tests.study.predicted import ROWS, stages_from, two_models, write


@pytest.fixture
def predicted(stages_of, tmp_path):
    """A function to stages on a file of predictions."""

    def build(**changes):
        first, _, labels = two_models()
        path = write(tmp_path / "a.parquet", label=labels, logits=first)
        return stages_from(stages_of, path, fields=changes.pop("fields", None), **changes)

    return build


def test_of_all_rows_the_variances_are_the_populations(stages_of):
    stages = stages_of()
    scores, basis = stages.scores()[0], from_all(stages)
    assert basis.variance["loss"] == pytest.approx(np.var(scores.loss.astype(float)), rel=1e-9)
    assert basis.variance["accuracy"] == pytest.approx(np.var(scores.correct.astype(float)), rel=1e-9)
    assert tuple(basis.metrics) == ("loss", "accuracy")
    assert basis.allowance == {"loss": 1.0, "accuracy": 1.0}
    assert (basis.is_pilot, basis.may_ask, basis.notes) == (False, True, [])
    assert 0 < basis.seconds_a_row < 0.01


@pytest.mark.parametrize("n", [2, 50, 999])
def test_a_simple_batchs_error_is_written_out_by_its_formula(stages_of, n):
    stages = stages_of()
    basis, size = from_all(stages), len(stages.rows)
    for metric in ("loss", "accuracy"):
        variance = basis.variance[metric]
        assert basis.error_variance(IndependentPlan(size, n), metric) == pytest.approx(variance / n)
        without = variance / n * (size - n) / (size - 1)
        assert basis.error_variance(SimplePlan(size, n), metric) == pytest.approx(without)


def test_another_designs_error_is_its_own_times_the_allowance(stages_of):
    stages = stages_of(design="stratified")
    basis = from_all(stages)
    own = basis.scored.error_variance("loss", stages.plan)
    assert not is_simple_random(stages.plan)
    assert basis.error_variance(stages.plan, "loss") == own
    wider = dataclasses.replace(basis, allowance={"loss": 1.5, "accuracy": 1.0})
    assert wider.error_variance(stages.plan, "loss") == 1.5 * own


def test_an_infinite_loss_is_noted_and_no_size_is_within(tmp_path, stages_of):
    first, _, labels = two_models()
    first[7, labels[7]] = -np.inf
    path = write(tmp_path / "inf.parquet", label=labels, logits=first)
    stages = stages_from(stages_of, path, fields={"masked": True})
    basis = from_all(stages)
    assert math.isinf(basis.variance["loss"])
    assert basis.notes == [f"1 of {ROWS:,} rows have an infinite loss: no number of rows brings it within"]
    assert math.isnan(basis.error_variance(SimplePlan(ROWS, 10), "loss"))
    assert basis.error_variance(SimplePlan(ROWS, 10), "accuracy") > 0


def test_predictions_take_no_time_to_evaluate(predicted):
    assert math.isnan(from_all(predicted()).seconds_a_row)
    assert math.isnan(from_pilot(predicted(), 100, 0.8).seconds_a_row)


def test_a_pilot_is_a_simple_sample_by_the_seed_and_no_other_row_is_scored(stages_of):
    stages = stages_of()
    chosen, scores, seconds = pilot_of(stages, 120)
    assert len(np.unique(chosen)) == len(scores) == 120
    np.testing.assert_array_equal(chosen, SimplePlan(len(stages.rows), 120).batch(0, 0).indices)
    np.testing.assert_array_equal(scores.loss, score(stages.classifier, stages.rows, chosen).loss)
    assert seconds > 0
    other, _, _ = pilot_of(stages_of(seed=1), 120)
    assert not np.array_equal(np.sort(chosen), np.sort(other))


def test_a_pilots_variances_are_upper_limits_at_the_assurance(stages_of):
    stages = stages_of()
    _, scores, _ = pilot_of(stages, 200)
    low, high = (from_pilot(stages, 200, assurance) for assurance in (0.6, 0.95))
    assert high.variance["loss"] == most_variance(scores.loss, 0.95, is_loss=True)
    assert high.variance["accuracy"] == most_share_variance(int(scores.correct.sum()), 200, 0.95)
    assert high.variance["loss"] > low.variance["loss"] > 0
    assert high.is_pilot
    for metric in ("loss", "accuracy"):
        seen = high.scored.error_variance(metric, IndependentPlan(len(stages.rows), 1))
        assert high.allowance[metric] * seen == pytest.approx(high.variance[metric])


def test_the_proxy_may_be_asked_where_the_design_asks_it_anyway_or_it_is_in_the_predictions(stages_of, predicted):
    assert not from_pilot(stages_of(), 100, 0.8).may_ask
    assert from_pilot(stages_of(design="importance"), 100, 0.8).may_ask
    assert from_pilot(predicted(), 100, 0.8).may_ask
    assert has_free_proxy(predicted())
    assert not has_free_proxy(stages_of())


def test_a_pilot_of_rows_that_are_all_right_says_so(stages_of, tmp_path):
    first, _, labels = two_models()
    first[np.arange(ROWS), labels] += 50
    basis = from_pilot(stages_from(stages_of, write(tmp_path / "right.parquet", label=labels, logits=first)), 100, 0.8)
    assert any(note.startswith("all 100 rows of the pilot are right: ") for note in basis.notes)
    assert math.isnan(basis.allowance["accuracy"])
    assert basis.variance["accuracy"] == most_share_variance(100, 100, 0.8)


def test_every_row_takes_the_scores_of_a_pilot_row_of_its_class_in_the_order_of_difficulty():
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    difficulty = np.array([1.0, 4, 2, 3, 1, 2, 3, 4])
    frame = frame_of(some_scores(8), labels=labels, difficulty=difficulty)
    chosen = np.array([0, 2, 5])
    pilot = Scores(np.array([10.0, 20.0, 30.0]), np.array([False, True, True]))
    asked = spread_out(pilot, chosen, frame, use_guess=True)
    # Of class 0 rows 0 and 2 are the easier half, as row 0 is of the pilot; class 1 has one row in it.
    assert asked.loss.tolist() == [10, 20, 10, 20, 30, 30, 30, 30]
    stored = spread_out(pilot, chosen, frame, use_guess=False)
    assert stored.loss.tolist() == [10, 10, 20, 20, 30, 30, 30, 30]


def test_a_class_without_a_pilot_row_takes_from_all_of_them():
    frame = frame_of(some_scores(6), labels=np.array([0, 0, 1, 1, 1, 1]), difficulty=np.arange(6.0))
    pilot = Scores(np.array([10.0, 20.0]), np.array([True, False]))
    found = spread_out(pilot, np.array([0, 1]), frame, use_guess=True)
    assert found.loss.tolist() == [10, 20, 10, 10, 20, 20]
    assert found.correct.tolist() == [True, False, True, True, False, False]


SIMPLE = ("with_replacement", "without_replacement", "epoch")


@pytest.mark.parametrize("design", [name for name, part in MEMBERS.items() if not part.has_own_units])
def test_only_simple_samples_are_told_by_the_variance_alone(stages_of, design):
    assert is_simple_random(stages_of(design=design).plan) is (design in SIMPLE)


def _proxied(rng):
    """Losses and hits of 4,000 rows, and an earlier model's of the same."""
    hard = rng.exponential(0.4, 4000) * (rng.random(4000) < 0.3)
    loss, earlier = (hard * rng.lognormal(0, 0.3, 4000) for _ in range(2))
    right = loss < 0.5
    return loss, right, earlier, np.where(rng.random(4000) < 0.03, ~right, right).astype(float)


def test_a_pilots_residuals_are_enough_for_the_correction_by_a_proxy_as_often_as_asked():
    loss, right, earlier, earlier_right = _proxied(np.random.default_rng(0))
    true = {}
    for metric, values, x in (("loss", loss, earlier), ("accuracy", right.astype(float), earlier_right)):
        plan = DifferencePlan(4000, 200, earlier, earlier_right)
        true[metric] = plan.error_variance(values, metric)
        assert true[metric] < 0.6 * SimplePlan(4000, 200).error_variance(values, metric), x
    enough = dict.fromkeys(true, 0)
    for seed in range(200):
        chosen = np.random.default_rng(seed).choice(4000, 300, replace=False)
        pilot = Scores.of({"loss": loss[chosen], "accuracy": right[chosen]})
        left = _left_of_pilot(pilot, chosen, main_metrics(), 0.8)
        for metric, x in (("loss", earlier), ("accuracy", earlier_right)):
            reach = math.sqrt(left(metric, x))
            said = SimplePlan(4000, 200).error_variance(np.array([reach, -reach]), metric)
            enough[metric] += said >= true[metric]
    assert all(stats.binom.cdf(found, 200, 0.8) > 1e-3 for found in enough.values()), enough


def test_a_proxy_that_is_never_wrong_in_the_pilot_is_planned_for_rows_that_would_not_show():
    right = np.arange(1000) % 10 > 0
    chosen = np.arange(0, 1000, 3)
    pilot = Scores.of({"accuracy": right[chosen]})
    left = _left_of_pilot(pilot, chosen, {"accuracy": main_metrics()["accuracy"]}, 0.8)
    n = len(chosen)
    expected = most_share_variance(n, n, 0.8) * (n - 1) / (n - 2)
    assert left("accuracy", right.astype(float)) == pytest.approx(expected)


def test_an_earlier_models_file_that_has_every_row_is_free(stages_of, tmp_path):
    n = len(stages_of().rows)
    ids = np.arange(n)
    whole = Earlier(path=write(tmp_path / "old.parquet", loss=np.linspace(0, 1, n)))
    assert has_free_proxy(stages_of(guess=whole))
    part = Earlier(path=write(tmp_path / "part.parquet", loss=np.linspace(0, 1, n - 5), id=ids[5:]))
    first, _, labels = two_models()
    path = write(tmp_path / "a.parquet", label=labels, logits=first, id=np.arange(ROWS))
    assert not has_free_proxy(stages_from(stages_of, path, fields={"id": "id"}, guess=part))


def test_a_plan_from_a_pilot_shows_the_correction_by_an_earlier_models_scores(stages_of, tmp_path):
    first, second, labels = two_models()
    path = write(tmp_path / "a.parquet", label=labels, logits=first)
    earlier = Earlier(path=write(tmp_path / "old.parquet", label=labels, logits=second))
    result = PlanStudy(pilot=300, loss_within=0.05, accuracy_within=0.02).answer(
        stages_from(stages_of, path, guess=earlier, design="without_replacement")
    )
    found = result.tables["plan.csv"].set_index("words")
    corrected, plain = found.loc["correction by scores"], found.loc["without replacement"]
    assert corrected["loss_n"] < 0.7 * plain["loss_n"]
