"""The metrics of all rows together that are no mean over rows: balanced accuracy, macro F1, AUC, calibration error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..estimation.whole_metrics import NoValue
from ..experiment import Stages
from ..metric.together import TOGETHER
from ..model.network import Network
from ..records.rows import Population
from ..records.scores import Scores
from ..records.stored import MOST_IN_MEMORY, is_large
from ..report.whole_batch import Shown
from ..scoring.block import in_blocks
from ..scoring.outputs import CONFIDENCE, PREDICTED, odds_of
from .together import Truth, said_of


@dataclass(frozen=True)
class WholeBatch:
    """What was found.

    Attributes
    ----------
    shown : list of Shown
        The metrics that have a value.
    without : dict of str to str
        Why a metric has no value, by its name.
    """

    shown: list[Shown] = field(default_factory=list)
    without: dict[str, str] = field(default_factory=dict)

    @property
    def metrics(self) -> dict[str, float]:
        """What is logged: ``NAME/value, NAME/low, NAME/high``, ``ece/debiased``, ``whole/without_value``."""
        if not self.shown and not self.without:
            return {}
        found = {"whole/without_value": float(len(self.without))}
        for own in self.shown:
            found |= {f"{own.name}/value": own.value, f"{own.name}/low": own.low, f"{own.name}/high": own.high}
            if own.debiased is not None:
                found[f"{own.name}/debiased"] = own.debiased
        return {name: value for name, value in found.items() if not np.isnan(value)}


def whole_batch(stages: Stages, scores: Scores) -> WholeBatch:
    """Return the metrics of all rows together, as far as the model's outputs tell them.

    Rows that are too many for tables in memory, weighted, or without classes have none of them.

    Parameters
    ----------
    stages : Stages
    scores : Scores
        Of all rows, with the columns of `scoring.outputs.SAID`.
    """
    rows = stages.rows
    if is_large(scores) or not rows.n_classes or rows.weights is not None or rows.labels is None:
        return WholeBatch()
    columns = {name: scores.columns[name] for name in (PREDICTED, CONFIDENCE) if name in scores.metrics}
    if _has_outputs(stages, rows):
        columns |= _odds(stages, rows)
    if not columns:
        return WholeBatch()
    said = said_of(Scores.of(columns), Truth.of(rows.labels, rows.n_classes))
    shown, without = [], {}
    for name, metric in TOGETHER.items():
        if not said.has(name):
            continue
        try:
            found = said.value(name)
        except NoValue as error:
            without[name] = str(error)
            continue
        low, high = found.interval(stages.experiment.confidence, stages.units)
        words = f"{metric.words}, one against the rest" if name == "auc" and rows.n_classes > 2 else metric.words
        debiased = found.debiased if name == "ece" else None
        shown.append(Shown(name, words, found.value, low, high, debiased))
    return WholeBatch(shown, without)


def _has_outputs(stages: Stages, rows: Population) -> bool:
    """Whether the outputs are there, or cheap to have: a foreign model is not called a second time for one metric."""
    is_cheap = stages.are_predictions or isinstance(stages.classifier, Network)
    gives = stages.classifier.gives in ("logits", "probabilities")
    return is_cheap and gives and len(rows) * rows.n_classes <= MOST_IN_MEMORY


def _odds(stages: Stages, rows: Population) -> dict[str, NDArray[Any]]:
    """Return what ranks all rows, by class."""
    forward, gives = stages.classifier.from_stored(rows.scale), stages.classifier.gives
    blocks = [in_blocks(forward, block.inputs) for shard in range(len(rows.bounds) - 1) for block in rows.read(shard)]
    return {
        odds.column: np.concatenate([odds.of_block(outputs, None, gives=gives) for outputs in blocks])
        for odds in odds_of(rows.n_classes)
    }
