"""Rows without a label in a comparison of two models: what a proxy says of the difference, on all rows."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import scipy
from numpy.typing import NDArray

from ...data.base import Data
from ...data.predictions import Predictions
from ...errors import BadInput
from ...estimation.prediction_powered import ProxyDifference
from ...experiment import Stages
from ...proxy.column import Column
from ...proxy.entropy import Entropy
from ...proxy.scores import Scores as EarlierScores
from ...records.rows import Dataset, IntArray
from ...report.words import counted, in_words, percent
from .alignment import order_of
from .other_file import population_of
from .own_ids import with_own_ids
from .pair import Pair

Floats = NDArray[np.float64]

# The least chance that a model is taken to give a class.
_LEAST = 1e-12


def has_unlabelled(stages: Stages) -> bool:
    """Tell whether a proxy is to count for rows that have no label."""
    data = stages.experiment.data
    is_named = stages.experiment.proxy.is_control
    return is_named and isinstance(data, Predictions) and len(data.without_label().source) > 0


def powered(pair: Pair, stages: Stages, other: Data) -> Pair:
    """Return the pair with a proxy's differences of the rows that have a label, and of those that have none.

    Parameters
    ----------
    pair : Pair
        Of the rows that have one.
    stages : Stages
        Their own, of predictions.
    other : Data
        The other predictions.

    Raises
    ------
    BadInput
        If the proxy says nothing of a difference, or the two files lack the labels of other rows.
    """
    proxy = stages.experiment.proxy
    data, other = with_own_ids(stages.experiment.data, other)
    _refuse_other_places(data, other)
    if not has_unlabelled(stages):
        return pair
    assert isinstance(data, Predictions)
    assert isinstance(other, Predictions)
    if not isinstance(proxy, Entropy | Column | EarlierScores):
        raise BadInput(
            "proxy must say what two models differ by: scores, for a file of predictions or of a judge's labels; "
            "entropy, for what both models expect; or column, which both files must have; found "
            f"proxy={proxy.name}: choose one of them"
        )
    for name in {"loss", "accuracy"} & {*pair.metrics}:
        if not all(np.isfinite(own).all() for own in pair.columns(name)):
            raise BadInput(
                f"the {name} of every labelled row must be finite under both models, to count rows without a label; "
                "found an infinite one: leave it out with study.on, or mend these rows"
            )
    parts = data.without_label(), other.without_label()
    if not stages.units.is_simple:
        raise BadInput("rows without a label must be independent; found data.group: leave one of them out")
    both: list[tuple[Predictions, Predictions]] = [(data, other), parts]
    if isinstance(proxy, Column):
        found = [_of_column(*pair_of_data, proxy.column) for pair_of_data in both]
    else:
        found = [_expected(stages, *pair_of_data) for pair_of_data in both]
    return replace(pair, proxies={name: ProxyDifference(found[0][name], found[1][name]) for name in found[0]})


def _refuse_other_places(data: Data, other: Data) -> None:
    """Refuse two files without ids that lack the labels of other rows: their labelled rows are not the same ones."""
    if not isinstance(data, Predictions) or not isinstance(other, Predictions):
        return
    if data.id is None and data.unlabelled_rows != "refused" and not np.array_equal(data.places, other.places):
        raise BadInput(
            "study.against must lack the labels of the same rows; found others: give files of the same rows, or name "
            "the column of their ids with data.id=COLUMN"
        )


def notes_of(pair: Pair, stages: Stages) -> list[str]:
    """Say what the rows without a label added, or why a proxy adds nothing."""
    proxy = stages.experiment.proxy
    if not proxy.is_control:
        return []
    if not pair.proxies:
        return [
            f"proxy={proxy.name} has no part in it: every row has a label. It tells of the world that they come from "
            "only where there are further rows, whose label is null"
        ]
    n, more = len(pair), pair.n_unlabelled
    worth = {name: pair.worth(name) for name in pair.proxies if name in pair.metrics}
    said = in_words(
        [f"{percent(slope)} % and {gained:.2f} rows for the {name}" for name, (slope, gained) in worth.items()]
    )
    without = [metric.words for name, metric in pair.metrics.items() if name not in pair.proxies]
    return [
        f"Prediction-powered (PPI++): {counted(n, 'row has', 'rows have')} a label, and {more:,} without one count by "
        f"proxy={proxy.name}; share of the proxy that is used, and what a label is worth with it: {said}",
        "The means of each model are of the rows with a label; so they need not differ by the difference shown",
        *(["Slices are of the rows with a label alone"] if stages.slices is not None else []),
        *([f"The {in_words(without)} is of the rows with a label alone"] if without else []),
    ]


def _order(data: Data, other: Data) -> tuple[Dataset, Dataset, IntArray]:
    first, second = data.rows(data.split), population_of(other)
    if not isinstance(first, Dataset) or not isinstance(second, Dataset):
        raise BadInput(
            f"rows without a label must fit into data.memory with the others; found {len(first):,} rows: raise it"
        )
    order = order_of(data, other, first, second)
    if len(first) != len(second):
        raise BadInput(
            f"study.against must lack the labels of the same rows; found {len(first):,} and {len(second):,} rows of a "
            "kind: give files of the same rows, with the same labels"
        )
    return first, second, np.arange(len(first)) if order is None else order


def _of_column(data: Data, other: Data, name: str) -> dict[str, Floats]:
    _, _, order = _order(data, other)
    before, after = (
        np.asarray(each.column(each.split, name, key="proxy.column"), np.float64) for each in (data, other)
    )
    apart = after[order] - before
    if not np.isfinite(apart).all():
        raise BadInput(f"proxy.column={name} must be finite in every row of both files; found others: fill them in")
    # Larger where a row is harder.
    return {"loss": apart, "accuracy": -apart}


def _expected(stages: Stages, data: Predictions, other: Predictions) -> dict[str, Floats]:
    """Return by how much the models would differ if a row's class were drawn by the proxy's chances."""
    first, second, order = _order(data, other)
    gives, proxy = stages.classifier.gives, stages.experiment.proxy
    before, after = first.inputs, second.inputs[order]
    rows, k = np.arange(len(before)), stages.rows.n_classes
    if gives == "labels":
        classes = [own[:, 0].astype(np.intp) for own in (before, after)]
    elif gives == "scores":
        raise BadInput(f"proxy={proxy.name} must have predictions; found scores alone: choose proxy=column")
    else:
        logs = [_log_chances(own, gives) for own in (before, after)]
        classes = [own.argmax(axis=1) for own in logs]
    if isinstance(proxy, EarlierScores):
        chances = proxy.chances(data, stages.rows.class_names, k)
    elif gives == "labels":
        raise BadInput("proxy=entropy must have logits or probabilities; found labels alone: choose proxy=scores")
    else:
        # Of the two models taken as independent witnesses: closer to the truth than the mean of the two.
        chances = scipy.special.softmax(logs[0] + logs[1], axis=1)
    found = {"accuracy": chances[rows, classes[1]] - chances[rows, classes[0]]}
    if gives != "labels":
        found["loss"] = (chances * (logs[0] - logs[1])).sum(axis=1)
    return found


def _log_chances(outputs: NDArray[np.floating], gives: str) -> Floats:
    values = np.asarray(outputs, dtype=np.float64)
    found = scipy.special.log_softmax(values, axis=1) if gives == "logits" else np.log(np.maximum(values, _LEAST))
    # A class that is impossible to one model would have an infinite loss.
    return np.asarray(np.maximum(found, math.log(_LEAST)))
