"""A scikit-learn classifier from a .skops file, without pickle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import files
from pipeline.data.archive import brief
from pipeline.data.base import Data
from pipeline.errors import BadInput
from pipeline.model.base import Model
from pipeline.model.weights import Outside, library, named, outside, read_file

_WHAT = "a .skops file"


@dataclass
class Sklearn(Model):
    """A fitted classifier or pipeline, as ``skops.io.dump`` saves it; its classes are the integers 0 … k - 1.

    With ``predict_proba`` it gives probabilities. Without, it gives labels, so there is an accuracy and no loss: what
    ``decision_function`` returns are distances from planes (LinearSVC, RidgeClassifier), and no logits.

    Attributes
    ----------
    path : str
        The .skops file.
    trusted : list of str
        Types in the file, by their full names, that may be made though skops does not know them as harmless: they may
        run any code.
    """

    name: str = "sklearn"
    path: str = ""
    trusted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path = named(self.path, what=_WHAT)

    def build(self, data: Data) -> Outside:
        """Load the classifier; rows are given to it as ``float64``.

        Raises
        ------
        BadInput
            If the extra is not installed, the file is missing or damaged, it holds types that are not trusted, or what
            is in it is no classifier of the data's classes.
        """
        path = Path(self.path)
        content = read_file(path, what=_WHAT)
        skops = library("skops", extra="sklearn")
        estimator = self._loaded(library("skops.io", extra="sklearn"), content, path)
        if not hasattr(estimator, "predict"):
            raise BadInput(
                f"{path} must hold a classifier; found {type(estimator).__name__}: save a fitted classifier or pipeline"
            )
        _on_one_core(estimator)
        run, gives = _run(estimator, data, path)
        return outside(
            run,
            data,
            shaping=["sklearn", files.content_digest(content), self.trusted, skops.__version__, _version()],
            where=str(path),
            gives=gives,
            n_inputs=getattr(estimator, "n_features_in_", None),
            dtype=np.float64,
        )

    def _loaded(self, io: Any, content: bytes, path: Path) -> Any:
        try:
            unknown = [found for found in io.get_untrusted_types(data=content) if found not in self.trusted]
            if unknown:
                raise BadInput(
                    f"{path} must hold known types, or those in model.trusted; found {brief(', '.join(unknown))}: add "
                    "them to model.trusted if you trust the file, for they may run any code"
                )
            return io.loads(content, trusted=list(self.trusted))
        except BadInput:
            raise
        # A damaged file may raise anything that a zip, its JSON or an estimator's own state may.
        except Exception as error:
            raise BadInput(
                f"{path} must be a whole .skops file; found: {brief(error) or type(error).__name__}: save it again "
                "with skops.io.dump"
            ) from error


def _run(estimator: Any, data: Data, path: Path) -> tuple[Callable[[NDArray[Any]], NDArray[Any]], str]:
    """How rows are put through the estimator, and what comes out."""
    columns = getattr(estimator, "feature_names_in_", None)

    def prepared(rows: NDArray[Any]) -> Any:
        if columns is None:
            return rows
        import pandas as pd

        # Without the names that it was fitted with, it warns at every block.
        return pd.DataFrame(rows, columns=columns, copy=False)

    if not hasattr(estimator, "predict_proba"):
        if not hasattr(estimator, "classes_"):
            raise BadInput(
                f"{path} must hold a classifier that is fitted; found {type(estimator).__name__} without classes: save "
                "a fitted classifier"
            )
        return lambda rows: estimator.predict(prepared(rows)), "labels"
    order = _order(getattr(estimator, "classes_", None), data.rows(data.split).n_classes, path)
    return lambda rows: estimator.predict_proba(prepared(rows))[:, order], "probabilities"


def _order(classes: Any, n_classes: int, path: Path) -> NDArray[np.intp]:
    """Which column is whose class, by class."""
    try:
        found = np.asarray(classes, dtype=np.float64)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.ndim != 1 or not len(found) or not (found % 1 == 0).all():
        raise BadInput(
            f"{path} must have the classes 0 to {n_classes - 1} as integers; found {brief(classes)}: fit it to such "
            "labels"
        )
    wanted = np.arange(max(n_classes, len(found)))
    missing = np.setdiff1d(wanted, found)
    if len(missing):
        raise BadInput(
            f"{path} must know every class, 0 to {wanted[-1]}; found none of {brief(missing.tolist())} among its "
            f"classes {brief(np.asarray(classes).tolist())}: fit it to rows of every class"
        )
    return np.argsort(found)


def _on_one_core(estimator: Any) -> None:
    # The blocks are on all cores already; and threads of a forest add up its trees in the order in which they end.
    if hasattr(estimator, "get_params"):
        jobs = [key for key in estimator.get_params() if key.rpartition("__")[2] == "n_jobs"]
        estimator.set_params(**dict.fromkeys(jobs, 1))


def _version() -> str:
    import sklearn

    return str(sklearn.__version__)
