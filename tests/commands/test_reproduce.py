"""A recorded cell that is run again from its own configuration is identical."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import config
from pipeline.cell.run import run_alone
from pipeline.commands import reproduce as room
from pipeline.commands.reproduce import Reproduced, conclusion, is_same, notes, table
from pipeline.errors import BadInput
from tests.study.predicted import two_models, write

ROOT = Path(__file__).resolve().parents[2]


def test_a_cell_run_again_in_another_process_is_identical_to_the_last_bit(swept):
    mlruns, uri, store, parent = swept
    cell = store.children(parent)[0].info.run_id
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "reproduce", f"run={cell}", f"tracking.uri={uri}"],
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


def test_what_is_off_and_what_differs_around_is_said(tracking):
    cell, _ = run_alone(config.composed(["draws=20", f"tracking.uri='{tracking.uri}'"]), print)
    store = tracking.open()
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


def test_the_newest_is_a_sweep_and_all_of_its_cells_are_run_again(swept, capsys):
    _, uri, store, parent = swept
    room.main(["run=newest", f"tracking.uri={uri}"])
    out = capsys.readouterr().out
    assert all(f"Run {cell.info.run_id}, again" in out for cell in store.children(parent))
    assert "2 cells of " in out
    assert out.endswith(f"run {parent[:8]}\n")


@pytest.mark.parametrize(
    ("arguments", "message"), [([], "must name a recorded run"), (["rum=1"], "must be one of run=…, tracking.uri=…")]
)
def test_a_wrong_request_is_one_line_and_status_2(capsys, arguments, message):
    assert room.main(arguments) == 2
    line = capsys.readouterr().err
    assert message in line
    assert line.count("\n") == 1


@pytest.fixture
def repeated(tracking, tmp_path):
    """A function from options to the comparison of their run with its repetition; `between` happens between the two."""

    def repeat(*options, between=lambda: None):
        asked = config.composed([*options, f"tracking.uri='{tracking.uri}'"])
        run_id, _ = run_alone(asked, print)
        between()
        before = _files(tmp_path)
        found = room.reproduce(tracking.open(), run_id)
        assert _files(tmp_path) == before
        return found

    return repeat


def _files(folder):
    """The content of every file but of the store's and the fixture's own."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "mlruns" not in path.parts}


def test_the_files_of_a_gate_stay_those_of_the_newest_verdict(repeated, tmp_path):
    first, second, labels = two_models()
    ours = write(tmp_path / "a.parquet", label=labels, logits=first)
    theirs = write(tmp_path / "b.parquet", label=labels, logits=second)
    out = tmp_path / "released"
    options = [f"data.path={ours}", f"study.against={theirs}", "study.margin.loss=0.02", "study.margin.accuracy=0.01"]

    def release_another():
        (out / "verdict.json").write_text("of a later run")

    found = repeated("+experiment=gate", "data=predictions", *options, f"study.output={out}", between=release_another)
    assert (found.is_identical, found.same_digest, found.remarks) == (True, True, [])
    assert (out / "verdict.json").read_text() == "of a later run"


def test_a_run_of_predict_is_repeated_beside_its_file_and_the_rows_are_counted(repeated, tmp_path):
    found = repeated("study=predict", f"study.to={tmp_path}/p.parquet")
    assert (found.is_identical, found.same_digest) == (True, True)
    assert found.before["rows"] == found.now["rows"] > 0


@pytest.mark.parametrize("is_waiting", [True, False])
def test_a_labelling_is_repeated_with_the_labels_of_its_time(repeated, tmp_path, is_waiting):
    logits, _, labels = two_models()
    path = write(tmp_path / "rows.parquet", logits=logits)
    options = ["+experiment=label", "data=predictions", f"data.path={path}", "study.block=50"]
    (tmp_path / "truth.txt").write_text(" ".join(map(str, labels)))
    program = tmp_path / "asked.py"
    program.write_text(
        "import csv, sys\n"
        f"truth = open({str(tmp_path / 'truth.txt')!r}).read().split()\n"
        f"open({str(tmp_path / 'starts')!r}, 'a').write('.')\n"
        "print('row,label')\n"
        "print('\\n'.join(f\"{row['row']},{truth[int(row['row'])]}\" for row in csv.DictReader(sys.stdin)))\n"
    )
    asks = [f"study.labels='{sys.executable} {program}'"]

    def label_more():
        run_alone(config.composed([*options, *asks, "study.max_labels=150"]), print)

    if is_waiting:
        found = repeated(*options, between=label_more)
        assert found.remarks == ["150 labels were added since; the 0 of that time were taken"]
    else:
        found = repeated(*options, *asks, "study.max_labels=100", between=label_more)
        assert found.remarks == ["50 labels were added since; the 100 of that time were taken"]
    assert found.is_identical
    assert notes(found)[0] == found.remarks[0]
    # The repetition itself started no program.
    assert len(Path(tmp_path, "starts").read_text()) == 3


def test_a_labelling_repeated_at_once_is_said_to_be_what_it_was(repeated, tmp_path):
    path = write(tmp_path / "rows.parquet", logits=two_models()[0])
    found = repeated("+experiment=label", "data=predictions", f"data.path={path}")
    assert (found.is_identical, found.same_digest, found.remarks) == (True, True, [])
