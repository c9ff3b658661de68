"""Read files one after the other in this process; a line of JSON a file: what was said, seconds, peak of memory.

python -m tests.hostile.reading CASES.json
"""

from __future__ import annotations

import json
import re
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pipeline as bs
from pipeline.data.digits import Digits
from pipeline.data.inspect import Inspect
from pipeline.data.lm_eval import LmEval
from pipeline.data.predictions import Predictions
from pipeline.data.table import RowTable
from pipeline.errors import BadInput
from pipeline.model.onnx import Onnx
from pipeline.model.sklearn import Sklearn


def first_block(data: type[Predictions | RowTable]) -> Callable[..., str]:
    """From a path and options to what became of the rows, of which the first block is read."""

    def read(path: str, **options: Any) -> str:
        found = data(path=path, **options).load()
        next(iter(found.read(0)))
        return f"read {len(found):,} rows of {found.width:,}"

    return read


def log(data: type[Inspect | LmEval]) -> Callable[[str], str]:
    """From the path of a log to how many rows it has."""
    return lambda path: f"read {len(data(path=path).load()):,} rows"


def model(kind: type[Onnx | Sklearn]) -> Callable[..., str]:
    """From the path of a model to what it gives."""
    return lambda path, **options: kind(path=path, **options).build(Digits()).gives


READ: dict[str, Callable[..., str]] = {
    "predictions": first_block(Predictions),
    "table": first_block(RowTable),
    "scores": lambda path: f"read {len(bs.scores(path)):,} rows",
    "lm_eval": log(LmEval),
    "inspect": log(Inspect),
    "onnx": model(Onnx),
    "sklearn": model(Sklearn),
}


def peak() -> int:
    """The most memory since `forget`, in bytes."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status)[1])  # type: ignore[index]


def forget() -> None:
    """Begin anew with the peak of memory."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def main(cases: list[tuple[str, str, dict[str, Any]]]) -> None:
    """Read each case."""
    for kind, path, options in cases:
        forget()
        started = time.monotonic()
        try:
            said = READ[kind](path, **options)
        except BadInput as error:
            said = str(error)
        except Exception:
            said = traceback.format_exc()
        told = {"said": said, "seconds": time.monotonic() - started, "peak": peak()}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
