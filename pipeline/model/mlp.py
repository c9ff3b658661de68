"""A network that is trained here once, and cached under a digest of everything that its weights depend on."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, ClassVar

import numpy as np

from .. import accuracy, loss
from ..data.base import Data, in_memory
from ..errors import BadInput
from ..records.learning_curve import LEARNING, LearningCurve
from ..records.rows import Dataset
from ..runtime import files, locks
from ..runtime.progress import Bar
from ..sampling import streams
from . import gradient, network, npz, training
from .base import Model
from .gradient import check_differentiable
from .network import ACTIVATIONS, Network

# Fields that are not passed to the recipe unchanged.
_NOT_IN_RECIPE = ("name", "hidden", "evaluate_activation")


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
        The least number of steps, at least 0: a small train split gets more passes than `epochs` to reach it.
    batch_size : int
        Rows in each step's batch, at least 1. (The batches that are evaluated have the top-level ``batch_size``.)
    learning_rate : float
        Adam's learning rate in the first step, above 0; it falls linearly to 0.
    weight_decay : float
        Decoupled weight decay, in units of the learning rate, at least 0.
    seed : int
        Of the first weights and the order of the rows, at least 0.
    evaluate_activation : str or None
        Replaces the activation of the trained network: ``sigmoid``, ``relu``, ``tanh`` or ``step``. None keeps the one
        that it was trained with.
    """

    # It is trained on the data's own class numbers.
    knows_names: ClassVar[bool] = True

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
        """Return the network from the cache, or train it; of several processes only one trains it.

        Raises
        ------
        BadInput
            If the train split cannot be loaded, or the training diverges.
        """
        trained = self._trained(data)
        if self.evaluate_activation in (None, trained.activation):
            return trained
        return Network(trained.layers, self.evaluate_activation, learning_curve=trained.learning_curve)

    def _trained(self, data: Data) -> Network:
        dataset = in_memory(data.rows("train"))
        path = files.cache("models") / f"{self._digest(dataset)}.npz"
        found = _read(path, self.activation)
        if found is not None:
            return found
        with locks.held_at(path.with_suffix(".lock"), "the network, which is trained once"):
            found = _read(path, self.activation)
            if found is not None:
                return found
            with Bar(f"Training on {dataset.name}", yields=True) as bar:
                trained = training.train(dataset, self._recipe(), on_epoch=bar.update)
            files.write_beside(path, lambda file: _write(file, trained))
        return trained

    def _recipe(self) -> training.Recipe:
        fields = {key: value for key, value in asdict(self).items() if key not in _NOT_IN_RECIPE}
        return training.Recipe(hidden=tuple(self.hidden), **fields)

    def _digest(self, dataset: Dataset) -> str:
        """The digest of all that the weights depend on: the data, the recipe (floats to the last bit), and the code."""
        shaping = f"{dataset.digest} {dataset.scale!r} {self._recipe()!r} numpy {np.__version__}"
        return files.content_digest(shaping.encode(), *_sources())


@lru_cache(maxsize=1)
def _sources() -> tuple[bytes, ...]:
    modules = (training, gradient, network, loss, accuracy, streams)
    return tuple(Path(str(module.__file__)).read_bytes() for module in modules)


def _write(file: BinaryIO, network: Network) -> None:
    arrays = {
        f"{kind}{i}": a for i, layer in enumerate(network.layers, start=1) for kind, a in zip("Wb", layer, strict=True)
    }
    curve = network.learning_curve or LearningCurve()
    np.savez(file, allow_pickle=False, **arrays, **{name: getattr(curve, name) for name in LEARNING})


def _read(path: Path, activation: str) -> Network | None:
    """The network in the cache; None if it is missing or damaged, so that it is trained again."""
    if not path.is_file():
        return None
    try:
        arrays = npz.read_all(path)
        curve = LearningCurve(*(arrays[name] for name in LEARNING))
        return Network(npz.layers_of(arrays), activation, learning_curve=curve)
    except (BadInput, KeyError):
        return None
