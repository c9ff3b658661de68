"""A model that MLflow logged or registered, run by its python_function flavour."""

from __future__ import annotations

import atexit
import math
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from pipeline import files
from pipeline.data.archive import brief
from pipeline.data.base import Data
from pipeline.errors import BadInput
from pipeline.model.base import Model
from pipeline.model.weights import Outside, check_gives, outside

_WHAT = "an MLflow model: models:/NAME/VERSION, models:/NAME@ALIAS, runs:/RUN_ID/NAME or a folder"
# Loaders that read data and run no code of the model's. Not mlflow.sklearn: even for skops it takes the list of types
# that may be made from the model itself.
_DATA_ALONE = ("mlflow.onnx",)
_PICKLE = "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"
# As in pipeline/tracking.py, for who imports this alone.
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
_COLUMNS = {"double": "f8", "float": "f4", "integer": "i4", "long": "i8", "boolean": "?"}
_LOADING = threading.Lock()


@dataclass
class Mlflow(Model):
    """A logged classifier of any flavour. Its signature says how rows are given: as a tensor, or as named columns.

    Attributes
    ----------
    path : str
        ``models:/NAME/VERSION``, ``models:/NAME@ALIAS``, ``runs:/RUN_ID/NAME``, or the model's folder.
    tracking_uri : str or None
        The store and registry that it is in; ``sqlite:///mlruns/…`` is the project's own folder. None: MLflow's own
        default, ``MLFLOW_TRACKING_URI``. It is logged, so it must hold no password.
    gives : str or None
        What it predicts: ``logits``, ``probabilities``, or ``labels``, the integers 0 … k - 1 (accuracy, and no loss).
        None, with a signature: labels where they are integers; probabilities where the name of an output has ``prob``
        in it, or the data's first rows all come out as probabilities; else logits.
    trust : bool
        Whether code that comes with the model may be run: its pickles, its Python files, its own loader. Needed for
        all but ONNX models.
    """

    name: str = "mlflow"
    path: str = ""
    tracking_uri: str | None = None
    gives: str | None = None
    trust: bool = False

    def __post_init__(self) -> None:
        if not self.path.strip():
            raise BadInput(f"model.path must name {_WHAT}; found none: add model.path=…")
        if not _is_address(self.path):
            self.path = files.absolute(self.path)
        check_gives(self.gives)
        if self.tracking_uri is not None and "@" in urlsplit(self.tracking_uri).netloc:
            raise BadInput(
                "model.tracking_uri must hold no user and password, for it is logged; found both or one: set "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or the whole as MLFLOW_TRACKING_URI"
            )

    def build(self, data: Data) -> Outside:
        """Fetch the model and load it.

        Raises
        ------
        BadInput
            If there is no such model, it would run code and is not trusted, its signature does not say how rows are
            given or what comes out, or it predicts anything else.
        """
        for key, value in _QUIET.items():
            os.environ.setdefault(key, value)
        import mlflow

        folder = self._folder()
        digest, about = _digest(folder), _about(folder)
        flavor = about.flavors.get("python_function") or {}
        self._refuse_code(flavor)
        signature = about.signature
        if self.gives is None and (signature is None or signature.outputs is None):
            raise BadInput(
                f"{self.path} must have a signature that says what it predicts; found none: log it with "
                "signature=infer_signature(inputs, outputs), or pass model.gives=logits, probabilities or labels"
            )
        feed = _Feed(signature.inputs if signature else None, self.path)
        loaded = self._loaded(folder)
        # A model's own code need not be safe from several threads.
        turn = threading.Lock()

        def run(rows: NDArray[Any]) -> NDArray[Any]:
            given = feed(rows)
            with turn:
                return _array(loaded.predict(given))

        return outside(
            run,
            data,
            shaping=["mlflow", digest, self.gives, mlflow.__version__],
            where=brief(self.path),
            gives=self.gives,
            output=_names(signature.outputs if signature else None),
            n_inputs=feed.width,
            dtype=feed.dtype,
        )

    def _folder(self) -> Path:
        """The model's folder: its own, or a copy that lasts as long as the process."""
        if not _is_address(self.path):
            if not (Path(self.path) / "MLmodel").is_file():
                raise BadInput(f"model.path must name {_WHAT}; found no file MLmodel in {self.path}: check the path")
            return Path(self.path)
        import mlflow

        copy = tempfile.mkdtemp(prefix="batchscope-model-")
        atexit.register(shutil.rmtree, copy, ignore_errors=True)
        uri = _resolved(self.tracking_uri)
        # By the environment too: for models:/ MLflow asks the registry that is its own default, whatever it is told.
        named = {} if uri is None else {"MLFLOW_TRACKING_URI": uri, "MLFLOW_REGISTRY_URI": uri}
        try:
            with _environment(named):
                return Path(
                    mlflow.artifacts.download_artifacts(self.path, dst_path=copy, tracking_uri=uri, registry_uri=uri)
                )
        # A store may fail in any way that its driver has.
        except Exception as error:
            raise BadInput(
                f"model.path must name a model in MLflow's store; found for {brief(self.path)}: {brief(error)}: check "
                "the name, and model.tracking_uri or MLFLOW_TRACKING_URI"
            ) from error

    def _refuse_code(self, flavor: dict[str, Any]) -> None:
        loader = flavor.get("loader_module")
        if not loader:
            raise BadInput(
                f"{self.path} must have the python_function flavour; found none: log it with a flavour that has it"
            )
        if not self.trust and (loader not in _DATA_ALONE or flavor.get("code")):
            raise BadInput(
                f"{self.path} must be a model that runs no code of its own (ONNX); found one that is loaded by "
                f"{brief(loader)}, from pickles or Python files that may do whatever you may do on this machine: pass "
                "model.trust=true if you trust whoever logged it"
            )

    def _loaded(self, folder: Path) -> Any:
        import mlflow

        try:
            with _environment({_PICKLE: str(self.trust).lower()}):
                return mlflow.pyfunc.load_model(str(folder), suppress_warnings=True)
        # Whatever the model's libraries, or its own code, may raise.
        except Exception as error:
            raise BadInput(
                f"{self.path} must be a model that MLflow loads here; found: {brief(error) or type(error).__name__}: "
                "install what its requirements.txt names, or log it again"
            ) from error


class _Feed:
    """From rows of numbers to what a signature asks for.

    Attributes
    ----------
    width : int or None
        Numbers in a row; None where nothing is said of it.
    dtype : str
        Of the rows that it is given.
    """

    def __init__(self, schema: Any, path: str) -> None:
        self.width: int | None = None
        self.dtype = "f4"
        self._shape: tuple[int, ...] = (-1,)
        self._name: str | None = None
        self._types: dict[Any, str] | None = None
        if schema is None:
            return
        if schema.is_tensor_spec():
            self._take_tensor(schema, path)
        else:
            self._take_columns(schema, path)

    def _take_tensor(self, schema: Any, path: str) -> None:
        spec = schema.inputs[0]
        batch, *row = spec.shape or (0,)
        is_open = row == [-1]
        is_rows = batch == -1 and len(row) > 0 and (is_open or -1 not in row) and spec.type.kind in "fiu"
        if len(schema.inputs) != 1 or not is_rows:
            raise BadInput(
                f"{path} must take one tensor of numbers, shape (-1, d); found {brief(schema.inputs)}: log it with "
                "such a signature"
            )
        self.width = None if is_open else math.prod(row)
        self.dtype, self._shape, self._name = spec.type.str, tuple(row), spec.name

    def _take_columns(self, schema: Any, path: str) -> None:
        types = [getattr(spec.type, "name", str(spec.type)) for spec in schema.inputs]
        strange = sorted(set(types) - set(_COLUMNS))
        if strange or not types:
            raise BadInput(
                f"{path} must take columns of numbers; found {brief(', '.join(strange)) or 'none'}: log it with such a "
                "signature"
            )
        names = schema.input_names() if schema.has_input_names() else list(range(len(types)))
        self.width = len(types)
        self._types = {name: _COLUMNS[kind] for name, kind in zip(names, types, strict=True)}
        # Whole numbers of a mixture are checked when they are made.
        self.dtype = _COLUMNS[types[0]] if len(set(types)) == 1 and types[0] != "boolean" else "f8"

    def __call__(self, rows: NDArray[Any]) -> Any:
        if self._types is None:
            shaped = rows.reshape(len(rows), *self._shape)
            return shaped if self._name is None else {self._name: shaped}
        import pandas as pd

        frame = pd.DataFrame(rows, columns=list(self._types))
        typed = frame.astype({name: kind for name, kind in self._types.items() if kind != self.dtype})
        if self.dtype == "f8" and not np.array_equal(typed.to_numpy(np.float32), rows.astype(np.float32)):
            raise BadInput(
                "columns that a model's signature has as integer or boolean must hold whole numbers; found others: "
                "pass data.normalize=false if they are scaled, or log it with columns of double"
            )
        return typed


def _is_address(path: str) -> bool:
    return re.match(r"[a-z][\w+.-]*:/", path) is not None


def _resolved(uri: str | None) -> str | None:
    # A relative mlruns is the project's own folder, as in tracking.uri.
    own = "sqlite:///mlruns/"
    return f"sqlite:///{files.mlruns()}/{uri.removeprefix(own)}" if uri and uri.startswith(own) else uri


def _digest(folder: Path) -> str:
    """Of all files, by name and content; not of what MLflow adds when it fetches a registered version."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "registered_model_meta")
    return files.digest_of([(path.relative_to(folder).as_posix(), files.file_digest(path)) for path in paths])


def _about(folder: Path) -> Any:
    from mlflow.models import Model as Logged

    try:
        return Logged.load(str(folder))
    # The file may be any YAML.
    except Exception as error:
        raise BadInput(
            f"{folder / 'MLmodel'} must describe an MLflow model; found: {brief(error) or type(error).__name__}: log "
            "it again"
        ) from error


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables for a while, one thread at a time; then they are what they were."""
    with _LOADING:
        before = {key: os.environ.pop(key, None) for key in values}
        os.environ.update(values)
        try:
            yield
        finally:
            for key, value in before.items():
                os.environ.pop(key, None)
                if value is not None:
                    os.environ[key] = value


def _names(schema: Any) -> str:
    return " ".join(str(spec.name) for spec in schema.inputs) if schema is not None else ""


def _array(predicted: Any) -> NDArray[Any]:
    """The predictions as one array: of several tensors the first matrix of float."""
    if isinstance(predicted, dict):
        arrays = [np.asarray(values) for values in predicted.values()]
        matrices = [values for values in arrays if values.ndim == 2 and values.dtype.kind == "f"]
        predicted = (matrices or arrays or [np.empty(0)])[0]
    if hasattr(predicted, "to_numpy"):
        return predicted.to_numpy()
    return np.asarray(predicted)
