"""The page of a run that was logged without a report says what the page of the same run with one says."""

import time

import pytest

from pipeline.cell.recorded import page_of
from pipeline.cell.report import texts
from pipeline.errors import BadInput
from pipeline.tracking.log import Log


@pytest.fixture
def experiment_of(finished):
    experiment = finished.request().first
    return lambda cell: experiment


def gone(cell):
    """A configuration that cannot be read any more."""


def logged(store, run_id, name):
    return store.read_text(run_id, name)


def without_how_to_repeat(text):
    return [line for line in text.splitlines() if not line.startswith("| to repeat it |")]


def test_the_page_of_a_sweep_is_made_again_as_it_was_logged(finished, experiment_of):
    store, parent = finished.store, finished.store.run(finished.parent)
    again = texts(page_of(store, parent, experiment_of))["report.md"]
    before = logged(store, finished.parent, "report.md")
    kept = [line for line in without_how_to_repeat(before) if not line.startswith("- learning_curve.png")]
    assert [line for line in without_how_to_repeat(again) if not line.startswith("- learning_curve.png")] == kept
    assert f"make reproduce RUN={finished.parent[:8]}" in again


def test_the_page_of_a_cell_has_the_table_the_note_and_how_it_was_made(finished, experiment_of):
    store = finished.store
    cell = store.children(finished.parent)[0]
    page = page_of(store, cell, experiment_of)
    before = logged(store, cell.info.run_id, "report.md")
    assert before.startswith(f"**{page.answer}**")
    assert [row[0] for row in page.tables[0].rows] == ["10"]
    (row,) = page.tables[0].rows
    assert f"| {' | '.join(row)} |" in before
    assert next(fact.value for fact in page.facts if fact.name == "digest of the data") in before


def test_without_its_configuration_a_sweep_shows_the_table_that_the_terminal_showed(finished):
    page = page_of(finished.store, finished.store.run(finished.parent), gone)
    assert page.tables == []
    assert page.text == finished.store.read_text(finished.parent, "table.txt")
    assert {picture.name for picture in page.pictures} >= {"funnel", "learning_curve"}
    assert page.answer.startswith("Loss ")


def test_without_its_configuration_a_cell_shows_its_metrics(finished):
    cell = finished.store.children(finished.parent)[0]
    page = page_of(finished.store, cell, gone)
    assert "loss/rmse" in [name for name, _ in page.tables[0].rows]


def test_a_run_without_a_result_is_refused(finished, experiment_of):
    store = finished.store
    failed = store.start("cell", kind="cell", started=time.time())
    store.log(failed, Log(texts={"traceback.txt": "Error"}))
    store.end(failed, "FAILED")
    with pytest.raises(BadInput, match="must be of a run that has a result; found a cell that is FAILED"):
        page_of(store, store.run(failed), experiment_of)
    empty = store.start("sweep", kind="sweep")
    with pytest.raises(BadInput, match="found a sweep that is RUNNING"):
        page_of(store, store.run(empty), experiment_of)


def test_a_run_of_another_program_is_refused(finished, experiment_of):
    store = finished.store
    other = store.start("training", kind="other")
    with pytest.raises(BadInput, match="found a run of another program"):
        page_of(store, store.run(other), experiment_of)
