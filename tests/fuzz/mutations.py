"""Real files, damaged: bit flips, cuts, splices, duplicated and removed ranges, counts that lie; by a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

INTERESTING = (b"\0", b"\xff", b"\x7f", b"\x80", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80")


def mutated(content: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """Damage a file in one to four ways; `others` are files to splice with."""
    for _ in range(int(rng.integers(1, 5))):
        damage = DAMAGES[int(rng.integers(len(DAMAGES)))]
        content = damage(content, others, rng) if content else bytes(rng.integers(0, 256, 40, dtype=np.uint8))
    return content


def _place(content: bytes, rng: np.random.Generator) -> int:
    """A position; one of two lies near an end, where formats keep what they declare."""
    near = min(len(content), 200)
    kind = rng.integers(4)
    if kind == 0:
        return int(rng.integers(near))
    return len(content) - 1 - int(rng.integers(near)) if kind == 1 else int(rng.integers(len(content)))


def _range(content: bytes, rng: np.random.Generator) -> slice:
    start = _place(content, rng)
    return slice(start, start + int(rng.integers(1, 1 + max(1, min(len(content) // 2, 4 ** int(rng.integers(1, 8)))))))


def _flip(content: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 9))):
        changed[_place(content, rng)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _overwrite(content: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    start, value = _place(content, rng), INTERESTING[int(rng.integers(len(INTERESTING)))]
    return content[:start] + value + content[start + len(value) :]


def _cut(content: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    place = _place(content, rng)
    return content[:place] if rng.integers(3) else content[place:]


def _remove(content: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    gone = _range(content, rng)
    return content[: gone.start] + content[gone.stop :]


def _duplicate(content: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    again = _range(content, rng)
    return content[: again.stop] + content[again] + content[again.stop :]


def _move(content: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    moved = _range(content, rng)
    rest = content[: moved.start] + content[moved.stop :]
    place = int(rng.integers(len(rest) + 1))
    return rest[:place] + content[moved] + rest[place:]


def _splice(content: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    other = others[int(rng.integers(len(others)))]
    return content[: _place(content, rng)] + other[_place(other, rng) :]


DAMAGES: tuple[Callable[[bytes, Sequence[bytes], np.random.Generator], bytes], ...] = (
    _flip,
    _flip,
    _overwrite,
    _overwrite,
    _cut,
    _remove,
    _duplicate,
    _move,
    _splice,
)
