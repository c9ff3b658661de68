"""Whether a batch of losses knows enough of their tail for an interval to be trusted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..records.batches import Batches
from .loss.score import raw_moments

# Two rows of 5 nats, or as large as the largest ones of the batch, beside its own: the default interval's unseen rows.
_UNSEEN, _SURPRISE = 2.0, 5.0
# Limits chosen by simulation: of the draws that miss on populations on which an interval holds too little, 80 % and
# more are beyond them.
_MOST_UNSEEN, _HEAVIEST = 0.5, 2.0


def is_unreliable(batches: Batches) -> NDArray[np.bool_]:
    """Return which batches of losses know too little of the rare large ones, shape (m,).

    They are those to whose sum of squares two rows that the batch does not hold would add a third or more, so that
    they would be more than a quarter of it; and those with a heavy tail, E[l³] E[l]/E[l²]² > 2 (it is 1.5 for
    exponential losses, and grows with the rows where there are ever larger ones).

    Parameters
    ----------
    batches : Batches
        Of values that are at least 0. A batch of one row is unreliable.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        second, third = raw_moments(batches)
        safe = np.where(second > 0, second, 1.0)
        row = np.maximum(_SURPRISE * batches.most_weight, third / safe)
        added = _UNSEEN / batches.n * row**2
        known = (added <= _MOST_UNSEEN * (second + added)) & (third * batches.mean <= _HEAVIEST * safe**2)
    return ~known
