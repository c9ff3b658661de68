"""A gate's judgement, on all rows at once or on as few as needed, with its pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd

from ...estimation.prediction_powered import ProxyDifference
from ...experiment import Experiment
from ...metric.base import Metric
from ...records.rows import IntArray
from ...records.verdict import Judgement
from ...sampling.streams import GATE_ORDER, generator
from ...sampling.units import Units
from ..until import live
from .as_needed import Request, Watch, range_of
from .error_rates import audit_of
from .findings import Columns
from .judgement import judgement_of
from .logged import metrics_of, series_of
from .rule import Rule

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Case:
    """What a gate judges.

    Attributes
    ----------
    names, digests : (str, str)
        Of baseline and candidate.
    metrics, margins : mapping of str to Metric, and to float
        In the order asked for.
    experiment : Experiment
        Seed, confidence, target.
    power : float
    about : str
        The rows and the baseline, for titles.
    units : Units
        Rows, or groups of them.
    slacks : mapping of str to (float, float)
        As `findings_of` has them.
    loss_range : float or None
        R, to which differences of losses are cut.
    proxies : mapping of str to ProxyDifference
        As `findings_of` has them.
    """

    names: tuple[str, str]
    digests: tuple[str, str]
    metrics: Mapping[str, Metric]
    margins: Mapping[str, float]
    experiment: Experiment
    power: float
    about: str
    units: Units
    slacks: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    loss_range: float | None = None
    proxies: Mapping[str, ProxyDifference] = field(default_factory=dict)

    @property
    def is_world(self) -> bool:
        """Whether the verdict is about the world that the rows are a random sample of."""
        return self.experiment.interval.target == "superpopulation"


@dataclass(frozen=True)
class Options:
    """How rows are evaluated as needed, as configured.

    Attributes
    ----------
    block : int
    max_rows : int or None
    """

    block: int
    max_rows: int | None


@dataclass
class Judged:
    """A judgement and what is shown of it."""

    judgement: Judgement
    figures: dict[str, Figure]
    tables: dict[str, pd.DataFrame]
    series: list[tuple[str, float, int]]


def on_all(case: Case, columns: Mapping[str, Columns], rule: Rule | None) -> Judged:
    """Judge all rows at once.

    Parameters
    ----------
    case : Case
    columns : mapping of str to (ndarray, ndarray) of shape (n,)
        The values of all rows under baseline and candidate, by metric.
    rule : Rule or None
        What is put beside the gate.
    """
    from ...plots import rule_audit

    metrics, seed, confidence = case.metrics, case.experiment.seed, case.experiment.confidence
    judgement = judgement_of(
        columns,
        metrics,
        case.margins,
        names=case.names,
        digests=case.digests,
        confidence=confidence,
        power=case.power,
        seed=seed,
        is_exact=not case.is_world,
        units=case.units,
        slacks=case.slacks,
        loss_range=case.loss_range,
        proxies=case.proxies,
    )
    if rule is None or not case.is_world:
        return _shown(case, judgement)
    name = rule.metric.column
    effect = next(finding.effect for finding in judgement.findings if finding.metric == name)
    audit, rates = audit_of(rule, columns[name], confidence=confidence, seed=seed, effect=effect, units=case.units)
    judged = _shown(case, replace(judgement, audit=audit))
    judged.figures["rule_audit"] = rule_audit.draw(
        rule.metric, audit, rates.gain, rates.fails, rates.worse, rates.undecided, case.about
    )
    return judged


def as_needed(
    case: Case,
    score: Callable[[IntArray], Mapping[str, Columns]],
    *,
    size: int,
    options: Options,
) -> Judged:
    """Judge rows in random order, block by block, until there is a verdict.

    Parameters
    ----------
    case : Case
    score : callable
        From rows to both models' values of every metric.
    size : int
        N, the rows that there are.
    options : Options
    """
    from ...plots import sequence

    order = generator(GATE_ORDER, case.experiment.seed).permutation(size)[: options.max_rows]
    ranges = {name: range_of(metric, case.loss_range) for name, metric in case.metrics.items()}
    request = Request(
        case.metrics, case.margins, ranges, case.experiment.confidence, options.block, size, case.is_world
    )
    watch = Watch(request, len(order))
    with live() as show:
        watch.until_decided(order, score, lambda line: show(lambda: line))
    judgement = Judgement(
        *case.names,
        digests=case.digests,
        findings=watch.findings(),
        confidence=case.experiment.confidence,
        power=case.power,
        seed=case.experiment.seed,
        is_exact=watch.is_exact,
        stop=watch.stop,
    )
    judged = _shown(case, judgement)
    frame = watch.frame()
    judged.figures["sequence"] = sequence.draw(frame, judged.judgement, case.metrics, case.about)
    judged.tables["looks.csv"] = frame
    judged.series += series_of(frame, case.metrics)
    return judged


def _shown(case: Case, judgement: Judgement) -> Judged:
    from ...plots import verdict

    row = pd.DataFrame([{"label": judgement.candidate, **metrics_of(judgement)}])
    return Judged(judgement, {"verdict": verdict.draw(row, case.metrics, case.about)}, {}, [])
