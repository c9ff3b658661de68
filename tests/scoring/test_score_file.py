"""Scores on disk are what was kept, whatever ended the process that wrote them, and whatever lay there before."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pipeline.records.scores import Scores
from pipeline.scoring import score_file
from pipeline.scoring.score_file import ScoreFile

ROOT = Path(__file__).resolve().parents[2]
BOUNDS = np.array([0, 3, 3, 10])


def some(rows, *, ties=0, capped=0, further=None):
    rng = np.random.default_rng(rows)
    return Scores(rng.exponential(size=rows), rng.random(rows) < 0.5, ties=ties, capped=capped, further=further)


def filled(folder):
    file = ScoreFile(folder, BOUNDS)
    for shard in range(3):
        file.keep(shard, some(int(BOUNDS[shard + 1] - BOUNDS[shard]), ties=shard, capped=1))
    file.flush()
    return file


def test_what_was_kept_is_read_again_as_float32_and_bool(tmp_path):
    filled(tmp_path / "scores")
    again = ScoreFile(tmp_path / "scores", BOUNDS)
    scores = again.scores()
    assert again.missing == []
    assert scores.is_stored
    assert scores.loss.tolist() == np.concatenate([some(3).loss, some(0).loss, some(7).loss]).astype("f4").tolist()
    assert scores.correct.tolist() == [*some(3).correct, *some(7).correct]
    assert (scores.ties, scores.capped) == (3, 3)
    assert (scores.loss.dtype, scores.correct.dtype) == (np.float32, np.bool_)


def test_a_row_takes_five_bytes(tmp_path):
    filled(tmp_path)
    assert (tmp_path / "loss").stat().st_size + (tmp_path / "accuracy").stat().st_size == 5 * 10


def test_rows_in_memory_keep_every_bit(tmp_path):
    file = ScoreFile(tmp_path, np.array([0, 7]), is_double=True)
    file.keep(0, some(7))
    assert file.scores().loss.tolist() == some(7).loss.tolist()


def test_one_metric_alone_and_further_ones_are_kept_as_well(tmp_path):
    brier = np.linspace(0, 2, 7)
    for scores, names in [(Scores(None, some(7).correct), ("accuracy",)), (some(7, further={"brier": brier}), None)]:
        folder = tmp_path / str(names)
        file = ScoreFile(folder, np.array([0, 7]), is_double=True)
        file.keep(0, scores)
        file.flush()
        found = ScoreFile(folder, np.array([0, 7]), is_double=True).scores()
        assert found.metrics == (names or ("loss", "accuracy", "brier"))
        for metric in found.metrics:
            assert found.columns[metric].tolist() == scores.columns[metric].tolist()


def test_a_shard_counts_as_done_only_once_it_is_flushed(tmp_path, monkeypatch):
    monkeypatch.setattr(score_file, "_SECONDS_BETWEEN_FLUSHES", 1e9)
    file = ScoreFile(tmp_path, BOUNDS)
    file.keep(2, some(7))
    assert ScoreFile(tmp_path, BOUNDS).missing == [0, 1, 2]
    file.flush()
    assert ScoreFile(tmp_path, BOUNDS).missing == [0, 1]


def test_what_is_kept_is_flushed_before_it_is_said_to_be_done(tmp_path, monkeypatch):
    steps, write, sync = [], ScoreFile._write, ScoreFile._sync
    monkeypatch.setattr(ScoreFile, "_write", lambda self, name, *rest: (steps.append(name), write(self, name, *rest)))
    monkeypatch.setattr(ScoreFile, "_sync", lambda self, name: (steps.append(f"{name} flushed"), sync(self, name)))
    file = ScoreFile(tmp_path, BOUNDS)
    file.keep(2, some(7))
    file.flush()
    wanted = ["loss", "accuracy", "loss flushed", "accuracy flushed", "counts", "counts flushed", "done"]
    assert steps == wanted


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


DAMAGE = {
    "a column cut short": lambda folder: cut(folder / "loss"),
    "a column gone": lambda folder: (folder / "accuracy").unlink(),
    "done cut short": lambda folder: cut(folder / "done"),
    "counts longer": lambda folder: (folder / "counts").write_bytes(bytes(1000)),
    "no form": lambda folder: (folder / "form.json").unlink(),
    "a form that is none": lambda folder: (folder / "form.json").write_bytes(b"{"),
    "no metrics": lambda folder: (folder / "metrics.json").unlink(),
    "metrics that are none": lambda folder: (folder / "metrics.json").write_bytes(b"7"),
    "columns that are folders": lambda folder: [(folder / "loss").unlink(), (folder / "loss").mkdir()],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_folder_is_made_again(tmp_path, damage):
    filled(tmp_path / "scores")
    damage(tmp_path / "scores")
    assert ScoreFile(tmp_path / "scores", BOUNDS).missing == [0, 1, 2]
    again = filled(tmp_path / "scores")
    assert (again.missing, len(again.scores())) == ([], 10)


def flipped(path, at, bit=0):
    content = bytearray(path.read_bytes())
    content[at] ^= 1 << bit
    path.write_bytes(content)


def garbage(path, at, size):
    content = bytearray(path.read_bytes())
    content[at : at + size] = b"\1" * size
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "shards"),
    [
        (lambda folder: flipped(folder / "loss", 4 * 5), [2]),
        (lambda folder: flipped(folder / "loss", 0, bit=7), [0]),
        (lambda folder: garbage(folder / "accuracy", 0, 10), [0, 2]),
        (lambda folder: flipped(folder / "counts", 0), [0]),
        (lambda folder: flipped(folder / "counts", 2 * 32 + 16), [2]),
        (lambda folder: flipped(folder / "counts", 32 + 24), [1]),
        (lambda folder: flipped(folder / "done", 2), [2]),
    ],
    ids=["loss", "loss's sign", "accuracy", "ties", "time", "checksum", "done"],
)
def test_a_shard_with_a_flipped_bit_is_missing_and_the_others_stay(tmp_path, capsys, damage, shards):
    filled(tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in ("loss", "accuracy")}
    damage(tmp_path)
    file = ScoreFile(tmp_path, BOUNDS)
    assert file.missing == shards
    said = capsys.readouterr().err
    # What is not marked as done is missing, not damaged.
    assert (len(said.splitlines()), f"in {len(shards)} of 3 parts" in said) in ((1, True), (0, False))
    for shard in shards:
        file.keep(shard, some(int(BOUNDS[shard + 1] - BOUNDS[shard]), ties=shard, capped=1))
    file.flush()
    assert ScoreFile(tmp_path, BOUNDS).missing == []
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_a_shard_that_is_said_to_be_done_and_is_not_is_found(tmp_path):
    file = ScoreFile(tmp_path, BOUNDS)
    file.keep(0, some(3))
    file.flush()
    flipped(tmp_path / "done", 2)
    assert ScoreFile(tmp_path, BOUNDS).missing == [1, 2]


@pytest.mark.parametrize(
    ("bounds", "is_double"), [([0, 4, 4, 10], False), ([0, 10], False), ([0, 3, 3, 11], False), ([0, 3, 3, 10], True)]
)
def test_a_folder_of_other_shards_is_made_again(tmp_path, bounds, is_double):
    filled(tmp_path)
    assert len(ScoreFile(tmp_path, np.array(bounds), is_double=is_double).missing) == len(bounds) - 1


def test_a_file_in_the_folder_s_place_is_replaced(tmp_path):
    (tmp_path / "scores").write_bytes(b"something")
    assert filled(tmp_path / "scores").missing == []


def test_scores_of_the_wrong_number_or_of_other_metrics_are_a_fault(tmp_path):
    file = ScoreFile(tmp_path, BOUNDS)
    with pytest.raises(ValueError, match="shard 2 must have 7 scores; found 3"):
        file.keep(2, some(3))
    file.keep(2, some(7))
    with pytest.raises(ValueError, match="shard 0 must have scores of"):
        file.keep(0, Scores(None, some(3).correct))


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process by itself is read from /proc")
def test_keeping_takes_no_memory_that_stays(tmp_path):
    # Not getrusage, whose peak a process has from the one that started it.
    code = f"""
import numpy as np
from pathlib import Path
from pipeline.records import Scores
from pipeline.scoring.score_file import ScoreFile
rows = 1 << 20
file = ScoreFile(Path({str(tmp_path)!r}), np.arange(41) * rows)
scores = Scores(np.ones(rows, np.float32), np.ones(rows, bool))
peaks = []
for shard in range(40):
    file.keep(shard, scores)
    peaks.append(int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]))
file.flush()
print(peaks[-1] - peaks[1])
"""
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    # KiB; the columns are 205,000.
    assert int(found.stdout) < 20_000


SCORING = """
import sys
from pipeline import engine
from pipeline.runtime import cores
from pipeline.scoring import score_file
from pipeline.scoring.job import Job
from pipeline.model.npz import Npz
from tests.engine.parts import Made
from tests.evaluation import cached
# On many cores all is done within a moment, and within a second nothing is flushed.
cores._available, score_file._SECONDS_BETWEEN_FLUSHES = lambda: 2, 0.0
data, model = Made(folder=sys.argv[1], shards=30, rows_each=500, seconds=0.05), Npz(path=sys.argv[2])
part = engine.MEMBERS[sys.argv[3]]()
job = Job(data, "test", model, None)
found, seconds = cached(model.build(data), data.rows("test"), part, job, None)
print(repr(found.loss.sum(dtype="f8")), int(found.correct.sum()), seconds)
"""


@pytest.mark.parametrize("name", ["threads", pytest.param("local", marks=pytest.mark.slow)])
def test_after_a_kill_the_finished_shards_are_not_scored_again_and_the_figures_are_the_same(tmp_path, name):
    from tests.engine.parts import Made, write_weights

    (marks := tmp_path / "marks").mkdir()
    arguments = [sys.executable, "-c", SCORING, str(marks), write_weights(tmp_path / "weights.npz"), name]

    def start(mlruns, **more):
        environment = {**os.environ, "BATCHSCOPE_MLRUNS": str(tmp_path / mlruns)}
        return subprocess.Popen(arguments, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, **more)

    rng, data, finished = random.Random(0), Made(folder=str(marks)), set()
    for least in (4, 12):
        process = start("killed", start_new_session=True)
        # On a busy machine it may have done all before it is looked at.
        while len(done_in(tmp_path / "killed")) < least and process.poll() is None:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.1))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        finished |= done_in(tmp_path / "killed")
        assert len(finished) >= least
    counts = {shard: data.begun().count(shard) for shard in finished}
    said, _ = start("killed").communicate()
    assert {shard: data.begun().count(shard) for shard in finished} == counts
    assert set(data.begun()) == set(range(30))
    whole, _ = start("whole").communicate()
    assert said.split()[:2] == whole.split()[:2]
    assert float(said.split()[2]) > 0


def done_in(mlruns):
    return {
        shard
        for path in mlruns.glob("cache/scores/*/done")
        for shard, is_done in enumerate(path.read_bytes())
        if is_done
    }


def test_metrics_that_come_in_another_order_are_the_same_scores(tmp_path):
    first, second = np.linspace(0, 1, 7), np.linspace(0, 2, 7)
    file = ScoreFile(tmp_path, np.array([0, 7, 14]))
    file.keep(0, some(7, further={"squared_error": first, "brier": second}))
    file.keep(1, some(7, further={"brier": second, "squared_error": first}))
    file.flush()
    found = file.scores()
    assert found.values("brier").tolist() == [*second.astype("f4"), *second.astype("f4")]
    assert found.values("squared_error").tolist() == [*first.astype("f4"), *first.astype("f4")]
