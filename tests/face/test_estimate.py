"""Intervals of all rows against SciPy; slices and groups."""

import numpy as np
import pytest
from scipy import stats

import pipeline as bs
from pipeline.config import composed
from pipeline.report.words import percent
from pipeline.study.all_rows import AllRows
from tests.face.given import two_models
from tests.study.predicted import stages_from, write
from tests.study.predicted import two_models as studied

LABELS, LOGITS, _ = two_models()
ROWS = bs.scores(LABELS, logits=LOGITS)


def test_students_t_is_scipys():
    found = bs.estimate(ROWS, loss="t", confidence=0.9).loss
    low, high = stats.ttest_1samp(ROWS.values("loss"), 0).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9)
    assert found.standard_error == pytest.approx(stats.sem(ROWS.values("loss")))


@pytest.mark.parametrize(("accuracy", "method"), [("wilson", "wilson"), ("clopper_pearson", "exact")])
def test_intervals_of_the_accuracy_are_scipys(accuracy, method):
    right = int(ROWS.values("accuracy").sum())
    theirs = stats.binomtest(right, len(ROWS)).proportion_ci(0.95, method=method)
    found = bs.estimate(ROWS, accuracy=accuracy).accuracy
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), rel=1e-6)
    assert found.value == right / len(ROWS)


def test_each_slice_has_the_estimate_of_its_rows_alone():
    by = np.where(LABELS > 0, "rest", "zero")
    found = bs.estimate(bs.scores(LABELS, logits=LOGITS, by=by))
    alone = bs.estimate(bs.scores(LABELS[LABELS == 0], logits=LOGITS[LABELS == 0]))
    assert found.slices["zero"].loss.low == pytest.approx(alone.loss.low, rel=1e-12)
    assert found.loss == bs.estimate(ROWS).loss
    assert found.to_frame()["slice"].tolist()[2:] == ["rest", "rest", "zero", "zero"]


def test_rows_of_one_group_count_as_one_observation():
    values = np.repeat(np.random.default_rng(1).exponential(size=60), 5)
    found = bs.estimate(bs.scores(loss=values, group=np.arange(300) // 5), loss="t").loss
    low, high = stats.ttest_1samp(values[::5], 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"confidence": 1.0}, "confidence must be between 0 and 1, such as 0.95; found 1.0"),
        ({"loss": "halls"}, "loss must be an interval of hall_score, score, .*; found 'halls'"),
        ({"loss_cap": 0}, "loss_cap must be above 0 nats and finite"),
        ({"accuracy": "t"}, "accuracy must be an interval of blaker, wilson"),
    ],
)
def test_bad_arguments_are_refused(given, message):
    with pytest.raises(bs.BadInput, match=message):
        bs.estimate(ROWS, **given)


def test_by_default_it_is_what_the_study_of_all_rows_finds_by_its_defaults(stages_of):
    stages = stages_of(intervals=composed(["study=all_rows"]).interval)
    metrics = AllRows().answer(stages).metrics
    scores, _ = stages.scores()
    found = bs.estimate(bs.scores(loss=scores.loss, correct=scores.correct))
    for name, own in found.metrics.items():
        theirs = [metrics[f"{name}/{end}"] for end in ("all", "all_low", "all_high")]
        assert [own.value, own.low, own.high] == pytest.approx(theirs, rel=1e-9)


def test_a_file_has_the_figures_of_the_command_of_that_file(stages_of, tmp_path):
    loss = np.random.default_rng(3).gamma(0.3, 1.0, 60)
    path = write(tmp_path / "a.parquet", loss=loss, correct=loss < 1)
    study = AllRows().answer(stages_from(stages_of, path, intervals=composed(["study=all_rows"]).interval)).metrics
    found = bs.estimate(bs.scores(path))
    for name, own in found.metrics.items():
        theirs = [study[f"{name}/{end}"] for end in ("all", "all_low", "all_high")]
        assert [own.value, own.low, own.high] == pytest.approx(theirs, rel=1e-9)


def test_losses_above_the_cap_count_as_it():
    estimates = bs.estimate(ROWS, loss="betting", loss_cap=0.5)
    found, share = estimates.loss, np.mean(ROWS.values("loss") > 0.5)
    assert estimates.capped == np.count_nonzero(ROWS.values("loss") > 0.5) > 0
    assert f"({percent(share)} % of the rows cut to study.loss_cap)" in estimates.sentence
    assert found.value == pytest.approx(np.minimum(ROWS.values("loss"), 0.5).mean())
    assert 0 <= found.low <= found.value <= found.high <= 0.5


def test_what_cannot_be_told_is_said_in_words():
    infinite = bs.scores(loss=[0.1, np.inf, 0.2])
    assert bs.estimate(infinite).sentence.startswith("Loss inf nats (no interval)")
    assert "a loss is infinite" in bs.sweep(infinite, [1, 2], draws=3).sentence
    assert bs.compare(bs.scores(loss=[0.1]), bs.scores(loss=[0.2])).sentence
    same = bs.scores(loss=[0.1, 0.2])
    assert "-0" not in bs.gate(same, same, margin={"loss": 0}).sentence


def test_metrics_of_all_rows_together_have_the_values_and_intervals_of_the_study(stages_of, tmp_path):
    first, _, labels = studied()
    path = write(tmp_path / "a.parquet", label=labels, logits=first)
    study = AllRows().answer(stages_from(stages_of, path)).metrics
    found = bs.estimate(bs.scores(path, metrics=["loss", "accuracy", "auc", "ece", "macro_f1"]))
    for name in ("auc", "macro_f1"):
        own = found.metrics[name]
        ends = [study[f"{name}/{end}"] for end in ("value", "low", "high")]
        assert [own.value, own.low, own.high] == pytest.approx(ends)
    assert found.ece.value == pytest.approx(study["ece/debiased"])
    assert "AUC 0.89" in found.sentence
    classes = bs.estimate(bs.scores(labels, logits=first, by=labels, metrics=["loss", "auc"]))
    assert classes.slices["1"].without == {"auc": "3 of 4 classes have no row"}
    assert "AUC" in str(classes)


def test_one_row_gives_no_interval_of_the_loss():
    found = bs.estimate(bs.scores(loss=[0.25], correct=[True]))
    assert (found.loss.low, found.loss.high) == (-np.inf, np.inf)
    assert found.sentence.startswith("Loss 0.25 nats (no interval), accuracy 100 % [")
    assert "(1 row, as a sample of the world; 95 %)" in found.sentence
    assert found.plot().axes
