"""A proxy from an earlier model's scores of the same rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from ..data.base import Data
from ..data.formats.base import Source
from ..data.predictions import Predictions
from ..errors import BadInput
from ..model.base import Classifier
from ..model.given import Given
from ..records.rows import Population
from ..runtime import files
from ..sampling.frame import Guess
from ..scoring.rows import score
from .base import Proxy
from .uncertainty import confidence_and_entropy

_NO_COLUMN = " none "


@dataclass
class Scores(Proxy):
    """Difficulty is an earlier model's loss on the same rows: its predictions with labels, or its losses and hits.

    Rows are matched by ``data.id``, or a column ``id`` that both files have, else by their order. A row that the
    earlier model has not scored gets what the model itself expects, or the others' mean where it has no probabilities.

    Attributes
    ----------
    path : str
        A file as ``data=predictions`` reads it.
    """

    name: str = "scores"
    path: str = ""

    has_units: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.path.strip():
            raise BadInput("proxy.path must name a file of an earlier model's scores; found none: add proxy.path=FILE")
        if "://" not in self.path:
            self.path = files.absolute(self.path)

    def content(self, dataset: Population, classifier: Classifier, *, data: Data) -> str:
        """Return the digest of the file's content."""
        return self._rows(self._unlabelled(None))[0].digest

    def known(self, dataset: Population, *, data: Data) -> int:
        """Return how many of the N rows the earlier model has scored."""
        earlier = self._earlier()
        rows, _ = self._rows(earlier)
        return int((_places(data, earlier, len(dataset), len(rows)) >= 0).sum())

    def guess(self, dataset: Population, classifier: Classifier, *, data: Data) -> Guess:
        """Return the earlier losses, nats, as the difficulty and the guess of the loss, and the earlier hits.

        Where the file has losses alone, e to the power of minus the loss stands for the hit; where it has hits alone, 1
        for an error stands for the loss.

        Raises
        ------
        BadInput
            If the file cannot be read, has an infinite loss, or holds other rows.
        """
        earlier = self._earlier()
        rows, built = self._rows(earlier)
        found = score(built, rows)
        loss = found.values("loss") if "loss" in found.metrics else 1 - found.values("accuracy")
        right = found.values("accuracy") if "accuracy" in found.metrics else np.exp(-loss)
        if not np.isfinite(loss).all():
            row = int((~np.isfinite(loss)).argmax())
            raise BadInput(
                f"proxy.path must hold finite losses; found an infinite one in {rows.where(row)}: mend or remove that "
                "row, or choose another proxy"
            )
        places = _places(data, earlier, len(dataset), len(rows))
        instead: tuple[Any, Any] = (loss.mean(), right.mean())
        if (places < 0).any() and classifier.gives in ("logits", "probabilities"):
            instead = confidence_and_entropy(classifier, dataset)[::-1]
        loss, right = (
            np.where(places < 0, other, values[places]) for values, other in zip((loss, right), instead, strict=True)
        )
        return Guess(loss, loss, right)

    def chances(self, data: Predictions, names: tuple[str, ...] | None, n_classes: int) -> NDArray[np.float64]:
        """Return the chance of each class in each row of some predictions, as the file's own predictions say it.

        The file needs no labels. Predicted labels, such as a judge's, have the chance 1.

        Parameters
        ----------
        data : Predictions
            The rows, with a label or without.
        names : tuple of str, or None
            Of the classes.
        n_classes : int
            k.

        Returns
        -------
        ndarray of float64, shape (n, k)

        Raises
        ------
        BadInput
            If the file has scores alone, other classes or other rows.
        """
        earlier = self._unlabelled(names)
        rows, built = self._rows(earlier)
        inputs = rows.take(_places_in(data, earlier, len(rows))).inputs
        if built.gives == "labels":
            return np.asarray(inputs[:, :1] == np.arange(n_classes), dtype=np.float64)
        if built.gives == "scores" or inputs.shape[1] != n_classes:
            raise BadInput(
                f"proxy.path must hold predictions of the {n_classes:,} classes, to say what two models differ by; "
                f"found {built.gives if built.gives == 'scores' else f'{inputs.shape[1]:,} classes'}: name another file"
            )
        found = np.asarray(inputs, dtype=np.float64)
        return scipy.special.softmax(found, axis=1) if built.gives == "logits" else found

    def _unlabelled(self, names: tuple[str, ...] | None) -> Predictions:
        # By no column's name, for a judge's file may have one of labels that are still missing.
        return Predictions(
            path=self.path, label=_NO_COLUMN, labelled=False, classes=None if names is None else list(names)
        )

    def _earlier(self) -> Predictions:
        return Predictions(path=self.path)

    def _rows(self, earlier: Predictions) -> tuple[Population, Classifier]:
        try:
            return earlier.rows("test"), Given().built(earlier)
        except BadInput as error:
            raise BadInput(f"proxy.path: {error}") from error


def _places_in(data: Predictions, earlier: Predictions, n_earlier: int) -> NDArray[np.intp]:
    """The place of each row in the file, which has all of them."""
    places, whole = data.places, replace(data, unlabelled_rows="refused", labelled=False)
    if data.id or ("id" in data.source.columns and "id" in earlier.source.columns):
        places = _places(data, earlier, len(places), n_earlier)
    elif n_earlier != len(whole.source):
        raise BadInput(
            f"proxy.path must have predictions of all {len(whole.source):,} rows, in their order; found {n_earlier:,} "
            f"in {earlier.path}: give both files a column of ids, and name it with data.id"
        )
    if (places < 0).any():
        raise BadInput(
            f"proxy.path must have predictions of every row; found none of {int((places < 0).sum()):,} in "
            f"{earlier.path}: add them"
        )
    return np.asarray(places, dtype=np.intp)


def _places(data: Data, earlier: Predictions, n_rows: int, n_earlier: int) -> NDArray[np.intp]:
    """The place of each row in the earlier file, -1 where it is not in it."""
    named = getattr(data, "id", None)
    source: Source | None = getattr(data, "source", None)
    column = named or "id"
    both = [each is not None and column in each.columns for each in (source, earlier.source)]
    if all(both):
        return _matched(data.column(data.split, column, key="data.id"), earlier, column)
    if named:
        raise BadInput(
            f"proxy.path must have the column data.id={named}, by which rows are matched; found none in "
            f"{earlier.path}: add it, or leave data.id out where the rows are in the same order"
        )
    if n_earlier != n_rows:
        raise BadInput(
            f"proxy.path must have a score for each of the {n_rows:,} rows, in their order; found {n_earlier:,} rows "
            f"in {earlier.path}: give both files a column of ids, and name it with data.id"
        )
    return np.arange(n_rows)


def _matched(ids: NDArray[Any], earlier: Predictions, column: str) -> NDArray[np.intp]:
    # As texts, for one file may have them as numbers and the other as texts.
    known = pd.Index(earlier.column("test", column, key="data.id").astype(str))
    if known.has_duplicates:
        again = known[known.duplicated()][0]
        raise BadInput(f"{column} of {earlier.path} must name each row once; found {again} twice: leave one out")
    found = known.get_indexer(pd.Index(ids.astype(str)))
    if not (found >= 0).any():
        raise BadInput(
            f"proxy.path must hold scores of the same rows; found none of their {column} in {earlier.path}: name "
            "another file"
        )
    return np.asarray(found, dtype=np.intp)
