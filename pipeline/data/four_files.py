"""What MNIST and its relatives share: images and labels of two splits in four IDX files, from a folder or a mirror."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline import files
from pipeline.data.assemble import assemble
from pipeline.data.base import Data, check_split
from pipeline.data.download import check_mirror, fetch
from pipeline.data.idx import MOST_BYTES, content_sha256, read_idx
from pipeline.data.labels import check_range
from pipeline.errors import BadInput
from pipeline.records import Dataset

STEMS = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
N_CLASSES = 10
OWN_DATA = "get the file again, or pass data.verify=false for a data set of your own"


class Known(NamedTuple):
    """What is known of a file: the MD5 of the gzip file that mirrors serve, the SHA-256 of its content or None."""

    gzip_md5: str
    sha256: str | None = None


@dataclass
class FourFiles(Data):
    """A data set of four IDX files.

    Attributes
    ----------
    root : str or None
        The folder that holds them, gzip or plain, under their usual names (``train-images-idx3-ubyte.gz``, …; a dot
        before ``idx`` is fine too). None: a cache, filled from `mirrors`.
    verify : bool
        Whether files in `root` must be the very ones that are known, by their hashes. Without it they must still
        be sound: right type, exact length, as many images as labels, labels 0 … 9. Downloads are always verified.
    mirrors : list of str
        Base addresses to download from, tried in order; https, or http on this machine.
    """

    split: str = "train"
    root: str | None = None
    verify: bool = True
    mirrors: list[str] = field(default_factory=list)

    KNOWN: ClassVar[dict[str, Known]]

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
            If a file is missing and cannot be downloaded, or is not what it must be.
        """
        check_split(split)
        images_path, labels_path = (self._locate(stem) for stem in STEMS[split])
        # A label takes 8 bytes once it is read.
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
        """The file of a stem, in the folder or in the cache."""
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
        """Refuse a file of the folder that is sound, but not the one that is known."""
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
