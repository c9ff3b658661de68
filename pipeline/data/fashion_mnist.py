"""Fashion-MNIST: 60,000 + 10,000 pictures of clothes, files and shapes as MNIST  [Xiao, Rasul & Vollgraf 2017]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .mnist_files import KnownHashes, MnistFiles


@dataclass
class FashionMnist(MnistFiles):
    """The four files of Zalando Research.

    Only the hashes of the gzip files are published. Unpacked files in `root` are therefore checked for their format
    alone.
    """

    name: str = "fashion_mnist"

    KNOWN: ClassVar[dict[str, KnownHashes]] = {
        "train-images-idx3-ubyte": KnownHashes("8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        "train-labels-idx1-ubyte": KnownHashes("25c81989df183df01b3e8a0aad5dffbe"),
        "t10k-images-idx3-ubyte": KnownHashes("bef4ecab320f06d8554ea6380940ec79"),
        "t10k-labels-idx1-ubyte": KnownHashes("bb300cfdad3c16e7a12a480ee83cd310"),
    }
