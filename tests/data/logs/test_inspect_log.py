"""Logs of Inspect, made by inspect_ai.eval itself."""

import json
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from pipeline.data.logs.inspect_log import read
from pipeline.errors import BadInput
from tests.data.logs.inspect_logs import write_logs

pytestmark = pytest.mark.skipif(find_spec("inspect_ai") is None, reason="the extra inspect is not installed")


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """The logs by the name of their task."""
    return write_logs(tmp_path_factory.mktemp("inspect"))


def changed(log, path, change):
    """A log that was changed and written again by Inspect."""
    from inspect_ai.log import read_eval_log, write_eval_log

    whole = read_eval_log(log)
    change(whole)
    write_eval_log(whole, path)
    return path


@pytest.mark.parametrize("name", ["plain", "text"])
def test_a_finished_log_has_accuracy_and_no_loss(logs, name):
    answers = read(logs[name], scorer=None)
    assert answers.correct.tolist() == [False, False, True, False, False, False]
    assert answers.correct.dtype == np.bool_
    assert answers.loss is answers.logits is answers.labels is None
    assert answers.note.startswith(f"Inspect: 6 samples of {name} by mockllm/model; correct: match; no loss")


def test_accuracy_is_what_inspect_itself_reports(logs):
    from inspect_ai.log import read_eval_log

    reported = read_eval_log(logs["two"]).results.scores[0].metrics["accuracy"].value
    assert read(logs["two"], scorer="match").correct.mean() == pytest.approx(reported)


def test_ids_epochs_and_metadata_are_columns(logs):
    columns = read(logs["two"], scorer="includes").columns
    assert columns["id"].tolist() == [1, 2, 3, 4, 5, 6] * 2
    assert columns["epoch"].tolist() == [1] * 6 + [2] * 6
    assert columns["metadata.subject"].tolist() == list("bababa") * 2
    assert columns["metadata.level"].tolist() == [1, 2, 3, 4, 5, 6] * 2
    assert "metadata.tags" not in columns


def test_each_epoch_has_its_own_answer(logs):
    answers = read(logs["two"], scorer="match")
    assert np.flatnonzero(answers.correct).tolist() == [2, 7]


def test_rows_stand_by_epoch_and_id_whatever_the_order_in_the_log(logs, tmp_path):
    log = json.loads(logs["text"].read_text())
    log["samples"].reverse()
    path = tmp_path / "turned.json"
    path.write_text(json.dumps(log))
    assert read(path, scorer=None).columns["id"].tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("asked", [None, "exact"])
def test_one_of_several_scorers_must_be_chosen(logs, asked):
    with pytest.raises(BadInput, match=r"scorer must be one of .* choose of match, includes"):
        read(logs["two"], scorer=asked)


def test_partial_credit_is_refused_and_no_answer_is_wrong(logs, tmp_path):
    with pytest.raises(BadInput, match=r"letters must be 0 or 1 \(C or I\); found 1 of 6 .*: P of id 3, epoch 1\)"):
        read(logs["partial"], scorer=None)

    def without_the_third(log):
        log.samples = [sample for sample in log.samples if sample.id != 3]

    path = changed(logs["partial"], tmp_path / "whole.eval", without_the_third)
    answers = read(path, scorer="letters")
    assert answers.correct.tolist() == [False, False, True, True, False]
    assert "5 of 6 samples" in answers.note


@pytest.mark.parametrize(
    ("value", "right"),
    [(1, True), (0.0, False), (True, True), ("yes", True), ("False", False), ("1", True), ("N", False)],
)
def test_values_are_read_as_inspect_reads_them(logs, tmp_path, value, right):
    def give(log):
        log.samples[0].scores["match"].value = value

    assert read(changed(logs["plain"], tmp_path / "log.eval", give), scorer=None).correct[0] == right


@pytest.mark.parametrize("value", ["maybe", 0.25, {"a": 1}, [1, 0], "inf"])
def test_values_that_are_neither_are_refused(logs, tmp_path, value):
    def give(log):
        log.samples[1].scores["match"].value = value

    with pytest.raises(BadInput, match=r"match must be 0 or 1 .* of id 2, epoch 1"):
        read(changed(logs["plain"], tmp_path / "log.eval", give), scorer=None)


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("failed", r"must be a finished evaluation .* found status error, \d of 6 samples logged: finish it"),
        ("tolerant", r"found 1 of 6 that failed \(the first: id 4, epoch 1\): evaluate them again"),
        ("unscored", r"found 6 of 6 that have no score \(the first: id 1, epoch 1\): score them with `inspect score`"),
        ("bare", r"must hold its samples; found none: evaluate with --log-samples"),
    ],
)
def test_a_log_without_a_score_for_every_sample_is_refused(logs, name, match):
    with pytest.raises(BadInput, match=match):
        read(logs[name], scorer=None)


def _not_a_number(log):
    log.samples[5].scores["match"].value = float("nan")


def _by_another(log):
    log.samples[5].scores["other"] = log.samples[5].scores.pop("match")


def _invalid(log):
    from inspect_ai.log import ProvenanceData

    log.samples[0].invalidation = ProvenanceData(author="a", reason="leaked")


def _twice(log):
    log.samples.append(log.samples[1])


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (_not_a_number, r"must have a score of match; found 1 of 6 without \(the first: id 6, epoch 1\)"),
        (_by_another, r"must have a score of match; found 1 of 6 without \(the first: id 6, epoch 1\)"),
        (_invalid, r"found 1 of 6 that were invalidated \(the first: id 1"),
        (_twice, r"found 1 of 7 that are logged twice \(the first: id 2"),
    ],
)
def test_samples_that_do_not_count_are_refused(logs, tmp_path, change, match):
    path = changed(logs["text"], tmp_path / "log.json", change)
    with pytest.raises(BadInput, match=match):
        read(path, scorer="match")


@pytest.mark.parametrize(("name", "content"), [("log.eval", b"PK"), ("log.json", b"{}"), ("log.txt", b"text")])
def test_what_is_no_log_is_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"must be a log of Inspect, .eval or .json; found"):
        read(path, scorer=None)
    with pytest.raises(BadInput, match="a log of Inspect must be a file; found none"):
        read(tmp_path / "absent.eval", scorer=None)


def test_the_extra_is_named_where_inspect_is_not_installed(logs, monkeypatch):
    monkeypatch.setitem(sys.modules, "inspect_ai.log", None)
    with pytest.raises(BadInput, match=r"needs inspect_ai; found none: make setup-extras"):
        read(logs["plain"], scorer=None)
