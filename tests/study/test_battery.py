import numpy as np
import pytest

from pipeline import interval as interval_family
from pipeline.errors import BadInput
from pipeline.estimation.draws import batches_of
from pipeline.interval import accuracy, loss
from pipeline.interval.loss.t import T
from pipeline.sampling.streams import BATTERY, generator
from pipeline.study.battery import Battery
from pipeline.study.generated import POPULATIONS


def battery(stages_of, draws=60, sizes=(300,), rows=(30,), configured="hall_score", seed=0):
    chosen = interval_family.MEMBERS["by_metric"](loss.MEMBERS[configured](), accuracy.MEMBERS["wilson"]())
    stages = stages_of(draws=draws, intervals=chosen, seed=seed)
    return Battery(sizes=list(sizes), rows=list(rows)).answer(stages)


def test_a_row_for_every_population_size_and_interval_and_the_losses_at_hand_are_one_population_more(stages_of):
    frame = battery(stages_of).tables["battery.csv"]
    names = {name for name, part in loss.MEMBERS.items() if not part.needs_values}
    assert set(frame["interval"]) == names
    assert len(frame) == (len(POPULATIONS) + 1) * len(names)
    assert frame["population"].iloc[-1] == "digits test, mlp"
    assert frame["size"].iloc[-1] == 1_000


def test_the_shares_held_against_a_loop_over_the_same_draws(stages_of):
    frame = battery(stages_of).tables["battery.csv"]
    losses = POPULATIONS["calibrated"](generator(BATTERY, 0, place=1, n=1), 300)
    drawn = losses[generator(BATTERY, 0, place=1, n=30).integers(0, 300, (60, 30))]
    held = 0
    for rows in drawn:
        found = T().estimate(batches_of(rows[None]), 0.95)
        held += bool(found.low[0] <= losses.mean() <= found.high[0])
    own = frame[(frame["population"] == "calibrated") & (frame["interval"] == "t")]
    assert own["coverage"].item() == pytest.approx(held / 60)


def test_the_metrics_are_the_worst_of_each_interval(stages_of):
    result = battery(stages_of)
    own = result.tables["battery.csv"].query("interval == 'hall'")
    assert result.metrics["loss/hall/held_least"] == own["coverage"].min()
    assert result.metrics["loss/hall/too_wide"] == (own["width_ratio"] > 1.4).sum()
    assert set(Battery.columns) <= set(result.metrics)


def test_sizes_that_make_no_batch_are_refused():
    with pytest.raises(BadInput, match=r"study.rows must be whole numbers of at least 2; found \[1\]"):
        Battery(rows=[1])
    with pytest.raises(BadInput, match=r"study.sizes must be whole numbers of at least 1"):
        Battery(sizes=[])


@pytest.mark.slow
def test_the_default_holds_what_it_promises_on_the_whole_battery_and_misses_of_halls_are_called_unreliable(stages_of):
    frame = battery(stages_of, draws=4_000, sizes=(1_000, 10_000, 100_000), rows=(30, 100, 300, 1_000), seed=1).tables[
        "battery.csv"
    ]
    ours, halls = (frame[frame["interval"] == name] for name in ("hall_score", "hall"))
    assert ours["coverage"].min() >= 0.935
    assert (ours["coverage_high"] < 0.95).mean() <= 0.05
    assert (halls["coverage_high"] < 0.95).mean() > 0.2
    assert np.median(ours["width_ratio"]) <= 1.2
    low = halls[halls["coverage_high"] < 0.95]
    assert np.average(low["unreliable_of_missed"], weights=1 - low["coverage"]) >= 0.8
