"""What training with each batch size costs, and the sentence that answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .result import Table
from .words import count, counted, level, ratio, shortened

_WIDEST_GROUP = 28


def table(metrics: Mapping[str, float], *, n: int, title: str, confidence: float) -> Table:
    """Return a row per training batch size: the steps and the examples that it takes, as multiples of the fewest.

    ``steps / S_min = 1 + B/b``, ``examples / E_min = 1 + b/B`` for the noise scale B  [McCandlish et al. 2018,
    section 2.3]

    Parameters
    ----------
    metrics : mapping
        A cell's.
    n : int
        Rows that are trained on.
    title : str
        What the rows are about.
    confidence : float
        Of the intervals.
    """
    scale, low, high = (metrics[f"gradient_noise/scale{end}"] for end in ("_debiased", "_low", "_high"))
    sizes = [10**i for i in range(len(str(n))) if 10**i < n] + [n]
    rows: list[tuple[str, ...]] = []
    for b in sizes:
        steps = [1 + end / b for end in (scale, low, high)]
        examples = [1 + (b / end if end > 0 else math.inf) for end in (scale, high, low)]
        rows.append((f"{b:,}", ratio(steps[0]), _between(*steps[1:]), ratio(examples[0]), _between(*examples[1:])))
    interval = f"{level(confidence)} %"
    at_scale = (count(scale), "2", "", "2", "") if 0 < scale < math.inf else None
    return Table(
        title,
        ("batch", "steps,\n× fewest", interval, "examples,\n× fewest", interval),
        rows,
        [at_scale] if at_scale else [],
    )


def summary(metrics: Mapping[str, float], *, judged: str, confidence: float, tolerance: float) -> str:
    """Answer in two sentences: what to train with, and what to judge with.

    Parameters
    ----------
    metrics : mapping
        A cell's.
    judged : str
        The population that a batch is to judge.
    confidence, tolerance : float
        Of the intervals; of the judgement of the loss, nats.
    """
    promised = f"{level(confidence)} %"
    n = metrics["loss/n_for_tolerance"]
    judge = (
        f"To judge: a batch of {counted(n, 'row')} tells the loss of {judged} within ±{tolerance:g} nats ({promised})."
        if math.isfinite(n)
        else f"To judge: no batch tells the loss of {judged}, which is infinite."
    )
    return f"To train: {_training(metrics, promised)} {judge}"


def _training(metrics: Mapping[str, float], promised: str) -> str:
    scale, low, high = (metrics[f"gradient_noise/scale{end}"] for end in ("_debiased", "_low", "_high"))
    if scale == 0:
        return "all rows have the same gradient, so a batch of one row is as good as any."
    if math.isinf(high):
        estimate = "" if math.isinf(scale) else f" (the estimate, {counted(scale, 'row')}, means little)"
        return (
            "the data cannot tell the noise scale, for the mean gradient is not distinguishable from 0: it is "
            f"{count(low)} rows or more ({promised} interval), without an upper end{estimate}."
        )
    return (
        f"the turning point is the noise scale, {counted(scale, 'row')} ({promised} interval {count(low)} to "
        f"{count(high)}): batches of that size take twice the fewest steps and twice the fewest examples; larger "
        "ones save few steps, smaller ones few examples."
    )


def compared(cells: Sequence[Mapping[Any, Any]]) -> Table:
    """Return a row per group: the noise scale, its interval, and what it is without debiasing.

    Parameters
    ----------
    cells : sequence of mapping
        ``group``, ``confidence`` and the metrics of a cell each.
    """
    rows: list[tuple[str, ...]] = [
        (
            shortened(_named(cell), _WIDEST_GROUP),
            *(count(cell[f"gradient_noise/scale{end}"]) for end in ("_debiased", "_low", "_high", "")),
        )
        for cell in cells
    ]
    return Table("Gradient noise scale", ("group", "scale", "low", "high", "plain"), rows)


def compared_summary(cells: Sequence[Mapping[Any, Any]]) -> str:
    """Say between what the groups' noise scales lie, and in how many the data cannot tell."""
    unknown = sum(math.isinf(cell["gradient_noise/scale_high"]) for cell in cells)
    known = [cell for cell in cells if math.isfinite(cell["gradient_noise/scale_high"])]
    if not known:
        return "The data cannot tell the noise scale: no mean gradient is distinguishable from 0."
    ordered = sorted(known, key=lambda cell: float(cell["gradient_noise/scale_debiased"]))
    few, many = (f"{counted(cell['gradient_noise/scale_debiased'], 'row')}" for cell in (ordered[0], ordered[-1]))
    if len(ordered) == 1:
        said = f"The noise scale, up to which larger training batches pay, is {few} ({_named(ordered[0])})."
    else:
        said = (
            f"The noise scale, up to which larger training batches pay, goes from {few} ({_named(ordered[0])}) "
            f"to {many} ({_named(ordered[-1])})."
        )
    return said + (f" In {unknown} of {len(cells)} the data cannot tell." if unknown else "")


def _between(low: float, high: float) -> str:
    """Write an interval of multiples, once if its ends read the same."""
    if math.isinf(high):
        return f"≥ {ratio(low)}"
    return ratio(low) if ratio(low) == ratio(high) else f"{ratio(low)}–{ratio(high)}"


def _named(cell: Mapping[Any, Any]) -> str:
    return str(cell["group"] or cell["population"])
