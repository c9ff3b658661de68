"""The names of classes, given or found in the labels; and labels of any type as class numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, brief
from ..runtime import files
from .formats.base import MissingValue
from .inputs import row_number
from .labels import MOST_CLASSES, check_range

_REMEDY = "data.classes must be a list of names such as [cat,dog], or a .json or .txt file of them"
_WHOLE = re.compile(r"-?\d{1,18}")


def given_names(classes: Any) -> list[str] | None:
    """Return the names of the classes 0 … k - 1 that are configured: None, a list, or the path of a file.

    A .json file holds a list of names, or an object of numbers to names (``id2label``) or of names to numbers; a .txt
    file holds a name a line.

    Raises
    ------
    BadInput
        If the file cannot be read, or there are fewer than two names, or two are alike.

    Examples
    --------
    >>> given_names(["cat", 7])
    ['cat', '7']
    """
    if classes is None:
        return None
    found = _from_file(Path(files.absolute(classes))) if isinstance(classes, str) else classes
    if not isinstance(found, Sequence) or not all(isinstance(name, str | int | float) for name in found):
        raise BadInput(f"{_REMEDY}; found {brief(found)}")
    names = [label_name(name) for name in found]
    if len(names) < 2 or len(set(names)) != len(names) or not all(names):
        raise BadInput(f"{_REMEDY}, at least 2 and each once; found {brief(', '.join(names)) or 'none'}")
    if len(names) > MOST_CLASSES:
        raise BadInput(f"data.classes must have at most {MOST_CLASSES:,} names; found {len(names):,}")
    return names


def check_number_of_names(names: Sequence[str] | None, n_classes: int | None) -> None:
    """Raise unless a configured number of classes is that of the configured names.

    Raises
    ------
    BadInput
        If both are given and differ.
    """
    if names is not None and n_classes not in (None, len(names)):
        raise BadInput(
            f"data.n_classes must be the number of names in data.classes; found {n_classes} and {len(names)} names: "
            "leave data.n_classes out"
        )


def _from_file(path: Path) -> Any:
    if path.suffix not in (".json", ".txt"):
        raise BadInput(f"{_REMEDY}; found {path.name!r}")
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".txt":
            return [line.strip() for line in text.splitlines() if line.strip()]
        found = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{_REMEDY}; found {path}: {brief(error)}: check the file") from error
    return _in_order(found, path) if isinstance(found, dict) else found


def _in_order(found: dict[str, Any], path: Path) -> list[Any]:
    """Return the names of a mapping between names and numbers, in either direction, by their numbers."""
    is_by_number = all(_WHOLE.fullmatch(key) for key in found)
    pairs = [(key, name) if is_by_number else (name, key) for key, name in found.items()]
    numbers = [number for number, _ in pairs]
    if sorted(map(str, numbers)) != sorted(map(str, range(len(pairs)))):
        raise BadInput(
            f"{path} must map the numbers 0 … {len(pairs) - 1} to names, or names to these numbers; found the numbers "
            f"{brief(', '.join(map(str, numbers)))}: mend it, or give a list of names"
        )
    return [name for _, name in sorted(pairs, key=lambda pair: int(pair[0]))]


def label_name(value: Any) -> str:
    """Return a label as the name of its class: whole numbers without a point, booleans as ``true`` and ``false``.

    Examples
    --------
    >>> [label_name(value) for value in ("cat", 2.0, -1, True)]
    ['cat', '2', '-1', 'true']
    """
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, float | np.floating) and value.is_integer():
        return str(int(value))
    return str(value)


def are_text(values: NDArray[Any]) -> bool:
    """Return whether the values are texts, rather than numbers or booleans."""
    return values.dtype.kind in "UOST"


def refuse_empty(values: NDArray[Any], source: str, where: Callable[[int], str]) -> None:
    """Refuse an empty text where every row must have a value: CSV has it where other formats have none.

    Raises
    ------
    MissingValue
        Naming the first such row.
    """
    if not are_text(values):
        return
    empty = np.asarray(values == "", dtype=bool)
    if empty.any():
        raise MissingValue(
            f"the column {brief(source)!r} must have a value in every row; found none in {where(int(empty.argmax()))}: "
            "fill it in, or leave that row out",
            source,
        )


def class_numbers(
    values: NDArray[Any],
    names: Sequence[str] | None,
    n_classes: int,
    *,
    source: str,
    where: Callable[[int], str] = row_number,
    remedy: str = "count classes from 0, or name the classes with data.classes=[…]",
) -> NDArray[np.int64]:
    """Return labels of any type as class numbers 0 … k - 1.

    Texts are matched to the names. Numbers are matched to the names if all names are whole numbers, and booleans if the
    names are true and false; otherwise they are class numbers already.

    Parameters
    ----------
    values : ndarray, shape (n,)
        The labels as stored.
    names : sequence of str or None
        The names of the classes.
    n_classes : int
        The number of classes k.
    source : str
        What they are, for messages: ``label``.
    where : callable
        Names a row by its index in `values`, for messages.
    remedy : str
        What the user can do about a number that is no class.

    Raises
    ------
    BadInput
        Naming the first row whose label no class has.

    Examples
    --------
    >>> class_numbers(np.array(["dog", "cat"]), ("cat", "dog"), 2, source="label")
    array([1, 0])
    """
    if names is not None and _are_matched(values, names):
        return _matched(values, names, source, where)
    if are_text(values):
        _refuse_unnamed(values, source, where)
    if values.dtype.kind == "f":
        _refuse_fractions(values, source, where)
    check_range(values, n_classes, source=source, where=where, remedy=remedy)
    return values.astype(np.int64, copy=False)


def _are_matched(values: NDArray[Any], names: Sequence[str]) -> bool:
    if values.dtype.kind == "b":
        return {name.lower() for name in names} == {"true", "false"}
    return are_text(values) or all(_WHOLE.fullmatch(name) for name in names)


def _matched(values: NDArray[Any], names: Sequence[str], source: str, where: Callable[[int], str]) -> NDArray[np.int64]:
    import pandas as pd

    known: list[Any] = list(names)
    if values.dtype.kind == "b":
        known, values = [name.lower() == "true" for name in names], values.astype(object)
    elif are_text(values):
        values = values.astype(object)
    else:
        known = [int(name) for name in names]
    found = pd.Index(known, dtype=object if values.dtype.kind == "O" else None).get_indexer(pd.Index(values))
    if (found < 0).any():
        row = int((found < 0).argmax())
        raise BadInput(
            f"{source} must hold classes ({_listed(names)}); found {brief(label_name(values[row]), most=40)!r} in "
            f"{where(row)}: mend or remove that row, or give all classes with data.classes=[…]"
        )
    return found.astype(np.int64, copy=False)


def _refuse_unnamed(values: NDArray[Any], source: str, where: Callable[[int], str]) -> None:
    raise BadInput(
        f"{source} must hold class numbers, or the classes must have names; found {brief(label_name(values[0]))!r} in "
        f"{where(0)}: give the names in order with data.classes=[…]"
    )


def _refuse_fractions(values: NDArray[Any], source: str, where: Callable[[int], str]) -> None:
    with np.errstate(invalid="ignore"):
        wrong = ~(np.isfinite(values) & (values == np.floor(values)))
    if wrong.any():
        row = int(wrong.argmax())
        raise BadInput(
            f"{source} must hold classes, as whole numbers or texts; found {values[row]} in {where(row)}: mend or "
            "remove that row"
        )


def found_names(parts: Iterable[NDArray[Any]]) -> list[str]:
    """Return the sorted distinct texts, in the order that scikit-learn gives them in ``classes_``."""
    import pandas as pd

    found: set[str] = set()
    for part in parts:
        found.update(label_name(value) for value in pd.unique(pd.Series(part.astype(object))))
        if len(found) > MOST_CLASSES:
            raise BadInput(
                f"labels must have at most {MOST_CLASSES:,} different texts; found more: name the label's column"
            )
    return sorted(found)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(brief(name, most=40) for name in names[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")
