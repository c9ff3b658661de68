"""The sequential gain against enumeration, and against simulations judged by a binomial bound."""

import math
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from pipeline import data as data_family
from pipeline import model as model_family
from pipeline.estimation.sequential_pair import SequentialGain
from pipeline.estimation.wager import log_growth, spread_stakes
from pipeline.model.network import Network
from pipeline.scoring.rows import score

ALPHA = 0.05
# Any claim at the truth is wrong, and each side has half of α.
ONE_SIDE = ALPHA / 2


def evidence(gains, *, block=None, **changes):
    """What rows say, shape (m, n), looked at after each block; as a sample of the world if nothing else is said."""
    gains = np.atleast_2d(np.asarray(gains, dtype=np.float64))
    asked = {"margin": 0.0, "rows": 1_000, "error": ONE_SIDE, "orders": len(gains)} | changes
    gain = SequentialGain(**asked)
    for start in range(0, gains.shape[1], block or gains.shape[1]):
        gain.take(gains[:, start : start + (block or gains.shape[1])])
    return gain


@pytest.mark.parametrize("error", [0.05, 0.2, 0.4])
def test_no_more_orders_than_promised_are_ever_wrong_by_enumeration(error):
    """All 5,040 orders of seven rows whose gain is exactly 0."""
    orders = np.array(list(permutations((1, 1, 1, -1, -1, -1, 0))), dtype=np.float64)
    gain = evidence(orders, block=1, size=7, rows=7, is_share=True)
    assert gain.is_above(0.0, 0.4).any()
    assert gain.is_above(0.0, error).mean() <= error
    assert gain.is_below(0.0, error).mean() <= error


def test_a_mean_that_the_rows_seen_leave_no_room_for_is_rejected():
    """Nine gains of ten rows: the tenth cannot bring the mean to 0."""
    gain = evidence([[1.0] * 9], block=1, size=10, rows=10, is_share=True)
    assert gain.is_above(0.0, 1e-9)[0]
    assert not evidence([[1.0] * 9], block=1, rows=10, is_share=True).is_above(0.0, 1e-9)[0]


@pytest.mark.parametrize("size", [None, 500])
def test_the_capital_does_not_depend_on_how_the_rows_are_cut_into_blocks(size):
    gains = np.random.default_rng(0).normal(0.1, 0.3, (3, 437))
    whole, parts = (evidence(gains, block=block, size=size, margin=0.05, reach=0.8) for block in (None, 23))
    stakes, seen = spread_stakes(1_000, ONE_SIDE), np.zeros(3)
    values = np.clip(gains / 0.8, -1, 1)
    for at in (0.0, -0.05):
        expected = log_growth(values, stakes, np.full(1, at / 0.8), seen=seen, start=0, size=size)
        for gain in (whole, parts):
            assert gain._bets[1.0, at].logs == pytest.approx(expected, rel=1e-9)
    assert parts.value == pytest.approx(0.8 * values.mean(axis=1))
    assert parts.cut == np.count_nonzero(np.abs(gains) > 0.8) > 0


@pytest.mark.parametrize("size", [None, 3_000])
@pytest.mark.parametrize("is_share", [False, True])
def test_the_interval_and_the_claims_agree_and_later_intervals_lie_within_earlier_ones(size, is_share):
    rng = np.random.default_rng(5)
    gains = (
        rng.choice([-1.0, 0.0, 1.0], (1, 1_200), p=[0.02, 0.9, 0.08]) if is_share else rng.normal(0.05, 0.4, (1, 1_200))
    )
    gain = SequentialGain(0.03, 3_000, ONE_SIDE, reach=1.0 if is_share else 2.0, size=size, is_share=is_share)
    looks, claims = [], []
    for start in range(0, 1_200, 100):
        gain.take(gains[:, start : start + 100])
        looks.append(gain.n)
        claims.append([gain.is_above(at, ONE_SIDE)[0] for at in (0.0, -0.03)])
    mean, low, high = gain.path(looks, ONE_SIDE, ONE_SIDE)
    assert mean[-1] == pytest.approx(gain.value[0])
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) <= 0).all()
    assert low[-1] < gain.value[0] < high[-1]
    for end, own in zip(low, claims, strict=True):
        for at, claimed in zip((0.0, -0.03), own, strict=True):
            # The end is rounded outwards, by less than this.
            assert claimed == (end > at) or abs(end - at) < 0.002
    assert claims[-1] == [True, True]
    assert claims[0] == [False, False]


def test_at_the_last_of_n_rows_the_interval_is_next_to_nothing():
    gains = np.random.default_rng(1).normal(0.0, 0.3, (1, 400))
    gain = evidence(gains, block=50, size=400, rows=400)
    _, low, high = gain.path(range(50, 401, 50), ONE_SIDE, ONE_SIDE)
    assert low[-1] <= gains.clip(-1, 1).mean() <= high[-1]
    assert high[-1] - low[-1] < 0.1 * (high[3] - low[3])


# Populations of 1,000 rows: their gains, R, whether they are of a share.
def rare(sign):
    """1 of 200 rows differs by 5 nats, the rest hardly."""
    gains = 1e-3 * np.random.default_rng(0).normal(size=1_000)
    gains[::200] = 5.0 * sign
    return gains, 5.0, False


POPULATIONS = {
    "a few rows lose 5 nats": lambda: rare(-1),
    "a few rows gain 5 nats": lambda: rare(1),
    "normal": lambda: (np.random.default_rng(0).normal(0, 0.3, 1_000), 2.0, False),
    "right and wrong": lambda: (np.repeat([1.0, -1.0, 0.0], [60, 60, 880]), 1.0, True),
    "right and wrong, few": lambda: (np.repeat([1.0, -1.0, 0.0], [4, 4, 992]), 1.0, True),
}


def with_gain(name, gain):
    """The population with this gain exactly: of a mean all but the large rows are moved, of a share some turn wrong."""
    gains, reach, is_share = POPULATIONS[name]()
    if is_share:
        gains[-round(-gain * len(gains)) or len(gains) :] = -1.0
    else:
        moved = np.abs(gains) < reach / 2
        gains[moved] -= (gains.sum() - gain * len(gains)) / moved.sum()
    assert gains.mean() == pytest.approx(gain, abs=1e-12)
    return gains, reach, is_share


def orders_of(gains, orders, rows, *, is_world, seed=0):
    rng = np.random.default_rng(seed)
    if is_world:
        return rng.choice(gains, (orders, rows))
    return np.array([rng.permutation(gains)[:rows] for _ in range(orders)])


def ever_wrong(orders, gain, reach, is_share, *, size, block):
    """How many orders are ever claimed to have a gain above, or below, what it is."""
    found = evidence(orders, block=block, margin=-gain, rows=orders.shape[1], reach=reach, size=size, is_share=is_share)
    return int((found.is_above(gain, ONE_SIDE) | found.is_below(gain, ONE_SIDE)).sum())


def ever_wrong_asymptotically(orders, gain, *, block, tuned_for=500):
    """The same by an asymptotic confidence sequence with the estimated σ  [Waudby-Smith et al. 2024, AoS 52, eq. 7]."""
    n = np.arange(1, orders.shape[1] + 1)
    mean = np.cumsum(orders, axis=1) / n
    variance = np.maximum(np.cumsum(orders**2, axis=1) / n - mean**2, 0)
    tuned = (-2 * math.log(ALPHA) + math.log(1 - 2 * math.log(ALPHA))) / tuned_for
    half = np.sqrt(2 * variance * (n * tuned + 1) / (n**2 * tuned) * np.log(np.sqrt(n * tuned + 1) / ALPHA))
    looked = slice(block - 1, None, block)
    return int((np.abs(mean - gain) > half)[:, looked].any(axis=1).sum())


@pytest.mark.parametrize("is_world", [False, True], ids=["these rows", "the world"])
@pytest.mark.parametrize("gain", [0.0, -0.02], ids=["at 0", "at the margin"])
@pytest.mark.parametrize("name", POPULATIONS)
@pytest.mark.parametrize(
    ("orders", "rows", "block"), [(100, 300, 25), pytest.param(500, 1_000, 10, marks=pytest.mark.slow)]
)
def test_wrong_verdicts_stay_within_the_promised_error(name, gain, is_world, orders, rows, block):
    gains, reach, is_share = with_gain(name, gain)
    drawn = orders_of(gains, orders, rows, is_world=is_world)
    wrong = ever_wrong(drawn, gain, reach, is_share, size=None if is_world else len(gains), block=block)
    assert stats.binomtest(wrong, orders, ALPHA, alternative="greater").pvalue > 0.001


@pytest.mark.parametrize(
    ("orders", "rows", "block"), [(100, 300, 25), pytest.param(500, 1_000, 10, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("gain", [0.0, -0.02], ids=["at 0", "at the margin"])
@pytest.mark.parametrize("name", ["a few rows lose 5 nats", "a few rows gain 5 nats"])
def test_an_asymptotic_sequence_with_an_estimated_spread_breaks_the_promise_where_few_rows_differ_much(
    name, gain, orders, rows, block
):
    gains, *_ = with_gain(name, gain)
    wrong = ever_wrong_asymptotically(orders_of(gains, orders, rows, is_world=False), gain, block=block)
    assert wrong / orders > 0.5


def disturbed(book_network, mnist_root, by):
    """The gains of the book's network on MNIST by normal noise in its weights, of `by` times their spread."""
    data = data_family.MEMBERS["mnist"](root=str(mnist_root), split="test")
    rows, network = data.load(), model_family.MEMBERS["npz"](path=str(book_network)).build(data)
    rng = np.random.default_rng(1)
    layers = [(W + by * W.std() * rng.normal(size=W.shape).astype(W.dtype), b) for W, b in network.layers]
    before, after = score(network, rows), score(Network(layers, network.activation), rows)
    return {
        "loss": before.columns["loss"].astype(np.float64) - after.columns["loss"],
        "accuracy": after.columns["accuracy"].astype(np.float64) - before.columns["accuracy"],
    }


@pytest.mark.parametrize("is_world", [False, True], ids=["these rows", "the world"])
@pytest.mark.parametrize(
    ("metric", "by", "reach"),
    [("loss", 0.2, 2.0), ("loss", 0.25, 2.0), ("loss", 0.25, 5.0), ("accuracy", 0.4, 1.0)]
    + [pytest.param("loss", by, 5.0, marks=pytest.mark.slow) for by in (0.1, 0.2, 0.3, 0.4)],
)
def test_at_most_twice_the_rows_of_the_plan_that_knows_the_effect(
    mnist_root, book_network, metric, by, reach, is_world
):
    gains = disturbed(book_network, mnist_root, by)[metric]
    size, orders, block = len(gains), 40, 20
    cut = np.clip(gains, -reach, reach)
    plan = (stats.norm.ppf(1 - ALPHA / 2) + stats.norm.ppf(0.8)) ** 2 * cut.var() / cut.mean() ** 2
    if not is_world:
        plan /= 1 + plan / size
    assert 100 < plan < 3_500
    drawn = orders_of(gains, orders, size, is_world=is_world)
    found = SequentialGain(
        0.0, size, ONE_SIDE, reach=reach, size=None if is_world else size, is_share=metric == "accuracy", orders=orders
    )
    used = np.zeros(orders)
    while not (used > 0).all():
        found.take(drawn[:, found.n : found.n + block])
        # The disturbed network is the worse one.
        used[(used == 0) & found.is_below(0.0, ONE_SIDE)] = found.n
        assert not found.is_above(0.0, ONE_SIDE).any()
    assert used.mean() <= 2 * plan
