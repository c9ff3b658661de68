"""A gate's verdict in words, its tables, and its notes."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..metric.base import Metric
from ..records.verdict import BETTER, NOT_WORSE, UNDECIDED, WORDS, WORSE, Finding, Judgement
from .by_metric import fits, split
from .gate_assumptions import assumptions, cuts
from .gate_forecast import smallest_seen
from .gate_sequence import after, sequence_notes
from .result import Table
from .words import by_flips, count, counted, in_words, level, percent, ratio, shortened, significant, with_interval

if TYPE_CHECKING:
    import pandas as pd

_SMALLEST_P = 0.0001
# By verdict, in the table of a sweep.
_MARKS = ("▲", "●", "?", "▼")
CAPTION = "Candidate minus baseline, with intervals. ▲ better, ● not worse, ? undecided, ▼ worse."
_LONGEST_NAME = 24
# Characters of a line of a heading where a table is narrow.
_NARROW = 12


def sentence(judgement: Judgement, metrics: Mapping[str, Metric]) -> str:
    """Return the verdict with the differences that it rests on, in one sentence.

    Parameters
    ----------
    judgement : Judgement
    metrics : mapping of str to Metric
        Those of its findings.
    """
    code = judgement.decisive.code
    own = [finding for finding in judgement.findings if finding.code == code]
    if code in (BETTER, NOT_WORSE):
        # A pass is about all metrics, so all are named.
        own = list(judgement.findings)
    named = in_words([f"{metrics[each.metric].words} {difference(each, metrics[each.metric])}" for each in own])
    who = f"{judgement.candidate} minus {judgement.baseline}"
    stopped = f" {after(judgement.stop)}" if judgement.stop else ""
    return f"{WORDS[code].capitalize()}{stopped}: {named}, {_why(own, code, metrics)} ({who}, {_how(judgement)})."


def difference(finding: Finding, metric: Metric) -> str:
    """Write a difference with its sign, its unit and its interval, if it has one."""
    value, low, high = (metric.factor * each for each in (finding.difference, finding.low, finding.high))
    if finding.p is None:
        return " ".join(filter(None, [_signed(value), metric.short_unit]))
    return with_interval(value, low, high, metric.short_unit, signed=True)


def margin(finding: Finding, metric: Metric) -> str:
    """Write a margin: ``0.02 nats``, ``1 point``, ``0``."""
    return metric.tolerance(finding.margin).removeprefix("±") if finding.margin else "0"


def more(finding: Finding) -> str:
    """Say how many more rows would decide."""
    if math.isinf(finding.more):
        return f"no number of {finding.unit}s would decide if the difference stays as it is"
    return f"{counted(finding.more, f'more {finding.unit}')} would decide if the difference stays as it is"


def tables(judgement: Judgement, metrics: Mapping[str, Metric], *, about: str) -> list[Table]:
    """Return the table of the verdicts, and the table of what these rows can show at all.

    Parameters
    ----------
    judgement, metrics
        As `sentence` has them.
    about : str
        The rows.
    """
    n, unit = judgement.findings[0].n, judgement.findings[0].unit
    rows: list[tuple[str, ...]] = [_row(each, metrics[each.metric]) for each in judgement.findings]
    head = ("", "baseline →\ncandidate", "difference", "margin", "verdict")
    many = f"{n:,} of {counted(judgement.stop.of, 'row')}" if judgement.stop else counted(n, unit)
    shown = Table(f"{about}, {many}", head, rows)
    # The two means can be left out where fine differences need the room; the files have them.
    without = replace(shown, headings=_short(head), rows=[_short(row) for row in rows])
    found = [next((each for each in (shown, _narrow(shown), without) if fits(each)), _narrow(without))]
    if judgement.is_exact or judgement.stop:
        return found
    seen: list[tuple[str, ...]] = [
        (
            _label(metrics[each.metric]),
            smallest_seen(each.effect, metrics[each.metric]),
            _bare(each, metrics[each.metric]),
            count(each.needed),
            ratio(each.resolution) if each.margin else "0",
        )
        for each in judgement.findings
    ]
    heading = (
        "", f"smallest difference\nseen, {level(judgement.power)} % power", "margin", f"{unit}s that\nshow it",
        f"{unit}s here ÷\nthat number",
    )  # fmt: skip
    can_see = Table("What this gate can see", heading, seen)
    found.append(can_see if fits(can_see) else _narrow(can_see))
    return found if judgement.audit is None else [*found, _audit_table(judgement, metrics[judgement.audit.metric])]


def summary(judgement: Judgement, metrics: Mapping[str, Metric]) -> str:
    """Say what is missing for a verdict, what it assumes of rows not seen, and what the audited rule does."""
    said = []
    waiting = [each for each in judgement.findings if each.code == UNDECIDED]
    for each in waiting if judgement.decisive.code != UNDECIDED or len(waiting) > 1 else []:
        said.append(f"The {metrics[each.metric].words} is undecided: {more(each)}.")
    said += assumptions(judgement, metrics)
    if judgement.audit is not None:
        said.append(_of_rule(judgement, metrics[judgement.audit.metric]))
    return " ".join(said)


def notes(judgement: Judgement, metrics: Mapping[str, Metric]) -> list[str]:
    """Say how the verdicts were made, and what to mind."""
    if judgement.is_exact and judgement.stop:
        return sequence_notes(judgement, metrics)
    if judgement.is_exact:
        return ["interval.target=population: these rows are all that is asked about, so nothing is left to chance"]
    said = [f"{metrics[each.metric].words}: {each.method}, {_levels(each)}; {_p(each)}" for each in judgement.findings]
    if len(judgement.findings) > 1:
        most = "at most" if judgement.stop else "at most about"
        said.append(
            f"Holm: a wrong verdict on any of the {len(judgement.findings)} metrics has a chance of {most} "
            f"{level(round(1 - judgement.confidence, 12))} %; each end has the level at which its verdict was reached"
        )
    if judgement.stop:
        return [*sequence_notes(judgement, metrics), *said]
    said += cuts(judgement, metrics)
    # That no row differs at all is told by itself.
    alike = [metrics[each.metric].words for each in judgement.findings if each.low == each.high != 0]
    if alike:
        said.append(
            f"The {in_words(alike)} of every row differs by the same, so the interval has no width; rows unlike these "
            "are not known of"
        )
    check = judgement.check
    if check is not None:
        rows = "" if check.rows == judgement.findings[0].n else f" of {check.rows:,} {judgement.findings[0].unit}s"
        kept = "" if check.is_kept else ": more than promised, so do not trust this interval on these rows"
        said.append(
            f"A/A: of {check.draws:,} re-draws{rows} of {judgement.baseline} against itself the gate calls "
            f"{percent(check.worse)} % worse, and {percent(check.worse_at_0)} % with margins of 0 (promised: at most "
            f"{level(check.at_most)} %){kept}"
        )
    blind = [metrics[each.metric].words for each in judgement.findings if each.margin and each.resolution < 1]
    if blind:
        said.append(
            f"These {judgement.findings[0].unit}s are too few for the margin of the "
            f"{in_words(blind, each='of the ')}: a candidate that is exactly as good stays undecided more often than "
            f"{level(round(1 - judgement.power, 12))} % of the time"
        )
    return said


def tables_of_cells(rows: pd.DataFrame, metrics: Mapping[str, Metric]) -> list[Table]:
    """Return a row for each candidate of a sweep.

    Parameters
    ----------
    rows : DataFrame
        ``label``, ``population``, ``population_size``, ``verdict``, and the metrics of a cell each.
    metrics : mapping of str to Metric
    """
    records = rows.to_dict("records")
    first = records[0]

    def made(some: Sequence[Metric], _: bool) -> Table:
        head = (
            "candidate",
            *(f"{each.words} difference,\n{each.short_unit}".rstrip(",\n ") for each in some),
            "verdict",
        )
        body: list[tuple[str, ...]] = [
            (
                shortened(str(row["label"]), _LONGEST_NAME),
                *(_cell(row, each) for each in some),
                WORDS[int(row["verdict"])],
            )
            for row in records
        ]
        return Table(f"{first['population']}, {counted(first['population_size'], 'row')}", head, body)

    return split(list(metrics.values()), made)


def summary_of_cells(rows: pd.DataFrame) -> str:
    """Say how many candidates have which verdict."""
    codes = [int(code) for code in rows["verdict"]]
    counts = [f"{codes.count(code)} {WORDS[code]}" for code in (BETTER, NOT_WORSE, UNDECIDED, WORSE) if code in codes]
    return f"Of {counted(len(codes), 'candidate')}: {in_words(counts)}."


def _cell(row: Mapping[Hashable, Any], metric: Metric) -> str:
    value, low, high = (
        metric.factor * float(row[f"{metric.column}/{name}"])
        for name in ("difference", "difference_low", "difference_high")
    )
    mark = _MARKS[int(row[f"{metric.column}/verdict"])]
    return f"{with_interval(value, low, high, signed=True)} {mark}"


def _row(finding: Finding, metric: Metric) -> tuple[str, ...]:
    values = [f"{metric.factor * value:.{metric.digits}f}" for value in (finding.baseline, finding.candidate)]
    shown = difference(finding, metric)
    if metric.short_unit:
        # The unit stands in the first column.
        shown = shown.replace(f" {metric.short_unit}", "", 1)
    return _label(metric), " → ".join(values), shown, _bare(finding, metric), finding.verdict


def _bare(finding: Finding, metric: Metric) -> str:
    return f"{metric.factor * finding.margin:g}"


def _narrow(table: Table) -> Table:
    """Return the table with the names of the metrics and the headings in short lines."""
    headings = tuple(textwrap.fill(heading, _NARROW, break_long_words=False) for heading in table.headings)
    rows = [(textwrap.fill(row[0], _NARROW, break_long_words=False), *row[1:]) for row in table.rows]
    return replace(table, headings=headings, rows=rows)


def _short(row: tuple[str, ...]) -> tuple[str, ...]:
    return row[0], *row[2:]


def _label(metric: Metric) -> str:
    return f"{metric.words}, {metric.unit}" if metric.unit else metric.words


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{significant(value)}"


def _why(own: list[Finding], code: int, metrics: Mapping[str, Metric]) -> str:
    limits = in_words(list(dict.fromkeys(margin(each, metrics[each.metric]) for each in own)))
    s = "" if len(own) == 1 else "s"
    if code == BETTER:
        return "on the good side of 0"
    if code == NOT_WORSE:
        return f"within the margin{s} of {limits}"
    if code == WORSE:
        return f"beyond the margin{s} of {limits}"
    said = f"on both sides of the margin{s} of {limits}"
    return f"{said}; {more(own[0])}" if len(own) == 1 else said


def _how(judgement: Judgement) -> str:
    first = judgement.findings[0]
    said = [counted(first.n, first.unit)] if judgement.stop is None else []
    if helped := max(each.unlabelled for each in judgement.findings):
        said = [f"{said[0]} with a label and {helped:,} without"]
    if not judgement.is_exact:
        said.append(f"{level(judgement.confidence)} %")
    return ", ".join(said or ["plain comparison"])


def _levels(finding: Finding) -> str:
    levels = [level(round(100 * each, 2) / 100) for each in (finding.level_low, finding.level_high)]
    return f"{levels[0]} %" if levels[0] == levels[1] else f"lower end {levels[0]} %, upper end {levels[1]} %"


def _p(finding: Finding) -> str:
    assert finding.p is not None
    assert finding.p_holm is not None
    said = f"p {in_p(finding.p)} of no difference"
    said = said if finding.p == finding.p_holm else f"{said} ({in_p(finding.p_holm)} by Holm)"
    if finding.p_flips is None:
        return said
    # The first one takes groups into account that are unlike these.
    room = "" if finding.unseen is None else ", but, unlike the first, allows for no groups unlike these"
    return f"{said}; {by_flips(f'p {in_p(finding.p_flips)}')}{room}"


def in_p(p: float) -> str:
    """Write a p value: ``= 0.012``, ``< 0.0001``."""
    return f"= {p:.2g}" if p >= _SMALLEST_P else f"< {_SMALLEST_P:g}"


def _of_rule(judgement: Judgement, metric: Metric) -> str:
    audit = judgement.audit
    assert audit is not None
    good = f"fails {percent(audit.fails[0])} % of candidates that are exactly as good"
    if audit.threshold:
        twice = metric.tolerance(2 * audit.threshold).removeprefix("±")
        good += f", and passes {percent(1 - audit.fails[2])} % of those that are worse by {twice}"
    return f"With {counted(judgement.findings[0].n, judgement.findings[0].unit)} the rule {audit.rule} {good}."


def _audit_table(judgement: Judgement, metric: Metric) -> Table:
    audit = judgement.audit
    assert audit is not None
    limits = [metric.tolerance(times * audit.threshold).removeprefix("±") for times in (1, 2)]
    names = ["none", *(f"worse by {limit}" for limit in limits)] if audit.threshold else ["none"]
    shares = zip(names, audit.fails, audit.worse, audit.undecided, strict=False)
    rows: list[tuple[str, ...]] = [(name, *(percent(share) for share in own)) for name, *own in shares]
    heading = ("true difference", f"{audit.rule}\nfails, %", "gate with that margin:\nworse, %", "\nundecided, %")
    return Table(f"A rule beside the gate, {counted(audit.draws, 'sample')} each", heading, rows)
