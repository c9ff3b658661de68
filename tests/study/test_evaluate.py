import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.errors import BadInput
from pipeline.scoring.rows import score
from pipeline.study.evaluate import Evaluate
from tests.evaluation import evaluated
from tests.study.predicted import stages_from, write

DESIGNS = pytest.mark.parametrize("design", ["with_replacement", "without_replacement"])
METRICS = pytest.mark.parametrize("metric", ["loss", "accuracy"])
NAMES = (
    "all",
    "all_low",
    "all_high",
    "mean",
    "low",
    "high",
    "se",
    "rmse",
    "bias",
    "half_width",
    "coverage",
    "variance_ratio",
)


@pytest.fixture
def values(digits_parts):
    scores = score(digits_parts[1], digits_parts[0])
    return {"loss": scores.loss, "accuracy": scores.correct.astype(float)}


def test_the_metrics_are_those_that_other_programs_rely_on(stages_of):
    found = evaluated(stages_of()).metrics
    expected = {f"{metric}/{name}" for metric in ("loss", "accuracy") for name in NAMES}
    # Whether the times of a batch and of all rows can be told apart depends on the machine.
    assert set(found) - {"seconds/batch_share"} == expected | {
        "accuracy/ties",
        *(f"seconds/{name}" for name in ("batch", "batch_low", "batch_high", "all")),
    }


@METRICS
def test_the_metrics_against_the_draws_that_are_logged(stages_of, values, metric):
    result = evaluated(stages_of())
    draws, found, truth = result.draws, result.metrics, values[metric].mean()
    assert list(draws) == ["draw", "loss", "loss_low", "loss_high", "accuracy", "accuracy_low", "accuracy_high"]
    assert draws["draw"].tolist() == list(range(200))
    error = draws[metric] - truth
    held = (draws[f"{metric}_low"] <= truth) & (truth <= draws[f"{metric}_high"])
    assert found[f"{metric}/all"] == pytest.approx(truth, rel=1e-12)
    assert found[f"{metric}/mean"] == pytest.approx(draws[metric].mean())
    assert found[f"{metric}/rmse"] == pytest.approx(np.sqrt((error**2).mean()))
    assert found[f"{metric}/bias"] == pytest.approx(error.mean())
    assert found[f"{metric}/coverage"] == held.mean()
    for end in ("low", "high"):
        assert found[f"{metric}/{end}"] == pytest.approx(draws[f"{metric}_{end}"].mean())
    assert found[f"{metric}/half_width"] == pytest.approx((draws[f"{metric}_high"] - draws[f"{metric}_low"]).mean() / 2)


@DESIGNS
@METRICS
@pytest.mark.parametrize("batch_size", [1, 3, 10, 30, 100, 300, 1000])
def test_the_error_follows_theory_within_three_standard_errors_of_the_simulation(
    stages_of, values, metric, batch_size, design
):
    result = evaluated(stages_of(batch_size=batch_size, draws=1000, design=design))
    truth, sigma = values[metric].mean(), values[metric].std()
    left = 1.0 if design == "with_replacement" else (1000 - batch_size) / 999
    expected = sigma**2 * left / batch_size
    assert result.metrics[f"{metric}/se"] == pytest.approx(np.sqrt(expected), abs=1e-15)
    # The fourth central moment of a mean of b independent values gives the noise of the mean of 1,000 squared errors;
    # the squared errors' own spread would do worse: at small b it hangs on the few largest among them.
    fourth = (((values[metric] - truth) ** 4).mean() + 3 * (batch_size - 1) * sigma**4) / batch_size**3
    noise = left * np.sqrt((fourth - (sigma**2 / batch_size) ** 2) / 1000)
    squares = (result.draws[metric] - truth) ** 2
    assert abs(squares.mean() - expected) <= 3 * noise + 1e-20


def test_at_b_equal_n_without_replacement_every_draw_is_the_population(stages_of):
    found = evaluated(stages_of(batch_size=1000, draws=5, design="without_replacement"))
    for metric in ("loss", "accuracy"):
        assert found.metrics[f"{metric}/se"] == 0
        assert found.metrics[f"{metric}/rmse"] < 1e-12
        assert found.metrics[f"{metric}/half_width"] == 0
        assert found.metrics[f"{metric}/coverage"] == 1


def test_wilsons_interval_holds_the_accuracy_about_as_often_as_it_says(stages_of):
    found = evaluated(stages_of(batch_size=300, draws=4000)).metrics
    # Discreteness moves the true coverage off 95 % by up to about a point at n = 300.
    held = round(found["accuracy/coverage"] * 4000)
    assert stats.binomtest(held, 4000, 0.94, alternative="less").pvalue > 0.001
    assert stats.binomtest(held, 4000, 0.97, alternative="greater").pvalue > 0.001


def test_a_batch_of_one_row_has_an_accuracy_of_0_or_1_and_no_loss_interval(stages_of):
    draws = evaluated(stages_of(batch_size=1)).draws
    assert set(draws["accuracy"]) <= {0.0, 1.0}
    assert np.isneginf(draws["loss_low"]).all()
    assert np.isposinf(draws["loss_high"]).all()


def test_the_same_seed_gives_the_same_draws_and_another_seed_others(stages_of):
    first, again, other = (evaluated(stages_of(seed=seed)).draws for seed in (5, 5, 6))
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert not first["loss"].equals(other["loss"])


def test_one_hot_labels_give_the_same_figures_to_the_last_bit(stages_of, digits_parts):
    dataset = digits_parts[0]
    one_hot = dataclasses.replace(dataset, labels=np.eye(10, dtype=np.float32)[dataset.labels], digest="one-hot")
    integer = evaluated(stages_of()).draws
    pd.testing.assert_frame_equal(evaluated(stages_of(dataset=one_hot)).draws, integer, check_exact=True)


@DESIGNS
def test_evaluating_only_the_rows_drawn_gives_the_same_draws(stages_of, design):
    plan = {"batch_size": 20, "draws": 10, "design": design}
    few = evaluated(stages_of(**plan), population=False)
    all_rows = evaluated(stages_of(**plan))
    pd.testing.assert_frame_equal(few.draws, all_rows.draws, rtol=1e-5)
    assert "loss/all" not in few.metrics
    assert few.metrics["loss/mean"] == pytest.approx(all_rows.metrics["loss/mean"], rel=1e-5)


def test_a_cap_counts_the_losses_above_it(stages_of, values):
    cap = 0.5
    found = evaluated(stages_of(), loss_cap=cap).metrics
    assert found["loss/capped"] == (values["loss"] > cap).sum() > 0
    assert found["loss/all"] == pytest.approx(np.minimum(values["loss"], cap).mean())


def test_a_cap_that_is_not_above_0_is_refused():
    with pytest.raises(BadInput, match=r"study\.loss_cap must be above 0"):
        Evaluate(loss_cap=0.0)


def test_ends_of_intervals_of_all_numbers_are_no_curve():
    sure, endless = pd.Series({"loss/half_width": 0.1}), pd.Series({"loss/half_width": math.inf})
    for name in ("low", "high", "coverage"):
        assert Evaluate().is_curve(f"loss/{name}", sure)
        assert not Evaluate().is_curve(f"loss/{name}", endless)
    assert Evaluate().is_curve("loss/rmse", endless)


def test_the_interval_around_all_rows_is_scipys_for_a_sample_of_the_world(stages_of, values):
    result = evaluated(stages_of())
    found = result.metrics
    low, high = stats.ttest_1samp(values["loss"], 0).confidence_interval(0.95)
    assert (found["loss/all_low"], found["loss/all_high"]) == (pytest.approx(low), pytest.approx(high))
    right = stats.binomtest(int(values["accuracy"].sum()), 1000).proportion_ci(0.95, method="wilson")
    assert (found["accuracy/all_low"], found["accuracy/all_high"]) == (
        pytest.approx(right.low),
        pytest.approx(right.high),
    )
    assert result.answer.startswith("Loss 0.124 nats [")
    assert result.answer.endswith("(1,000 rows, as a sample of the world; 95 %).")


def test_the_answer_does_not_depend_on_the_batch_size_or_on_the_design(stages_of):
    answers = {
        evaluated(stages_of(batch_size=size, design=design)).answer
        for size in (10, 1000)
        for design in ("with_replacement", "without_replacement")
    }
    assert len(answers) == 1


def test_where_only_drawn_rows_are_evaluated_nothing_is_said_of_all(stages_of):
    result = evaluated(stages_of(batch_size=2, draws=3), population=False)
    assert result.answer == ""
    assert "loss/all_low" not in result.metrics


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "no row has the label 2, 3, 4, 5, 6 … of 0 to 7; labels count from 0"),
        ({"classes": list("abcdefgh")}, "no row is of the class c, d, e, f, g … (6 of 8 classes)"),
    ],
)
def test_classes_that_no_row_has_are_named(stages_of, tmp_path, fields, said):
    path = write(tmp_path / "p.parquet", logits=np.eye(8)[np.arange(40) % 8], label=np.arange(40) % 2)
    assert said in evaluated(stages_from(stages_of, path, fields=fields, batch_size=10, draws=20)).notes
