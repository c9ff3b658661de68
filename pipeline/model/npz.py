"""A network from an npz file of weights W1, b1 … Wk, bk."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..data.base import Data
from ..data.formats.npz_arrays import MOST_ARRAYS, read_arrays
from ..errors import BadInput, brief
from .external import FileModel
from .network import Layer, Network, check_activation

MAX_BYTES = 1 << 30


@dataclass
class WeightsFile(FileModel):
    """A fully connected network of any depth, from a file of trained weights.

    Attributes
    ----------
    activation : str
        The activation of the hidden layers: ``sigmoid``, ``relu``, ``tanh``, or ``step`` (1 where x > 0, else 0).
    """

    activation: str = "sigmoid"

    def __post_init__(self) -> None:
        check_activation(self.activation)
        super().__post_init__()

    def network(self, arrays: dict[str, NDArray[Any]]) -> Network:
        """Return the network of the arrays W1, b1 … Wk, bk.

        Raises
        ------
        BadInput
            If they do not form a network; the message names the file.
        """
        layers = layers_of(arrays, where=self.path)
        try:
            return Network(layers, self.activation)
        except BadInput as error:
            raise BadInput(f"{self.path}: {error}") from error


@dataclass
class Npz(WeightsFile):
    """A fully connected network of any depth, from a file of trained weights.

    Attributes
    ----------
    path : str
        The npz file: W1 of shape (inputs, units), b1 of shape (units,) or (1, units), …; the last layer gives the
        logits. float32 or float64; the network computes in float32. Other arrays in the file are ignored.
    activation : str
        The activation of the hidden layers: ``sigmoid``, ``relu``, ``tanh``, or ``step`` (1 where x > 0, else 0).
    """

    name: str = "npz"
    activation: str = "sigmoid"

    what: ClassVar[str] = "an npz file of weights W1, b1, …"

    def build(self, data: Data) -> Network:
        """Load the network; nothing is unpickled.

        Raises
        ------
        BadInput
            If the file is missing, damaged, or larger than 1 GiB unpacked, or its arrays do not form a network.
        """
        arrays = read_all(Path(self.path))
        try:
            return self.network(arrays)
        except MemoryError as error:
            raise BadInput(f"{self.path} must fit into memory; found: {brief(error)}: give fewer weights") from error


def read_all(path: Path) -> dict[str, NDArray[Any]]:
    """Read every array of an npz file; nothing is unpickled, and at most 1 GiB is allocated.

    Raises
    ------
    BadInput
        If the file is missing or damaged, holds anything but arrays of numbers or more than 1,000 of them, or declares
        more than 1 GiB.
    """
    if not path.is_file():
        raise BadInput(f"model.path must name an npz file of weights; found no file {path}: check the path")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    # A damaged directory of a zip file raises more than zipfile documents, such as OverflowError and struct.error.
    except Exception as error:
        found = brief(error) or type(error).__name__
        raise BadInput(f"{path} must be a whole npz file; found: {found}: save it again with numpy.savez") from error
    if len(members) > MOST_ARRAYS:
        raise BadInput(
            f"{path} must hold at most {MOST_ARRAYS:,} arrays; found {len(members):,}: save the weights alone"
        )
    total = sum(member.file_size for member in members)
    if total > MAX_BYTES:
        raise BadInput(
            f"{path} must unpack to at most {MAX_BYTES:,} bytes; found {total:,} declared: give fewer weights"
        )
    keys = [member.filename.removesuffix(".npy") for member in members]
    return read_arrays(path, keys, max_bytes=MAX_BYTES)


def layers_of(arrays: dict[str, NDArray[Any]], *, where: str = "the file") -> list[Layer]:
    """Return the layers (W1, b1) … (Wk, bk) as float32.

    Raises
    ------
    BadInput
        If an array is missing, or is neither float32 nor float64.
    """
    numbers = [int(name[1:]) for name in arrays if re.fullmatch(r"[Wb][1-9]\d{0,5}", name)]
    depth = max(numbers, default=1)
    missing = [f"{kind}{i}" for i in range(1, depth + 1) for kind in "Wb" if f"{kind}{i}" not in arrays]
    if missing:
        found = brief(", ".join(sorted(arrays)[:12])) or "nothing"
        raise BadInput(
            f"{where} must hold W1, b1 to W{depth}, b{depth}; found {found}, without {', '.join(missing[:6])}: "
            "name the arrays so"
        )
    return [(_float32(arrays, f"W{i}", where), _float32(arrays, f"b{i}", where)) for i in range(1, depth + 1)]


def _float32(arrays: dict[str, NDArray[Any]], name: str, where: str) -> NDArray[np.float32]:
    array = arrays[name]
    if array.dtype.kind != "f" or array.dtype.itemsize > 8:
        raise BadInput(f"{name} of {where} must be float32 or float64; found {array.dtype}: convert the weights")
    # A number beyond float32 becomes infinite here, and a signalling NaN warns as invalid. `Network` refuses both.
    with np.errstate(over="ignore", invalid="ignore"):
        return array.astype(np.float32)
