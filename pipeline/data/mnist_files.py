"""The base class of MNIST and Fashion-MNIST: images and labels of two splits in four IDX files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..records.rows import Dataset
from ..runtime import files
from .assemble import assemble
from .base import Data, check_split
from .download import check_mirror, fetch
from .formats.idx import MOST_BYTES, content_sha256, read_idx
from .labels import check_range

STEMS = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
N_CLASSES = 10
OWN_DATA = "get the file again, or pass data.verify=false for a data set of your own"


class KnownHashes(NamedTuple):
    """The published hashes of a file: the MD5 of the gzip file on mirrors, and the SHA-256 of its content or None."""

    gzip_md5: str
    sha256: str | None = None


@dataclass
class MnistFiles(Data):
    """A data set of four IDX files, from a folder or from a mirror.

    Attributes
    ----------
    root : str or None
        The folder of the files, gzip or plain, under their usual names (``train-images-idx3-ubyte.gz``, …; also with a
        dot before ``idx``). None: the cache, filled from `mirrors`.
    verify : bool
        Whether files in `root` must have the published hashes. If false, they must still be valid: the right type, the
        exact length, as many images as labels, labels 0 … 9. Downloads are always verified.
    mirrors : list of str
        Base addresses to download from, tried in order; https, or http on this machine.
    """

    split: str = "train"
    root: str | None = None
    verify: bool = True
    mirrors: list[str] = field(default_factory=list)

    KNOWN: ClassVar[dict[str, KnownHashes]]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.root is not None and not self.root.strip():
            raise BadInput("data.root must name a folder, or be null for the cache; found an empty name")
        if self.root is not None:
            self.root = files.absolute(self.root)
        for mirror in self.mirrors:
            check_mirror(mirror)

    def load_split(self, split: str) -> Dataset:
        """Load the rows of one split.

        Parameters
        ----------
        split : str
            ``train`` or ``test``.

        Returns
        -------
        Dataset
            Inputs ``uint8`` of shape (N, height · width), pixels 0 … 255; on MNIST (60000, 784) or (10000, 784).

        Raises
        ------
        BadInput
            If a file is missing and cannot be downloaded, or is not valid.
        """
        check_split(split)
        images_path, labels_path = (self._locate(stem) for stem in STEMS[split])
        # The limit is an eighth for labels, because each takes 8 bytes as int64.
        images, labels = read_idx(images_path, n_axes=3), read_idx(labels_path, n_axes=1, most_bytes=MOST_BYTES // 8)
        if len(images) != len(labels):
            raise BadInput(
                f"{images_path.name} and {labels_path.name} must hold as many images as labels; "
                f"found {len(images):,} images and {len(labels):,} labels: give two files that belong together"
            )
        check_range(labels, N_CLASSES, source=str(labels_path))
        if self.root is not None and self.verify:
            self._verify(images, images_path, STEMS[split][0])
            self._verify(labels, labels_path, STEMS[split][1])
        return assemble(
            images.reshape(len(images), -1),
            labels.astype(np.int64),
            n_classes=N_CLASSES,
            as_one_hot=self.one_hot,
            scale=1 / 255 if self.normalize else 1.0,
            name=f"{self.name} {split}",
        )

    def _locate(self, stem: str) -> Path:
        """Return the path of a file, in `root` or in the cache, by its name without ``.gz``."""
        wanted = ", ".join(f"{one}.gz" for pair in STEMS.values() for one in pair)
        if self.root is None:
            return fetch(
                f"{stem}.gz",
                md5=self.KNOWN[stem].gzip_md5,
                mirrors=self.mirrors,
                folder=files.cache(self.name),
                otherwise=f"put {wanted} into a folder and pass data.root=FOLDER",
            )
        root = Path(self.root)
        if not root.is_dir():
            raise BadInput(
                f"data.root must be a folder that holds {wanted} (or unpacked); found no folder {root}: check the path"
            )
        for spelling in (stem, stem.replace("-idx", ".idx")):
            for path in (root / f"{spelling}.gz", root / spelling):
                if path.is_file():
                    return path
        raise BadInput(
            f"data.root must hold {stem}.gz or {stem}; found neither in {root}: put {wanted} there, "
            "or leave data.root out to download them"
        )

    def _verify(self, values: NDArray[np.uint8], path: Path, stem: str) -> None:
        """Raise if a file in `root` does not have the published hash."""
        known = self.KNOWN[stem]
        if known.sha256 is not None:
            found = content_sha256(values)
            if found != known.sha256:
                raise BadInput(f"{path} must have the content SHA-256 {known.sha256}; found {found}: {OWN_DATA}")
        elif path.suffix == ".gz":
            with open(path, "rb") as file:
                found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
            if found != known.gzip_md5:
                raise BadInput(f"{path} must have the MD5 {known.gzip_md5}; found {found}: {OWN_DATA}")
