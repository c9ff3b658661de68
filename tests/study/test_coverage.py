import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline import interval as interval_family
from pipeline.data.mnist import Mnist
from pipeline.errors import BadInput
from pipeline.estimation.draws import batches_of
from pipeline.interval import accuracy, loss
from pipeline.model.base import Classifier
from pipeline.model.npz import Npz
from pipeline.records.rows import Dataset
from pipeline.sampling.streams import SHUFFLE, generator
from pipeline.scoring.rows import score
from pipeline.study.all_intervals import judge
from pipeline.study.coverage import Coverage

MEMBERS = {"loss": loss.MEMBERS, "accuracy": accuracy.MEMBERS}

DESIGNS = pytest.mark.parametrize("design", ["with_replacement", "without_replacement"])
FIGURES = {"coverage", "missed_above", "missed_below", "width", "width_median", "width_ratio", "seconds"}


@pytest.fixture
def values(digits_parts):
    scores = score(digits_parts[1], digits_parts[0])
    return {"loss": scores.loss, "accuracy": scores.correct.astype(float)}


def intervals(of_loss, of_accuracy="wilson", target="population"):
    made = loss.MEMBERS[of_loss]() if isinstance(of_loss, str) else of_loss
    return interval_family.MEMBERS["by_metric"](made, accuracy.MEMBERS[of_accuracy](), target=target)


def rows_of(result):
    return {(row["metric"], row["interval"]): row for row in result.tables["coverage.csv"].to_dict("records")}


def grouped_and_weighted(dataset):
    rng = np.random.default_rng(3)
    size = len(dataset)
    return dataclasses.replace(
        dataset, digest="grouped", groups=np.arange(size) // 5, weights=rng.uniform(0.5, 2.0, size)
    )


def test_the_metrics_and_the_table_are_those_that_other_programs_rely_on(stages_of):
    result = Coverage().answer(stages_of(batch_size=10, draws=20))
    expected = {f"{m}/{name}/{figure}" for m, members in MEMBERS.items() for name in members for figure in FIGURES}
    assert set(result.metrics) == expected | {f"{m}/{what}" for m in ("loss", "accuracy") for what in ("all", "se")}
    assert set(rows_of(result)) == {(m, name) for m, members in MEMBERS.items() for name in members}
    assert {"coverage_low", "coverage_high", "draws"} <= set(result.tables["coverage.csv"])


@DESIGNS
def test_every_figure_against_a_loop_over_draws_one_interval_at_a_time(stages_of, values, design):
    stages = stages_of(batch_size=12, draws=40, design=design)
    result = Coverage().answer(stages)
    size = len(stages.rows) if design == "without_replacement" else None
    left = 1.0 if size is None else (size - 12) / (size - 1)
    # The study puts a batch's rows in one random order, which the bootstrap and the games look at.
    rng = generator(SHUFFLE, 0, batch_size=12)
    order = rng.permutation(12)
    for (metric, name), row in rows_of(result).items():
        part = MEMBERS[metric][name]().with_cap(values["loss"].max() if metric == "loss" else None)
        estimates = []
        for i in range(40):
            own = values[metric][stages.plan.batch(0, i).indices[order]]
            batch = batches_of(own[None], population_size=size, with_values=True)
            estimates.append(part.estimate(batch, 0.95))
        low, high = (np.array([getattr(estimate, end)[0] for estimate in estimates]) for end in ("low", "high"))
        truth = values[metric].mean()
        ideal = 2 * stats.norm.ppf(0.975) * math.sqrt(values[metric].var() * left / 12)
        assert row["missed_above"] == (low > truth).mean(), name
        assert row["missed_below"] == (high < truth).mean(), name
        assert row["coverage"] == ((low <= truth) & (truth <= high)).mean(), name
        assert row["width"] == pytest.approx((high - low).mean(), rel=1e-6), name
        assert row["width_median"] == pytest.approx(np.median(high - low), rel=1e-6, abs=1e-12), name
        assert row["width_ratio"] == pytest.approx(np.median(high - low) / ideal, rel=1e-6, abs=1e-12), name
        assert row["width_mean_ratio"] == pytest.approx((high - low).mean() / ideal, rel=1e-6), name
        assert 0 < row["seconds"] < 1


def test_a_count_of_intervals_by_hand():
    low, high = np.array([0.0, 2.0, 0.0, 1.0]), np.array([2.0, 3.0, 0.5, np.inf])
    found = judge(low, high, 1.0)
    assert (found["coverage"], found["missed_above"], found["missed_below"]) == (0.5, 0.25, 0.25)
    assert (found["width"], found["width_median"]) == (np.inf, 1.5)
    # Wilson's interval of 2 of 4, by its formula.
    z2 = stats.norm.ppf(0.975) ** 2
    reach = math.sqrt(z2 * (0.25 / 4 + z2 / (4 * 16))) / (1 + z2 / 4)
    assert found["coverage_low"] == pytest.approx(0.5 - reach)
    assert found["coverage_high"] == pytest.approx(0.5 + reach)


def test_rounding_is_no_miss():
    assert judge(np.array([0.3 + 1e-16]), np.array([0.3 + 1e-16]), 0.3)["coverage"] == 1


class Given(Classifier):
    """The first input is a row's loss where its label is class 0; the rest of the chance is shared by the others."""

    n_inputs, n_classes, digest = 1, 10, "given"

    def logits(self, inputs):
        p = np.exp(-inputs[:, 0].astype(np.float64))
        with np.errstate(divide="ignore"):
            return np.log(np.column_stack([p, *[(1 - p) / 9] * 9]))


def of_losses(losses):
    losses = np.asarray(losses, dtype=np.float64)
    return Dataset(losses[:, None], np.zeros(len(losses), dtype=np.int64), 10, 1.0, "given", f"given {losses.sum()}")


def test_on_long_tailed_losses_normal_and_wald_are_seen_to_fail_where_hall_and_wilson_hold(stages_of):
    rng = np.random.default_rng(8)
    # Most losses near 0, few large: a row is wrong where its loss is above log 10.
    losses = np.where(rng.random(20_000) < 0.95, rng.lognormal(-3.5, 1.3, 20_000), 1.8 + rng.gamma(1.6, 1.0, 20_000))
    stages = stages_of(
        dataset=of_losses(losses), classifier=Given(), intervals=intervals("hall"), batch_size=100, draws=2000
    )
    result = Coverage().answer(stages)
    found = rows_of(result)

    def falls_short(key, of):
        return stats.binomtest(round(2000 * found[key]["coverage"]), 2000, of, alternative="less").pvalue < 0.001

    for key in (("loss", "normal"), ("accuracy", "wald")):
        assert falls_short(key, 0.93), key
    for key in (("loss", "hall"), ("loss", "betting"), ("accuracy", "wilson"), ("accuracy", "clopper_pearson")):
        assert not falls_short(key, 0.94), key
    # A batch with too few of the large losses has too low a mean, and too small a spread to make up for it.
    assert found["loss", "normal"]["missed_below"] > 5 * found["loss", "normal"]["missed_above"]
    assert "held by hall" in result.summary
    assert "not by" in result.summary


def test_the_configured_interval_is_judged_as_it_is_configured(stages_of, values):
    cap = 3 * values["loss"].max()
    wide = rows_of(Coverage().answer(stages_of(intervals=intervals(loss.MEMBERS["betting"](cap=cap)), draws=30)))
    usual = rows_of(Coverage().answer(stages_of(draws=30)))
    row = wide["loss", "betting"]
    assert row["is_configured"]
    assert f"{cap:.4g} nats" in row["method"]
    assert not usual["loss", "betting"]["is_configured"]
    assert row["width_median"] > usual["loss", "betting"]["width_median"]
    assert f"{cap:.4g} nats" in wide["loss", "sequence"]["method"]


def test_without_a_cap_the_guaranteed_intervals_know_the_largest_loss_and_that_is_said(stages_of, values):
    notes = Coverage().answer(stages_of(draws=20)).notes
    (note,) = [note for note in notes if "guaranteed" in note]
    assert f"{values['loss'].max():.6g} nats" in note
    assert "only a study that has scored every row" in note


def test_a_cap_of_the_study_counts_larger_losses_as_it(stages_of, values):
    result = Coverage(loss_cap=0.5).answer(stages_of(draws=20))
    assert result.metrics["loss/all"] == pytest.approx(np.minimum(values["loss"], 0.5).mean())
    assert "0.5 nats" in rows_of(result)["loss", "betting"]["method"]
    above = int((values["loss"] > 0.5).sum())
    assert any(f"loss: {above:,} of {len(values['loss']):,} rows" in note for note in result.notes)


@pytest.mark.parametrize("design", ["systematic", "difference"])
def test_an_interval_that_a_design_has_none_of_is_left_out_with_the_reason(stages_of, design):
    result = Coverage().answer(stages_of(design=design, draws=20))
    assert ("loss", "betting") not in rows_of(result)
    assert ("loss", "hall") in rows_of(result)
    assert [note for note in result.notes if note.startswith("loss, betting is left out: interval/loss=betting must")]


def test_a_configured_interval_that_a_design_has_none_of_is_refused(stages_of):
    betting = stages_of(design="systematic", intervals=intervals("betting"))
    with pytest.raises(BadInput, match="must have rows in random order"):
        Coverage().check(betting)
    Coverage().check(stages_of(intervals=intervals("betting")))


@pytest.mark.parametrize("design", ["with_replacement", "without_replacement", "epoch"])
def test_groups_and_weights_are_judged_by_the_weighted_mean(stages_of, digits_parts, values, design):
    dataset = grouped_and_weighted(digits_parts[0])
    result = Coverage().answer(stages_of(dataset=dataset, design=design, batch_size=40, draws=400))
    assert result.metrics["loss/all"] == pytest.approx(np.average(values["loss"], weights=dataset.weights))
    for key in (("loss", "hall"), ("accuracy", "wilson"), ("loss", "betting")):
        assert rows_of(result)[key]["coverage"] > 0.88, key


def test_what_groups_and_a_superpopulation_leave_without_an_interval_is_left_out(stages_of, digits_parts):
    stages = {"dataset": grouped_and_weighted(digits_parts[0]), "design": "without_replacement", "draws": 20}
    result = Coverage().answer(stages_of(intervals=intervals("hall", target="superpopulation"), **stages))
    assert ("loss", "betting") not in rows_of(result)
    assert [note for note in result.notes if note.startswith("loss, betting is left out: ")]
    assert [note for note in result.notes if "one population cannot tell" in note]
    with pytest.raises(BadInput, match="interval/loss=betting"):
        Coverage().answer(stages_of(intervals=intervals("betting", target="superpopulation"), **stages))


def test_at_b_equal_n_every_interval_is_the_value_itself_and_has_no_ratio(stages_of):
    result = Coverage().answer(stages_of(batch_size=1000, draws=3, design="without_replacement"))
    for row in rows_of(result).values():
        assert row["coverage"] == 1, row["interval"]
        assert row["width"] < 1e-12, row["interval"]
        assert math.isnan(row["width_ratio"])


def test_one_row_gives_intervals_without_an_end_that_are_no_point_of_a_curve(stages_of):
    found = Coverage().answer(stages_of(batch_size=1, draws=20)).metrics
    assert found["loss/hall/width_median"] == np.inf
    assert not Coverage().is_curve("loss/hall/coverage", pd.Series(found))
    assert Coverage().is_curve("accuracy/wilson/coverage", pd.Series(found))
    assert Coverage().is_curve("loss/all", pd.Series(found))


def test_an_infinite_loss_is_refused_without_a_cap_and_judged_with_one(stages_of):
    losses = np.full(500, 0.1)
    losses[:3] = 800.0  # exp(-800) is 0
    stages = stages_of(dataset=of_losses(losses), classifier=Given(), draws=20)
    with pytest.raises(BadInput, match=r"set study\.loss_cap"):
        Coverage().answer(stages)
    found = Coverage(loss_cap=20.0).answer(stages).metrics
    assert found["loss/all"] == pytest.approx((3 * 20 + 497 * 0.1) / 500)


def test_a_cap_below_the_largest_loss_is_refused(stages_of):
    with pytest.raises(BadInput, match=r"interval\.loss\.cap must be at least the largest loss"):
        Coverage().answer(stages_of(intervals=intervals(loss.MEMBERS["betting"](cap=0.01)), draws=5))


def test_a_cap_that_is_not_above_0_is_refused():
    with pytest.raises(BadInput, match=r"study\.loss_cap must be above 0"):
        Coverage(loss_cap=0.0)


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [2, 30, 100, 300])
def test_on_a_published_network_the_defaults_and_the_guaranteed_intervals_hold_what_they_promise(
    stages_of, mnist_root, book_network, batch_size
):
    dataset = Mnist(split="test", root=str(mnist_root)).load()
    network = Npz(path=str(book_network)).build(Mnist())
    found = rows_of(
        Coverage().answer(
            stages_of(
                dataset=dataset,
                classifier=network,
                design="without_replacement",
                intervals=intervals("hall"),
                batch_size=batch_size,
                draws=4000,
            )
        )
    )

    def reaches(key, level):
        held = round(found[key]["coverage"] * 4000)
        return stats.binomtest(held, 4000, level, alternative="less").pvalue > 0.001

    for key in (("loss", "betting"), ("loss", "sequence"), ("accuracy", "sequence"), ("accuracy", "clopper_pearson")):
        assert reaches(key, 0.95), key
    if batch_size >= 30:
        for key in (("loss", "hall"), ("accuracy", "wilson")):
            assert reaches(key, 0.94 if batch_size >= 100 else 0.90), key
    for size, most in ((100, 1.45), (300, 1.1)):
        if batch_size == size:
            assert found["loss", "hall"]["width_ratio"] <= most
