"""Scores on disk say what the same scores in memory say, and take little memory; NumPy is the other oracle."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import BadInput
from pipeline.estimation.draws import batches_with_values, draw_batches, drawn_units, variance_ratio
from pipeline.estimation.scored_units import ScoredUnits
from pipeline.records import stored
from pipeline.records.rows import Dataset
from pipeline.records.scores import Scores
from pipeline.records.stored import StoredColumn, column_of, held_table, n_infinite
from pipeline.sampling import MEMBERS, systematic
from pipeline.sampling.systematic import SystematicPlan
from pipeline.sampling.units import Units, units_of
from pipeline.sampling.without_replacement import SimplePlan
from tests.populations import frame_of, some_scores

DESIGNS = pytest.mark.parametrize("design", [part() for part in MEMBERS.values()], ids=list(MEMBERS))
N = 3000


def on_disk(folder, values):
    """The values as a memory map of a file."""
    path = folder / f"{len(list(folder.iterdir()))}"
    column = np.memmap(path, values.dtype, "w+", shape=values.shape)
    column[:] = values
    column.flush()
    return column


@pytest.fixture
def tight(monkeypatch):
    """Few rows are many: several blocks, several ways through a column, and no table of all rows."""
    for name, value in (("SMALL", 100), ("BLOCK", 256), ("_MOST_MAPPED_BYTES", 2048), ("_MOST_HELD_BYTES", 0)):
        monkeypatch.setattr(stored, name, value)
    monkeypatch.setattr(systematic, "BLOCK", 256)


def two_of(folder, size=N, dtype=np.float32):
    """Scores on disk, and the same ones in memory."""
    scores = some_scores(size)
    loss = scores.loss.astype(dtype)
    apart = Scores(on_disk(folder, loss), on_disk(folder, scores.correct))
    return apart, Scores(loss.astype(np.float64), scores.correct)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.bool_])
@pytest.mark.parametrize("size", [1, 255, 256, 257, 3000])
def test_mean_and_variance_against_numpy_whatever_the_blocks(tight, tmp_path, dtype, size):
    values = some_scores(size).loss.astype(np.float64)
    values = (values > 0.1) if dtype is np.bool_ else (1e4 + values).astype(dtype)
    found = StoredColumn(on_disk(tmp_path, values))
    assert found.mean() == pytest.approx(values.astype(np.float64).mean(), rel=1e-14)
    assert found.var() == pytest.approx(values.astype(np.float64).var(), rel=1e-12, abs=1e-15)
    assert found.is_binary == (dtype is np.bool_)


def test_equal_values_have_a_variance_of_exactly_zero_and_losses_of_0_and_1_are_a_share(tight, tmp_path):
    assert StoredColumn(on_disk(tmp_path, np.full(700, 0.25, np.float32))).var() == 0
    assert StoredColumn(on_disk(tmp_path, np.array([0, 1] * 400, np.float32))).is_binary


def test_an_infinite_value_makes_the_mean_infinite_and_is_counted(tight, tmp_path):
    values = some_scores(700).loss.astype(np.float32)
    values[[3, 300, 301]] = np.inf
    scores = Scores(on_disk(tmp_path, values), None)
    assert np.isinf(column_of(scores, "loss").mean())
    assert np.isnan(column_of(scores, "loss").var())
    assert n_infinite(scores) == n_infinite(Scores(values, None)) == 3


def test_values_are_taken_in_the_order_asked_for(tight, tmp_path):
    values = np.random.default_rng(0).random(5000).astype(np.float32)
    rows = np.random.default_rng(1).integers(0, 5000, (7, 300))
    np.testing.assert_array_equal(StoredColumn(on_disk(tmp_path, values)).take(rows), values[rows].astype(np.float64))


@pytest.mark.parametrize("length", [1, 100, 256, 1000])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_sums_over_runs_against_numpy(tight, tmp_path, length, is_weighted):
    values = np.random.default_rng(0).random(2600).astype(np.float32)
    weights = np.random.default_rng(1).random(2600) if is_weighted else None
    starts = np.append(np.arange(0, 2600, length), 2600)
    expected = [
        (values[a:b] * (1 if weights is None else weights[a:b])).sum(dtype=np.float64) for a, b in pairwise(starts)
    ]
    np.testing.assert_allclose(StoredColumn(on_disk(tmp_path, values)).totals(starts, weights), expected, rtol=1e-12)


def assert_alike(found, expected):
    for metric, batches in expected.items():
        np.testing.assert_allclose(found[metric].mean, batches.mean, rtol=1e-12)
        np.testing.assert_allclose(found[metric].error_variance, batches.error_variance, rtol=1e-10, atol=1e-18)
        np.testing.assert_allclose(found[metric].error_third, batches.error_third, rtol=1e-8, atol=1e-14)
        np.testing.assert_allclose(found[metric].degrees, batches.degrees, rtol=1e-10)
        np.testing.assert_allclose(found[metric].effective, batches.effective, rtol=1e-10)
        assert (found[metric].design, found[metric].is_simple) == (batches.design, batches.is_simple)


@DESIGNS
@pytest.mark.parametrize("target", ["population", "superpopulation"])
@pytest.mark.parametrize("is_held", [False, True], ids=["read", "held"])
def test_draws_from_disk_say_what_draws_from_memory_say(tight, monkeypatch, tmp_path, design, target, is_held):
    if is_held:
        monkeypatch.setattr(stored, "_MOST_HELD_BYTES", 1 << 30)
    apart, together = two_of(tmp_path)
    plan = design.plan(frame_of(together), 70)
    found, expected = ScoredUnits(apart, Units(N), plan), ScoredUnits(together, Units(N), plan)
    assert found.is_large
    assert not expected.is_large
    wanted = draw_batches(expected, seed=3, draws=40, target=target)
    assert_alike(draw_batches(found, seed=3, draws=40, target=target), wanted)
    for metric in ("loss", "accuracy"):
        assert found.mean(metric) == pytest.approx(expected.mean(metric), rel=1e-13)
        assert found.error_variance(metric) == pytest.approx(expected.error_variance(metric), rel=1e-12)
        assert variance_ratio(found, metric) == pytest.approx(variance_ratio(expected, metric), rel=1e-12)
    ways = (batches_with_values(scored, seed=3, draws=40, target=target) for scored in (found, expected))
    for (block, ours), (other, theirs) in zip(*ways, strict=True):
        assert block == other
        assert_alike(ours, theirs)
        for metric, batches in theirs.items():
            np.testing.assert_allclose(ours[metric].values, batches.values, rtol=1e-12)
            assert ours[metric].bounds == batches.bounds


def rows_of(n, groups=None, weights=None):
    return Dataset(np.zeros((n, 1), np.float32), np.zeros(n, int), 2, 1.0, "rows", "d", groups, weights)


@pytest.mark.parametrize("kind", ["groups", "weights", "blocks", "weighted blocks"])
def test_units_that_count_differently_say_on_disk_what_they_say_in_memory(tight, tmp_path, kind):
    rng = np.random.default_rng(0)
    groups = np.unique(rng.integers(0, 200, N), return_inverse=True)[1] if kind == "groups" else None
    weights = rng.lognormal(0, 0.3, N) if "weight" in kind else None
    dataset = rows_of(N, groups, weights)
    units = MEMBERS["blocks"](rows=130).units(dataset) if "blocks" in kind else units_of(dataset)
    apart, together = two_of(tmp_path)
    plan = SimplePlan(units.size, 15)
    found, expected = ScoredUnits(apart, units, plan), ScoredUnits(together, units, plan)
    assert_alike(draw_batches(found, seed=1, draws=20), draw_batches(expected, seed=1, draws=20))
    for metric in ("loss", "accuracy"):
        assert found.mean(metric) == pytest.approx(expected.mean(metric), rel=1e-13)
        assert found.error_variance(metric) == pytest.approx(expected.error_variance(metric), rel=1e-11)


@DESIGNS
def test_few_scores_on_disk_give_the_same_figures_to_the_last_bit(tmp_path, design):
    apart, together = two_of(tmp_path, dtype=np.float64)
    plan = design.plan(frame_of(together), 70)
    found, expected = (draw_batches(ScoredUnits(s, Units(N), plan), seed=3, draws=9) for s in (apart, together))
    for metric, batches in expected.items():
        np.testing.assert_array_equal(found[metric].mean, batches.mean)
        np.testing.assert_array_equal(found[metric].error_variance, batches.error_variance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_table_of_all_metrics_holds_every_value_exactly(tight, monkeypatch, tmp_path, dtype):
    monkeypatch.setattr(stored, "_MOST_HELD_BYTES", 1 << 30)
    apart, together = two_of(tmp_path, dtype=dtype)
    np.testing.assert_array_equal(held_table(apart), np.column_stack([together.loss, together.correct]))


@pytest.mark.parametrize("with_infinite", ["read", "held"])
def test_only_batches_from_disk_with_an_infinite_loss_have_an_infinite_mean(
    tight, monkeypatch, tmp_path, with_infinite
):
    if with_infinite == "held":
        monkeypatch.setattr(stored, "_MOST_HELD_BYTES", 1 << 30)
    loss = some_scores(500).loss.astype(np.float32)
    loss[3] = np.inf
    scored = ScoredUnits(Scores(on_disk(tmp_path, loss), None), Units(500), SimplePlan(500, 30))
    found = draw_batches(scored, seed=2, draws=50)["loss"]
    has_it = [3 in scored.plan.batch(2, i).indices for i in range(50)]
    assert 0 < sum(has_it) < 50
    np.testing.assert_array_equal(np.isinf(found.mean), has_it)
    np.testing.assert_array_equal(np.isfinite(found.error_variance), ~np.array(has_it))
    assert np.isnan(scored.error_variance("loss"))


@settings(max_examples=150, deadline=None)
@given(size=st.integers(1, 90), block=st.integers(1, 40), long_row=st.integers(1, 9), data=st.data())
def test_the_systematic_variance_from_disk_against_the_means_of_all_starts(
    tmp_path_factory, size, block, long_row, data
):
    batch_size = data.draw(st.integers(1, size))
    values = some_scores(size).loss.astype(np.float32)
    plan = SystematicPlan(size, batch_size, None, "stored")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(systematic, "BLOCK", block)
        patch.setattr(systematic, "_LONG_ROW", long_row)
        found = plan.stored_error_variance(StoredColumn(on_disk(tmp_path_factory.mktemp("c"), values)))
    means = [values[plan.from_start(start).indices].mean(dtype=np.float64) for start in range(size)]
    assert found == pytest.approx(np.var(means), rel=1e-9, abs=1e-18)


def test_the_error_of_a_systematic_sample_of_a_very_long_step_is_left_out(monkeypatch, tight, tmp_path):
    monkeypatch.setattr(systematic, "_LONGEST_STEP", 9)
    values = StoredColumn(on_disk(tmp_path, some_scores(100).loss))
    assert np.isnan(SystematicPlan(100, 10, None, "stored").stored_error_variance(values))
    assert SystematicPlan(100, 1, None, "stored").stored_error_variance(values) == values.var()


@pytest.mark.parametrize("name", ["stratified", "importance", "difference", "epoch", "systematic"])
def test_what_keeps_something_of_every_row_is_refused_where_there_are_too_many(monkeypatch, name):
    monkeypatch.setattr(stored, "MOST_IN_MEMORY", 500)
    design = MEMBERS[name](order="proxy") if name == "systematic" else MEMBERS[name]()
    with pytest.raises(
        BadInput, match=r"must have at most 500 rows, for it keeps something of each in memory; found 501"
    ):
        design.plan(frame_of(some_scores(501)), 50)
    design.plan(frame_of(some_scores(500)), 50)


def test_groups_and_weights_of_too_many_rows_are_refused(monkeypatch):
    monkeypatch.setattr(stored, "MOST_IN_MEMORY", 500)
    with pytest.raises(BadInput, match=r"data.group and data.weight must have at most 500 rows"):
        units_of(rows_of(501, weights=np.ones(501)))
    assert units_of(rows_of(501)).size == 501


def test_a_large_share_of_very_many_rows_is_not_drawn_without_replacement(monkeypatch):
    monkeypatch.setattr("pipeline.sampling.without_replacement.MOST_IN_MEMORY", 500)
    SimplePlan(1000, 50).batch(0, 0)
    with pytest.raises(BadInput, match=r"batch_size must be at most 50, a twentieth of the 1,000 rows"):
        SimplePlan(1000, 51).batch(0, 0)


@DESIGNS
def test_the_units_drawn_are_found_alike_with_a_number_for_each_and_with_a_mark_for_each(monkeypatch, design):
    plan = design.plan(frame_of(some_scores(4000)), 20)
    by_number = drawn_units(plan, seed=1, draws=3)
    monkeypatch.setattr("pipeline.estimation.draws._BYTES_A_SORTED_INDEX", 1 << 20)
    np.testing.assert_array_equal(drawn_units(plan, seed=1, draws=3), by_number)
    assert len(by_number) <= 60


PEAK = """
import sys
from pathlib import Path
import numpy as np
from pipeline.estimation.draws import draw_batches
from pipeline.estimation.scored_units import ScoredUnits
from pipeline.records import Scores
from pipeline.sampling.without_replacement import SimplePlan
from pipeline.sampling.units import Units
size = int(sys.argv[2])
scores = Scores(np.memmap(sys.argv[1], np.float32, "r+", shape=(size,)), None)
draw_batches(ScoredUnits(scores, Units(size), SimplePlan(size, 10_000)), seed=0, draws=30)
print(int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process by itself is read from /proc")
@pytest.mark.process
def test_a_process_that_draws_from_400_megabytes_stays_small(tmp_path):
    size = 100_000_000
    with (tmp_path / "loss").open("wb") as file:
        file.truncate(4 * size)
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(tmp_path / "loss"), str(size)], capture_output=True, text=True, check=True
    )
    # NumPy and SciPy take some 60 megabytes, and as much of the column is mapped at once; without that, it is all 400.
    assert int(done.stdout) < 200
