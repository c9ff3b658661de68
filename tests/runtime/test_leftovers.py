"""What killed writers leave is removed once no process writes, and never what a living one is at."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.runtime import files, leftovers

ROOT = Path(__file__).resolve().parents[2]
HEX = "0123456789abcdef" * 2
UNFINISHED = [
    f"cache/tables/.rows.parquet.{HEX}",
    f"cache/scores/fresh-{HEX}/loss",
    f"undelivered/.alone-{HEX}/artifacts/draws.parquet",
    f".mlflow.db.{HEX}",
    "artifacts/tmpab12_xyz/artifacts/cells.csv",
]
KEPT = [
    "cache/tables/rows.parquet",
    "cache/scores/abc/.hidden",
    f"undelivered/alone-{HEX}/run.json",
    f"artifacts/{HEX}/artifacts/cells.csv",
    "mlflow.db",
    ".gitkeep",
]


@pytest.fixture(params=["mlruns", "tmpab12_xyz", f".{HEX}"])
def mlruns(request, tmp_path, monkeypatch):
    """A folder of generated files, also one whose own name is like that of something unfinished."""
    folder = tmp_path / request.param
    monkeypatch.setattr(leftovers, "_held", {})
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(folder))
    for name in UNFINISHED + KEPT:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"1234567890")
    return folder


def there(mlruns, names):
    return [name for name in names if (mlruns / name).exists()]


def test_what_is_unfinished_is_removed_and_all_else_stays(mlruns):
    assert leftovers.clear() == 10 * len(UNFINISHED)
    assert there(mlruns, UNFINISHED) == []
    assert there(mlruns, KEPT) == KEPT
    assert leftovers.clear() == 0


def test_nothing_is_removed_while_another_process_writes_and_all_once_it_was_killed(mlruns):
    code = "from pipeline.runtime import leftovers; leftovers.writing(); print('writes', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as writer:
        assert writer.stdout.readline() == "writes\n"
        assert leftovers.clear() == 0
        assert there(mlruns, UNFINISHED) == UNFINISHED
        os.kill(writer.pid, signal.SIGKILL)
    assert leftovers.clear() > 0
    assert there(mlruns, UNFINISHED) == []


DEEPER = [
    f"artifacts/{HEX}/artifacts/.draws.parquet.{HEX}",
    f"artifacts/{HEX}/tmpab12_xyz/artifacts/cells.csv",
    f"cache/scores/abc/.metrics.json.{HEX}",
    f"cache/scores/fresh-{HEX}/.keys.{HEX}",
    f"data/abc/mine/.rows.parquet.{HEX}",
    f"hydra/sweeps/abc/.launch.json.{HEX}",
    f"hydra/sweeps/abc/outcomes/.3.json.{HEX}",
]


@pytest.mark.parametrize("is_killed", [True, False])
def test_the_folders_of_runs_scores_and_sweeps_are_searched_only_after_a_writer_was_killed(mlruns, is_killed):
    for name in DEEPER:
        (mlruns / name).parent.mkdir(parents=True, exist_ok=True)
        (mlruns / name).write_bytes(b"1234567890")
    code = "from pipeline.runtime import leftovers; import os; leftovers.writing(); os.fork() or exit(); os.wait()"
    code += f"; {is_killed} and os.kill(os.getpid(), 9)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert done.returncode == (-9 if is_killed else 0)
    leftovers.clear()
    # The scores for one use are removed in any case.
    own = [name for name in DEEPER if "fresh" not in name]
    assert there(mlruns, DEEPER) == ([] if is_killed else own)
    assert there(mlruns, KEPT) == KEPT
    assert list((mlruns / "locks" / "writers").iterdir()) == []


def test_a_process_that_writes_itself_removes_nothing(mlruns):
    files.write_beside(mlruns / "cache" / "x", lambda file: file.write(b"1"))
    assert leftovers.clear() == 0
    assert there(mlruns, UNFINISHED) == UNFINISHED


def test_a_link_is_not_followed(mlruns, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / f".x.{HEX}").write_bytes(b"1")
    (mlruns / "cache" / "linked").symlink_to(tmp_path / "elsewhere")
    (mlruns / "cache" / "tables" / f".link.{HEX}").symlink_to(tmp_path / "elsewhere")
    leftovers.clear()
    assert (tmp_path / "elsewhere" / f".x.{HEX}").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs Unix")
def test_where_nothing_can_be_written_nothing_is_said(mlruns, monkeypatch):
    monkeypatch.setattr(leftovers, "_opened", lambda folder: os.open("/proc/x", os.O_RDWR))
    leftovers.writing()
    assert leftovers.clear() == 0
