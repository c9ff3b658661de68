"""Find the columns of a table that hold predictions and labels, by their names and types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import BadInput, brief
from .class_columns import prediction_columns
from .columns import check_label, label_column, listed
from .formats.base import Column


@dataclass(frozen=True)
class Layout:
    """The columns of predictions and labels.

    Attributes
    ----------
    gives : str
        The kind of predictions: ``logits``, ``probabilities``, ``scores``, or ``labels`` for predicted labels.
    columns : tuple of str
        One list column, or one column a class in order; for scores, one column a metric.
    label : str or None
        The column of labels.
    width : int
        Numbers in a row: the number of classes k, or of metrics.
    is_binary : bool
        Whether there are two classes and one column, with the logit or the probability of class 1.
    metrics : tuple of str
        The metrics of scores: ``loss``, ``accuracy`` or both; or ``value``, any numbers.
    class_names : tuple of str or None
        The names of the classes; None if they have numbers alone.
    n_labels : int
        The number of classes k of predicted labels; 0 until the labels have been read, if their names are not given.
    is_numbered : bool
        Whether the file itself says that numbers in its labels are those of the classes, counted from 0; numbers are
        then never matched to names such as ``1``.
    """

    gives: str
    columns: tuple[str, ...]
    label: str | None
    width: int
    is_binary: bool = False
    metrics: tuple[str, ...] = ()
    class_names: tuple[str, ...] | None = None
    n_labels: int = 0
    is_numbered: bool = False

    @property
    def n_classes(self) -> int:
        """The number of classes k; 0 if there are only scores."""
        if self.gives == "labels":
            return self.n_labels
        return 0 if self.gives == "scores" else self.width

    @property
    def wanted(self) -> list[str]:
        """The columns to read."""
        return [*self.columns, *([] if self.label is None else [self.label])]


def layout_of(
    columns: Mapping[str, Column],
    *,
    where: str,
    logits: str | None = None,
    probabilities: str | None = None,
    label: str = "label",
    loss: str = "loss",
    correct: str = "correct",
    prediction: str | None = None,
    value: str | None = None,
    classes: Sequence[str] | None = None,
    labelled: bool = True,
) -> Layout:
    """Return the columns of predictions and labels, found by the given or the default names.

    Parameters
    ----------
    columns : mapping of str to Column
        The columns of the table, by name.
    where : str
        The name of the table, for messages.
    logits, probabilities : str or None
        A list column, or NAME for the columns NAME_0 … NAME_{k-1} or NAME_CLASS, or a column of one number a row, for
        class 1 of two. None looks for ``logits`` or ``logit_0`` …, then ``probabilities``, ``probability_0`` … or
        ``probability``.
    label, loss, correct : str
        Names of columns.
    prediction : str or None
        The column of predicted labels. None looks for ``prediction`` if there are no other predictions and no scores.
    value : str or None
        A column of any numbers, which is then all that is read of a row.
    classes : sequence of str or None
        The names of the classes in order; None takes them from the type of the labels' column, or else from the names
        of the columns, if these name classes.
    labelled : bool
        Whether classes are refused where there is no column of labels.

    Raises
    ------
    BadInput
        If there are no predictions, or a column has the wrong type.
    """
    label = label_column(columns, label)
    if value is not None:
        others = {"logits": logits, "probabilities": probabilities, "prediction": prediction}
        return _value_layout(columns, value, label, where, [name for name, given in others.items() if given])
    if classes is None and label in columns and columns[label].class_names is not None:
        numbered = layout_of(
            columns,
            where=where,
            logits=logits,
            probabilities=probabilities,
            label=label,
            loss=loss,
            correct=correct,
            prediction=prediction,
            classes=columns[label].class_names,
            labelled=labelled,
        )
        return replace(numbered, is_numbered=True)
    if logits is not None and probabilities is not None:
        raise BadInput(
            f"predictions must be logits or probabilities; found {logits} and {probabilities}: leave one out"
        )
    truth = label if labelled or label in columns else None
    if prediction is not None:
        return _prediction_layout(columns, prediction, classes, label=truth, where=where)
    has_texts = label in columns and columns[label].kind == "U"
    for gives, named in (("logits", logits), ("probabilities", probabilities)):
        stem, found = prediction_columns(columns, gives, named, where, classes, has_texts=has_texts)
        is_other_named = (probabilities if gives == "logits" else logits) is not None
        if found and not is_other_named:
            return _class_layout(columns, gives, found, stem=stem, label=truth, where=where, classes=classes)
    scores = {"loss": loss, "accuracy": correct}
    if "prediction" in columns and not set(scores.values()) & set(columns):
        return _prediction_layout(columns, "prediction", classes, label=truth, where=where)
    return _score_layout(columns, scores, label, where)


def _class_layout(
    columns: Mapping[str, Column],
    gives: str,
    names: tuple[str, ...],
    *,
    stem: str,
    label: str | None,
    where: str,
    classes: Sequence[str] | None,
) -> Layout:
    first = columns[names[0]]
    for name in names:
        column = columns[name]
        if column.kind not in "fiu" or (len(names) > 1 and column.width is not None):
            in_columns = f", such as in columns {name}_0, {name}_1 …, or as lists in Parquet"
            raise BadInput(
                f"the column {brief(name)!r} of {where} must hold numbers; found {brief(column.type_name)}: give "
                f"{gives} as numbers{in_columns if column.kind == 'U' and names == (stem,) else ''}"
            )
    # NAME_0 alone is not such a column: the other classes are missing.
    is_binary = len(names) == 1 and first.width is None and names[0] == stem
    width = 2 if is_binary else first.width if first.width is not None else len(names)
    if width < 2:
        raise BadInput(
            f"the column {brief(names[0])!r} of {where} must have at least 2 classes; found {width} values a "
            "row: give one a class, or one number a row for class 1 of two"
        )
    if classes is None and len(names) > 1 and names != tuple(f"{stem}_{i}" for i in range(width)):
        classes = [name.removeprefix(f"{stem}_") for name in names]
    if classes is not None and len(classes) != width:
        raise BadInput(
            f"the {gives} of {where} must have one value for each class; found {width} values and {len(classes)} "
            f"names of classes ({brief(', '.join(classes))}): give {width} names with data.classes=[…]"
        )
    if label is not None:
        check_label(columns, label, where)
    if classes is None and label is not None and columns[label].kind == "U":
        raise BadInput(
            f"the label column {brief(label)!r} of {where} must hold class numbers, or the classes must have names; "
            f"found {brief(columns[label].type_name)}: give the names in the order of the {gives}, such as "
            "data.classes=[cat,dog]"
        )
    return Layout(gives, names, label, width, is_binary, class_names=None if classes is None else tuple(classes))


def _prediction_layout(
    columns: Mapping[str, Column], name: str, classes: Sequence[str] | None, *, label: str | None, where: str
) -> Layout:
    """Return the layout of predicted labels, which are numbers or texts as the true ones are."""
    if name not in columns:
        raise BadInput(
            f"data.prediction={name} must be a column of {where}; found the columns {listed(columns)}: name another"
        )
    for each in filter(None, (label, name)):
        check_label(columns, each, where, key="label" if each == label else "prediction")
    if label is not None and (columns[name].kind == "U") != (columns[label].kind == "U") and classes is None:
        raise BadInput(
            f"the columns {brief(label)!r} and {brief(name)!r} of {where} must both be texts or both be numbers; found "
            f"{brief(columns[label].type_name)} and {brief(columns[name].type_name)}: write both alike, or give "
            "data.classes=[…]"
        )
    names = None if classes is None else tuple(classes)
    return Layout("labels", (name,), label, 1, class_names=names, n_labels=len(names or ()))


def with_names(layout: Layout, names: Sequence[str] | None, n_classes: int) -> Layout:
    """Return the layout of predicted labels with the classes that were found in the labels."""
    return replace(layout, class_names=None if names is None else tuple(names), n_labels=n_classes)


def _advised(columns: Mapping[str, Column]) -> str:
    """Return the option that names columns such as p_cat and p_dog, by what they begin with; else an example."""
    found = Counter(
        name.rpartition("_")[0] for name, column in columns.items() if column.kind in "fi" and column.width is None
    )
    stem, number = max(found.items(), key=lambda each: each[1] if each[0] else 0, default=("", 0))
    if number < 2 or not stem:
        return "data.logits=COLUMN"
    kind = "probabilities" if stem.lower().startswith("p") else "logits"
    return f"data.{kind}={stem} for {stem}_CLASS …"


def _score_layout(columns: Mapping[str, Column], names: dict[str, str], label: str, where: str) -> Layout:
    found = {metric: name for metric, name in names.items() if name in columns}
    if not found:
        raise BadInput(
            f"{where} must have predictions (logits, logit_0 …, probabilities, probability_0 …, probability or "
            f"prediction) or scores (loss, correct); found the columns {listed(columns)}: name yours, such as "
            f"{_advised(columns)}"
        )
    for metric, name in found.items():
        wanted = "iufb" if metric == "accuracy" else "iuf"
        if columns[name].width is not None or columns[name].kind not in wanted:
            raise BadInput(
                f"the column {brief(name)!r} of {where} must hold "
                f"{'true or false, or 1 or 0' if metric == 'accuracy' else 'numbers, nats'}; found "
                f"{brief(columns[name].type_name)}: give another"
            )
    return Layout("scores", tuple(found.values()), _whole(columns, label), len(found), metrics=tuple(found))


def _value_layout(columns: Mapping[str, Column], name: str, label: str, where: str, others: Sequence[str]) -> Layout:
    if others:
        raise BadInput(
            f"data.value={brief(name)} must be all that is read of a row; found data.{others[0]} too: leave one out"
        )
    if name not in columns:
        raise BadInput(
            f"data.value={brief(name)} must be a column of {where}; found the columns {listed(columns)}: name another"
        )
    if columns[name].width is not None or columns[name].kind not in "iuf":
        is_truth = columns[name].kind == "b"
        raise BadInput(
            f"the column {brief(name)!r} of {where} must hold one number a row; found "
            f"{brief(columns[name].type_name)}: "
            f"{f'name it with data.correct={brief(name)} instead' if is_truth else 'name another with data.value'}"
        )
    return Layout("scores", (name,), _whole(columns, label), 1, metrics=("value",))


def _whole(columns: Mapping[str, Column], label: str) -> str | None:
    """Return the column of labels, if its values are whole numbers."""
    is_whole = label in columns and columns[label].width is None and columns[label].kind in "iub"
    return label if is_whole else None
