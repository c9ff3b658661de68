"""What the wheel holds, and that a sweep runs from it, beside somebody's own `pipeline/`, `conf/` and `tests/`."""

import os
import subprocess
import sys
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pandas as pd
import pytest

from tests.packaging.conftest import ROOT, outside


def names_in(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def text_in(wheel, name):
    with zipfile.ZipFile(wheel) as archive:
        (path,) = [path for path in archive.namelist() if path.endswith(f".dist-info/{name}")]
        return archive.read(path).decode()


def test_the_wheel_holds_one_top_level_package_that_is_called_batchscope(wheel):
    top = {name.partition("/")[0] for name in names_in(wheel)}
    assert {name for name in top if not name.endswith(".dist-info")} == {"batchscope"}


def test_the_wheel_holds_every_module_every_yaml_the_style_of_reports_and_the_empty_store(wheel):
    modules = {f"batchscope/{path.relative_to(ROOT / 'pipeline')}" for path in (ROOT / "pipeline").rglob("*.py")}
    yamls = {f"batchscope/{path.relative_to(ROOT)}" for path in (ROOT / "conf").rglob("*.yaml")}
    found = {name for name in names_in(wheel) if name.startswith("batchscope/")}
    assert found == modules | yamls | {"batchscope/report/page.css", "batchscope/tracking/empty_store.sql"}


def test_the_metadata_names_what_an_index_shows_and_neither_addresses_nor_a_licence(wheel):
    metadata = HeaderParser().parsestr(text_in(wheel, "METADATA"))
    for key in ("Name", "Version", "Summary", "Author", "Keywords", "Requires-Python", "Description-Content-Type"):
        assert metadata[key], key
    assert metadata.get_payload().startswith("# ")
    assert "Programming Language :: Python :: 3.11" in metadata.get_all("Classifier")
    for key in ("License", "License-Expression", "License-File", "Home-page", "Project-URL", "Download-URL"):
        assert metadata.get_all(key) is None, key
    assert not [line for line in metadata.get_all("Classifier") if line.startswith("License")]


def test_the_wheel_passes_twine(wheel):
    pytest.importorskip("twine")
    done = outside(sys.executable, "-m", "twine", "check", "--strict", str(wheel), cwd=wheel.parent)
    assert done.returncode == 0, done.stdout


def test_the_script_is_that_of_the_package_that_is_installed(wheel, editable_wheel):
    assert "batchscope = batchscope.__main__:main" in text_in(wheel, "entry_points.txt")
    assert "batchscope = pipeline.__main__:main" in text_in(editable_wheel, "entry_points.txt")


def test_an_editable_install_brings_the_package_under_its_name_in_the_checkout_alone(editable_wheel, tmp_path):
    with zipfile.ZipFile(editable_wheel) as archive:
        archive.extractall(tmp_path)
    (finder,) = tmp_path.glob("__editable__*finder.py")
    found = {}
    exec(finder.read_text(encoding="utf-8"), found)
    assert set(found["MAPPING"]) == {"pipeline"}


@pytest.mark.slow
def test_the_installed_package_is_not_the_checkout(installed, project):
    code = "import batchscope; print(batchscope.__file__)"
    done = outside(installed / "python", "-c", code, cwd=project)
    assert Path(done.stdout.strip()).is_relative_to(installed.parent)
    code = "import importlib.util as u; print(u.find_spec('pipeline'), u.find_spec('conf'))"
    assert outside(installed / "python", "-I", "-c", code, cwd=project).stdout.strip() == "None None"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "launcher"),
    [
        (["batchscope"], ["hydra/launcher=basic"]),
        (["python", "-m", "batchscope"], ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]),
    ],
    ids=["script, basic", "module, joblib"],
)
def test_a_sweep_runs_from_the_wheel_and_writes_where_it_is_started(installed, project, start, launcher):
    if "joblib" in launcher[0]:
        pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="needs the extra joblib")
    program = [str(installed / start[0]), *start[1:]]
    done = outside(*program, "sweep", "batch_size=1,10,1000", "draws=20", *launcher, cwd=project)
    assert done.returncode == 0, done.stderr
    assert "batchscope ui" in done.stdout
    assert (project / "mlruns" / "mlflow.db").is_file()
    (cells,) = (project / "mlruns" / "artifacts").rglob("cells.csv")
    assert list(pd.read_csv(cells)["batch_size"]) == [1, 10, 1000]
    assert {path.name for path in project.iterdir()} == {"pipeline", "tests", "conf", "mlruns"}


@pytest.mark.slow
def test_a_checkout_runs_as_ever_where_the_package_is_installed_too(installed, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "BATCHSCOPE_MLRUNS": str(tmp_path / "mlruns")}
    command = [installed / "python", "-m", "pipeline", "sweep", "batch_size=5,50", "draws=20"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "mlruns" / "artifacts").rglob("cells.csv"))) == 1


@pytest.mark.slow
def test_an_installed_package_speaks_of_itself_as_batchscope(installed, project):
    page = outside(installed / "batchscope", "--help", cwd=project).stdout
    assert "  batchscope sweep data=predictions data.path=FILE" in page
    assert f"Everything is written to {project / 'mlruns'}" in page.replace("\n ", "")
    assert "python -m pipeline" not in page + outside(installed / "batchscope", "ui", "--help", cwd=project).stdout
