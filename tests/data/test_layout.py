import pytest

from pipeline.data.formats.base import Column
from pipeline.data.layout import layout_of
from pipeline.errors import BadInput

NUMBER, WHOLE, TEXT = Column("f", None, "double"), Column("i", None, "int64"), Column("U", None, "text")
TRUTH, OTHER = Column("b", None, "bool"), Column("O", None, "struct<a: int64>")


def numbers(width):
    return Column("f", width, "list<float>")


def wide(stem, indices):
    return {f"{stem}_{i}": NUMBER for i in indices}


FOUND = {
    "a list of logits": ({"logits": numbers(4)}, {}, ("logits", ("logits",), 4)),
    "a list of probabilities": ({"probabilities": numbers(2)}, {}, ("probabilities", ("probabilities",), 2)),
    "columns in any order": (wide("logit", [2, 0, 1]), {}, ("logits", ("logit_0", "logit_1", "logit_2"), 3)),
    "ten and more, by number": (
        wide("probability", range(11)),
        {},
        ("probabilities", tuple(f"probability_{i}" for i in range(11)), 11),
    ),
    "one probability": ({"probability": NUMBER}, {}, ("probabilities", ("probability",), 2)),
    "one logit": ({"logit": NUMBER}, {}, ("logits", ("logit",), 2)),
    "a stem of one's own": (wide("z", range(3)), {"logits": "z"}, ("logits", ("z_0", "z_1", "z_2"), 3)),
    "probabilities asked for beside logits": (
        {"logits": numbers(3), "p": numbers(3)},
        {"probabilities": "p"},
        ("probabilities", ("p",), 3),
    ),
    "logits before probabilities": (
        {"probabilities": numbers(3), "logits": numbers(3)},
        {},
        ("logits", ("logits",), 3),
    ),
    "scores": ({"loss": NUMBER, "correct": TRUTH}, {}, ("scores", ("loss", "correct"), 2)),
    "any numbers": ({"logits": numbers(3), "latency": NUMBER}, {"value": "latency"}, ("scores", ("latency",), 1)),
}


@pytest.mark.parametrize(("columns", "named", "expected"), FOUND.values(), ids=list(FOUND))
def test_predictions_are_found_by_their_names(columns, named, expected):
    layout = layout_of({"id": TEXT, **columns, "label": WHOLE, "struct": OTHER}, where="FILE", **named)
    assert (layout.gives, layout.columns, layout.width) == expected
    assert layout.label == "label"
    assert layout.n_classes == (0 if layout.gives == "scores" else layout.width)
    assert layout.is_binary == (columns.keys() <= {"probability", "logit"})


def test_labels_is_taken_where_there_is_no_label():
    assert layout_of({"logits": numbers(3), "labels": WHOLE}, where="FILE").label == "labels"
    assert layout_of({"logits": numbers(3), "labels": TEXT, "label": WHOLE}, where="FILE").label == "label"
    with pytest.raises(BadInput, match=r"data\.label=y must be a column of FILE; found the columns logits, labels"):
        layout_of({"logits": numbers(3), "labels": WHOLE}, where="FILE", label="y")


REFUSED = {
    "nothing": ({"a": NUMBER}, {}, r"FILE must have predictions .* or scores .*; found the columns label, a"),
    "a gap": (wide("logit", [0, 2]), {}, r"FILE must have a column a class, from logit_0 on; found no logit_1"),
    "a start at 1": (wide("probability", [1, 2]), {}, r"from probability_0 on; found no probability_0"),
    "one of many": (wide("logit", [0]), {}, r"'logit_0' of FILE must have at least 2 classes; found 1 values"),
    "a list of one": ({"logits": numbers(1)}, {}, r"'logits' of FILE must have at least 2 classes; found 1"),
    "text": ({"logits": TEXT}, {}, r"the column 'logits' of FILE must hold numbers; found text"),
    "a struct": ({"logits": OTHER}, {}, r"the column 'logits' of FILE must hold numbers; found struct<a: int64>"),
    "lists by class": (
        {"logit_0": numbers(2), "logit_1": numbers(2)}, {}, r"'logit_0' of FILE must hold numbers; found list<float>"
    ),
    "another name": ({"logits": numbers(2)}, {"logits": "z"}, r"data\.logits=z must be a column of FILE, or the ste"),
    "both": ({"logits": numbers(2)}, {"logits": "a", "probabilities": "b"}, r"must be logits or probabilities; found"),
    "labels of text": ({"logits": numbers(2), "label": TEXT}, {}, r"'label' of FILE must hold class n.*data\.classes="),
    "labels in lists": ({"logits": numbers(2), "label": numbers(2)}, {}, r"'label' .* must hold one class a row"),
    "losses of text": ({"loss": TEXT}, {}, r"the column 'loss' of FILE must hold numbers, nats; found text"),
    "a value that is not there": ({"a": NUMBER}, {"value": "b"}, r"data\.value=b must be a column of FILE; found"),
    "values of text": ({"a": TEXT}, {"value": "a"}, r"'a' of FILE must hold one number a row; found text: name an"),
    "values of truth": ({"a": TRUTH}, {"value": "a"}, r"must hold one number a row; .*: name it with data\.correct=a"),
    "values in lists": ({"a": numbers(2)}, {"value": "a"}, r"'a' of FILE must hold one number a row; found list"),
    "values and logits": (
        {"a": NUMBER, "logits": numbers(2)}, {"value": "a", "logits": "logits"}, r"data\.value=a must be all .*; found"
    ),
    "a list of truths": ({"correct": Column("b", 2, "list<bool>")}, {}, r"'correct' of FILE must hold true or false"),
}  # fmt: skip


@pytest.mark.parametrize(("columns", "named", "says"), REFUSED.values(), ids=list(REFUSED))
def test_columns_that_are_no_predictions_are_refused_by_name(columns, named, says):
    with pytest.raises(BadInput, match=says):
        layout_of({"label": WHOLE, **columns}, where="FILE", **named)


LIST = {"logits": numbers(3)}


@pytest.mark.parametrize("columns", [LIST, wide("probability", range(3)), {"prediction": TEXT}])
def test_where_labels_may_be_missing_their_column_is_none_and_elsewhere_it_is_refused(columns):
    assert layout_of(columns, where="FILE", labelled=False).label is None
    assert layout_of({**columns, "label": TEXT}, where="FILE", labelled=False, classes=["a", "b", "c"]).label == "label"
    with pytest.raises(BadInput, match=r"data.label=label must be a column of FILE"):
        layout_of(columns, where="FILE")


@pytest.mark.parametrize(
    ("columns", "advice"),
    [
        (["p_cat", "p_dog"], r"name yours, such as data\.probabilities=p for p_CLASS …"),
        (["out_cat", "out_dog", "x_y"], r"name yours, such as data\.logits=out for out_CLASS …"),
        (["cat", "dog"], r"name yours, such as data\.logits=COLUMN"),
    ],
)
def test_columns_of_classes_by_name_are_advised_by_what_they_begin_with(columns, advice):
    with pytest.raises(BadInput, match=advice):
        layout_of({"label": TEXT, **dict.fromkeys(columns, NUMBER)}, where="a.csv")
