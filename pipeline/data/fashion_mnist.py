"""Fashion-MNIST: 60,000 + 10,000 pictures of clothes, as MNIST in every other way  [Xiao, Rasul & Vollgraf 2017]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pipeline.data.four_files import FourFiles, Known


@dataclass
class FashionMnist(FourFiles):
    """The four files of Zalando Research.

    Only the hashes of the gzip files are published: unpacked files in `root` are checked for soundness alone.
    """

    name: str = "fashion_mnist"

    KNOWN: ClassVar[dict[str, Known]] = {
        "train-images-idx3-ubyte": Known("8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        "train-labels-idx1-ubyte": Known("25c81989df183df01b3e8a0aad5dffbe"),
        "t10k-images-idx3-ubyte": Known("bef4ecab320f06d8554ea6380940ec79"),
        "t10k-labels-idx1-ubyte": Known("bb300cfdad3c16e7a12a480ee83cd310"),
    }
