"""A network that is trained here, once: it is kept in the cache under a digest of everything that shapes it."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pipeline import accuracy, files, loss
from pipeline.data.base import Data, in_memory
from pipeline.errors import BadInput
from pipeline.model import gradient, network, npz, training
from pipeline.model.base import Model
from pipeline.model.gradient import check_differentiable
from pipeline.model.network import ACTIVATIONS, Network
from pipeline.progress import is_another_shown
from pipeline.records import Dataset, LearningCurve

_CURVE = ("batch_loss", "loss", "accuracy")
_SILENT_SECONDS = 1.0
# Fields that are no part of the recipe as they stand.
_NOT_TRAINED_BY = ("name", "hidden", "evaluate_activation")


@dataclass
class Mlp(Model):
    """A multi-layer perceptron in NumPy, trained on the train split by Adam on the mean cross-entropy.

    Attributes
    ----------
    hidden : list of int
        Units of each hidden layer, each at least 1; ``[]`` is softmax regression.
    activation : str
        Of the hidden layers: ``sigmoid``, ``relu`` or ``tanh``.
    epochs : int
        Passes over the train split, at least 1.
    min_steps : int
        Steps that are taken at least, by more passes where the train split is small; 0 leaves it at `epochs`.
    batch_size : int
        Rows behind each step, at least 1. (The batches that are evaluated are those of the top-level ``batch_size``.)
    learning_rate : float
        Adam's, of the first step, above 0; falls linearly to 0.
    weight_decay : float
        Decoupled, in units of the learning rate, at least 0.
    seed : int
        Of the first weights and the rows' order, at least 0.
    evaluate_activation : str or None
        Put into the trained network in place of the one that it was trained with: ``sigmoid``, ``relu``, ``tanh`` or
        ``step``. None leaves the network as it was trained.
    """

    name: str = "mlp"
    hidden: list[int] = field(default_factory=lambda: [128])
    activation: str = "relu"
    epochs: int = 8
    min_steps: int = 800
    batch_size: int = 64
    learning_rate: float = 0.003
    weight_decay: float = 0.2
    seed: int = 0
    evaluate_activation: str | None = None

    def __post_init__(self) -> None:
        check_differentiable(self.activation)
        if self.evaluate_activation is not None and self.evaluate_activation not in ACTIVATIONS:
            raise BadInput(
                f"model.evaluate_activation must be one of {', '.join(ACTIVATIONS)}, or null; found "
                f"{self.evaluate_activation!r}"
            )
        if any(units < 1 for units in self.hidden):
            raise BadInput(f"model.hidden must be whole numbers of at least 1, such as [128]; found {self.hidden}")
        for key, least in (("epochs", 1), ("min_steps", 0), ("batch_size", 1), ("seed", 0)):
            if getattr(self, key) < least:
                raise BadInput(f"model.{key} must be a whole number of at least {least}; found {getattr(self, key)}")
        if not (self.learning_rate > 0 and math.isfinite(self.learning_rate)):
            raise BadInput(f"model.learning_rate must be above 0, such as 0.003; found {self.learning_rate}")
        if not (self.weight_decay >= 0 and math.isfinite(self.weight_decay)):
            raise BadInput(f"model.weight_decay must be at least 0, such as 0.2; found {self.weight_decay}")

    def build(self, data: Data) -> Network:
        """Return the network from the cache, or train it; processes that start together train it once.

        Raises
        ------
        BadInput
            If the train split cannot be had, or the training diverges.
        """
        trained = self._trained(data)
        if self.evaluate_activation in (None, trained.activation):
            return trained
        return Network(trained.layers, self.evaluate_activation, learning_curve=trained.learning_curve)

    def _trained(self, data: Data) -> Network:
        from filelock import FileLock

        dataset = in_memory(data.rows("train"))
        path = files.cache("models") / f"{self._digest(dataset)}.npz"
        found = _read(path, self.activation)
        if found is not None:
            return found
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            found = _read(path, self.activation)
            if found is not None:
                return found
            with progress(f"Training on {dataset.name}") as on_epoch:
                trained = training.train(dataset, self._recipe(), on_epoch=on_epoch)
            files.write_beside(path, lambda file: _write(file, trained))
        return trained

    def _recipe(self) -> training.Recipe:
        fields = {key: value for key, value in asdict(self).items() if key not in _NOT_TRAINED_BY}
        return training.Recipe(hidden=tuple(self.hidden), **fields)

    def _digest(self, dataset: Dataset) -> str:
        """Digest of all that shapes the weights: the data, the recipe, the code; float parameters to the last bit."""
        shaping = f"{dataset.digest} {dataset.scale!r} {self._recipe()!r} numpy {np.__version__}"
        return files.content_digest(shaping.encode(), *_sources())


@lru_cache(maxsize=1)
def _sources() -> tuple[bytes, ...]:
    modules = (training, gradient, network, loss, accuracy)
    return tuple(Path(str(module.__file__)).read_bytes() for module in modules)


def _write(file: BinaryIO, network: Network) -> None:
    arrays = {
        f"{kind}{i}": a for i, layer in enumerate(network.layers, start=1) for kind, a in zip("Wb", layer, strict=True)
    }
    curve = network.learning_curve or LearningCurve()
    np.savez(file, allow_pickle=False, **arrays, **{name: getattr(curve, name) for name in _CURVE})


def _read(path: Path, activation: str) -> Network | None:
    """The network that is kept, or None where there is none, or a damaged one: then it is trained again."""
    if not path.is_file():
        return None
    try:
        arrays = npz.read_all(path)
        curve = LearningCurve(*(arrays[name] for name in _CURVE))
        return Network(npz.layers_of(arrays), activation, learning_curve=curve)
    except (BadInput, KeyError):
        return None


@contextmanager
def progress(what: str) -> Iterator[Callable[[float, float], None]]:
    """A bar on standard error, moved by ``(done, total)``.

    It is silent where that is no terminal, the work is done in a second, or a sweep shows its own bar.
    """
    if not sys.stderr.isatty() or is_another_shown():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task(what, total=None)
    started = time.perf_counter()

    def on_progress(done: float, total: float) -> None:
        bar.update(task, completed=done, total=total)
        if not bar.live.is_started and time.perf_counter() - started > _SILENT_SECONDS:
            bar.start()

    try:
        yield on_progress
    finally:
        bar.stop()
