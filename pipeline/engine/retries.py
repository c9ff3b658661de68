"""Failures of shards: a failed shard is tried again, a damaged one is reported by name."""

from __future__ import annotations

import time
from collections import Counter

from ..errors import BadInput, Failed
from ..records.scores import Scores
from ..scoring.job import Job

# Seconds before each attempt: an error of a store or a disk may be gone a moment later.
_PAUSES = (0.0, 0.2, 1.0)
MOST_TRIES = len(_PAUSES)


class WorkerDied(Exception):
    """A worker process ended while it scored a shard."""


def attempt(job: Job, shard: int) -> Scores | Exception:
    """Score a shard in this process, in up to `MOST_TRIES` attempts; return its scores, or the last error.

    A `BadInput` is an error in the rows themselves, so it is returned without another attempt.
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


class Failures:
    """The shards that could not be scored, and how often a worker died at each.

    Parameters
    ----------
    total : int
        The number of shards to score, for the message.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._deaths: Counter[int] = Counter()
        self._damaged: dict[int, BadInput] = {}
        self._given_up: dict[int, BaseException] = {}

    def failed(self, shard: int, error: BaseException) -> None:
        """Record the error of a shard that is not tried again."""
        if isinstance(error, BadInput):
            self._damaged[shard] = error
        else:
            self._given_up[shard] = error

    def died(self, shard: int, found: str) -> bool:
        """Record that a worker died at a shard, and how; return whether the shard may be tried again."""
        self._deaths[shard] += 1
        if self._deaths[shard] < MOST_TRIES:
            return True
        self.failed(shard, WorkerDied(found))
        return False

    def is_last_try(self, shard: int) -> bool:
        """Return whether a shard is given up if a worker dies at it once more."""
        return self._deaths[shard] == MOST_TRIES - 1

    def raise_if_any(self) -> None:
        """Raise one error for all shards that have no scores.

        Raises
        ------
        BadInput
            If shards are damaged; it names the first, and their number.
        Failed
            If shards failed in every attempt.
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
