"""The comparison of a sweep's cells against the cells' own runs."""

import dataclasses

import pandas as pd
import pytest

from pipeline.cell.comparison import Finished, compare, suffix_of
from pipeline.tracking.store import metrics_of


def cells_of(sweep):
    """The cells of the finished sweep, as its request names them."""
    runs = {run.data.tags["cell_digest"]: run for run in sweep.store.children(sweep.parent)}
    return [Finished(runs[cell.digest], cell.params, cell.population, "mlp") for cell in sweep.request().cells]


def compared(sweep, cells):
    return compare(sweep.request().first.study, cells, ["batch_size"], sweep.store)


def test_cells_are_sorted_by_the_axis_and_curves_have_the_batch_size_as_step(finished):
    cells = cells_of(finished)
    runs = [cell.run for cell in cells]
    found = compared(finished, cells[::-1])
    assert found.cells["batch_size"].tolist() == [10, 30]
    assert found.cells["run_id"].tolist() == [run.info.run_id for run in runs]
    assert found.cells["group"].tolist() == ["", ""]
    for name in ("loss/rmse", "accuracy/coverage", "seconds/all"):
        expected = [(metrics_of(run)[name], int(run.data.params["batch_size"])) for run in runs]
        assert [(value, step) for key, value, step in found.series if key == name] == expected
        assert found.cells[name].tolist() == [value for value, _ in expected]


def test_the_common_parameters_are_those_that_all_cells_share(finished):
    cells = cells_of(finished)
    common = compared(finished, cells).common
    assert "batch_size" not in common
    assert common == {key: value for key, value in cells[0].params.items() if key != "batch_size"}


def test_finished_cells_are_shown_under_the_names_that_their_rows_have_today(finished):
    cells = [dataclasses.replace(cell, population="production.csv") for cell in cells_of(finished)]
    found = compared(finished, cells)
    assert found.cells["population"].tolist() == ["production.csv"] * 2
    assert [table.title.split(",")[0] for table in found.compared.shown] == ["production.csv"]


def test_a_study_is_told_the_tags_that_it_asks_for_and_no_others(finished, monkeypatch):
    cells = cells_of(finished)
    study = finished.request().first.study
    monkeypatch.setattr(type(study), "told", ("cell_digest", "no_such_tag"))
    found = compare(study, cells, ["batch_size"], finished.store).cells
    assert found["cell_digest"].tolist() == [cell.run.data.tags["cell_digest"] for cell in cells]
    assert "no_such_tag" not in found


def test_the_logged_table_of_cells_is_the_comparison(finished):
    found = compared(finished, cells_of(finished))
    logged = finished.store.read_table(finished.parent, "cells.csv")
    pd.testing.assert_frame_equal(logged.drop(columns="group"), found.cells.drop(columns="group"), check_exact=True)


def test_cells_of_an_old_sweep_are_shown_under_the_names_that_they_were_logged_with(finished):
    now, then = cells_of(finished), [Finished.of(cell.run) for cell in cells_of(finished)]
    pd.testing.assert_frame_equal(compared(finished, now).cells, compared(finished, then).cells)


@pytest.mark.parametrize(
    ("group", "suffix"),
    [
        ("", ""),
        ("sampling=a", "/sampling a"),
        ("a=1, b.c=x/y", "/a 1/b.c x/y"),
        ("data.path=C:\\d é*", "/data.path C d é"),
        ("../a.csv", "/a.csv"),
        ("a//b/./..", "/a/b"),
    ],
)
def test_a_group_becomes_the_end_of_a_key_that_mlflow_accepts(group, suffix):
    assert suffix_of(group) == suffix


def test_long_groups_that_differ_at_the_end_keep_different_keys():
    one, two = suffix_of("data.path=" + "x" * 300 + "1"), suffix_of("data.path=" + "x" * 300 + "2")
    assert one != two
    assert max(len(one), len(two)) <= 200
