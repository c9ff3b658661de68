"""Files that unpack to gigabytes are read block by block or refused in one line, within a gigabyte and in seconds."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.bombs import BOMBS

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES, MOST_CHARACTERS = 1 << 30, 500
NEEDED = {"inspect": "inspect_ai", "onnx": "onnx", "sklearn": "skops"}
# Those that are made and read within a second each.
FEW = ["two lists of 50 million", "a line of 24 MB", "a log's line of a gigabyte", "an ONNX graph"]


def told(folder, names):
    """What a process of its own says of bombs that it reads one after the other."""
    cases = []
    for name in names:
        bomb = BOMBS[name]
        if bomb.kind in NEEDED and importlib.util.find_spec(NEEDED[bomb.kind]) is None:
            continue
        bomb.make(folder / bomb.name)
        cases.append((name, (bomb.kind, str(folder / bomb.name), dict(bomb.options))))
    (folder / "cases.json").write_text(json.dumps([case for _, case in cases]), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.reading", str(folder / "cases.json")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == len(cases), done.stderr[-2000:]
    return {name: line for (name, _), line in zip(cases, lines, strict=True)}


def check(folder, names):
    for name, line in told(folder, names).items():
        assert re.search(BOMBS[name].says, line["said"]), f"{name}: {line['said']}"
        assert line["said"].isprintable(), name
        assert len(line["said"]) < MOST_CHARACTERS, name
        assert line["peak"] < MOST_BYTES, f"{name}: {line['peak']:,}"


@pytest.mark.process
def test_a_small_file_that_unpacks_to_gigabytes_is_one_line_within_a_gigabyte(tmp_path):
    check(tmp_path, FEW)


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.parametrize("name", BOMBS)
def test_any_file_that_unpacks_to_gigabytes_is_read_in_blocks_or_one_line_within_a_gigabyte(tmp_path, name):
    check(tmp_path, [name])


@pytest.mark.process
def test_the_measurement_sees_what_a_careless_reader_takes(tmp_path):
    script = (
        "import numpy; from tests.hostile import reading as r; r.forget(); numpy.ones(150_000_000); print(r.peak())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) > MOST_BYTES
