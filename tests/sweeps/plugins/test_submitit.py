"""Submitit's local jobs are started with the terminal's signals blocked, and nothing else is changed."""

import signal
import subprocess

import pytest

from pipeline.sweeps.plugins.submitit import undisturbed

local = pytest.importorskip("submitit.local.local", reason="needs the extra submitit")


class LocalLauncher:
    """Named as submitit's."""


class Other:
    """Another launcher."""


def blocked():
    status = subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True, check=True).stdout
    mask = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigBlk")), 16)
    return {number for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM) if mask >> (number - 1) & 1}


@pytest.mark.process
def test_a_job_is_started_with_them_blocked_and_the_sweep_still_gets_them(monkeypatch):
    monkeypatch.setattr(local, "start_controller", blocked)
    with undisturbed(LocalLauncher()):
        assert local.start_controller() == {signal.SIGINT, signal.SIGHUP}
        assert blocked() == set()
    assert local.start_controller is blocked
    with undisturbed(Other()):
        assert local.start_controller is blocked
