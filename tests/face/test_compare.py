"""Comparisons against SciPy's paired test, its binomial test, and Holm's rule."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import pipeline as bs
from pipeline.study.compare import Compare
from pipeline.study.direction.random import Random
from tests.face.given import two_models
from tests.study.predicted import stages_from, write
from tests.study.predicted import two_models as studied
from tests.study.test_slices import by_column

LABELS, FIRST, SECOND = two_models()
OLD, NEW = bs.scores(LABELS, logits=FIRST, name="old"), bs.scores(LABELS, logits=SECOND, name="new")


def test_the_loss_is_compared_as_scipys_paired_t_test_does():
    theirs = stats.ttest_rel(NEW.values("loss"), OLD.values("loss"))
    found = bs.compare(OLD, NEW).loss
    low, high = theirs.confidence_interval()
    assert (found.p, found.low, found.high) == pytest.approx((theirs.pvalue, low, high), rel=1e-9)
    assert found.difference == pytest.approx(NEW.values("loss").mean() - OLD.values("loss").mean())


def test_the_accuracy_is_compared_by_the_exact_binomial_test():
    before, after = OLD.values("accuracy"), NEW.values("accuracy")
    gained, lost = int((after > before).sum()), int((after < before).sum())
    found = bs.compare(OLD, NEW).accuracy
    assert (found.gained, found.lost) == (gained, lost)
    assert found.p == pytest.approx(stats.binomtest(gained, gained + lost).pvalue)


def test_p_values_are_adjusted_by_holm_over_the_metrics_and_those_of_slices_over_all_slices():
    by = np.array(["a", "b"])[np.arange(400) % 2]
    found = bs.compare(bs.scores(LABELS, logits=FIRST, by=by), NEW)
    assert found.slices["a"].loss.p == pytest.approx(
        stats.ttest_rel(NEW.values("loss")[::2], OLD.values("loss")[::2]).pvalue
    )
    assert "Holm over 2 tests" in found.sentence
    assert "Holm over 4 tests" in found.slices["a"].sentence
    assert found.loss == bs.compare(OLD, NEW).loss
    frame = found.to_frame()
    for own in (frame[frame["slice"].isna()], frame[frame["slice"].notna()]):
        order = np.argsort(own["p"].to_numpy())
        p = own["p"].to_numpy()[order]
        holm = np.minimum(np.maximum.accumulate(p * np.arange(len(p), 0, -1)), 1)
        assert own["p_holm"].to_numpy()[order] == pytest.approx(holm)


def test_slices_are_adjusted_as_the_study_does(stages_of, tmp_path):
    first, second, labels = studied()
    by = np.array(["a", "b", "c"])[np.arange(len(labels)) % 3]
    ours = write(tmp_path / "a.parquet", label=labels, logits=first, part=by)
    theirs = write(tmp_path / "b.parquet", label=labels, logits=second)
    stages = by_column(stages_from(stages_of, ours), "part")
    study = Compare(against=theirs, direction=Random()).answer(stages)
    found = bs.compare(bs.scores(ours, by="part"), bs.scores(theirs))
    assert study.answer.startswith(found.sentence)
    assert "over 6 tests" in found.slices["a"].sentence
    told = study.tables["by_slice.parquet"].set_index("slice")
    for name, own in found.slices.items():
        assert own.loss.p_holm == pytest.approx(told.loc[name, "loss_p_holm"], rel=1e-9)
        assert own.accuracy.p_holm == pytest.approx(told.loc[name, "accuracy_p_holm"], rel=1e-9)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (bs.scores(LABELS[:9], logits=FIRST[:9]), "of the same rows; found 400 and 9"),
        (bs.scores(LABELS[::-1], logits=FIRST), r"found other labels in \d+ of them, first row \d+, row \d+, row \d+"),
        (bs.scores(LABELS, logits=FIRST, group=np.arange(400) // 4), "found none there in the second"),
        (bs.scores(LABELS, logits=FIRST, weight=np.full(400, 2.0)), "takes rows that count alike; found weights"),
        (bs.scores(LABELS, logits=FIRST, metrics=["brier"]), "a metric in common; found loss, accuracy and brier"),
    ],
)
def test_other_rows_are_refused(other, message):
    with pytest.raises(bs.BadInput, match=message):
        bs.compare(OLD, other)


def test_models_without_a_difference_have_no_picture():
    same = bs.scores(loss=[0.5, 0.5])
    with pytest.raises(bs.BadInput, match="a picture must have a difference to show"):
        bs.compare(same, same).plot()


TOGETHER = ["loss", "accuracy", "balanced_accuracy", "macro_f1", "auc", "ece"]


@pytest.mark.parametrize("grouped", [False, True])
def test_groups_and_metrics_of_all_rows_together_are_compared_as_the_study_does(stages_of, tmp_path, grouped):
    first, second, labels = studied()
    groups = np.arange(len(labels)) // 3
    ours = write(tmp_path / "a.parquet", label=labels, logits=first, doc=groups)
    theirs = write(tmp_path / "b.parquet", label=labels, logits=second)
    stages = stages_from(stages_of, ours, fields={"group": "doc"} if grouped else None)
    study = Compare(against=theirs, direction=Random(), on=TOGETHER).answer(stages)
    one = bs.scores(ours, metrics=TOGETHER, group="doc" if grouped else None)
    found = bs.compare(one, bs.scores(theirs, metrics=TOGETHER))
    assert found.sentence == study.answer
    assert found.n_groups == (400 if grouped else None)
    for name, own in found.metrics.items():
        assert own.difference == pytest.approx(study.metrics[f"{name}/difference"], rel=1e-9)
        assert own.low == pytest.approx(study.metrics[f"{name}/difference_low"], rel=1e-9)
        assert own.n_for_power == study.metrics[f"{name}/n_for_power"]
        assert own.p_flips == study.metrics.get(f"{name}/p_flips")
    assert found.request["study.on"] == TOGETHER
    assert bs.compare(one, one).request["data.path"] == ours


def test_the_groups_are_the_first_scores_and_others_are_refused():
    rows = [bs.scores(LABELS, logits=FIRST, group=own) for own in (np.arange(400) // 2, np.arange(400) // 4)]
    plain = bs.scores(LABELS, logits=SECOND)
    named = bs.scores(LABELS, logits=SECOND, group=np.char.add("g", (999 - np.arange(400) // 2).astype(str)))
    assert bs.compare(rows[0], plain).loss == bs.compare(rows[0], named).loss
    for pair, message in (((rows[0], rows[1]), "found others in the second"), ((plain, rows[0]), "found none there")):
        with pytest.raises(bs.BadInput, match=message):
            bs.compare(*pair)


def test_slices_without_a_value_say_why_and_take_part_in_no_test():
    by = np.where(LABELS == 0, "zero", "others")
    first, second = (bs.scores(LABELS, logits=own, by=by, metrics=["loss", "auc"]) for own in (FIRST, SECOND))
    found = bs.compare(first, second)
    assert list(found.metrics) == ["loss", "auc"]
    assert list(found.slices["zero"].metrics) == ["loss"]
    assert found.slices["zero"].without == {"auc": "2 of 3 classes have no row"}
    assert (found.n_tests, found.slices["zero"].n_tests) == (2, 2)
    assert found.without == {}
    assert len(found.to_frame()) == 4
    lost = bs.scores(LABELS[LABELS == 0], logits=FIRST[LABELS == 0], metrics=["loss", "auc"])
    assert bs.compare(lost, lost).without == {"auc": "2 of 3 classes have no row"}


def test_labels_alone_have_a_balanced_accuracy_and_no_auc():
    table = pd.DataFrame({"label": list("aabbbb"), "prediction": list("abbbba")})
    rows = bs.scores(table, metrics=["accuracy", "balanced_accuracy", "macro_f1"])
    other = bs.scores(table.assign(prediction=list("aabbba")), metrics=["accuracy", "balanced_accuracy"])
    found = bs.compare(rows, other)
    assert found.balanced_accuracy.difference == pytest.approx(0.25)
    assert list(found.metrics) == ["accuracy", "balanced_accuracy"]
    with pytest.raises(bs.BadInput, match="the metric auc needs the model's logits or probabilities; found labels"):
        bs.scores(table, metrics=["accuracy", "auc"])
