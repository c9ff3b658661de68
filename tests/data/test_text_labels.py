"""Text labels with columns named by class give the figures of numbered ones, in every format, in memory and on disk."""

import json

import numpy as np
import pandas as pd
import pytest

from pipeline.data.predictions import Predictions
from pipeline.data.streamed import Streamed
from pipeline.data.table import RowTable
from pipeline.data.tabular import loaded
from pipeline.errors import BadInput
from pipeline.model.given import Given
from pipeline.model.npz import Npz
from pipeline.scoring.rows import score

NAMES = ("fish", "cat", "dog")
N = 60
RNG = np.random.default_rng(4)
CHANCES = RNG.dirichlet(np.ones(3), N)
CODES = RNG.integers(0, 3, N)
TEXTS = np.array(NAMES)[CODES]
BY_CLASS = {f"probability_{name}": CHANCES[:, i] for i, name in enumerate(NAMES)}
TABLE = pd.DataFrame({"id": [f"r{i}" for i in range(N)], "label": TEXTS, **BY_CLASS})


def npz(table, path):
    np.savez(path, **{name: table[name].to_numpy(str if table[name].dtype.kind == "O" else None) for name in table})


WRITERS = {
    "p.csv": lambda table, path: table.to_csv(path, index=False),
    "p.tsv": lambda table, path: table.to_csv(path, index=False, sep="\t"),
    "p.jsonl": lambda table, path: table.to_json(path, orient="records", lines=True, double_precision=15),
    "p.parquet": lambda table, path: table.to_parquet(path, row_group_size=7),
    "category.parquet": lambda table, path: table.astype({"label": "category"}).to_parquet(path, row_group_size=7),
    "p.feather": lambda table, path: table.to_feather(path),
    "p.npz": npz,
}


def scored(data):
    return score(Given().build(data), data.load())


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("memory", [1 << 28, 0], ids=["in memory", "on disk"])
def test_text_labels_and_named_columns_give_the_figures_of_numbered_ones(tmp_path, name, memory):
    WRITERS[name](TABLE, tmp_path / name)
    data = Predictions(path=str(tmp_path / name), memory=memory)
    found = data.load()
    assert isinstance(found, Streamed) == (memory == 0)
    assert (found.class_names, found.n_classes) == (NAMES, 3)
    assert found.labels.tolist() == CODES.tolist()
    assert found.take(np.array([5, 2])).labels.tolist() == CODES[[5, 2]].tolist()
    scores = scored(data)
    np.testing.assert_allclose(scores.loss, -np.log(CHANCES[np.arange(N), CODES]), rtol=1e-12)
    assert scores.correct.tolist() == (CHANCES.argmax(axis=1) == CODES).tolist()


@pytest.mark.parametrize("classes", [["cat", "dog", "fish"], list(NAMES)])
def test_given_classes_order_the_named_columns_and_leave_the_losses(tmp_path, classes):
    TABLE.to_csv(tmp_path / "p.csv", index=False)
    data = Predictions(path=str(tmp_path / "p.csv"), classes=classes)
    assert data.load().class_names == tuple(classes)
    np.testing.assert_allclose(scored(data).loss, -np.log(CHANCES[np.arange(N), CODES]), rtol=1e-12)


def test_a_list_column_takes_its_names_from_the_configuration(tmp_path):
    pd.DataFrame({"label": TEXTS, "probabilities": list(CHANCES)}).to_parquet(tmp_path / "p.parquet")
    (tmp_path / "c.json").write_text(json.dumps(dict(enumerate(NAMES))))
    for classes in (list(NAMES), str(tmp_path / "c.json")):
        data = Predictions(path=str(tmp_path / "p.parquet"), classes=classes)
        assert data.load().labels.tolist() == CODES.tolist()
    with pytest.raises(
        BadInput, match=r"give the names in the order of the probabilities, such as data\.classes=\[cat"
    ):
        Predictions(path=str(tmp_path / "p.parquet")).load()
    with pytest.raises(
        BadInput,
        match=r"the prob\w+ of .* must have one value for each class; found 3 .* 2 names .*: give 3 names with data",
    ):
        Predictions(path=str(tmp_path / "p.parquet"), classes=["a", "b"]).load()


@pytest.mark.parametrize("memory", [1 << 28, 0], ids=["in memory", "on disk"])
def test_a_label_that_no_class_has_is_refused_with_its_line(tmp_path, memory):
    TABLE.assign(label=np.where(np.arange(N) == 7, "bird", TEXTS)).to_csv(tmp_path / "p.csv", index=False)
    says = r"label must hold classes \(fish, cat, dog\); found 'bird' in line 9 of .*p\.csv: mend or remove that row"
    with pytest.raises(BadInput, match=says):
        scored(Predictions(path=str(tmp_path / "p.csv"), memory=memory))


def test_columns_numbered_from_0_have_no_names_whatever_else_begins_alike(tmp_path):
    table = pd.DataFrame({"label": [0, 1], "logit_0": [1.0, 0.0], "logit_1": [0.0, 1.0], "logit_scale": [2.0, 2.0]})
    table.to_csv(tmp_path / "p.csv", index=False)
    found = Predictions(path=str(tmp_path / "p.csv")).load()
    assert (found.class_names, found.width) == (None, 2)


def test_predicted_words_have_an_accuracy_and_no_loss(tmp_path):
    predicted = np.array(NAMES)[CHANCES.argmax(axis=1)]
    pd.DataFrame({"label": TEXTS, "prediction": predicted}).to_csv(tmp_path / "p.csv", index=False)
    for memory in (1 << 28, 0):
        data = Predictions(path=str(tmp_path / "p.csv"), memory=memory)
        scores = scored(data)
        assert scores.metrics == ("accuracy",)
        assert scores.correct.tolist() == (predicted == TEXTS).tolist()
        assert data.load().class_names == ("cat", "dog", "fish")


def test_words_and_numbers_are_not_compared(tmp_path):
    pd.DataFrame({"label": TEXTS, "prediction": CODES}).to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(
        BadInput, match=r"'label' and 'prediction' of .* must both be texts or both be numbers; found te"
    ):
        Predictions(path=str(tmp_path / "p.csv")).load()


def test_a_table_of_inputs_takes_text_labels_in_sorted_order(tmp_path):
    pd.DataFrame({"x_0": CHANCES[:, 0], "x_1": CHANCES[:, 1], "label": TEXTS}).to_csv(tmp_path / "t.csv", index=False)
    data = RowTable(path=str(tmp_path / "t.csv"))
    found = data.load()
    assert found.class_names == ("cat", "dog", "fish")
    assert [found.class_names[label] for label in found.labels] == TEXTS.tolist()
    assert loaded(data.streamed()).class_names == found.class_names
    given = RowTable(path=str(tmp_path / "t.csv"), classes=[*NAMES, "owl"]).load()
    assert (given.labels.tolist(), given.n_classes) == (CODES.tolist(), 4)
    with pytest.raises(
        BadInput, match=r"model=npz needs the order of its classes; found labels of text \(cat, dog, fish"
    ):
        Npz(path=str(tmp_path / "w.npz")).built(data)


def test_a_spreadsheet_is_refused_with_the_way_out(tmp_path):
    (tmp_path / "p.xlsx").write_bytes(b"PK\3\4")
    with pytest.raises(BadInput, match=r"found p\.xlsx, a spreadsheet: pandas\.read_excel"):
        Predictions(path=str(tmp_path / "p.xlsx")).load()


def test_lists_as_text_are_refused_with_the_columns_to_write(tmp_path):
    pd.DataFrame({"label": [0, 1], "logits": ["[0.5, 1]", "[1, 0]"]}).to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(BadInput, match=r"such as in columns logits_0, logits_1 …, or as lists in Parquet"):
        Predictions(path=str(tmp_path / "p.csv")).load()


@pytest.mark.parametrize("columns", ["probability_cat,probability_dog", "prediction"])
def test_an_empty_label_is_no_class_but_a_missing_value(tmp_path, columns):
    said = "0.9,0.1" if "," in columns else "cat"
    path = tmp_path / "p.csv"
    path.write_text(f"label,{columns}\ncat,{said}\n,{said}\ndog,{said}\n")
    with pytest.raises(BadInput, match=r"'label' must have a value in every row; found none in line 3 .*study=label"):
        scored(Predictions(path=str(path)))


def test_rows_of_inputs_without_a_label_are_refused(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("label,a,b\ncat,1,2\n,3,4\ndog,5,6\n")
    with pytest.raises(BadInput, match="'label' must have a value in every row; found none in line 3"):
        RowTable(path=str(path), inputs="a,b").load()


def test_an_empty_prediction_is_a_wrong_one(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("label,prediction\ncat,cat\ndog,\ndog,dog\n")
    assert scored(Predictions(path=str(path))).correct.tolist() == [True, False, True]
