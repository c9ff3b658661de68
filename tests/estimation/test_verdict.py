"""Verdicts: Holm's rule against a published example and the closed test, and wrong verdicts counted by simulation."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation.gain import ShareGain, gain_of
from pipeline.estimation.mean_gain import MeanGain
from pipeline.estimation.multiple_tests import holm
from pipeline.estimation.paired import Question, n_for_power
from pipeline.estimation.verdict import decide, rows_to_decide, smallest_effect, step_down
from pipeline.metric.accuracy import Accuracy
from pipeline.metric.loss import Loss
from pipeline.records.verdict import BETTER, NOT_WORSE, UNDECIDED, WORSE
from pipeline.scoring.rows import score
from pipeline.study.paired.models import in_double


def share(gained, lost, n):
    return ShareGain(n, np.array([float(gained)]), np.array([float(lost)]))


def samples(values):
    """The gains of samples of n rows, values of shape (m, n)."""
    mean = values.mean(axis=1)
    off = values - mean[:, None]
    return MeanGain(values.shape[1], mean, *((off**power).mean(axis=1) for power in (2, 3, 4)))


def holds(wrong, draws, error=0.05):
    """Whether so many wrong verdicts are what a chance of `error` gives, but once in a thousand."""
    return wrong <= stats.binom.ppf(0.999, draws, error)


def test_holms_adjusted_p_values_of_the_known_example():
    assert holm([0.001, 0.013, 0.02, 0.04, 0.3]) == pytest.approx([0.005, 0.052, 0.06, 0.08, 0.3])
    assert holm([0.3, 0.02, 0.001, 0.04, 0.013]) == pytest.approx([0.3, 0.06, 0.005, 0.08, 0.052])


@pytest.mark.parametrize("seed", range(5))
def test_a_hypothesis_is_rejected_where_the_closed_test_by_bonferroni_rejects_it(seed):
    """Every set of hypotheses that holds it must be rejected by its smallest p value times the set's size."""
    p = np.random.default_rng(seed).uniform(0, 0.08, 4)
    sets = [s for k in range(1, 5) for s in itertools.combinations(range(4), k)]
    closed = [max(min(1.0, len(s) * p[list(s)].min()) for s in sets if i in s) for i in range(4)]
    assert holm(p) == pytest.approx(closed)
    assert step_down(lambda k: p[:, None] <= 0.05 / k, 4)[0][:, 0].tolist() == (holm(p) <= 0.05).tolist()


@pytest.mark.parametrize(
    ("gained", "lost", "margin", "code"),
    [
        (40, 5, 0.01, BETTER),
        (20, 20, 0.05, NOT_WORSE),
        (20, 20, 0.01, UNDECIDED),
        (5, 40, 0.01, WORSE),
        (5, 40, 0.10, NOT_WORSE),
        (20, 20, 0.0, UNDECIDED),
        (5, 40, 0.0, WORSE),
    ],
)
def test_a_verdict_is_where_the_interval_lies(gained, lost, margin, code):
    gain = share(gained, lost, 1000)
    found = decide([gain], [margin], 0.95)
    low, high = gain.ends(0.025, 0.025)
    assert found.codes.tolist() == [[code]]
    assert {
        BETTER: low > 0,
        NOT_WORSE: -margin < low <= 0,
        WORSE: high < -margin,
        UNDECIDED: low <= -margin <= high,
    }[code]
    assert (found.error_low[0, 0], found.error_high[0, 0]) == pytest.approx((0.025, 0.025))


def test_the_verdict_of_all_is_the_worst():
    gains = [share(60, 5, 1000), share(5, 60, 1000), share(20, 20, 1000)]
    assert decide(gains, [0.01, 0.01, 0.01], 0.95).codes[:, 0].tolist() == [BETTER, WORSE, UNDECIDED]
    assert decide(gains, [0.01, 0.01, 0.01], 0.95).overall.tolist() == [WORSE]


def closed(gains, margins, error):
    """The verdicts by every intersection of hypotheses, with Bonferroni's test of each; slow and plain."""
    k = len(gains)

    def rejected(hypotheses, claims):
        """Whether Bonferroni rejects an intersection: of each metric the hardest of its hypotheses counts."""
        return any(claims(j, at, error / len(hypotheses)) for j, at in hypotheses.items())

    above = lambda j, at, e: bool(gains[j].is_above(at, e)[0])  # noqa: E731
    below = lambda j, at, e: bool(gains[j].is_below(at, e)[0])  # noqa: E731
    limits = [sorted({0.0, -margin}) for margin in margins]

    def all_sets(j, own, choices, claims):
        others = [i for i in range(k) if i != j]
        for size in range(k):
            for subset in itertools.combinations(others, size):
                for at in itertools.product(*(choices[i] for i in subset)):
                    yield rejected({j: own, **dict(zip(subset, at, strict=True))}, claims)

    codes = []
    for j in range(k):
        if all(all_sets(j, 0.0, limits, above)):
            codes.append(BETTER)
        elif all(all_sets(j, -margins[j], [[-margin] for margin in margins], below)):
            codes.append(WORSE)
        elif all(all_sets(j, -margins[j], limits, above)):
            codes.append(NOT_WORSE)
        else:
            codes.append(UNDECIDED)
    return codes


def test_three_metrics_are_judged_as_the_closed_test_over_all_intersections_judges_them():
    rng = np.random.default_rng(11)
    seen = set()
    for _ in range(250):
        gains = [share(*rng.integers(0, 40, 2), 1000) for _ in range(3)]
        margins = rng.choice([0.0, 0.005, 0.02], 3).tolist()
        found = decide(gains, margins, 0.9).codes[:, 0].tolist()
        assert found == closed(gains, margins, 0.05)
        seen.add(tuple(found))
    assert len(seen) > 20


def test_a_metric_found_better_leaves_its_share_to_the_others():
    alone, beside = share(29, 15, 1000), share(80, 2, 1000)
    assert decide([alone, share(20, 20, 1000)], [0.0, 0.0], 0.95).codes[0, 0] == UNDECIDED
    found = decide([alone, beside], [0.0, 0.0], 0.95)
    assert found.codes[:, 0].tolist() == [BETTER, BETTER]
    assert found.error_low[:, 0] == pytest.approx([0.025, 0.025])
    assert found.error_high[:, 0] == pytest.approx([0.0125, 0.0125])


POPULATIONS = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "skewed": lambda rng, shape: rng.exponential(size=shape) - 1,
    "skewed the other way": lambda rng, shape: 1 - rng.exponential(size=shape),
    "mostly nothing": lambda rng, shape: rng.normal(size=shape) * (rng.random(shape) < 0.1),
}


@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize("true", ["0", "the margin"])
def test_wrong_verdicts_on_a_mean_stay_within_the_promise(population, true):
    draws, n, margin = 1500, 300, 0.2
    values = POPULATIONS[population](np.random.default_rng(5), (draws, n))
    gain = samples(values).shifted(0.0 if true == "0" else -margin)
    codes = decide([gain], [margin], 0.95).codes[0]
    # At the margin "not worse" would be as wrong as "worse".
    wrong = codes == BETTER if true == "0" else codes != UNDECIDED
    assert holds(wrong.sum(), draws)
    assert true == "0" or wrong.sum() > 0


@pytest.mark.parametrize(("n", "turning"), [(300, 0.1), (1000, 0.02)])
@pytest.mark.parametrize("true", [0.0, -0.01])
def test_wrong_verdicts_on_a_share_stay_within_the_promise(n, turning, true):
    draws = 20_000
    chances = [(turning + true) / 2, (turning - true) / 2, 1 - turning]
    counts = np.random.default_rng(6).multinomial(n, chances, draws).astype(float)
    codes = decide([ShareGain(n, counts[:, 0], counts[:, 1])], [0.01], 0.95).codes[0]
    wrong = codes == BETTER if true == 0 else codes != UNDECIDED
    assert holds(wrong.sum(), draws)


@pytest.mark.parametrize("correlation", [0.0, 0.9, -0.9])
@pytest.mark.parametrize("at", [(0, 0), (0, 1), (1, 1), (5, 1)], ids=str)
def test_a_wrong_verdict_on_any_of_two_metrics_stays_within_the_promise(correlation, at):
    """The true gains are 0, exactly the margin, or far above 0, where a metric leaves its share to the other."""
    draws, n, margin = 4000, 100, 0.3
    rng = np.random.default_rng(7)
    first, second = rng.normal(size=(2, draws, n))
    second = correlation * first + np.sqrt(1 - correlation**2) * second
    true = [{0: 0.0, 1: -margin, 5: 1.5}[which] for which in at]
    gains = [samples(values).shifted(value) for values, value in zip((first, second), true, strict=True)]
    codes = decide(gains, [margin, margin], 0.95).codes
    is_wrong = {0: codes == BETTER, 1: codes != UNDECIDED, 5: codes == WORSE}
    wrong = is_wrong[at[0]][0] | is_wrong[at[1]][1]
    assert holds(wrong.sum(), draws)


def networks(stages):
    """The differences of the losses of the digits' network and of the same, trained less or more, and their names."""
    first = score(in_double(stages.classifier), stages.rows).loss
    for name, changes in (("a quarter", {"epochs": 2, "min_steps": 200}), ("twice", {"min_steps": 1600})):
        other = dataclasses.replace(stages.experiment.model, **changes).build(stages.experiment.data)
        yield name, first - score(in_double(other), stages.rows).loss


@pytest.mark.slow
def test_wrong_verdicts_on_the_real_differences_of_networks_stay_within_the_promise_from_1000_rows(stages_of):
    """The figures of docs/gate.md. With 200 rows the promise is missed a little: too few of them differ at all."""
    draws, margin = 4000, 50.0
    for n, promised in ((200, 0.1), (1000, 0.05)):
        for name, apart in networks(stages_of()):
            rows = np.random.default_rng(8).integers(0, len(apart), (draws, n))
            gain = samples((apart - apart.mean())[rows])
            better = decide([gain], [margin], 0.95).codes[0] == BETTER
            wrong = decide([gain.shifted(-margin)], [margin], 0.95).codes[0] != UNDECIDED
            assert holds(better.sum(), draws, promised), (name, n)
            assert holds(wrong.sum(), draws, promised), (name, n)


@pytest.mark.parametrize(("n", "at_least", "at_most"), [(200, 0.3, 0.42), (1000, 0.0, 0.05)])
def test_where_one_row_in_200_has_a_large_loss_a_thousand_rows_are_needed(n, at_least, at_most):
    """The figures of docs/gate.md: no interval from n rows alone knows of rows that are not among them."""
    rng, draws = np.random.default_rng(0), 1000
    values = np.where(rng.random((draws, n)) < 1 / 200, 5.0, 0.0) - 0.025 + rng.normal(0, 0.01, (draws, n))
    codes = decide([samples(values).shifted(-0.5)], [0.5], 0.95).codes[0]
    assert at_least <= np.mean(codes != UNDECIDED) <= at_most


@pytest.mark.parametrize("margin", [0.0, 0.004])
def test_so_many_rows_decide_and_one_less_does_not(margin):
    gain = share(24, 20, 1000)
    n = rows_to_decide(gain, margin, 0.0125, 0.0125)
    assert n > 1000
    before, there = ((gain.of_size(rows)) for rows in (n - 1, n))
    assert not before.is_above(-margin, 0.0125)[0]
    assert there.is_above(-margin, 0.0125)[0]


def test_the_rows_repeated_as_often_as_is_asked_for_are_decided():
    rng = np.random.default_rng(4)
    first = rng.exponential(1, 200)
    second = first + rng.normal(0.02, 0.3, 200)
    n = rows_to_decide(gain_of(Loss(), first, second), 0.0, 0.025, 0.025)
    times = int(np.ceil(n / 200))
    for repeats, code in ((times, WORSE), (times - 1, UNDECIDED)):
        tiled = gain_of(Loss(), np.tile(first, repeats), np.tile(second, repeats))
        assert decide([tiled], [0.0], 0.95).codes[0, 0] == code


def test_no_number_of_rows_decides_a_difference_that_is_exactly_the_margin():
    assert rows_to_decide(share(10, 20, 1000), 0.01, 0.025, 0.025) == np.inf
    assert rows_to_decide(share(0, 0, 50), 0.0, 0.025, 0.025) == np.inf


def test_the_smallest_effect_is_that_which_n_for_power_takes_so_many_rows_for():
    effect = smallest_effect(0.3, 1200, power=0.9, error=0.0125)
    assert n_for_power(effect, 0.3, Question(power=0.9, significance=0.025)) == pytest.approx(1200, abs=1)


def test_a_true_difference_of_the_smallest_effect_is_seen_with_the_power():
    rng, n = np.random.default_rng(9), 400
    effect = smallest_effect(1.0, n, power=0.8, error=0.025)
    codes = decide([samples(rng.normal(effect, 1, (4000, n)))], [0.0], 0.95).codes[0]
    assert stats.binomtest(int((codes == BETTER).sum()), 4000, 0.8).pvalue > 0.001


def test_a_share_and_a_mean_are_judged_together():
    rng = np.random.default_rng(2)
    right = rng.random(500) < 0.8
    gains = [gain_of(Accuracy(), right, right | (rng.random(500) < 0.4)), samples(rng.normal(-1, 1, (1, 500)))]
    assert decide(gains, [0.01, 0.1], 0.95).codes[:, 0].tolist() == [BETTER, WORSE]
