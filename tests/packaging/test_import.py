"""What an import of the package alone loads."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ["mlflow", "hydra", "omegaconf", "matplotlib", "pandas", "sklearn", "scipy", "pyarrow", "rich"]


@pytest.mark.parametrize("module", ["pipeline", "pipeline.__main__", "pipeline.commands"])
def test_the_package_and_its_command_line_load_no_heavy_library(module):
    code = f"import sys, {module}; print([name for name in sys.argv[1:] if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code, *HEAVY], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
