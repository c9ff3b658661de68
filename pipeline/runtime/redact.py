"""Removal of secrets from what is shown: passwords in addresses, and values taken from the environment."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

# A parameter in an address's query whose name says that its value is a secret.
SECRET = re.compile(r"(?i)([?&;][\w.-]*(?:key|passw|pwd|secret|token|sig|credential)[\w.-]*=)[^&;\s'\"]*")


def without_secret(uri: str) -> str:
    """Return the text without secrets.

    User, password and secrets in the queries of its addresses become ``***``, and values that the configuration took
    from the environment the names of their variables.
    """
    shown = re.sub(r"://\S*@", "://***@", uri)
    shown = SECRET.sub(r"\1***", shown)
    for found in _hidden.values():
        shown = _without(found.read, shown, _SHORTEST)
    return shown


@dataclass(frozen=True)
class FromEnvironment:
    """A configured value that was read from the environment.

    Attributes
    ----------
    key : str
        Of the configuration, such as ``data.path``.
    written : str
        As the configuration has it, such as ``${oc.env:DATA}/rows.csv``.
    value : object
        What it is.
    read : tuple of (str, str)
        What was read: the text that names a variable, such as ``${oc.env:DATA}``, and its value.
    """

    key: str
    written: str
    value: Any
    read: tuple[tuple[str, str], ...]

    def shown(self, value: Any) -> Any:
        """Return a value of that key without what was read; numbers and switches stay as they are."""
        if isinstance(value, str | list) and value == self.value:
            return self.written
        # What was made of it, such as the files that a pattern finds.
        if isinstance(value, list):
            return [self.shown(inner) for inner in value]
        return _without(self.read, value) if isinstance(value, str) else value


# By key and as written.
_hidden: dict[tuple[str, str], FromEnvironment] = {}
# Shorter values would be found in words that have nothing to do with them.
_SHORTEST = 6


def hide(found: Iterable[FromEnvironment]) -> None:
    """Remember which values of the configuration came from the environment."""
    _hidden.update({(each.key, each.written): each for each in found})


def as_written(tree: dict[str, Any]) -> dict[str, Any]:
    """Return a nested configuration in which text that came from the environment stands as it was written."""
    if not _hidden:
        return tree
    shown = copy.deepcopy(tree)
    for found in _hidden.values():
        *path, last = found.key.split(".")
        at: Any = shown
        for name in path:
            at = at.get(name) if isinstance(at, dict) else None
        if isinstance(at, dict) and last in at:
            at[last] = found.shown(at[last])
    return shown


def _without(read: Iterable[tuple[str, str]], text: str, shortest: int = 1) -> str:
    for name, held in read:
        text = text.replace(held, name) if len(held) >= shortest else text
    return text
