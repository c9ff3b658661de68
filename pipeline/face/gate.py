"""`gate`: is the candidate better, not worse, or worse than the baseline, or can these rows not tell?"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..errors import BadInput
from ..metric.base import Metric
from ..metric.chosen import MAIN
from ..metric.together import TOGETHER
from ..records.verdict import Finding, Judgement
from ..report import gate as words
from ..report.gate_files import as_json, as_markdown
from ..report.result import Table
from ..report.words import as_count
from ..study.gating.findings import refuse_infinite
from ..study.gating.judgement import judgement_of
from ..study.gating.logged import metrics_of
from ..study.paired.pair import Pair
from .answer import Answer, logged, words_of
from .checks import check_names, check_share, is_number, kind_of
from .messages import in_python
from .pairs import same_rows
from .request import requested
from .scored_rows import ScoredRows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TARGETS = ("superpopulation", "population")


@dataclass(frozen=True, repr=False)
class Verdict(Answer):
    """A verdict on a candidate; made by `gate`.

    Attributes
    ----------
    metrics : mapping of str to Finding
        By metric; ``verdict.loss.low`` is the lower end of the difference of the losses.
    judgement : Judgement
        All that was found.
    """

    metrics: Mapping[str, Finding]
    judgement: Judgement
    _known: Mapping[str, Metric] = field(default_factory=dict, repr=False)
    _request: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def verdict(self) -> str:
        """The worst of the metrics' verdicts: ``better``, ``not worse``, ``undecided`` or ``worse``."""
        return self.judgement.verdict

    @property
    def status(self) -> int:
        """The exit status of ``study=gate``: 0 better or not worse, 3 worse, 4 undecided."""
        return self.judgement.status

    @property
    def is_pass(self) -> bool:
        """Whether the candidate is better or not worse."""
        return self.status == 0

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        with words_of(self._known):
            return words.sentence(self.judgement, self._known)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``verdict.json`` has."""
        with words_of(self._known):
            found: dict[str, Any] = json.loads(as_json(self.judgement, self._known))
        return found

    def to_markdown(self) -> str:
        """Return what ``verdict.md`` has, for a comment on a pull request."""
        with words_of(self._known):
            return as_markdown(self.judgement, self._known)

    def plot(self) -> Figure:
        """Draw the differences with their intervals, against 0 and the margin."""
        import pandas as pd

        from ..plots import verdict

        rows = pd.DataFrame([{"label": self.judgement.candidate, **metrics_of(self.judgement)}])
        with words_of(self._known):
            return verdict.draw(rows, self._known)

    def _records(self) -> list[dict[str, Any]]:
        return [{**asdict(own), "verdict": own.verdict} for own in self.metrics.values()]

    def _tables(self) -> list[Table]:
        with words_of(self._known):
            return words.tables(self.judgement, self._known, about=self.judgement.baseline)


def gate(
    baseline: ScoredRows,
    candidate: ScoredRows,
    *,
    margin: Mapping[str, float],
    on: Sequence[str] | None = None,
    confidence: float = 0.95,
    power: float = 0.8,
    target: str = "superpopulation",
    loss_range: float | None = None,
    check: bool = False,
    seed: int = 0,
    log: bool = False,
) -> Verdict:
    """Judge a candidate by the intervals of its paired differences from the baseline, as ``study=gate`` does.

    Parameters
    ----------
    baseline, candidate : ScoredRows
        Of the same rows, in the same order; groups are the baseline's.
    margin : mapping of str to float
        By how much the candidate may be worse and still pass, by metric, at least 0: nats, and fractions.
        Also of those of all rows together that both are scored by: ``balanced_accuracy``, ``macro_f1``, ``auc``,
        ``ece``.
    on : sequence of str or None
        The metrics that the verdict is about; None is those that have a margin.
    confidence : float
        1 minus the chance that any verdict is wrong, in (0, 1).
    power : float
        The chance to see a true difference of the smallest size that is named, in (0, 1).
    target : str
        ``superpopulation``: the world that the rows are a sample of; ``population``: these rows are all.
    loss_range : float or None
        Differences of losses are cut to ± this, nats, and the verdict on the loss is then guaranteed at every number
        of rows. None leaves room for rows unlike those seen.
    check : bool
        Whether the baseline is also held against itself on rows drawn anew, 2,000 times; that takes most of the time.
    seed : int
        Of these.
    log : bool
        Whether the result is put into MLflow, as `bs.log` does.

    Returns
    -------
    Verdict

    Raises
    ------
    BadInput
        If a margin is missing or below 0, or the two cannot be compared, or `loss_range` is not above 0 or goes with
        groups.

    Examples
    --------
    >>> import pipeline as bs
    >>> old = bs.scores(loss=[0.5, 0.75, 1.0, 0.25] * 50, name="old")
    >>> new = bs.scores(loss=[0.25, 0.5, 0.75, 0.25] * 50, name="new")
    >>> found = bs.gate(old, new, margin={"loss": 0.02})
    >>> found.verdict, found.status
    ('better', 0)
    """
    check_share(confidence=confidence, power=power)
    if target not in TARGETS:
        raise BadInput(f"target must be one of {', '.join(TARGETS)}; found {target!r}")
    if loss_range is not None and not (is_number(loss_range) and 0 < loss_range < math.inf):
        raise BadInput(f"loss_range must be above 0 nats and finite, such as 2; found {kind_of(loss_range)}")
    pair = same_rows(baseline, candidate, what="bs.gate", is_sample=target == "superpopulation")
    if loss_range is not None and pair.units is not None and not pair.units.is_simple:
        raise BadInput("loss_range must have rows that are independent; found groups: leave one of them out")
    if not isinstance(margin, Mapping):
        raise BadInput(f'margin must be given by metric; found {kind_of(margin)}: such as margin={{"loss": 0.1}}')
    if on is not None:
        check_names(on, "on")
    names = list(margin if on is None else dict.fromkeys(on))
    _check_names(names, margin, pair.asked)
    _refuse_without(names, pair)
    asked = {name: pair.metrics[name] for name in names}
    columns = {name: pair.columns(name) for name in asked}
    with in_python(), words_of(asked):
        refuse_infinite(columns, lambda row: f"row {row}")
        found = judgement_of(
            columns,
            asked,
            {name: float(margin[name]) for name in asked},
            names=pair.names,
            digests=(baseline.rows.digest, candidate.rows.digest),
            confidence=confidence,
            power=power,
            seed=seed,
            is_exact=target == "population",
            is_checked=check,
            units=pair.units,
            slacks={name: own for name, own in pair.slacks.items() if name in asked},
            loss_range=loss_range,
        )
    margins = {f"{_added(name)}study.margin.{name}": float(margin[name]) for name in asked}
    own = {"study": "gate", "study.on": names, "study.power": power, "interval.target": target, **margins}
    own["study.loss_range"] = loss_range
    request = requested({**own, "confidence": confidence, "seed": seed}, baseline, candidate, takes_slices=False)
    findings = {each.metric: _in_whole_rows(each) for each in found.findings}
    return logged(Verdict(findings, found, asked, request), log)


def _in_whole_rows(finding: Finding) -> Finding:
    return replace(finding, more=as_count(finding.more), needed=as_count(finding.needed))


def _added(name: str) -> str:
    """Hydra's mark of a key that the configuration does not have."""
    return "" if name in (*MAIN, *TOGETHER) else "+"


def _refuse_without(names: Sequence[str], pair: Pair) -> None:
    for name in names:
        if name in pair.without:
            raise BadInput(f"margin must be of metrics that have a value; found no {name}: {pair.without[name]}")


def _check_names(names: Sequence[str], margin: Mapping[str, float], known: Mapping[str, Metric]) -> None:
    if not names:
        raise BadInput('margin must be given for a metric at least; found none: such as margin={"loss": 0.02}')
    for name in [*names, *margin]:
        if name not in known:
            raise BadInput(f"margin must be of the metrics {', '.join(known)}; found {name}: leave it out")
    for name in names:
        value = margin.get(name)
        most = 1 if known[name].is_share or known[name].is_together else math.inf
        if value is None or not is_number(value) or not 0 <= value < most:
            found = "none" if value is None else kind_of(value)
            below = " and below 1" if most == 1 else ""
            raise BadInput(
                f"margin must say by how much the {known[name].words} may be worse and still pass, a number of at "
                f"least 0{below}; found {found}: such as margin={{{name!r}: 0.01}}"
            )
