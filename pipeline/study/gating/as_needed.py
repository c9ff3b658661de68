"""Rows in random order, block by block, and the verdict asked after each, until there is one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...estimation.gain import sign_of
from ...estimation.multiple_tests import holm
from ...estimation.sequential_pair import SequentialGain
from ...estimation.verdict import Verdicts, decide
from ...metric.base import Metric
from ...records.rows import IntArray
from ...records.verdict import UNDECIDED, Finding, Stop
from ..pool import look_counts
from .findings import Columns, plain_findings

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

# A look comes no sooner than at this multiple of the rows of the last: no more than so many rows are evaluated in vain.
_GROWTH = 1.05
# Looks of the table and the picture; the interval of each is found by trying values.
_MOST_SHOWN = 60


@dataclass(frozen=True)
class Request:
    """What is asked of a gate that evaluates as few rows as needed.

    Attributes
    ----------
    metrics : mapping of str to Metric
        In the order asked for.
    margins : mapping of str to float
    ranges : mapping of str to float
        R by metric: differences are cut to [-R, R]; 1 for a share.
    confidence : float
    block : int
        Rows of the first look, and the fewest from one look to the next.
    size : int
        N, the rows that there are.
    is_world : bool
        Whether the verdict is about the world that the rows are a random sample of, and not about the rows.
    """

    metrics: Mapping[str, Metric]
    margins: Mapping[str, float]
    ranges: Mapping[str, float]
    confidence: float
    block: int
    size: int
    is_world: bool


def range_of(metric: Metric, loss_range: float | None) -> float:
    """Return the R of a metric.

    Raises
    ------
    BadInput
        If its values have no bound, or the loss's range is not set.
    """
    if metric.takes_loss_cap:
        if loss_range is None:
            raise BadInput(
                "study.loss_range must say how far a row's loss may move, in nats, for study.rows=as_needed promises "
                "nothing about differences without a bound; found null: set it, such as study.loss_range=2, or leave "
                f"{metric.column} out of study.on"
            )
        return loss_range
    if math.isinf(metric.most - metric.least):
        raise BadInput(
            f"study.rows=as_needed must have metrics whose values have bounds; found {metric.column}, which has none: "
            "leave it out of study.on, or choose study.rows=all"
        )
    return metric.most - metric.least


class Watch:
    """The rows evaluated so far, what they say, and how often they were asked.

    Parameters
    ----------
    asked : Request
        What is asked.
    most : int
        Rows that may be evaluated.
    """

    def __init__(self, asked: Request, most: int) -> None:
        self._asked, self._most = asked, most
        error = (1 - asked.confidence) / 2 / len(asked.metrics)
        self._gains = {
            name: SequentialGain(
                asked.margins[name],
                most,
                error,
                reach=asked.ranges[name],
                size=None if asked.is_world else asked.size,
                is_share=metric.is_share,
            )
            for name, metric in asked.metrics.items()
        }
        self._blocks: dict[str, list[Columns]] = {name: [] for name in asked.metrics}
        self.codes: list[list[int]] = []
        self.looks: list[int] = []
        self.verdicts: Verdicts

    def until_decided(
        self, order: IntArray, score: Callable[[IntArray], Mapping[str, Columns]], show: Callable[[str], None]
    ) -> None:
        """Evaluate rows in an order until there is a verdict, or no row is left.

        Parameters
        ----------
        order : ndarray of int, shape (n,)
            The rows.
        score : callable
            From some rows to both models' values of every metric.
        show : callable
            Takes a line after each look.
        """
        done = 0
        for n in look_counts(len(order), block=self._asked.block, growth=_GROWTH):
            self._take(score(order[done:n]))
            done = n
            show(f"{n:,} of {len(order):,} rows")
            if self.is_decided:
                break

    def _take(self, columns: Mapping[str, Columns]) -> None:
        for name, (before, after) in columns.items():
            differences = after.astype(np.float64) - before.astype(np.float64)
            self._gains[name].take(sign_of(self._asked.metrics[name]) * differences[None])
            self._blocks[name].append((before, after))
        asked = self._asked
        self.verdicts = decide(list(self._gains.values()), list(asked.margins.values()), asked.confidence)
        self.codes.append(self.verdicts.codes[:, 0].tolist())
        self.looks.append(next(iter(self._gains.values())).n)

    @property
    def is_decided(self) -> bool:
        """Whether the worst of the metrics' verdicts is another than undecided."""
        return int(self.verdicts.overall[0]) != UNDECIDED

    @property
    def is_exact(self) -> bool:
        """Whether all rows that the verdict is about are evaluated, so that nothing is left to chance."""
        return not self._asked.is_world and self.looks[-1] == self._asked.size

    @property
    def stop(self) -> Stop:
        """Where it stopped."""
        bounded = {name: gain for name, gain in self._gains.items() if self._asked.metrics[name].takes_loss_cap}
        return Stop(
            n=self.looks[-1],
            of=self._asked.size,
            most=self._most,
            looks=len(self.looks),
            ranges={name: gain.reach for name, gain in bounded.items()},
            cut={name: gain.cut for name, gain in bounded.items()},
            is_world=self._asked.is_world,
        )

    def findings(self) -> tuple[Finding, ...]:
        """Return what was found of each metric at the last look."""
        columns = {name: self._columns(name) for name in self._blocks}
        asked = self._asked
        found = list(plain_findings(columns, asked.metrics, asked.margins))
        if self.is_exact:
            return tuple(found)
        p = [gain.p(0.0) for gain in self._gains.values()]
        for place, (name, adjusted) in enumerate(zip(self._gains, holm(p), strict=True)):
            difference, low, high = (float(ends[-1]) for ends in self._paths[place])
            errors = self._errors(place)
            levels = [1 - 2 * error for error in errors][:: int(sign_of(asked.metrics[name]))]
            found[place] = replace(
                found[place],
                code=self.codes[-1][place],
                difference=difference,
                low=low,
                high=high,
                level_low=levels[0],
                level_high=levels[1],
                p=p[place],
                p_holm=float(adjusted),
                p_margin=self._gains[name].p(-asked.margins[name]),
                more=self._more(place),
                effect=math.nan,
                needed=math.nan,
                method="betting on the rows in random order, valid at every look",
            )
        return tuple(found)

    def frame(self) -> pd.DataFrame:
        """Return a row a look, as ``looks.csv`` has it: rows, and each metric's difference, interval and verdict."""
        import pandas as pd

        shown = self._shown()
        found: dict[str, object] = {"n": shown}
        for place, name in enumerate(self._gains):
            difference, low, high = (ends.copy() for ends in self._paths[place])
            if self.is_exact:
                before, after = self._columns(name)
                exact = float(after.mean(dtype=np.float64) - before.mean(dtype=np.float64))
                difference[-1] = low[-1] = high[-1] = exact
            codes = [self.codes[self.looks.index(n)][place] for n in shown]
            found |= {name: difference, f"{name}_low": low, f"{name}_high": high, f"{name}_verdict": codes}
        return pd.DataFrame(found)

    def _columns(self, name: str) -> Columns:
        before, after = (np.concatenate(parts) for parts in zip(*self._blocks[name], strict=True))
        return before, after

    def _shown(self) -> list[int]:
        """Some of the looks evenly, and all at which a metric's verdict was another than before."""
        step = math.ceil(len(self.looks) / _MOST_SHOWN)
        even = set(self.looks[::-step])
        turns = {n for n, now, before in zip(self.looks[1:], self.codes[1:], self.codes, strict=False) if now != before}
        return sorted(even | turns)

    def _errors(self, place: int) -> tuple[float, float]:
        return float(self.verdicts.error_low[place, 0]), float(self.verdicts.error_high[place, 0])

    @cached_property
    def _paths(self) -> list[tuple[Floats, Floats, Floats]]:
        """Of each metric the differences at the looks that are shown, and their intervals."""
        found = []
        for place, (name, gain) in enumerate(self._gains.items()):
            mean, low, high = gain.path(self._shown(), *self._errors(place))
            found.append((mean, low, high) if sign_of(self._asked.metrics[name]) > 0 else (-mean, -high, -low))
        return found

    def _more(self, place: int) -> float:
        """Rows that are missing for a verdict; of rows that are all that is asked about, no more than are left."""
        if self.codes[-1][place] != UNDECIDED:
            return 0.0
        gain = list(self._gains.values())[place]
        needed = gain.rows_to_decide(*self._errors(place))
        return (needed if self._asked.is_world else min(needed, self._asked.size)) - gain.n
