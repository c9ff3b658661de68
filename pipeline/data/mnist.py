"""MNIST: 60,000 + 10,000 handwritten digits of 28×28 pixels  [LeCun, Bottou, Bengio & Haffner 1998]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .mnist_files import KnownHashes, MnistFiles


@dataclass
class Mnist(MnistFiles):
    """The original four files, verified by the SHA-256 of their content, so that repacked files are accepted."""

    name: str = "mnist"

    KNOWN: ClassVar[dict[str, KnownHashes]] = {
        "train-images-idx3-ubyte": KnownHashes(
            "f68b3c2dcbeaaa9fbdd348bbdeb94873", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        ),
        "train-labels-idx1-ubyte": KnownHashes(
            "d53e105ee54ea40749a09fcbcd1e9432", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
        ),
        "t10k-images-idx3-ubyte": KnownHashes(
            "9fb629c4189551a2d022fa330f9573f3", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
        ),
        "t10k-labels-idx1-ubyte": KnownHashes(
            "ec29112dd5afa0611ce80d1b7f02629c", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
        ),
    }
