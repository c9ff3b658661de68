"""The metrics asked for: which of them there can be, and what is kept of the scores."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.errors import BadInput
from pipeline.metric.accuracy import Accuracy
from pipeline.metric.base import Metric
from pipeline.metric.loss import Loss
from pipeline.records import Scores

MAIN = ("loss", "accuracy")


def main_metrics() -> dict[str, Metric]:
    """Return the loss and the accuracy."""
    return {"loss": Loss(), "accuracy": Accuracy()}


def further_of(metrics: Mapping[str, Metric]) -> dict[str, Metric]:
    """Return those besides the loss and the accuracy, by what their figures are called."""
    return {metric.column: metric for metric in metrics.values() if metric.name not in MAIN}


def known_of(metrics: Mapping[str, Metric], *, gives: str, given: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return what there is of the metrics asked for, by what their figures are called: loss and accuracy first.

    Parameters
    ----------
    metrics : mapping of str to Metric
        As configured.
    gives, given
        `Classifier.gives`, and of scores `Classifier.metrics`.
    """
    there = {"labels": ("accuracy",), "scores": given}.get(gives, MAIN)
    main = [name for name in MAIN if name in there and any(metric.name == name for metric in metrics.values())]
    return (*main, *further_of(metrics))


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


def kept_of(scores: Scores, metrics: Mapping[str, Metric]) -> Scores:
    """Return the scores without the columns that are not asked for."""
    wanted = {metric.column for metric in metrics.values()}
    columns = {name: column for name, column in scores.columns.items() if name in wanted}
    if len(columns) == len(scores.columns):
        return scores
    return Scores.of(columns, ties=scores.ties, capped=scores.capped)
