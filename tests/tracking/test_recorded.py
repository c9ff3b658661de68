"""Which runs of a real store have left the values of their rows."""

import pandas as pd
import pytest

from pipeline.errors import BadInput
from pipeline.tracking.log import Log

TABLE = pd.DataFrame({"loss": [0.5, 1.5], "correct": [1.0, 0.0]})
ASKED = {"study.name": "all_rows", "study.rows_out": "true", "data.group": "null"}


def run(store, *, params=ASKED, tables=None, status="FINISHED"):
    own = store.start("one", kind="cell")
    store.log(own, Log(params=params, tags={"population": "p", "model": "m"}, tables=tables or {"rows.parquet": TABLE}))
    store.end(own, status)
    return own


def test_finished_evaluations_with_the_table_are_found_and_nothing_else(tracking):
    store = tracking.open()
    there = run(store)
    run(store, params=ASKED | {"study.name": "compare"})
    run(store, tables={"worst.csv": TABLE})
    run(store, status="FAILED")
    (found,) = store.recorded_rows("batchscope")
    assert (found.run_id, found.population, found.model, found.counts_alike) == (there, "p", "m", True)
    assert found.started == pytest.approx(store.run(there).info.start_time / 1000)
    pd.testing.assert_frame_equal(store.values_of(found), TABLE)


def test_groups_are_told_of(tracking):
    store = tracking.open()
    run(store, params=ASKED | {"data.group": "patient"})
    assert not store.recorded_rows("batchscope")[0].counts_alike


def test_another_experiment_of_the_store_is_read_and_none_is_made(tracking):
    store = tracking.open()
    assert store.recorded_rows("Default") == []
    with pytest.raises(BadInput, match=r"study\.runs must name an experiment of this store; found 'weekly'"):
        store.recorded_rows("weekly")
    with pytest.raises(BadInput, match="Default, batchscope: check"):
        store.recorded_rows("weekly")
