"""Rows as needed: no others are evaluated, the end is exact, and the promise holds over all metrics and looks."""

import numpy as np
import pytest
from scipy import stats

from pipeline.errors import BadInput
from pipeline.metric.accuracy import Accuracy
from pipeline.metric.brier import Brier
from pipeline.metric.loss import Loss
from pipeline.metric.top_k import TopK
from pipeline.metric.value import Value
from pipeline.records.verdict import BETTER, NOT_WORSE, UNDECIDED, WORSE
from pipeline.study.gating.as_needed import Request, Watch, range_of

METRICS = {"loss": Loss(), "accuracy": Accuracy()}
SIZE = 2_000


def watched(losses, corrects, *, margins=(0.02, 0.01), seed=0, block=50, is_world=False, most=None, asked=None):
    """A watch that ended, and the rows that it evaluated, in order; both models' columns of all rows are given."""
    size = len(losses[0])
    request = Request(
        METRICS, dict(zip(METRICS, margins, strict=True)), {"loss": 5.0, "accuracy": 1.0}, 0.95, block, size, is_world
    )
    order = np.random.default_rng(seed).permutation(size)[:most]
    watch = Watch(request, len(order))
    taken = [] if asked is None else asked

    def score(rows):
        taken.extend(rows.tolist())
        return {"loss": tuple(own[rows] for own in losses), "accuracy": tuple(own[rows] for own in corrects)}

    watch.until_decided(order, score, lambda line: None)
    return watch, taken, order


def models(gain=0.0, lost=0.0, seed=0, size=SIZE):
    """Two models' losses and correctness; the second's loss is lower by `gain`, and it loses that share of rows."""
    rng = np.random.default_rng(seed)
    before = rng.gamma(0.3, 1.0, size)
    after = before + rng.normal(0, 0.1, size)
    after -= (after - before).mean() + gain
    right = rng.random(size) < 0.9
    other = right.copy()
    turned = np.flatnonzero(right)[: round(lost * size)]
    other[turned] = False
    return (before, after), (right, other)


def test_only_the_rows_up_to_the_verdict_are_evaluated_and_each_once():
    watch, taken, order = watched(*models(gain=-0.2))
    assert watch.is_decided
    assert watch.stop.n == len(taken) < SIZE / 4
    assert taken == order[: len(taken)].tolist()
    loss, _ = watch.findings()
    assert loss.code == WORSE
    assert loss.low > loss.margin
    assert loss.difference == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize(
    ("gain", "margin", "code"), [(0.2, 0.0, BETTER), (0.2, 0.1, NOT_WORSE), (-0.2, 0.1, WORSE), (0.0, 0.1, NOT_WORSE)]
)
def test_the_verdict_is_that_of_the_interval_and_of_the_truth(gain, margin, code):
    """Not worse takes fewer rows than better, so with a margin the first pass is mostly that."""
    losses, _ = models(gain=gain)
    request = Request({"loss": Loss()}, {"loss": margin}, {"loss": 5.0}, 0.95, 50, SIZE, is_world=False)
    watch = Watch(request, SIZE)
    order = np.random.default_rng(0).permutation(SIZE)
    watch.until_decided(order, lambda rows: {"loss": (losses[0][rows], losses[1][rows])}, lambda line: None)
    (loss,) = watch.findings()
    assert loss.n < SIZE
    assert loss.code == code
    assert code == (BETTER if loss.high < 0 else NOT_WORSE if loss.high < margin else WORSE)
    assert (loss.low > margin) == (code == WORSE)
    assert loss.level_low == loss.level_high == pytest.approx(0.95)


def test_at_the_last_row_the_verdict_is_the_plain_comparison():
    """Nothing differs, and the margins are 0: no sequence can tell, but all rows can."""
    losses, corrects = models()
    watch, taken, _ = watched((losses[0], losses[0]), (corrects[0], corrects[0]), margins=(0.0, 0.0))
    assert sorted(taken) == list(range(SIZE))
    assert watch.is_exact
    for finding in watch.findings():
        assert (finding.code, finding.p, finding.low, finding.high) == (NOT_WORSE, None, 0.0, 0.0)
    frame = watch.frame()
    assert frame["loss_low"].iloc[-1] == frame["loss_high"].iloc[-1] == 0.0


def test_of_the_world_all_rows_may_not_tell():
    losses, corrects = models()
    watch, *_ = watched((losses[0], losses[0]), (corrects[0], corrects[0]), margins=(0.0, 0.0), is_world=True)
    assert watch.stop.n == SIZE
    assert not watch.is_exact
    assert all(finding.code == UNDECIDED and finding.low < 0 < finding.high for finding in watch.findings())
    # Nothing speaks for either side, so more of the same would not either.
    assert all(finding.more == np.inf for finding in watch.findings())


def test_an_end_before_a_verdict_says_how_many_more_rows_would_decide():
    losses, corrects = models(gain=-0.06, size=6_000)
    short, *_ = watched(losses, corrects, most=100)
    long, *_ = watched(losses, corrects)
    finding = short.findings()[0]
    assert finding.code == UNDECIDED
    assert finding.more > 0
    assert 0.2 < (100 + finding.more) / long.stop.n < 5


def test_rows_beyond_the_range_are_counted():
    losses, corrects = models(gain=-0.3)
    losses[1][::4] += 50.0
    watch, taken, _ = watched(losses, corrects)
    assert watch.stop.cut == {"loss": sum(row % 4 == 0 for row in taken)}
    assert watch.stop.ranges == {"loss": 5.0}
    assert abs(watch.findings()[0].difference) <= 5


def test_the_frame_has_every_turn_and_not_too_many_looks():
    watch, *_ = watched(*models(lost=0.002, size=20_000), block=1, margins=(0.001, 0.001))
    frame = watch.frame()
    assert len(frame) < 70 < len(watch.looks)
    assert frame["n"].iloc[-1] == watch.stop.n
    assert (frame["loss_low"] <= frame["loss"]).all()
    assert (frame["accuracy"] <= frame["accuracy_high"]).all()
    turns = sum(now != before for now, before in zip(watch.codes[1:], watch.codes, strict=False))
    shown = frame[["loss_verdict", "accuracy_verdict"]].to_numpy()
    assert (shown[1:] != shown[:-1]).any(axis=1).sum() == turns


def at_the_margin(margins, seed=1, size=1_000):
    """Two models whose gain is exactly minus the margin: some rows lose 5 nats, the others gain hardly anything."""
    rng = np.random.default_rng(seed)
    before = rng.gamma(0.3, 1.0, size)
    difference = 1e-3 * rng.normal(size=size)
    difference[::200] = 5.0
    small = np.ones(size, dtype=bool)
    small[::200] = False
    difference[small] -= (difference.sum() - margins[0] * size) / small.sum()
    right = np.arange(size) < 900
    other = right.copy()
    gained, lost = 20, 20 + round(margins[1] * size)
    other[900 : 900 + gained], other[:lost] = True, False
    # What the loss and the accuracy do is of one piece: the rows that are lost are among those that differ much.
    return (before, before + difference), (right, other)


@pytest.mark.parametrize("is_world", [False, True], ids=["these rows", "the world"])
@pytest.mark.parametrize("margins", [(0.0, 0.0), (0.02, 0.01)], ids=["at 0", "at the margins"])
@pytest.mark.parametrize(("orders", "most"), [(60, 300), pytest.param(500, 999, marks=pytest.mark.slow)])
def test_a_wrong_verdict_on_any_metric_has_the_promised_chance(orders, most, margins, is_world):
    """At the margins no verdict but undecided is right before the last row."""
    losses, corrects = at_the_margin(margins)
    wrong = 0
    for seed in range(orders):
        watch, *_ = watched(losses, corrects, margins=margins, seed=seed, is_world=is_world, most=most, block=25)
        wrong += any(code != UNDECIDED for code in watch.codes[-1])
    assert stats.binomtest(wrong, orders, 0.05, alternative="greater").pvalue > 0.001


def test_the_range_of_a_metric_is_its_own_or_the_declared_one():
    assert range_of(Loss(), 2.0) == 2.0
    assert range_of(Accuracy(), None) == range_of(TopK(), None) == 1.0
    assert range_of(Brier(), 0.5) == Brier.most
    with pytest.raises(BadInput, match=r"study\.loss_range must say how far a row's loss may move, in nats"):
        range_of(Loss(), None)


def test_a_metric_without_bounds_is_refused():
    with pytest.raises(BadInput, match=r"must have metrics whose values have bounds; found value, which has none"):
        range_of(Value(), None)
