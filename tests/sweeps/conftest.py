"""What the tests of sweeps share: requests as Hydra composes them, and a finished sweep to copy."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode

from pipeline import config
from pipeline.cell.identity import Member
from pipeline.cell.run import run_member
from pipeline.sweeps.conclusion import conclude
from pipeline.sweeps.outcomes import Outcome
from pipeline.sweeps.request import SweepRequest, compose_request
from pipeline.tracking.mlflow import Tracking
from pipeline.tracking.store import Store


def requested(*lines):
    """The request of a sweep with these overrides."""
    config.register()
    with initialize_config_dir(config_dir=config.CONF, version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration("config", [], run_mode=RunMode.MULTIRUN)
        return compose_request(master, loader, list(lines))


def run_cells(request, store, parent, cells):
    """Run cells of a sweep in this process, as its workers do, and return their outcomes."""
    outcomes = []
    for cell in cells:
        run_member(cell.experiment, Member(parent, request.varied, cell.digest, request.labels))
        outcomes.append(Outcome(" ".join(cell.overrides), cell.digest, "finished"))
    return outcomes


@dataclass
class Sweep:
    """A sweep of the batch sizes 10 and 30 in a store of its own, with 20 draws each."""

    mlruns: Path

    def request(self, *more, sizes=(10, 30)) -> SweepRequest:
        """The sweep's request, or one that differs by further overrides."""
        listed = ",".join(map(str, sizes))
        return requested(f"batch_size={listed}", "draws=20", f"tracking.uri={self.uri}", *more)

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.mlruns}/mlflow.db"

    @property
    def store(self) -> Store:
        return Tracking(uri=self.uri).open()

    @property
    def parent(self) -> str:
        """The id of the sweep's run."""
        return str(self.store.newest_sweep().info.run_id)


@pytest.fixture(scope="session")
def finished_mlruns(empty_mlruns, digits_parts, tmp_path_factory):
    """The folder of a finished sweep, to be copied."""
    folder = tmp_path_factory.mktemp("finished") / "mlruns"
    shutil.copytree(empty_mlruns, folder)
    sweep = Sweep(folder)
    request, store = sweep.request(), sweep.store
    parent = store.start("sweep", kind="sweep", started=time.time(), tags={"sweep_digest": request.digest})
    conclude(store, parent, request, run_cells(request, store, parent, request.cells))
    return folder


@pytest.fixture
def copied(finished_mlruns, tmp_path):
    """A copy of the finished sweep that was not opened yet."""
    shutil.copytree(finished_mlruns, tmp_path / "mlruns")
    return Sweep(tmp_path / "mlruns")


@pytest.fixture
def finished(copied):
    """A finished sweep of the test's own."""
    copied.store.answers()
    return copied
