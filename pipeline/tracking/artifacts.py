"""Where a run's artifacts lie, and whether they are as they were logged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlparse

from ..errors import BadInput
from ..runtime import files


def local_folder(artifact_uri: str) -> Path | None:
    """Return the folder of a run's artifacts on this machine; None where a server keeps them."""
    return Path(unquote(urlparse(artifact_uri).path)) if artifact_uri.startswith("file:") else None


def shown_folder(artifact_uri: str) -> str:
    """Return the folder as text, relative to the working directory if it is below it; empty if a server keeps it."""
    path = local_folder(artifact_uri)
    if path is None:
        return ""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def listed(folder: Path, *, most: int) -> str:
    """Return the value of the tag ``artifacts``: JSON of each file's size (bytes) and checksum, by name.

    Parameters
    ----------
    folder : Path
        Holds the files; it need not exist.
    most : int
        The characters that a tag may have. If the list is longer, the checksums are left out, and then the files but
        for the tables.
    """
    paths = sorted(folder.glob("*"))
    sizes: dict[str, int] = {path.name: path.stat().st_size for path in paths}
    texts = [
        json.dumps({path.name: [sizes[path.name], files.checksum(path)] for path in paths}),
        json.dumps(sizes),
        json.dumps({name: size for name, size in sizes.items() if name.endswith(".parquet")}),
    ]
    return next((text for text in texts if len(text) <= most), "{}")


def is_complete(artifact_uri: str, tags: Mapping[str, str]) -> bool:
    """Return whether every file that the run's tag ``artifacts`` lists has the size and the checksum that it had.

    Artifacts that a server keeps count as complete.

    Raises
    ------
    BadInput
        If the folder of all runs' artifacts cannot be reached.
    """
    folder = local_folder(artifact_uri)
    if folder is None:
        return True
    if not folder.parent.parent.is_dir():
        raise BadInput(
            f"the runs' artifacts must be within reach; found no folder {folder.parent.parent}: mount it; or, "
            "if it was deleted, make it again, empty, and runs that are asked for are carried out again; or let "
            "tracking.uri name a server, which keeps them for all hosts"
        )
    try:
        kept = json.loads(tags.get("artifacts", "{}"))
    except ValueError:
        # Earlier versions let MLflow cut a long list short.
        return True
    return all(_is_as_listed(folder / name, found) for name, found in kept.items())


def _is_as_listed(path: Path, kept: int | list[int]) -> bool:
    """Compare a file with its size, or with its size and checksum; earlier versions listed sizes alone."""
    size, *checksum = [kept] if isinstance(kept, int) else kept
    try:
        if not path.is_file() or path.stat().st_size != size:
            return False
        return not checksum or files.checksum(path) == checksum[0]
    except OSError:
        # A disk that cannot read a block.
        return False
