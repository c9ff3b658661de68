"""Each wrong request is one clear line and exit status 2, and leaves nothing behind."""

import itertools

import numpy as np
import pytest

from tests import written as tables

CASES = {
    "unknown key": (["batchsize=10"], "batchsize"),
    "unknown key of a part": (["data.colour=red"], "colour"),
    "unknown choice": (
        ["data=cifar"],
        "data must be one of digits, fashion_mnist, inspect, lm_eval, mnist, npz, predictions, table; found 'cifar'",
    ),
    "unknown experiment": (
        ["+experiment=nothing"],
        "experiment must be one of battery, compare, coverage, designs, evaluate, gate, label, landscape, plan, "
        "predict, step_versus_sigmoid, sweep, train, trend, until; found 'nothing'",
    ),
    "batch size 0": (["batch_size=0"], "batch_size must be a whole number of at least 1; found 0"),
    "batch size -1": (["batch_size=-1"], "batch_size must be a whole number of at least 1; found -1"),
    "batch size 2.5": (["batch_size=2.5"], "batch_size"),
    "draws 0": (["draws=0"], "draws must be a whole number of at least 1; found 0"),
    "confidence 1.5": (["confidence=1.5"], "confidence must be between 0 and 1, such as 0.95; found 1.5"),
    "negative seed": (["seed=-1"], "seed must be a whole number of at least 0"),
    "unknown split": (["data.split=validation"], "data.split must be one of train, test"),
    "too large without replacement": (
        ["batch_size=1001", "sampling=without_replacement"],
        "batch_size must be at most the population's 1,000 rows",
    ),
    "a store that is none": (["tracking.uri=mlruns"], "tracking.uri must be"),
    "a store in memory, which nobody could look at": (["tracking.uri=sqlite:///:memory:"], "tracking.uri must be"),
    "a sweep into two stores": (["--multirun", "tracking.experiment=a,b"], "a sweep must go to one store"),
    "a sweep with an unknown split": (
        ["--multirun", "+experiment=sweep", "data.split=validation"],
        "data.split must be one of train, test; found 'validation'",
    ),
    "a sweep over glob(*)": (["--multirun", "sampling=glob(hopeful*)"], "at least one cell"),
    "flags that exclude each other": (["--multirun", "--cfg", "job", "batch_size=1,2"], "Only one of"),
    "a confidence that is 1 but for rounding": (["confidence=0.9999999999999999"], "confidence must be between"),
    "weights without a path": (["model=npz"], "model.path"),
    "no such weights": (["model=npz", "model.path=nowhere.npz"], "nowhere.npz"),
    "one cell of a sweep": (["--multirun", "batch_size=10,0"], "batch_size must be a whole number of at least 1"),
    "a sweep value of the wrong type": (["--multirun", "batch_size=10,2.5"], "batch_size"),
    "a sweep over an unknown choice": (["--multirun", "sampling=with_replacement,hopeful"], "'hopeful'"),
}


@pytest.mark.parametrize(("arguments", "expected"), CASES.values(), ids=list(CASES))
def test_a_wrong_request_is_one_line_and_status_2(request_of, tmp_path, arguments, expected):
    done = request_of(*arguments, mlruns=tmp_path)
    assert done.returncode == 2, done.stderr + done.stdout
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("batchscope: ")
    assert expected in line
    left = {path.name for path in tmp_path.iterdir()}
    assert left <= {"cache", "locks"}, left


def weights(rng, *widths):
    named = {}
    for i, (n_in, n_out) in enumerate(itertools.pairwise(widths), start=1):
        named |= {f"W{i}": rng.normal(size=(n_in, n_out)).astype("f4"), f"b{i}": np.zeros(n_out, "f4")}
    return named


@pytest.mark.slow
def test_a_wrong_file_is_one_line_and_status_2(command, tmp_path):
    rng = np.random.default_rng(0)
    good, x, t = weights(rng, 64, 10), rng.random((20, 64), dtype="f4"), np.arange(20) % 10
    not_a_number = {**good, "b1": np.full(10, np.nan, "f4")}
    files = {
        "model must take": ("model", weights(rng, 65, 10)),
        "NaN": ("model", not_a_number),
        "pickle": ("model", {**good, "W1": np.array([None, 1], dtype=object)}),
        "chain": ("model", {**good, "W2": np.zeros((11, 10), "f4"), "b2": np.zeros(10, "f4")}),
        "label": ("data", {"x": x, "t": t - 1}),
        "same": ("data", {"x": x, "t": t[:-1]}),
        "at least": ("data", {"x": x[:0], "t": t[:0]}),
    }
    np.savez(tmp_path / "good.npz", **good)
    for expected, (kind, arrays) in files.items():
        path = tmp_path / f"{expected}.npz"
        np.savez(path, **arrays)
        if kind == "model":
            arguments = ["model=npz", f"model.path={path}", "model.activation=relu"]
        else:
            arguments = ["data=npz", f"data.path={path}", "model=npz", f"model.path={tmp_path}/good.npz"]
        done = command(*arguments, mlruns=tmp_path / "mlruns")
        assert done.returncode == 2, done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert expected in done.stderr
        assert not (tmp_path / "mlruns" / "mlflow.db").exists()


GOOD = "logit_0,logit_1,label\n" + "0.5,1,0\n1,-2,1\n" * 20
TABLES = {
    "NaN": (GOOD + "0,nan,1\n", "logit_1 must be finite; found nan in line 42 of {path}"),
    "a label": (GOOD + "0,1,2\n", "label must hold classes 0 … 1 (there are 2); found 2 in line 42 of {path}"),
    "text": (GOOD + "0,cat,1\n", "the column 'logit_1' of {path} must hold numbers; found text, first cat in line 42"),
    "a hole": (GOOD + "0,,1\n", "the column 'logit_1' must have a value in every row; found none in line 42 of {path}"),
    "width": (GOOD + "0,1\n", "line 42 of {path} must have 3 values, as the first line has names; found 2"),
    "a gap": (
        GOOD.replace("logit_1", "logit_2"),
        "{path} must have a column a class, from logit_0 on; found no logit_1",
    ),
    "no rows": ("logit_0,logit_1,label\n", "{path} must hold at least one row; found none"),
    "nothing": ("", "{path} must hold at least one row; found none"),
}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (["data.memory=0"], ["NaN", "a hole"]),
        (["--multirun", "batch_size=1,2", "data.memory=0"], ["a label", "width"]),
        pytest.param([], list(TABLES), marks=pytest.mark.slow),
        pytest.param(["data.memory=0", "study=plan"], list(TABLES), marks=pytest.mark.slow),
        pytest.param(["--multirun", "batch_size=1,2"], list(TABLES), marks=pytest.mark.slow),
    ],
    ids=["on disk", "a sweep on disk", "in memory", "a plan", "a sweep in memory"],
)
def test_a_wrong_table_is_one_line_and_status_2_and_leaves_no_run(request_of, tmp_path, asked, names):
    for name in names:
        content, expected = TABLES[name]
        path = tmp_path / "rows.csv"
        path.write_text(content)
        done = request_of(*asked, "data=predictions", f"data.path={path}", mlruns=tmp_path / "mlruns")
        assert done.returncode == 2, done.stderr + done.stdout
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert expected.format(path=path) in line
        # What the text was converted into may be asked for again; no score is kept, and no store is made.
        left = {path.name for path in (tmp_path / "mlruns").iterdir()}
        assert left <= {"cache", "locks"}, left
        assert not [file for file in (tmp_path / "mlruns" / "cache" / "scores").rglob("loss") if any(file.read_bytes())]


@pytest.mark.slow
def test_a_damaged_shard_is_named_and_no_run_is_begun(command, tmp_path):
    rng = np.random.default_rng(0)
    columns = {"x": rng.normal(size=(40, 64)), "label": np.arange(40) % 10}
    tables.parquet_folder(tmp_path / "rows", columns, rows=10)
    part = tmp_path / "rows" / "part-002.parquet"
    np.savez(tmp_path / "model.npz", **weights(rng, 64, 10))
    asked = [
        "data=table",
        f"data.path={tmp_path}/rows",
        "model=npz",
        f"model.path={tmp_path}/model.npz",
        "data.memory=0",
    ]
    for damage, expected in (
        (part.read_bytes()[:-50], f"{part} must be a whole Parquet file; found"),
        (b"", f"{part} must be a whole Parquet file; found"),
    ):
        part.write_bytes(damage)
        done = command(*asked, mlruns=tmp_path / "mlruns")
        assert done.returncode == 2, done.stderr
        (line,) = done.stderr.splitlines()
        assert expected in line
        assert not (tmp_path / "mlruns" / "mlflow.db").exists()


def test_with_hydra_full_error_the_traceback_is_shown(command, tmp_path):
    done = command("batch_size=0", mlruns=tmp_path, HYDRA_FULL_ERROR="1")
    assert done.returncode != 0
    assert "Traceback" in done.stderr


@pytest.mark.slow
def test_a_store_that_does_not_answer_is_one_line(command, tmp_path):
    done = command("draws=5", "tracking.uri=http://127.0.0.1:9", mlruns=tmp_path)
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert "tracking.uri must be a store that answers" in line


def test_a_store_that_is_another_kind_of_file_is_one_line_at_once(command, tmp_path):
    (tmp_path / "text.db").write_text("this is no database, however it is named")
    done = command("draws=5", f"tracking.uri=sqlite:///{tmp_path}/text.db", mlruns=tmp_path / "mlruns")
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert "tracking.uri must name a SQLite file, or one to be made; found another kind of file" in line


@pytest.mark.slow
def test_logits_that_overflow_are_one_line_in_a_run_and_in_a_sweep(command, tmp_path):
    huge = {"W1": np.full((64, 10), 3e38, "f4"), "b1": np.zeros(10, "f4")}
    np.savez(tmp_path / "huge.npz", **huge)
    arguments = ["model=npz", f"model.path={tmp_path}/huge.npz", "draws=5"]
    for more in ([], ["--multirun"]):
        done = command(*arguments, *more, mlruns=tmp_path / "mlruns")
        assert done.returncode == 2, done.stderr
        (line,) = done.stderr.splitlines()
        assert "logits" in line
