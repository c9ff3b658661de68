"""study=gate: the verdict, its files, its exit status, and requests that are refused."""

import errno
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from pipeline.errors import BadInput, Failed
from pipeline.loss import cross_entropy
from pipeline.metric.brier import Brier
from pipeline.metric.chosen import main_metrics
from pipeline.model.npz import Npz
from pipeline.runtime import files
from pipeline.study.gate import Gate
from tests.evaluation import changed
from tests.study.predicted import stages_from, two_models, write

FIRST, SECOND, LABELS = two_models()
MARGIN = {"loss": 0.02, "accuracy": 0.01}


def gate(against, **fields):
    return Gate(against=against, **{"margin": MARGIN, **fields})


@pytest.fixture
def judged(stages_of, tmp_path):
    """A function from two models' logits to the result of a gate on them."""

    def judge(first=FIRST, second=SECOND, *, labels=LABELS, target="superpopulation", **fields):
        ours = write(tmp_path / "a.parquet", label=labels, logits=first)
        theirs = write(tmp_path / "b.parquet", label=labels, logits=second)
        stages = stages_from(stages_of, ours)
        stages.experiment.interval.target = target
        study = gate(theirs, **fields)
        study.check(stages)
        return study.answer(stages)

    return judge


@pytest.mark.parametrize(
    ("first", "second", "verdict", "status"),
    [
        (FIRST, SECOND + 2.0 * np.eye(4)[LABELS], "better", 0),
        (FIRST, FIRST, "not worse", 0),
        (FIRST + 2.0 * np.eye(4)[LABELS], SECOND, "worse", 3),
        (FIRST, FIRST + np.random.default_rng(0).normal(0, 0.3, FIRST.shape), "undecided", 4),
    ],
)
def test_the_verdict_its_tag_its_status_and_the_first_word_agree(judged, first, second, verdict, status):
    result = judged(first, second, margin={"loss": 0.1, "accuracy": 0.01} if status != 3 else MARGIN)
    assert result.tags == {"verdict": verdict}
    assert result.status == status
    assert result.answer.startswith(f"{verdict.capitalize()}: ")
    assert json.loads(result.texts["verdict.json"])["verdict"] == verdict
    assert f"### {verdict.capitalize()}" in result.texts["verdict.md"]


def test_the_metrics_are_those_that_the_study_names_and_no_one_is_nan(judged):
    result = judged()
    assert set(Gate.columns) <= set(result.metrics)
    assert set(result.metrics) - set(Gate.columns) == {"check/worse", "check/worse_at_0"}
    assert not any(np.isnan(value) for value in result.metrics.values())
    assert list(result.figures) == ["verdict"]


def test_the_files_of_the_folder_are_the_artifacts(judged, tmp_path):
    result = judged(output=str(tmp_path / "new" / "folder"))
    folder = tmp_path / "new" / "folder"
    assert {path.name: path.read_text("utf-8") for path in folder.iterdir()} == result.texts
    again = judged(first=SECOND, second=FIRST, output=str(folder))
    assert {path.name: path.read_text("utf-8") for path in folder.iterdir()} == again.texts != result.texts


def test_two_real_models_of_scikit_learn_are_judged_by_their_files(stages_of, tmp_path):
    inputs, labels = load_digits(return_X_y=True)
    train, test = slice(0, 900), slice(900, None)
    files, losses = [], []
    for model in (GaussianNB(var_smoothing=0.05), LogisticRegression(max_iter=300, C=0.001)):
        probabilities = model.fit(inputs[train], labels[train]).predict_proba(inputs[test])
        path = tmp_path / f"{type(model).__name__}.csv"
        frame = pd.DataFrame(probabilities, columns=[f"probability_{k}" for k in range(10)])
        frame.assign(label=labels[test]).to_csv(path, index=False)
        files.append(str(path))
        losses.append(cross_entropy(np.log(np.maximum(probabilities, 1e-300)), labels[test]))
    stages = stages_from(stages_of, files[0])
    stages.experiment.interval.target = "superpopulation"
    found = json.loads(gate(files[1]).answer(stages).texts["verdict.json"])
    loss = found["metrics"][0]
    test = stats.ttest_rel(losses[1], losses[0])
    assert loss["difference"] == pytest.approx((losses[1] - losses[0]).mean(), rel=1e-6)
    interval = test.confidence_interval(loss["level_low"])
    assert loss["low"] <= interval.low + 1e-9
    assert found["verdict"] == "better"
    assert found["status"] == 0


def test_with_the_population_as_target_all_rows_are_compared_as_they_are(judged):
    result = judged(target="population")
    found = json.loads(result.texts["verdict.json"])
    assert (found["target"], found["p"], found["check"]) == ("population", None, None)
    assert found["low"] == found["high"] == found["difference"]
    assert found["verdict"] != "undecided"
    assert "nothing is left to chance" in result.notes[0]
    (furthest,) = result.further
    assert "the 10 rows that differ most" in furthest.title


def test_a_rule_is_put_beside_the_gate(judged):
    result = judged(audit="accuracy<-0.02")
    assert list(result.figures) == ["verdict", "rule_audit"]
    assert {"rule/false_alarm", "rule/miss", "rule/gate_false_alarm", "rule/gate_miss"} <= set(result.metrics)
    assert "the rule accuracy<-0.02 fails" in result.summary
    assert json.loads(result.texts["verdict.json"])["audit"]["threshold"] == 0.02


def test_a_metric_alone_has_the_whole_error(judged):
    found = json.loads(judged(on=["accuracy"]).texts["verdict.json"])
    assert [own["metric"] for own in found["metrics"]] == ["accuracy"]
    assert (found["level_low"], found["level_high"]) == pytest.approx((0.95, 0.95))
    assert found["p"] == found["p_holm"]


def test_any_metric_can_be_asked_for(stages_of, tmp_path):
    ours = write(tmp_path / "a.parquet", label=LABELS, logits=FIRST)
    theirs = write(tmp_path / "b.parquet", label=LABELS, logits=SECOND)
    stages = changed(stages_from(stages_of, ours), metric={**main_metrics(), "brier": Brier()})
    stages.experiment.interval.target = "superpopulation"
    study = gate(theirs, margin={"brier": 0.05}, on=["brier"])
    study.check(stages)
    assert "Brier score" in study.answer(stages).answer


def test_without_a_candidate_the_same_network_trained_less_stands_for_one_and_it_is_said(stages_of):
    stages = stages_of()
    stages.experiment.interval.target = "superpopulation"
    study = Gate(example_margin=MARGIN)
    study.check(stages)
    result = study.answer(stages)
    assert result.metrics["loss/difference"] > 0
    assert (
        "A demonstration: the candidate is a copy trained 1/4 as long. Its margins are examples too" in result.notes[-1]
    )
    given = Gate(margin=MARGIN).answer(stages)
    assert "examples" not in given.notes[-1]


def test_only_a_network_that_is_trained_here_can_stand_for_a_candidate(stages_of, tmp_path, digits_parts):
    arrays = {
        f"{kind}{i}": a
        for i, layer in enumerate(digits_parts[1].layers, 1)
        for kind, a in zip("Wb", layer, strict=True)
    }
    np.savez(tmp_path / "w.npz", **arrays)
    stages = changed(stages_of(), model=Npz(path=str(tmp_path / "w.npz"), activation="relu"))
    with pytest.raises(BadInput, match=r"^study\.against must name the candidate, for only model=mlp .* model=npz"):
        Gate(example_margin=MARGIN).check(stages)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"margin": {"loss": 0.1, "accuracy": None}}, r"^study\.margin\.accuracy must say by how much .* found none"),
        ({"margin": {}}, r"^study\.margin\.loss must say by how much the loss may be worse and still pass; found none"),
        (
            {"margin": {"loss": -0.1, "accuracy": 0}},
            r"^study\.margin\.loss must be a number of at least 0; found -0\.1",
        ),
        ({"margin": {"loss": float("nan"), "accuracy": 0}}, r"^study\.margin\.loss must be a number of at least 0"),
        ({"margin": {}, "example_margin": MARGIN}, r"^study\.margin\.loss must say"),
        ({"on": []}, r"^study\.on must name a metric at least"),
        ({"on": ["brier"]}, r"add \+study\.margin\.brier=0\.02"),
        ({"power": 1.0}, r"^study\.power must be between 0 and 1"),
        ({"on": ["acuracy"]}, r"^study\.on must be of the metrics loss, .*; found acuracy: did you mean accuracy\?$"),
        ({"on": ["zzz"]}, r"^study\.on must be of the metrics loss, .*, ece; found zzz$"),
    ],
)
def test_a_request_that_says_too_little_is_refused_before_anything_is_read(fields, message):
    with pytest.raises(BadInput, match=message):
        gate(__file__, **fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"margin": {"loss": 0, "accuracy": 1.0}}, r"^study\.margin\.accuracy must be a fraction below 1; found 1"),
        (
            {"margin": {**MARGIN, "acuracy": 0.1}},
            r"^study\.margin must be of the metrics loss, accuracy, .*, ece; found acuracy: did you mean accuracy\?$",
        ),
        (
            {"margin": {"brier": 0.1}, "on": ["brier"]},
            r"^study\.on must be of the metrics loss, accuracy, .*, ece; found brier",
        ),
        ({"audit": "f1<0"}, r"^study\.audit must be METRIC<NUMBER"),
    ],
)
def test_what_does_not_go_with_the_metrics_is_refused(judged, fields, message):
    with pytest.raises(BadInput, match=message):
        judged(**fields)


def test_a_metric_that_one_file_lacks_is_refused_and_nothing_is_written(stages_of, tmp_path):
    ours = write(tmp_path / "a.parquet", label=LABELS, logits=FIRST)
    theirs = write(tmp_path / "b.parquet", label=LABELS, prediction=SECOND.argmax(axis=1))
    stages, folder = stages_from(stages_of, ours), tmp_path / "out"
    study = gate(theirs, output=str(folder))
    with pytest.raises(
        BadInput, match=r"^study\.on must name metrics that both models have; found loss, .*study\.on=\[accuracy\]$"
    ):
        study.check(stages)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ("{tmp}/a file", "a folder, or one that can be made; found a file at {tmp}/a file"),
        ("{tmp}/a file/x", "a folder, or one that can be made; found a file at {tmp}/a file"),
        ("/dev/null", "a folder, or one that can be made; found a file at /dev/null"),
        ("/proc/x", "a place that can be written to; found: .* \\(/proc/x\\)"),
        ("/sys/x", "a place that can be written to; found: .* \\(/sys/x\\)"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_before_the_work(request_of, tmp_path, output, found):
    ours = write(tmp_path / "a.parquet", label=LABELS, logits=FIRST)
    theirs = write(tmp_path / "b.parquet", label=LABELS, logits=SECOND)
    (tmp_path / "a file").touch()
    options = [f"study.output={output.format(tmp=tmp_path)!r}", "study.margin.loss=0.02", "study.margin.accuracy=0.01"]
    done = request_of("gate", "data=predictions", f"data.path={ours}", f"study.against={theirs}", *options)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), done.stderr
    assert re.search(f"study.output must (be|name) {found.format(tmp=tmp_path)}.*: name another$", done.stderr.strip())


def test_an_output_that_fails_after_the_work_is_named(judged, tmp_path, monkeypatch):
    def full(path, write):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "write_beside", full)
    with pytest.raises(Failed, match=r"^study\.output must name a place with room; found: No space left on device"):
        judged(output=str(tmp_path / "out"))


def test_an_infinite_loss_is_refused(judged):
    second = SECOND.copy()
    second[5, LABELS[5]] = -np.inf
    with pytest.raises(BadInput, match=r"masked|the loss of every row must be finite"):
        judged(second=second)


def test_the_cells_of_a_sweep_are_one_table_and_the_worst_gives_the_status(judged, tmp_path):
    worse, same = judged(FIRST + 2.0 * np.eye(4)[LABELS], SECOND), judged(FIRST, FIRST)
    rows = [
        {"group": name, "population": "a.parquet", "population_size": 1200, "batch_size": 100, **result.metrics}
        for name, result in (("b.parquet", same), ("c.parquet", worse))
    ]
    compared = gate(str(tmp_path / "b.parquet")).compare(pd.DataFrame(rows), lambda name: pd.DataFrame())
    assert [row[0] for row in compared.shown[0].rows] == ["b.parquet", "c.parquet"]
    assert compared.summary == "Of 2 candidates: 1 not worse and 1 worse."
    assert (compared.status, list(compared.figures)) == (3, ["verdict"])


def test_two_models_in_one_file_are_called_by_their_columns_in_the_verdict_and_in_its_picture(stages_of, tmp_path):
    path = write(tmp_path / "both.parquet", label=LABELS, first=FIRST, second=SECOND)
    stages = stages_from(stages_of, path, fields={"logits": "first"})
    study = gate(path, against_columns={"logits": "second"})
    result = study.answer(stages)
    assert "(both.parquet second minus both.parquet first, " in result.answer
    assert "both.parquet second" in result.texts["verdict.md"]
    cell = {"group": "", "population": "both.parquet", "population_size": len(LABELS), **result.metrics, **result.tags}
    compared = study.compare(pd.DataFrame([cell | {"verdict": result.metrics["verdict"]}]), lambda name: pd.DataFrame())
    assert compared.shown[0].rows[0][0] == "both.parquet second"
    assert compared.shown[0].title.startswith("both.parquet first, ")


def test_the_command_ends_with_the_status_of_the_verdict_and_a_wrong_request_with_2(request_of, tmp_path):
    ours = write(tmp_path / "a.parquet", label=LABELS, logits=FIRST + 2.0 * np.eye(4)[LABELS])
    theirs = write(tmp_path / "b.parquet", label=LABELS, logits=SECOND)
    asked = ["gate", "data=predictions", f"data.path={ours}", f"study.against={theirs}", "study.margin.loss=0.02"]
    refused = request_of(*asked)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "study.margin.accuracy must say by how much" in refused.stderr
    done = request_of(*asked, "study.margin.accuracy=0.01", f"study.output={tmp_path}/out")
    assert done.returncode == 3, done.stderr
    assert done.stdout.startswith("Worse: ")
    assert Path(tmp_path, "out", "verdict.json").is_file()
    # Everything was logged before.
    assert "verdict.png and config.yaml are in" in " ".join(done.stdout.split())


def test_predictions_without_a_candidate_are_answered_with_what_a_gate_could_see(stages_of, tmp_path):
    stages = stages_from(stages_of, write(tmp_path / "a.parquet", label=LABELS, logits=FIRST))
    study = Gate(margin=MARGIN)
    study.check(stages)
    assert study.content(stages) == []
    result = study.answer(stages)
    # No verdict is no pass.
    assert (result.status, result.tags, result.texts) == (4, {}, {})
    assert result.metrics["loss/smallest_effect"] > result.metrics["loss/smallest_effect_alike"] > 0
    cells = pd.DataFrame([{"group": "", **result.metrics}])
    compared = study.compare(cells, lambda name: pd.DataFrame())
    assert compared.status == 4
    assert "nothing was judged" in compared.summary


@pytest.mark.slow
def test_a_sweep_of_candidates_ends_with_the_status_of_the_worst_and_again_when_it_is_finished(request_of, new_mlruns):
    mlruns = new_mlruns()
    ours = write(mlruns / "a.parquet", label=LABELS, logits=FIRST + 2.0 * np.eye(4)[LABELS])
    others = {"b.parquet": SECOND, "c.parquet": FIRST}
    theirs = [write(mlruns / name, label=LABELS, logits=own) for name, own in others.items()]
    asked = ["gate", "--multirun", "data=predictions", f"data.path={ours}", f"study.against={ours},{','.join(theirs)}"]
    asked += ["study.margin.loss=0.02", "study.margin.accuracy=0.01"]
    for _ in range(2):
        done = request_of(*asked, mlruns=mlruns)
        assert done.returncode == 3, done.stderr + done.stdout
        assert "Of 3 candidates: 1 not worse and 2 worse." in done.stdout
    assert "Nothing was evaluated" in done.stdout
