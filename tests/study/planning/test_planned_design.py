"""A design's plan: its cost is added up as it says, and its curve is what a batch of each size is within."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from pipeline.sampling import MEMBERS
from pipeline.sampling.units import Units
from pipeline.study.planning.basis import from_all, from_pilot
from pipeline.study.planning.planned_design import Planned, curves_of, seconds_of_pass, why_left_out
from pipeline.study.planning.variants import Watched, variants
from tests.study.predicted import stages_from, two_models, write


def watched(stages, basis):
    return Watched(stages.frame, basis.scored.scores, stages.units)


def planned(stages, n, *, seconds_a_row=0.01, proxy_seconds=2.0, units=None):
    """The plan of the configured design."""
    (variant,) = (v for v in variants(stages) if v.is_configured)
    watch = watched(stages, from_all(stages))
    return Planned(variant, watch, n, units or stages.units, seconds_a_row, proxy_seconds)


def test_the_units_are_those_that_both_metrics_need(stages_of):
    assert planned(stages_of(), {"loss": 30.0, "accuracy": 80.0}).both == 80
    assert planned(stages_of(), {"loss": 30.0}).both == 30
    assert math.isnan(planned(stages_of(), {"loss": math.nan, "accuracy": 80.0}).both)


def test_the_seconds_are_those_of_the_rows_the_pilot_and_the_proxys_pass(stages_of):
    plan = planned(stages_of(), {"loss": 100.0})
    assert plan.seconds == pytest.approx(100 * 0.01 + 2.0)
    plan.watch.frame.score(np.arange(50))
    assert plan.seconds == pytest.approx(150 * 0.01 + 2.0)


def test_of_groups_a_unit_costs_as_much_as_its_rows(stages_of):
    groups = Units(1000, starts=np.arange(0, 1001, 4))
    assert planned(stages_of(), {"loss": 10.0}, units=groups).seconds == pytest.approx(40 * 0.01 + 2.0)


def test_a_row_of_the_table_leaves_times_out_where_nothing_is_evaluated(stages_of):
    row = planned(stages_of(), {"loss": 10.0, "accuracy": 20.0}).row()
    assert (row["design"], row["loss_n"], row["accuracy_n"], row["n"]) == ("with_replacement", 10.0, 20.0, 20.0)
    assert row["is_configured"]
    assert (row["proxy_seconds"], row["seconds"]) == (2.0, pytest.approx(2.2))
    untimed = planned(stages_of(), {"loss": 10.0}, seconds_a_row=math.nan).row()
    assert not {"seconds", "proxy_seconds"} & untimed.keys()


def left_out(stages, basis):
    """Why a variant has no plan, by its key; those that have one are not in it."""
    found = {v.key: why_left_out(v, watched(stages, basis), basis, stages) for v in variants(stages)}
    return {key: why for key, why in found.items() if why}


def test_of_scored_rows_with_labels_every_design_has_a_plan(stages_of):
    stages = stages_of(design="without_replacement")
    assert left_out(stages, from_all(stages)) == {}


def test_rows_without_labels_leave_the_strata_by_class_out(stages_of):
    stages = stages_of(design="without_replacement")
    unlabelled = dataclasses.replace(stages, rows=dataclasses.replace(stages.rows, labels=None))
    assert left_out(unlabelled, from_all(stages)) == {"stratified_label": "the rows have no labels"}


def test_a_pilot_leaves_out_what_costs_a_pass_and_what_it_tells_too_little_of(stages_of):
    stages = stages_of(design="without_replacement")
    why = left_out(stages, from_pilot(stages, 200, 0.8))
    assert why["difference_confidence"].startswith("a pass of the proxy over all rows may cost what the pilot saves")
    assert why["systematic_stored"].startswith("a pilot tells too little of rows drawn by their order")
    assert not {"with_replacement", "without_replacement", "epoch", "stratified_label"} & why.keys()


def test_rows_that_are_streamed_leave_out_what_holds_something_of_each(stages_of, tmp_path):
    first, _, labels = two_models()
    path = write(tmp_path / "a.parquet", label=labels, logits=first)
    stages = stages_from(stages_of, path, fields={"memory": 0}, design="without_replacement")
    why = left_out(stages, from_pilot(stages, 200, 0.8))
    assert not {"with_replacement", "without_replacement", "epoch"} & why.keys()
    assert why["stratified_label"].endswith("the rows are streamed from disk: raise data.memory")


def test_a_curve_is_z_times_the_standard_error_of_every_size(stages_of):
    stages = stages_of(design="without_replacement")
    basis, plan = from_all(stages), planned(stages, {"loss": 60.0, "accuracy": 90.0})
    rows, size = curves_of([plan], basis, 0.9), len(stages.rows)
    loss = basis.scored.scores.loss.astype(float)
    assert len(rows) >= 20
    for row in rows:
        n = row["n"]
        error = math.sqrt(loss.var() / n * (size - n) / (size - 1)) if n < size else 0.0
        assert row["loss_within"] == pytest.approx(stats.norm.ppf(0.95) * error, abs=1e-9)
        assert row["design"] == "without_replacement"
    assert [row["n"] for row in rows] == sorted({row["n"] for row in rows})
    assert rows[0]["n"] >= 2
    assert rows[-1]["n"] <= size


def test_a_design_whose_error_goes_up_and_down_with_the_size_has_no_curve(stages_of):
    stages = stages_of(design=MEMBERS["systematic"](order="stored"))
    assert curves_of([planned(stages, {"loss": 60.0})], from_all(stages), 0.95) == []


def test_without_a_size_there_is_no_curve(stages_of):
    stages = stages_of()
    assert curves_of([planned(stages, {"loss": math.nan})], from_all(stages), 0.95) == []


def test_the_proxys_pass_is_measured_on_the_rows(stages_of):
    stages = stages_of(design="importance")
    (variant,) = (v for v in variants(stages) if v.is_configured)
    assert 0 < seconds_of_pass(variant, stages) < 10
