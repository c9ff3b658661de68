"""Labels of any type become the same class numbers, and what is no class is refused with its row."""

import json

import numpy as np
import pytest

from pipeline.data.class_names import class_numbers, found_names, given_names, label_name
from pipeline.errors import BadInput

ACCEPTED = {
    "text": (["dog", "cat"], ("cat", "dog"), [1, 0]),
    "objects": (np.array(["dog", "cat"], object), ("cat", "dog"), [1, 0]),
    "negative numbers": ([-1, 1, -1], ("-1", "1"), [0, 1, 0]),
    "numbers from 1": ([3, 1], ("1", "2", "3"), [2, 0]),
    "numbers as text": (["3", "1"], ("1", "2", "3"), [2, 0]),
    "whole floats that are names": ([3.0, 1.0], ("1", "2", "3"), [2, 0]),
    "whole floats": ([1.0, 0.0], None, [1, 0]),
    "numbers of classes with names": ([1, 0], ("cat", "dog"), [1, 0]),
    "booleans": ([True, False], None, [1, 0]),
    "booleans that are names in the other order": ([True, False], ("True", "False"), [0, 1]),
    "booleans of classes with names": ([True, False], ("no", "yes"), [1, 0]),
}


@pytest.mark.parametrize(("values", "names", "expected"), ACCEPTED.values(), ids=list(ACCEPTED))
def test_labels_of_every_type_are_class_numbers(values, names, expected):
    found = class_numbers(np.asarray(values), names, len(names or "ab"), source="label")
    assert found.dtype == np.int64
    assert found.tolist() == expected


REFUSED = {
    "text that no class has": (
        ["cat", "bird"],
        ("cat", "dog"),
        r"label must hold classes \(cat, dog\); found 'bird' in row 1: mend or remove that row, or give all classes "
        r"with data\.classes",
    ),
    "a number that no class has": ([1, 7], ("1", "2"), r"classes \(1, 2\); found '7' in row 1"),
    "a part of a number": ([1.0, 1.5], ("1", "2"), r"classes \(1, 2\); found '1\.5' in row 1"),
    "nan": ([0.0, np.nan], None, r"as whole numbers or texts; found nan in row 1"),
    "a number below 0": ([0, -1], None, r"label must hold classes 0 … 1 .*; found -1 in row 1: count cl"),
    "text without names": (["cat"], None, r"or the classes must have names; found 'cat' in row 0: .*data\.classes"),
    "another spelling": (["Cat"], ("cat", "dog"), r"found 'Cat' in row 0"),
}  # fmt: skip


@pytest.mark.parametrize(("values", "names", "says"), REFUSED.values(), ids=list(REFUSED))
def test_a_label_that_no_class_has_is_refused_with_its_row(values, names, says):
    with pytest.raises(BadInput, match=says):
        class_numbers(np.asarray(values), names, 2, source="label")


FILES = {
    "c.json": json.dumps(["cat", "dog"]),
    "id2label.json": json.dumps({"1": "dog", "0": "cat"}),
    "label2id.json": json.dumps({"dog": 1, "cat": 0}),
    "c.txt": "cat\ndog\n\n",
}


@pytest.mark.parametrize("name", FILES)
def test_names_in_a_file_are_those_in_a_list(tmp_path, name):
    (tmp_path / name).write_text(FILES[name])
    assert given_names(str(tmp_path / name)) == given_names(["cat", "dog"]) == ["cat", "dog"]
    assert given_names(None) is None


@pytest.mark.parametrize(
    ("classes", "says"),
    [
        (["cat"], r"at least 2 and each once; found cat"),
        (["cat", "cat"], r"each once; found cat, cat"),
        ("no_file.json", r"found .*no_file\.json: .*No such file"),
        ("classes.csv", r"found 'classes\.csv'"),
        (3, r"data\.classes must be a list of names such as \[cat,dog\], or a \.json or \.txt file"),
    ],
)
def test_names_that_are_none_are_refused(classes, says):
    with pytest.raises(BadInput, match=says):
        given_names(classes)


def test_a_mapping_with_a_gap_is_refused(tmp_path):
    (tmp_path / "c.json").write_text(json.dumps({"0": "cat", "2": "dog"}))
    with pytest.raises(BadInput, match=r"must map the numbers 0 … 1 to names, .*; found the numbers 0, 2"):
        given_names(str(tmp_path / "c.json"))


def test_names_found_in_labels_are_in_the_order_of_scikit_learn():
    from sklearn.preprocessing import LabelEncoder

    rng = np.random.default_rng(5)
    labels = rng.choice(["b", "a", "Z", "é", "10", "9"], 200).astype(object)
    assert found_names([labels[:50], labels[50:]]) == LabelEncoder().fit(labels).classes_.tolist()


def test_a_whole_float_has_the_name_of_the_number():
    assert [label_name(value) for value in (np.float32(2), 2, "2")] == ["2"] * 3
