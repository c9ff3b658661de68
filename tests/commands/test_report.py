"""A report is written for any run: the one that was logged with it, or one made of what was logged."""

import pytest

from pipeline.commands import report as reporting
from pipeline.tracking.artifacts import local_folder


def artifacts_of(store, run_id):
    return local_folder(store.run(run_id).info.artifact_uri)


def lines_of(capsys):
    return capsys.readouterr().out.splitlines()


def test_without_a_name_the_newest_runs_report_goes_beside_the_archives_and_its_paths_are_printed(
    swept, capsys, monkeypatch
):
    mlruns, uri, store, parent = swept
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(mlruns))
    assert reporting.main([f"tracking.uri={uri}"]) == 0
    folder = mlruns / "exports" / f"sweep-{parent}"
    first, *paths, last = lines_of(capsys)
    assert first.startswith("The report of the sweep 'evaluate digits test")
    assert paths == [f"    {folder}/report.html", f"    {folder}/report.md"]
    assert last == f"run {parent[:8]}"
    for name in ("report.html", "report.md"):
        assert (folder / name).read_bytes() == store.read_file(parent, name)


@pytest.mark.parametrize("length", [8, 32])
def test_a_run_without_a_report_gets_one_in_the_folder_that_is_named(swept, tmp_path, capsys, length):
    _, uri, store, parent = swept
    cell = store.children(parent)[1].info.run_id
    folder = artifacts_of(store, cell)
    kept = {name: (folder / name).read_bytes() for name in ("report.html", "report.md")}
    try:
        for name in kept:
            (folder / name).unlink()
        before = store.run(cell)
        store._client.set_tag(cell, "artifacts", "{}")
        assert reporting.main([f"tracking.uri={uri}", f"run={cell[:length]}", f"to={tmp_path}/mine"]) == 0
    finally:
        store._client.set_tag(cell, "artifacts", before.data.tags["artifacts"])
        for name, content in kept.items():
            (folder / name).write_bytes(content)
    assert lines_of(capsys)[-1] == f"run {cell[:8]}"
    made = (tmp_path / "mine" / "report.md").read_text()
    answer = kept["report.md"].decode().splitlines()[0]
    assert made.startswith(f"{answer}\n")
    assert answer.startswith("**Loss ")
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["report.html", "report.md"]


def test_the_report_of_a_sweep_tells_the_command_and_that_of_a_cell_its_own(swept):
    _, _, store, parent = swept
    assert "`python -m pipeline --multirun draws=20 batch_size=7,30`" in store.read_text(parent, "report.md")
    for cell in store.children(parent):
        size = cell.data.params["batch_size"]
        line = next(line for line in store.read_text(cell.info.run_id, "report.md").splitlines() if "repeat" in line)
        assert "python -m pipeline" in line
        assert f"batch_size={size}" in line
        assert "--multirun" not in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run=nothing"], "a run must be named by its id"),
        (["to={tmp}/no/folder"], "must be in a folder that exists; found no folder"),
        (["to={tmp}/a file"], "to=FOLDER must name a folder; found the file"),
        (["to=/proc/x"], "to=FOLDER must name a place that can be written to; found: "),
        (["from=here"], "an argument must be one of run=…, to=…"),
    ],
)
def test_a_wrong_request_is_one_line_and_status_2_and_writes_nothing(swept, tmp_path, capsys, arguments, said):
    (tmp_path / "a file").touch()
    given = [argument.format(tmp=tmp_path) for argument in arguments]
    assert reporting.main([f"tracking.uri={swept[1]}", *given]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a file"]


def test_a_report_that_cannot_be_written_is_status_1(swept, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path))
    (tmp_path / "exports").touch()
    assert reporting.main([f"tracking.uri={swept[1]}"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
