"""A recorded cell, run again from its own configuration; a sweep, packed."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipeline import export as packing
from pipeline import reproduce as room
from pipeline.errors import BadInput
from pipeline.reproduce import Reproduced, conclusion, is_same, notes, table
from pipeline.tracking import Tracking

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def swept(command, tmp_path_factory):
    """A sweep of two cells in a store of its own."""
    mlruns = tmp_path_factory.mktemp("again") / "mlruns"
    mlruns.mkdir()
    done = command("--multirun", "draws=20", "batch_size=7,30", mlruns=mlruns)
    assert done.returncode == 0, done.stderr
    uri = f"sqlite:///{mlruns}/mlflow.db"
    store = Tracking(uri=uri).open()
    return mlruns, uri, store, store.newest_sweep().info.run_id


def test_a_cell_run_again_in_another_process_is_identical_to_the_last_bit(swept):
    mlruns, uri, store, parent = swept
    cell = store.children(parent)[0].info.run_id
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.reproduce", f"run={cell}", f"tracking.uri={uri}"],
        env={**os.environ, "BATCHSCOPE_MLRUNS": str(mlruns), "PYTHONPATH": str(ROOT), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert "Identical" in done.stdout
    assert "draws.parquet: identical to the last bit" in " ".join(done.stdout.split())
    assert "package." not in done.stdout
    assert len(store.children(parent)) == 2


def test_what_is_off_and_what_differs_around_is_said(swept):
    _, _, store, parent = swept
    cell = store.children(parent)[1].info.run_id
    store._client.log_metric(cell, "loss/mean", 0.5)
    environment = json.loads(store.read_file(cell, "environment.json")) | {"package.numpy": "1.0"}
    store._client.log_text(cell, json.dumps(environment), "environment.json")
    found = room.reproduce(store, cell)
    assert not found.is_identical
    (row,) = [row for row in table(found, cell).rows if row[0] == "loss/mean"]
    assert float(row[3]) == pytest.approx(found.now["loss/mean"] - 0.5, rel=1e-2)
    assert "Not identical" in conclusion(found)
    assert any(line.startswith("package.numpy: 1.0 then") for line in notes(found))
    assert found.tables == {"draws.parquet": True}


def test_times_may_differ_and_nothing_else():
    same = Reproduced({"loss/mean": 1.0, "seconds/all": 2.0}, {"loss/mean": 1.0, "seconds/all": 3.0})
    assert same.is_identical
    assert not Reproduced({"loss/mean": 1.0}, {"loss/mean": 1.0 + 2**-52}).is_identical
    assert not Reproduced({"loss/mean": 1.0}, {}).is_identical
    assert is_same(float("nan"), float("nan"))


def test_what_is_no_finished_cell_is_refused(swept):
    _, _, store, parent = swept
    with pytest.raises(BadInput, match="must be a finished cell; found a sweep"):
        room.reproduce(store, parent)
    with pytest.raises(BadInput, match="found none of the id 'abc'"):
        room.reproduce(store, "abc")


@pytest.mark.parametrize(
    ("arguments", "message"), [([], "must name a recorded cell"), (["rum=1"], "must be one of run=…, tracking.uri=…")]
)
def test_a_wrong_request_is_one_line_and_status_2(capsys, arguments, message):
    assert room.main(arguments) == 2
    line = capsys.readouterr().err
    assert message in line
    assert line.count("\n") == 1


def test_an_archive_holds_the_table_the_plots_and_every_cells_configuration(swept, tmp_path):
    _, _, store, parent = swept
    path, n_files = packing.export(store, None, tmp_path / "sweep.zip")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert len(names) == n_files
        assert {"cells.csv", "funnel.png", "error.png"} <= set(names)
        for cell in store.children(parent):
            text = archive.read(f"cells/{cell.info.run_id}/config.yaml").decode()
            assert f"batch_size: {cell.data.params['batch_size']}" in text
    before = path.read_bytes()
    packing.export(store, parent, path)
    assert path.read_bytes() == before


def test_a_cell_is_no_sweep(swept):
    _, _, store, parent = swept
    with pytest.raises(BadInput, match="must be a sweep's parent run; found a cell"):
        packing.export(store, store.children(parent)[0].info.run_id, None)
