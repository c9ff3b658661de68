"""Find the columns of a table that hold a model's inputs and the labels, by their names and types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import BadInput, brief
from .columns import check_label, columns_named, label_column, listed
from .formats.base import Column

_DEFAULT_INPUTS = ("inputs", "input", "x")


@dataclass(frozen=True)
class Inputs:
    """The columns of a model's inputs and of labels.

    Attributes
    ----------
    columns : tuple of str
        One list column, or one column an input in order.
    label : str
        The column of labels.
    width : int
        Inputs in a row.
    """

    columns: tuple[str, ...]
    label: str
    width: int

    @property
    def wanted(self) -> list[str]:
        """The columns to read."""
        return [*self.columns, self.label]


def inputs_of(columns: Mapping[str, Column], *, where: str, inputs: str | None = None, label: str = "label") -> Inputs:
    """Return the columns of a model's inputs and of labels, found by the given or the default names.

    Parameters
    ----------
    columns : mapping of str to Column
        The columns of the table, by name.
    where : str
        The name of the table, for messages.
    inputs : str or None
        A list column, or NAME for the columns NAME_0 …, or names separated by commas. None looks for ``inputs``,
        ``inputs_0`` …, ``input_0`` …, ``x`` and ``x_0`` ….
    label : str
        The name of the column of labels.

    Raises
    ------
    BadInput
        If there are no inputs, or a column has the wrong type.
    """
    label = label_column(columns, label)
    if inputs is not None and inputs not in columns and "," in inputs:
        found = tuple(name.strip() for name in inputs.split(","))
        missing = [name for name in found if name not in columns]
    else:
        names = _DEFAULT_INPUTS if inputs is None else (inputs,)
        found = next(filter(None, (columns_named(columns, name, where) for name in names)), ())
        missing = [] if found else [inputs or "inputs, input_0 …, x or x_0 …"]
    if missing:
        raise BadInput(
            f"data.inputs must name columns of {where}: a list, the stem of NAME_0 …, or names with commas between "
            f"them; found no {brief(missing[0])} among the columns {listed(columns)}: name others"
        )
    if label in found or len(set(found)) != len(found):
        raise BadInput(f"data.inputs must name each column once, and not the label's; found {brief(', '.join(found))}")
    for name in found:
        column = columns[name]
        if column.kind not in "fiub" or (len(found) > 1 and column.width is not None) or column.width == 0:
            raise BadInput(
                f"the column {brief(name)!r} of {where} must hold numbers; found {brief(column.type_name)}: leave "
                "it out, or give it as numbers"
            )
    check_label(columns, label, where)
    return Inputs(found, label, columns[found[0]].width or len(found))
