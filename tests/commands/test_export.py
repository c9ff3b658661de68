"""A packed run holds its tables, its plots and its configuration; a packed sweep those of every cell too."""

import zipfile

import pytest

from pipeline.commands import export as packing
from pipeline.commands.which_run import find


def test_an_archive_holds_the_table_the_plots_and_every_cells_configuration(swept, tmp_path):
    _, _, store, parent = swept
    packed = packing.export(store, find(store, "newest"), tmp_path / "sweep.zip")
    assert packed.run_id == parent
    with zipfile.ZipFile(packed.path) as archive:
        names = archive.namelist()
        assert len(names) == packed.n_files
        assert {"cells.csv", "funnel.png", "error.png"} <= set(names)
        for cell in store.children(parent):
            text = archive.read(f"cells/{cell.info.run_id}/config.yaml").decode()
            assert f"batch_size: {cell.data.params['batch_size']}" in text
    before = packed.path.read_bytes()
    packing.export(store, find(store, parent), packed.path)
    assert packed.path.read_bytes() == before


@pytest.mark.parametrize("key", ["run", "sweep"])
def test_any_run_is_packed_by_its_short_id_and_what_was_packed_is_said(swept, tmp_path, capsys, key):
    _, uri, store, parent = swept
    run_id = store.children(parent)[0].info.run_id
    path = tmp_path / "run.zip"
    assert packing.main([f"tracking.uri={uri}", f"{key}={run_id[:8]}", f"to={path}"]) == 0
    assert {"config.yaml", "draws.parquet"} <= set(zipfile.ZipFile(path).namelist())
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("The run ")
    assert "config.yaml, draws.parquet" in lines[0]
    assert lines[1:] == [f"    {path}", f"run {run_id[:8]}"]


def test_without_a_name_the_archive_goes_to_the_exports_and_its_place_is_printed(swept, capsys, monkeypatch):
    mlruns, uri, _, parent = swept
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(mlruns))
    assert packing.main([f"tracking.uri={uri}"]) == 0
    path = mlruns / "exports" / f"sweep-{parent}.zip"
    assert zipfile.is_zipfile(path)
    out = capsys.readouterr().out
    assert "with its 2 cells is packed: cells.csv" in out
    assert out.endswith(f" files of the cells, in\n    {path}\nrun {parent[:8]}\n")


def test_a_store_without_a_run_is_refused_with_status_2_and_one_line(tracking, capsys):
    assert packing.main([f"tracking.uri={tracking.uri}"]) == 2
    assert capsys.readouterr().err == "batchscope: there must be a run; found none in this store: make sweep\n"


def test_a_misspelt_folder_is_refused_and_not_made(swept, tmp_path, capsys):
    assert packing.main([f"tracking.uri={swept[1]}", f"to={tmp_path}/missspelt/sweep.zip"]) == 2
    assert "must be in a folder that exists; found no folder" in capsys.readouterr().err
    assert packing.main([f"tracking.uri={swept[1]}", f"to={tmp_path}"]) == 2
    assert "must name the archive; found the folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_status_2_and_named(swept, capsys):
    assert packing.main(["to=/proc/x.zip", f"tracking.uri={swept[1]}"]) == 2
    err = capsys.readouterr().err
    assert "to=FILE must name a place that can be written to; found: " in err
    assert err.count("\n") == 1


def test_an_archive_that_cannot_be_written_is_status_1(swept, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path))
    (tmp_path / "exports").touch()
    assert packing.main([f"tracking.uri={swept[1]}"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
