"""The processes below this one are found and killed, and no others."""

import fcntl
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.runtime import descendants

pytestmark = pytest.mark.process
PATIENCE = 60
TREE = "import subprocess; below = subprocess.Popen(['sleep', '987']); print(below.pid, flush=True); below.wait()"


@contextmanager
def running(asked):
    """A process with pipes, killed at the end in any case."""
    with subprocess.Popen(asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


def test_those_that_were_started_since_are_killed_with_all_below_them_and_the_others_stay():
    with running(["sleep", "987"]) as other:
        before = descendants.living()
        assert other.pid in before
        with running([sys.executable, "-c", TREE]) as started:
            below = int(started.stdout.readline())
            assert {started.pid, below} <= descendants.living() - before
            descendants.kill(besides=before, seconds=PATIENCE)
            assert started.wait(PATIENCE) == -9
        # What earlier tests have left may end meanwhile.
        assert {other.pid} <= descendants.living() <= before
        assert other.poll() is None


def test_a_process_is_not_below_itself():
    assert os.getpid() not in descendants.living()


def is_dead(pid):
    """Whether a process is gone, or its first thread has ended and nobody has asked about it."""
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


# Its first thread ends, as that of a process that was killed may long before the others; another holds the lock on.
LEADERLESS = """
import ctypes, fcntl, sys, threading, time
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
threading.Thread(target=time.sleep, args=(987,)).start()
print("locked", flush=True)
ctypes.CDLL(None).syscall(ctypes.c_long(int(sys.argv[2])), ctypes.c_long(0))
"""
# The number of exit(2), which ends one thread alone.
EXIT = {"x86_64": 60, "aarch64": 93}


@contextmanager
def leaderless(lock):
    """A process that has lost its first thread alone, and holds a lock."""
    if os.uname().machine not in EXIT:
        pytest.skip("the number of exit(2) is not known here")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with running([sys.executable, "-c", LEADERLESS, str(lock), str(EXIT[os.uname().machine])]) as started:
        assert started.stdout.readline() == "locked\n"
        while not is_dead(started.pid):
            pass
        yield started


def test_a_process_that_has_lost_its_first_thread_alone_is_living_and_its_locks_are_free_once_it_was_killed(tmp_path):
    before, lock = descendants.living(), tmp_path / "lock"
    with leaderless(lock) as started, lock.open("w") as file:
        assert started.pid in descendants.living()
        descendants.kill(besides=before, seconds=PATIENCE)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert started.wait(PATIENCE) == -9


STARTS_LATE = """
import subprocess, sys
sys.stdin.readline()
print(subprocess.Popen(["sleep", "987"], stdout=subprocess.DEVNULL).pid, flush=True)
sys.stdin.readline()
"""


def test_a_process_that_is_started_between_the_look_and_the_kill_of_its_parent_does_not_get_away(monkeypatch):
    before, kill, late = descendants.living(), os.kill, []
    asked = [sys.executable, "-c", STARTS_LATE]
    with running(asked) as started:

        def kill_late(pid, number):
            if pid == started.pid and not late:
                started.stdin.write("start\n")
                started.stdin.flush()
                late.append(int(started.stdout.readline()))
            kill(pid, number)

        monkeypatch.setattr(os, "kill", kill_late)
        descendants.kill(besides=before, seconds=PATIENCE)
        monkeypatch.undo()
        assert started.wait(PATIENCE) == -9
        assert late
        assert is_dead(late[0])
