"""A network from a safetensors file: W1, b1 … Wk, bk, or a PyTorch stack of linear layers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..data.base import Data
from ..errors import BadInput, brief
from .external import library
from .network import Network
from .npz import WeightsFile


@dataclass
class Safetensors(WeightsFile):
    """A fully connected network of any depth, from a file of trained weights.

    Attributes
    ----------
    path : str
        The file. Either W1 of shape (inputs, units), b1 of shape (units,), …, as for model=npz; or PyTorch's names,
        such as ``0.weight`` of shape (units, inputs) and ``0.bias``, ``2.weight`` …: names that differ only in their
        numbers, which give the order; a missing bias is 0. float16 to float64; the network computes in float32.
    activation : str
        The activation of the hidden layers: ``sigmoid``, ``relu``, ``tanh``, or ``step`` (1 where x > 0, else 0).
    """

    name: str = "safetensors"
    activation: str = "relu"

    what: ClassVar[str] = "a safetensors file of weights"

    def build(self, data: Data) -> Network:
        """Load the network.

        Raises
        ------
        BadInput
            If the extra is not installed, the file is missing or damaged, or its tensors do not form a network.
        """
        path, content = self.read()
        arrays = _arrays(library("safetensors.numpy", extra="safetensors"), content, path)
        if any(name.endswith(("weight", "bias")) for name in arrays):
            arrays = _numbered(arrays, path)
        return self.network(arrays)


def _arrays(reader: Any, content: bytes, path: Path) -> dict[str, NDArray[Any]]:
    try:
        return reader.load(content)
    except KeyError as error:
        # The reader raises KeyError for a type that NumPy does not have, such as bfloat16.
        raise BadInput(
            f"{path} must hold tensors of float16, float32 or float64; found {brief(error.args[0])}: convert them"
        ) from error
    # The reader's own error, and whatever bytes that are not a header raise.
    except Exception as error:
        raise BadInput(
            f"{path} must be a whole safetensors file; found: {brief(error) or type(error).__name__}: save it again"
        ) from error


def _numbered(arrays: dict[str, NDArray[Any]], path: Path) -> dict[str, NDArray[Any]]:
    """PyTorch's layers as W1, b1 …, with the weights transposed to (inputs, units)."""
    strange = [name for name in arrays if name.rpartition(".")[2] not in ("weight", "bias")]
    if strange:
        raise BadInput(
            f"{path} must hold the weights and biases of linear layers alone; found {brief(', '.join(strange))}: give "
            "a plain stack of linear layers, or use model=onnx"
        )
    places = sorted({name.rpartition(".")[0] for name in arrays}, key=lambda place: (_numbers(place), place))
    if len({re.sub(r"\d+", "#", place) for place in places}) > 1 or len(set(map(_numbers, places))) < len(places):
        raise BadInput(
            f"{path} must have names that differ in their numbers alone, which order the layers; found "
            f"{brief(', '.join(places))}: name them 0.weight, 0.bias, 1.weight …"
        )
    numbered: dict[str, NDArray[Any]] = {}
    for i, place in enumerate(places, start=1):
        before = f"{place}." if place else ""
        weight = arrays.get(f"{before}weight")
        if weight is None or weight.ndim != 2:
            found = "none" if weight is None else f"shape {weight.shape}"
            raise BadInput(
                f"{brief(before)}weight of {path} must be a matrix (units, inputs); found {found}: give a plain stack "
                "of linear layers, or use model=onnx"
            )
        numbered[f"W{i}"] = weight.T
        numbered[f"b{i}"] = arrays.get(f"{before}bias", np.zeros(len(weight), np.float32))
    return numbered


def _numbers(place: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", place)))
