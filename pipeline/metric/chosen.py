"""The metrics asked for: which of them there can be, and what is kept of the scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from numpy.typing import NDArray

from ..errors import BadInput
from ..records.scores import Scores
from .accuracy import Accuracy
from .base import Metric
from .loss import Loss
from .value import Value

# What is known of each row where only these scores are given, for the note on a metric that cannot be computed.
_SCORED = {"loss": "their losses", "accuracy": "whether each is right"}


def main_metrics() -> dict[str, Metric]:
    """Return the loss and the accuracy."""
    return {"loss": Loss(), "accuracy": Accuracy()}


# Their names; they come first wherever metrics are listed.
MAIN = tuple(main_metrics())


def further_of(metrics: Mapping[str, Metric]) -> dict[str, Metric]:
    """Return those besides the loss and the accuracy, by what their figures are called."""
    return {metric.column: metric for metric in metrics.values() if metric.name not in MAIN}


def further_functions(metrics: Mapping[str, Metric]) -> dict[str, Callable[..., NDArray[Any]]]:
    """Return what is evaluated of a row for the metrics besides the loss and the accuracy, by metric."""
    return {name: metric.values for name, metric in further_of(metrics).items()}


def asked_for(metrics: Mapping[str, Metric], *, value: str | None, unit: str, better: str = "") -> dict[str, Metric]:
    """Return the metrics that are asked for: by default loss and accuracy; with ``data.value`` the value alone.

    Parameters
    ----------
    metrics : mapping of str to Metric
        As configured.
    value : str or None
        The column of values, ``data.value``.
    unit : str
        Its unit, ``data.unit``.
    better : str
        The side of the better values, ``data.better``; empty where it was not said.

    Raises
    ------
    BadInput
        If other metrics are asked for than the data have.
    """
    names = {metric.name for metric in metrics.values()}
    if value is None:
        if "value" in names:
            raise BadInput(
                "metric=value must go with the column of the values; found no data.value: name it with "
                "data=predictions data.value=COLUMN"
            )
        return dict(metrics) or main_metrics()
    if names - {*MAIN, "value"}:
        raise BadInput(
            f"metric must be left out with data.value={value}, whose rows have that number alone; found "
            f"metric=[{','.join(metric.name for metric in metrics.values())}]: leave metric out"
        )
    return {"value": Value(quantity=value, measured_in=unit, better=better)}


def known_of(metrics: Mapping[str, Metric], *, gives: str, given: tuple[str, ...] = ()) -> dict[str, Metric]:
    """Return those of the metrics asked for that the model's outputs tell, by column: loss and accuracy first.

    Parameters
    ----------
    metrics : mapping of str to Metric
        As configured.
    gives, given
        `Classifier.gives`, and of scores `Classifier.metrics`.
    """
    there = {"labels": ("accuracy",), "scores": given}.get(gives, MAIN)
    asked = {metric.name: metric for metric in metrics.values()}
    return {name: asked[name] for name in MAIN if name in there and name in asked} | further_of(metrics)


def refuse_unknown(
    metrics: Mapping[str, Metric], *, gives: str, given: tuple[str, ...] = (), n_classes: int = 0
) -> None:
    """Refuse metrics that the model's outputs do not tell.

    Raises
    ------
    BadInput
        If none of them is told, or a further one is not.
    """
    names = [metric.name for metric in metrics.values()]
    what = "labels" if gives == "labels" else f"the {' and the '.join(given)} of each row"
    for metric in further_of(metrics).values():
        if metric.name in given:
            continue
        if gives not in ("logits", "probabilities"):
            raise BadInput(
                f"the metric {metric.name} needs the model's logits or probabilities; found {what} alone: leave it "
                f"out with metric=[{','.join(name for name in names if name in MAIN) or 'accuracy'}]"
            )
        metric.check(n_classes)
    if not known_of(metrics, gives=gives, given=given):
        raise BadInput(
            f"metric must name one that the model's outputs tell; found metric=[{','.join(names)}] and {what} alone: "
            "leave metric out"
        )


def notes_on_unknown(metrics: Mapping[str, Metric], *, gives: str, given: tuple[str, ...] = ()) -> list[str]:
    """Return a note on each metric asked for that the model's outputs do not tell; see `known_of`."""
    known = known_of(metrics, gives=gives, given=given)
    gone = [metric.name for metric in metrics.values() if metric.column not in known]
    if not gone:
        return []
    if gives == "labels":
        why = "the model gives labels alone"
    else:
        why = f"the rows have only {' and '.join(_SCORED[name] for name in given)}"
    return [f"no {name}: {why}" for name in gone]


def kept_of(scores: Scores, metrics: Mapping[str, Metric], besides: Iterable[str] = ()) -> Scores:
    """Return the scores without the columns that are neither of a metric asked for nor named in `besides`."""
    wanted = {*(metric.column for metric in metrics.values()), *besides}
    columns = {name: column for name, column in scores.columns.items() if name in wanted}
    if len(columns) == len(scores.columns):
        return scores
    return Scores.of(columns, ties=scores.ties, capped=scores.capped)
