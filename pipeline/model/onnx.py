"""A model in an ONNX file, run by ONNX Runtime."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from ..data.base import Data
from ..errors import BadInput, brief
from ..runtime import files
from ..runtime.apart import call_apart, end_when_interrupted
from .bounded import ProgramModel, bounded
from .external import ExternalClassifier, check_gives, external_classifier, library, too_slow

_FLOATS = {"tensor(float)": "f4", "tensor(double)": "f8", "tensor(float16)": "f2"}
_INTEGERS = {f"tensor({sign}int{8 * size})": f"{sign or 'i'}{size}" for sign in ("", "u") for size in (1, 2, 4, 8)}
_TYPES = _FLOATS | _INTEGERS
# The file of a tensor's external data: a StringStringEntryProto with the key "location", the length of its value a
# varint of one or two bytes  [onnx.proto, TensorProto.external_data].
_LOCATION = re.compile(rb"\n\x08location\x12(?:([\x00-\x7f])|([\x80-\xff])([\x00-\x7f]))", re.DOTALL)


@dataclass
class Onnx(ProgramModel):
    """A classifier of any kind, with one input of n rows.

    The input is a float or integer tensor of shape (n, d), or (n, …) to which rows are reshaped; n must be open.
    Weights in other files of the same folder (external data) are read from there.

    Attributes
    ----------
    path : str
        The ONNX file.
    output : str or None
        The name of the output that is read. None: the first that is a float matrix (n, k), else the only one.
    gives : str or None
        What the output is: ``logits``, ``probabilities``, or ``labels`` (accuracy, and no loss). None: labels if it is
        an integer vector; probabilities if its name contains ``prob``, or the outputs of the data's first rows are
        probabilities; else logits.
    """

    name: str = "onnx"
    output: str | None = None
    gives: str | None = None

    what: ClassVar[str] = "an ONNX file"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_gives(self.gives)

    def build(self, data: Data) -> ExternalClassifier:
        """Load the model. It runs on the CPU, with one thread for each block of rows.

        Raises
        ------
        BadInput
            If the extra is not installed, the file is missing or damaged, its batch size is fixed, or its input or
            output is not as described above.
        """
        path, content = self.read()
        runtime = library("onnxruntime", extra="onnx")
        external_files = _external_files(content, path)
        external_data = [files.file_digest(file) for file in external_files]
        with bounded(self.memory, path, len(content) + sum(file.stat().st_size for file in external_files), data):
            session = self._session(runtime, content, path)
            name, dtype, shape = _input(session, path)
            output = self._output(session, path)
            run = _Runs(session, runtime, name, output)
            return external_classifier(
                run,
                data,
                seconds=self.seconds,
                stop=run.stop,
                shaping=["onnx", files.content_digest(content), external_data, output, self.gives, runtime.__version__],
                where=f"output {brief(output)} of {path}",
                gives=self.gives,
                output=output,
                shape=shape,
                dtype=dtype,
            )

    def _session(self, runtime: Any, content: bytes, path: Path) -> Any:
        """Load the model, for which constants are folded: that may take any time, too."""
        try:
            return call_apart(lambda: _session(runtime, content, path), seconds=self.seconds)
        except TimeoutError as error:
            raise too_slow(str(path), "be loaded", self.seconds) from error

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


class _Runs:
    """Runs of a session, which need no interpreter: each listens to whoever ends it."""

    def __init__(self, session: Any, runtime: Any, name: str, output: str) -> None:
        self._session, self._runtime, self._name, self._output = session, runtime, name, output
        self._under_way: set[Any] = set()
        self._is_stopped = False
        end_when_interrupted(self)

    def __call__(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the outputs of rows."""
        options = self._runtime.RunOptions()
        options.log_severity_level = 4

        def run() -> NDArray[Any]:
            return self._session.run([self._output], {self._name: rows}, options)[0]

        self._under_way.add(options)
        options.terminate = self._is_stopped
        try:
            # The main thread must hear signals; of the others, it ends what they do.
            is_main = threading.current_thread() is threading.main_thread()
            return call_apart(run, stop=self.stop) if is_main else run()
        finally:
            self._under_way.discard(options)

    def stop(self) -> None:
        """End the runs under way at their next operator, and let no other begin."""
        self._is_stopped = True
        for options in list(self._under_way):
            options.terminate = True


def _session(runtime: Any, content: bytes, path: Path) -> Any:
    options = runtime.SessionOptions()
    # Blocks already run on all cores.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    # Only fatal messages: an error is reported by the message below.
    options.log_severity_level = 4
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(path.parent))
    try:
        return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    # The runtime's exceptions have no common base class.
    except Exception as error:
        raise BadInput(
            f"{path} must be a whole ONNX file that ONNX Runtime {runtime.__version__} runs; found: {brief(error)}: "
            "export it again"
        ) from error


def _input(session: Any, path: Path) -> tuple[str, str, tuple[int, ...]]:
    """The name and dtype of the only input, and the shape of a row; (-1,) if the width is open."""
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


def _external_files(content: bytes, path: Path) -> list[Path]:
    """The files that hold external data of the model, in order of their names."""
    places = set()
    for found in _LOCATION.finditer(content):
        one, low, high = found.groups()
        length = one[0] if one else (low[0] & 0x7F) | high[0] << 7
        places.add(content[found.end() : found.end() + length])
    found_files = []
    for place in sorted(places):
        file = path.parent / place.decode(errors="replace")
        if Path(place.decode(errors="replace")).is_absolute() or ".." in file.relative_to(path.parent).parts:
            raise BadInput(
                f"{path} must have its weights beside it; found them in {brief(file)}: export it into a folder of its "
                "own"
            )
        if not file.is_file():
            raise BadInput(
                f"{path} must have its weights beside it, in {brief(file.name)}; found no such file: keep the two "
                "together, or export it with external_data=False"
            )
        found_files.append(file)
    return found_files
