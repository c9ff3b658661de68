"""A PyTorch module without its Python code: a torch.export program, or TorchScript."""

from __future__ import annotations

import io
import json
import math
import re
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import files
from pipeline.data.archive import brief
from pipeline.data.base import Data
from pipeline.errors import BadInput
from pipeline.model.base import Model
from pipeline.model.weights import Outside, check_gives, library, named, outside, read_file

_WHAT = "a file of torch.export.save (.pt2) or torch.jit.save"
_DTYPES = ("float32", "float64", "float16", "uint8", "int8", "int16", "int32", "int64")
# The records of a program that torch.export.load takes for anything but text; what else it finds may be compiled code.
_RECORDS = re.compile(
    r"models/\w+\.json|extra/.*|archive_format|archive_version|byteorder|version|\.data/.*|\.format_version"
    r"|\.storage_alignment|data/(weights|constants)/(weight_|tensor_)\d+"
    r"|data/(weights|constants)/\w+_config\.json|data/sample_inputs/\w+\.pt"
)
# What a node may call; of torch.… it would otherwise be anything that hangs at the module, torch.os.system included.
_CALLED = re.compile(
    r"torch\.ops\.(aten|prims|quantized|quantized_decomposed|higher_order)\.(?!__)\w+(\.(?!__)\w+)?"
    r"|torch\.sym_[a-z]+|_operator\.[a-z]+|math\.[a-z]+"
)
# Sizes are put through eval by SymPy: numbers, names, operators, and calls of its classes, whose names are capital.
_SIZE = re.compile(r"(?!.*(__|\b[a-z_]\w*\s*\())([\w\s+\-*/%(),<>=&|~]|'\w+')*", re.DOTALL)


@dataclass
class Torch(Model):
    """A classifier with one input of n rows that returns one tensor; nothing is unpickled.

    A program of ``torch.export`` states the shape of a row, to which rows are reshaped; its batch size must be open. A
    TorchScript module, which PyTorch deprecates, is given rows of shape (n, d) as ``float32``. Either is a program: a
    file of someone you do not trust may still read files or take for ever.

    Attributes
    ----------
    path : str
        The file.
    gives : str or None
        What it returns: ``logits``, ``probabilities``, or ``labels`` (accuracy, and no loss). None: labels where they
        are integers; probabilities where the data's first rows all come out as such; else logits.
    """

    name: str = "torch"
    path: str = ""
    gives: str | None = None

    def __post_init__(self) -> None:
        self.path = named(self.path, what=_WHAT)
        check_gives(self.gives)

    def build(self, data: Data) -> Outside:
        """Load the module for evaluation, on the CPU; PyTorch is held to one thread for each block of rows.

        Raises
        ------
        BadInput
            If the extra is not installed, the file is missing, damaged or holds pickled objects, its batch size is
            fixed, or its input or output is none of those above.
        """
        path = Path(self.path)
        content = read_file(path, what=_WHAT)
        torch = library("torch", extra="torch", how="")
        # Of the whole process, and taken over by every thread that comes later: the blocks are on all cores already.
        torch.set_num_threads(1)
        module, shape, dtype = _loaded(torch, content, path)

        def run(rows: NDArray[Any]) -> NDArray[Any]:
            shaped = np.require(rows, requirements=["C", "W"]).reshape(len(rows), *shape)
            with torch.no_grad():
                return _only_tensor(torch, module(torch.from_numpy(shaped)), path).numpy()

        return outside(
            run,
            data,
            shaping=["torch", files.content_digest(content), self.gives, torch.__version__],
            where=str(path),
            gives=self.gives,
            n_inputs=None if shape == (-1,) else math.prod(shape),
            dtype=dtype,
        )


def _loaded(torch: Any, content: bytes, path: Path) -> tuple[Any, tuple[int, ...], str]:
    """The module, the shape of a row (-1: open), and the inputs' type."""
    try:
        records = _records(torch, content)
        if "archive_format" in records:
            _refuse_code(torch, records, path)
            return _of_program(torch, torch.export.load(io.BytesIO(content)), path)
        if any(name.startswith("code/") for name in records):
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
                return torch.jit.load(io.BytesIO(content), map_location="cpu").eval(), (-1,), "float32"
    except BadInput:
        raise
    # A damaged file may raise anything that a zip, its JSON or the graph's own state may.
    except Exception as error:
        raise BadInput(
            f"{path} must be {_WHAT}, whole; found: {brief(error) or type(error).__name__}: save it again"
        ) from error
    raise BadInput(
        f"{path} must be {_WHAT}; found weights or a pickled module of torch.save, which is never unpickled: "
        "torch.export.save(torch.export.export(model.eval(), …), FILE), or model=safetensors for linear layers"
    )


def _records(torch: Any, content: bytes) -> dict[str, bytes]:
    # By the very reader that torch loads with: two readers of one zip may find different files in it.
    reader = torch._C.PyTorchFileReader(io.BytesIO(content))
    return {name: reader.get_record(name) for name in reader.get_all_records()}


def _refuse_code(torch: Any, records: dict[str, bytes], path: Path) -> None:
    """Refuse whatever torch.export.load would unpickle, evaluate or run besides operators on tensors."""
    for name, record in records.items():
        is_known = _RECORDS.fullmatch(name) is not None
        if is_known and name.endswith("_config.json"):
            payloads = json.loads(record)["config"].values()
            is_known = all(
                not payload["use_pickle"] and re.fullmatch(r"(weight|tensor)_\d+", payload["path_name"])
                for payload in payloads
            )
        elif is_known and name.endswith(".pt"):
            is_known = not record or _is_plain(torch, record)
        elif is_known and name.startswith("models/"):
            strange = next(_strange(json.loads(record)), None)
            if strange is not None:
                raise BadInput(
                    f"{path} must call operators on tensors alone; found {brief(strange)}: export it from a module of "
                    "such, or use model=onnx"
                )
        if not is_known:
            raise BadInput(
                f"{path} must hold tensors and a graph alone; found {brief(name)}, which is compiled or pickled and "
                "never loaded: save it by torch.export.save, with plain tensors for weights and example inputs"
            )


def _is_plain(torch: Any, record: bytes) -> bool:
    """Whether a pickle holds tensors and plain values alone; torch.export.load would fall back to loading all."""
    with suppress(Exception):
        torch.load(io.BytesIO(record), weights_only=True, map_location="cpu")
        return True
    return False


def _strange(tree: Any) -> Iterator[str]:
    """What a graph calls, or evaluates as a size, that it has no need to."""
    if isinstance(tree, list):
        for item in tree:
            yield from _strange(item)
    elif isinstance(tree, dict):
        for key, value in tree.items():
            allowed = {"target": _CALLED, "expr_str": _SIZE}.get(key) if isinstance(value, str) else None
            # A parameter of the graph has a target too, in its signature: a name alone, with no inputs.
            if allowed is not None and not allowed.fullmatch(value) and (key != "target" or "inputs" in tree):
                yield value
            yield from _strange(value)


def _of_program(torch: Any, program: Any, path: Path) -> tuple[Any, tuple[int, ...], str]:
    wanted = program.graph_signature.user_inputs
    nodes = [node.meta["val"] for node in program.graph.nodes if node.op == "placeholder" and node.name in wanted]
    tensors = [value for value in nodes if isinstance(value, torch.Tensor)]
    dtypes = [str(value.dtype).removeprefix("torch.") for value in tensors]
    if len(wanted) != 1 or len(tensors) != 1 or tensors[0].ndim < 2 or dtypes[0] not in _DTYPES:
        found = brief(", ".join(f"{dtype} {tuple(value.shape)}" for dtype, value in zip(dtypes, tensors, strict=True)))
        raise BadInput(
            f"{path} must have one input of numbers, shape (n, d); found {found or 'none'}: export it with a single "
            "such input"
        )
    batch, *row = tensors[0].shape
    if isinstance(batch, int) or not all(isinstance(size, int) for size in row):
        raise BadInput(
            f"{path} must take any number of rows of a fixed shape; found shape {brief(tuple(tensors[0].shape))}: "
            "export it with dynamic_shapes=({0: torch.export.Dim('n')},)"
        )
    return _module(program), tuple(row), dtypes[0]


def _module(program: Any) -> Any:
    # The guards are code in the file, which would be compiled and run; shapes are checked without them.
    try:
        return program.module(check_guards=False)
    except TypeError:
        return program.module()


def _only_tensor(torch: Any, returned: Any, path: Path) -> Any:
    if isinstance(returned, tuple | list) and len(returned) == 1:
        returned = returned[0]
    if not isinstance(returned, torch.Tensor):
        raise BadInput(
            f"{path} must return one tensor; found {type(returned).__name__}: export a module that returns logits alone"
        )
    return returned
