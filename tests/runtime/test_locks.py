"""A lock is held by one process at a time, and by none once its holder is dead."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import BadInput
from pipeline.runtime import locks

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys
from pipeline.runtime import locks
with locks.held(sys.argv[1], "the cell"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def mlruns(tmp_path, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path))
    return tmp_path


@pytest.fixture
def another_process(mlruns):
    """A process that holds the lock ``cell``."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, "cell"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_lock_that_another_process_holds_is_not_free_until_that_process_dies(another_process):
    with locks.held_if_free("cell") as is_ours:
        assert not is_ours
    with locks.held_if_free("another-cell") as is_ours:
        assert is_ours
    another_process.kill()
    another_process.wait()
    with locks.held_if_free("cell") as is_ours:
        assert is_ours


def test_a_wait_is_told_once_with_what_is_waited_for_and_which_process_holds_it(
    another_process, mlruns, monkeypatch, capfd
):
    def told(line):
        note(line)
        another_process.kill()

    note = locks.note
    monkeypatch.setattr(locks, "_SECONDS_UNTIL_TOLD", 0.1)
    monkeypatch.setattr(locks, "note", told)
    with locks.held("cell", "the same cell"):
        said = capfd.readouterr().err
    holder = f"process {another_process.pid}" if Path("/proc/locks").exists() else "another process"
    assert said == (
        f"batchscope: waiting for the same cell: {holder} holds its lock, {mlruns / 'locks' / 'cell.lock'}. This goes "
        "on when that process is done, or ends\n"
    )
    with locks.held("cell", "the same cell"):
        assert capfd.readouterr().err == ""


def test_a_lock_is_let_go_when_its_block_fails(mlruns):
    with pytest.raises(RuntimeError, match="inside"), locks.held("cell", "the cell"):
        raise RuntimeError("inside")
    with locks.held_if_free("cell") as is_ours:
        assert is_ours
    with locks.held_if_free("cell") as is_ours:
        assert is_ours


def test_named_locks_lie_in_one_folder_and_a_lock_at_a_path_lies_there(mlruns, tmp_path):
    with locks.held("cell", "the cell"), locks.held_at(tmp_path / "models" / "network.lock", "the network"):
        assert (mlruns / "locks" / "cell.lock").is_file()
        assert (tmp_path / "models" / "network.lock").is_file()


@pytest.mark.parametrize("name", ["", "../elsewhere", "a b", "a/b"])
def test_a_name_that_is_no_files_name_is_refused(mlruns, name):
    with pytest.raises(ValueError, match="must be a file's name"), locks.held(name, "the cell"):
        pass


def test_a_place_that_cannot_be_written_to_is_told_in_one_line(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path))
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(BadInput, match="must be writable"), locks.held("cell", "the cell"):
        pass
    with pytest.raises(BadInput, match="must be writable"), locks.held_if_free("cell"):
        pass
    with pytest.raises(PermissionError, match="Permission denied"), locks.held_at(tmp_path / "a" / "b.lock", "b"):
        pass
