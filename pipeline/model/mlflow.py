"""A model that MLflow logged or registered, run by its python_function flavour."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from numpy.typing import NDArray

from ..data.base import Data
from ..errors import BadInput, brief
from ..runtime import files
from ..runtime.sqlite import address_of, path_of
from ..tracking.schema import look_at
from .base import Model
from .bounded import MEMORY, SECONDS, bounded, check_memory, check_seconds
from .external import ExternalClassifier, check_gives, external_classifier
from .mlflow_signature import InputConverter, array_of, names_of
from .sklearn import limit_to_one_job

_OWN_STORE = "sqlite:///mlruns/mlflow.db"
_WHAT = "an MLflow model: models:/NAME/VERSION, models:/NAME@ALIAS, runs:/RUN_ID/NAME or a folder"
# Loaders that run no code of the model's. mlflow.sklearn is not among them: even for skops files it takes the list of
# trusted types from the model itself.
_SAFE_LOADERS = ("mlflow.onnx",)
_PICKLE = "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"
# The same settings as in pipeline/tracking/mlflow.py, for programs that import this module alone.
_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
_LOADING = threading.Lock()


@dataclass
class Mlflow(Model):
    """A logged classifier of any flavour. Its signature says whether rows are passed as a tensor or as named columns.

    Attributes
    ----------
    path : str
        ``models:/NAME/VERSION``, ``models:/NAME@ALIAS``, ``runs:/RUN_ID/NAME``, or the model's folder.
    tracking_uri : str or None
        The store and registry of the model; ``sqlite:///mlruns/…`` is the project's own folder. None:
        ``MLFLOW_TRACKING_URI``, else ``sqlite:///mlruns/mlflow.db``. It is logged, so it must not contain a password.
    gives : str or None
        What it predicts: ``logits``, ``probabilities``, or ``labels``, the integers 0 … k - 1 (accuracy, and no loss).
        None, with a signature: labels if they are integers; probabilities if the name of an output contains ``prob``,
        or the outputs of the data's first rows are probabilities; else logits.
    trust : bool
        Whether code that comes with the model may run: its pickles, its Python files, its own loader. All models but
        ONNX need it.
    memory : int
        The memory in bytes that loading and trying a model that is not trusted may take, beside 8 times its files and
        32 times 256 rows of data.
    seconds : float
        The time that a model that is not trusted may take to give the outputs of 256 rows of data.
    """

    name: str = "mlflow"
    path: str = ""
    tracking_uri: str | None = None
    gives: str | None = None
    trust: bool = False
    memory: int = MEMORY
    seconds: float = SECONDS

    def __post_init__(self) -> None:
        if not self.path.strip():
            raise BadInput(f"model.path must name {_WHAT}; found none: add model.path=…")
        if not _is_address(self.path):
            self.path = files.absolute(self.path)
        check_gives(self.gives)
        check_memory(self.memory)
        check_seconds(self.seconds)
        if self.tracking_uri is not None and "@" in urlsplit(self.tracking_uri).netloc:
            raise BadInput(
                "model.tracking_uri must hold no user and password, for it is logged; found both or one: set "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or the whole as MLFLOW_TRACKING_URI"
            )

    def build(self, data: Data) -> ExternalClassifier:
        """Download the model and load it.

        Raises
        ------
        BadInput
            If there is no such model, if it would run code and is not trusted, if its signature does not describe its
            inputs and outputs, or if its predictions are of another kind.
        """
        for key, value in _SETTINGS.items():
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
        convert = InputConverter(signature.inputs if signature else None, self.path)
        # Whoever is trusted may take what he needs.
        with nullcontext() if self.trust else bounded(self.memory, self.path, _size(folder), data):
            loaded = self._loaded(folder)
            # A model's own code need not be thread-safe.
            lock = threading.Lock()

            def run(rows: NDArray[Any]) -> NDArray[Any]:
                inputs = convert(rows)
                with lock:
                    return array_of(loaded.predict(inputs))

            return external_classifier(
                run,
                data,
                seconds=None if self.trust else self.seconds,
                shaping=["mlflow", digest, self.gives, mlflow.__version__],
                where=brief(self.path),
                gives=self.gives,
                output=names_of(signature.outputs if signature else None),
                shape=convert.shape,
                dtype=convert.dtype,
            )

    def _folder(self) -> Path:
        """The model's own folder, or a downloaded copy that is deleted at the end of the process."""
        if not _is_address(self.path):
            if not (Path(self.path) / "MLmodel").is_file():
                raise BadInput(f"model.path must name {_WHAT}; found no file MLmodel in {self.path}: check the path")
            return Path(self.path)
        import mlflow

        copy = tempfile.mkdtemp(prefix="batchscope-model-")
        atexit.register(shutil.rmtree, copy, ignore_errors=True)
        uri = _store(self.tracking_uri)
        # Set in the environment too: for models:/ MLflow asks its default registry, whatever the arguments are.
        named = {"MLFLOW_TRACKING_URI": uri, "MLFLOW_REGISTRY_URI": uri}
        try:
            with _environment(named):
                return Path(
                    mlflow.artifacts.download_artifacts(self.path, dst_path=copy, tracking_uri=uri, registry_uri=uri)
                )
        # A store may raise any exception of its driver.
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
        if not self.trust and (loader not in _SAFE_LOADERS or flavor.get("code")):
            raise BadInput(
                f"{self.path} must be a model that runs no code of its own (ONNX); found one that is loaded by "
                f"{brief(loader)}, from pickles or Python files that may do whatever you may do on this machine: pass "
                "model.trust=true if you trust whoever logged it"
            )

    def _loaded(self, folder: Path) -> Any:
        import mlflow

        try:
            with _environment({_PICKLE: str(self.trust).lower()}):
                loaded = mlflow.pyfunc.load_model(str(folder), suppress_warnings=True)
        # The model's libraries, and its own code, may raise any exception.
        except Exception as error:
            raise BadInput(
                f"{self.path} must be a model that MLflow loads here; found: {brief(error) or type(error).__name__}: "
                "install what its requirements.txt names, or log it again"
            ) from error
        # Not every flavour tells its model.
        with suppress(NotImplementedError):
            limit_to_one_job(loaded.get_raw_model())
        return loaded


def _is_address(path: str) -> bool:
    return re.match(r"[a-z][\w+.-]*:/", path) is not None


def _store(uri: str | None) -> str:
    """Return the address of the model's store.

    Raises
    ------
    BadInput
        If it is a SQLite file that does not exist, for MLflow would make one, or of another version, for MLflow would
        migrate it where it lies.
    """
    uri, own = uri or os.environ.get("MLFLOW_TRACKING_URI") or _OWN_STORE, "sqlite:///mlruns/"
    # A relative mlruns means the project's own folder, as in tracking.uri.
    uri = f"sqlite:///{files.mlruns()}/{uri.removeprefix(own)}" if uri.startswith(own) else uri
    path = path_of(uri)
    if path is None:
        return uri
    if not path.is_file():
        raise BadInput(
            f"model.tracking_uri must name a store that has the model; found no file {path}: set model.tracking_uri or "
            "MLFLOW_TRACKING_URI"
        )
    _refuse_other_version(path)
    return address_of(path)


def _refuse_other_version(path: Path) -> None:
    try:
        found = look_at(path)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise BadInput(
            f"model.tracking_uri must name a store of MLflow; found for {path}: {error}: name another"
        ) from error
    if found.kind != "whole":
        raise BadInput(
            f"model.tracking_uri must name a store of this MLflow's version; found one that is {found.kind} in {path} "
            f"(schema {found.revision or 'of no version'}): bring a copy of it up to date with mlflow db upgrade"
        )


def _digest(folder: Path) -> str:
    """The digest of all files by name and content, without the one that MLflow adds to a downloaded version."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "registered_model_meta")
    return files.digest_of([(path.relative_to(folder).as_posix(), files.file_digest(path)) for path in paths])


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _about(folder: Path) -> Any:
    from mlflow.models import Model as Logged

    try:
        return Logged.load(str(folder))
    # The file may hold any YAML, and raise any exception.
    except Exception as error:
        raise BadInput(
            f"{folder / 'MLmodel'} must describe an MLflow model; found: {brief(error) or type(error).__name__}: log "
            "it again"
        ) from error


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables in a block, one thread at a time, and restore them afterwards."""
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
