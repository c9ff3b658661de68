"""Block sampling: whole blocks of consecutive rows are drawn, as a cluster sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..errors import BadInput
from ..records.rows import Population
from ..records.stored import refuse_too_many
from .base import Plan, Sampling
from .frame import Frame
from .units import Units
from .without_replacement import SimplePlan


@dataclass
class Blocks(Sampling):
    """Cut the rows as stored into blocks, and draw whole blocks without replacement; ``batch_size`` counts blocks.

    The estimate is the sum over the drawn blocks divided by the total weight of their rows. Its error is that of a
    cluster sample, which stays correct where neighbouring rows are alike  [Cochran 1977, Sampling Techniques, §9A.1];
    a batch then tells less than as many rows drawn one by one. The gain is in reading: only the drawn blocks are read
    from disk, each in one piece.

    A few blocks give a poor estimate of the variance between blocks. Student's t and Hall's interval allow for that.
    Wilson's interval for the accuracy does not: its coverage was 84 % with 5 blocks, 91 % with 10 and 93 % with 30,
    where 95 % was asked for (4,000 draws from 2,000 blocks).

    Attributes
    ----------
    rows : int
        Rows in a block, at least 1; the last block may have fewer.
    """

    name: str = "blocks"
    rows: int = 1000

    has_own_units: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise BadInput(f"sampling.rows must be a whole number of at least 1; found {self.rows}")

    def units(self, dataset: Population) -> Units:
        """Return the blocks as sampling units.

        Raises
        ------
        BadInput
            If the rows belong to groups.
        """
        if dataset.groups is not None:
            raise BadInput(
                "sampling=blocks must have rows that do not belong together; found data.group, whose groups are drawn "
                "whole: leave data.group out, or choose sampling=without_replacement, which draws groups"
            )
        refuse_too_many(len(dataset) // self.rows, "sampling=blocks")
        starts = np.append(np.arange(0, len(dataset), self.rows), len(dataset))
        return Units(len(dataset), dataset.weights, starts=starts, called=f"blocks of {self.rows:,} rows")

    def plan(self, frame: Frame, batch_size: int) -> Plan:
        """Return the plan.

        Raises
        ------
        BadInput
            If the batch has more blocks than there are.
        """
        if batch_size > frame.size:
            raise BadInput(
                f"batch_size must be at most the {frame.size:,} blocks of {self.rows:,} rows; found {batch_size:,}: "
                "choose a smaller one, or smaller blocks by sampling.rows"
            )
        return BlockPlan(frame.size, batch_size, self.rows)


@dataclass(frozen=True, eq=False)
class BlockPlan(SimplePlan):
    """Each set of b blocks has the same chance to be the batch.

    Attributes
    ----------
    rows : int
        Rows in a block.
    """

    rows: int

    @property
    def words(self) -> str:
        """How the design shapes the error."""
        return f"batch_size counts blocks of {self.rows:,} rows"
