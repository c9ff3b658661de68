"""What went wrong with shards: a damaged one is named, another is tried again."""

from __future__ import annotations

import time
from collections import Counter

from pipeline.engine.base import Job
from pipeline.errors import BadInput, Failed
from pipeline.records import Scores

# Seconds before each try: what a store or a disk refuses, it may give a moment later.
_PAUSES = (0.0, 0.2, 1.0)
MOST_TRIES = len(_PAUSES)


class WorkerDied(Exception):
    """A worker's process ended in the middle of a shard."""


def attempt(job: Job, shard: int) -> Scores | Exception:
    """Score a shard in this process, in several tries; return what came of it.

    What is wrong with the rows themselves (`BadInput`) is not tried again.
    """
    last: Exception
    for pause in _PAUSES:
        time.sleep(pause)
        try:
            return job.score(shard)
        except BadInput as error:
            return error
        except Exception as error:
            last = error
    return last


class Tries:
    """The shards that were given up, and those whose worker died.

    Parameters
    ----------
    total : int
        How many shards there are to score.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._deaths: Counter[int] = Counter()
        self._damaged: dict[int, BadInput] = {}
        self._given_up: dict[int, BaseException] = {}

    def failed(self, shard: int, error: BaseException) -> None:
        """Note what came of all tries."""
        if isinstance(error, BadInput):
            self._damaged[shard] = error
        else:
            self._given_up[shard] = error

    def died(self, shard: int, found: str) -> bool:
        """Note that a worker died at a shard; return whether the shard may be tried again."""
        self._deaths[shard] += 1
        if self._deaths[shard] < MOST_TRIES:
            return True
        self.failed(shard, WorkerDied(found))
        return False

    def raise_if_any(self) -> None:
        """Say what stayed without scores.

        Raises
        ------
        BadInput
            If shards are damaged: the first, and how many there are.
        Failed
            If shards failed in every try.
        """
        if self._damaged:
            first = self._damaged[min(self._damaged)]
            if len(self._damaged) == 1:
                raise first
            raise BadInput(
                f"{first} (the first of {len(self._damaged):,} damaged shards of {self._total:,})"
            ) from first
        if self._given_up:
            error = self._given_up[min(self._given_up)]
            raise Failed(
                f"{len(self._given_up):,} of {self._total:,} shards could not be scored in {MOST_TRIES} tries; found "
                f"{type(error).__name__}: {error}; the others are kept: start again"
            ) from error
