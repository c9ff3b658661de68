"""The report of a run and of a sweep says what the terminal says, in the same words and the same order."""

import re

import pandas as pd
import pytest

from pipeline.cell.comparison import Comparison
from pipeline.cell.made import Made
from pipeline.cell.report import HTML, MARKDOWN, of_result, of_sweep, swept_values, texts
from pipeline.report.page import Picture
from pipeline.report.result import Compared, Result, Table
from pipeline.report.words import answer_first

TABLE, FURTHER = Table("digits", ("n",), [("1",)]), Table("further", ("n",), [("2",)])
MADE = Made({}, [("digits test", "ab")], 1000, {}, 0.0, "make run", {})
PICTURE = Picture("funnel", "", "", "data:,")


def comparison(**changes):
    compared = Compared(
        **{"figures": {}, "shown": [TABLE], "summary": "S.", "caption": "C.", "answer": "A.", **changes}
    )
    cells = pd.DataFrame(
        {"batch_size": [10, 1000, 10], "study.step": [0.1, 0.1, 1.0], "loss/mean": [1.0, 1.0, 1.0], "seed": [0, 0, 0]}
    )
    return Comparison(cells, [], {}, compared)


def test_the_answer_is_the_first_sentence_that_there_is():
    assert answer_first("A.", "S.", "n") == ("A.", ["S.", "n"])
    assert answer_first("", "S.", "", "n") == ("S.", ["n"])
    assert answer_first("", "") == ("", [])


def test_the_page_of_a_run_has_its_tables_its_words_and_how_it_was_made():
    result = Result({}, shown=TABLE, further=[FURTHER], answer="A.", summary="S.", notes=["n"])
    page = of_result("evaluate digits", result, MADE, [PICTURE])
    assert (page.answer, page.tables, page.said) == ("A.", [TABLE, FURTHER], ["S.", "n"])
    assert page.title == "evaluate digits · a run of Batchscope · 1970-01-01 00:00 UTC"
    assert page.pictures == [PICTURE]
    assert page.facts == MADE.facts()


def test_a_run_without_a_table_has_none():
    assert of_result("predict", Result({}, summary="S."), MADE, []).tables == []


def test_the_page_of_a_sweep_tells_how_to_read_the_table_before_the_conclusion():
    page = of_sweep("sweep", comparison(), MADE, [])
    assert (page.answer, page.said) == ("A.", ["C.", "S."])
    assert of_sweep("sweep", comparison(answer=""), MADE, []).said == ["C."]
    assert of_sweep("sweep", comparison(answer="", caption=""), MADE, []).said == []


def test_a_sweep_that_lacks_cells_says_so_before_anything_but_the_answer():
    page = of_sweep("sweep", comparison(), MADE, [], problem="1 of 3 cells failed (batch_size=50)")
    assert page.said[0] == "Not all of it is here: 1 of 3 cells failed (batch_size=50)."


def test_the_values_of_the_keys_that_vary_are_each_told_once_and_what_has_one_value_is_not_swept():
    found = swept_values(comparison(), ["batch_size", "+study.step", "study.step", "seed"])
    assert found == {"batch_size": ["10", "1,000"], "study.step": ["0.1", "1.0"]}


def test_both_files_begin_with_the_answer():
    found = texts(of_result("evaluate digits", Result({}, shown=TABLE, answer="The answer."), MADE, []))
    assert set(found) == {HTML, MARKDOWN}
    assert re.search(r"<main>\n<h1>The answer\.</h1>", found[HTML])
    assert found[MARKDOWN].startswith("**The answer.**\n")


@pytest.mark.parametrize("name", [HTML, MARKDOWN])
def test_a_report_of_a_finished_sweep_begins_with_the_words_of_its_note(finished, name):
    store, parent = finished.store, finished.store.run(finished.parent)
    note = parent.data.tags["mlflow.note.content"].split("\n\n")[0]
    assert note.startswith("Loss ")
    text = store.read_text(finished.parent, name)
    assert f"<h1>{note}</h1>" in text if name == HTML else text.startswith(f"**{note}**\n")
    for word in ("funnel", "error", "cost", "coverage", "learning_curve"):
        assert word in text


@pytest.mark.parametrize("name", [HTML, MARKDOWN])
def test_a_cell_of_a_sweep_has_a_report_too(finished, name):
    cell = finished.store.children(finished.parent)[0]
    text = finished.store.read_text(cell.info.run_id, name)
    assert cell.data.tags["mlflow.note.content"].split("\n\n")[0] in text
