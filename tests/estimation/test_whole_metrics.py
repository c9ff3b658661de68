"""Metrics of whole batches against scikit-learn, their errors against a bootstrap and DeLong's formula by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score

from pipeline.estimation.clustered import clustered_mean
from pipeline.estimation.gain import gain_of
from pipeline.estimation.verdict import decide
from pipeline.estimation.whole_metrics import NoValue, Said, auc, balanced_accuracy, calibration_error, macro_f1
from pipeline.metric.together import TOGETHER
from pipeline.records.verdict import BETTER, NOT_WORSE
from pipeline.sampling.units import Units


def made(n, k, seed=0, strength=1.2):
    rng = np.random.default_rng(seed)
    labels = rng.choice(k, n, p=np.arange(1, k + 1) / np.arange(1, k + 1).sum())
    logits = rng.normal(size=(n, k)) + strength * np.eye(k)[labels]
    return labels, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


METRICS = {
    "balanced": lambda labels, own: balanced_accuracy(labels, own.argmax(axis=1), own.shape[1]),
    "f1": lambda labels, own: macro_f1(labels, own.argmax(axis=1), own.shape[1]),
    "auc": auc,
    "ece": lambda labels, own: calibration_error(own.argmax(axis=1) == labels, own.max(axis=1)),
}


def all_of(labels, probabilities):
    return {name: metric(labels, probabilities) for name, metric in METRICS.items()}


@pytest.mark.parametrize("k", [2, 4])
def test_the_values_are_scikit_learns(k):
    labels, probabilities = made(400, k)
    found, predicted = all_of(labels, probabilities), probabilities.argmax(axis=1)
    assert found["balanced"].value == pytest.approx(balanced_accuracy_score(labels, predicted))
    assert found["f1"].value == pytest.approx(f1_score(labels, predicted, average="macro"))
    expected = (
        roc_auc_score(labels, probabilities[:, 1])
        if k == 2
        else roc_auc_score(labels, probabilities, multi_class="ovr")
    )
    assert found["auc"].value == pytest.approx(expected)


def test_ties_count_half():
    labels, probabilities = made(300, 2)
    coarse = np.round(probabilities, 1)
    assert auc(labels, coarse).value == pytest.approx(roc_auc_score(labels, coarse[:, 1]))


def test_the_error_of_an_auc_is_delongs_by_its_definition():
    labels, probabilities = made(120, 2)
    scores = probabilities[:, 1]
    above, below = scores[labels == 1], scores[labels == 0]
    wins = (above[:, None] > below[None, :]) + 0.5 * (above[:, None] == below[None, :])
    variance = wins.mean(axis=1).var(ddof=1) / len(above) + wins.mean(axis=0).var(ddof=1) / len(below)
    assert auc(labels, probabilities).error() == pytest.approx(math.sqrt(variance), rel=1e-12)


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("groups", [False, True])
def test_the_errors_are_those_of_a_bootstrap_of_rows_or_of_groups(k, groups):
    labels, probabilities = made(600, k, seed=3)
    # Overconfident, so that no bin's gap is a matter of chance, where the error of its size would be a smaller one.
    probabilities = probabilities**4 / (probabilities**4).sum(axis=1, keepdims=True)
    size = 5 if groups else 1
    if groups:
        # Rows of a group are alike: every row stands five times.
        labels, probabilities = np.repeat(labels, 5), np.repeat(probabilities, 5, axis=0)
    n = len(labels)
    units = Units(n, None, np.arange(n), np.arange(0, n + 1, 5)) if groups else None
    rng, drawn = np.random.default_rng(1), []
    for _ in range(300):
        rows = (rng.integers(0, n // size, n // size)[:, None] * size + np.arange(size)).ravel()
        drawn.append([own.value for own in all_of(labels[rows], probabilities[rows]).values()])
    errors = np.std(drawn, axis=0, ddof=1)
    # 300 bootstrap samples tell a standard error to 4 %.
    assert [own.error(units) for own in all_of(labels, probabilities).values()] == pytest.approx(errors, rel=0.16)


@pytest.mark.parametrize("name", ["balanced", "f1", "auc"])
def test_the_intervals_hold_the_truth_as_often_as_promised(name):
    truth = METRICS[name](*made(200_000, 3, seed=99)).value
    held = 0
    for seed in range(300):
        low, high = METRICS[name](*made(300, 3, seed=seed)).interval(0.95)
        held += low <= truth <= high
    # The normal approximation is let off one point.
    assert held >= stats.binom.ppf(0.001, 300, 0.94)


def test_a_calibrated_model_has_a_calibration_error_of_chance_which_the_debiased_form_takes_off():
    rng, plain, debiased = np.random.default_rng(5), [], []
    for _ in range(200):
        confidence = rng.uniform(0.5, 1, 300)
        found = calibration_error(rng.random(300) < confidence, confidence)
        plain.append(found.value)
        debiased.append(found.value - found.bias)
    assert np.mean(plain) > 0.04
    assert abs(np.mean(debiased)) < 0.6 * np.mean(plain)


def test_the_calibration_error_of_one_bin_is_the_plain_gap():
    confidence = np.array([0.91, 0.92, 0.99, 0.93])
    found = calibration_error(np.array([True, False, True, True]), confidence, bins=2)
    assert found.value == pytest.approx(confidence.mean() - 0.75)


def test_a_class_without_a_row_leaves_no_value_and_a_perfect_value_no_interval():
    labels = np.array([0, 0, 1, 1])
    for own in (lambda: balanced_accuracy(labels, labels, 3), lambda: macro_f1(labels, labels, 3)):
        with pytest.raises(NoValue, match="1 of 3 classes has no row"):
            own()
    with pytest.raises(NoValue):
        auc(np.zeros(4, dtype=int), np.full((4, 2), 0.5))
    assert np.isnan(balanced_accuracy(labels, labels, 2).interval(0.95)).all()


def two(n, k, seed=0, *, noise=0.5, sharper=1.0):
    """Two models of the same rows: correlated, the second with logits that are larger by a factor."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, n)
    shared = rng.normal(size=(n, k)) + 1.2 * np.eye(k)[labels]
    logits = [factor * (shared + noise * rng.normal(size=(n, k))) for factor in (1.0, sharper)]
    return labels, [np.exp(own) / np.exp(own).sum(axis=1, keepdims=True) for own in logits]


def placements(labels, scores):
    """DeLong's structural components by their definition: of each row of class 1, and of each other row."""
    above, below = scores[labels == 1], scores[labels == 0]
    wins = (above[:, None] > below[None, :]) + 0.5 * (above[:, None] == below[None, :])
    return wins.mean(axis=1), wins.mean(axis=0)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_variance_of_the_difference_of_two_aucs_is_delongs_with_his_covariance(seed):
    labels, both = two(150, 2, seed)
    coarse = [np.round(own, 2) for own in both]
    one, other = (placements(labels, own[:, 1]) for own in coarse)
    expected = sum(np.var(b - a, ddof=1) / len(a) for a, b in zip(one, other, strict=True))
    first, second = (auc(labels, own).column() for own in coarse)
    apart = second - first
    assert apart.mean() == pytest.approx(np.mean(other[0]) - np.mean(one[0]))
    assert np.var(apart, ddof=1) / len(apart) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("groups", [False, True])
def test_the_errors_of_differences_are_those_of_a_paired_bootstrap(k, groups):
    size = 5 if groups else 1
    # Both far from calibrated, so that the gaps of the bins keep their signs.
    labels, both = two(600 // size, k, seed=3, sharper=1.4)
    both = [own**4 / (own**4).sum(axis=1, keepdims=True) for own in both]
    labels, both = np.repeat(labels, size), [np.repeat(own, size, axis=0) for own in both]
    n = len(labels)
    units = Units(n, None, np.arange(n), np.arange(0, n + 1, size)) if groups else None
    columns = [{name: own.column(units) for name, own in all_of(labels, each).items()} for each in both]
    if groups:
        found = [clustered_mean(columns[1][name] - columns[0][name], units).error for name in METRICS]
    else:
        found = [np.std(columns[1][name] - columns[0][name], ddof=1) / math.sqrt(n) for name in METRICS]
    rng, drawn = np.random.default_rng(1), []
    for _ in range(150):
        rows = (rng.integers(0, n // size, n // size)[:, None] * size + np.arange(size)).ravel()
        one, other = ([own.value for own in all_of(labels[rows], each[rows]).values()] for each in both)
        drawn.append(np.subtract(other, one))
    # 150 bootstrap samples tell a standard error to 6 %.
    assert found == pytest.approx(np.std(drawn, axis=0, ddof=1), rel=0.22)


def test_the_mean_of_a_column_is_the_value_debiased_where_it_is_biased():
    labels, (own, _) = two(400, 3)
    for name, found in all_of(labels, own).items():
        assert found.column().mean() == pytest.approx(found.debiased, abs=1e-12)
        assert found.column(is_debiased=False).mean() == pytest.approx(found.value, abs=1e-12)
        assert (found.debiased < found.value) == (name == "ece")


def verdicts(truth, seeds, n, **model):
    """How often a gate's 95 % interval of the gain lies wholly above the true one, and wholly below."""
    above = below = 0
    for seed in seeds:
        labels, both = two(n, 4, seed, **model)
        one, other = (METRICS["ece"](labels, own) for own in both)
        gain = gain_of(TOGETHER["ece"], one.column(), other.column(), slack=(other.slack, one.slack))
        above += bool(gain.is_above(-truth, 0.025)[0])
        below += bool(gain.is_below(-truth, 0.025)[0])
    return above, below


@pytest.mark.parametrize("sharper", [1.0, 1.5])
def test_a_calibration_error_near_0_beside_one_far_from_it_gives_no_more_wrong_verdicts_than_promised(sharper):
    labels, both = two(200_000, 4, seed=77, sharper=sharper)
    one, other = (METRICS["ece"](labels, own).debiased for own in both)
    found = verdicts(other - one, range(200), 300, sharper=sharper)
    assert max(found) <= stats.binom.ppf(0.999, 200, 0.025)


def test_what_bias_may_be_left_is_that_of_a_gap_of_0_and_nothing_where_every_gap_is_plain():
    rng = np.random.default_rng(0)
    confidence = np.full(400, 0.72)
    calibrated = calibration_error(rng.random(400) < 0.72, confidence)
    sigma = np.std((rng.random(400) < 0.72) - confidence) / 20
    assert calibrated.slack == pytest.approx((2 - math.sqrt(2)) * math.sqrt(2 / math.pi) * sigma, rel=0.1)
    assert calibration_error(rng.random(400) < 0.2, confidence).slack < 1e-6
    low, high = calibrated.interval(0.95)
    assert low == 0.0
    assert high > calibrated.debiased


def test_what_is_not_there_gives_no_value_and_says_what_is_missing():
    labels = np.array([0, 1, 1])
    alone = Said(labels, 2, predicted=labels)
    assert alone.value("balanced_accuracy").value == alone.value("macro_f1").value == 1.0
    for name, message in (("auc", "logits or probabilities of all classes, which"), ("ece", "logits or prob")):
        assert not alone.has(name)
        with pytest.raises(NoValue, match=message):
            alone.value(name)
    with pytest.raises(NoValue, match="only one class"):
        Said(np.zeros(3, int), 1).value("auc")
    with pytest.raises(NoValue, match="it needs predicted classes"):
        Said(labels, 2).value("macro_f1")


@pytest.mark.parametrize("confidences", [(0.99, 0.995, 0.999), (0.985, 0.99, 0.999), (0.99,), (0.6, 0.8, 0.95)])
@pytest.mark.parametrize("n", [60, 200])
def test_a_calibrated_models_interval_of_the_calibration_error_holds_0_and_has_a_width(confidences, n):
    rng, misses = np.random.default_rng(n), 0
    for _ in range(400):
        confidence = rng.choice(confidences, n)
        low, high = calibration_error(rng.random(n) < confidence, confidence).interval(0.95)
        misses += not low <= 0 <= high
        assert high > low
    assert misses <= stats.binom.ppf(0.999, 400, 0.05)


def test_where_all_rows_are_right_the_interval_allows_for_errors_not_seen():
    low, high = calibration_error(np.ones(100, bool), np.full(100, 0.99)).interval(0.95)
    assert low == 0
    assert high > 0.02


@pytest.mark.parametrize("rare", [1, 2, 5, 10])
@pytest.mark.parametrize("evaluate", [balanced_accuracy, macro_f1])
def test_few_rows_of_a_class_do_not_pass_a_candidate_that_is_worse_by_the_margin(rare, evaluate):
    rng, n, wrong = np.random.default_rng(rare), 500, 0
    labels = np.repeat([0, 1], [n - rare, rare])
    metric = replace(TOGETHER[evaluate.__name__], reach=n / (2 * rare))
    margin = 0.1 if evaluate is balanced_accuracy else _f1_of(0.9, rare / n) - _f1_of(0.7, rare / n)
    for _ in range(200):
        before, after = (
            evaluate(labels, np.where(rng.random(n) < np.where(labels, recall, 0.9), labels, 1 - labels), 2).column()
            for recall in (0.9, 0.7)
        )
        gain = gain_of(metric, before, after, reach=metric.reach)
        wrong += int(decide([gain], [margin], 0.95).codes[0, 0]) in (BETTER, NOT_WORSE)
    assert wrong <= stats.binom.ppf(0.999, 200, 0.025)


def _f1_of(recall, share):
    """The macro F1 of the world: a rare class of that share and recall, the other one with a recall of 0.9."""
    rare = 2 * recall * share / (share + recall * share + 0.1 * (1 - share))
    other = 2 * 0.9 * (1 - share) / ((1 - share) + 0.9 * (1 - share) + (1 - recall) * share)
    return (rare + other) / 2
