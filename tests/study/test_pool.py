"""A pool evaluates each unit once, and looks until its goals are reached."""

import numpy as np
import pytest

from pipeline.interval.capital import sequence_at
from pipeline.interval.share_sequence import share_sequence_at
from pipeline.metric.accuracy import Accuracy
from pipeline.records.scores import Scores
from pipeline.sampling.units import Units
from pipeline.study.pool import Pool, looks_frame, looks_until

CORRECT = np.random.default_rng(0).random(400) < 0.9


def pool(seen, goal=None):
    def evaluate(rows):
        seen.append(rows)
        return Scores(None, CORRECT[rows])

    return Pool(
        evaluate,
        Units(400),
        {"accuracy": Accuracy()},
        loss_cap=1.0,
        goals={"accuracy": goal},
        confidence=0.95,
        is_finite=True,
    )


def test_units_that_come_again_are_not_evaluated_again():
    seen = []
    own = pool(seen)
    own.take(np.array([3, 1, 3]))
    own.take(np.array([1, 2]))
    assert [rows.tolist() for rows in seen] == [[1, 3], [2]]
    assert own.rows == 3


@pytest.mark.parametrize("goal", [0.1, 1e-9])
def test_looks_end_at_the_goal_or_at_all_rows(goal):
    looks = list(looks_until(pool([], goal), np.arange(400), {"accuracy": goal}, block=50, growth=1.0))
    assert all(look.found["accuracy"].half_width > goal for look in looks[:-1])
    assert looks[-1].found["accuracy"].half_width <= goal
    assert looks_frame(looks)["rows"].tolist() == [50 * (i + 1) for i in range(len(looks))]
    if goal < 1e-6:
        assert looks[-1].found["accuracy"].mean == CORRECT.mean()


@pytest.mark.parametrize("is_grouped", [False, True])
@pytest.mark.parametrize("goal", [None, 0.05])
def test_shares_of_rows_are_looked_at_by_likelihood_ratios_and_those_of_groups_by_betting(is_grouped, goal):
    # Groups of which some are right in part; 4 rows each, so that a group's share is its sum over 4.
    units = Units(400, order=np.arange(400), starts=np.arange(0, 401, 4)) if is_grouped else Units(400)
    own = Pool(
        lambda rows: Scores(None, CORRECT[rows]),
        units,
        {"accuracy": Accuracy()},
        loss_cap=1.0,
        goals={"accuracy": goal},
        confidence=0.9,
        is_finite=True,
    )
    order = np.random.default_rng(1).permutation(units.size)[:60]
    own.take(order)
    found = own.look(order).found["accuracy"]
    values = CORRECT.reshape(100, 4).mean(axis=1)[order] if is_grouped else CORRECT[order].astype(float)
    made = sequence_at if is_grouped else share_sequence_at
    low, high = made(values, np.array([60]), confidence=0.9, population_size=units.size, within=goal)
    assert (found.low, found.high) == pytest.approx((low[0], high[0]), rel=1e-12)
