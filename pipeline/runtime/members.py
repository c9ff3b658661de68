"""The table of a family's parts, which imports a part when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any


class Members(Mapping[str, type[Any]]):
    """A family's parts by name. A run takes one of each family, so the modules of the others are not imported.

    Parameters
    ----------
    package : str
        The family's package. The part NAME is in its module NAME.
    classes : dict of str to str
        The class's name by the part's name.
    """

    def __init__(self, package: str, classes: dict[str, str]) -> None:
        self._package, self._classes = package, classes

    def __getitem__(self, name: str) -> type[Any]:
        """Return the class of a part."""
        written = self._classes[name]
        made: type[Any] = getattr(import_module(f"{self._package}.{name}"), written)
        return made

    def __iter__(self) -> Iterator[str]:
        """Go through the names, in the order of the table."""
        return iter(self._classes)

    def __len__(self) -> int:
        """How many parts there are."""
        return len(self._classes)
