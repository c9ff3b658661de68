"""Importance sampling: rows that a proxy holds for hard are drawn more often, and count less each time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BadInput
from pipeline.records import Batch, Frame
from pipeline.sampling.base import Plan, Sampling
from pipeline.sampling.order import require_finite
from pipeline.stored import refuse_too_many


@dataclass
class Importance(Sampling):
    """Draw with replacement with chances p = (1 - mix) · difficulty/Σ difficulty + mix/N.

    The estimate is the mean of y/(N p) over the batch, which is unbiased [Hansen & Hurwitz 1943; Cochran 1977,
    Sampling Techniques, eq. 9A.3]. For the accuracy it is errors that are counted so: rows that are right add nothing.

    Attributes
    ----------
    mix : float
        The uniform share, in (0, 1]: no row counts more than 1/mix times what it counts in a simple sample.
    """

    name: str = "importance"
    mix: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.mix <= 1:
            raise BadInput(f"sampling.mix must be above 0 and at most 1, such as 0.1; found {self.mix}")

    def plan(self, frame: Frame, batch_size: int) -> Plan:
        """Turn the proxy's difficulty into chances.

        Raises
        ------
        BadInput
            If a difficulty is negative or not finite, or all are 0; or rows do not count alike.
        """
        if not frame.is_simple:
            raise BadInput(
                "sampling=importance must have rows that count alike; found data.group or data.weight: choose "
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
        # By the largest first: a sum of numbers near to the largest float would be infinite.
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
    # Their running sum, which `numpy.random.Generator.choice` would make anew for every draw.
    _upto: NDArray[np.float64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        upto = self.chances.cumsum()
        object.__setattr__(self, "_upto", upto / upto[-1])

    @property
    def words(self) -> str:
        """How the design shapes the error."""
        return "unequal chances by proxy"

    @property
    def expansion(self) -> NDArray[np.float64]:
        """What a unit's value is multiplied by before the mean is taken: 1/(N p), at most 1/mix, shape (N,)."""
        return 1 / (self.size * self.chances)

    def draw(self, rng: np.random.Generator) -> Batch:
        """Draw one batch, as ``numpy.random.Generator.choice`` does with `p`."""
        indices = self._upto.searchsorted(rng.random(self.batch_size), side="right")
        return Batch(indices, self.chances[indices])

    def error_variance(self, values: NDArray[np.float64], metric: str) -> float:
        """Return Σ p (y/(N p) - Ȳ)²/b  [Hansen & Hurwitz 1943; Cochran 1977, Sampling Techniques, eq. 9A.4]."""
        off = values * self.expansion - values.mean()
        return float(self.chances @ off**2) / self.batch_size
