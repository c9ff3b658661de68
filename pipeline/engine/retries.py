"""What went wrong with shards: a damaged one is named, another is tried again."""

from __future__ import annotations

from pipeline.errors import BadInput, Failed

MOST_TRIES = 3


class Tries:
    """The shards that failed, and how often.

    Parameters
    ----------
    total : int
        How many shards there are to score.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._count: dict[int, int] = {}
        self._damaged: dict[int, BadInput] = {}
        self._last: dict[int, BaseException] = {}

    def may_go_on(self, shard: int) -> bool:
        """Whether a shard is to be tried (again)."""
        return shard not in self._damaged and self._count.get(shard, 0) < MOST_TRIES

    def failed(self, shard: int, error: BaseException) -> None:
        """Note a failure; what is wrong with the rows themselves is not tried again."""
        if isinstance(error, BadInput):
            self._damaged[shard] = error
        else:
            self._count[shard] = self._count.get(shard, 0) + 1
            self._last[shard] = error

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
        given_up = [shard for shard, count in self._count.items() if count >= MOST_TRIES]
        if given_up:
            error = self._last[given_up[0]]
            raise Failed(
                f"{len(given_up):,} of {self._total:,} shards could not be scored in {MOST_TRIES} tries; found "
                f"{type(error).__name__}: {error}; the others are kept: start again"
            ) from error
