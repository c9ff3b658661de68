import sys

import numpy as np
import pytest

from pipeline.errors import BadInput, Failed
from pipeline.study.labelling.asked import labels_from
from pipeline.study.labelling.sheet import Sheet

SHEET = Sheet("id", ["a", "b"], 3)

pytestmark = pytest.mark.process


@pytest.fixture
def asked(tmp_path):
    """A function from a program's text to the labels that it gives for the sheet."""
    place = tmp_path / "round 1.csv"
    place.write_text(SHEET.text())

    def ask(program):
        script = tmp_path / "ask.py"
        script.write_text(program)
        return labels_from(f"{sys.executable} {script}", place, SHEET)

    return ask


def test_a_program_reads_the_sheet_from_its_argument_or_its_input(asked):
    by_path = "import sys; print('id,label'); [print(line[0] + ',2') for line in list(open(sys.argv[1]))[1:]]"
    by_input = "import sys; print('id,label'); [print(line[0] + ',2') for line in sys.stdin.readlines()[1:]]"
    for program in (by_path, by_input):
        np.testing.assert_array_equal(asked(program), [2, 2])


@pytest.mark.parametrize(
    ("program", "error", "message"),
    [
        ("import sys; sys.exit('no credit left')", Failed, r"ended with status 1 \(no credit left\); the rows asked"),
        ("print('id,label\\na,1\\nb,')", Failed, "left 1 of 2 labels out; .* earlier labels are kept"),
        ("print('id,label\\na,1\\nb,7')", BadInput, r"label in line 3 of the output of study.labels=.* found '7'"),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", BadInput, "must print CSV in UTF-8"),
    ],
)
def test_a_program_that_fails_is_told_in_one_line(asked, program, error, message):
    with pytest.raises(error, match=message) as found:
        asked(program)
    assert "\n" not in str(found.value)


def test_a_program_that_is_not_there_is_a_wrong_request(tmp_path):
    with pytest.raises(BadInput, match=r"must be a program that can be started; found: .*No such file"):
        labels_from("/no/such/program", tmp_path / "x.csv", SHEET)
