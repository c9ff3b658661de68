"""The interval of all rows covers the world that they are a sample of."""

import numpy as np
import pytest
from scipy import stats

from pipeline import interval
from pipeline.estimation.scored_units import ScoredUnits
from pipeline.interval import accuracy, loss
from pipeline.records import stored
from pipeline.records.scores import Scores
from pipeline.sampling.units import Units
from pipeline.sampling.without_replacement import SimplePlan
from pipeline.study.whole import estimates_of_all

SIZE = 12_000


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(3)
    return rng.exponential(0.4, SIZE), rng.random(SIZE) < 0.9


def units(losses, correct):
    return ScoredUnits(Scores(losses, correct), Units(len(losses)), SimplePlan(len(losses), 10))


def estimates(scored, own):
    return estimates_of_all(scored, {"loss": own}, seed=0, confidence=0.95)


def test_students_t_of_all_rows_is_scipys(values):
    found = estimates(units(*values), loss.MEMBERS["t"]())["loss"]
    low, high = stats.ttest_1samp(values[0], 0).confidence_interval(0.95)
    assert (found.low[0], found.high[0]) == pytest.approx((low, high), rel=1e-9)


def test_an_interval_that_would_resample_too_many_rows_is_the_normal_one(values):
    found = estimates(units(*values), loss.MEMBERS["bca"]())["loss"]
    low, high = stats.norm.interval(0.95, values[0].mean(), values[0].std() / np.sqrt(SIZE))
    assert found.method == "normal"
    assert (found.low[0], found.high[0]) == pytest.approx((low, high), rel=1e-9)


def test_scores_too_many_for_memory_have_the_normal_interval(values, tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "SMALL", 1000)
    columns = []
    for name, column in zip(("loss", "accuracy"), values, strict=True):
        np.save(tmp_path / f"{name}.npy", column)
        columns.append(np.load(tmp_path / f"{name}.npy", mmap_mode="r"))
    scored = units(*columns)
    assert scored.is_large
    chosen = {"loss": loss.MEMBERS["hall"](), "accuracy": accuracy.MEMBERS["wilson"]()}
    found = estimates_of_all(scored, chosen, seed=0, confidence=0.9)
    for name, column in zip(("loss", "accuracy"), values, strict=True):
        low, high = stats.norm.interval(0.9, column.mean(), column.std() / np.sqrt(SIZE))
        assert (found[name].low[0], found[name].high[0]) == pytest.approx((low, high), rel=1e-6)


def test_a_guarantee_is_not_replaced_by_an_interval_that_has_none(values):
    assert estimates(units(*values), loss.MEMBERS["betting"](cap=20.0)) == {}
    few = units(values[0][:200], values[1][:200])
    assert "betting" in estimates(few, loss.MEMBERS["betting"](cap=20.0))["loss"].method


def test_an_infinite_loss_has_no_ends(values):
    losses = np.where(np.arange(SIZE) == 7, np.inf, values[0])
    found = estimates(units(losses, values[1]), loss.MEMBERS["bca"]())["loss"]
    assert (found.value[0], found.low[0], found.high[0]) == (np.inf, pytest.approx(np.nan, nan_ok=True), np.inf)


def test_every_family_of_intervals_is_asked_by_metric(values):
    both = interval.MEMBERS["by_metric"](loss.MEMBERS["hall"](), accuracy.MEMBERS["wilson"]())
    found = estimates_of_all(units(*values), {"loss": both.loss, "accuracy": both.accuracy}, seed=0, confidence=0.95)
    assert list(found) == ["loss", "accuracy"]
