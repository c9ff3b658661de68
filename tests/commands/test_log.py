"""A result of files, arrays or DataFrames is logged as the run that the command makes; other results are refused."""

import mlflow
import numpy as np
import pandas as pd
import pytest

import pipeline as bs
from pipeline.commands.log import written
from pipeline.runtime import files
from tests.study.predicted import two_models, write

FIRST, SECOND, LABELS = two_models()


@pytest.fixture
def pair(tmp_path):
    paths = [
        write(tmp_path / f"it's {name}.parquet", label=LABELS, logits=z) for name, z in (("a", FIRST), ("b", SECOND))
    ]
    return [bs.scores(path) for path in paths]


@pytest.fixture
def run_of(tracking, tmp_path, monkeypatch):
    """A function from a result to its run; what is written is this test's alone."""
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "mlruns"))
    client = mlflow.MlflowClient(tracking_uri=tracking.uri)
    return lambda found: client.get_run(bs.log(found, uri=tracking.uri, experiment="from python"))


@pytest.mark.parametrize("kind", ["estimate", "compare", "gate", "plan"])
def test_the_run_has_the_figures_of_the_result(kind, pair, tracking, run_of):
    first, second = pair
    if kind == "estimate":
        found = bs.estimate(first, confidence=0.9, loss="t")
        names = {"value": "all", "low": "all_low", "high": "all_high"}
    elif kind == "compare":
        found = bs.compare(first, second, confidence=0.9)
        names = {"difference": "difference", "low": "difference_low", "n_for_power": "n_for_power"}
    elif kind == "gate":
        found = bs.gate(first, second, margin={"loss": 0.02, "accuracy": 0.01}, confidence=0.9)
        names = {"difference": "difference", "low": "difference_low", "code": "verdict", "needed": "n_for_margin"}
    else:
        found = bs.plan(first, loss_within=0.05)
        names = {"without_replacement": "n"}
    client, run = mlflow.MlflowClient(tracking_uri=tracking.uri), run_of(found)
    assert client.get_experiment(run.info.experiment_id).name == "from python"
    assert run.info.status == "FINISHED"
    assert run.data.tags["kind"] == "cell"
    for metric, own in found.metrics.items():
        for name, logged in names.items():
            assert run.data.metrics[f"{metric}/{logged}"] == pytest.approx(getattr(own, name), rel=1e-9), name


def test_arrays_with_groups_slices_and_further_metrics_are_written_once_and_give_the_same_figures(run_of):
    metrics = ["loss", "accuracy", "brier", "top_2", "auc", "ece"]
    by = np.array(["x", "y"])[np.arange(len(LABELS)) % 2]
    old = bs.scores(LABELS, logits=FIRST, metrics=metrics, group=np.arange(len(LABELS)) // 3, by=by, name="the old")
    new = bs.scores(LABELS, logits=SECOND, metrics=metrics)
    found = bs.compare(old, new)
    run = run_of(found)
    for name, own in found.metrics.items():
        assert run.data.metrics[f"{name}/difference"] == pytest.approx(own.difference, rel=1e-12)
        assert run.data.metrics[f"{name}/difference_high"] == pytest.approx(own.high, rel=1e-9)
    assert run.data.metrics["groups"] == 400
    assert run.data.metrics["slices"] == 2
    there = sorted(path.name for path in (files.mlruns() / "data").glob("*/*"))
    verdict = bs.gate(old, new, margin={"brier": 0.01, "auc": 0.01})
    judged = run_of(verdict).data
    assert judged.tags["verdict"] == verdict.verdict
    assert judged.metrics["auc/difference_low"] == pytest.approx(verdict.auc.low, rel=1e-9)
    # The same content is the same file.
    assert sorted(path.name for path in (files.mlruns() / "data").glob("*/*")) == there
    assert there == ["sample", "the old"]


def test_the_run_calls_models_and_slices_as_the_user_does(run_of, tracking):
    by = pd.Series(np.array(["x", "y"])[np.arange(len(LABELS)) % 2], name="country")
    old, new = (bs.scores(LABELS, logits=z, by=by, name=name) for z, name in ((FIRST, "rf"), (SECOND, "lr")))
    found = bs.compare(old, new)
    run = run_of(found)
    said = run.data.tags["mlflow.note.content"]
    assert "lr against rf, 1,200 rows" in said
    assert "By country, " in said
    assert ".parquet" not in said
    assert found.request["data.by"] == "country"
    # Arrays have no name for their slices, and two tables of one name are told apart as the functions do.
    unnamed = [bs.scores(LABELS, logits=z, by=by.to_numpy()) for z in (FIRST, SECOND)]
    assert "candidate against baseline, " in run_of(bs.compare(*unnamed)).data.tags["mlflow.note.content"]


def test_the_columns_of_a_dataframe_are_found_whatever_they_are_called(run_of):
    frame = pd.DataFrame(FIRST, columns=[f"z_{k}" for k in "abcd"]).assign(truth=np.array(list("abcd"))[LABELS])
    old = bs.scores(frame, logits="z", label="truth")
    new = bs.scores(frame.assign(**{f"z_{k}": SECOND[:, i] for i, k in enumerate("abcd")}), logits="z", label="truth")
    found = bs.compare(old, new)
    run = run_of(found)
    assert run.data.metrics["loss/difference"] == pytest.approx(found.loss.difference, rel=1e-12)


@pytest.mark.slow
def test_a_sweep_is_logged_as_its_parent_run(run_of):
    found = bs.sweep(bs.scores(LABELS, logits=FIRST), [10, 100], draws=20)
    run = run_of(found)
    assert run.data.tags["kind"] == "sweep"
    assert run.info.status == "FINISHED"
    last = found.cells.iloc[-1]
    for name in ("loss/se", "accuracy/rmse"):
        assert run.data.metrics[name] == pytest.approx(last[name], rel=1e-9)


def test_log_true_logs_what_the_function_returns(monkeypatch):
    from pipeline.commands import log

    asked = []
    monkeypatch.setattr(log, "log", asked.append)
    rows = bs.scores(LABELS, logits=FIRST)
    made = [
        bs.estimate(rows, log=True),
        bs.compare(rows, rows, log=True),
        bs.gate(rows, rows, margin={"loss": 0.1}, log=True),
        bs.plan(rows, log=True),
        bs.sweep(rows, [10], draws=2, log=True),
    ]
    assert all(one is other for one, other in zip(asked, made, strict=True))
    bs.estimate(rows)
    assert len(asked) == len(made)


def test_results_that_no_command_makes_are_refused(pair):
    wide = bs.scores(pd.DataFrame(FIRST, columns=[f"logit_{k}" for k in range(4)]).assign(label=LABELS))
    weighted = bs.scores(pair[0].request["data.path"], weight=np.ones(len(LABELS)))
    classes = bs.scores(np.array(list("abcd"))[LABELS], logits=FIRST, classes=list("abcd"))
    results = [
        bs.estimate(weighted),
        bs.compare(classes, bs.scores(np.array(list("abcd"))[LABELS], logits=FIRST[:, ::-1], classes=list("dcba"))),
        bs.plan(pair[0], population=10_000),
        bs.estimate(bs.scores(LABELS, logits=FIRST, metrics=["loss", "top_2", "top_3"])),
        bs.until(lambda rows: {"loss": wide.values("loss")[rows]}, 1200, metrics=["loss"], loss_within=1.0),
    ]
    for found in results:
        with pytest.raises(bs.BadInput, match="must be one that a command makes to be logged; found a"):
            bs.log(found)


def test_values_are_written_in_hydras_grammar():
    from hydra.core.override_parser.overrides_parser import OverridesParser

    parser = OverridesParser.create()
    for value in (None, True, 0.02, 1e-9, "it's", "a,b=[c] {d}", "back\\slash", "end\\", ["loss", "accuracy"]):
        assert parser.parse_override(f"a={written(value)}").value() == value


def test_a_place_that_takes_no_file_is_named_in_one_line(monkeypatch):
    # Below /proc no folder can be made, not even by root.
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", "/proc/none")
    with pytest.raises(bs.BadInput, match=r"none must be writable; found: .*: let BATCHSCOPE_MLRUNS name another"):
        bs.log(bs.estimate(bs.scores(LABELS, logits=FIRST)))
