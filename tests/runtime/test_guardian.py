"""A guarded command ends with whatever started it, and tells its status."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.runtime import guardian

pytestmark = pytest.mark.process
PATIENCE = 180
# The command starts one more, as servers do.
SLEEPS = [sys.executable, "-c", "import subprocess; print('up', flush=True); subprocess.run(['sleep', '987'])"]


def started(command, tmp_path):
    with (tmp_path / "said").open("wb") as output:
        return guardian.start(command, folder=tmp_path, environment=os.environ, output=output)


def group_of(pid):
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == pid and fields[0] != "Z":
            found.append(int(entry.parent.name))
    return found


def wait_for(what):
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_guardian_ends_with_the_commands_status_and_passes_on_what_it_says(tmp_path):
    process = started([sys.executable, "-c", "import sys; print('said'); sys.exit(7)"], tmp_path)
    assert process.wait(PATIENCE) == 7
    assert (tmp_path / "said").read_text() == "said\n"
    guardian.stop(process, seconds=1)


def test_stopping_it_leaves_no_process_of_the_group(tmp_path):
    process = started(SLEEPS, tmp_path)
    wait_for(lambda: len(group_of(process.pid)) == 3)
    guardian.stop(process, seconds=0.5)
    wait_for(lambda: group_of(process.pid) == [])


def test_a_command_whose_starter_was_killed_ends_with_all_below_it(tmp_path):
    code = (
        "import os, sys, time; from pathlib import Path; from pipeline.runtime import guardian\n"
        f"process = guardian.start({SLEEPS!r}, folder=Path('.'), environment=os.environ, output=sys.stderr)\n"
        "print(process.pid, flush=True); time.sleep(987)"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=Path(__file__).parents[2]
    )
    with starter:
        try:
            pid = int(starter.stdout.readline())
            wait_for(lambda: len(group_of(pid)) == 3)
        finally:
            os.kill(starter.pid, signal.SIGKILL)
    wait_for(lambda: group_of(pid) == [])
