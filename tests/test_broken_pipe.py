"""A reader that has seen enough, as in ``| head``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.process
def test_a_reader_that_leaves_ends_the_program_as_a_pipe_does_and_without_a_word(new_mlruns):
    mlruns = new_mlruns()
    command = [sys.executable, "-m", "pipeline", "run", "draws=20", "batch_size=10"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "BATCHSCOPE_MLRUNS": str(mlruns)},
    ) as started:
        started.stdout.close()
        said = started.stderr.read().decode()
    assert (started.returncode, said) == (141, "")
