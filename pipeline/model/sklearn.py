"""A scikit-learn classifier from a .skops file, without pickle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..data.base import Data
from ..data.class_names import class_numbers, label_name
from ..errors import BadInput, brief
from ..runtime import files
from .bounded import ProgramModel, bounded
from .external import ExternalClassifier, external_classifier, library


@dataclass
class Sklearn(ProgramModel):
    """A fitted classifier or pipeline, as ``skops.io.dump`` saves it; its classes are the data's, by number or by name.

    A classifier with ``predict_proba`` gives probabilities. One without gives labels, so there is an accuracy and no
    loss: ``decision_function`` (LinearSVC, RidgeClassifier) returns distances from planes, which are not logits.

    Attributes
    ----------
    path : str
        The .skops file.
    trusted : list of str
        Full names of types in the file that may be loaded although skops does not know them as safe: they may run any
        code.
    """

    name: str = "sklearn"
    trusted: list[str] = field(default_factory=list)

    what: ClassVar[str] = "a .skops file"
    knows_names: ClassVar[bool] = True

    def build(self, data: Data) -> ExternalClassifier:
        """Load the classifier; it gets rows as ``float64``.

        Raises
        ------
        BadInput
            If the extra is not installed, the file is missing or damaged, it holds types that are not trusted, or it
            does not hold a classifier of the data's classes.
        """
        path, content = self.read()
        skops = library("skops", extra="sklearn")
        io = library("skops.io", extra="sklearn")
        with bounded(self.memory, path, len(content), data):
            estimator = self._loaded(io, content, path)
            if not hasattr(estimator, "predict"):
                raise BadInput(
                    f"{path} must hold a classifier; found {type(estimator).__name__}: save a fitted classifier or "
                    "pipeline"
                )
            limit_to_one_job(estimator)
            run, gives = _run(estimator, data, path)
            return external_classifier(
                run,
                data,
                seconds=self.seconds,
                shaping=["sklearn", files.content_digest(content), self.trusted, skops.__version__, _version()],
                where=str(path),
                gives=gives,
                shape=(getattr(estimator, "n_features_in_", -1),),
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
    """The function that runs the estimator on rows, and what it gives."""
    columns = getattr(estimator, "feature_names_in_", None)

    def prepared(rows: NDArray[Any]) -> Any:
        if columns is None:
            return rows
        import pandas as pd

        # Without the column names that it was fitted with, the estimator warns at every block.
        return pd.DataFrame(rows, columns=columns, copy=False)

    if not hasattr(estimator, "predict_proba"):
        if not hasattr(estimator, "classes_"):
            raise BadInput(
                f"{path} must hold a classifier that is fitted; found {type(estimator).__name__} without classes: save "
                "a fitted classifier"
            )
        names = _names_of(estimator.classes_, data)
        if names is None:
            return lambda rows: estimator.predict(prepared(rows)), "labels"
        _columns_by_name(estimator.classes_, names, path)
        # A class that the data do not name is refused here, with the model's path.
        return lambda rows: class_numbers(
            np.asarray(estimator.predict(prepared(rows))), names, len(names), source=f"predictions of {path}"
        ), "labels"
    classes = getattr(estimator, "classes_", None)
    names = _names_of(classes, data)
    n_classes = data.rows(data.split).n_classes
    order = _order(classes, n_classes, path) if names is None else _columns_by_name(classes, names, path)
    return lambda rows: estimator.predict_proba(prepared(rows))[:, order], "probabilities"


def _names_of(classes: Any, data: Data) -> tuple[str, ...] | None:
    """Return the names of the data's classes if the model's classes are to be matched to them.

    They are not if the model was fitted to class numbers, and the names are not numbers themselves.
    """
    names = data.rows(data.split).class_names
    if names is None or classes is None:
        return None
    known = {label_name(each) for each in np.asarray(classes).ravel().tolist()}
    numbers = {str(number) for number in range(len(names))}
    return None if known == numbers and not known & set(names) else names


def _columns_by_name(classes: Any, names: tuple[str, ...], path: Path) -> NDArray[np.intp]:
    """Return the column of each named class in the outputs of ``predict_proba``."""
    known = [label_name(each) for each in np.asarray(classes).ravel().tolist()]
    if {name.lower() for name in names} == {"true", "false"}:
        known, names = [name.lower() for name in known], tuple(name.lower() for name in names)
    if set(known) != set(names):
        lost, more = sorted(set(names) - set(known)), sorted(set(known) - set(names))
        found = [f"none of {brief(', '.join(lost))}"] if lost else []
        found += [f"{brief(', '.join(more))}, which the data do not have"] if more else []
        remedy = "name all classes of the model" if not lost else "name the classes as the model does"
        raise BadInput(
            f"{path} must have the data's classes; found {' and '.join(found)} among its classes "
            f"{brief(', '.join(known))}: {remedy} with data.classes=[…]"
        )
    return np.array([known.index(name) for name in names])


def _order(classes: Any, n_classes: int, path: Path) -> NDArray[np.intp]:
    """The column of each class 0 … k - 1 in the outputs of ``predict_proba``."""
    try:
        found = np.asarray(classes, dtype=np.float64)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.ndim != 1 or not len(found) or not (found % 1 == 0).all():
        raise BadInput(
            f"{path} must have the classes 0 to {n_classes - 1} as integers; found {brief(classes)}: fit it to such "
            "labels, or name the classes of the data with data.classes=[…]"
        )
    wanted = np.arange(max(n_classes, len(found)))
    missing = np.setdiff1d(wanted, found)
    if len(missing):
        raise BadInput(
            f"{path} must know every class, 0 to {wanted[-1]}; found none of {brief(missing.tolist())} among its "
            f"classes {brief(np.asarray(classes).tolist())}: fit it to rows of every class"
        )
    return np.argsort(found)


def limit_to_one_job(estimator: Any) -> None:
    """Have an estimator and its parts work in one thread; what is no estimator stays as it is.

    Blocks already run on all cores. Besides, threads of a forest would add up its trees in a random order.
    """
    if hasattr(estimator, "get_params"):
        jobs = [key for key in estimator.get_params() if key.rpartition("__")[2] == "n_jobs"]
        estimator.set_params(**dict.fromkeys(jobs, 1))


def _version() -> str:
    import sklearn

    return str(sklearn.__version__)
