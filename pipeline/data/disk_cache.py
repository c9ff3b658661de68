"""Cache short texts on disk, for values that take long to compute and are needed again by other processes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from ..runtime import files


def cached_text(kind: str, key: str, make: Callable[[], str]) -> str:
    """Return the text cached under a key; if there is none, compute it and write it to the cache.

    Parameters
    ----------
    kind : str
        The folder in the cache, such as ``digests``.
    key : str
        The file's name: a digest of everything that the text depends on.
    make : callable
        Computes the text. If it raises, nothing is cached.

    Returns
    -------
    str
    """
    path = files.cache(kind) / key
    if path.is_file():
        return path.read_text(encoding="utf-8")
    text = make()
    # If the cache cannot be written to, the text is computed again the next time.
    with suppress(OSError):
        files.write_beside(path, lambda file: file.write(text.encode()))
    return text
