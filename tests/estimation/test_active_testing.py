"""Rows chosen round by round on populations that are known: unbiased, no worse than a simple sample, and held."""

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation.active import lure_weights
from pipeline.estimation.active_testing import ActiveTest, Round, features_of
from pipeline.estimation.calibration import class_losses


class Population:
    """A softmax model whose logits are `scale` times those that the labels follow, with labels of noise."""

    def __init__(self, n, *, scale=1.0, noise=0.0, seed=0):
        rng = np.random.default_rng(seed)
        logits = 2 * rng.standard_normal((n, 4))
        logits[np.arange(n), rng.integers(0, 4, n)] += 5 + 3 * rng.standard_normal(n)
        chances = np.exp(-class_losses(logits).T).cumsum(axis=1)
        labels = np.minimum((chances < rng.random((n, 1))).sum(axis=1), 3)
        self.labels = np.where(rng.random(n) < noise, rng.integers(0, 4, n), labels)
        self.outputs = scale * logits
        losses = class_losses(self.outputs)
        wrong = (losses.argmin(axis=0) != self.labels).astype(float)
        self.values = {"loss": losses[self.labels, np.arange(n)], "accuracy": wrong}

    def test(self, *, proxy=None, uniform=0.2, metrics=("loss", "accuracy"), has_outputs=True):
        n = len(self.labels)

        def features(calibration):
            return features_of(calibration.expected(self.outputs) if has_outputs else None, n, proxy)

        def values(rows, labels):
            return {metric: self.values[metric][rows] for metric in metrics}

        def outputs(rows):
            return self.outputs[rows] if has_outputs else np.empty((len(rows), 0))

        return ActiveTest(n, metrics, uniform, features, outputs, values, proxy)

    def labelled(self, test, rounds, rng, block=50):
        for _ in range(rounds):
            test.fill(self.labels[test.choose(block, rng).rows])
        return test


def held(population, *, proxy=None, rounds=6, repeats=150, uniform=0.2):
    """How often the intervals hold, and the estimates of each metric, shape (repeats, 2): error and half-width."""
    hits, found = {"loss": 0, "accuracy": 0}, {"loss": [], "accuracy": []}
    for repeat in range(repeats):
        test = population.labelled(population.test(proxy=proxy, uniform=uniform), rounds, np.random.default_rng(repeat))
        for metric, own in test.estimates(0.95).items():
            truth = population.values[metric].mean()
            hits[metric] += own.low <= truth <= own.high
            found[metric].append((own.value - truth, own.half_width))
    return hits, {metric: np.array(own) for metric, own in found.items()}


@pytest.mark.slow
def test_estimates_are_right_on_average_more_exact_than_a_simple_sample_and_their_intervals_hold():
    population, repeats = Population(2_000), 150
    hits, found = held(population, repeats=repeats)
    for metric, own in found.items():
        errors = own[:, 0]
        assert abs(errors.mean()) < 3 * errors.std() / np.sqrt(repeats)
        simple = population.values[metric].std() * np.sqrt(1 / 300 - 1 / 2_000)
        assert errors.std() < 0.9 * simple
        assert hits[metric] >= stats.binom(repeats, 0.945).ppf(0.01)


def test_a_label_is_worth_more_than_one_of_a_simple_sample():
    population = Population(1_000)
    _, found = held(population, rounds=3, repeats=12)
    for metric, own in found.items():
        assert own[:, 0].std() < 1.1 * population.values[metric].std() * np.sqrt(1 / 150 - 1 / 1_000)


@pytest.mark.slow
def test_an_earlier_models_scores_make_each_label_worth_several():
    population = Population(2_000)
    rng = np.random.default_rng(9)
    # The earlier model is wrong where this one is, but for one row of fifty.
    earlier = np.where(rng.random(2_000) < 0.02, 1 - population.values["accuracy"], population.values["accuracy"])
    proxy = {"loss": population.values["loss"] * rng.lognormal(0, 0.3, 2_000), "accuracy": earlier}
    _, own = held(population, rounds=4, repeats=60)
    hits, with_proxy = held(population, proxy=proxy, rounds=4, repeats=60)
    for metric in ("loss", "accuracy"):
        assert with_proxy[metric][:, 0].var() < 0.5 * own[metric][:, 0].var()
        assert hits[metric] >= stats.binom(60, 0.945).ppf(0.01)


@pytest.mark.slow
def test_a_useless_proxy_costs_little():
    population = Population(2_000)
    rng = np.random.default_rng(4)
    noise = {"loss": rng.exponential(0.3, 2_000), "accuracy": (rng.random(2_000) < 0.1).astype(float)}
    _, own = held(population, repeats=60)
    _, misled = held(population, proxy=noise, repeats=60)
    for metric in ("loss", "accuracy"):
        assert misled[metric][:, 0].std() < 1.35 * own[metric][:, 0].std()


def test_uniform_chances_alone_are_a_simple_random_sample():
    population = Population(500)
    test = population.labelled(population.test(uniform=1.0), 3, np.random.default_rng(0))
    rows, chances, labels = test.drawn()
    np.testing.assert_allclose(chances, 1 / (500 - np.arange(150)))
    np.testing.assert_array_equal(labels, population.labels[rows])
    assert len(set(rows)) == 150


def test_the_chances_never_fall_below_the_uniform_share():
    population = Population(1_000, scale=3.0)
    test = population.labelled(population.test(uniform=0.25), 4, np.random.default_rng(0))
    _, chances, _ = test.drawn()
    assert (chances * (1_000 - np.arange(200)) >= 0.25 * (1 - 1e-9)).all()


def test_all_rows_labelled_are_exact_against_the_means():
    population = Population(200)
    test = population.labelled(population.test(), 4, np.random.default_rng(0))
    for metric, own in test.estimates(0.95).items():
        assert own.value == pytest.approx(population.values[metric].mean(), abs=1e-12)
        assert own.half_width == 0


def test_a_test_that_goes_on_with_earlier_rounds_says_the_same():
    population = Population(600)
    test = population.labelled(population.test(), 3, np.random.default_rng(0))
    test.choose(50, np.random.default_rng(1))
    again = population.test()
    for each in test.rounds:
        again.take(Round(each.rows, each.chances, each.learned, each.labels))
    assert again.estimates(0.95) == test.estimates(0.95)
    assert again.open_round is not None
    assert again.labelled == test.labelled == 150


@pytest.mark.parametrize(
    ("before", "after"), [(("accuracy",), ("loss", "accuracy")), (("loss", "accuracy"), ("accuracy",))]
)
def test_a_metric_may_be_added_or_left_out_after_some_rounds(before, after):
    population = Population(600)
    first = population.labelled(population.test(metrics=before), 3, np.random.default_rng(0))
    again = population.test(metrics=after)
    for each in first.rounds:
        again.take(Round(each.rows, each.chances, each.learned, each.labels))
    found = again.estimates(0.95)
    assert list(found) == list(after)
    assert found["accuracy"] == first.estimates(0.95)["accuracy"]
    rows, chances, _ = again.drawn()
    if "loss" in after:
        # No guess of the loss was there: LURE without a control variate.
        plain = (lure_weights(chances, 600) * population.values["loss"][rows]).mean()
        assert found["loss"].value == pytest.approx(plain, rel=1e-9)
    population.labelled(again, 1, np.random.default_rng(1))
    assert set(again.rounds[-1].learned.slopes) == set(after)
    assert again.estimates(0.95)[after[0]].half_width > 0


def test_labels_alone_are_judged_without_any_guess():
    population = Population(800)
    test = population.test(metrics=("accuracy",), has_outputs=False)
    population.labelled(test, 2, np.random.default_rng(0))
    rows, chances, _ = test.drawn()
    np.testing.assert_allclose(chances, 1 / (800 - np.arange(100)))
    assert test.estimates(0.95)["accuracy"].value == pytest.approx(population.values["accuracy"][rows].mean(), abs=0.02)


def test_chances_are_made_for_the_metrics_aimed_at():
    population = Population(2_000)
    both = population.test().choose(400, np.random.default_rng(0))
    errors = population.test().choose(400, np.random.default_rng(0), ["accuracy"])
    assert not np.array_equal(both.rows, errors.rows)


def test_the_width_of_a_simple_sample_is_told_from_rows_that_are_none():
    population = Population(5_000)
    test = population.labelled(population.test(), 10, np.random.default_rng(0), block=100)
    for metric, half in test.simple(0.95).items():
        ideal = 1.96 * population.values[metric].std() * np.sqrt(1 / 1_000 - 1 / 5_000)
        assert 0.85 * ideal < half < 1.5 * ideal
