"""The population's scores are made once, whoever asks, and never taken from a file that is not whole."""

import errno
import subprocess
import sys

import numpy as np
import pytest

from pipeline import files, kept
from pipeline.engine import MEMBERS
from pipeline.engine.base import Engine, Job
from pipeline.errors import BadInput, Failed
from pipeline.model.npz import Npz
from pipeline.scored import fresh, scored
from pipeline.study.evaluate import population_scores
from tests.engine.parts import Made, write_weights


@pytest.fixture
def forgetful(monkeypatch, tmp_path):
    """A cache of its own, and a function that makes this process forget what it has made."""
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path))
    monkeypatch.setattr(kept, "_KEPT", type(kept._KEPT)())
    return kept._KEPT.clear


def made(scores, calls):
    def make():
        calls.append(1)
        return scores, 0.25

    return make


def asked(setting, make):
    return scored(setting.classifier, setting.dataset, setting.engine, setting.job(), make)


def test_another_process_takes_the_scores_from_the_cache_to_the_last_bit(setting_of, forgetful):
    setting, calls = setting_of(), []
    scores, _ = population_scores(setting)
    forgetful()
    again, _ = asked(setting, made(scores, calls))
    assert calls == []
    np.testing.assert_array_equal(again.loss, scores.loss)
    np.testing.assert_array_equal(again.correct, scores.correct)
    assert (again.ties, again.capped) == (scores.ties, scores.capped)


def test_a_cap_is_other_scores(setting_of, forgetful):
    setting = setting_of()
    plain, _ = population_scores(setting)
    capped, _ = population_scores(setting, 0.5)
    forgetful()
    assert population_scores(setting, 0.5)[0].loss.max() == capped.loss.max() == 0.5
    assert population_scores(setting)[0].loss.max() == plain.loss.max() > 0.5


@pytest.mark.parametrize("broken", [b"", b"PK\x03\x04", b"\x93NUMPY"], ids=["empty", "cut", "other"])
def test_a_broken_file_is_made_again(setting_of, forgetful, broken):
    setting, calls = setting_of(), []
    scores, _ = population_scores(setting)
    (path,) = files.cache("scores").glob("*.npz")
    path.write_bytes(broken)
    forgetful()
    assert asked(setting, made(scores, calls)) == (scores, 0.25)
    assert calls == [1]
    forgetful()
    assert asked(setting, made(scores, calls))[1] == 0.25
    assert calls == [1]


def test_fresh_scores_are_made_though_the_cache_has_them(setting_of, forgetful):
    setting, calls = setting_of(), []
    scores, _ = population_scores(setting)
    with fresh():
        asked(setting, made(scores, calls))
    assert calls == [1]


def test_workers_that_start_together_score_once(tmp_path):
    code = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
import numpy as np
from pipeline.records import Dataset, Scores
from pipeline.scored import scored
def make():
    Path(sys.argv[1], f"made-{time.time_ns()}").touch()
    time.sleep(1)
    return Scores(np.arange(5.0), np.ones(5, bool)), 1.0
dataset = Dataset(np.zeros((5, 1)), np.zeros(5, int), 1, 1.0, "d", "d")
job = SimpleNamespace(cap=None, further={}, is_double=False)
found, _ = scored(SimpleNamespace(digest="c"), dataset, SimpleNamespace(is_here=True), job, make)
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
    return data, model, Job(data, "test", model, None, {})


def of_disk(on_disk, engine):
    data, model, job = on_disk
    return scored(model.build(data), data.rows("test"), engine, job, None)[0]


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
