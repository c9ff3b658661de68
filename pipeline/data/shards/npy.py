"""A folder of npy files, one a column: memory-mapped, never loaded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import files
from pipeline.data.shards.arrays import ArraysSource, Header, header_of
from pipeline.data.shards.places import Place
from pipeline.errors import BadInput


class NpySource(ArraysSource):
    """Arrays in npy files: ``logits.npy``, ``label.npy``, …

    Parameters
    ----------
    path : str
        The folder.
    places : sequence of Place
        The files; a column has the name of its file.

    Raises
    ------
    BadInput
        If a file is damaged or not on this machine, or two have the same name.
    """

    def __init__(self, path: str, places: Sequence[Place]) -> None:
        if any(place.uri is not None for place in places):
            raise BadInput(
                f"npy files must be named by their path on this machine, to be memory-mapped; found {places[0]}: copy "
                "the folder, or give Parquet"
            )
        self._files = {Path(place.path).stem: place for place in places}
        if len(self._files) != len(places):
            raise BadInput(f"{path} must hold one npy file of each name; found several: name one folder of them")
        super().__init__(Path(path).name, path, {name: _header(place) for name, place in self._files.items()})

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the files' names and content."""
        return files.digest_of(*((name, place.digest) for name, place in self._files.items()))

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


def _header(place: Place) -> Header:
    path = Path(place.path)
    with path.open("rb") as stream:
        found = header_of(stream, str(path))
    size = path.stat().st_size - found.start
    # Of objects, which are never loaded, the size is not that of a pointer each.
    if size != found.size and not found.dtype.hasobject:
        raise BadInput(
            f"{path} must hold the {found.size:,} bytes that its shape {found.shape} of {found.dtype} declares; found "
            f"{size:,}: save it again with numpy.save"
        )
    return found
