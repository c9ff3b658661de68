"""Whether Hydra runs one cell or a sweep, known from the command line where that says it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hydra._internal.hydra import Hydra


@contextmanager
def mode_from(arguments: Sequence[str]) -> Iterator[None]:
    """Keep Hydra from composing everything only to read ``hydra.mode``, where ``--multirun`` is an argument.

    Hydra sets ``hydra.mode=MULTIRUN`` itself where it finds no mode and ``--multirun``.
    """
    is_said = not {"--multirun", "-m"}.isdisjoint(arguments) and not any("hydra.mode" in line for line in arguments)
    # `get_mode` is internal to hydra-core 1.3.8. It returns None where composing fails.
    composing = Hydra.get_mode
    if is_said:
        Hydra.get_mode = lambda *_, **__: None
    try:
        yield
    finally:
        Hydra.get_mode = composing
