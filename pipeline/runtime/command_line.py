"""The command line that this process carries out, written so that a person can repeat it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from . import files
from .redact import without_secret

_given: tuple[str | None, tuple[str, ...]] | None = None


def remember(name: str | None, arguments: Sequence[str]) -> None:
    """Keep a command's name, None where there is none, and its arguments."""
    global _given
    _given = (name, tuple(arguments))


@contextmanager
def instead(name: str | None, arguments: Sequence[str]) -> Iterator[None]:
    """Keep another command line for as long as the block runs: that of one cell of a sweep."""
    global _given
    before = _given
    remember(name, arguments)
    try:
        yield
    finally:
        _given = before


def shown() -> str:
    """Return the command line without secrets; empty where the process was started in another way.

    Arguments that a shell would read in another way are quoted. Those are not written as make's ``ARGS``, which would
    need quotes inside of quotes.
    """
    if _given is None:
        return ""
    name, arguments = _given
    plain = [without_secret(argument) for argument in arguments]
    quoted = [shlex.quote(argument) for argument in plain]
    if name is not None and (quoted == plain or files.checkout() is None):
        return files.command(name, " ".join(quoted))
    program = "batchscope" if files.checkout() is None else "python -m pipeline"
    return " ".join([program, *([name] if name else []), *quoted])
