"""A table in a folder of npy files: each file is a column, and is memory-mapped instead of loaded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...runtime import files
from .array_table import ArraysSource, Header, header_of
from .locations import Location


class NpySource(ArraysSource):
    """Arrays in npy files: ``logits.npy``, ``label.npy``, …

    Parameters
    ----------
    path : str
        The folder.
    locations : sequence of Location
        The files; the name of a file without ``.npy`` is the name of its column.

    Raises
    ------
    BadInput
        If a file is damaged or not on this machine, or two files have the same name.
    """

    def __init__(self, path: str, locations: Sequence[Location]) -> None:
        if any(location.uri is not None for location in locations):
            raise BadInput(
                f"npy files must be named by their path on this machine, to be memory-mapped; found {locations[0]}: "
                "copy the folder, or give Parquet"
            )
        self._files = {Path(location.path).stem: location for location in locations}
        if len(self._files) != len(locations):
            raise BadInput(f"{path} must hold one npy file of each name; found several: name one folder of them")
        super().__init__(Path(path).name, path, {name: _header(location) for name, location in self._files.items()})

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the files' names and content."""
        return files.digest_of(*((name, location.digest) for name, location in self._files.items()))

    def _array(self, name: str) -> NDArray[Any]:
        self._files[name].check()
        found = self._headers[name]
        return np.memmap(
            self._files[name].path,
            dtype=found.dtype,
            mode="r",
            offset=found.start,
            shape=found.shape,
            order="F" if found.is_fortran else "C",
        )


def _header(location: Location) -> Header:
    path = Path(location.path)
    with path.open("rb") as stream:
        found = header_of(stream, str(path))
    size = path.stat().st_size - found.start
    # Pickled objects, which are never loaded, have another size than their pointers.
    if size != found.size and not found.dtype.hasobject:
        raise BadInput(
            f"{path} must hold the {found.size:,} bytes that its shape {found.shape} of {found.dtype} declares; found "
            f"{size:,}: save it again with numpy.save"
        )
    return found
