"""At a terminal, the first line says that the program has begun, before it does what takes seconds."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Fails at the import of what takes long: what was said by then came before it.
STOPS = "import sys\nsys.modules['hydra'] = None\n"


@pytest.mark.process
@pytest.mark.parametrize(("arguments", "line"), [(["sweep"], "Preparing sweep …"), ([], "Preparing a run …")])
def test_a_terminal_is_told_before_hydra_is_imported_and_a_file_is_not(tmp_path, arguments, line):
    (tmp_path / "sitecustomize.py").write_text(STOPS)
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "BATCHSCOPE_MLRUNS": str(tmp_path)}
    asked = [sys.executable, "-m", "pipeline", *(arguments or ["batch_size=10"])]
    own, other = pty.openpty()
    with subprocess.Popen(asked, env=environment, stdin=subprocess.DEVNULL, stderr=other) as started:
        os.close(other)
        first = b""
        while not first.endswith(b"\n"):
            first += os.read(own, 1)
        started.kill()
    os.close(own)
    assert first.decode().strip() == line
    done = subprocess.run(asked, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert "Preparing" not in done.stdout + done.stderr
