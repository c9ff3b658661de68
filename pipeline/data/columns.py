"""Columns of a table by their names, and what is said of those that are missing or have the wrong type."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..errors import BadInput, brief
from .formats.base import Column


def label_column(columns: Mapping[str, Column], label: str) -> str:
    """Return the name of the column of labels: ``labels`` where the default ``label`` is not there."""
    return "labels" if label == "label" and label not in columns and "labels" in columns else label


def columns_named(columns: Mapping[str, Column], name: str, where: str) -> tuple[str, ...]:
    """Return the column of a name, or the columns NAME_0 … NAME_{k-1} in order, or none.

    Raises
    ------
    BadInput
        If a number between is missing.
    """
    if name in columns:
        return (name,)
    numbered = {int(m[1]): c for c in columns if (m := re.fullmatch(re.escape(name) + r"_(\d{1,7})", c))}
    if not numbered:
        return ()
    if sorted(numbered) != list(range(len(numbered))):
        missing = next(i for i in range(len(numbered)) if i not in numbered)
        raise BadInput(f"{where} must have a column a class, from {name}_0 on; found no {name}_{missing}: name them so")
    return tuple(numbered[i] for i in range(len(numbered)))


def check_label(columns: Mapping[str, Column], label: str, where: str, *, key: str = "label") -> None:
    """Refuse a column of labels that is missing or holds no single class a row; `key` is the option that names it.

    Raises
    ------
    BadInput
        If it is so.
    """
    if label not in columns:
        raise BadInput(
            f"data.label={label} must be a column of {where}; found the columns {listed(columns)}: name the labels' "
            "with data.label=COLUMN"
        )
    column = columns[label]
    if column.width is not None or column.kind not in "iubfU":
        raise BadInput(
            f"the {key} column {brief(label)!r} of {where} must hold one class a row, as text or as a whole number; "
            f"found {brief(column.type_name)}: name another with data.{key}=COLUMN"
        )


def listed(columns: Mapping[str, Column]) -> str:
    """Write the names of the first eight columns."""
    names = [brief(name) for name in columns]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
