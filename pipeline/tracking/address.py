"""The address of a store, made absolute, and the place of its artifacts."""

from __future__ import annotations

import re
from pathlib import Path

from ..runtime import files, sqlite


def resolve(uri: str) -> str:
    """Return the URI with a relative SQLite path made absolute; ``mlruns/…`` is always the project's own folder."""
    match = re.match(r"^sqlite:///(?!/)(.+)$", uri)
    if not match:
        return uri
    path = Path(match[1])
    inside = files.mlruns() / Path(*path.parts[1:]) if path.parts[0] == "mlruns" else path.resolve()
    return f"sqlite:///{inside}"


def artifacts_beside(uri: str) -> str | None:
    """Return the artifacts' address: beside a SQLite file, in ``mlruns`` for another database, None for a server."""
    if uri.startswith("http"):
        return None
    path = sqlite.path_of(uri)
    return ((files.mlruns() if path is None else path.parent) / "artifacts").as_uri()


def for_mlflow(uri: str) -> str:
    """Return a resolved URI as MLflow takes it, whatever characters the path of a SQLite file has."""
    path = sqlite.path_of(uri)
    return uri if path is None else sqlite.address_of(path)
