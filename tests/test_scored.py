"""The population's scores are made once, whoever asks, and never taken from a file that is not whole."""

import subprocess
import sys

import numpy as np
import pytest

from pipeline import files, kept
from pipeline.scored import fresh, scored
from pipeline.study.evaluate import population_scores


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


def test_another_process_takes_the_scores_from_the_cache_to_the_last_bit(setting_of, forgetful):
    setting, calls = setting_of(), []
    scores, _ = population_scores(setting)
    forgetful()
    again, _ = scored(setting.classifier, setting.dataset, None, made(scores, calls))
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
    assert scored(setting.classifier, setting.dataset, None, made(scores, calls)) == (scores, 0.25)
    assert calls == [1]
    forgetful()
    assert scored(setting.classifier, setting.dataset, None, made(scores, calls))[1] == 0.25
    assert calls == [1]


def test_fresh_scores_are_made_though_the_cache_has_them(setting_of, forgetful):
    setting, calls = setting_of(), []
    scores, _ = population_scores(setting)
    with fresh():
        scored(setting.classifier, setting.dataset, None, made(scores, calls))
    assert calls == [1]


def test_workers_that_start_together_score_once(tmp_path):
    code = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
import numpy as np
from pipeline.records import Scores
from pipeline.scored import scored
def make():
    Path(sys.argv[1], f"made-{time.time_ns()}").touch()
    time.sleep(1)
    return Scores(np.arange(5.0), np.ones(5, bool)), 1.0
found, _ = scored(SimpleNamespace(digest="c"), SimpleNamespace(digest="d", scale=1.0), None, make)
assert found.loss.tolist() == [0, 1, 2, 3, 4]
"""
    environment = {"BATCHSCOPE_MLRUNS": str(tmp_path / "mlruns"), "PATH": ""}
    together = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=environment) for _ in range(3)]
    assert [process.wait() for process in together] == [0, 0, 0]
    assert len(list(tmp_path.glob("made-*"))) == 1
