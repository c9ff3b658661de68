"""action.yml: its shell steps, run with bash as a runner would run them."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
import yaml

from tests.packaging.conftest import ROOT
from tests.study.predicted import two_models, write

ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = {step["id"]: step for step in ACTION["runs"]["steps"]}
FIRST, SECOND, LABELS = two_models()


def run(step, given, folder, **environment):
    """Run a step's script with the inputs given; what is written to GITHUB_OUTPUT is returned by name."""
    inputs = {name: own.get("default") for name, own in ACTION["inputs"].items()} | given
    assert None not in inputs.values(), "an input that is required has no value"
    values = {f"inputs.{name}": value for name, value in inputs.items()} | {"github.action_path": str(ROOT)}
    fill = lambda text: re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found: values[found[1]], text)  # noqa: E731
    own = {name: fill(text) for name, text in STEPS[step]["env"].items()}
    output = folder / "output"
    output.touch()
    done = subprocess.run(
        # As GitHub starts `shell: bash`.
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[step]["run"]],
        env={**os.environ, **own, "GITHUB_OUTPUT": str(output), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    return done, dict(line.split("=", 1) for line in output.read_text("utf-8").splitlines())


@pytest.fixture
def program(tmp_path):
    """A PATH on which batchscope is the program of the checkout."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "batchscope").write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m pipeline "$@"\n')
    (folder / "batchscope").chmod(0o755)
    (folder / "python").symlink_to(sys.executable)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def files(tmp_path):
    return {
        "baseline": write(tmp_path / "the baseline.parquet", label=LABELS, logits=FIRST),
        "candidate": write(tmp_path / "candidate.parquet", label=LABELS, logits=SECOND + 2.0 * np.eye(4)[LABELS]),
    }


def test_every_step_is_a_bash_script_whose_values_come_by_the_environment():
    assert list(STEPS) == ["install", "gate"]
    for step in STEPS.values():
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]
        assert subprocess.run(["bash", "-n"], input=step["run"], text=True).returncode == 0


def test_every_output_is_one_that_the_gate_step_writes():
    for name, own in ACTION["outputs"].items():
        assert own["value"] == f"${{{{ steps.gate.outputs.{name} }}}}"


@pytest.mark.slow
def test_a_pass_gives_its_outputs_and_the_comment(files, program, tmp_path, new_mlruns):
    summary = tmp_path / "summary.md"
    done, outputs = run(
        "gate",
        {**files, "margin-loss": "0.02", "options": "draws=10 confidence=0.9"},
        tmp_path,
        PATH=program,
        BATCHSCOPE_MLRUNS=str(new_mlruns()),
        GITHUB_STEP_SUMMARY=str(summary),
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert outputs["verdict"] == "better"
    assert float(outputs["low"]) < float(outputs["difference"]) < float(outputs["high"]) < 0
    assert summary.read_text("utf-8").startswith("### Better")
    assert "90 %" in done.stdout


@pytest.mark.slow
def test_a_worse_candidate_fails_the_step_with_its_outputs(files, program, tmp_path, new_mlruns):
    swapped = {"baseline": files["candidate"], "candidate": files["baseline"]}
    given = {**swapped, "margin-loss": "0.02", "margin-accuracy": "0.01"}
    done, outputs = run("gate", given, tmp_path, PATH=program, BATCHSCOPE_MLRUNS=str(new_mlruns()))
    assert (done.returncode, outputs["verdict"]) == (3, "worse"), done.stderr


def test_without_a_margin_the_step_says_so(files, program, tmp_path):
    done, outputs = run("gate", files, tmp_path, PATH=program)
    assert (done.returncode, outputs) == (2, {})
    assert "margin-loss or margin-accuracy must be given" in done.stderr


@pytest.mark.slow
def test_the_wheel_is_installed_and_the_gate_runs_from_it(installed, wheel, files, tmp_path):
    """Without the packages that it needs, which the environment has: a test downloads nothing."""
    alone = {"PATH": f"{installed}{os.pathsep}{os.environ['PATH']}", "PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1"}
    alone |= {"PIP_PYTHON": str(installed / "python"), "PIP_FORCE_REINSTALL": "1"}
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "python").symlink_to(sys.executable)
    pip = {**alone, "PATH": f"{tmp_path / 'own'}{os.pathsep}{alone['PATH']}"}
    done, _ = run("install", {**files, "package": str(wheel)}, tmp_path, **pip)
    assert done.returncode == 0, done.stderr
    given = {**files, "margin-loss": "0.02"}
    done, outputs = run("gate", given, tmp_path, **alone, BATCHSCOPE_MLRUNS=str(tmp_path / "mlruns"), PYTHONPATH="")
    assert (done.returncode, outputs["verdict"]) == (0, "better"), done.stderr
