"""What to install where a library of an extra is missing."""

from __future__ import annotations

import re

from . import files

# From a package index, plain PyTorch may bring gigabytes of CUDA.
_CPU_BUILD = " --index-url https://download.pytorch.org/whl/cpu"


def advice(extra: str) -> str:
    """Return the command that installs what an extra brings.

    In a checkout it is the make target. Where the package is installed it names the libraries themselves: the package
    may not be known to the index that pip asks.

    Parameters
    ----------
    extra : str
        One of the optional dependencies in pyproject.toml.

    Examples
    --------
    >>> advice("onnx")
    'make setup-extras'
    """
    if files.checkout() is not None:
        return "make setup-extras"
    from importlib import metadata

    try:
        required = metadata.requires("batchscope") or []
    except metadata.PackageNotFoundError:
        required = []
    # Such as: onnxruntime>=1.22; extra == "onnx"
    names = [line.partition(";")[0].strip() for line in required if re.search(rf"extra == ['\"]{extra}['\"]", line)]
    return f"pip install {' '.join(repr(name) for name in names) or extra}{_CPU_BUILD if extra == 'torch' else ''}"
