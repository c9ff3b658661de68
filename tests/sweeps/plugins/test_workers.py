"""Submitit's jobs and joblib's workers are started with the terminal's signals blocked, and nothing else is changed."""

import importlib
import signal
import subprocess

import pytest

from pipeline.sweeps.plugins.workers import undisturbed

# The module and the name of the function that starts a process, by launcher.
STARTERS = {
    "LocalLauncher": ("submitit.local.local", "start_controller"),
    "JoblibLauncher": ("joblib.externals.loky.backend.fork_exec", "fork_exec"),
}


class Other:
    """Another launcher."""


def blocked():
    status = subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True, check=True).stdout
    mask = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigBlk")), 16)
    return {number for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM) if mask >> (number - 1) & 1}


@pytest.mark.process
@pytest.mark.parametrize("launcher", STARTERS)
def test_a_worker_is_started_with_them_blocked_and_the_sweep_still_gets_them(monkeypatch, launcher):
    pytest.importorskip(STARTERS[launcher][0], reason="the launcher is not installed")
    module, name = importlib.import_module(STARTERS[launcher][0]), STARTERS[launcher][1]
    monkeypatch.setattr(module, name, blocked)
    with undisturbed(type(launcher, (), {})()):
        assert getattr(module, name)() == {signal.SIGINT, signal.SIGHUP}
        assert blocked() == set()
    assert getattr(module, name) is blocked
    with undisturbed(Other()):
        assert getattr(module, name) is blocked
