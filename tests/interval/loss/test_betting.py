import numpy as np
import pytest
from scipy import stats

from pipeline import sampling
from pipeline.data.mnist import Mnist
from pipeline.errors import BadInput
from pipeline.estimation.draws import batches_with_values, estimate_draws
from pipeline.estimation.scored_units import ScoredUnits
from pipeline.interval.accuracy.sequence import Sequence as AccuracySequence
from pipeline.interval.capital import fixed_interval
from pipeline.interval.loss.betting import Betting
from pipeline.interval.loss.sequence import Sequence
from pipeline.interval.loss.star_bets import StarBets
from pipeline.model.npz import Npz
from pipeline.records.scores import Scores
from pipeline.sampling.units import Units, units_of
from pipeline.scoring.rows import score
from tests.populations import batches, frame_of, scored_of, some_scores

PARTS = pytest.mark.parametrize("part", [Betting, StarBets, Sequence])
CAP = 5.0


def capped_scores(size, seed=0):
    scores = some_scores(size, seed)
    return Scores(np.minimum(scores.loss, CAP), scores.correct)


def estimates(scored, part=Betting, *, draws=400, confidence=0.95, target="population", cap=CAP):
    intervals = {"loss": part(cap=cap), "accuracy": AccuracySequence()}
    return estimate_draws(scored, intervals, seed=1, draws=draws, confidence=confidence, target=target)


def missed(estimate, truth):
    return int(((estimate.low > truth + 1e-12) | (estimate.high < truth - 1e-12)).sum())


def is_plausible(n_missed, draws, confidence):
    return stats.binomtest(n_missed, draws, 1 - confidence, alternative="greater").pvalue > 0.001


def test_it_is_the_fixed_interval_of_the_shares_of_the_cap():
    rows = np.random.default_rng(0).exponential(size=(5, 40))
    found = Betting(cap=20.0).estimate(batches(rows), 0.9)
    low, high = fixed_interval(rows / 20, confidence=0.9)
    np.testing.assert_allclose(found.low, 20 * low, rtol=1e-12)
    np.testing.assert_allclose(found.high, 20 * high, rtol=1e-12)
    np.testing.assert_allclose(found.value, rows.mean(axis=1))
    assert found.method == "betting, losses up to 20 nats, 0.9"


@PARTS
def test_losses_and_cap_in_another_unit_give_the_ends_in_that_unit(part):
    rows = np.random.default_rng(0).exponential(size=(5, 40))
    one, other = part(cap=20.0).estimate(batches(rows), 0.95), part(cap=20 / 3).estimate(batches(rows / 3), 0.95)
    np.testing.assert_allclose(other.low, one.low / 3, rtol=1e-6)
    np.testing.assert_allclose(other.high, one.high / 3, rtol=1e-6)


@PARTS
def test_a_larger_cap_never_narrows_it(part):
    rows = batches(np.random.default_rng(0).exponential(size=(20, 60)))
    widths = [np.median((found := part(cap=cap).estimate(rows, 0.95)).high - found.low) for cap in (10.0, 20.0, 80.0)]
    assert widths == sorted(widths)


@PARTS
def test_one_row_gives_an_interval_from_0_to_the_cap_at_most(part):
    found = part(cap=4.0).estimate(batches([[0.0], [0.5], [4.0]]), 0.95)
    assert np.all((found.low >= 0) & (found.low <= found.value) & (found.value < found.high + 1e-15))
    assert np.all(found.high <= 4.0)
    assert np.all(found.high - found.low > 1.0)


@PARTS
@pytest.mark.parametrize("design", ["with_replacement", "without_replacement", "stratified", "importance"])
def test_every_design_that_it_takes_is_covered_within_the_binomial_bound(part, design):
    scores = capped_scores(300)
    scored = scored_of(scores, sampling.MEMBERS[design](), 60)
    found = estimates(scored, part, confidence=0.8)
    assert is_plausible(missed(found["loss"], scores.loss.mean()), 400, 0.8)
    assert is_plausible(missed(found["accuracy"], scores.correct.mean()), 400, 0.8)


def test_strata_have_an_interval_each_at_the_confidence_of_bonferroni_by_hand():
    scores = capped_scores(300)
    scored = scored_of(scores, sampling.MEMBERS["stratified"](), 40)
    ((_, found),) = batches_with_values(scored, seed=0, draws=3)
    strata, rows = scored.plan.strata, found["loss"].expanded / CAP
    low = high = 0.0
    for i, stop in enumerate(np.cumsum(strata.drawn)):
        own = rows[:, stop - strata.drawn[i] : stop]
        ends = fixed_interval(own, confidence=1 - 0.05 / len(strata.drawn), population_size=int(strata.sizes[i]))
        low, high = low + strata.shares[i] * ends[0], high + strata.shares[i] * ends[1]
    estimate = Betting(cap=CAP).estimate(found["loss"], 0.95)
    np.testing.assert_allclose(estimate.low, CAP * low)
    np.testing.assert_allclose(estimate.high, CAP * high)


@PARTS
@pytest.mark.parametrize("grouped", [False, True])
def test_weights_and_groups_are_covered_within_the_binomial_bound_and_exact_for_all(part, grouped):
    scores, rng = capped_scores(300), np.random.default_rng(1)
    weights = rng.uniform(0.5, 2, 300)
    order, starts = (np.arange(300), np.arange(0, 301, 3)) if grouped else (None, None)
    units = Units(300, weights, order, starts)
    truth = np.average(scores.loss, weights=weights)
    for b in (40, units.size):
        plan = sampling.MEMBERS["without_replacement"]().plan(frame_of(Scores(*[np.ones(units.size)] * 2)), b)
        found = estimates(ScoredUnits(scores, units, plan), part, confidence=0.8)["loss"]
        assert is_plausible(missed(found, truth), 400, 0.8)
        if b == units.size:
            np.testing.assert_array_equal(found.low, found.high)
            np.testing.assert_allclose(found.low, truth, rtol=1e-12)


@PARTS
def test_of_the_world_it_has_no_correction_and_a_width_for_the_whole_population(part):
    scored = scored_of(capped_scores(100), sampling.MEMBERS["without_replacement"](), 100)
    world = estimates(scored, part, draws=1, target="superpopulation")["loss"]
    ((_, found),) = batches_with_values(scored, seed=1, draws=1)
    free = part(cap=CAP).estimate(batches(found["loss"].values), 0.95)
    assert (world.low[0], world.high[0]) == pytest.approx((free.low[0], free.high[0]), rel=1e-12)
    assert world.high[0] > world.low[0]


@PARTS
@pytest.mark.parametrize(
    ("design", "target", "match"),
    [
        ("systematic", "population", r"must have rows in random order"),
        ("difference", "population", r"corrects it by a proxy"),
        ("with_replacement", "superpopulation", r"none of them twice.*sampling=without_replacement"),
        ("importance", "superpopulation", r"must have a simple random sample"),
        ("stratified", "superpopulation", r"must have a simple random sample"),
    ],
)
def test_designs_under_which_nothing_is_guaranteed_are_refused(part, design, target, match):
    plan = sampling.MEMBERS[design]().plan(frame_of(capped_scores(100)), 30)
    with pytest.raises(BadInput, match=match):
        part(cap=CAP).check(plan, target)
    with pytest.raises(BadInput, match=match):
        AccuracySequence().check(plan, target)


@PARTS
@pytest.mark.parametrize("design", ["with_replacement", "without_replacement", "stratified", "importance", "epoch"])
def test_the_others_are_taken(part, design):
    plan = sampling.MEMBERS[design]().plan(frame_of(capped_scores(100)), 30)
    part(cap=CAP).check(plan, "population")
    AccuracySequence().check(plan, "population")


@PARTS
def test_the_world_by_weighted_rows_is_refused(part):
    units = Units(50, np.linspace(1, 2, 50))
    scores = capped_scores(50)
    scored = ScoredUnits(scores, units, sampling.MEMBERS["without_replacement"]().plan(frame_of(scores), 20))
    with pytest.raises(BadInput, match=r"groups or weights: choose"):
        estimates(scored, part, target="superpopulation")


@PARTS
def test_a_missing_cap_is_refused_and_the_study_gives_it_one(part):
    plan = sampling.MEMBERS["with_replacement"]().plan(frame_of(capped_scores(9)), 5)
    with pytest.raises(BadInput, match=r"interval\.loss\.cap must be .* found null: set it, or study\.loss_cap"):
        part().check(plan, "population")
    part().with_cap(3.0).check(plan, "population")
    assert part().with_cap(3.0) == part(cap=3.0)
    assert part(cap=2.0).with_cap(3.0) == part(cap=2.0)
    assert part().with_cap(None) == part()


@PARTS
@pytest.mark.parametrize("cap", [0.0, -1.0, float("inf"), float("nan")])
def test_a_cap_that_is_none_is_refused(part, cap):
    with pytest.raises(BadInput, match=r"interval\.loss\.cap must be above 0 nats and finite, or null; found"):
        part(cap=cap)


@PARTS
@pytest.mark.parametrize("worst", [3.25, np.inf])
def test_a_cap_below_an_observed_loss_is_refused_with_the_loss(part, worst):
    with pytest.raises(BadInput, match=rf"must be at least every loss; found a loss of {worst:g} nats and a cap of 3"):
        part(cap=3.0).estimate(batches([[0.1, worst, 0.2]]), 0.95)
    part(cap=3.25).estimate(batches([[0.1, 3.25, 0.2]]), 0.95)


@PARTS
@pytest.mark.slow
@pytest.mark.parametrize("design", ["with_replacement", "without_replacement"])
@pytest.mark.parametrize("b", [2, 3, 10, 30, 100, 300, 1000])
def test_a_published_networks_loss_and_accuracy_are_held_in_95_of_100_batches(
    mnist_root, book_network, part, design, b
):
    data = Mnist(split="test", root=str(mnist_root))
    dataset = data.load()
    scores = score(Npz(path=str(book_network)).build(data), dataset)
    scored = ScoredUnits(scores, units_of(dataset), sampling.MEMBERS[design]().plan(frame_of(scores), b))
    found = estimates(scored, part, draws=4000, cap=float(scores.loss.max()))
    assert 1 - missed(found["loss"], scores.loss.mean()) / 4000 >= 0.95
    assert 1 - missed(found["accuracy"], scores.correct.mean()) / 4000 >= 0.95
