import numpy as np
import pytest
from scipy import stats

from pipeline.data.streamed import Streamed
from pipeline.errors import BadInput
from pipeline.estimation.draws import draw_batches, drawn_units
from pipeline.estimation.scored_units import ScoredUnits
from pipeline.interval.loss.t import T
from pipeline.records.rows import Block, Dataset
from pipeline.records.scores import Scores
from pipeline.sampling.blocks import Blocks
from tests.populations import frame_of, some_scores


def rows_of(n, groups=None, weights=None):
    return Dataset(np.zeros((n, 1), np.float32), np.zeros(n, int), 2, 1.0, "rows", "d", groups, weights)


def scored_of(scores, design, batch_size, weights=None):
    units = design.units(rows_of(len(scores), weights=weights))
    return ScoredUnits(scores, units, design.plan(frame_of(some_scores(units.size)), batch_size))


def test_the_units_are_runs_of_consecutive_rows_and_the_last_may_be_shorter():
    units = Blocks(rows=4).units(rows_of(10))
    assert units.size == 3
    assert units.sizes().tolist() == [4, 4, 2]
    assert units.rows_of(np.array([2, 0])).tolist() == [8, 9, 0, 1, 2, 3]
    assert units.totals(np.arange(10.0)).tolist() == [6, 22, 17]
    assert units.totals(np.array([8.0, 9, 0, 1, 2, 3]), np.array([2, 0])).tolist() == [17, 6]
    assert not units.is_simple


def test_a_batch_is_the_ratio_of_its_blocks_sums_to_their_weights():
    scores, weights = some_scores(95), np.random.default_rng(1).random(95) + 0.5
    scored = scored_of(scores, Blocks(rows=10), 4, weights)
    found = draw_batches(scored, seed=0, draws=6)
    for i in range(6):
        rows = scored.units.rows_of(scored.plan.batch(0, i).indices)
        for metric, values in (("loss", scores.loss), ("accuracy", scores.correct)):
            assert found[metric].mean[i] == pytest.approx(np.average(values[rows], weights=weights[rows]), rel=1e-12)


def correlated(rng, n_blocks, rows):
    """Neighbours share most of their loss, as the pages of one book do."""
    loss = np.repeat(rng.normal(1.0, 0.5, n_blocks), rows) + rng.normal(0, 0.2, n_blocks * rows)
    return Scores(loss[:-3], loss[:-3] < 1.3)


def test_where_neighbours_are_alike_its_error_is_the_simulated_one_and_its_intervals_hold():
    scores, draws = correlated(np.random.default_rng(5), 200, 10), 3000
    scored = scored_of(scores, Blocks(rows=10), 30)
    found = draw_batches(scored, seed=1, draws=draws)
    for metric, batches in found.items():
        error = batches.mean - scored.mean(metric)
        # A ratio whose last block is shorter: its bias is far below the noise.
        assert abs(error.mean()) < 4.5 * error.std() / np.sqrt(draws)
        assert scored.error_variance(metric) == pytest.approx(error.var(), rel=0.12)
        assert batches.error_variance.mean() == pytest.approx(error.var(), rel=0.12)
    interval = T().estimate(found["loss"], 0.95)
    truth = scores.loss.mean()
    held = int(((interval.low <= truth) & (truth <= interval.high)).sum())
    assert stats.binomtest(held, draws, 0.95).pvalue > 0.001
    # As many rows drawn one by one would tell some nine times as much.
    assert found["loss"].error_variance.mean() > 5 * scores.loss.var() / 300


def test_all_blocks_are_the_population():
    scores = some_scores(95)
    found = draw_batches(scored_of(scores, Blocks(rows=10), 10), seed=0, draws=1)
    assert found["loss"].mean[0] == pytest.approx(scores.loss.mean(), rel=1e-13)
    assert found["loss"].error_variance[0] == 0


def test_blocks_of_one_row_are_a_simple_sample_without_replacement():
    from pipeline.sampling.without_replacement import WithoutReplacement
    from tests.populations import scored_of as plain_of

    scores = some_scores(60)
    found = draw_batches(scored_of(scores, Blocks(rows=1), 12), seed=0, draws=8)
    expected = draw_batches(plain_of(scores, WithoutReplacement(), 12), seed=0, draws=8)
    for metric, batches in expected.items():
        np.testing.assert_allclose(found[metric].mean, batches.mean, rtol=1e-12)
        np.testing.assert_allclose(found[metric].error_variance, batches.error_variance, rtol=1e-9)


def test_only_the_shards_that_hold_the_blocks_drawn_are_read():
    read = []

    def read_shard(shard):
        read.append(shard)
        yield Block(np.arange(100 * shard, 100 * shard + 100.0)[:, None], None)

    rows = Streamed("rows", "d", 0, 1.0, 1, np.arange(0, 5001, 100), read_shard, None, str)
    design = Blocks(rows=100)
    units = design.units(rows)
    plan = design.plan(frame_of(some_scores(units.size)), 3)
    drawn = drawn_units(plan, seed=0, draws=2)
    taken = rows.take(units.rows_of(drawn)).inputs[:, 0]
    assert read == drawn.tolist()
    np.testing.assert_array_equal(taken, (100 * drawn[:, None] + np.arange(100)).ravel())


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(BadInput, match=r"sampling.rows must be a whole number of at least 1; found 0"):
        Blocks(rows=0)
    with pytest.raises(BadInput, match=r"batch_size must be at most the 9 blocks of 100 rows; found 10"):
        Blocks(rows=100).plan(frame_of(some_scores(9)), 10)
    with pytest.raises(BadInput, match=r"sampling=blocks must have rows that do not belong together; found data.group"):
        Blocks().units(rows_of(4, groups=np.array([0, 0, 1, 1])))


@pytest.mark.slow
def test_a_run_says_what_its_batch_size_counts(command):
    done = command("sampling=blocks", "sampling.rows=50", "batch_size=5", "draws=20")
    assert done.returncode == 0, done.stderr
    assert "batch_size counts blocks of 50 rows" in " ".join(done.stdout.split())
