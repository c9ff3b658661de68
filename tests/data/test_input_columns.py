import pytest

from pipeline.data.formats.base import Column
from pipeline.data.input_columns import inputs_of
from pipeline.errors import BadInput

NUMBER, WHOLE, TEXT = Column("f", None, "double"), Column("i", None, "int64"), Column("U", None, "text")
TRUTH, OTHER = Column("b", None, "bool"), Column("O", None, "struct<a: int64>")


def numbers(width):
    return Column("f", width, "list<float>")


def wide(stem, indices):
    return {f"{stem}_{i}": NUMBER for i in indices}


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
