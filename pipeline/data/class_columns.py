"""Find the columns that hold a number for each class: a list column, numbered columns, or columns named by class."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..errors import BadInput, brief
from .columns import columns_named, listed
from .formats.base import Column

# The default names of each kind of prediction: of a list column, or of numbered columns without their number.
_DEFAULT_NAMES = {"logits": ("logits", "logit"), "probabilities": ("probabilities", "probability")}


def prediction_columns(
    columns: Mapping[str, Column],
    gives: str,
    named: str | None,
    where: str,
    classes: Sequence[str] | None,
    *,
    has_texts: bool,
) -> tuple[str, tuple[str, ...]]:
    """Return the stem and the columns of logits or probabilities; no column if there are none.

    Parameters
    ----------
    columns : mapping of str to Column
        The columns of the table, by name.
    gives : str
        ``logits`` or ``probabilities``.
    named : str or None
        The configured column or stem; None looks for the default names.
    where : str
        The name of the table, for messages.
    classes : sequence of str or None
        The names of the classes in order.
    has_texts : bool
        Whether the labels are text.

    Raises
    ------
    BadInput
        If a configured one is not there, or a class has no column.
    """
    names = _DEFAULT_NAMES[gives] if named is None else (named,)
    for name in names:
        found = _columns_of_classes(columns, name, where, classes, has_texts=has_texts)
        # One column of a default name's stem may be anything: logit_scale.
        is_found = len(found) > 1 or found in ((name,), (f"{name}_0",)) or (found and named is not None)
        if is_found:
            return name, found
    if named is not None:
        raise BadInput(
            f"data.{gives}={named} must be a column of {where}, or the stem of {named}_0, {named}_1 …; found the "
            f"columns {listed(columns)}: name another"
        )
    return "", ()


def _columns_of_classes(
    columns: Mapping[str, Column], name: str, where: str, classes: Sequence[str] | None, *, has_texts: bool
) -> tuple[str, ...]:
    """Return the column of a name, or one column a class: by number, or by the names of classes."""
    if name in columns:
        return (name,)
    named = {column.removeprefix(f"{name}_"): column for column in columns if column.startswith(f"{name}_")}
    # Beside labels of text, numbers that do not count from 0 are names, such as 1 to 5 stars.
    if has_texts and classes is None and len(named) > 1 and not _are_numbered(named):
        return tuple(named.values())
    if classes is not None and set(classes) <= set(named):
        return tuple(named[each] for each in classes)
    if len(named) < 2 or all(each.isdecimal() for each in named) or _are_numbered(named):
        return columns_named(columns, name, where) or tuple(named.values())
    if classes is not None:
        missing = next(each for each in classes if each not in named)
        raise BadInput(
            f"{where} must have a column {name}_CLASS for each of data.classes; found no "
            f"{brief(name + '_' + missing)}: name the columns or the classes so"
        )
    return tuple(named.values())


def _are_numbered(named: Mapping[str, str]) -> bool:
    """Whether some columns are numbered from 0; others that begin alike are then further columns."""
    numbers = sorted(int(each) for each in named if re.fullmatch(r"\d{1,7}", each))
    return len(numbers) > 1 and numbers == list(range(len(numbers)))
