"""Limits in bytes on what a file becomes in memory, so that a small file cannot fill it."""

from __future__ import annotations

from ...errors import BadInput

# What may be unpacked at once unless data.max_bytes says otherwise: a record batch, the arrays of an npz file.
MOST_BYTES = 1 << 29
# The largest row, and the target for a block of rows whose size follows from their width.
MOST_OF_A_ROW = BLOCK_BYTES = 1 << 26
# Text of numbers is packed to a third, and columns of repeated values seldom to a hundredth.
MOST_EXPANSION = 100
# A number in memory takes at most so much.
NUMBER_BYTES = 8
# Blocks are cut at multiples of it, and so at ends of what a model is given at once: the cuts then change no figure.
_MODEL_ROWS = 1024


def rows_within(n_bytes: int, row_bytes: float, *, most: int) -> int:
    """Return how many rows of a given size fit into a budget: a power of two, from 1 to `most`.

    Parameters
    ----------
    n_bytes : int
        The budget.
    row_bytes : float
        The size of a row.
    most : int
        The largest number of rows, a power of two.

    Examples
    --------
    >>> rows_within(1000, 8, most=1 << 17)
    64
    """
    return min(most, 1 << max(0, int(n_bytes / max(row_bytes, 1)).bit_length() - 1))


def rows_of_a_block(row_bytes: float, *, most: int) -> int:
    """Return how many rows are handed on together: at most `most`, and about `BLOCK_BYTES`.

    At least 1,024, twice what models are given at once, unless these alone take more than `MOST_BYTES`.

    Examples
    --------
    >>> [rows_of_a_block(row_bytes, most=1 << 17) for row_bytes in (16, 1 << 17, 1 << 20)]
    [131072, 1024, 64]
    """
    found = rows_within(BLOCK_BYTES, row_bytes, most=most)
    return found if found >= _MODEL_ROWS or _MODEL_ROWS * row_bytes > MOST_BYTES else min(most, _MODEL_ROWS)


def refuse_wide_rows(row_bytes: float, where: str) -> None:
    """Refuse rows that are too large for any block.

    Raises
    ------
    BadInput
        If a row takes more than `MOST_OF_A_ROW`.
    """
    if row_bytes > MOST_OF_A_ROW:
        raise BadInput(
            f"a row of {where} must take at most {MOST_OF_A_ROW:,} bytes; found {int(row_bytes):,} declared: check "
            "what wrote the file"
        )


def refuse_expansion(unpacked: int, packed: int, most_bytes: int, where: str) -> None:
    """Refuse what unpacks to far more than it is, where that is more than may be unpacked at once.

    Parameters
    ----------
    unpacked, packed : int
        Sizes in bytes.
    most_bytes : int
        ``data.max_bytes``: up to it anything may be unpacked.
    where : str
        What is unpacked, for the message.

    Raises
    ------
    BadInput
        If it is more than `most_bytes`, and more than `MOST_EXPANSION` times as much as is packed.
    """
    if unpacked > max(most_bytes, MOST_EXPANSION * packed):
        raise BadInput(
            f"{where} must unpack to at most {MOST_EXPANSION} times its {packed:,} bytes, or to "
            f"data.max_bytes={most_bytes:,}; found {unpacked:,} bytes: get it again if it may be damaged, or raise "
            "data.max_bytes"
        )
