"""What a result was made with is described from this very process and checkout."""

import json
import platform
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

from pipeline.cell import environment


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *identity, *arguments], capture_output=True, check=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    """A git checkout with one file that is committed."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "loss.py").write_text("one = 1\n")
    git(tmp_path, "add", "loss.py")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    return tmp_path


def test_the_description_names_this_interpreter_its_packages_and_blas():
    found = environment.describe()
    assert found["python"] == platform.python_version()
    assert found["package.numpy"] == numpy.__version__
    assert int(found["cores"]) >= 1
    assert found["processor"]
    assert found["blas"]
    assert {name for name in found if name.startswith("package.")} == {f"package.{n}" for n in environment.PACKAGES}
    # As it is logged.
    assert json.loads(json.dumps(found)) == found


def test_a_package_that_is_not_there_is_said_to_be_so():
    assert environment._version("no-such-package-here") == "not installed"


def test_a_clean_checkout_is_its_commit(checkout):
    assert environment._source(checkout) == {"commit": git(checkout, "rev-parse", "HEAD"), "uncommitted": ""}


def test_uncommitted_changes_are_named_and_told_apart_by_their_content(checkout):
    (checkout / "loss.py").write_text("one = 2\n")
    first = environment._source(checkout)["uncommitted"]
    (checkout / "loss.py").write_text("one = 3\n")
    second = environment._source(checkout)["uncommitted"]
    assert first.endswith(": loss.py")
    assert second.endswith(": loss.py")
    assert first != second


def test_of_many_changed_files_the_first_fifty_are_named(checkout):
    for number in range(60):
        (checkout / f"new_{number:02d}.py").touch()
    found = environment._source(checkout)["uncommitted"]
    assert found.count(".py") == 50
    assert found.endswith("new_49.py and 10 more")


def test_a_folder_that_is_no_checkout_has_no_commit(tmp_path):
    assert environment._source(tmp_path) == {}
    assert environment._source(None) == {}


def test_a_broken_checkout_has_no_commit(tmp_path):
    (tmp_path / ".git").mkdir()
    assert environment._source(tmp_path) == {}


def test_differences_are_what_changed_came_or_went():
    before = {"python": "3.12", "blas": "openblas", "commit": "aa"}
    now = {"python": "3.13", "blas": "openblas", "cores": "2"}
    assert environment.differences(before, now) == {
        "commit": ("aa", ""),
        "cores": ("", "2"),
        "python": ("3.12", "3.13"),
    }
    assert environment.differences(now, now) == {}


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's own file")
def test_on_linux_the_processor_is_named_by_its_model():
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = {line.partition(":")[2].strip() for line in lines if line.startswith("model name")}
    assert environment._processor() in (models or {platform.processor() or platform.machine()})
