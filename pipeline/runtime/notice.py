"""Messages of the lower parts, which have no way to the report: one line on standard error."""

from __future__ import annotations

import sys

from .. import errors

_LONGEST = 1000
# For the terminal's other outputs.
printable = errors.printable


def note(line: str) -> None:
    """Print a message in one line on standard error; of a word of more than 1,000 characters, its ends."""
    words = [word if len(word) <= _LONGEST else f"{word[:80]}…{word[-80:]}" for word in line.split()]
    print(f"batchscope: {printable(' '.join(words))}", file=sys.stderr, flush=True)
