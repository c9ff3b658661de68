"""What tests share: where the real data is, and an `mlruns` of their own."""

import gc
import importlib
import linecache
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline import data as data_family
from pipeline import engine, interval, model, proxy, sampling, study
from pipeline.experiment import Experiment, Stages
from pipeline.interval import accuracy, loss
from pipeline.proxy.frame import frame_of
from pipeline.sampling.units import units_of
from pipeline.tracking import database
from pipeline.tracking.mlflow import Tracking
from tests import repeatable  # noqa: F401
from tests.zygote import Zygote

SHARED = Path(os.environ.get("BATCHSCOPE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


def pytest_configure(config):
    """Have matplotlib's font cache made before the workers and their commands would all make it, and say so."""
    if not hasattr(config, "workerinput"):
        importlib.import_module("matplotlib.font_manager")


# Fixtures that start a process or open an MLflow store.
_NOT_FAST = {"command", "new_mlruns", "request_of", "zygote", "tracking", "empty_mlruns", "store_content", "swept"}


# Until when a test may begin, in seconds since the epoch.
_UNTIL = float(os.environ.get("BATCHSCOPE_TESTS_UNTIL") or "inf")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Skip what is left when the time that CI has is over."""
    if time.time() > _UNTIL:
        pytest.skip("no time is left: BATCHSCOPE_TESTS_UNTIL has passed")


def pytest_collection_modifyitems(items):
    """Mark what `make test-fast` leaves out."""
    for item in items:
        if not _NOT_FAST.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.process)


# A class that one of MLflow's migrations has made, as SQLAlchemy enters it into linecache.
_OF_A_MIGRATION = re.compile(r"class [0-9a-f]{12}_\w+_py\.")


@pytest.fixture(scope="module", autouse=True)
def no_class_of_a_migration_is_left():
    """Collect such classes: a doctest that looks through linecache fails where one leaves it meanwhile."""
    yield
    if any(_OF_A_MIGRATION.search(name) for name in linecache.cache):
        gc.collect()


@pytest.fixture(scope="session", autouse=True)
def own_mlruns(tmp_path_factory):
    """Keep everything that the tests generate, the cache of networks included, out of the project's own folder."""
    folder = tmp_path_factory.mktemp("mlruns")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BATCHSCOPE_MLRUNS", str(folder))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield folder


@pytest.fixture(scope="session")
def mnist_root():
    """The folder of MNIST's four files."""
    folder = SHARED / "mnist"
    if not folder.is_dir():
        pytest.skip(f"MNIST's files are not at {folder}; BATCHSCOPE_DATA names the folder that holds mnist/")
    return folder


@pytest.fixture(scope="session")
def book_network():
    """The published network's weights."""
    path = SHARED / "book_network" / "weights.npz"
    if not path.is_file():
        pytest.skip(f"the book's network is not at {path}; BATCHSCOPE_DATA names the folder that holds book_network/")
    return path


@pytest.fixture(scope="session")
def digits_parts(own_mlruns):
    """The default data and the default network, trained once a session."""
    digits = data_family.MEMBERS["digits"]()
    return digits.load(), model.MEMBERS["mlp"]().build(digits)


@pytest.fixture
def stages_of(digits_parts):
    """A function from what varies to a Stages on the real digits."""

    def build(*, design="with_replacement", dataset=None, classifier=None, intervals=None, guess=None, **changes):
        asked = {"seed": 0, "batch_size": 50, "draws": 200, "confidence": 0.95} | changes
        experiment = Experiment(
            **asked,
            data=data_family.MEMBERS["digits"](),
            model=model.MEMBERS["mlp"](),
            proxy=guess or proxy.MEMBERS["confidence"](),
            sampling=sampling.MEMBERS[design]() if isinstance(design, str) else design,
            interval=intervals or interval.MEMBERS["by_metric"](loss.MEMBERS["t"](), accuracy.MEMBERS["wilson"]()),
            engine=engine.MEMBERS["threads"](),
            study=study.MEMBERS["evaluate"](),
            tracking=Tracking(),
        )
        rows, built = dataset or digits_parts[0], classifier or digits_parts[1]
        units = units_of(rows)
        frame = frame_of(rows, units, built, proxy=experiment.proxy, data=experiment.data)
        return Stages(experiment, rows, built, units, frame, experiment.sampling.plan(frame, asked["batch_size"]))

    return build


@pytest.fixture(scope="session")
def store_content():
    """What MLflow puts into a new store's SQLite file, made once: it takes two seconds."""
    return database.empty_store("file:///a/artifacts")


@pytest.fixture(scope="session")
def empty_mlruns(own_mlruns, store_content, tmp_path_factory):
    """A folder with a new SQLite store and its experiment, to be copied."""
    folder = tmp_path_factory.mktemp("empty") / "mlruns"
    folder.mkdir()
    (folder / "mlflow.db").write_bytes(store_content)
    Tracking(uri=f"sqlite:///{folder}/mlflow.db").open()
    return folder


@pytest.fixture(scope="session")
def new_mlruns(empty_mlruns, tmp_path_factory):
    """A function that makes a folder with a new store, without MLflow's seconds for it."""

    def make():
        return Path(shutil.copytree(empty_mlruns, tmp_path_factory.mktemp("store") / "mlruns"))

    return make


@pytest.fixture
def tracking(empty_mlruns, tmp_path):
    """A real SQLite store of the test's own, in ``tmp_path/mlruns``."""
    shutil.copytree(empty_mlruns, tmp_path / "mlruns")
    return Tracking(uri=f"sqlite:///{tmp_path}/mlruns/mlflow.db")


@pytest.fixture(scope="session")
def zygote():
    """A process that carries commands out without importing everything for each."""
    started = Zygote({"COLUMNS": "100"})
    yield started
    started.close()


@pytest.fixture(scope="session")
def request_of(zygote, own_mlruns, tmp_path_factory):
    """As `command`, without the seconds of a start: a fork of a process that has imported everything."""

    def run(*arguments, mlruns=own_mlruns):
        return zygote.completed(tmp_path_factory.mktemp("said"), *arguments, BATCHSCOPE_MLRUNS=str(mlruns))

    return run


@pytest.fixture(scope="session")
def command(own_mlruns):
    """A function that runs `python -m pipeline …` as a user would, from a folder that is not the project's."""
    root = Path(__file__).resolve().parents[1]

    def run(*arguments, mlruns=own_mlruns, cwd=None, **environment):
        variables = {**os.environ, "BATCHSCOPE_MLRUNS": str(mlruns), "PYTHONPATH": str(root), "COLUMNS": "100"}
        return subprocess.run(
            [sys.executable, "-m", "pipeline", *arguments],
            env=variables | environment,
            cwd=cwd or mlruns.parent,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
        )

    return run
