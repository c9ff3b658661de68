"""A wheel of this checkout, and an environment that has it and nothing else of the checkout."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("PYTHONPATH", "BATCHSCOPE_MLRUNS", "MLFLOW_TRACKING_URI")


def outside(*command, cwd):
    """Run a command in a folder that is not the checkout's, with nothing set that leads to the checkout."""
    environment = {name: value for name, value in os.environ.items() if name not in OURS} | {"COLUMNS": "100"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def built(hook, folder):
    """What a hook of setuptools' build backend makes from a copy of the sources, so that no build folder stays here."""
    source = folder / "source"
    for name in ("pipeline", "conf"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md"):
        shutil.copy(ROOT / name, source)
    code = f"from setuptools import build_meta; build_meta.{hook}({str(folder)!r})"
    done = outside(sys.executable, "-c", code, cwd=source)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The path of the wheel."""
    return built("build_wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def editable_wheel(tmp_path_factory):
    """The path of the wheel that an editable install takes."""
    return built("build_editable", tmp_path_factory.mktemp("editable"))


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """The folder of programs of a clean environment in which the wheel is installed."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    # The packages that it needs are those of this environment. A line of a .pth file is a folder alone: what the .pth
    # files in that folder say, such as where the checkout is, has no effect.
    (packages,) = folder.glob("lib/python*/site-packages")
    shared = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (packages / "shared.pth").write_text("\n".join(shared), encoding="utf-8")
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    done = outside(*install, "--ignore-installed", str(wheel), cwd=folder)
    assert done.returncode == 0, done.stderr
    return python.parent


@pytest.fixture
def project(tmp_path):
    """A folder of somebody's own work, with the folders that this checkout has too."""
    for name in ("pipeline", "tests"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('not the package that was asked for')\n")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").write_text("defaults: [nothing]\n")
    return tmp_path
