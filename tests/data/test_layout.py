import pytest

from pipeline.data.layout import inputs_of, layout_of
from pipeline.data.shards.base import Column
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
    "one of many": (wide("logit", [0]), {}, r"'logit_0' of FILE must tell at least 2 classes apart; found 1 values"),
    "a list of one": ({"logits": numbers(1)}, {}, r"'logits' of FILE must tell at least 2 classes apart; found 1"),
    "text": ({"logits": TEXT}, {}, r"the column 'logits' of FILE must hold numbers; found text"),
    "a struct": ({"logits": OTHER}, {}, r"the column 'logits' of FILE must hold numbers; found struct<a: int64>"),
    "lists by class": (
        {"logit_0": numbers(2), "logit_1": numbers(2)}, {}, r"'logit_0' of FILE must hold numbers; found list<float>"
    ),
    "another name": ({"logits": numbers(2)}, {"logits": "z"}, r"data\.logits=z must be a column of FILE, or the ste"),
    "both": ({"logits": numbers(2)}, {"logits": "a", "probabilities": "b"}, r"must be logits or probabilities; found"),
    "labels of text": ({"logits": numbers(2), "label": TEXT}, {}, r"the label column 'label' of FILE must hold whole"),
    "labels with a point": ({"logits": numbers(2), "label": NUMBER}, {}, r"the classes from 0; found double: number"),
    "losses of text": ({"loss": TEXT}, {}, r"the column 'loss' of FILE must hold numbers, nats; found text"),
    "a list of truths": ({"correct": Column("b", 2, "list<bool>")}, {}, r"'correct' of FILE must hold true or false"),
}  # fmt: skip


@pytest.mark.parametrize(("columns", "named", "says"), REFUSED.values(), ids=list(REFUSED))
def test_columns_that_are_no_predictions_are_refused_by_name(columns, named, says):
    with pytest.raises(BadInput, match=says):
        layout_of({"label": WHOLE, **columns}, where="FILE", **named)


INPUTS = {
    "a list": ({"inputs": numbers(5)}, None, ("inputs",), 5),
    "a list of one": ({"x": numbers(1)}, None, ("x",), 1),
    "numbered": (wide("input", [1, 0]), None, ("input_0", "input_1"), 2),
    "x": (wide("x", [0]), None, ("x_0",), 1),
    "one number": ({"x": NUMBER}, None, ("x",), 1),
    "names": ({"age": WHOLE, "height": NUMBER, "is_new": TRUTH}, "height, age,is_new", ("height", "age", "is_new"), 3),
    "a stem": (wide("pixel", range(3)), "pixel", ("pixel_0", "pixel_1", "pixel_2"), 3),
}


@pytest.mark.parametrize(("columns", "inputs", "expected", "width"), INPUTS.values(), ids=list(INPUTS))
def test_inputs_are_found_by_their_names(columns, inputs, expected, width):
    found = inputs_of({"label": WHOLE, **columns}, where="FILE", inputs=inputs)
    assert (found.columns, found.label, found.width) == (expected, "label", width)


NO_INPUTS = {
    "none": (
        {"a": NUMBER},
        None,
        r"data\.inputs must name columns of FILE: .*; found no inputs, input_0 .*columns label",
    ),
    "a name that is none": ({"a": NUMBER}, "a,b", r"found no b among the columns label, a: name others"),
    "a gap": (wide("x", [0, 3]), None, r"from x_0 on; found no x_1"),
    "text": ({"a": NUMBER, "b": TEXT}, "a,b", r"the column 'b' of FILE must hold numbers; found text: leave it out"),
    "a list among columns": (
        {"a": NUMBER, "b": numbers(2)},
        "a,b",
        r"the column 'b' of FILE must hold numbers; found l",
    ),
    "an empty list": ({"x": numbers(0)}, None, r"the column 'x' of FILE must hold numbers"),
    "the label": ({"a": NUMBER}, "a,label", r"must name each column once, and not the label's; found a, label"),
    "one twice": ({"a": NUMBER}, "a,a", r"must name each column once, and not the label's; found a, a"),
}


@pytest.mark.parametrize(("columns", "inputs", "says"), NO_INPUTS.values(), ids=list(NO_INPUTS))
def test_columns_that_are_no_inputs_are_refused_by_name(columns, inputs, says):
    with pytest.raises(BadInput, match=says):
        inputs_of({"label": WHOLE, **columns}, where="FILE", inputs=inputs)
