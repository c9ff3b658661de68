"""Rows become what a signature describes, and predictions of any kind one array."""

import numpy as np
import pandas as pd
import pytest
from mlflow.types import ColSpec, Schema, TensorSpec

from pipeline.errors import BadInput
from pipeline.model.mlflow_signature import InputConverter, array_of, names_of

ROWS = np.arange(6, dtype="f8").reshape(2, 3)


def tensor(shape, *, dtype="f4", name=None):
    return TensorSpec(np.dtype(dtype), shape, name)


def columns(*kinds, named=True):
    return Schema([ColSpec(kind, f"c{i}" if named else None) for i, kind in enumerate(kinds)])


def test_without_a_signature_rows_go_as_they_are():
    convert = InputConverter(None, "here")
    assert (convert.shape, convert.dtype) == ((-1,), "f4")
    assert convert(ROWS) is ROWS


def test_a_tensor_goes_by_its_name_where_it_has_one():
    plain, named = (InputConverter(Schema([tensor((-1, 3), name=name)]), "here") for name in (None, "x"))
    assert (plain.shape, plain.dtype) == (named.shape, named.dtype) == ((3,), "<f4")
    assert plain(ROWS) is ROWS
    assert named(ROWS)["x"] is ROWS


@pytest.mark.parametrize("named", [True, False])
def test_columns_become_a_table_of_their_names_and_types(named):
    convert = InputConverter(columns("double", "long", "boolean", named=named), "here")
    assert (convert.shape, convert.dtype) == ((3,), "f8")
    table = convert(np.array([[0.5, 2.0, 1.0]]))
    assert list(table) == (["c0", "c1", "c2"] if named else [0, 1, 2])
    assert [str(kind) for kind in table.dtypes] == ["float64", "int64", "bool"]
    assert InputConverter(columns("integer", "integer"), "here").dtype == "i4"


def test_a_column_of_whole_numbers_refuses_others():
    said = r"integer or boolean must hold whole numbers; found others: pass data\.normalize=false"
    with pytest.raises(BadInput, match=said):
        InputConverter(columns("double", "long"), "here")(np.array([[0.5, 2.5]]))


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (Schema([tensor((3, 3))]), r"here must take one tensor of numbers, shape \(-1, d\); found "),
        (Schema([tensor((-1, -1, 3))]), "here must take one tensor of numbers"),
        (Schema([tensor((-1, 3), dtype="U")]), "here must take one tensor of numbers"),
        (Schema([tensor((-1, 3), name="x"), tensor((-1, 3), name="y")]), "here must take one tensor of numbers"),
        (columns("double", "string"), "here must take columns of numbers; found string: log it with such a signature"),
    ],
)
def test_a_signature_of_anything_else_is_refused(schema, said):
    with pytest.raises(BadInput, match=said):
        InputConverter(schema, "here")


def test_the_names_of_outputs_are_read_together():
    assert names_of(columns("double", "double")) == "c0 c1"
    assert names_of(None) == ""


def test_of_several_tensors_the_first_matrix_of_floats_is_what_is_predicted():
    matrix = np.eye(2)
    assert array_of({"label": np.array([0, 1]), "prob": matrix, "more": 2 * matrix}) is matrix
    assert array_of({"label": np.array([0, 1])}).tolist() == [0, 1]
    assert array_of({}).size == 0
    assert array_of(pd.DataFrame(matrix)).tolist() == array_of([[1, 0], [0, 1]]).tolist() == matrix.tolist()
