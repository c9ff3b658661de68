"""The address of a store: made absolute, where its artifacts lie, and shown without its secrets."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline import files

# A part of an address's query that nobody else is to see.
SECRET = re.compile(r"(?i)([?&;][\w.-]*(?:key|passw|pwd|secret|token|sig|credential)[\w.-]*=)[^&;\s'\"]*")


def without_secret(uri: str) -> str:
    """The text with the user and password of an address in it, and secrets in its query, taken out."""
    shown = re.sub(r"://\S*@", "://***@", uri)
    return SECRET.sub(r"\1***", shown)


def resolve(uri: str) -> str:
    """The URI with a relative SQLite path made absolute: ``mlruns/…`` is the project's own folder, from anywhere."""
    match = re.match(r"^sqlite:///(?!/)(.+)$", uri)
    if not match:
        return uri
    path = Path(match[1])
    inside = files.mlruns() / Path(*path.parts[1:]) if path.parts[0] == "mlruns" else path.resolve()
    return f"sqlite:///{inside}"


def artifacts_beside(uri: str) -> str | None:
    """Return where artifacts go: beside a SQLite file, to ``mlruns`` with another database; None: a server decides."""
    if uri.startswith("http"):
        return None
    if not uri.startswith("sqlite:///"):
        return (files.mlruns() / "artifacts").as_uri()
    return (Path(uri.removeprefix("sqlite:///")).parent / "artifacts").as_uri()
