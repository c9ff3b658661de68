"""What tests share: where the real data is, and an `mlruns` of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from pipeline import data as data_family
from pipeline import engine, interval, model, proxy, sampling
from pipeline.frame import frame_of
from pipeline.interval import accuracy, loss
from pipeline.study.base import Setting
from pipeline.units import units_of
from tests.zygote import Zygote

# The same examples every time, and no time limit on a machine that is shared.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

SHARED = Path(os.environ.get("BATCHSCOPE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


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
def setting_of(digits_parts):
    """A function from what varies to a Setting on the real digits."""

    def build(*, design="with_replacement", dataset=None, classifier=None, intervals=None, guess=None, **changes):
        asked = {"seed": 0, "batch_size": 50, "draws": 200, "confidence": 0.95} | changes
        part = sampling.MEMBERS[design]() if isinstance(design, str) else design
        dataset, classifier, source = (
            dataset or digits_parts[0],
            classifier or digits_parts[1],
            data_family.MEMBERS["digits"](),
        )
        units = units_of(dataset)
        guess = guess or proxy.MEMBERS["confidence"]()
        frame = frame_of(dataset, units, classifier, proxy=guess, data=source)
        return Setting(
            dataset=dataset,
            data=source,
            model=model.MEMBERS["mlp"](),
            classifier=classifier,
            units=units,
            proxy=guess,
            frame=frame,
            sampling=part,
            plan=part.plan(frame, asked["batch_size"]),
            engine=engine.MEMBERS["threads"](),
            interval=intervals or interval.MEMBERS["by_metric"](loss.MEMBERS["t"](), accuracy.MEMBERS["wilson"]()),
            **asked,
        )

    return build


@pytest.fixture(scope="session")
def zygote():
    """A process that carries commands out without importing everything for each."""
    started = Zygote({"COLUMNS": "100"})
    yield started
    started.close()


@pytest.fixture
def request_of(zygote, own_mlruns, tmp_path_factory):
    """As `command`, for the many that are refused at once: a fork of a process that has imported everything."""

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
