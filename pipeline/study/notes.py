"""Notes below a table of scores: how its intervals were made, and what the reader must know of the rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import BadInput, brief
from ..experiment import Stages
from ..interval.by_metric import method_words
from ..records.batches import Estimate
from ..records.rows import Dataset
from ..records.scores import Scores
from ..records.stored import n_infinite
from ..report.words import percent


def check_cap(loss_cap: float | None) -> None:
    """Raise BadInput unless ``study.loss_cap`` is above 0, or None."""
    if loss_cap is not None and not loss_cap > 0:
        raise BadInput(f"study.loss_cap must be above 0 nats or null; found {loss_cap}")


# A share of unreliable batches below this is not worth a line.
_FEW = 0.05


def notes_of(
    stages: Stages, scores: Scores, estimates: Mapping[str, Estimate], *, loss_cap: float | None = None
) -> list[str]:
    """Return the notes, a line each.

    Parameters
    ----------
    stages : Stages
        The rows, and how they are drawn.
    scores : Scores
        Of the rows that were evaluated.
    estimates : mapping of str to Estimate
        By metric.
    loss_cap : float or None
        What losses were cut to, nats.
    """
    called = {name: metric.words if metric.is_alone else name for name, metric in stages.metrics.items()}
    notes = [f"{called[name]}: {method_words(stages.metrics[name], own.method)}" for name, own in estimates.items()]
    unit = "row" if stages.units.starts is None else "group"
    notes += [f"{called[name]}: {said}" for name, own in estimates.items() if (said := _unreliable(own, unit))]
    if loss_cap is not None and scores.capped:
        notes.append(cut_note(scores, loss_cap))
    infinite = n_infinite(scores) if "loss" in scores.metrics else 0
    if infinite:
        notes.append(
            f"{infinite:,} of {len(scores):,} rows have an infinite loss: probability 0 for the true class; "
            "study.loss_cap=10 counts losses above 10 nats as 10"
        )
    if scores.ties:
        notes.append(f"{scores.ties:,} of {len(scores):,} rows tie for the largest logit; the lowest class was taken")
    return [*stages.missing, *notes, *_units(stages), *_empty_classes(stages)]


def cut_note(scores: Scores, loss_cap: float) -> str:
    """Say how many losses were cut, and that the intervals are of the cut ones."""
    return (
        f"loss: {scores.capped:,} of {len(scores):,} rows ({percent(scores.capped / len(scores))} %) were above "
        f"study.loss_cap={loss_cap:g} nats and count as it; intervals hold the mean of the cut losses, which is lower"
    )


def _unreliable(estimate: Estimate, unit: str) -> str:
    """Say for how many batches the interval is not to be trusted, and why; empty for few."""
    if estimate.unreliable is None or estimate.unreliable.mean() < _FEW:
        return ""
    if estimate.n == 1:
        return f"one {unit} does not tell how others vary, so there is no interval"
    why = "a few large losses make up the mean, and too few of them were seen to tell how many there are"
    share = float(estimate.unreliable.mean())
    where = "here" if len(estimate.unreliable) == 1 else f"in {percent(share)} % of the batches"
    # The upper end of others takes the batch for all there is.
    but = "; the interval's upper end alone allows for those not seen" if estimate.method.startswith("score") else ""
    return f"unreliable {where}: {why}{but}"


def _units(stages: Stages) -> list[str]:
    """Say what a batch size counts where it is not rows, and what the means are of."""
    notes = []
    if stages.units.starts is not None:
        n_rows, size = stages.units.n_rows, stages.units.size
        notes.append(
            f"batch_size counts {stages.units.called}: {size:,} of them, {n_rows / size:.3g} rows each on average"
        )
    if stages.units.weights is not None:
        notes.append(f"means are weighted by {stages.experiment.data.weight}")
    return notes


def _empty_classes(stages: Stages) -> list[str]:
    """Name the classes without a row: labels that were counted from 1 leave class 0 empty."""
    # Reading all labels from disk would cost more than the note is worth.
    labels = stages.rows.labels if isinstance(stages.rows, Dataset) else None
    if labels is None or labels.ndim == 2 or not stages.rows.n_classes:
        return []
    (empty,) = np.nonzero(np.bincount(labels, minlength=stages.rows.n_classes) == 0)
    if not len(empty):
        return []
    names = stages.rows.class_names
    more = " …" if len(empty) > 5 else ""
    if names is None:
        named = ", ".join(str(label) for label in empty[:5]) + more
        return [f"no row has the label {named} of 0 to {stages.rows.n_classes - 1}; labels count from 0"]
    named = ", ".join(brief(names[label], most=40) for label in empty[:5]) + more
    return [f"no row is of the class {named} ({len(empty):,} of {len(names):,} classes)"]
