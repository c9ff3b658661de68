import csv
import io

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.study.labelling.sheet import EMPTY, Sheet

NUMBERS = Sheet("id", ["a", "b", "c"], 10, None, {"text": ["one, two", 'say "x"', "three"]})
NAMES = Sheet("row", ["7", "3"], 2, ("cat", "dog"))


def test_the_sheet_is_csv_with_ids_what_is_shown_and_an_empty_column():
    rows = list(csv.reader(io.StringIO(NUMBERS.text())))
    assert rows == [["id", "text", "label"], ["a", "one, two", ""], ["b", 'say "x"', ""], ["c", "three", ""]]
    assert (NUMBERS.labels(NUMBERS.text(), where="FILE") == EMPTY).all()


@pytest.mark.parametrize(
    "text",
    [
        "id,label\na,3\nb,0\nc,9\n",
        "label,id\n9,c\n3,a\n0,b\n",
        "\ufeffid;text;label\r\na;x;3\r\nb;y;0.0\r\nc;z;9\r\n\r\n",
        'id,note,label\na,"two\nlines", 3 \nb,,0\nc,,9',
    ],
)
def test_labels_come_back_in_the_sheets_order_from_whatever_a_spreadsheet_makes_of_it(text):
    np.testing.assert_array_equal(NUMBERS.labels(text, where="FILE"), [3, 0, 9])


def test_names_of_classes_and_rows_left_empty():
    np.testing.assert_array_equal(NAMES.labels("row,label\n3,dog\n7,\n", where="FILE"), [EMPTY, 1])


def test_spaces_around_names_do_not_count_and_a_spreadsheets_point_nought_is_understood():
    spaced = Sheet(" row ", ["7", "3"], 2, (" cat", "dog "))
    spaced.check()
    np.testing.assert_array_equal(spaced.labels(spaced.text().replace("7,", "7,cat"), where="FILE"), [0, EMPTY])
    np.testing.assert_array_equal(spaced.labels("row,label\n7,dog\n3, cat\n", where="FILE"), [1, 0])
    numbered = Sheet("row", ["7", "3"], 3, ("1", "2", "3"))
    np.testing.assert_array_equal(numbered.labels("row,label\n7,1.0\n3,3\n", where="FILE"), [0, 2])
    # A class that is called so comes first.
    both = Sheet("row", ["7", "3"], 2, ("1", "1.0"))
    np.testing.assert_array_equal(both.labels("row,label\n7,1.0\n3,1\n", where="FILE"), [1, 0])


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        (Sheet("label", [], 2), "data.id must be a column of another name than 'label'"),
        (Sheet("id", [], 2, None, {"label": []}), "study.show must name other columns .* found 'label'"),
        (Sheet("id", [], 2, None, {"id ": []}), "study.show must name other columns .* found 'id': leave"),
        (Sheet("id", [], 2, ("a", "a ")), "names of classes must differ .* found 'a' twice: rename"),
        (Sheet("id", [], 2, ("a", " ")), "none be empty; found '': rename"),
    ],
)
def test_a_sheet_that_could_never_be_filled_in_is_refused(sheet, message):
    with pytest.raises(BadInput, match=message) as found:
        sheet.check()
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("sheet", "text", "message"),
    [
        (NUMBERS, "id,label\na,1\nx,2\nc,3\n", r"line 3 of FILE must have an id that was asked for; found id 'x'"),
        (NUMBERS, "id,label\na,1\na,2\nc,3\n", r"each row once; found id a in line 2 and again in line 3"),
        (NUMBERS, "id,label\na,1\nc,2\n", r"all 3 rows that were asked for; found 2, without id b: put its line back"),
        (NUMBERS, "id,label\na,10\nb,1\nc,2\n", r"the label in line 2 of FILE must be a class \(0 … 9\), .*'10'"),
        (NUMBERS, "id,label\na,-1\nb,1\nc,2\n", r"the label in line 2 of FILE must be a class .* found '-1'"),
        (NUMBERS, "id,label\na,1.5\nb,1\nc,2\n", r"line 2 of FILE must be a class .* found '1.5'"),
        (NAMES, "row,label\n7,bird\n3,cat\n", r"must be a class \(cat, dog\), or empty; found 'bird': mend it"),
        (NAMES, "row,label\n7,cat,x\n3,cat\n", r"line 2 of FILE must have 2 cells, .* found 3: mend that line"),
        (NAMES, "row,Label\n7,cat\n3,cat\n", r"line 1 of FILE must have the headings .*'label' .* found row, Label"),
        (NAMES, "", r"line 1 of FILE must have the headings .* found nothing: put the headings back"),
        (NAMES, 'row,label\n7,"cat\n3,cat\n', r"FILE must be a CSV file; found in line 3: .*: mend that line"),
    ],
)
def test_a_sheet_that_was_edited_badly_is_refused_by_line_in_one_line(sheet, text, message):
    with pytest.raises(BadInput, match=message) as found:
        sheet.labels(text, where="FILE")
    assert "\n" not in str(found.value)


def test_a_text_that_a_spreadsheet_would_take_for_a_formula_is_shown_as_text():
    sheet = Sheet("id", ["=a", "b"], 2, None, {"text": ["=HYPERLINK(1)", "-1.5e3"]})
    assert sheet.text().splitlines()[1:] == ["=a,'=HYPERLINK(1),", "b,-1.5e3,"]
