"""The verdict is that of study=gate on the same file; arguments that are none are refused."""

import json

import numpy as np
import pytest

import pipeline as bs
from pipeline.study.gate import Gate
from tests.study.predicted import stages_from, two_models, write

FIRST, SECOND, LABELS = two_models()
MARGIN = {"loss": 0.02, "accuracy": 0.01}


@pytest.mark.parametrize("shift", [2.0, 0.0, -2.0])
@pytest.mark.parametrize("target", ["superpopulation", "population"])
def test_the_verdict_is_that_of_the_study_on_the_same_files(stages_of, tmp_path, shift, target):
    candidate = SECOND + shift * np.eye(4)[LABELS]
    ours, theirs = (
        write(tmp_path / f"{name}.parquet", label=LABELS, logits=logits)
        for name, logits in (("a", FIRST), ("b", candidate))
    )
    stages = stages_from(stages_of, ours)
    stages.experiment.interval.target = target
    result = Gate(against=theirs, margin=MARGIN).answer(stages)
    found = bs.gate(bs.scores(ours), bs.scores(theirs), margin=MARGIN, target=target, check=True)
    assert found.sentence == result.answer
    assert found.status == result.status
    study, own = json.loads(result.texts["verdict.json"]), found.to_dict()
    # The digests are those of the files there, and of the rows here.
    for each in (study, own):
        del each["baseline"], each["candidate"]
    assert own == study


def test_within_a_declared_range_the_verdict_is_that_of_the_study(stages_of, tmp_path):
    ours, theirs = (
        write(tmp_path / f"{name}.parquet", label=LABELS, logits=logits)
        for name, logits in (("a", FIRST), ("b", SECOND))
    )
    stages = stages_from(stages_of, ours)
    stages.experiment.interval.target = "superpopulation"
    result = Gate(against=theirs, margin=MARGIN, loss_range=1.0).answer(stages)
    found = bs.gate(bs.scores(ours), bs.scores(theirs), margin=MARGIN, loss_range=1.0, check=True)
    assert found.sentence == result.answer
    assert found.to_dict()["metrics"] == json.loads(result.texts["verdict.json"])["metrics"]
    grouped = bs.scores(LABELS, logits=FIRST, group=np.arange(len(LABELS)) // 3)
    with pytest.raises(bs.BadInput, match="rows that are independent; found groups"):
        bs.gate(grouped, grouped, margin=MARGIN, loss_range=1.0)


def test_a_verdict_of_one_metric_knows_nothing_of_the_other():
    rows = [bs.scores(LABELS, logits=logits) for logits in (FIRST, FIRST)]
    found = bs.gate(*rows, margin=MARGIN, on=["loss"])
    assert list(found.metrics) == ["loss"]
    assert found.verdict == "not worse"
    assert found.is_pass
    assert "candidate minus baseline" in found.sentence


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"margin": {}}, "margin must be given for a metric at least; found none"),
        ({"margin": {"f1": 0.1}}, "margin must be of the metrics loss, accuracy; found f1"),
        ({"margin": {"loss": -1}}, "a number of at least 0; found -1"),
        ({"margin": {"accuracy": 1.0}}, "at least 0 and below 1; found 1.0"),
        ({"margin": {"loss": 0.1}, "on": ["accuracy"]}, "how much the accuracy may be worse .* found none"),
        ({"margin": MARGIN, "target": "world"}, "target must be one of superpopulation, population"),
        ({"margin": MARGIN, "loss_range": 0.0}, "loss_range must be above 0 nats and finite, such as 2; found 0"),
        ({"margin": MARGIN, "power": 0}, "power must be between 0 and 1"),
    ],
)
def test_bad_arguments_are_refused(given, message):
    rows = bs.scores(LABELS, logits=FIRST)
    with pytest.raises(bs.BadInput, match=message):
        bs.gate(rows, rows, **given)


def test_rows_whose_difference_is_not_finite_are_refused():
    with pytest.raises(bs.BadInput, match="found 1 row in which it is not, first row 1"):
        bs.gate(bs.scores(loss=[0.1, np.inf]), bs.scores(loss=[0.1, 0.2]), margin={"loss": 0.1})


@pytest.mark.parametrize("target", ["superpopulation", "population"])
@pytest.mark.parametrize("grouped", [False, True])
def test_groups_and_metrics_of_all_rows_together_are_judged_as_the_study_does(stages_of, tmp_path, target, grouped):
    margin = {"loss": 0.02, "balanced_accuracy": 0.02, "auc": 0.01, "ece": 0.01}
    ours = write(tmp_path / "a.parquet", label=LABELS, logits=FIRST, doc=np.arange(len(LABELS)) // 3)
    theirs = write(tmp_path / "b.parquet", label=LABELS, logits=SECOND)
    stages = stages_from(stages_of, ours, fields={"group": "doc"} if grouped else None)
    stages.experiment.interval.target = target
    result = Gate(against=theirs, on=list(margin), margin=margin).answer(stages)
    rows = bs.scores(ours, metrics=["loss", "accuracy", *margin], group="doc" if grouped else None)
    other = bs.scores(theirs, metrics=["loss", "accuracy", *margin])
    found = bs.gate(rows, other, margin=margin, target=target, check=True)
    study, own = json.loads(result.texts["verdict.json"]), found.to_dict()
    for each in (study, own):
        del each["baseline"], each["candidate"]
    assert own == study
    assert found.sentence == result.answer


def test_a_metric_without_a_value_is_refused_with_the_reason():
    rows = bs.scores(np.minimum(LABELS, 2), logits=FIRST, metrics=["loss", "auc"])
    with pytest.raises(bs.BadInput, match="margin must be of metrics that have a value; found no auc: 1 of 4 classes"):
        bs.gate(rows, rows, margin={"auc": 0.01})
    with pytest.raises(bs.BadInput, match="at least 0 and below 1; found 2"):
        bs.gate(rows, rows, margin={"auc": 2})


def test_rows_that_are_missing_are_whole_numbers():
    old, new = (bs.scores(LABELS[:200], logits=z[:200]) for z in (FIRST, SECOND))
    found = bs.gate(new, old, margin={"loss": 1.1 * -bs.compare(old, new).loss.difference})
    told = found.to_dict()["metrics"][0]
    assert found.verdict == "undecided"
    assert [type(n) for n in (told["more_rows"], told["rows_for_margin"], found.loss.more)] == [int] * 3
    assert type(bs.compare(old, new).loss.n_for_power) is int
