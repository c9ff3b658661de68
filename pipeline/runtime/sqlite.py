"""Addresses of SQLite files: ``sqlite:///`` and the path as it is, and the form in which SQLAlchemy takes any path."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

_PREFIX = "sqlite:///"
# SQLAlchemy takes what follows `?` for options, and decodes `%20`.
_MEANS_SOMETHING = ("?", "%")


def path_of(uri: str) -> Path | None:
    """Return the file that an address names; None for another kind of store."""
    return Path(uri.removeprefix(_PREFIX)) if uri.startswith(_PREFIX) else None


def address_of(path: Path) -> str:
    """Return a file's address in the form that MLflow and SQLAlchemy take.

    A path with ``?`` or ``%`` is quoted, and the driver is named: MLflow makes the folder of an address that begins
    with ``sqlite:///`` without decoding it, and would leave a folder of another name.

    Examples
    --------
    >>> address_of(Path("/a b#c/x.db")), address_of(Path("/a?b/x.db"))
    ('sqlite:////a b#c/x.db', 'sqlite+pysqlite:////a%3Fb/x.db')
    """
    if not any(mark in str(path) for mark in _MEANS_SOMETHING):
        return f"{_PREFIX}{path}"
    return f"sqlite+pysqlite:///{quote(str(path))}"
