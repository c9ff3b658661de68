"""Limits on the memory and the time that a model from elsewhere takes while it is loaded and tried."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..data.base import Data
from ..errors import BadInput, brief
from ..runtime.memory import is_shortage, limited
from .external import PROBE_ROWS, FileModel

MEMORY, SECONDS = 1 << 29, 60.0
# Beside it a model may take so many times its file, for it is held twice and more while it is loaded, and so many times
# the rows that it is tried on, for what its layers hand on.
_OF_FILE, _OF_ROWS = 8, 32
_NUMBER_BYTES = 8


@dataclass
class ProgramModel(FileModel):
    """A model in a file that is a program, and so may ask for any amount of memory and time.

    Attributes
    ----------
    memory : int
        The memory in bytes that loading and trying it may take, beside 8 times its file and 32 times 256 rows of data.
    seconds : float
        The time that loading it, and giving the outputs of 256 rows of data, may take each.
    """

    memory: int = MEMORY
    seconds: float = SECONDS

    def __post_init__(self) -> None:
        super().__post_init__()
        check_memory(self.memory)
        check_seconds(self.seconds)


def check_memory(memory: int) -> None:
    """Check the option ``model.memory``.

    Raises
    ------
    BadInput
        If it is below 1.
    """
    if memory < 1:
        raise BadInput(f"model.memory must be at least 1 byte; found {memory}")


def check_seconds(seconds: float) -> None:
    """Check the option ``model.seconds``.

    Raises
    ------
    BadInput
        If it is not above 0, or not finite.
    """
    if not 0 < seconds < math.inf:
        raise BadInput(f"model.seconds must be a finite number above 0; found {seconds:g}")


@contextmanager
def bounded(memory: int, path: object, file_bytes: int, data: Data) -> Iterator[None]:
    """Load and try a model in the block, within a limit of memory.

    Parameters
    ----------
    memory : int
        ``model.memory``, in bytes.
    path : object
        The model, for the message.
    file_bytes : int
        The size of its files.
    data : Data
        The rows that it is tried on; loaded before the limit holds.

    Raises
    ------
    BadInput
        If it takes more.
    """
    probe = _NUMBER_BYTES * PROBE_ROWS * data.rows(data.split).width
    most = memory + _OF_FILE * file_bytes + _OF_ROWS * probe
    try:
        with limited(most):
            yield
    except Exception as error:
        if not is_shortage(error):
            raise
        raise BadInput(
            f"{brief(path)} must be loaded, and give the outputs of {PROBE_ROWS} rows, within {most:,} bytes of "
            "memory; found that it asks for more: raise model.memory if you trust it"
        ) from error
