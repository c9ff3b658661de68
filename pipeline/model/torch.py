"""A PyTorch module without its Python code: a torch.export program, or TorchScript."""

from __future__ import annotations

import io
import json
import re
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..data.base import Data
from ..errors import BadInput, brief
from ..runtime import files
from .bounded import ProgramModel, bounded
from .external import ExternalClassifier, check_gives, external_classifier, library

_DTYPES = ("float32", "float64", "float16", "uint8", "int8", "int16", "int32", "int64")
# The records of a program that torch.export.load may read; any other record may be compiled code.
_RECORDS = re.compile(
    r"models/\w+\.json|extra/.*|archive_format|archive_version|byteorder|version|\.data/.*|\.format_version"
    r"|\.storage_alignment|data/(weights|constants)/(weight_|tensor_)\d+"
    r"|data/(weights|constants)/\w+_config\.json|data/sample_inputs/\w+\.pt"
)
# What a node may call. Anything else that is reachable from the torch module would be called too: torch.os.system.
_CALLED = re.compile(
    r"torch\.ops\.(aten|prims|quantized|quantized_decomposed|higher_order)\.(?!__)\w+(\.(?!__)\w+)?"
    r"|torch\.sym_[a-z]+|_operator\.[a-z]+|math\.[a-z]+"
)
# SymPy evaluates sizes with eval. Allowed are numbers, names, operators, and calls of its classes (capital initials).
_SIZE = re.compile(r"(?!.*(__|\b[a-z_]\w*\s*\())([\w\s+\-*/%(),<>=&|~]|'\w+')*", re.DOTALL)


@dataclass
class Torch(ProgramModel):
    """A classifier with one input of n rows that returns one tensor; nothing is unpickled.

    A program of ``torch.export`` states the shape of a row, to which rows are reshaped; its batch size must be open. A
    TorchScript module, which PyTorch deprecates, gets rows of shape (n, d) as ``float32``. Both are programs: a file
    from an untrusted source may still read files.

    Attributes
    ----------
    path : str
        The file.
    gives : str or None
        What it returns: ``logits``, ``probabilities``, or ``labels`` (accuracy, and no loss). None: labels if the
        outputs are integers; probabilities if the outputs of the data's first rows are probabilities; else logits.
    """

    name: str = "torch"
    gives: str | None = None

    what: ClassVar[str] = "a file of torch.export.save (.pt2) or torch.jit.save"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_gives(self.gives)

    def build(self, data: Data) -> ExternalClassifier:
        """Load the module for evaluation on the CPU; PyTorch is limited to one thread for each block of rows.

        Raises
        ------
        BadInput
            If the extra is not installed, the file is missing, damaged or holds pickled objects, its batch size is
            fixed, or its input or output is not as described above.
        """
        path, content = self.read()
        torch = library("torch", extra="torch")
        # For the whole process and all later threads, because blocks already run on all cores.
        torch.set_num_threads(1)
        with bounded(self.memory, path, len(content), data):
            module, shape, dtype = _loaded(torch, content, path)

            def run(rows: NDArray[Any]) -> NDArray[Any]:
                writable = np.require(rows, requirements=["C", "W"])
                with torch.no_grad():
                    return _only_tensor(torch, module(torch.from_numpy(writable)), path).numpy()

            return external_classifier(
                run,
                data,
                seconds=self.seconds,
                shaping=["torch", files.content_digest(content), self.gives, torch.__version__],
                where=str(path),
                gives=self.gives,
                shape=shape,
                dtype=dtype,
            )


def _loaded(torch: Any, content: bytes, path: Path) -> tuple[Any, tuple[int, ...], str]:
    """The module, the shape of a row ((-1,) if it is open), and the dtype of the inputs."""
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
    # A damaged file may raise any exception of the zip reader, the JSON reader or the graph's own loading.
    except Exception as error:
        raise BadInput(
            f"{path} must be {Torch.what}, whole; found: {brief(error) or type(error).__name__}: save it again"
        ) from error
    raise BadInput(
        f"{path} must be {Torch.what}; found weights or a pickled module of torch.save, which is never unpickled: "
        "torch.export.save(torch.export.export(model.eval(), …), FILE), or model=safetensors for linear layers"
    )


def _records(torch: Any, content: bytes) -> dict[str, bytes]:
    # Read with torch's own reader, because two zip readers may find different files in one archive.
    reader = torch._C.PyTorchFileReader(io.BytesIO(content))
    return {name: reader.get_record(name) for name in reader.get_all_records()}


def _refuse_code(torch: Any, records: dict[str, bytes], path: Path) -> None:
    """Refuse a program from which torch.export.load would unpickle, evaluate or run more than operators on tensors."""
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
            strange = next(_disallowed(json.loads(record)), None)
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
    """Whether a pickle holds only tensors and plain values; for others torch.export.load would fall back to pickle."""
    with suppress(Exception):
        torch.load(io.BytesIO(record), weights_only=True, map_location="cpu")
        return True
    return False


def _disallowed(tree: Any) -> Iterator[str]:
    """Yield the call targets and size expressions of a graph that are not allowed."""
    if isinstance(tree, list):
        for item in tree:
            yield from _disallowed(item)
    elif isinstance(tree, dict):
        for key, value in tree.items():
            allowed = {"target": _CALLED, "expr_str": _SIZE}.get(key) if isinstance(value, str) else None
            # In the graph's signature a parameter has a target too, which is only a name and has no inputs.
            if allowed is not None and not allowed.fullmatch(value) and (key != "target" or "inputs" in tree):
                yield value
            yield from _disallowed(value)


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
    # Guards are code in the file, which would be compiled and run. The shapes are checked here without them.
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
