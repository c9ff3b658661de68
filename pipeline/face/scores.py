"""`scores`: rows with a value for each metric, from arrays, a DataFrame or a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from ..errors import BadInput, brief
from ..metric.base import Metric
from ..metric.chosen import MAIN
from ..metric.columns import is_known_column, of_column
from ..metric.together import TOGETHER
from ..sampling.units import units_of
from ..scoring.table import Table
from ..study.together import together_of
from .checks import check_alike, check_names, check_one_of
from .messages import in_python
from .request import request_of
from .scored_rows import ScoredRows

if TYPE_CHECKING:
    import pandas as pd


def scores(
    labels: ArrayLike | pd.DataFrame | str | Path | None = None,
    *,
    logits: Any = None,
    probabilities: Any = None,
    loss: Any = None,
    correct: Any = None,
    group: Any = None,
    by: Any = None,
    weight: Any = None,
    masked: bool = False,
    label: str = "label",
    classes: Sequence[str] | None = None,
    metrics: Sequence[str] = MAIN,
    name: str = "",
) -> ScoredRows:
    """Score rows: from arrays, a DataFrame, or a file of predictions.

    Parameters
    ----------
    labels : array_like of shape (n,), DataFrame, str or Path
        The true classes, 0 … k - 1 or text; or a table, whose columns the other arguments then name. A file is Parquet,
        Arrow, npz, CSV or JSON Lines; its columns are found by their usual names, as ``data=predictions`` finds them.
    logits, probabilities : array_like of shape (n, k) or (n,), or str
        What the model gives; of two classes the one number of class 1 suffices.
    loss, correct : array_like of shape (n,), or str
        Instead of these: the cross-entropy of each row, nats; whether each row is right.
    group : array_like of shape (n,), or str
        Rows of one group were sampled together; intervals then count groups.
    by : array_like of shape (n,), or str
        The slice of each row; `estimate` and `compare` answer for each of them as well.
    weight : array_like of shape (n,), or str
        Of each row in a mean, above 0.
    masked : bool
        Whether a logit may be -inf, which gives its class the probability 0.
    label : str
        The column of the true classes in a table.
    classes : sequence of str or None
        The names of the classes, in the order of the logits, where `labels` are names.
    metrics : sequence of str
        What is evaluated: ``loss``, ``accuracy``, ``brier``, ``top_5``, ``squared_error``; and of all rows together
        ``balanced_accuracy``, ``macro_f1``, ``auc``, ``ece``, of which `estimate`, `compare` and `gate` answer.
    name : str
        For display; a file has its own.

    Returns
    -------
    ScoredRows

    Raises
    ------
    BadInput
        If rows, columns and metrics do not go together, or a value is none.

    Examples
    --------
    >>> import pipeline as bs
    >>> pets = bs.scores(["cat", "dog"], probabilities=[[0.75, 0.25], [0.5, 0.5]], classes=["cat", "dog"])
    >>> pets.values("loss").round(4).tolist()
    [0.2877, 0.6931]
    >>> bs.scores(loss=[0.1, 0.2, 0.3], correct=[True, True, False])
    <sample: 3 rows of loss, accuracy>
    """
    given = {"logits": logits, "probabilities": probabilities, "loss": loss, "correct": correct}
    check_names(metrics, "metrics")
    check_one_of(given)
    check_alike(labels=labels, **given, group=group, by=by, weight=weight)
    with in_python():
        table = Table.of(labels, {key: value for key, value in given.items() if value is not None}, name)
        chosen, together = _chosen(metrics), together_of(metrics)
        rows, found, known = table.scored(
            chosen,
            label=label,
            classes=classes,
            masked=masked,
            group=table.column(group, "group"),
            weight=table.column(weight, "weight"),
            together=list(together),
        )
        if together and rows.weights is not None:
            raise BadInput(
                f"metrics of all rows together take rows that count alike; found weight and {', '.join(together)}: "
                "leave one of them out"
            )
        slices = table.column(by, "by")
        if slices is not None and slices.shape != (len(rows),):
            raise BadInput(f"by must have a value for each of the {len(rows):,} rows; found shape {slices.shape}")
    columns = {"group": group, "weight": weight, "by": by}
    own = {"classes": None if classes is None else list(classes), "masked": masked}
    request = request_of(table, {"label": label, **given}, columns, own, {**chosen, **together})
    return ScoredRows(found, known, rows, units_of(rows), table.name, slices, together, request)


def _chosen(names: Sequence[str]) -> dict[str, Metric]:
    unknown = [name for name in names if not is_known_column(name)]
    if unknown or not names:
        raise BadInput(
            f"metrics must name such as loss, accuracy, brier, top_5 or squared_error; found "
            f"{brief(unknown[0]) if unknown else 'none'}: name another"
        )
    chosen = {name: of_column(name) for name in names if name not in TOGETHER}
    if not chosen:
        raise BadInput(
            f"metrics must name one of a row besides those of all rows together, such as loss or accuracy; found "
            f"{', '.join(names)}: add one"
        )
    return chosen
