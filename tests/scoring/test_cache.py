"""The population's scores are made once, whoever asks, and never taken from a file that is not whole."""

import errno
import subprocess
import sys

import numpy as np
import pytest

from pipeline.engine import MEMBERS
from pipeline.engine.base import Engine
from pipeline.errors import BadInput, Failed
from pipeline.model.npz import Npz
from pipeline.runtime import files, memo
from pipeline.scoring.cache import fresh
from pipeline.scoring.job import Job
from tests.engine.parts import Made, write_weights
from tests.evaluation import cached


@pytest.fixture
def forgetful(monkeypatch, tmp_path):
    """A cache of its own, and a function that makes this process forget what it has made."""
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path))
    monkeypatch.setattr(memo, "_KEPT", type(memo._KEPT)())
    return memo._KEPT.clear


def made(scores, calls):
    def make():
        calls.append(1)
        return scores, 0.25

    return make


def asked(stages, make):
    return cached(stages.classifier, stages.rows, stages.experiment.engine, stages.job(), make)


def test_another_process_takes_the_scores_from_the_cache_to_the_last_bit(stages_of, forgetful):
    stages, calls = stages_of(), []
    scores, _ = stages.scores()
    forgetful()
    again, _ = asked(stages, made(scores, calls))
    assert calls == []
    np.testing.assert_array_equal(again.loss, scores.loss)
    np.testing.assert_array_equal(again.correct, scores.correct)
    assert (again.ties, again.capped) == (scores.ties, scores.capped)


def test_a_cap_is_other_scores(stages_of, forgetful):
    stages = stages_of()
    plain, _ = stages.scores()
    capped, _ = stages.scores(loss_cap=0.5)
    forgetful()
    assert stages.scores(loss_cap=0.5)[0].loss.max() == capped.loss.max() == 0.5
    assert stages.scores()[0].loss.max() == plain.loss.max() > 0.5


@pytest.mark.parametrize("broken", [b"", b"PK\x03\x04", b"\x93NUMPY"], ids=["empty", "cut", "other"])
def test_a_broken_file_is_made_again(stages_of, forgetful, broken):
    stages, calls = stages_of(), []
    scores, _ = stages.scores()
    (path,) = files.cache("scores").glob("*.npz")
    path.write_bytes(broken)
    forgetful()
    assert asked(stages, made(scores, calls)) == (scores, 0.25)
    assert calls == [1]
    forgetful()
    assert asked(stages, made(scores, calls))[1] == 0.25
    assert calls == [1]


@pytest.mark.parametrize("place", [0.3, 0.5, 0.7, 0.9])
def test_a_flipped_bit_in_the_cache_is_found_and_said_in_one_line(stages_of, forgetful, capsys, place):
    stages, calls = stages_of(), []
    scores, _ = stages.scores()
    (path,) = files.cache("scores").glob("*.npz")
    content = bytearray(path.read_bytes())
    content[int(place * content.index(b"PK\x01\x02"))] ^= 1
    path.write_bytes(content)
    forgetful()
    assert asked(stages, made(scores, calls)) == (scores, 0.25)
    assert calls == [1]
    said = capsys.readouterr().err
    assert f"the scores in {path} were damaged: they are made anew" in said
    assert len(said.splitlines()) == 1


def test_fresh_scores_are_made_though_the_cache_has_them(stages_of, forgetful):
    stages, calls = stages_of(), []
    scores, _ = stages.scores()
    with fresh():
        asked(stages, made(scores, calls))
    assert calls == [1]


def test_workers_that_start_together_score_once(tmp_path):
    code = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
import numpy as np
from pipeline.records import Dataset, Scores
from pipeline.scoring.cache import cached_scores
def make():
    Path(sys.argv[1], f"made-{time.time_ns()}").touch()
    time.sleep(1)
    return Scores(np.arange(5.0), np.ones(5, bool)), 1.0
dataset = Dataset(np.zeros((5, 1)), np.zeros(5, int), 1, 1.0, "d", "d")
job = SimpleNamespace(cap=None, evaluated=[], is_double=False)
found, _ = cached_scores(SimpleNamespace(digest="c"), dataset, run=None, is_here=True, job=job, make=make)
assert found.loss.tolist() == [0, 1, 2, 3, 4]
"""
    environment = {"BATCHSCOPE_MLRUNS": str(tmp_path / "mlruns"), "PATH": ""}
    together = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=environment) for _ in range(3)]
    assert [process.wait() for process in together] == [0, 0, 0]
    assert len(list(tmp_path.glob("made-*"))) == 1


class Writes(Engine):
    """Keeps a shard, then finds the disk full."""

    def run(self, job, shards, keep):
        keep(shards[0], job.score(shards[0]))
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def on_disk(tmp_path):
    """Rows that are not in memory, their model, and the scoring of them."""
    (marks := tmp_path / "marks").mkdir()
    data, model = Made(folder=str(marks)), Npz(path=write_weights(tmp_path / "weights.npz"))
    return data, model, Job(data, "test", model, None)


def of_disk(on_disk, engine):
    data, model, job = on_disk
    return cached(model.build(data), data.rows("test"), engine, job, None)[0]


def test_a_full_disk_is_said_and_what_was_kept_is_not_scored_again(on_disk, forgetful):
    with pytest.raises(Failed, match=r"must have room for what is generated; found: No space left on device: make"):
        of_disk(on_disk, Writes("writes"))
    forgetful()
    assert len(of_disk(on_disk, MEMBERS["threads"]())) == 6 * 3000
    assert on_disk[0].begun().count(0) == 1


def test_a_damaged_shard_costs_the_others_nothing_when_it_is_mended(on_disk, forgetful):
    data = on_disk[0]
    data.damaged = [2]
    with pytest.raises(BadInput, match="shard 2 must be whole"):
        of_disk(on_disk, MEMBERS["threads"]())
    data.damaged = []
    forgetful()
    of_disk(on_disk, MEMBERS["threads"]())
    assert [data.begun().count(shard) for shard in range(6)] == [1, 1, 2, 1, 1, 1]


def test_another_process_finds_the_scores_on_disk_and_scores_nothing(on_disk, forgetful):
    first = of_disk(on_disk, MEMBERS["threads"]()).loss.copy()
    forgetful()
    again = of_disk(on_disk, MEMBERS["local"](workers=1))
    assert again.loss.tolist() == first.tolist()
    assert len(on_disk[0].begun()) == 6


def test_fresh_scores_of_rows_on_disk_leave_nothing_behind(on_disk, forgetful):
    with fresh():
        found = of_disk(on_disk, MEMBERS["threads"]())
    assert np.isfinite(found.loss).all()
    assert list(files.cache("scores").iterdir()) == []
