"""ClassLabel columns of data sets that `datasets` saved: numbers that name their classes themselves."""

import numpy as np
import pytest

from pipeline.data.predictions import Predictions
from pipeline.data.table import RowTable
from pipeline.data.tabular import loaded
from pipeline.errors import BadInput
from pipeline.model.given import Given
from pipeline.scoring.rows import score
from tests import written as tables

NAMES = ["fish", "cat", "dog"]
# As text these are other classes than as numbers.
ODD = ["2", "0", "1"]
RNG = np.random.default_rng(5)
CODES = RNG.integers(0, 3, 60)
LOGITS = RNG.normal(size=(60, 3)).astype(np.float32)


def saved(path, columns, names=NAMES, **options):
    tables.saved_dataset(path, columns, class_names={"label": names}, **options)
    return str(path)


@pytest.mark.parametrize("memory", [1 << 28, 0], ids=["in memory", "on disk"])
@pytest.mark.parametrize("names", [NAMES, ODD])
def test_numbers_are_those_of_the_classes_whatever_the_names(tmp_path, names, memory):
    data = Predictions(path=saved(tmp_path / "a", {"logits": LOGITS, "label": CODES}, names), memory=memory)
    found = data.load()
    assert found.class_names == tuple(names)
    assert found.labels.tolist() == CODES.tolist()
    scores = score(Given().build(data), found)
    assert scores.correct.tolist() == (LOGITS.argmax(axis=1) == CODES).tolist()


@pytest.mark.parametrize("names", [NAMES, ODD])
def test_predicted_numbers_and_predicted_names_are_both_matched(tmp_path, names):
    predicted = LOGITS.argmax(axis=1)
    for name, column in (("numbers", predicted), ("names", np.array(names)[predicted])):
        data = Predictions(path=saved(tmp_path / name, {"prediction": column, "label": CODES}, names))
        scores = score(Given().build(data), data.load())
        assert scores.correct.tolist() == (predicted == CODES).tolist()


def test_columns_named_by_class_are_put_into_the_order_of_the_labels(tmp_path):
    columns = {f"logits_{name}": LOGITS[:, i] for i, name in reversed(list(enumerate(NAMES)))}
    data = Predictions(path=saved(tmp_path / "a", {**columns, "label": CODES}))
    np.testing.assert_array_equal(data.load().inputs, LOGITS)


def test_inputs_for_a_model_have_the_order_of_their_classes(tmp_path):
    columns = {"x": LOGITS, "label": np.minimum(CODES, 1)}
    data = RowTable(path=saved(tmp_path / "a", columns, ODD))
    found = data.load()
    # The third class has no row, and is one nevertheless.
    assert (found.n_classes, found.class_names, data.has_sorted_names) == (3, tuple(ODD), False)
    assert found.labels.tolist() == columns["label"].tolist()


def test_a_row_without_a_class_is_refused(tmp_path):
    for kind, column in ((Predictions, "logits"), (RowTable, "x")):
        path = saved(tmp_path / column, {column: LOGITS, "label": np.where(np.arange(60) == 40, -1, CODES)})
        with pytest.raises(BadInput, match=r"label must hold classes 0 … 2 .*; found -1 in row 10 of .*-00001-of"):
            loaded(kind(path=path).streamed())


def test_other_widths_than_the_classes_are_refused(tmp_path):
    data = Predictions(path=saved(tmp_path / "a", {"logits": LOGITS[:, :2], "label": CODES}))
    with pytest.raises(
        BadInput, match=r"must have one value for each class; found 2 values and 3 names of classes \(fish, cat"
    ):
        data.load()


def test_a_model_trains_on_another_split_and_never_on_the_same(tmp_path):
    test, train = ({"x": LOGITS, "label": codes} for codes in (CODES, CODES[::-1].copy()))
    tables.saved_splits(tmp_path / "both", {"train": train, "test": test})
    data = RowTable(path=str(tmp_path / "both"))
    assert data.load_split("train").labels.tolist() == train["label"].tolist()
    assert data.load_split("test").labels.tolist() == test["label"].tolist()
    assert RowTable(path=str(tmp_path / "both"), split="train").load().digest == data.load_split("train").digest
    tables.saved_splits(tmp_path / "one", {"train": train})
    with pytest.raises(BadInput, match=r"which has no other; found train: a model that is trained needs data of"):
        RowTable(path=str(tmp_path / "one")).load_split("train")


def test_groups_and_weights_are_those_of_the_split(tmp_path):
    parts = {}
    for i, split in enumerate(("train", "test")):
        parts[split] = {"x": LOGITS, "label": CODES, "weight": np.full(60, 1.0 + i), "person": np.arange(60) // (2 + i)}
    tables.saved_splits(tmp_path / "a", parts)
    data = RowTable(path=str(tmp_path / "a"), group="person", weight="weight", id=None)
    for split in parts:
        rows = data.rows(split)
        assert rows.weights.tolist() == parts[split]["weight"].tolist()
        assert rows.groups.tolist() == parts[split]["person"].tolist()


def test_text_labels_are_numbered_alike_in_all_splits(tmp_path):
    texts = np.array(["b", "d", "a"])[CODES]
    tables.saved_splits(
        tmp_path / "a", {"train": {"x": LOGITS, "label": texts}, "test": {"x": LOGITS[:9], "label": texts[:9]}}
    )
    data = RowTable(path=str(tmp_path / "a"))
    few = np.unique(texts[:2])
    tables.saved_splits(
        tmp_path / "b", {"train": {"x": LOGITS, "label": texts}, "test": {"x": LOGITS[:2], "label": texts[:2]}}
    )
    lacking = RowTable(path=str(tmp_path / "b"))
    assert len(few) < 3
    for found in (data.load(), data.load_split("train"), lacking.load(), lacking.load_split("train")):
        assert found.class_names == ("a", "b", "d")
        assert [found.class_names[label] for label in found.labels] == texts[: len(found)].tolist()
