"""Predictions from a table on disk: logits, probabilities or scores, with labels. Evaluating them needs no model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import partial

import numpy as np

from ..errors import BadInput, brief
from ..records.probabilities import TOLERANCE
from ..records.rows import IntArray
from ..runtime import files
from ..runtime.memo import once
from .classes_found import with_found_classes
from .columns import label_column
from .formats.arrow_files import ArrowFiles
from .formats.base import Source
from .formats.locations import path_of
from .formats.selected import Selected
from .layout import Layout, layout_of
from .prediction_blocks import PredictionBlocks, class_labels
from .streamed import Streamed
from .tabular import Tabular, labels_of

_LONGEST_UNIT = 20
_UNLABELLED = ("refused", "left_out", "alone")


@dataclass
class Predictions(Tabular):
    """Predictions of a model for N rows in a table: Parquet, Arrow, CSV, JSON Lines, npz, or npy files in a folder.

    Attributes
    ----------
    logits, probabilities : str or None
        The prediction columns: a list column; or NAME for one column a class, NAME_0 … NAME_{k-1} or NAME_CLASS, such
        as probability_cat; or a column of one number a row, for class 1 of two. None looks for ``logits``, ``logit_0``
        …, ``probabilities``, ``probability_0`` …, ``probability``.
    loss : str
        The column of losses, in nats. It is read only if there are neither logits nor probabilities.
    correct : str
        The column of whether each row is classified correctly: true or false, or 1 or 0. It is read only if there are
        neither logits nor probabilities.
    prediction : str or None
        The column of predicted labels, which give an accuracy and no loss. None looks for ``prediction`` if there is
        nothing else.
    value : str or None
        A column of any numbers, such as an absolute error, a latency or a score, of which the mean is the one metric.
        Neither labels nor predictions are needed.
    unit : str or None
        The unit of the values, for display: ``ms``.
    better : str or None
        Which values are the better ones, ``low`` or ``high``; None where that is not said, and no verdict is asked for.
    masked : bool
        Whether a logit may be -inf, which gives its class the probability 0.
    tolerance : float
        How far the sum of the probabilities of a row may be from 1. Probabilities are never normalised.
    labelled : bool
        Whether the rows must have labels. ``study=label`` sets it to false by itself; no other study can do without.
    unlabelled_rows : str
        What becomes of rows whose label is null, or an empty text: ``refused``; ``left_out``; or ``alone``, so that the
        others are left out. ``study=compare`` and ``gate`` set it by themselves where a proxy is named.
    """

    name: str = "predictions"
    logits: str | None = None
    probabilities: str | None = None
    loss: str = "loss"
    correct: str = "correct"
    prediction: str | None = None
    value: str | None = None
    unit: str | None = None
    better: str | None = None
    masked: bool = False
    tolerance: float = TOLERANCE
    labelled: bool = True
    unlabelled_rows: str = "refused"

    def __post_init__(self) -> None:
        if not self.path:
            raise BadInput("data.path must name a file of predictions; found none: pass data.path=FILE")
        super().__post_init__()
        if self.unit is not None:
            self._check_unit(self.unit)
        if self.better is not None and (self.value is None or self.better not in ("low", "high")):
            raise BadInput(
                f"data.better must be low or high, and go with data.value=COLUMN; found {brief(self.better)!r}"
                f"{'' if self.value else ' without data.value'}: name the side on which values are better"
            )
        if self.unlabelled_rows not in _UNLABELLED:
            raise BadInput(
                f"data.unlabelled_rows must be one of {', '.join(_UNLABELLED)}; found {self.unlabelled_rows!r}"
            )
        if not 0 <= self.tolerance < 1:
            raise BadInput(f"data.tolerance must be at least 0 and below 1, such as 0.001; found {self.tolerance}")

    def _check_unit(self, unit: str) -> None:
        if self.value is None:
            raise BadInput(
                f"data.unit must go with data.value=COLUMN, whose unit it is; found {brief(unit)} alone: add data.value"
            )
        if brief(unit, most=_LONGEST_UNIT) != unit or not unit:
            raise BadInput(
                f"data.unit must be a text such as ms, of at most {_LONGEST_UNIT} characters; found {brief(unit)!r}: "
                "shorten it, or leave it out"
            )

    @property
    def layout(self) -> Layout:
        """The columns of predictions and labels, and the names of the classes; memoised in this process."""
        return once(f"layout {self!r} {self.stamp()}", self._layout)

    def _layout(self) -> Layout:
        found = layout_of(
            self.source.columns,
            where=path_of(str(self.path)),
            logits=self.logits,
            probabilities=self.probabilities,
            label=self.label,
            loss=self.loss,
            correct=self.correct,
            prediction=self.prediction,
            value=self.value,
            classes=self.classes,
            labelled=self.labelled,
        )
        return found if found.gives != "labels" or found.n_labels else with_found_classes(self.source, found)

    @property
    def source(self) -> Source:
        """The table, or the rows of it that are asked for; memoised in this process."""
        whole = super().source
        label = label_column(whole.columns, self.label)
        # Only Arrow's formats know of values that are missing.
        if self.unlabelled_rows == "refused" or not isinstance(whole, ArrowFiles) or label not in whole.columns:
            return whole
        has_value = self.unlabelled_rows == "left_out"
        key = f"selected {self.path} {self.split} {label} {has_value} {whole.digest}"
        found = once(key, lambda: Selected(whole, label, has_value=has_value))
        if has_value and not len(found):
            raise BadInput(
                f"{path_of(str(self.path))} must have a label in some rows; found none in {len(whole):,} rows: choose "
                "study=label, which says which rows to label"
            )
        return found

    @property
    def places(self) -> IntArray:
        """Where the rows stand among all rows of the table, with a label or without."""
        source = self.source
        return source.rows if isinstance(source, Selected) else np.arange(len(source))

    def labelled_alone(self) -> Predictions:
        """Return the rows that have a label."""
        return replace(self, unlabelled_rows="left_out")

    def without_label(self) -> Predictions:
        """Return the rows that have none."""
        return replace(self, unlabelled_rows="alone", labelled=False)

    def unlabelled(self) -> Predictions:
        """Return the same rows, which need have no labels."""
        return replace(self, labelled=False)

    def streamed(self) -> Streamed:
        """Return a population that reads the rows shard by shard, and checks them as they are read."""
        return rows_of(self.source, self.layout, masked=self.masked, tolerance=self.tolerance)


def rows_of(source: Source, layout: Layout, *, masked: bool = False, tolerance: float = TOLERANCE) -> Streamed:
    """Return the rows of a table of predictions, read shard by shard, and checked as they are read.

    Parameters
    ----------
    source : Source
        The table.
    layout : Layout
        Its columns.
    masked, tolerance
        As `Predictions` has them.
    """
    blocks = PredictionBlocks(source, layout, masked, tolerance)
    reading = (asdict(layout), masked, tolerance)
    numbers = partial(class_labels, layout)
    return Streamed(
        name=source.name,
        digest=files.digest_of(source.digest, *reading),
        contents=lambda: [files.digest_of(content, *reading) for content in source.contents],
        n_classes=layout.n_classes,
        scale=1.0,
        width=layout.width,
        bounds=source.bounds,
        read_shard=blocks.read,
        read_labels=None if layout.label is None else partial(labels_of, source, layout.label, numbers),
        class_names=layout.class_names,
        row_name=source.where,
    )
