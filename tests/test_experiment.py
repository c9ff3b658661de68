"""The sequence: what an experiment refuses, and that `run` evaluates what a study and a recorder ask for, no more."""

import dataclasses
from contextlib import nullcontext

import numpy as np
import pytest

from pipeline import sampling, study
from pipeline.errors import BadInput
from pipeline.experiment import Stages, Study, run
from pipeline.metric.top_k import TopK
from pipeline.model.npz import Npz
from pipeline.proxy.confidence import Confidence
from pipeline.proxy.entropy import Entropy
from pipeline.report.result import Result
from pipeline.study.direction.random import Random
from pipeline.study.evaluate import Evaluate
from pipeline.study.train import Train
from tests.evaluation import changed
from tests.study.predicted import stages_from, write


class Kept:
    """A recorder that keeps what it is given."""

    def __init__(self, is_due):
        self.is_due, self.stages, self.results = is_due, None, []

    def due(self, stages):
        self.stages = stages
        return nullcontext(self.is_due)

    def log(self, stages, result):
        self.results.append(result)


class Unasked(Evaluate):
    """An evaluation that must not be asked for anything."""

    def drawn(self, stages):
        raise AssertionError("rows were drawn")


class Counted(Study):
    """A study that counts the rows."""

    def answer(self, stages):
        return Result(metrics={"rows": float(len(stages.rows))})

    def compare(self, cells, read):
        raise NotImplementedError


def evaluated_rows(monkeypatch):
    """A list of the rows that `Stages.score` is asked for from now on, with the real evaluation behind it."""
    asked, score = [], Stages.score

    def counted(stages, rows, functions=None, *, loss_cap=None):
        asked.append(rows)
        return score(stages, rows, functions, loss_cap=loss_cap)

    monkeypatch.setattr(Stages, "score", counted)
    return asked


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": -1}, "seed must be a whole number of at least 0; found -1"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1; found 0"),
        ({"draws": 0}, "draws must be a whole number of at least 1; found 0"),
        ({"confidence": 0.0}, "confidence must be between 0 and 1, such as 0.95; found 0.0"),
        ({"confidence": 1.0}, "confidence must be between 0 and 1, such as 0.95; found 1.0"),
        ({"confidence": float("nan")}, "confidence must be between 0 and 1, such as 0.95; found nan"),
        ({"confidence": 1 - 2**-53}, "confidence must be between 0 and 1, such as 0.95; found 0.9999999999999999"),
    ],
)
def test_a_value_out_of_its_range_is_refused_with_what_was_found(stages_of, change, message):
    with pytest.raises(BadInput) as refused:
        dataclasses.replace(stages_of().experiment, **change)
    assert str(refused.value) == message


def test_without_a_metric_an_experiment_has_the_loss_and_the_accuracy(stages_of):
    experiment = stages_of().experiment
    assert [metric.name for metric in experiment.metric.values()] == ["loss", "accuracy"]
    assert dataclasses.replace(experiment, metric={"top_k": TopK()}).metric == {"top_k": TopK()}


def test_a_model_of_other_inputs_is_refused_before_anything_is_drawn(stages_of, tmp_path):
    path = tmp_path / "weights.npz"
    np.savez(path, W1=np.zeros((3, 10), np.float32), b1=np.zeros(10, np.float32))
    recorder = Kept(is_due=True)
    with pytest.raises(BadInput, match="3"):
        run(dataclasses.replace(stages_of().experiment, model=Npz(path=str(path))), recorder)
    assert recorder.stages is None


def test_a_metric_that_the_study_has_no_use_for_is_refused_before_the_data_are_read(stages_of):
    experiment = dataclasses.replace(stages_of().experiment, study=Train(), metric={"top_k": TopK()})
    experiment.data = None
    with pytest.raises(BadInput, match=r"^study=train looks at .*; found metric=\[top_k\]: leave metric out"):
        run(experiment, Kept(is_due=True))


def test_a_cell_that_is_not_due_is_checked_and_evaluates_nothing(stages_of, monkeypatch):
    asked, recorder = evaluated_rows(monkeypatch), Kept(is_due=False)
    assert run(dataclasses.replace(stages_of().experiment, study=Unasked()), recorder) is None
    assert (asked, recorder.results) == ([], [])
    assert len(recorder.stages.rows) == recorder.stages.frame.size


def test_what_is_only_checked_has_the_plan_and_no_score(stages_of, monkeypatch):
    asked = evaluated_rows(monkeypatch)
    stages = dataclasses.replace(stages_of().experiment, batch_size=7, study=Unasked()).prepare()
    assert stages.plan.batch(0, 0).indices.shape == (7,)
    assert asked == []


def test_an_evaluation_is_answered_by_the_sequence_and_not_by_itself(stages_of):
    recorder = Kept(is_due=True)
    result = run(stages_of(batch_size=30, draws=40).experiment, recorder)
    assert recorder.results == [result]
    stages = recorder.stages
    scores, _ = stages.scores()
    batch = stages.plan.batch(0, 3).indices
    assert len(result.draws) == 40
    assert result.draws["loss"][3] == pytest.approx(float(scores.loss[batch].mean()), rel=1e-6)
    assert result.draws["accuracy"][3] == scores.correct[batch].mean()
    assert result.metrics["loss/all"] == pytest.approx(float(np.mean(scores.loss, dtype=np.float64)), rel=1e-12)
    with pytest.raises(NotImplementedError):
        stages.experiment.study.answer(stages)


def test_any_other_study_answers_itself_and_its_answer_is_logged(stages_of):
    recorder = Kept(is_due=True)
    result = run(dataclasses.replace(stages_of().experiment, study=Counted("counted")), recorder)
    assert recorder.results == [result]
    assert result.metrics == {"rows": float(len(recorder.stages.rows))}


def test_the_scores_of_drawn_units_are_those_of_the_population_at_these_units(stages_of):
    stages = stages_of()
    whole, _ = stages.scores()
    drawn = np.array([0, 3, 4, 200, len(stages.rows) - 1])
    scores, seconds = stages.scores(drawn)
    np.testing.assert_array_equal(scores.correct, whole.correct[drawn])
    # BLAS may round a product of a few rows otherwise than one of a whole block.
    np.testing.assert_allclose(scores.loss, whole.loss[drawn], rtol=1e-5, atol=1e-7)
    assert seconds > 0


def test_rows_that_are_drawn_are_evaluated_once_however_fast_that_is(stages_of, monkeypatch):
    stages = stages_of()
    asked = evaluated_rows(monkeypatch)
    stages.scores(np.arange(3))
    assert len(asked) == 1


def test_a_cap_and_functions_reach_the_scores(stages_of):
    stages = stages_of()
    drawn = np.arange(100)
    plain, _ = stages.scores(drawn)
    capped, _ = stages.scores(drawn, loss_cap=0.1)
    np.testing.assert_array_equal(capped.loss, np.minimum(plain.loss, 0.1))
    assert capped.capped == np.count_nonzero(plain.loss > 0.1)
    assert stages.job().functions.keys() == {"loss", "accuracy"}
    assert changed(stages, metric={"top_k": TopK()}).job().functions.keys() == {"loss", "accuracy", "top_5"}


def test_only_the_metrics_asked_for_have_scores(stages_of):
    stages = stages_of()
    alone = changed(stages, metric={"loss": stages.experiment.metric["loss"]})
    scores, _ = alone.scores(np.arange(5))
    assert tuple(scores.metrics) == tuple(alone.metrics) == ("loss",)


def test_a_design_of_unequal_batches_is_refused_by_what_takes_plain_means(stages_of):
    stages_of().require_simple("plan")
    with pytest.raises(BadInput, match=r"^study=plan takes batches whose plain mean .*found sampling=importance"):
        stages_of(design="importance").require_simple("plan")


def _asked(stages_of, tmp_path, name, design):
    """An experiment on a file of twenty rows, with a batch size of 100."""
    labels = np.arange(20) % 2
    path = write(tmp_path / "p.parquet", label=labels, prediction=1 - labels)
    asked = stages_from(stages_of, path, batch_size=100).experiment
    return dataclasses.replace(asked, sampling=sampling.MEMBERS[design](), study=study.MEMBERS[name]())


@pytest.mark.parametrize("name", ["all_rows", "plan", "until"])
def test_a_study_without_batches_refuses_no_batch_size(stages_of, tmp_path, name):
    stages = _asked(stages_of, tmp_path, name, "without_replacement").prepare()
    assert not stages.experiment.study.has_batches
    assert stages.plan.batch_size == 20


@pytest.mark.parametrize(
    ("name", "design"),
    [("evaluate", "without_replacement"), ("designs", "without_replacement"), ("designs", "with_replacement")],
)
def test_a_study_of_batches_refuses_a_batch_of_more_than_all_rows(stages_of, tmp_path, name, design):
    with pytest.raises(BadInput, match=r"at most the population's 20 rows.*found 100"):
        _asked(stages_of, tmp_path, name, design).prepare()


def test_rows_without_a_label_are_left_out_by_a_comparison_with_a_proxy_alone(stages_of, tmp_path):
    path = write(tmp_path / "a.parquet", label=np.arange(40) % 4, logits=np.eye(4)[np.arange(40) % 4])
    stages = stages_from(stages_of, path, guess=Entropy())
    compare = study.MEMBERS["compare"](against=path, direction=Random())
    assert changed(stages, study=compare).experiment.data.unlabelled_rows == "left_out"
    assert changed(stages, study=compare, proxy=Confidence()).experiment.data.unlabelled_rows == "refused"
    left_out = stages.experiment.data.labelled_alone()
    with pytest.raises(BadInput, match=r"data.unlabelled_rows must be refused, but for study=compare or gate with a"):
        changed(stages, data=left_out)
    with pytest.raises(BadInput, match=r"data.unlabelled_rows must be one of refused, left_out, alone; found 'some'"):
        dataclasses.replace(left_out, unlabelled_rows="some")
