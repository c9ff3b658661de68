"""Two files of predictions in which most labels are null: what proxies say of the difference, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import scipy

from pipeline.data.predictions import Predictions
from pipeline.errors import BadInput
from pipeline.estimation.prediction_powered import powered_mean
from pipeline.model.given import Given
from pipeline.model.mlp import Mlp
from pipeline.proxy.column import Column
from pipeline.proxy.confidence import Confidence
from pipeline.proxy.entropy import Entropy
from pipeline.proxy.scores import Scores
from pipeline.proxy.second_model import SecondModel
from pipeline.study.compare import Compare
from pipeline.study.direction.random import Random
from pipeline.study.gate import Gate
from pipeline.study.rows_apart import rows_apart
from tests.evaluation import changed
from tests.study.predicted import ROWS, two_models, write

FIRST, SECOND, LABELS = two_models()
KNOWN = np.arange(ROWS) % 4 == 1
NULL = [int(label) if known else None for label, known in zip(LABELS, KNOWN, strict=True)]
# A judge that is wrong in each twentieth row.
JUDGED = np.where(np.arange(ROWS) % 20 == 3, (LABELS + 1) % 4, LABELS)


@pytest.fixture
def asked(stages_of, tmp_path):
    """A function from a proxy, and what differs, to the stages and the path of the other file."""

    def make(proxy, *, labels=NULL, others=NULL, ids=None, called="name", order=None, rows=None, **fields):
        named = {} if ids is None else {called: ids}
        rows = np.arange(ROWS) if rows is None else np.flatnonzero(rows)
        columns = {"label": labels, "logits": FIRST, "hard": JUDGED * 1.0, **named}
        ours = write(tmp_path / "a.parquet", **{name: [own[i] for i in rows] for name, own in columns.items()})
        columns |= {"label": others, "logits": SECOND, "hard": JUDGED * 2.0}
        rows = rows if order is None else order
        theirs = write(tmp_path / "b.parquet", **{name: [own[i] for i in rows] for name, own in columns.items()})
        data = Predictions(path=ours, **({"id": called} if called in named and called != "id" else {}), **fields)
        if proxy.is_control:
            data = data.labelled_alone()
        dataset, classifier = data.rows("test"), Given().build(data)
        stages = stages_of(dataset=dataset, classifier=classifier, guess=proxy)
        stages = changed(stages, data=data, model=Given(), study=compare(theirs))
        stages.experiment.interval.target = "superpopulation"
        return stages, theirs

    return make


@pytest.fixture
def judge(tmp_path):
    return Scores(path=write(tmp_path / "judge.parquet", prediction=JUDGED, label=NULL))


def compare(against, **fields):
    return Compare(against=against, direction=Random(), **fields)


def _losses(logits, labels):
    return -scipy.special.log_softmax(logits, axis=1)[np.arange(ROWS), labels]


def test_a_judges_labels_give_the_published_estimate(asked, judge):
    stages, theirs = asked(judge)
    pair = compare(theirs).pair(stages)
    apart = _losses(SECOND, LABELS) - _losses(FIRST, LABELS)
    said = _losses(SECOND, JUDGED) - _losses(FIRST, JUDGED)
    np.testing.assert_allclose(pair.proxies["loss"].labelled, said[KNOWN], atol=1e-12)
    np.testing.assert_allclose(pair.proxies["loss"].others, said[~KNOWN], atol=1e-12)
    expected = powered_mean(apart[KNOWN], said[KNOWN], said[~KNOWN], folds=5)
    result = compare(theirs).answer(stages)
    assert result.metrics["loss/difference"] == pytest.approx(expected.value[0], rel=1e-9)
    hits = [(own.argmax(axis=1) == JUDGED).astype(float) for own in (FIRST, SECOND)]
    np.testing.assert_array_equal(pair.proxies["accuracy"].others, (hits[1] - hits[0])[~KNOWN])


def test_a_judge_narrows_the_interval_and_the_note_says_by_how_much(asked, judge):
    stages, theirs = asked(judge)
    with_judge = compare(theirs).answer(stages)
    alone, theirs = asked(Confidence(), rows=KNOWN)
    without = compare(theirs).answer(alone)
    for metric in ("loss", "accuracy"):
        widths = [
            found.metrics[f"{metric}/difference_high"] - found.metrics[f"{metric}/difference_low"]
            for found in (with_judge, without)
        ]
        assert widths[0] < 0.8 * widths[1]
    (said,) = (note for note in with_judge.notes if note.startswith("Prediction-powered"))
    assert "300 rows have a label, and 900 without one count by proxy=scores" in said
    assert "accuracy/p" in with_judge.metrics
    assert "accuracy/mcnemar_p" not in with_judge.metrics


def test_the_answer_of_a_comparison_names_the_rows_without_a_label_and_its_cells_know_the_proxy(asked, judge):
    stages, theirs = asked(judge)
    result = compare(theirs).answer(stages)
    assert "a.parquet, 300 rows with a label and 900 without: " in result.answer
    assert result.shown.title.endswith("300 rows with a label and 900 without")
    assert result.metrics["unlabelled"] == 900
    assert result.tags == {"proxy": "scores", "powered": "loss,accuracy"}
    assert set(result.tags) <= set(Compare.told)
    alone, theirs = asked(Confidence(), rows=KNOWN)
    without = compare(theirs).answer(alone)
    assert "unlabelled" not in without.metrics
    assert without.tags == {}


def test_a_gate_takes_the_judge_too(asked, judge):
    stages, theirs = asked(judge)
    study = Gate(against=theirs, margin={"loss": 0.02, "accuracy": 0.01})
    study.check(stages)
    result = study.answer(stages)
    pair = study.pair(stages)
    alone, _ = asked(Confidence(), rows=KNOWN)
    without = study.answer(alone)
    for metric in ("loss", "accuracy"):
        assert result.metrics[f"{metric}/resolution"] > 1.2 * without.metrics[f"{metric}/resolution"]
        found = pair.proxies[metric].mean(*pair.columns(metric))
        assert result.metrics[f"{metric}/difference"] == pytest.approx(found.value[0], rel=1e-9)
    assert any("900 rows without a label by their proxy (PPI++)" in note for note in result.notes)


def test_what_the_models_expect_is_the_proxy_without_a_file(asked):
    stages, theirs = asked(Entropy())
    found = compare(theirs).pair(stages).proxies
    chances = scipy.special.softmax(
        scipy.special.log_softmax(FIRST, axis=1) + scipy.special.log_softmax(SECOND, axis=1), axis=1
    )
    losses = (chances * (scipy.special.log_softmax(FIRST, 1) - scipy.special.log_softmax(SECOND, 1))).sum(axis=1)
    np.testing.assert_allclose(found["loss"].others, losses[~KNOWN], atol=1e-12)
    rows = np.arange(ROWS)
    right = [chances[rows, own.argmax(axis=1)] for own in (FIRST, SECOND)]
    np.testing.assert_allclose(found["accuracy"].labelled, (right[1] - right[0])[KNOWN], atol=1e-12)


def test_a_column_of_both_files_is_taken_as_their_difference(asked):
    stages, theirs = asked(Column(column="hard"))
    found = compare(theirs).pair(stages).proxies
    np.testing.assert_array_equal(found["loss"].others, JUDGED[~KNOWN])
    np.testing.assert_array_equal(found["accuracy"].labelled, -JUDGED[KNOWN])


@pytest.mark.parametrize("ours", [NULL, LABELS.tolist()])
def test_without_ids_files_that_lack_the_labels_of_other_rows_are_refused_even_if_the_labels_agree(asked, judge, ours):
    label = [0 if own is not None else None for own in ours]
    count = sum(own is not None for own in label)
    other = [0 if row < count else None for row in range(ROWS)] if count < ROWS else [None, *[0] * (ROWS - 1)]
    stages, _ = asked(judge, labels=label, others=other)
    with pytest.raises(BadInput, match=r"study\.against must "):
        stages.experiment.study.pair(stages)


def test_the_answer_of_a_gate_names_the_rows_without_a_label(asked, judge):
    stages, path = asked(judge)
    gate = Gate(against=path, margin={"loss": 0.1, "accuracy": 0.05})
    answer = changed(stages, study=gate).experiment.study.answer(changed(stages, study=gate)).answer
    assert f"{KNOWN.sum()} rows with a label and {(~KNOWN).sum()} without, 95 %)" in " ".join(answer.split())


def test_rows_that_differ_most_have_the_ids_that_they_have_in_the_file(asked, judge):
    stages, _ = asked(judge)
    found = rows_apart(stages, stages.experiment.study.pair(stages))
    ids = found["id"].astype(int)
    assert KNOWN[ids].all()
    assert [LABELS[own] for own in ids] == found["label"].astype(int).tolist()


@pytest.mark.parametrize("called", ["name", "id"])
def test_rows_are_matched_by_their_ids_which_a_column_id_has_without_being_named(asked, tmp_path, called):
    ids = np.array([f"row-{number}" for number in range(ROWS)])
    order, other = (np.random.default_rng(seed).permutation(ROWS) for seed in (1, 2))
    judge = Scores(path=write(tmp_path / "judge.parquet", prediction=JUDGED[other], **{called: ids[other]}))
    stages, theirs = asked(judge, ids=ids, called=called, order=order)
    found = compare(theirs).pair(stages).proxies["loss"]
    said = _losses(SECOND, JUDGED) - _losses(FIRST, JUDGED)
    np.testing.assert_allclose(found.labelled, said[KNOWN], atol=1e-12)
    np.testing.assert_allclose(found.others, said[~KNOWN], atol=1e-12)


def test_where_every_row_has_a_label_the_proxy_has_no_part_and_it_is_said(asked, judge):
    stages, theirs = asked(judge, labels=LABELS.tolist(), others=LABELS.tolist())
    result = compare(theirs).answer(stages)
    (said,) = (note for note in result.notes if note.startswith("proxy=scores has no part in it"))
    assert "every row has a label" in said
    alone, _ = asked(Confidence(), labels=LABELS.tolist(), others=LABELS.tolist())
    assert result.metrics == compare(theirs).answer(alone).metrics


def test_of_a_model_that_is_evaluated_it_is_said_too(stages_of):
    stages = changed(stages_of(guess=Entropy()), study=Compare(direction=Random(), step=0.1))
    assert [note for note in stages.experiment.study.answer(stages).notes if "proxy=entropy has no part in it" in note]


def test_without_a_proxy_rows_without_a_label_are_refused_and_the_refusal_says_how(asked):
    with pytest.raises(BadInput, match=r"must have a value in every row; found none in row 0 .* or proxy=entropy"):
        asked(Confidence())


def test_a_file_without_any_label_is_refused(asked):
    with pytest.raises(BadInput, match="must have a label in some rows; found none in 1,200 rows: choose study=label"):
        asked(Entropy(), labels=[*[None] * ROWS], others=[*[None] * ROWS])


def test_labels_that_are_missing_in_other_rows_are_refused(asked):
    others = list(NULL)
    others[1] = None
    stages, theirs = asked(Entropy(), others=others)
    with pytest.raises(BadInput, match=r"must hold predictions of the same rows; found 300 in .* and 299 in"):
        compare(theirs).pair(stages)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"rows": "as_needed", "loss_range": 2.0}, "study.rows=all; found as_needed"),
        ({"loss_range": 2.0}, "study.loss_range=null"),
    ],
)
def test_a_gate_that_cannot_count_them_refuses_them(asked, judge, fields, said):
    stages, theirs = asked(judge)
    study = Gate(against=theirs, margin={"loss": 0.02, "accuracy": 0.01}, **fields)
    with pytest.raises(BadInput, match=f"rows without a label must go with {said}"):
        study.check(stages)


def test_a_gate_about_these_rows_alone_refuses_them(asked, judge):
    stages, theirs = asked(judge)
    interval = replace(stages.experiment.interval, target="population")
    study = Gate(against=theirs, margin={"loss": 0.02, "accuracy": 0.01})
    with pytest.raises(BadInput, match=r"must go with interval\.target=superpopulation; found population"):
        study.check(changed(stages, interval=interval))


def test_several_models_refuse_them(asked, judge, tmp_path):
    stages, theirs = asked(judge)
    write(tmp_path / "c.parquet", label=NULL, logits=SECOND)
    with pytest.raises(BadInput, match="must go with one other model"):
        compare([theirs, str(tmp_path / "c.parquet")]).check(stages)


def test_a_proxy_that_says_nothing_of_a_difference_is_refused(asked):
    stages, theirs = asked(SecondModel(model=Mlp()))
    with pytest.raises(BadInput, match="proxy must say what two models differ by"):
        compare(theirs).pair(stages)


def test_a_judge_of_other_rows_is_refused(asked, tmp_path):
    judge = Scores(path=write(tmp_path / "judge.parquet", prediction=JUDGED[:-1]))
    stages, theirs = asked(judge)
    with pytest.raises(BadInput, match="must have predictions of all 1,200 rows, in their order; found 1,199"):
        compare(theirs).pair(stages)


def test_a_comparison_says_how_its_intervals_are_made(asked, judge):
    stages, theirs = asked(judge)
    notes = compare(theirs).answer(stages).notes
    assert not [note for note in notes if "Tango" in note or "McNemar" in note or "they are exact" in note]
    said = [note for note in notes if "rows without a label by their proxy (PPI++), 95 %" in note]
    assert [note.partition(":")[0] for note in said] == ["loss", "accuracy"]


def test_the_other_files_labels_must_be_null_in_the_same_rows(asked, judge):
    stages, theirs = asked(judge, others=LABELS.tolist())
    with pytest.raises(BadInput, match=r"found 300 in .* and 1,200 in .* labels of the same rows are null"):
        compare(theirs).pair(stages)


def test_an_infinite_loss_of_a_labelled_row_is_refused(asked, judge, tmp_path):
    stages, _ = asked(judge, masked=True)
    logits = SECOND.copy()
    logits[1, LABELS[1]] = -np.inf
    theirs = write(tmp_path / "masked.parquet", label=NULL, logits=logits)
    with pytest.raises(BadInput, match="the loss of every labelled row must be finite under both models"):
        compare(theirs).pair(stages)
