"""Which columns of a table are what: logits, probabilities or scores, and labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.data.archive import brief
from pipeline.data.shards.base import Column
from pipeline.errors import BadInput

# What each kind of prediction is called, where no name is given: a list column, or the stem of numbered ones.
_USUAL = {"logits": ("logits", "logit"), "probabilities": ("probabilities", "probability")}
_USUAL_INPUTS = ("inputs", "input", "x")


@dataclass(frozen=True)
class Layout:
    """Which columns are what.

    Attributes
    ----------
    gives : str
        ``logits``, ``probabilities``, or ``scores``.
    columns : tuple of str
        One list column, or one a class in order; of scores one a metric.
    label : str or None
        The labels' column.
    width : int
        Numbers in a row: the classes k, or the metrics.
    is_binary : bool
        Whether one column stands for two classes: the logit or the probability of class 1.
    metrics : tuple of str
        Of scores: ``loss``, ``accuracy``.
    """

    gives: str
    columns: tuple[str, ...]
    label: str | None
    width: int
    is_binary: bool = False
    metrics: tuple[str, ...] = ()

    @property
    def n_classes(self) -> int:
        """The classes k; 0 where there are scores alone."""
        return 0 if self.gives == "scores" else self.width

    @property
    def wanted(self) -> list[str]:
        """The columns to read."""
        return [*self.columns, *([] if self.label is None else [self.label])]


@dataclass(frozen=True)
class Inputs:
    """Which columns are a model's inputs.

    Attributes
    ----------
    columns : tuple of str
        One list column, or one an input in order.
    label : str
        The labels' column.
    width : int
        Inputs in a row.
    """

    columns: tuple[str, ...]
    label: str
    width: int

    @property
    def wanted(self) -> list[str]:
        """The columns to read."""
        return [*self.columns, self.label]


def layout_of(
    columns: Mapping[str, Column],
    *,
    where: str,
    logits: str | None = None,
    probabilities: str | None = None,
    label: str = "label",
    loss: str = "loss",
    correct: str = "correct",
) -> Layout:
    """Find out what the columns of a table are, by the names given or the usual ones.

    Parameters
    ----------
    columns : mapping of str to Column
        The table's.
    where : str
        What the table is, for errors.
    logits, probabilities : str or None
        A list column, or the stem of NAME_0 … NAME_{k-1}, or one number a row: that of class 1 of two. None looks for
        ``logits`` or ``logit_0`` …, then ``probabilities``, ``probability_0`` … or ``probability``.
    label, loss, correct : str
        Columns.

    Raises
    ------
    BadInput
        If there are no predictions, or a column has a wrong type.
    """
    label = _usual_label(columns, label)
    if logits is not None and probabilities is not None:
        raise BadInput(
            f"predictions must be logits or probabilities; found {logits} and {probabilities}: leave one out"
        )
    for gives, named in (("logits", logits), ("probabilities", probabilities)):
        names = _USUAL[gives] if named is None else (named,)
        asked, found = next(((n, cs) for n in names if (cs := _of_name(columns, n, where))), ("", ()))
        if named is not None and not found:
            raise BadInput(
                f"data.{gives}={named} must be a column of {where}, or the stem of {named}_0, {named}_1 …; found the "
                f"columns {_listed(columns)}: name another"
            )
        is_other_named = (probabilities if gives == "logits" else logits) is not None
        if found and not is_other_named:
            return _with_classes(columns, gives, found, asked=asked, label=label, where=where)
    return _scores(columns, {"loss": loss, "accuracy": correct}, label, where)


def inputs_of(columns: Mapping[str, Column], *, where: str, inputs: str | None = None, label: str = "label") -> Inputs:
    """Find out which columns of a table are a model's inputs, by the names given or the usual ones.

    Parameters
    ----------
    columns : mapping of str to Column
        The table's.
    where : str
        What the table is, for errors.
    inputs : str or None
        A list column, the stem of NAME_0 …, or names with commas between them. None looks for ``inputs``,
        ``inputs_0`` …, ``input_0`` …, ``x`` and ``x_0`` ….
    label : str
        A column.

    Raises
    ------
    BadInput
        If there are none, or a column has a wrong type.
    """
    label = _usual_label(columns, label)
    if inputs is not None and inputs not in columns and "," in inputs:
        found = tuple(name.strip() for name in inputs.split(","))
        missing = [name for name in found if name not in columns]
    else:
        names = _USUAL_INPUTS if inputs is None else (inputs,)
        found = next(filter(None, (_of_name(columns, name, where) for name in names)), ())
        missing = [] if found else [inputs or "inputs, input_0 …, x or x_0 …"]
    if missing:
        raise BadInput(
            f"data.inputs must name columns of {where}: a list, the stem of NAME_0 …, or names with commas between "
            f"them; found no {brief(missing[0])} among the columns {_listed(columns)}: name others"
        )
    if label in found or len(set(found)) != len(found):
        raise BadInput(f"data.inputs must name each column once, and not the label's; found {brief(', '.join(found))}")
    for name in found:
        column = columns[name]
        if column.kind not in "fiub" or (len(found) > 1 and column.width is not None) or column.width == 0:
            raise BadInput(
                f"the column {brief(name)!r} of {where} must hold numbers; found {brief(column.words)}: leave it out, "
                "or give it as numbers"
            )
    _check_label(columns, label, where)
    return Inputs(found, label, columns[found[0]].width or len(found))


def _usual_label(columns: Mapping[str, Column], label: str) -> str:
    return "labels" if label == "label" and label not in columns and "labels" in columns else label


def _of_name(columns: Mapping[str, Column], name: str, where: str) -> tuple[str, ...]:
    if name in columns:
        return (name,)
    numbered = {int(m[1]): c for c in columns if (m := re.fullmatch(re.escape(name) + r"_(\d{1,7})", c))}
    if not numbered:
        return ()
    if sorted(numbered) != list(range(len(numbered))):
        missing = next(i for i in range(len(numbered)) if i not in numbered)
        raise BadInput(f"{where} must have a column a class, from {name}_0 on; found no {name}_{missing}: name them so")
    return tuple(numbered[i] for i in range(len(numbered)))


def _with_classes(
    columns: Mapping[str, Column], gives: str, names: tuple[str, ...], *, asked: str, label: str, where: str
) -> Layout:
    first = columns[names[0]]
    for name in names:
        column = columns[name]
        if column.kind not in "fiu" or (len(names) > 1 and column.width is not None):
            raise BadInput(
                f"the column {brief(name)!r} of {where} must hold numbers; found {brief(column.words)}: give "
                f"{gives} as numbers"
            )
    # One numbered column alone is a class of which the others are missing.
    is_binary = len(names) == 1 and first.width is None and names[0] == asked
    width = 2 if is_binary else first.width if first.width is not None else len(names)
    if width < 2:
        raise BadInput(
            f"the column {brief(names[0])!r} of {where} must tell at least 2 classes apart; found {width} values a "
            "row: give one a class, or one number a row for class 1 of two"
        )
    _check_label(columns, label, where)
    return Layout(gives, names, label, width, is_binary)


def _check_label(columns: Mapping[str, Column], label: str, where: str) -> None:
    if label not in columns:
        raise BadInput(
            f"data.label={label} must be a column of {where}; found the columns {_listed(columns)}: name the labels' "
            "with data.label=COLUMN"
        )
    column = columns[label]
    if column.width is not None or column.kind not in "iub":
        remedy = ", such as by astype(int)" if column.kind == "f" and column.width is None else ""
        raise BadInput(
            f"the label column {brief(label)!r} of {where} must hold whole numbers, the classes from 0; found "
            f"{brief(column.words)}: number the classes, as integers{remedy}"
        )


def _scores(columns: Mapping[str, Column], names: dict[str, str], label: str, where: str) -> Layout:
    found = {metric: name for metric, name in names.items() if name in columns}
    if not found:
        raise BadInput(
            f"{where} must have predictions (logits, logit_0 …, probabilities, probability_0 … or probability) or "
            f"scores (loss, correct); found the columns {_listed(columns)}: name yours, such as data.logits=COLUMN"
        )
    for metric, name in found.items():
        wanted = "iufb" if metric == "accuracy" else "iuf"
        if columns[name].width is not None or columns[name].kind not in wanted:
            raise BadInput(
                f"the column {brief(name)!r} of {where} must hold "
                f"{'true or false, or 1 or 0' if metric == 'accuracy' else 'numbers, nats'}; found "
                f"{brief(columns[name].words)}: give another"
            )
    has_label = label in columns and columns[label].width is None and columns[label].kind in "iub"
    return Layout("scores", tuple(found.values()), label if has_label else None, len(found), metrics=tuple(found))


def _listed(columns: Mapping[str, Column]) -> str:
    names = [brief(name) for name in columns]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
