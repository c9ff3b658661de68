"""What the functions of the face are given must be of the kind that they say."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

from ..errors import BadInput, brief


def kind_of(value: object) -> str:
    """Name what was found, for messages.

    Examples
    --------
    >>> kind_of(None), kind_of([1]), kind_of("auc"), kind_of(0.1)
    ('None', 'a list', "the text 'auc'", '0.1')
    """
    if value is None or isinstance(value, Real):
        return str(value)
    if isinstance(value, str):
        return f"the text {brief(value)!r}"
    name = type(value).__name__.removeprefix("nd")
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def is_number(value: object) -> bool:
    """Whether it is a real number, not True or False."""
    return isinstance(value, Real) and not isinstance(value, bool)


def check_cap(loss_cap: float | None) -> None:
    """Refuse a cap that is not above 0 and finite.

    Raises
    ------
    BadInput
        If it is not.
    """
    if loss_cap is not None and not (is_number(loss_cap) and 0 < loss_cap < math.inf):
        raise BadInput(f"loss_cap must be above 0 nats and finite, such as 10, or None; found {kind_of(loss_cap)}")


def check_share(**values: float) -> None:
    """Refuse arguments that must be between 0 and 1.

    Raises
    ------
    BadInput
        If one is not.
    """
    for name, value in values.items():
        # A confidence that rounds to 1 would need an infinite quantile.
        if not is_number(value) or not 0 < value < 1 or (1 + value) / 2 == 1:
            raise BadInput(f"{name} must be between 0 and 1, such as 0.95; found {kind_of(value)}")


def check_whole(least: int, **values: object) -> None:
    """Refuse arguments that must be whole numbers of at least `least`.

    Raises
    ------
    BadInput
        If one is not.
    """
    for name, value in values.items():
        if not _is_whole(value) or value < least:  # type: ignore[operator]
            raise BadInput(f"{name} must be a whole number of at least {least}; found {kind_of(value)}")


def whole_numbers(values: object, name: str) -> list[int]:
    """Return a sequence of whole numbers as ints.

    Raises
    ------
    BadInput
        If it is none.

    Examples
    --------
    >>> whole_numbers((10, 1e2), "batch_sizes")
    [10, 100]
    """
    is_list = isinstance(values, Iterable) and not isinstance(values, str | Mapping)
    found = list(values) if isinstance(values, Iterable) and is_list else []
    wrong = next((each for each in found if not _is_whole(each)), None) if is_list else values
    if wrong is not None or None in found:
        raise BadInput(f"{name} must be a list of whole numbers, such as [10, 100]; found {kind_of(wrong)}")
    return [int(each) for each in found]


def check_names(names: object, key: str) -> None:
    """Refuse what is no sequence of names: a single text would be read letter by letter.

    Raises
    ------
    BadInput
        If it is none.
    """
    is_list = isinstance(names, Sequence | set | frozenset | Mapping) or hasattr(names, "tolist")
    if isinstance(names, str) or not is_list:
        one = [names] if isinstance(names, str) else ["loss", "accuracy"]
        raise BadInput(f"{key} must be a list of names; found {kind_of(names)}: such as {key}={one}")


def check_one_of(given: Mapping[str, Any]) -> None:
    """Refuse predictions of more than one kind, of which all but one would be left aside.

    Raises
    ------
    BadInput
        If there are such.
    """
    kinds = [key for key in ("logits", "probabilities") if given.get(key) is not None]
    further = [key for key in ("loss", "correct") if given.get(key) is not None]
    if len(kinds) > 1 or (kinds and further):
        raise BadInput(
            "predictions must be one of logits, or probabilities, or loss and correct; found "
            f"{' and '.join([*kinds, *further])}: leave the others out"
        )


def check_alike(**given: Any) -> None:
    """Refuse pandas objects whose rows have other indexes: values are taken by their position.

    Raises
    ------
    BadInput
        If two differ.
    """
    indexed = {key: value for key, value in given.items() if hasattr(getattr(value, "index", None), "equals")}
    first = next(iter(indexed), "")
    for key, value in indexed.items():
        if not value.index.equals(indexed[first].index):
            raise BadInput(
                f"{first} and {key} must have the same index, for rows go by their position; found another order or "
                f"other rows: give {key}.loc[{first}.index], or {key}.to_numpy() where the positions are right"
            )


def _is_whole(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and float(value).is_integer()
