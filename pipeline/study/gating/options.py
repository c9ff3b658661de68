"""The options of a gate that are checked before anything is read."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from ...errors import BadInput
from ...metric.base import Metric
from ...metric.chosen import MAIN
from ...metric.columns import none_of, of_column
from ...metric.together import TOGETHER

ROWS = ("all", "as_needed")


def check_margin(name: str, given: float | None, example: float | None) -> None:
    """Refuse a metric without a margin, and a margin that is none.

    Parameters
    ----------
    name : str
        The metric's column.
    given, example : float or None
        The margin as configured, and the one of a demonstration.

    Raises
    ------
    BadInput
        If there is none, or it is below 0.
    """
    if given is None and example is None:
        plus = "" if name in (*MAIN, *TOGETHER) else "+"
        raise BadInput(
            f"study.margin.{name} must say by how much the {of_column(name).words} may be worse and still pass; "
            f"found none: add {plus}study.margin.{name}={'0.01' if name == 'accuracy' else '0.02'}, or 0, or leave "
            f"{name} out of study.on"
        )
    if given is not None and not 0 <= given < math.inf:
        raise BadInput(f"study.margin.{name} must be a number of at least 0; found {given:g}")


def check_metrics(
    on: Collection[str],
    given: Mapping[str, float | None],
    margins: Mapping[str, float],
    named: Collection[str],
    known: Mapping[str, Metric],
) -> None:
    """Refuse metrics that are not evaluated, and margins that leave nothing to be seen.

    Parameters
    ----------
    on, given
        The metrics that are asked for, and the margins as configured.
    margins : mapping of str to float
        Those that count, by the metrics asked for.
    named : collection of str
        The columns of the metrics that are evaluated.
    known : mapping of str to Metric
        Those of them that there are values of.

    Raises
    ------
    BadInput
        If there are such.
    """
    unknown = [("on", name) for name in on if name not in named]
    unknown += [("margin", name) for name in given if name not in named and given[name] is not None]
    for key, name in unknown:
        raise BadInput(none_of(f"study.{key}", name, known))
    for name in on:
        if name in known and known[name].is_better_low is None:
            raise BadInput(
                f"study=gate must know on which side the {known[name].words} is better; found nothing said: add "
                "data.better=low or data.better=high"
            )
        if name in known and (known[name].is_share or known[name].is_together) and margins[name] >= 1:
            raise BadInput(f"study.margin.{name} must be a fraction below 1; found {margins[name]:g}")


def check_options(rows: str, *, block: int, max_rows: int | None, loss_range: float | None, audit: str | None) -> None:
    """Refuse wrong options of the rows, and such as have no part in what is asked.

    Raises
    ------
    BadInput
        If there are such.
    """
    if rows not in ROWS:
        raise BadInput(f"study.rows must be one of {', '.join(ROWS)}; found {rows!r}")
    if block < 1:
        raise BadInput(f"study.block must be a whole number of at least 1; found {block}")
    if max_rows is not None and max_rows < 1:
        raise BadInput(f"study.max_rows must be a whole number of at least 1 or null; found {max_rows}")
    if loss_range is not None and not 0 < loss_range < math.inf:
        raise BadInput(f"study.loss_range must be above 0 nats and finite, such as 2; found {loss_range:g}")
    if rows == "all":
        if max_rows is not None:
            raise BadInput(f"study.max_rows must go with study.rows=as_needed; found {max_rows:g} with study.rows=all")
        if audit is not None and loss_range is not None:
            raise BadInput(
                f"study.audit must go without study.loss_range; found {audit} and {loss_range:g}: leave one of them out"
            )
    elif audit is not None:
        raise BadInput(f"study.audit must go with study.rows=all; found {audit} with study.rows={rows}: leave it out")


def check_unlabelled(*, has_candidate: bool, rows: str, loss_range: float | None, target: str) -> None:
    """Refuse options with which rows without a label cannot count.

    Raises
    ------
    BadInput
        If there are such.
    """
    for what, is_there in (
        ("a candidate; found none in study.against", not has_candidate),
        (f"study.rows=all; found {rows}", rows != "all"),
        ("study.loss_range=null, for no promise holds at every number of them; found one", loss_range is not None),
        (f"interval.target=superpopulation; found {target}", target != "superpopulation"),
    ):
        if is_there:
            raise BadInput(f"rows without a label must go with {what}: change it, or leave these rows out")


def check_as_needed(*, is_many: bool, has_slices: bool, has_groups: bool, together: str) -> None:
    """Refuse what cannot be asked of rows that are evaluated as needed.

    Parameters
    ----------
    is_many, has_slices, has_groups : bool
        Whether there are several candidates, slices, and groups of rows.
    together : str
        A metric of all rows together that is asked for; empty where there is none.

    Raises
    ------
    BadInput
        If there is one of these.
    """
    for what, is_there in (
        ("one candidate; found several in study.against", is_many),
        ("no slices; found data.by", has_slices),
        ("rows that are independent; found data.group", has_groups),
        (f"metrics of a row, for of all rows together no sequence holds at every look; found {together}", together),
    ):
        if is_there:
            raise BadInput(f"study.rows=as_needed must have {what}: leave study.rows out")
