"""What the rows of a gate can show at all, and what its verdict assumes of rows that are not among them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy

from ...estimation.bounded_gain import BoundedGain
from ...estimation.evidence import Gain
from ...estimation.mean_gain import MeanGain
from ...estimation.paired import Question, n_for_power
from ...estimation.unseen import rarest
from ...estimation.verdict import smallest_effect
from ...records.verdict import BETTER, UNDECIDED, WORSE


def resolution(gain: Gain, margin: float, significance: float, power: float, *, is_share: bool) -> tuple[float, float]:
    """Return the smallest true difference that the rows show with the power, and the rows that show the margin.

    Parameters
    ----------
    gain : Gain
    margin : float
        At least 0, in the metric's own unit.
    significance, power : float
        Of the metric alone.
    is_share : bool
        Whether the metric is a share.
    """
    if isinstance(gain, BoundedGain):
        return _of_bets(gain, margin, significance, power)
    # Where no row differs, or there is but one, at most one row of n is taken to differ by 1 (a share) or by anything.
    variance = float(gain.variance[0])
    if gain.n < 2:
        variance = math.inf
    elif variance == 0 and is_share:
        variance = 1 / gain.n
    unseen = float(np.max(gain.unseen)) if isinstance(gain, MeanGain) else 0.0

    def effect(n: float) -> float:
        return smallest_effect(variance, n, power=power, error=significance / 2, unseen=unseen)

    needed = n_for_power(margin, variance, Question(power=power, significance=significance))
    if unseen and math.isfinite(needed):
        needed = _fewest(lambda n: effect(n) <= margin, needed)
    bias = max(gain.slack) if isinstance(gain, MeanGain) else 0.0
    return effect(gain.n) + bias, needed


def assumptions(gain: Gain, margin: float, code: int, errors: tuple[float, float]) -> dict[str, Any]:
    """Return what a verdict assumes, as fields of a `Finding`.

    Parameters
    ----------
    gain : Gain
    margin : float
    code : int
        The verdict.
    errors : (float, float)
        Of the lower and of the upper end of the gain.
    """
    if isinstance(gain, BoundedGain):
        return {"bound": gain.reach, "cut": gain.cut}
    if not isinstance(gain, MeanGain) or gain.n < 2 or not np.any(gain.unseen):
        return {}
    above = gain.room(0.0 if code == BETTER else -margin, errors[0], is_above=True)
    below = gain.room(-margin, errors[1], is_above=False)
    is_below = code == WORSE or (code == UNDECIDED and below > above)
    room, error = (below, errors[1]) if is_below else (above, errors[0])
    return {"unseen": float(np.max(gain.unseen)), "room": room, "rarest": rarest(gain.n, error)}


def _of_bets(gain: BoundedGain, margin: float, significance: float, power: float) -> tuple[float, float]:
    """The further end's distance takes the place of z σ/√n; and as 1/√n falls the effect with the rows."""
    low, high = gain.ends(significance / 2, significance / 2)
    value = float(gain.value[0])
    spread = math.sqrt(float(gain.variance[0]) / gain.n)
    effect = max(value - low, high - value) + float(scipy.special.ndtri(power)) * spread
    return effect, math.ceil(gain.n * (effect / margin) ** 2) if margin else math.inf


def _fewest(suffices: Callable[[float], bool], few: float) -> float:
    """Return the fewest rows that suffice, at least `few`; more rows suffice all the more."""
    if suffices(few):
        return few
    many = 2 * few
    while not suffices(many):
        few, many = many, 2 * many
    while many - few > 1:
        middle = float((few + many) // 2)
        few, many = (few, middle) if suffices(middle) else (middle, many)
    return many
