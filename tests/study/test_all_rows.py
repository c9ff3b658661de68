"""All rows: the figures against SciPy and scikit-learn, by class, with groups and weights, and what is not known."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import log_loss, recall_score

from pipeline.errors import BadInput
from pipeline.interval.loss.sequence import Sequence
from pipeline.metric.loss import Loss
from pipeline.records import stored
from pipeline.sampling.units import units_of
from pipeline.scoring.rows import score
from pipeline.study.all_rows import AllRows
from tests.evaluation import changed
from tests.study.predicted import stages_from, write

CLASSES = ("cat", "dog", "eel")
N = 300


@pytest.fixture(scope="module")
def made():
    """Probabilities of three classes for 300 rows, of which the third class has few, and the classes."""
    rng = np.random.default_rng(7)
    labels = rng.choice(3, N, p=[0.6, 0.35, 0.05])
    logits = rng.normal(size=(N, 3)) + 2.5 * np.eye(3)[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return probabilities, labels


@pytest.fixture
def animals(stages_of, made, tmp_path):
    """Stages on a file of the rows, with classes named and ids; further columns by name."""
    probabilities, labels = made

    def build(*, fields=None, **columns):
        named = {f"probability_{name}": probabilities[:, k] for k, name in enumerate(CLASSES)}
        ids = [f"row {i}" for i in range(N)]
        path = write(tmp_path / "animals.parquet", label=np.array(CLASSES)[labels], name=ids, **named, **columns)
        return stages_from(stages_of, path, fields={"id": "name", **(fields or {})})

    return build


def test_the_values_and_intervals_of_all_rows_are_scipys(animals, made):
    probabilities, labels = made
    found = AllRows().answer(animals()).metrics
    losses = -np.log(probabilities[np.arange(N), labels])
    right = int((probabilities.argmax(axis=1) == labels).sum())
    low, high = stats.ttest_1samp(losses, 0).confidence_interval(0.95)
    assert found["loss/all"] == pytest.approx(log_loss(labels, probabilities), rel=1e-12)
    assert (found["loss/all_low"], found["loss/all_high"]) == pytest.approx((low, high), rel=1e-9)
    wilson = stats.binomtest(right, N).proportion_ci(0.95, method="wilson")
    assert (found["accuracy/all_low"], found["accuracy/all_high"]) == pytest.approx((wilson.low, wilson.high), rel=1e-9)


def test_the_rows_that_are_missing_are_those_of_the_normal_formula(animals, made):
    probabilities, labels = made
    found = AllRows(loss_within=0.05, accuracy_within=0.02).answer(animals()).metrics
    losses = -np.log(probabilities[np.arange(N), labels])
    share = (probabilities.argmax(axis=1) == labels).mean()
    z = stats.norm.ppf(0.975)
    assert found["loss/more"] == pytest.approx(max(0, (z / 0.05) ** 2 * losses.var() - N), abs=1)
    assert found["accuracy/more"] == pytest.approx(max(0, (z / 0.02) ** 2 * share * (1 - share) - N), abs=1)


def test_each_class_has_the_recall_and_the_loss_of_its_own_rows(animals, made):
    probabilities, labels = made
    classes = AllRows().answer(animals()).tables["by_class.csv"].set_index("class")
    assert list(classes.index) == list(CLASSES)
    np.testing.assert_allclose(classes["accuracy"], recall_score(labels, probabilities.argmax(axis=1), average=None))
    for k, name in enumerate(CLASSES):
        losses = -np.log(probabilities[labels == k, k])
        assert classes.loc[name, "rows"] == len(losses)
        assert classes.loc[name, "loss"] == pytest.approx(losses.mean())
        low, high = stats.ttest_1samp(losses, 0).confidence_interval(0.95)
        assert (classes.loc[name, "loss_low"], classes.loc[name, "loss_high"]) == pytest.approx((low, high))


def test_calibration_is_the_mean_confidence_less_the_accuracy_with_students_interval(animals, made):
    probabilities, labels = made
    result = AllRows().answer(animals())
    gap = probabilities.max(axis=1) - (probabilities.argmax(axis=1) == labels)
    low, high = stats.ttest_1samp(gap, 0).confidence_interval(0.95)
    found = [result.metrics[f"confidence/{name}"] for name in ("all", "gap", "gap_low", "gap_high")]
    assert found == pytest.approx([probabilities.max(axis=1).mean(), gap.mean(), low, high], rel=1e-9)


def test_the_hardest_rows_are_shown_by_their_ids_with_the_names_of_their_classes(animals, made):
    probabilities, labels = made
    losses = -np.log(probabilities[np.arange(N), labels])
    table = AllRows(worst=3).answer(animals()).further[-1]
    worst = np.argsort(-losses)[:3]
    assert [row[0] for row in table.rows] == [f"row {i}" for i in worst]
    assert [row[1] for row in table.rows] == [CLASSES[labels[i]] for i in worst]
    assert [row[2] for row in table.rows] == [CLASSES[probabilities[i].argmax()] for i in worst]
    (alone,) = AllRows(worst=0).answer(animals()).further
    assert alone.title.endswith("all together")


def test_rows_out_has_a_row_each_and_is_left_out_unless_asked_for(animals, made, tmp_path):
    probabilities, labels = made
    assert "rows.parquet" not in AllRows().answer(animals()).tables
    frame = AllRows(rows_out=True).answer(animals()).tables["rows.parquet"]
    frame.to_parquet(tmp_path / "rows.parquet")
    found = pd.read_parquet(tmp_path / "rows.parquet")
    assert list(found) == ["id", "label", "predicted", "confidence", "loss", "correct"]
    assert found["label"].tolist() == [CLASSES[k] for k in labels]
    np.testing.assert_allclose(found["loss"], -np.log(probabilities[np.arange(N), labels]), rtol=1e-12)
    assert found["correct"].tolist() == (probabilities.argmax(axis=1) == labels).tolist()


def test_groups_count_as_units_in_every_class(animals, made):
    writers = np.arange(N) // 3
    stages = animals(fields={"group": "writer"}, writer=writers)
    result = AllRows().answer(stages)
    classes = result.tables["by_class.csv"].set_index("class")
    labels = made[1]
    own = units_of(stages.rows, np.flatnonzero(labels == 1))
    assert own.size == len(np.unique(writers[labels == 1]))
    assert "more groups" in result.summary
    alone = AllRows().answer(animals()).tables["by_class.csv"].set_index("class")
    np.testing.assert_allclose(classes["accuracy"], alone["accuracy"])


def test_weights_count_in_every_class(animals, made):
    probabilities, labels = made
    weights = 1.0 + np.arange(N) % 4
    result = AllRows().answer(animals(fields={"weight": "w"}, w=weights))
    right = probabilities.argmax(axis=1) == labels
    assert result.metrics["accuracy/all"] == pytest.approx(np.average(right, weights=weights))
    by_class = result.tables["by_class.csv"].set_index("class")["accuracy"]
    expected = [np.average(right[labels == k], weights=weights[labels == k]) for k in range(3)]
    np.testing.assert_allclose(by_class, expected)


def test_predicted_labels_alone_have_an_accuracy_their_classes_and_the_wrong_rows(stages_of, made, tmp_path):
    probabilities, labels = made
    predicted = probabilities.argmax(axis=1)
    path = write(tmp_path / "p.parquet", label=labels, prediction=predicted)
    result = AllRows().answer(stages_from(stages_of, path))
    assert result.metrics["accuracy/all"] == (predicted == labels).mean()
    assert not any(name.startswith(("loss", "confidence")) for name in result.metrics)
    assert [int(row[0]) for row in result.further[-1].rows] == np.flatnonzero(predicted != labels)[:10].tolist()
    assert [int(row[2]) for row in result.further[-1].rows] == predicted[predicted != labels][:10].tolist()


def test_losses_alone_have_a_mean_and_no_classes(stages_of, tmp_path):
    losses = np.random.default_rng(0).exponential(size=50)
    result = AllRows().answer(stages_from(stages_of, write(tmp_path / "p.parquet", loss=losses)))
    assert result.metrics["loss/all"] == pytest.approx(losses.mean())
    assert "by_class.csv" not in result.tables
    assert result.figures == {}
    assert result.shown.headings == ("rows", "loss, nats")


def test_infinite_losses_are_counted_and_no_number_of_rows_is_enough(stages_of, tmp_path):
    probabilities = np.array([[1.0, 0.0], [0.2, 0.8], [0.7, 0.3]])
    path = write(tmp_path / "p.parquet", label=np.array([1, 1, 0]), probabilities=probabilities)
    result = AllRows().answer(stages_from(stages_of, path))
    assert "Loss inf nats" in result.answer
    assert "no number of rows is enough, for a loss is infinite" in result.summary
    assert any("1 of 3 rows have an infinite loss" in note for note in result.notes)
    capped = AllRows(loss_cap=5.0).answer(stages_from(stages_of, path))
    assert (capped.metrics["loss/capped"], math.isfinite(capped.metrics["loss/all"])) == (1.0, True)
    assert "(33.3 % of the rows cut to study.loss_cap)" in capped.answer
    assert any("1 of 3 rows (33.3 %) were above study.loss_cap=5 nats" in note for note in capped.notes)


def test_rows_on_disk_have_the_figures_of_rows_in_memory(animals, monkeypatch, tmp_path):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "mlruns"))
    inside, outside = (AllRows(rows_out=True).answer(animals(fields={"memory": memory})) for memory in (1 << 28, 0))
    for name, value in inside.metrics.items():
        if not name.startswith("seconds"):
            assert outside.metrics[name] == pytest.approx(value, rel=1e-6), name
    assert outside.further == inside.further
    assert outside.tables["rows.parquet"]["predicted"].tolist() == inside.tables["rows.parquet"]["predicted"].tolist()


def test_scores_too_many_for_memory_are_answered_without_classes(animals, monkeypatch, tmp_path):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "mlruns"))
    whole = AllRows().answer(animals())
    monkeypatch.setattr(stored, "SMALL", 100)
    result = AllRows().answer(animals(fields={"memory": 0}))
    assert "by_class.csv" not in result.tables
    assert result.metrics["loss/all"] == pytest.approx(whole.metrics["loss/all"], rel=1e-6)
    assert result.metrics["loss/all_low"] == pytest.approx(whole.metrics["loss/all_low"], rel=0.02)
    assert result.further == whole.further[1:]


def test_soft_labels_belong_to_the_class_of_their_largest_share(stages_of, digits_parts):
    soft = np.full((len(digits_parts[0]), 10), 0.02, dtype=np.float32)
    soft[np.arange(len(soft)), digits_parts[0].labels] += 0.8
    rows = dataclasses.replace(digits_parts[0], labels=soft, digest="soft")
    found = AllRows().answer(stages_of(dataset=rows)).tables["by_class.csv"]
    assert found["rows"].tolist() == np.bincount(digits_parts[0].labels).tolist()


def test_the_answer_is_the_first_sentence_and_the_trained_network_is_its_own(stages_of, digits_parts):
    result = AllRows().answer(stages_of())
    scores = score(digits_parts[1], digits_parts[0])
    assert result.answer.startswith(f"Loss {scores.loss.mean():.3f} nats [")
    assert f"accuracy {100 * scores.correct.mean():.1f} % [" in result.answer
    assert result.answer.endswith("(1,000 rows, as a sample of the world; 95 %).")
    assert list(result.figures) == ["by_class"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"loss_within": 0.0}, r"study\.loss_within must be above 0; found 0"),
        ({"accuracy_within": -1.0}, r"study\.accuracy_within must be above 0"),
        ({"worst": -1}, r"study\.worst must be a number of rows, 0 or more"),
        ({"loss_cap": 0.0}, r"study\.loss_cap must be above 0 nats or null"),
    ],
)
def test_nonsense_is_refused(fields, message):
    with pytest.raises(BadInput, match=message):
        AllRows(**fields)


def test_several_files_are_one_table_a_row_each(stages_of):
    result = AllRows().answer(stages_of())
    about = {"group": "", "population": "digits test", "confidence": 0.95}
    cells = pd.DataFrame([{**about, **result.metrics}, {**about, "group": "b.csv", **result.metrics}])
    (table,) = AllRows().compare(cells, None).shown
    assert table.headings == ("of", "rows", "loss, nats", "accuracy, %")
    assert [row[:2] for row in table.rows] == [("digits test", "1,000"), ("b.csv", "1,000")]


def test_changed_batch_sizes_and_designs_change_nothing(stages_of):
    base = AllRows().answer(stages_of()).metrics
    other = AllRows().answer(changed(stages_of(design="importance", batch_size=7), seed=5)).metrics
    same = {name for name in base if not name.startswith("seconds")}
    assert {name: base[name] for name in same} == {name: other[name] for name in same}


def test_a_metric_without_an_interval_for_the_world_has_its_values_by_class_and_no_picture(animals):
    stages = animals()
    stages.experiment.interval = dataclasses.replace(stages.experiment.interval, loss=Sequence(cap=20.0))
    monkeyed = AllRows()
    result = monkeyed.answer(changed(stages, metric={"loss": Loss()}))
    classes = result.tables["by_class.csv"]
    assert "loss" in classes
    assert ("loss_low" in classes) == bool(result.figures)


def test_rows_that_are_all_right_are_not_called_enough_where_the_interval_is_wider(stages_of, tmp_path):
    labels = np.arange(20) % 2
    path = write(tmp_path / "p.parquet", label=labels, prediction=labels)
    result = AllRows().answer(stages_from(stages_of, path))
    assert result.metrics["accuracy/all"] == 1.0
    assert result.metrics["accuracy/more"] > 100
    assert "there are enough rows" not in result.summary


def test_one_row_gives_no_interval_of_the_loss_and_no_number_of_rows_that_is_enough(stages_of, tmp_path):
    path = write(tmp_path / "p.parquet", label=[1], probability_0=[0.25], probability_1=[0.75])
    result = AllRows().answer(stages_from(stages_of, path))
    assert "Loss 0.29 nats (no interval)" in result.answer
    assert "(1 row, as a sample of the world; 95 %)" in result.answer
    assert "right: one row does not tell whether that is chance. One row does not tell how many more" in result.summary
    assert "p.parquet, 1 row, by class" in [table.title for table in (result.shown, *result.further)]
    assert not [name for name in result.metrics if name.endswith("/more")]
