"""Importance sampling: rows that a proxy takes for hard are drawn more often, with a smaller weight each time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..records.batches import Batch
from ..records.stored import refuse_too_many
from .base import Plan, Sampling
from .difficulty_order import require_finite
from .frame import Frame


@dataclass
class Importance(Sampling):
    """Draw with replacement with chances p = (1 - mix) · difficulty/Σ difficulty + mix/N.

    With the weights e = 1/(N p), whose mean over all draws is 1, the estimate is the batch's mean of e y, less λ times
    what its mean of e is above 1 [Hansen & Hurwitz 1943; Cochran 1977, Sampling Techniques, eq. 9A.3; the correction by
    the weights: Owen & Zhou 2000, Safe and Effective Importance Sampling, JASA 95, 135-143]. λ is the slope of e y on
    e in the batch, as for ``sampling=difference``, so the estimate has a bias of the order 1/b. For the accuracy the
    errors are expanded so, and correct rows add nothing.

    To first order in 1/b the variance is at most σ²/(b mix), a simple random sample's over the uniform share: with the
    slope Ȳ it is Σ p e² (y - Ȳ)²/b = Σ e (y - Ȳ)²/(N b), where e is at most 1/mix, and the best slope is no worse.

    Attributes
    ----------
    mix : float
        The uniform share, in (0, 1]. No row has more than 1/mix times its weight in a simple random sample. With the
        default a proxy that is wrong costs at most a quarter more variance than a simple random sample has. A smaller
        share gains more where the proxy is right, and loses more where it is not.
    """

    name: str = "importance"
    mix: float = 0.8

    def __post_init__(self) -> None:
        if not 0 < self.mix <= 1:
            raise BadInput(f"sampling.mix must be above 0 and at most 1, such as 0.8; found {self.mix}")

    def plan(self, frame: Frame, batch_size: int) -> Plan:
        """Return the plan, with chances made from the proxy's difficulty.

        Raises
        ------
        BadInput
            If a difficulty is negative or not finite, if all are 0, or if the rows have groups or weights.
        """
        if not frame.is_simple:
            raise BadInput(
                "sampling=importance must have single rows of equal weight; found data.group or data.weight: choose "
                "sampling=stratified with sampling.by=proxy"
            )
        refuse_too_many(frame.size, "sampling=importance")
        difficulty = frame.guess().difficulty
        require_finite(difficulty)
        if difficulty.min() < 0:
            row = int((difficulty < 0).argmax())
            raise BadInput(
                f"sampling=importance must have a proxy of at least 0, for chances are made from it; found "
                f"{difficulty[row]:g} in row {row:,}: choose another proxy, or sampling.by=proxy of sampling=stratified"
            )
        most = difficulty.max()
        if most == 0:
            raise BadInput(
                "sampling=importance must have a proxy above 0 for some row; found 0 in every row: choose another proxy"
            )
        # Divided by the largest first, because a sum of numbers near the largest float would overflow.
        shares = difficulty / most
        chances = (1 - self.mix) * shares / shares.sum() + self.mix / frame.size
        return ImportancePlan(frame.size, batch_size, chances)


@dataclass(frozen=True, eq=False)
class ImportancePlan(Plan):
    """Each of the b draws is unit i with chance p_i.

    Attributes
    ----------
    chances : ndarray of float64, shape (N,)
        p, above 0; their sum is 1.
    """

    chances: NDArray[np.float64]
    # The cumulative chances, which `numpy.random.Generator.choice` would compute again for every draw.
    _cumulative: NDArray[np.float64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        cumulative = self.chances.cumsum()
        object.__setattr__(self, "_cumulative", cumulative / cumulative[-1])

    @property
    def words(self) -> str:
        """How the design shapes the error."""
        return "unequal chances by proxy"

    @property
    def expansion(self) -> NDArray[np.float64]:
        """The factor of each unit's value before the mean is taken, 1/(N p), at most 1/mix, shape (N,)."""
        return 1 / (self.size * self.chances)

    def auxiliary(self, metric: str) -> NDArray[np.float64] | None:
        """Return the expansion, whose mean over the draws is 1; None where all chances are equal."""
        return self.expansion if np.ptp(self.chances) > 1e-12 * self.chances.max() else None

    def draw(self, rng: np.random.Generator) -> Batch:
        """Draw one batch, as ``numpy.random.Generator.choice`` does with `p`."""
        return Batch(self._cumulative.searchsorted(rng.random(self.batch_size), side="right"))

    def error_variance(self, values: NDArray[np.float64], metric: str) -> float:
        """Return Σ p (e y - Ȳ - λ(e - 1))²/b with the best slope λ, to first order in 1/b  [Owen & Zhou 2000, §3]."""
        off, x = values * self.expansion - values.mean(), self.expansion - 1
        squares = float(self.chances @ x**2)
        slope = float(self.chances @ (off * x)) / squares if self.auxiliary(metric) is not None else 0.0
        return float(self.chances @ (off - slope * x) ** 2) / self.batch_size
