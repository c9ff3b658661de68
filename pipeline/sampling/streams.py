"""The random streams of the package: what random numbers are drawn for, and the entropy that gives each its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Stream:
    """A use of random numbers.

    Attributes
    ----------
    purpose : str
        What its numbers decide.
    words : tuple of str or int
        The words of entropy that follow the seed: a number is fixed, a name is given to `generator`.
    spawn_key : tuple of int
        The spawn key of the ``SeedSequence``; empty for most.
    """

    purpose: str
    words: tuple[str | int, ...]
    spawn_key: tuple[int, ...] = ()

    @cached_property
    def names(self) -> frozenset[str]:
        """The words that `generator` is given."""
        return frozenset(word for word in self.words if isinstance(word, str))


# Figures depend on these words: a change of one changes every figure that comes from its stream. A stream may share
# another's numbers only where tests/sampling/test_streams.py gives the reason why that does no harm.
DRAW = Stream("the units of one draw's batch", ("batch_size", "draw"))
EPOCH = Stream("the order of the units in one pass of sampling=epoch", ("batch_size", "number"))
PILOT = Stream("the units of the pilot of sampling=stratified", (), spawn_key=(0,))
# Draws are numbered from 0; 2³¹ is more than any run draws.
SHUFFLE = Stream("the order of the units within a batch, the same for every draw", ("batch_size", 1 << 31))
RESAMPLES = Stream("how often a bootstrap resample holds each place of a (stratum's) batch", ("n", "stratum"))
# A batch holds at least one unit, so a second word of 0 belongs to no draw.
EVALUATION_ORDER = Stream("the order in which study=until evaluates the units", (0, 2))
GATE_ORDER = Stream("the order in which study=gate evaluates the rows as needed", (0, 3))
GRADIENT_BLOCKS = Stream("the blocks of rows whose gradients study=gradient_noise takes", (0, 0))
BATTERY = Stream(
    "the populations, place 1 …, of study=battery (n = 1) and their batches of n rows", (0, 4, "place", "n")
)
ORDERS = Stream("the random orders that study=designs holds a systematic sample's order against", (0, 5))
LABELS = Stream("the rows that study=label chooses in a round, numbered from 1", (0, 6, "number"))
PILOTS = Stream("the seeds of the pilots, and of their draws, over which study=designs judges a design", (0, 7))
DIRECTION = Stream("the weights of a random direction", (0, "index"))
FIRST_WEIGHTS = Stream("the weights from which study=train starts", (0, 0))
TRAINING_ORDER = Stream("the order of the rows in study=train", ("batch_size", 0))
# A spawn key of its own: shared with no other stream.
REDRAWS = Stream("the rows that study=gate draws anew, to see how often it errs", ("check",), spawn_key=(1,))
MODEL = Stream("the first weights of model=mlp, then the order of its rows in every epoch", ())


def seed_sequence(stream: Stream, seed: int, **at: int) -> np.random.SeedSequence:
    """Return the seed sequence of a stream.

    Parameters
    ----------
    stream : Stream
        What the numbers are for.
    seed : int
        At least 0. One of 2³² or more takes two words.
    **at : int
        A value, at least 0, for each name in the stream's words.

    Raises
    ------
    TypeError
        If a name has no value, or a value has no name.
    """
    if at.keys() != stream.names:
        needed = ", ".join(sorted(stream.names)) or "none"
        raise TypeError(f"the stream of {stream.purpose} must be given these words and no others: {needed}")
    words = tuple(at[word] if isinstance(word, str) else word for word in stream.words)
    return np.random.SeedSequence((seed, *words), spawn_key=stream.spawn_key)


def generator(stream: Stream, seed: int, **at: int) -> np.random.Generator:
    """Return the generator of a stream, the same whatever the launcher, the block size or the order of the cells.

    Parameters and errors are those of `seed_sequence`.
    """
    return np.random.Generator(np.random.PCG64(seed_sequence(stream, seed, **at)))
