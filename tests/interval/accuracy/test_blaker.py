import numpy as np
import pytest
from scipy import stats

from pipeline.estimation.draws import draw_batches
from pipeline.estimation.scored_units import ScoredUnits
from pipeline.interval.accuracy.blaker import Blaker
from pipeline.interval.accuracy.clopper_pearson import ClopperPearson
from pipeline.interval.accuracy.wilson import Wilson
from pipeline.records.scores import Scores
from pipeline.sampling import MEMBERS
from pipeline.sampling.units import Units
from pipeline.sampling.with_replacement import IndependentPlan
from tests.populations import batches, scored_of, some_scores


def every_count(n, confidence=0.95, size=None, interval=Blaker):
    rows = np.arange(n) < np.arange(n + 1)[:, None]
    return interval().estimate(batches(rows, size), confidence)


def acceptability(chances):
    """Of every count, the chance of all counts whose smaller tail is no larger; shape of (counts, …)."""
    below, above = chances.cumsum(axis=0), chances[::-1].cumsum(axis=0)[::-1]
    tail = np.minimum(below, above) * (1 + 1e-9)
    return np.stack([np.where(np.minimum(below, above) <= tail[k], chances, 0).sum(axis=0) for k in range(len(tail))])


def least_coverage(found, n):
    """The least coverage over p, which is next to an end or at one."""
    ends = np.concatenate([found.low, found.high])
    p = np.clip(np.concatenate([ends + 1e-9, ends - 1e-9, np.linspace(0, 1, 501)]), 0, 1)
    chances = stats.binom.pmf(np.arange(n + 1)[:, None], n, p)
    return (chances * ((found.low[:, None] <= p) & (p <= found.high[:, None]))).sum(axis=0).min()


@pytest.mark.parametrize("n", [1, 2, 7, 10, 30, 101])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_it_is_the_hull_of_all_p_that_the_test_accepts(n, confidence):
    found, p = every_count(n, confidence), np.linspace(0, 1, 4_001)
    accepted = acceptability(stats.binom.pmf(np.arange(n + 1)[:, None], n, p)) > 1 - confidence
    for k in range(n + 1):
        inside = p[accepted[k]]
        assert found.low[k] - 1e-12 <= inside[0] <= found.low[k] + 1.001 / 4_000
        assert found.high[k] - 1.001 / 4_000 <= inside[-1] <= found.high[k] + 1e-12


@pytest.mark.parametrize(("n", "size"), [(1, 1), (1, 2), (3, 4), (10, 20), (13, 40), (39, 40), (30, 200)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_without_replacement_it_is_the_hull_of_all_numbers_that_the_test_accepts_and_holds_what_it_promises(
    n, size, confidence
):
    found, right = every_count(n, confidence, size), np.arange(size + 1)
    chances = stats.hypergeom.pmf(np.arange(n + 1)[:, None], size, right, n)
    accepted = (acceptability(chances) > (1 - confidence) * (1 - 1e-9)) & (chances > 0)
    for k in range(n + 1):
        inside = right[accepted[k]] / size
        assert found.low[k] == pytest.approx(min(inside[0], k / n), abs=1e-12)
        assert found.high[k] == pytest.approx(max(inside[-1], k / n), abs=1e-12)
    truth = right / size
    holds = (found.low[:, None] <= truth + 1e-12) & (truth - 1e-12 <= found.high[:, None])
    assert (chances * holds).sum(axis=0).min() >= confidence - 1e-12


@pytest.mark.parametrize("n", [10, 11, 17, 30, 56, 100, 300])
def test_over_all_p_it_never_holds_less_than_it_promises_where_wilsons_holds_84(n):
    assert least_coverage(every_count(n), n) >= 0.95 - 1e-9
    assert least_coverage(every_count(n, interval=Wilson), n) < 0.93


@pytest.mark.parametrize("n", [1, 10, 100])
def test_it_lies_within_clopper_and_pearsons(n):
    found, exact = every_count(n), every_count(n, interval=ClopperPearson)
    assert np.all(found.low >= exact.low - 1e-12)
    assert np.all(found.high <= exact.high + 1e-12)
    assert (found.high - found.low).sum() < (exact.high - exact.low).sum() or n == 1


@pytest.mark.parametrize("target", ["population", "superpopulation"])
def test_under_strata_the_ends_are_beta_quantiles_of_the_effective_rows_less_those_for_the_degrees_of_freedom(target):
    scored = scored_of(some_scores(400), MEMBERS["stratified"](), 60)
    rows = draw_batches(scored, seed=1, draws=20, target=target)["accuracy"]
    found = Blaker().estimate(rows, 0.9)
    n = rows.effective * (stats.norm.ppf(0.95) / stats.t.ppf(0.95, rows.degrees)) ** 2
    right, wrong = rows.mean * n, (1 - rows.mean) * n
    np.testing.assert_allclose(found.low, stats.beta.ppf(0.05, right, wrong + 1), rtol=1e-6)
    np.testing.assert_allclose(found.high, stats.beta.ppf(0.95, right + 1, wrong), rtol=1e-6)


def test_of_few_groups_it_holds_far_more_often_than_wilsons():
    rng = np.random.default_rng(0)
    sizes, of_group = rng.integers(5, 30, 2_000), rng.beta(3.2, 0.8, 2_000)
    correct = rng.random(sizes.sum()) < np.repeat(of_group, sizes)
    units = Units(len(correct), starts=np.concatenate([[0], np.cumsum(sizes)]))
    scored = ScoredUnits(Scores(np.zeros(len(correct)), correct), units, IndependentPlan(2_000, 10))
    rows, truth = draw_batches(scored, seed=0, draws=1_500)["accuracy"], correct.mean()
    held = {}
    for part in (Blaker, Wilson):
        found = part().estimate(rows, 0.95)
        held[part] = ((found.low <= truth) & (truth <= found.high)).mean()
    assert held[Blaker] > 0.935
    assert held[Wilson] < held[Blaker] - 0.03
