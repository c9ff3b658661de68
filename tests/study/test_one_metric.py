"""Where the loss or the accuracy is not there, or is not asked for, the studies answer with what there is."""

import dataclasses
import math

import numpy as np
import pytest

from pipeline.data.layout import Layout
from pipeline.errors import BadInput
from pipeline.interval import MEMBERS as BOTH
from pipeline.interval import accuracy, loss
from pipeline.metric import MEMBERS as METRICS
from pipeline.model.base import Classifier
from pipeline.model.given import GivenClassifier
from pipeline.records.rows import Dataset
from pipeline.scoring.rows import score
from pipeline.study import MEMBERS
from pipeline.study.coverage import Coverage
from pipeline.study.designs import Designs
from pipeline.study.direction import MEMBERS as DIRECTIONS
from pipeline.study.evaluate import Evaluate
from pipeline.study.until import Until
from tests.evaluation import changed, evaluated

STUDIES = {"evaluate": Evaluate, "until": Until, "coverage": Coverage, "designs": Designs}
EVERY = pytest.mark.parametrize("study", STUDIES)


class LabelsOnly(Classifier):
    """What another classifier holds most likely, and nothing else."""

    gives = "labels"

    def __init__(self, inner):
        self._inner = inner
        self.n_inputs, self.n_classes, self.digest = inner.n_inputs, inner.n_classes, f"labels of {inner.digest}"

    def logits(self, inputs):
        return self._inner.logits(inputs).argmax(axis=1)


@pytest.fixture
def scores_of(digits_parts):
    return score(digits_parts[1], digits_parts[0])


@pytest.fixture
def only(stages_of, scores_of, digits_parts):
    """A function from a metric, or ``labels``, to a stages that has no other."""

    def build(metric, **changes):
        changes = {"design": "without_replacement", "draws": 60} | changes
        if metric == "labels":
            return stages_of(classifier=LabelsOnly(digits_parts[1]), **changes)
        dataset = Dataset(scores_of.values(metric)[:, None], None, 0, 1.0, "scores", metric)
        layout = Layout("scores", (metric,), None, 1, metrics=(metric,))
        return stages_of(dataset=dataset, classifier=GivenClassifier(layout), **changes)

    return build


def texts(result):
    tables = [result.shown, *result.further]
    cells = [cell for table in tables for row in [table.headings, *table.rows, *table.footer] for cell in row]
    return " ".join([*(table.title for table in tables), *cells, result.summary])


@EVERY
@pytest.mark.parametrize(
    ("metric", "there", "gone", "why"),
    [
        ("labels", "accuracy", "loss", "no loss: the model gives labels alone"),
        ("accuracy", "accuracy", "loss", "no loss: the rows have only whether each is right"),
        ("loss", "loss", "accuracy", "no accuracy: the rows have only their losses"),
    ],
)
def test_a_study_answers_with_the_metric_there_is_and_says_so(only, study, metric, there, gone, why):
    stages = only(metric)
    STUDIES[study]().check(stages)
    result = evaluated(stages) if study == "evaluate" else STUDIES[study]().answer(stages)
    assert why in result.notes
    assert not [name for name in result.metrics if gone in name.split("/")]
    assert [name for name in result.metrics if there in name.split("/")]
    assert not [name for name, value in result.metrics.items() if math.isnan(value)]
    shown = texts(result)
    assert "nan" not in shown
    assert not {f"{gone},", "acc." if gone == "accuracy" else "loss"} & set(shown.split())
    for figure in result.figures.values():
        assert len(figure.axes) == 1


@pytest.mark.parametrize("metric", ["labels", "accuracy", "loss"])
def test_the_figures_are_those_of_the_full_scores(only, stages_of, metric):
    name = "accuracy" if metric == "labels" else metric
    alone = evaluated(only(metric))
    full = evaluated(stages_of(design="without_replacement", draws=60))
    assert list(alone.draws) == ["draw", name, f"{name}_low", f"{name}_high"]
    for column in alone.draws:
        np.testing.assert_allclose(alone.draws[column], full.draws[column], rtol=1e-12)


def test_a_metric_left_out_is_no_missing_one(stages_of):
    stages = changed(stages_of(draws=20), metric={"loss": METRICS["loss"]()})
    result = evaluated(stages)
    assert {name.split("/")[0] for name in result.metrics} == {"loss", "seconds"}
    assert not [note for note in result.notes if "accuracy" in note]


def test_further_metrics_have_every_figure_that_the_loss_has(stages_of, scores_of, digits_parts):
    dataset, classifier = digits_parts
    parts = {name: METRICS[name]() for name in ("loss", "accuracy", "top_k", "brier")} | {
        "top_k": METRICS["top_k"](k=2)
    }
    result = evaluated(changed(stages_of(), metric=parts))
    named = {name.split("/")[1] for name in result.metrics if name.startswith("loss/")}
    for own in ("top_2", "brier"):
        assert {name.split("/")[1] for name in result.metrics if name.startswith(f"{own}/")} == named
        assert {own, f"{own}_low", f"{own}_high"} <= set(result.draws)
        assert [step for name, _, step in result.series if name == f"{own}/draw"] == list(range(100))
    logits = classifier.from_stored(dataset.scale)(dataset.inputs)
    expected = parts["brier"].values(logits, dataset.labels, gives="logits")
    assert result.metrics["brier/all"] == pytest.approx(expected.mean(), rel=1e-6)
    assert result.metrics["brier/se"] == pytest.approx(expected.std() / np.sqrt(50), rel=1e-6)
    assert result.metrics["loss/all"] == pytest.approx(scores_of.loss.mean(), rel=1e-12)
    assert [table.title.startswith("further metrics") for table in result.further] == [True]


def test_a_share_has_the_accuracys_interval_and_a_bounded_metric_its_own_cap(stages_of):
    parts = {name: METRICS[name]() for name in ("top_k", "brier")}
    intervals = BOTH["by_metric"](loss.MEMBERS["betting"](cap=10.0), accuracy.MEMBERS["wilson"]())
    result = evaluated(changed(stages_of(draws=20, intervals=intervals), metric=parts))
    assert any(note.startswith("top_5: Wilson") for note in result.notes)
    assert "brier: betting, values up to 2, 0.95" in result.notes
    assert result.draws["brier_high"].max() <= 2


def test_a_share_by_unequal_chances_counts_what_is_wrong(stages_of):
    parts = {"top_k": METRICS["top_k"](k=1), "accuracy": METRICS["accuracy"]()}
    result = evaluated(changed(stages_of(design="importance"), metric=parts))
    np.testing.assert_allclose(result.draws["top_1"], result.draws["accuracy"], rtol=1e-12)


def made(study):
    part = MEMBERS[study]
    needed = {field.name for field in dataclasses.fields(part)}
    return part(direction=DIRECTIONS["gradient"]()) if "direction" in needed else part()


@pytest.mark.parametrize(
    ("study", "why"),
    [
        ("landscape", "the walk along a direction evaluates these two"),
        ("train", "its targets are of these two"),
        ("gradient_noise", "the gradients are the loss's"),
    ],
)
def test_a_study_of_the_loss_and_the_accuracy_refuses_another_metric_with_its_reason(study, why):
    parts = {name: METRICS[name]() for name in ("loss", "accuracy", "brier")}
    with pytest.raises(BadInput, match=rf"study={study} looks at .*, for {why}; found metric=\[loss,accuracy,brier\]"):
        made(study).check_metrics(parts)
    with pytest.raises(BadInput, match=r"found metric=\[loss\]"):
        made(study).check_metrics({"loss": parts["loss"]})
    made(study).check_metrics({name: parts[name] for name in ("accuracy", "loss")})


@pytest.mark.parametrize("study", ["evaluate", "coverage", "plan", "designs", "until", "compare"])
def test_the_other_studies_take_any_metrics(study):
    made(study).check_metrics({"brier": METRICS["brier"]()})


def test_until_without_a_goal_for_the_metric_there_is_is_refused(only):
    with pytest.raises(BadInput, match=r"study\.accuracy_within must be a number where there is no other metric"):
        Until(accuracy_within=None).check(only("labels"))
