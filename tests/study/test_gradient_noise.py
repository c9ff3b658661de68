import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.data.base import SPLITS
from pipeline.errors import BadInput
from pipeline.estimation.sample_size import smallest_batch
from pipeline.model.base import Classifier
from pipeline.model.gradient_norms import GradientNorms
from pipeline.model.network import Network
from pipeline.records.scores import Scores
from pipeline.sampling.with_replacement import WithReplacement
from pipeline.sampling.without_replacement import WithoutReplacement
from pipeline.study.gradient_noise import GradientNoise, noise_scale
from tests.populations import frame_of


def as_norms(gradients, blocks, rng):
    """What `gradient_norms` would say of rows whose gradients these are, of one layer."""
    groups = tuple(np.array_split(rng.permutation(len(gradients)), blocks))
    sums = np.stack([gradients[rows].sum(axis=0) for rows in groups])
    return GradientNorms((gradients**2).sum(axis=1, keepdims=True), [], (sums @ sums.T)[None], groups)


def test_the_scale_against_its_definition_by_the_covariance_matrix():
    rng = np.random.default_rng(1)
    gradients = rng.normal(0.3, 1, size=(200, 6))
    noise = noise_scale(as_norms(gradients, 20, rng), 0.95)
    trace, mean_squared = np.trace(np.cov(gradients.T)), (gradients.mean(axis=0) ** 2).sum()
    assert noise.trace == pytest.approx(trace)
    assert noise.norm_squared == pytest.approx(mean_squared)
    assert noise.norm_squared_debiased == pytest.approx(mean_squared - trace / 200)
    assert noise.plain == pytest.approx(trace / mean_squared)
    assert noise.debiased == pytest.approx(trace / (mean_squared - trace / 200))
    assert 0 < noise.low < noise.debiased < noise.high < math.inf


def test_debiasing_takes_off_what_the_noise_adds_on_average():
    rng = np.random.default_rng(2)
    found = [
        noise_scale(as_norms(rng.normal(0.1, 1, size=(60, 5)), 10, rng), 0.95).norm_squared_debiased
        for _ in range(2000)
    ]
    assert np.mean(found) == pytest.approx(0.05, abs=4 * np.std(found) / math.sqrt(2000))


# n |G|² / tr Σ: at 0 there is no upper end to find, at 1 the mean gradient drowns in noise, at 30 it is plain to see.
@pytest.mark.parametrize("signal", [0.0, 1.0, 3.0, 30.0])
def test_the_interval_holds_the_true_scale_about_as_often_as_it_says(signal):
    rng, n, repeats = np.random.default_rng(3), 800, 400
    spreads = 1 / np.sqrt(np.arange(1, 21))
    mean = np.sqrt(signal * spreads.sum() / n / 20)
    truth = n / signal if signal else math.inf
    held = infinite = 0
    for _ in range(repeats):
        noise = noise_scale(as_norms(mean + rng.normal(size=(n, 20)) * np.sqrt(spreads), 40, rng), 0.95)
        held += noise.low <= truth <= noise.high
        infinite += math.isinf(noise.high)
    # Wider than it says where the mean gradient is near 0, never much narrower: 93 % is the least.
    assert stats.binomtest(held, repeats, 0.93, alternative="less").pvalue > 0.01
    assert infinite >= 0.95 * repeats if signal == 0 else infinite <= repeats * (0.9 if signal == 1 else 0.1)


def test_a_mean_gradient_of_0_gives_an_infinite_scale_and_a_lower_end():
    rng = np.random.default_rng(4)
    gradients = rng.normal(size=(200, 6))
    noise = noise_scale(as_norms(np.concatenate([gradients, -gradients]), 20, rng), 0.95)
    assert noise.norm_squared_debiased < 0
    assert noise.debiased == noise.high == math.inf
    assert 0 < noise.low < math.inf


def test_equal_gradients_have_no_noise():
    rng = np.random.default_rng(5)
    noise = noise_scale(as_norms(np.ones((40, 4)), 10, rng), 0.95)
    assert (noise.trace, noise.plain, noise.debiased, noise.low, noise.high) == (0, 0, 0, 0, 0)


def test_gradients_of_0_are_refused():
    with pytest.raises(BadInput, match="found 0 in every row"):
        noise_scale(as_norms(np.zeros((40, 4)), 10, np.random.default_rng(6)), 0.95)


@pytest.mark.parametrize("tolerance", [0.02, 0.1, 5.0])
@pytest.mark.parametrize("design", [WithReplacement(), WithoutReplacement()])
def test_the_judging_batch_is_the_smallest_that_is_enough(design, tolerance):
    losses = np.random.default_rng(7).exponential(size=1000)
    frame = frame_of(Scores(losses, losses < 1))

    def reach(b):
        return 1.959964 * math.sqrt(design.plan(frame, int(b)).error_variance(losses, "loss"))

    found = smallest_batch(
        design, frame, lambda plan: plan.error_variance(losses, "loss"), tolerance=tolerance, confidence=0.95
    )
    assert reach(found) <= tolerance
    assert found == 1 or reach(found - 1) > tolerance


@pytest.mark.parametrize("split", SPLITS)
def test_the_split_says_whose_gradients(stages_of, split):
    result = GradientNoise(split=split).answer(stages_of())
    assert set(GradientNoise.columns) <= set(result.metrics)
    assert len(result.tables["gradient_norms.parquet"]) == {"train": 797, "test": 1000}[split]
    layers = result.tables["layers.csv"]
    assert layers["trace"].sum() == pytest.approx(result.metrics["gradient/trace"])
    assert layers["norm_squared"].sum() == pytest.approx(result.metrics["gradient/norm_squared"])
    assert f"digits {split}" in result.shown.title
    assert "To train:" in result.summary
    assert "To judge:" in result.summary


def test_the_batch_size_has_no_part_in_it(stages_of):
    few, many = (GradientNoise().answer(stages_of(batch_size=b)).metrics for b in (10, 500))
    assert few == many


def test_one_hot_labels_give_the_figures_of_integer_labels(stages_of, digits_parts):
    dataset = digits_parts[0]
    one_hot = dataclasses.replace(dataset, labels=np.eye(10, dtype=np.float32)[dataset.labels], digest="one-hot")
    wanted = GradientNoise(split="test").answer(stages_of()).metrics
    found = GradientNoise(split="test").answer(stages_of(dataset=one_hot)).metrics
    assert found == pytest.approx(wanted, rel=1e-9)


class Opaque(Classifier):
    n_inputs, n_classes, digest = 64, 10, "opaque"

    def logits(self, inputs):
        raise AssertionError("must not be called")


def test_a_model_without_weights_and_one_without_a_gradient_are_refused(stages_of, digits_parts):
    with pytest.raises(BadInput, match="found one of class Opaque"):
        GradientNoise().answer(stages_of(classifier=Opaque()))
    with pytest.raises(BadInput, match="its gradient is zero"):
        GradientNoise().answer(stages_of(classifier=Network(digits_parts[1].layers, "step")))


@pytest.mark.parametrize(
    ("field", "value"), [("split", "dev"), ("blocks", 9), ("tolerance", 0.0), ("tolerance", math.nan)]
)
def test_nonsense_is_refused(field, value):
    with pytest.raises(BadInput, match=rf"study\.{field} must be"):
        GradientNoise(**{field: value})


def test_more_blocks_than_half_the_rows_are_refused(stages_of):
    with pytest.raises(BadInput, match=r"at most half the rows of digits train, 797; found 399"):
        GradientNoise(blocks=399).answer(stages_of())


def cell(group, scale, high):
    values = {"scale": 50.0, "scale_debiased": scale, "scale_low": 40.0, "scale_high": high}
    return {"group": group, "population": "digits test", "batch_size": 10} | {
        f"gradient_noise/{name}": value for name, value in values.items()
    }


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([cell("", 100.0, 200.0)], "is 100 rows (digits test)"),
        ([cell("a", 100.0, 200.0), cell("b", 60.0, 90.0)], "goes from 60 rows (b) to 100 rows (a)"),
        ([cell("a", 100.0, 200.0), cell("b", math.inf, math.inf)], "In 1 of 2 the data cannot tell"),
        ([cell("a", 100.0, math.inf)], "no mean gradient is distinguishable from 0"),
    ],
)
def test_groups_are_put_side_by_side(cells, said):
    frame = pd.DataFrame([*cells, {**cells[0], "batch_size": 100}])
    compared = GradientNoise().compare(frame, lambda name: pd.DataFrame())
    assert len(compared.shown[0].rows) == len(cells)
    assert said in compared.summary


@pytest.mark.slow
def test_a_person_asks_for_it_on_digits(command, digits_parts, own_mlruns):
    done = command("study=gradient_noise", COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert "Training batches, digits train, 797 rows" in done.stdout
    assert "distinguishable from 0" in done.stdout
    assert done.stdout.startswith("To train:")
    page = done.stdout[: done.stdout.index("report.html")]  # after it stands the run's path, as long as it is
    assert max(len(line.rstrip()) for line in page.splitlines()) <= 80
    assert list(own_mlruns.rglob("gradient_noise.png"))
