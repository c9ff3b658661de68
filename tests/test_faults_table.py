"""`make faults` counts the faults that passed, and writes them between the marks of the page."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.faults import BEGIN, END, PAGE, table, written

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = """
import pytest

@pytest.mark.fault("a kill", times=3)
@pytest.mark.parametrize("launcher", ["basic", "ray"])
def test_kill(launcher): pass

@pytest.mark.fault("a bit", times=2000, by="reader")
@pytest.mark.parametrize("reader", ["npz", "csv"])
def test_bit(reader): pass

@pytest.mark.fault("a fire")
def test_fire(): assert False

@pytest.mark.fault("a flood")
def test_flood(): pytest.skip("no water")
"""


def test_the_page_has_the_place_for_the_table_and_keeps_all_else():
    page = PAGE.read_text(encoding="utf-8")
    new = written(page, "| new |")
    assert "| new |" in new
    assert new.partition(BEGIN)[0] == page.partition(BEGIN)[0]
    assert new.partition(END)[2] == page.partition(END)[2] != ""
    assert written(new, "| new |") == new


def test_a_row_sums_up_a_fault_over_the_launchers():
    made = Counter({("a kill", "basic"): 30, ("a full disk", "basic"): 3, ("a kill", "joblib"): 3000})
    assert table(made).splitlines()[2:] == [
        "| a kill | basic, joblib | 3,030 | nothing |",
        "| a full disk | basic | 3 | nothing |",
    ]


def test_a_fault_that_is_made_again_has_its_new_row_and_the_others_keep_theirs():
    page = written(PAGE.read_text(encoding="utf-8"), table(Counter({("a kill", "ray"): 5, ("a fire", "basic"): 1})))
    again = table(Counter({("a kill", "basic"): 30, ("a flood", "basic"): 2}), page)
    assert again.splitlines()[2:] == [
        "| a kill | basic | 30 | nothing |",
        "| a fire | basic | 1 | nothing |",
        "| a flood | basic | 2 | nothing |",
    ]


@pytest.mark.process
def test_only_faults_that_passed_are_counted(tmp_path):
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    code = (
        "import pytest; from tests.faults import Faults; counted = Faults()\n"
        f"pytest.main(['-n', '0', '-m', 'fault', '-q', {str(tmp_path)!r}, '--rootdir', {str(ROOT)!r}, '-c', "
        f"{str(ROOT / 'pyproject.toml')!r}], [counted])\nprint(dict(counted.made))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == str(
        {("a kill", "basic"): 3, ("a kill", "ray"): 3, ("a bit", "npz"): 2000, ("a bit", "csv"): 2000}
    ), done.stdout
