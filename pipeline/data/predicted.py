"""Rows of predictions: read from a table as its layout says, and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.layout import Layout
from pipeline.data.shards.base import Source
from pipeline.errors import BadInput
from pipeline.records import Block

# Rows and numbers of a block, at most: it stays in a core's own cache while it is turned round, checked and scored,
# and is large enough that threads seldom wait for each other's interpreter lock.
_BLOCK_ROWS = 1 << 14
_BLOCK_NUMBERS = 1 << 18


@dataclass(frozen=True, eq=False)
class Predicted:
    """Predictions in a table.

    Attributes
    ----------
    source : Source
        The table.
    layout : Layout
        Which columns are what.
    masked : bool
        Whether a logit may be -inf: a class that is held impossible.
    tolerance : float
        How far the probabilities of a row may be off from a sum of 1.
    """

    source: Source
    layout: Layout
    masked: bool = False
    tolerance: float = 1e-3

    def read(self, shard: int) -> Iterator[Block]:
        """Read a shard, checked, in blocks.

        Raises
        ------
        BadInput
            If a number is none, probabilities do not sum to 1, a label is no class, or a score none.
        """
        first = int(self.source.bounds[shard])
        step = max(1, min(_BLOCK_ROWS, _BLOCK_NUMBERS // self.layout.width))
        for arrays in self.source.read(shard, self.layout.wanted):
            rows = len(arrays[self.layout.columns[0]])
            for start in range(0, rows, step):
                block = self._block({name: found[start : start + step] for name, found in arrays.items()})
                self._check(block, _offset(self.source.where, first + start))
                yield block
            first += rows

    def _block(self, arrays: dict[str, NDArray[Any]]) -> Block:
        layout = self.layout
        found = [arrays[name] for name in layout.columns]
        labels = None if layout.label is None else arrays[layout.label].astype(np.int64, copy=False)
        if layout.gives == "scores":
            return Block(np.stack([np.asarray(column, np.float64) for column in found]).T, labels)
        if layout.is_binary:
            one = _floats(found[0])
            zero = np.zeros_like(one) if layout.gives == "logits" else 1 - one
            return Block(np.stack([zero, one]).T, labels)
        # As a view (n, k) of a contiguous (k, n), which loss and accuracy work on.
        turned = np.ascontiguousarray(found[0].T) if len(found) == 1 else np.stack(found)
        return Block(_floats(turned).T, labels)

    def _check(self, block: Block, where: Callable[[int], str]) -> None:
        if self.layout.gives == "scores":
            self._check_scores(block.inputs, where)
        elif self.layout.gives == "logits":
            self._check_finite(block.inputs, where)
        else:
            self._check_sums(block.inputs, where)
        if block.labels is not None and self.layout.n_classes:
            _check_labels(block.labels, self.layout, where)

    def _check_finite(self, logits: NDArray[Any], where: Callable[[int], str]) -> None:
        # The extremes carry a NaN or an infinity along, and take no memory.
        low, high = logits.min(), logits.max()
        if np.isfinite(high) and (np.isfinite(low) or (self.masked and low == -np.inf and _some_finite(logits))):
            return
        wrong = ~(np.isfinite(logits) | (self.masked & (logits == -np.inf)))
        if not wrong.any():
            wrong[~np.isfinite(logits).any(axis=1), 0] = True
        row, at = np.argwhere(wrong)[0]
        more = " (-inf: data.masked=true takes it for a class held impossible)" if logits[row, at] == -np.inf else ""
        raise BadInput(
            f"{self._called(int(at))} must be finite; found {logits[row, at]}{more} in {where(int(row))}: mend or "
            "remove that row"
        )

    def _check_sums(self, probabilities: NDArray[Any], where: Callable[[int], str]) -> None:
        sums = probabilities.sum(axis=1, dtype=np.float64)
        if np.abs(sums - 1).max() <= self.tolerance and probabilities.min() >= 0:
            return
        wrong = ~((probabilities >= 0) & (probabilities <= 1 + self.tolerance))
        if wrong.any():
            row, at = np.argwhere(wrong)[0]
            name = self.layout.columns[0] if self.layout.is_binary else self._called(int(at))
            value = probabilities[row, 1 if self.layout.is_binary else at]
            remedy = "mend or remove that row"
            if 2 < value <= 100:
                remedy += "; divide by 100 what is in percent"
            if np.isfinite(value) and not self.layout.is_binary:
                remedy += "; logits are named by data.logits"
            raise BadInput(f"{name} must be 0 to 1; found {value} in {where(int(row))}: {remedy}")
        row = int((np.abs(sums - 1) > self.tolerance).argmax())
        raise BadInput(
            f"the probabilities ({self._called(None)}) of a row must sum to 1 within data.tolerance="
            f"{self.tolerance:g}; found a sum of {sums[row]:.6g}, {sums[row] - 1:+.3g} off, in {where(row)}: mend that "
            "row (nothing is normalised here), or give logits"
        )

    def _check_scores(self, scores: NDArray[np.float64], where: Callable[[int], str]) -> None:
        for at, metric in enumerate(self.layout.metrics):
            column = scores[:, at]
            wrong = ~(column >= 0) if metric == "loss" else ~((column == 0) | (column == 1))
            if wrong.any():
                row = int(wrong.argmax())
                wanted = "0 nats or more" if metric == "loss" else "true or false, or 1 or 0"
                raise BadInput(
                    f"{self.layout.columns[at]} must be {wanted}; found {column[row]:g} in {where(row)}: mend or "
                    "remove that row"
                )

    def _called(self, at: int | None) -> str:
        names = self.layout.columns
        if len(names) == 1 or at is None:
            return names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"
        return names[at]


def _check_labels(labels: NDArray[np.int64], layout: Layout, where: Callable[[int], str]) -> None:
    if len(labels) and not (labels.min() >= 0 and labels.max() < layout.n_classes):
        row = int(((labels < 0) | (labels >= layout.n_classes)).argmax())
        raise BadInput(
            f"{layout.label} must be a class, 0 to {layout.n_classes - 1}; found {labels[row]} in {where(row)}: count "
            "classes from 0"
        )


def _some_finite(logits: NDArray[Any]) -> bool:
    return bool(np.isfinite(logits).any(axis=1).all())


def _floats(found: NDArray[Any]) -> NDArray[Any]:
    if found.dtype in (np.float32, np.float64):
        return found
    # Half precision is exact in single; whole numbers are not.
    return found.astype(np.float32 if found.dtype == np.float16 else np.float64)


def _offset(where: Callable[[int], str], first: int) -> Callable[[int], str]:
    return lambda row: where(first + row)
