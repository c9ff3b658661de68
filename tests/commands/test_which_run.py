"""A run is found by its id, by the first eight characters of it, or as the newest."""

import pytest

from pipeline.commands.which_run import find
from pipeline.errors import BadInput
from pipeline.report.words import short_id


def test_any_run_is_found_by_its_id_and_by_its_first_characters(swept):
    _, _, store, parent = swept
    for run_id in (parent, *(run.info.run_id for run in store.children(parent))):
        for text in (run_id, short_id(run_id), f" {run_id[:20].upper()} "):
            assert find(store, text).info.run_id == run_id


def test_the_newest_is_the_run_started_last_and_a_sweep_is_one_run(tracking):
    store = tracking.open()
    store.start("first", kind="cell", started=1000)
    sweep = store.start("sweep", kind="sweep", started=2000)
    store.start("cell", kind="cell", started=3000, parent=sweep)
    assert find(store, "newest").info.run_id == sweep
    alone = store.start("plan", kind="cell", started=4000)
    assert find(store, "newest").info.run_id == alone


def test_a_store_without_a_run_has_no_newest(tracking):
    with pytest.raises(BadInput, match="there must be a run; found none in this store: make sweep"):
        find(tracking.open(), "newest")


@pytest.mark.parametrize("text", ["", "abc", "last", "0123456", "x" * 32, "0' or '1'='1"])
def test_what_is_no_id_is_refused(swept, text):
    with pytest.raises(BadInput, match="must be named by its id, by at least 8 characters of its beginning, or as"):
        find(swept[2], text)


@pytest.mark.parametrize("text", ["0" * 8, "0" * 32])
def test_an_id_that_no_run_has_is_refused(swept, text):
    with pytest.raises(BadInput, match=f"found none of the id '{text}'"):
        find(swept[2], text)


def test_a_beginning_that_two_runs_share_is_refused():
    class Two:
        def beginning(self, start):
            return [start, start]

    with pytest.raises(BadInput, match="must be unique; found 2 that begin with 01234567"):
        find(Two(), "01234567")
