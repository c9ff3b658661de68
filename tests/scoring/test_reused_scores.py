"""Where a file of a folder is mended, added or moved, what is known of the others is not made again."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import ipc
from pyarrow import parquet as pq

from pipeline.data.prediction_blocks import PredictionBlocks
from pipeline.data.predictions import Predictions
from pipeline.engine import MEMBERS
from pipeline.errors import BadInput
from pipeline.model.given import Given
from pipeline.runtime import files, memo
from pipeline.scoring.cache import fresh
from pipeline.scoring.job import Job
from pipeline.scoring.rows import score
from tests.evaluation import cached

FILES, ROWS = 4, 500


@pytest.fixture
def read(monkeypatch, tmp_path):
    """A cache of its own; the shards that are read, in order."""
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "mlruns"))
    shards, own = [], PredictionBlocks.read

    def noted(self, shard):
        shards.append(shard)
        return own(self, shard)

    monkeypatch.setattr(PredictionBlocks, "read", noted)
    return shards


@pytest.fixture(params=["parquet", "arrow"])
def write(request, tmp_path):
    (tmp_path / "rows").mkdir()

    def part(number, *, change=None):
        rng = np.random.default_rng(number)
        columns = {f"logit_{j}": rng.normal(size=ROWS).astype("f4") for j in range(3)}
        columns["label"] = rng.integers(0, 3, ROWS)
        if change is not None:
            columns["logit_1"][7] = change
        table = pa.table(columns)
        path = tmp_path / "rows" / f"part-{number}.{request.param}"
        if request.param == "parquet":
            pq.write_table(table, path)
        else:
            with ipc.new_file(str(path), table.schema) as writer:
                writer.write_table(table)
        return path

    for number in range(FILES):
        part(number)
    return part


def scores_of(tmp_path, *, cap=None, **fields):
    memo._KEPT.clear()
    data = Predictions(path=str(tmp_path / "rows"), memory=0, **fields)
    model, engine = Given(), MEMBERS["threads"]()
    population, classifier = data.rows("test"), model.build(data)
    found, seconds = cached(classifier, population, engine, Job(data, "test", model, cap), None)
    assert seconds > 0
    afresh = score(classifier, population, cap=cap)
    np.testing.assert_array_equal(found.loss, afresh.loss.astype("f4"))
    np.testing.assert_array_equal(found.correct, afresh.correct)
    return found


def scored_alone(read, tmp_path, shards, **fields):
    """Whether these shards are read, and all of them once more by the check of the figures."""
    read.clear()
    scores_of(tmp_path, **fields)
    return sorted(read) == sorted([*range(len(list((tmp_path / "rows").iterdir()))), *shards])


def test_a_bad_row_that_is_mended_has_its_own_file_scored_alone(tmp_path, read, write):
    write(2, change=np.nan)
    with pytest.raises(BadInput, match=r"row 7 of .*part-2"):
        scores_of(tmp_path)
    write(2)
    assert scored_alone(read, tmp_path, [2])


def test_a_file_that_is_added_before_the_others_is_scored_alone(tmp_path, read, write):
    scores_of(tmp_path)
    write(9).rename(tmp_path / "rows" / f"a-first{write(9).suffix}")
    assert scored_alone(read, tmp_path, [0])


def test_a_changed_file_has_its_own_new_scores(tmp_path, read, write):
    before = scores_of(tmp_path).loss.copy()
    write(1, change=9.0)
    assert scored_alone(read, tmp_path, [1])
    after = scores_of(tmp_path).loss
    (changed,) = np.nonzero(before != after)
    assert changed.tolist() == [ROWS + 7]


@pytest.mark.parametrize("other", [{"cap": 0.5}, {"masked": True}, {"tolerance": 0.01}])
def test_what_is_scored_otherwise_is_scored_anew(tmp_path, read, write, other):
    scores_of(tmp_path)
    assert scored_alone(read, tmp_path, range(FILES), **other)


def test_fresh_scores_are_no_others(tmp_path, read, write):
    scores_of(tmp_path)
    write(1, change=9.0)
    with fresh():
        assert scored_alone(read, tmp_path, range(FILES))


@pytest.mark.parametrize("name", ["loss", "accuracy", "done", "counts", "keys", "bounds", "metrics.json", "form.json"])
@pytest.mark.parametrize("rest", [0.5, 0])
def test_a_folder_that_is_not_whole_is_no_help_and_no_harm(tmp_path, read, write, name, rest):
    scores_of(tmp_path)
    (path,) = files.cache("scores").glob(f"*/{name}")
    path.write_bytes(path.read_bytes()[: int(rest * path.stat().st_size)])
    write(1, change=9.0)
    memo._KEPT.clear()
    scores_of(tmp_path)


@pytest.mark.parametrize(("name", "damage"), [("loss", b"\1"), ("accuracy", b"\1" * ROWS)])
def test_damaged_scores_are_made_anew_and_taken_over_by_nobody(tmp_path, read, write, capsys, name, damage):
    scores_of(tmp_path)
    (path,) = files.cache("scores").glob(f"*/{name}")
    content, row = bytearray(path.read_bytes()), path.stat().st_size // (FILES * ROWS)
    content[ROWS * row : ROWS * row + len(damage)] = damage
    path.write_bytes(content)
    write(3, change=9.0)
    assert scored_alone(read, tmp_path, [1, 3])
    assert capsys.readouterr().err == ""
    write(3)
    # The first folder finds its damage, and what the second one has made instead.
    assert scored_alone(read, tmp_path, [])
    assert "were damaged (another checksum in 1 of 4 parts): these are made anew" in capsys.readouterr().err


def test_ties_and_caps_are_counted_once_more(tmp_path, read, write):
    first = scores_of(tmp_path, cap=0.5)
    write(3, change=0.125)
    again = scores_of(tmp_path, cap=0.5)
    data = Predictions(path=str(tmp_path / "rows"))
    whole = score(Given().build(data), data.rows("test"), cap=0.5)
    assert again.capped == whole.capped > 0
    assert abs(again.capped - first.capped) <= 1
