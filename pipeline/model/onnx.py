"""A model in an ONNX file, run by ONNX Runtime."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pipeline import files
from pipeline.data.archive import brief
from pipeline.data.base import Data
from pipeline.errors import BadInput
from pipeline.model.base import Model
from pipeline.model.weights import Outside, check_gives, library, named, outside, read_file

_WHAT = "an ONNX file"
_FLOATS = {"tensor(float)": "f4", "tensor(double)": "f8", "tensor(float16)": "f2"}
_INTEGERS = {f"tensor({sign}int{8 * size})": f"{sign or 'i'}{size}" for sign in ("", "u") for size in (1, 2, 4, 8)}
_TYPES = _FLOATS | _INTEGERS
# Where a tensor outside the file has its place: a StringStringEntryProto of the key "location", its value's length as a
# varint of one or two bytes  [onnx.proto, TensorProto.external_data].
_LOCATION = re.compile(rb"\n\x08location\x12(?:([\x00-\x7f])|([\x80-\xff])([\x00-\x7f]))", re.DOTALL)


@dataclass
class Onnx(Model):
    """A classifier of any kind, with one input of n rows.

    The input is a float or integer tensor of shape (n, d), or (n, …), which rows are reshaped to, with n open.
    Weights that lie in files beside (external data) are found there.

    Attributes
    ----------
    path : str
        The ONNX file.
    output : str or None
        The name of the output that is read. None: the first that is a float matrix (n, k); else the only one.
    gives : str or None
        What the output is: ``logits``, ``probabilities``, or ``labels`` (accuracy, and no loss). None: labels where it
        is an integer vector; probabilities where its name has ``prob`` in it, or the data's first rows all come out as
        probabilities; else logits.
    """

    name: str = "onnx"
    path: str = ""
    output: str | None = None
    gives: str | None = None

    def __post_init__(self) -> None:
        self.path = named(self.path, what=_WHAT)
        check_gives(self.gives)

    def build(self, data: Data) -> Outside:
        """Load the model; it runs on the CPU, with one thread for each block of rows.

        Raises
        ------
        BadInput
            If the extra is not installed, the file is missing or damaged, its batch size is fixed, or its input or
            output is none of those above.
        """
        path = Path(self.path)
        content = read_file(path, what=_WHAT)
        runtime = library("onnxruntime", extra="onnx")
        beside = _beside(content, path)
        session = _session(runtime, content, path)
        name, dtype, shape = _input(session, path)
        output = self._output(session, path)

        def run(rows: NDArray[Any]) -> NDArray[Any]:
            return session.run([output], {name: rows.reshape(len(rows), *shape)})[0]

        return outside(
            run,
            data,
            shaping=["onnx", files.content_digest(content), beside, output, self.gives, runtime.__version__],
            where=f"output {brief(output)} of {path}",
            gives=self.gives,
            output=output,
            n_inputs=None if shape == (-1,) else math.prod(shape),
            dtype=dtype,
        )

    def _output(self, session: Any, path: Path) -> str:
        outputs = {output.name: output for output in session.get_outputs()}
        if self.output is not None:
            if self.output not in outputs:
                found = brief(", ".join(outputs))
                raise BadInput(
                    f"model.output must be an output of {path}; found {self.output!r}: choose one of {found}"
                )
            return self.output
        is_label = self.gives == "labels"
        rank, types = (1, _INTEGERS) if is_label else (2, _FLOATS)
        fitting = [name for name, output in outputs.items() if output.type in types and len(output.shape) == rank]
        if fitting or len(outputs) == 1:
            return [*fitting, *outputs][0]
        listed = brief(", ".join(f"{name} {output.type} {output.shape}" for name, output in outputs.items()))
        raise BadInput(
            f"{path} must have an output that is a float matrix (n, k); found {listed}: convert it with "
            "options={'zipmap': False} (skl2onnx), or name another by model.output=NAME"
        )


def _session(runtime: Any, content: bytes, path: Path) -> Any:
    options = runtime.SessionOptions()
    # The blocks are on all cores already.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    # Fatal alone: what goes wrong is told in our words.
    options.log_severity_level = 4
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(path.parent))
    try:
        return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    # Of the runtime's errors none is a subclass of another.
    except Exception as error:
        raise BadInput(
            f"{path} must be a whole ONNX file that ONNX Runtime {runtime.__version__} runs; found: {brief(error)}: "
            "export it again"
        ) from error


def _input(session: Any, path: Path) -> tuple[str, str, tuple[int, ...]]:
    """Name, type and shape of a row of the only input; (-1,) where the width is open."""
    inputs = session.get_inputs()
    listed = brief(", ".join(f"{each.name} {each.type} {each.shape}" for each in inputs)) or "none"
    if len(inputs) != 1 or inputs[0].type not in _TYPES or len(inputs[0].shape) < 2:
        raise BadInput(
            f"{path} must have one input of numbers, shape (n, d); found {listed}: export it with a single such input"
        )
    batch, *row = inputs[0].shape
    if isinstance(batch, int):
        raise BadInput(
            f"{path} must take any number of rows; found {listed}, a fixed batch size of {batch}: export it with a "
            "dynamic batch axis (dynamic_shapes, or dynamic_axes, in torch.onnx.export)"
        )
    widths = tuple(width if isinstance(width, int) else -1 for width in row)
    if -1 in widths and len(widths) > 1:
        raise BadInput(f"{path} must state all sizes of a row; found {listed}: export it with only the batch axis open")
    return inputs[0].name, _TYPES[inputs[0].type], widths


def _beside(content: bytes, path: Path) -> list[str]:
    """Digests of the files that hold weights of the model."""
    places = set()
    for found in _LOCATION.finditer(content):
        one, low, high = found.groups()
        length = one[0] if one else (low[0] & 0x7F) | high[0] << 7
        places.add(content[found.end() : found.end() + length])
    digests = []
    for place in sorted(places):
        file = path.parent / place.decode(errors="replace")
        if not file.is_file():
            raise BadInput(
                f"{path} must have its weights beside it, in {brief(file.name)}; found no such file: keep the two "
                "together, or export it with external_data=False"
            )
        digests.append(files.file_digest(file))
    return digests
