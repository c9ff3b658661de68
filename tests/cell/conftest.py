"""A finished sweep, as the tests of sweeps have it."""

from tests.sweeps.conftest import copied, finished, finished_mlruns

__all__ = ["copied", "finished", "finished_mlruns"]
