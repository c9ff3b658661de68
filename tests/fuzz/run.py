"""Put many inputs to the readers, in this process, whose memory and time are limited; a line of JSON a reader.

python -m tests.fuzz.run COUNT READER …
"""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

from pipeline.errors import BadInput
from tests import repeatable  # noqa: F401
from tests.fuzz import readers
from tests.fuzz.mutations import mutated
from tests.fuzz.others import extra_readers

SEED = 20261124
SECONDS, MOST_BYTES, MOST_CHARACTERS = 5, 1 << 30, 500
# For what waits and does not work, such as the reader of a pipe. On a busy machine work waits, too.
_PATIENCE = 120


class Hangs(BaseException):
    """Not an Exception, so that no reader takes it for a damaged file."""


@dataclass
class Told:
    """What became of the inputs of one reader: how many were read and refused, the slowest (s), and what went wrong."""

    reader: str
    real: int = 0
    read: int = 0
    refused: int = 0
    slowest: float = 0.0
    wrong: str = ""


def main(count: int, names: list[str]) -> None:
    warnings.simplefilter("error")
    makers = {**readers.all_readers(), **extra_readers(), "mnist": readers.mnist}
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, _on_alarm)
    made = {name: makers[name]() for name in names}
    for reader in made.values():
        # What is loaded when first used is no input's fault.
        _put(reader, reader.real[0], Told("first"))
    start = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (start + MOST_BYTES, resource.RLIM_INFINITY))
    for name, reader in made.items():
        told = Told(name)
        try:
            fuzz(reader, count, told)
        except BaseException:
            told.wrong = traceback.format_exc()
        print(json.dumps(asdict(told)), flush=True)


def fuzz(reader: readers.Reader, count: int, told: Told) -> None:
    """Put real files and `count` structured or damaged ones to a reader; raise what it lets through."""
    for real in reader.real:
        _put(reader, real, told)
        assert told.refused == 0, "a real file must be accepted"
    told.real, told.read = told.read, 0
    if not reader.structured.is_empty:

        @settings(max_examples=count // 2, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(reader.structured)
        def structured(files: readers.Files) -> None:
            _put(reader, files, told)

        structured()
    rng = np.random.default_rng(SEED)
    while told.read + told.refused < count:
        files = dict(reader.real[int(rng.integers(len(reader.real)))])
        # Of two files, the one with the labels in four of five cases: it is small.
        name = list(files)[-1 if rng.integers(5) else 0]
        others = [real[name] for real in reader.real if name in real]
        _put(reader, files | {name: mutated(files[name], others, rng)}, told)


def _put(reader: readers.Reader, files: readers.Files, told: Told) -> None:
    """Put one input to a reader, and count what becomes of it."""
    folder = Path(tempfile.mkdtemp())
    started = time.process_time()
    try:
        for name, content in files.items():
            _place(folder / name, content)
        with _limited():
            reader.check(folder)
        told.read += 1
    except BadInput as error:
        told.refused += 1
        said = str(error).replace(str(folder), "FOLDER")
        assert said.isprintable(), repr(said)
        assert len(said) < MOST_CHARACTERS, said
    finally:
        told.slowest = max(told.slowest, time.process_time() - started)
        shutil.rmtree(folder)


def _place(path: Path, content: bytes) -> None:
    """Write a file, or what stands in its place."""
    if content == b"folder":
        path.mkdir()
    elif content.startswith(b"link to"):
        path.symlink_to({b"zeros": "/dev/zero", b"itself": path.name}.get(content.split()[-1], path.parent / "nowhere"))
    elif content == b"pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(content)


@contextmanager
def _limited() -> Iterator[None]:
    """Stop what works longer than an input may; if it is in C and does not listen, the process ends."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.setitimer(signal.ITIMER_REAL, _PATIENCE)
    faulthandler.dump_traceback_later(2 * _PATIENCE, exit=True)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()


def _on_alarm(number: int, frame: FrameType | None) -> None:
    raise Hangs(f"an input took longer than {SECONDS if number == signal.SIGPROF else _PATIENCE} s")


if __name__ == "__main__":
    faulthandler.enable()
    main(int(sys.argv[1]), sys.argv[2:])
