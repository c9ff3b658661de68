"""The package's messages, said to someone who calls a function instead of giving options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import BadInput

# Options of the command line that are arguments here; a file may be called data.parquet.
_ARGUMENTS = "classes|correct|group|label|logits|loss_cap|loss|masked|on|probabilities|weight"
_OPTION = re.compile(rf"\b(?:data|study|study\.margin)\.({_ARGUMENTS})\b(?!\.)")


@contextmanager
def in_python() -> Iterator[None]:
    """Name arguments instead of options in the message of a `BadInput`: ``classes`` for ``data.classes``."""
    try:
        yield
    except BadInput as error:
        said = _OPTION.sub(r"\1", str(error).replace("interval.loss.cap", "loss_cap"))
        if said == str(error):
            raise
        raise BadInput(said) from error
