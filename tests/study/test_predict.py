"""The file of predictions says of every row what the model says, and is read back as such."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.data.predictions import Predictions
from pipeline.errors import BadInput
from pipeline.model.base import Classifier
from pipeline.model.given import Given
from pipeline.records.rows import Dataset
from pipeline.scoring.rows import score
from pipeline.study.predict import Predict
from tests.evaluation import changed


class Fixed(Classifier):
    """Gives what it was made with, for inputs that are row numbers."""

    def __init__(self, outputs, gives, n_classes):
        self.outputs, self.gives, self.n_classes = outputs, gives, n_classes
        self.n_inputs, self.digest = 1, "fixed"

    def logits(self, inputs):
        return self.outputs[inputs[:, 0].astype(int)]


@pytest.fixture
def numbered(stages_of):
    """A function from outputs of a classifier to the stages of rows that are numbered."""

    def build(outputs, gives, n_classes, labels=None, names=None):
        n = len(outputs)
        labels = np.arange(n) % n_classes if labels is None else labels
        rows = Dataset(
            np.arange(n, dtype=np.float32)[:, None], labels, n_classes, 1.0, "numbered", "numbered", class_names=names
        )
        stages = stages_of(batch_size=2)
        return changed(stages, rows=rows, classifier=Fixed(outputs, gives, n_classes))

    return build


def test_the_loss_of_every_row_from_the_file_is_the_models_own_to_the_last_bit(stages_of, tmp_path):
    stages = stages_of()
    path = tmp_path / "p.parquet"
    result = Predict(to=str(path)).answer(stages)
    assert result.metrics == {"rows": 1000.0}
    data = Predictions(path=str(path))
    rows = data.load()
    found = score(Given().build(data), rows)
    expected = score(stages.classifier, stages.rows)
    assert (found.loss == expected.loss).all()
    assert (found.correct == expected.correct).all()
    assert pq.read_table(path, columns=["id"])["id"].to_pylist() == list(range(1000))


def test_probabilities_labels_and_very_many_classes_have_columns_of_their_own(numbered, tmp_path):
    path = tmp_path / "p.parquet"
    sure = np.eye(3)[[0, 1, 1, 2]]
    Predict(to=str(path)).answer(numbered(sure, "probabilities", 3))
    table = pq.read_table(path)
    assert table.column_names == ["id", "label", "probability_0", "probability_1", "probability_2"]
    assert table["label"].to_pylist() == [0, 1, 2, 0]
    Predict(to=str(path), overwrite=True).answer(numbered(np.array([2, 1, 0]), "labels", 3))
    assert pq.read_table(path).to_pydict() == {"id": [0, 1, 2], "label": [0, 1, 2], "prediction": [2, 1, 0]}
    logits = np.random.default_rng(0).normal(size=(5, 101)).astype(np.float32)
    Predict(to=str(path), overwrite=True).answer(numbered(logits, "logits", 101))
    table = pq.read_table(path)
    assert table.column_names == ["id", "label", "logits"]
    assert (np.array(table["logits"].to_pylist(), np.float32) == logits).all()


@pytest.mark.parametrize("gives", ["logits", "probabilities", "labels"])
def test_classes_that_have_names_go_by_them_and_are_read_back_as_such(numbered, tmp_path, gives):
    path, names = tmp_path / "p.parquet", ("cat", "dog", "-1")
    sure = np.eye(3)[[0, 1, 1, 2]]
    outputs = {"logits": sure * 3, "probabilities": sure, "labels": sure.argmax(axis=1)}[gives]
    stages = numbered(outputs, gives, 3, names=names)
    Predict(to=str(path)).answer(stages)
    assert pq.read_table(path)["label"].to_pylist() == ["cat", "dog", "-1", "cat"]
    data = Predictions(path=str(path))
    rows = data.load()
    assert set(rows.class_names) == set(names)
    assert [rows.class_names[label] for label in rows.labels] == ["cat", "dog", "-1", "cat"]
    found, expected = score(Given().build(data), rows), score(stages.classifier, stages.rows)
    assert (found.correct == expected.correct).all()
    if gives != "labels":
        assert found.loss == pytest.approx(expected.loss)


@pytest.mark.parametrize(
    ("names", "labels"), [(("0", "1", "2"), [0, 1, 2, 0]), (("1", "2", "3"), ["1", "2", "3", "1"])]
)
def test_names_that_are_numbers_are_read_back_too(numbered, tmp_path, names, labels):
    path, logits = tmp_path / "p.parquet", np.eye(3)[[0, 1, 1, 2]] * 3
    stages = numbered(logits, "logits", 3, names=names)
    Predict(to=str(path)).answer(stages)
    assert pq.read_table(path)["label"].to_pylist() == labels
    data = Predictions(path=str(path))
    found, expected = score(Given().build(data), data.load()), score(stages.classifier, stages.rows)
    assert found.loss == pytest.approx(expected.loss)


def test_a_list_of_many_classes_has_no_names_and_neither_have_its_labels(numbered, tmp_path):
    path = tmp_path / "p.parquet"
    names = tuple(f"class {k}" for k in range(101))
    Predict(to=str(path)).answer(numbered(np.zeros((3, 101)), "logits", 101, names=names))
    assert pq.read_table(path)["label"].to_pylist() == [0, 1, 2]


def test_one_hot_labels_become_classes_and_soft_ones_are_refused_and_leave_no_file(numbered, tmp_path):
    path = tmp_path / "p.parquet"
    logits = np.zeros((3, 2), np.float32)
    labels = np.array([[0, 1], [1, 0], [0, 1]], np.float32)
    Predict(to=str(path)).answer(numbered(logits, "logits", 2, labels))
    assert pq.read_table(path)["label"].to_pylist() == [1, 0, 1]
    labels[1] = 0.5
    soft = tmp_path / "soft.parquet"
    with pytest.raises(BadInput, match=r"study=predict needs one class a row; found shares of several in row 1"):
        Predict(to=str(soft)).answer(numbered(logits, "logits", 2, labels))
    assert [file.name for file in tmp_path.iterdir()] == ["p.parquet"]


def test_a_file_that_is_there_is_kept_unless_it_may_be_overwritten(stages_of, tmp_path):
    path = tmp_path / "p.parquet"
    path.write_bytes(b"precious")
    stages = stages_of()
    with pytest.raises(BadInput, match=r"study\.to must name a new file; found .* already there"):
        Predict(to=str(path)).check(stages)
    assert path.read_bytes() == b"precious"
    Predict(to=str(path), overwrite=True).check(stages)


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("p.csv", r"study\.to must name a file that ends in \.parquet"),
        ("none/p.parquet", "a folder that exists"),
        ("/proc/p.parquet", r"study\.to must name a place that can be written to; found: .* \(/proc\): name another"),
    ],
)
def test_a_name_that_cannot_be_written_is_refused(to, reason, stages_of, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=reason):
        Predict(to=to).check(stages_of())


def test_the_command_writes_a_file_that_run_reads(request_of, tmp_path):
    path = tmp_path / "p.parquet"
    done = request_of("predict", f"study.to={path}")
    assert done.returncode == 0, done.stderr
    # Wherever the lines are broken.
    assert f"data=predictionsdata.path={path}" in "".join(done.stdout.split())
    again = request_of("predict", f"study.to={path}")
    assert again.returncode == 2
    assert len(again.stderr.splitlines()) == 1
