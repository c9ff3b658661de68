"""The column ``id`` of two files of predictions where no option names one: it matches their rows, or is told of."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...data.base import Data
from ...data.formats.base import MissingValue
from ...data.predictions import Predictions
from ...errors import brief
from ...records.stored import MOST_IN_MEMORY
from ...runtime.notice import note
from .other_file import names_of

if TYPE_CHECKING:
    import pandas as pd

_COLUMN = "id"


def with_own_ids(data: Data, other: Data) -> tuple[Data, Data]:
    """Return both files with their column ``id`` named as what tells rows apart, if it names the same rows in both.

    Where the two columns differ and cannot match the rows, one line says so, and the files stay as they are. Nothing is
    looked at where an option names the ids, and above `MOST_IN_MEMORY` rows.

    Parameters
    ----------
    data, other : Data
        The first file and the other one.
    """
    import pandas as pd

    if not isinstance(data, Predictions) or not isinstance(other, Predictions) or data.id is not None:
        return data, other
    column = other.id or _COLUMN
    ours, theirs = _values(data, _COLUMN), _values(other, column)
    if ours is None or theirs is None or len(ours) != len(theirs):
        return data, other
    first, second = comparable(pd.Index(ours), pd.Index(theirs))
    differing = np.flatnonzero(first != second)
    if not len(differing):
        return data, other
    is_unique = first.is_unique and second.is_unique
    if is_unique and first.isin(second).all():
        return replace(data, id=_COLUMN), replace(other, id=column)
    row = int(differing[0])
    what = (
        "data.id=id matches them, and refuses rows that one file has alone"
        if is_unique
        else "the column names some rows twice, so it cannot match them; data.id=COLUMN names one that can"
    )
    _note_once(
        f"the column {_COLUMN} differs in {len(differing):,} of {len(ours):,} rows of "
        f"{' and '.join(names_of(data, other))}, first {brief(ours[row])} and {brief(theirs[row])} in "
        f"{data.source.where(row)}: rows are compared in their order; {what}"
    )
    return data, other


def comparable(ours: pd.Index[Any], theirs: pd.Index[Any]) -> tuple[pd.Index[Any], pd.Index[Any]]:
    """Return both files' ids as texts where one file has them as numbers and the other as texts, else as they are."""
    kinds = [own.dtype.kind in "iuf" for own in (ours, theirs)]
    return (ours.astype(str), theirs.astype(str)) if len(set(kinds)) > 1 else (ours, theirs)


def _values(data: Predictions, column: str) -> NDArray[Any] | None:
    """Return a column that can name rows; None where there is none, or a row has no value, or there are too many."""
    source = data.source
    found = source.columns.get(column)
    if found is None or found.width is not None or found.kind == "O" or len(source) > MOST_IN_MEMORY:
        return None
    try:
        return source.column(column)
    except MissingValue:
        return None


@cache
def _note_once(line: str) -> None:
    note(line)
