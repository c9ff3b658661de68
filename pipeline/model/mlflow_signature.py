"""What the signature of an MLflow model says: rows as the inputs that it takes, and its predictions as one array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, brief

_COLUMNS = {"double": "f8", "float": "f4", "integer": "i4", "long": "i8", "boolean": "?"}


class InputConverter:
    """Converts rows of numbers to the inputs that a signature describes.

    Attributes
    ----------
    shape : tuple of int
        The shape of a row that it takes; (-1,) if the signature states none.
    dtype : str
        The dtype of the rows that it takes.

    Raises
    ------
    BadInput
        If the signature is not of rows of numbers.
    """

    def __init__(self, schema: Any, path: str) -> None:
        self.shape: tuple[int, ...] = (-1,)
        self.dtype = "f4"
        self._name: str | None = None
        self._types: dict[Any, str] | None = None
        if schema is None:
            return
        if schema.is_tensor_spec():
            self._take_tensor(schema, path)
        else:
            self._take_columns(schema, path)

    def _take_tensor(self, schema: Any, path: str) -> None:
        spec = schema.inputs[0]
        batch, *row = spec.shape or (0,)
        is_open = row == [-1]
        is_rows = batch == -1 and len(row) > 0 and (is_open or -1 not in row) and spec.type.kind in "fiu"
        if len(schema.inputs) != 1 or not is_rows:
            raise BadInput(
                f"{path} must take one tensor of numbers, shape (-1, d); found {brief(schema.inputs)}: log it with "
                "such a signature"
            )
        self.dtype, self.shape, self._name = spec.type.str, tuple(row), spec.name

    def _take_columns(self, schema: Any, path: str) -> None:
        types = [getattr(spec.type, "name", str(spec.type)) for spec in schema.inputs]
        strange = sorted(set(types) - set(_COLUMNS))
        if strange or not types:
            raise BadInput(
                f"{path} must take columns of numbers; found {brief(', '.join(strange)) or 'none'}: log it with such a "
                "signature"
            )
        names = schema.input_names() if schema.has_input_names() else list(range(len(types)))
        self.shape = (len(types),)
        self._types = {name: _COLUMNS[kind] for name, kind in zip(names, types, strict=True)}
        # Columns of different types are converted and checked one by one, when rows are passed.
        self.dtype = _COLUMNS[types[0]] if len(set(types)) == 1 and types[0] != "boolean" else "f8"

    def __call__(self, rows: NDArray[Any]) -> Any:
        """Return rows as the model takes them: an array, a tensor by its name, or a table.

        Raises
        ------
        BadInput
            If a column of whole numbers gets others.
        """
        if self._types is None:
            return rows if self._name is None else {self._name: rows}
        import pandas as pd

        frame = pd.DataFrame(rows, columns=list(self._types))
        typed = frame.astype({name: kind for name, kind in self._types.items() if kind != self.dtype})
        if self.dtype == "f8" and not np.array_equal(typed.to_numpy(np.float32), rows.astype(np.float32)):
            raise BadInput(
                "columns that a model's signature has as integer or boolean must hold whole numbers; found others: "
                "pass data.normalize=false if they are scaled, or log it with columns of double"
            )
        return typed


def names_of(schema: Any) -> str:
    """Return the names of a signature's outputs, joined by spaces; empty where there is none."""
    return " ".join(str(spec.name) for spec in schema.inputs) if schema is not None else ""


def array_of(predicted: Any) -> NDArray[Any]:
    """Return the predictions as one array; of several tensors, the first float matrix."""
    if isinstance(predicted, dict):
        arrays = [np.asarray(values) for values in predicted.values()]
        matrices = [values for values in arrays if values.ndim == 2 and values.dtype.kind == "f"]
        predicted = (matrices or arrays or [np.empty(0)])[0]
    if hasattr(predicted, "to_numpy"):
        return predicted.to_numpy()
    return np.asarray(predicted)
