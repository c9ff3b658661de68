"""Workers that run beside each other share the cores out."""

import os

import pytest
from threadpoolctl import threadpool_info

from pipeline.runtime import cores

JOBLIB = "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher"
LOCAL = "hydra_plugins.hydra_submitit_launcher.submitit_launcher.LocalLauncher"
SLURM = "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher"
RAY = "hydra_plugins.hydra_ray_launcher.ray_launcher.RayLauncher"
BASIC = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"


@pytest.fixture
def eight_cores(monkeypatch):
    monkeypatch.setattr(cores, "_available", lambda: 8)


@pytest.mark.parametrize(
    ("launcher", "cells", "workers"),
    [
        ({"_target_": BASIC}, 40, 1),
        ({"_target_": SLURM}, 40, 1),
        ({"_target_": JOBLIB, "n_jobs": 2}, 40, 2),
        ({"_target_": JOBLIB, "n_jobs": -1}, 40, 8),
        ({"_target_": JOBLIB, "n_jobs": -2}, 40, 7),
        ({"_target_": JOBLIB, "n_jobs": 100}, 40, 8),
        ({"_target_": JOBLIB, "n_jobs": -1}, 3, 3),
        ({"_target_": LOCAL}, 40, 8),
        ({"_target_": RAY}, 5, 5),
    ],
)
def test_a_launchers_workers_are_counted(eight_cores, launcher, cells, workers):
    assert cores.workers_of(launcher, cells) == workers


@pytest.mark.parametrize(("workers", "share"), [(1, 8), (2, 4), (3, 2), (8, 1), (20, 1)])
def test_a_worker_has_its_share_and_a_process_alone_has_all(eight_cores, workers, share):
    with cores.shared_by(workers):
        assert cores.count() == share
    assert cores.count() == 8


def test_blas_is_held_to_the_share_and_let_go_again():
    def threads():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = threads()
    with cores.shared_by(len(os.sched_getaffinity(0))):
        assert set(threads()) == {1}
    assert threads() == before
