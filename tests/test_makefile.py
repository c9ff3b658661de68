"""make works in a checkout whose path has characters that a shell reads, or says why not."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def made(folder, *arguments):
    """What make says in a folder that has what its set-up asks for."""
    folder.mkdir()
    for name in ("Makefile", "requirements.lock", "uv.lock.txt", "pyproject.toml", "setup.py"):
        shutil.copy(ROOT / name, folder)
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True)


def test_a_checkout_whose_path_has_a_colon_is_refused_in_one_line_before_anything_is_made(tmp_path):
    done = made(tmp_path / "a:b", "setup")
    assert done.returncode == 2
    assert done.stderr.startswith("The checkout's path must have no colon")
    assert not (tmp_path / "a:b" / ".venv").exists()


@pytest.mark.parametrize(("target", "status"), [("gate", 3), ("gate", 4), ("trend", 3)])
def test_make_ends_with_2_where_a_verdict_ends_with_another_status_and_says_so(tmp_path, target, status):
    folder = tmp_path / "checkout"
    (folder / ".venv" / "bin").mkdir(parents=True)
    for name in ("Makefile", "requirements.lock", "uv.lock.txt", "pyproject.toml", "setup.py"):
        shutil.copy(ROOT / name, folder)
    python = folder / ".venv" / "bin" / "python"
    python.write_text(f"#!/bin/sh\nexit {status}\n")
    python.chmod(0o755)
    # Newer than what it is made of, so that nothing is set up.
    (folder / ".venv" / ".ready").touch()
    done = subprocess.run(["make", target], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"Error {status}" in done.stderr
    help_line = next(line for line in made(tmp_path / "help").stdout.splitlines() if f"make {target} " in line)
    assert "ends with 2" in help_line
    assert len(help_line) <= 120
    for page in ("docs/gate.md", "README.md") if target == "gate" else ("docs/predictions.md",):
        said = " ".join((ROOT / page).read_text().split())
        assert re.search(r"calls `batchscope( gate)?`,? or `[\w./]*python -m pipeline( gate)?`", said), page


def test_a_checkout_whose_path_has_a_dollar_sign_or_a_space_is_the_one_that_is_set_up(tmp_path):
    folder = tmp_path / "a$HOME `b` c"
    lines = made(folder, "-n", "setup").stdout.splitlines()
    named = [found[0] for line in lines if (found := re.match(r"VIRTUAL_ENV=\S*", line))]
    assert len(named) >= 2
    for assignment in named:
        shown = subprocess.run(["sh", "-c", f"{assignment} printenv VIRTUAL_ENV"], cwd=folder, capture_output=True)
        assert shown.stdout.decode().strip() == f"{folder}/.venv"
