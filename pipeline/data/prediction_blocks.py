"""Read rows of predictions from a table by its layout, and check them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..records.probabilities import TOLERANCE, are_distributions, is_off, row_sums
from ..records.rows import Block
from .class_names import are_text, class_numbers, refuse_empty
from .formats.base import MissingValue, Source
from .layout import Layout

# The largest block, in rows and in numbers: small enough to stay in a core's cache while it is transposed, checked and
# scored, and large enough that threads seldom wait for the interpreter lock.
_BLOCK_ROWS = 1 << 14
_BLOCK_NUMBERS = 1 << 18
# Which scores are wrong, and what they must be, by metric.
_WRONG: dict[str, Callable[[NDArray[np.float64]], NDArray[np.bool_]]] = {
    "loss": lambda column: ~(column >= 0),
    "accuracy": lambda column: ~((column == 0) | (column == 1)),
    "value": lambda column: ~np.isfinite(column),
}
_LABELS_MISSING = (
    "Rows without a label are taken by study=label, and by study=compare and gate with a proxy: add proxy=scores "
    "proxy.path=FILE with a judge's labels, or proxy=entropy"
)
_WANTED = {"loss": "0 nats or more", "accuracy": "true or false, or 1 or 0", "value": "a finite number"}


@dataclass(frozen=True, eq=False)
class PredictionBlocks:
    """Reads a table as blocks of checked predictions.

    Attributes
    ----------
    source : Source
        The table.
    layout : Layout
        Its columns of predictions and labels.
    masked : bool
        Whether a logit may be -inf, which gives its class the probability 0.
    tolerance : float
        How far the sum of the probabilities of a row may be from 1.
    """

    source: Source
    layout: Layout
    masked: bool = False
    tolerance: float = TOLERANCE

    def read(self, shard: int) -> Iterator[Block]:
        """Yield the checked rows of a shard in blocks.

        Raises
        ------
        BadInput
            If a logit is not finite, probabilities do not sum to 1, a label is not a class, or a score is not valid.
        """
        try:
            yield from self._blocks(shard)
        except MissingValue as error:
            if error.column != self.layout.label:
                raise
            raise MissingValue(f"{error}. {_LABELS_MISSING}", error.column) from error

    def _blocks(self, shard: int) -> Iterator[Block]:
        first = int(self.source.bounds[shard])
        step = max(1, min(_BLOCK_ROWS, _BLOCK_NUMBERS // self.layout.width))
        for arrays in self.source.read(shard, self.layout.wanted):
            rows = len(arrays[self.layout.columns[0]])
            for start in range(0, rows, step):
                where = self.source.where_from(first + start)
                block = self._block({name: found[start : start + step] for name, found in arrays.items()}, where)
                self._check(block, where)
                yield block
            first += rows

    def _block(self, arrays: dict[str, NDArray[Any]], where: Callable[[int], str]) -> Block:
        layout = self.layout
        found = [arrays[name] for name in layout.columns]
        labels = None if layout.label is None else class_labels(layout, arrays[layout.label], where)
        if layout.gives == "labels":
            return Block(_numbers(layout, found[0], layout.columns[0], where)[:, np.newaxis], labels)
        if layout.gives == "scores":
            return Block(np.stack([np.asarray(column, np.float64) for column in found]).T, labels)
        if layout.is_binary:
            one = _as_floats(found[0])
            # NumPy warns of a signalling NaN, which a file may hold; the check of the block names its row.
            with np.errstate(invalid="ignore"):
                zero = np.zeros_like(one) if layout.gives == "logits" else 1 - one
            return Block(np.stack([zero, one]).T, labels)
        # A view (n, k) of a contiguous (k, n), because loss and accuracy reduce faster along the long axis.
        by_class = np.ascontiguousarray(found[0].T) if len(found) == 1 else np.stack(found)
        return Block(_as_floats(by_class).T, labels)

    def _check(self, block: Block, where: Callable[[int], str]) -> None:
        if self.layout.gives == "labels":
            return
        if self.layout.gives == "scores":
            self._check_scores(block.inputs, where)
        elif self.layout.gives == "logits":
            self._check_finite(block.inputs, where)
        else:
            self._check_sums(block.inputs, where)

    def _check_finite(self, logits: NDArray[Any], where: Callable[[int], str]) -> None:
        # A NaN or an infinity shows in the extremes, which take no memory.
        low, high = logits.min(), logits.max()
        if np.isfinite(high) and (
            np.isfinite(low) or (self.masked and low == -np.inf and _has_finite_in_each_row(logits))
        ):
            return
        wrong = ~(np.isfinite(logits) | (self.masked & (logits == -np.inf)))
        if not wrong.any():
            wrong[~np.isfinite(logits).any(axis=1), 0] = True
        row, at = np.argwhere(wrong)[0]
        more = " (-inf: data.masked=true allows it for an impossible class)" if logits[row, at] == -np.inf else ""
        raise BadInput(
            f"{self._column_name(int(at))} must be finite; found {logits[row, at]}{more} in {where(int(row))}: mend or "
            "remove that row"
        )

    def _check_sums(self, probabilities: NDArray[Any], where: Callable[[int], str]) -> None:
        if are_distributions(probabilities, self.tolerance):
            return
        wrong = ~((probabilities >= 0) & (probabilities <= 1 + self.tolerance))
        if wrong.any():
            row, at = np.argwhere(wrong)[0]
            name = self.layout.columns[0] if self.layout.is_binary else self._column_name(int(at))
            value = probabilities[row, 1 if self.layout.is_binary else at]
            remedy = "mend or remove that row"
            if 2 < value <= 100:
                remedy += "; divide percentages by 100"
            if np.isfinite(value) and not self.layout.is_binary:
                remedy += "; name a column of logits with data.logits"
            raise BadInput(f"{name} must be 0 to 1; found {value} in {where(int(row))}: {remedy}")
        sums = row_sums(probabilities)
        row = int(is_off(sums, self.tolerance).argmax())
        raise BadInput(
            f"the probabilities ({self._column_name(None)}) of a row must sum to 1 within data.tolerance="
            f"{self.tolerance:g}; found a sum of {sums[row]:.6g}, {sums[row] - 1:+.3g} off, in {where(row)}: mend that "
            "row (nothing is normalised here), or give logits"
        )

    def _check_scores(self, scores: NDArray[np.float64], where: Callable[[int], str]) -> None:
        for at, metric in enumerate(self.layout.metrics):
            column = scores[:, at]
            wrong = _WRONG[metric](column)
            if wrong.any():
                row = int(wrong.argmax())
                raise BadInput(
                    f"{self.layout.columns[at]} must be {_WANTED[metric]}; found {column[row]:g} in {where(row)}: "
                    "mend or remove that row"
                )

    def _column_name(self, at: int | None) -> str:
        names = self.layout.columns
        if len(names) == 1 or at is None:
            return names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"
        return names[at]


def class_labels(layout: Layout, stored: NDArray[Any], where: Callable[[int], str]) -> NDArray[np.int64]:
    """Return stored labels as class numbers; where rows have scores alone they are kept as they are.

    Raises
    ------
    BadInput
        Naming the first row that has no label, or one that no class has.
    """
    refuse_empty(stored, str(layout.label), where)
    if not layout.n_classes:
        if stored.dtype == np.uint64 and len(stored) and stored.max() >= 1 << 63:
            raise BadInput(
                f"{layout.label} must hold whole numbers below 2^63; found {stored.max()} in "
                f"{where(int(stored.argmax()))}: mend that row, or give the labels as texts"
            )
        return stored.astype(np.int64, copy=False)
    return _numbers(layout, stored, str(layout.label), where)


def _numbers(layout: Layout, stored: NDArray[Any], source: str, where: Callable[[int], str]) -> NDArray[np.int64]:
    names = None if layout.is_numbered and not are_text(stored) else layout.class_names
    return class_numbers(stored, names, layout.n_classes, source=source, where=where)


def _has_finite_in_each_row(logits: NDArray[Any]) -> bool:
    return bool(np.isfinite(logits).any(axis=1).all())


def _as_floats(found: NDArray[Any]) -> NDArray[Any]:
    if found.dtype in (np.float32, np.float64):
        return found
    # float32 holds every float16 exactly, but not every integer.
    return found.astype(np.float32 if found.dtype == np.float16 else np.float64)
