"""The examples of a property do not depend on what the process has imported, nor on the seed of Python's hashes."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHOWN = """
import importlib, sys
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import repeatable
for name in sys.argv[1:]:
    importlib.import_module(name)

@settings(max_examples=500)
@given(st.floats(), st.integers(), st.text())
def show(number, whole, text):
    print(ascii((number, whole, text)))

show()
"""


def shown(seed, *modules):
    """What is drawn by a process that has imported modules of ours."""
    return subprocess.run(
        [sys.executable, "-c", SHOWN, *modules],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": str(seed)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_examples_are_the_same_whatever_was_imported_before():
    first = shown(1)
    assert len(first.splitlines()) > 400
    assert shown(2, "pipeline.loss", "pipeline.errors", "pipeline.interval.loss.betting") == first
