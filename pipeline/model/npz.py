"""A network from a file of weights: W1, b1 … Wk, bk in an npz."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import files
from pipeline.data.archive import MOST_ARRAYS, brief, read_arrays
from pipeline.data.base import Data
from pipeline.errors import BadInput
from pipeline.model.base import Model
from pipeline.model.network import Layer, Network, check_activation

MAX_BYTES = 1 << 30


@dataclass
class Npz(Model):
    """Weights that are there already: fully connected, of any depth.

    Attributes
    ----------
    path : str
        The npz file: W1 of shape (inputs, units), b1 of shape (units,) or (1, units), …; the last layer gives the
        logits. float32 or float64; the work is done in float32. Other arrays in the file are left alone.
    activation : str
        Of the hidden layers: ``sigmoid``, ``relu``, ``tanh``, or ``step`` (1 where x > 0, else 0).
    """

    name: str = "npz"
    path: str = ""
    activation: str = "sigmoid"

    def __post_init__(self) -> None:
        check_activation(self.activation)
        if not self.path.strip():
            raise BadInput("model.path must name an npz file of weights W1, b1, …; found none: add model.path=FILE")
        self.path = files.absolute(self.path)

    def build(self, data: Data) -> Network:
        """Load the network; nothing is unpickled.

        Raises
        ------
        BadInput
            If the file is missing, damaged, or larger than 1 GiB unpacked, or its arrays make no network.
        """
        path = Path(self.path)
        arrays = read_all(path)
        try:
            layers = layers_of(arrays, where=str(path))
            return _network(layers, self.activation, path)
        except MemoryError as error:
            raise BadInput(f"{path} must fit into memory; found: {brief(error)}: give fewer weights") from error


def _network(layers: list[Layer], activation: str, path: Path) -> Network:
    try:
        return Network(layers, activation)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error


def read_all(path: Path) -> dict[str, NDArray[Any]]:
    """Read every array of an npz file; nothing is unpickled, and no more than 1 GiB is made room for.

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
    # Damaged directories of zip files raise more than zipfile documents: OverflowError and struct.error among them.
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
    """Put the arrays W1, b1 … Wk, bk in order, as float32.

    Raises
    ------
    BadInput
        If one is missing, is no float, or goes beyond float32.
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
    # What is finite in float64 and not in float32 turns infinite here, and is refused with the infinite weights.
    # Invalid: a signalling NaN, refused there too.
    with np.errstate(over="ignore", invalid="ignore"):
        return array.astype(np.float32)
