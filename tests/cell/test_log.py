"""What is logged of a cell: its name, its params, and the result with what it was made with."""

import dataclasses
import json
import time

import pytest
import yaml

from pipeline.cell import environment
from pipeline.cell.identity import Member, parameters
from pipeline.cell.log import ALONE, Work, log_of, run_name, title_of
from pipeline.model.npz import Npz
from pipeline.report.result import Result
from pipeline.study import MEMBERS
from pipeline.study.all_rows import AllRows
from pipeline.study.gate import Gate
from tests.evaluation import changed, evaluated

MEMBER = Member("aa", ("batch_size", "sampling"), "bb", {"sampling": {"with_replacement": "with_replacement"}})


def work_of(stages, member=None):
    return Work(stages, "bb", time.time(), member)


def name_in_a_sweep(stages, varied, labels):
    return run_name(work_of(stages, Member("aa", varied, "bb", labels)))


def test_a_cell_alone_is_named_by_its_study_its_rows_its_model_its_batch_size_and_its_time(stages_of):
    work = Work(stages_of(batch_size=30), "bb", time.mktime((2026, 11, 29, 20, 5, 0, 0, 0, -1)), None)
    assert run_name(work) == "evaluate digits test · mlp · b=30 · 2026-11-29 20:05"


def test_a_study_without_batches_has_no_batch_size_in_its_name(stages_of):
    stages = changed(stages_of(batch_size=30), study=AllRows())
    assert " b=" not in run_name(work_of(stages))
    assert name_in_a_sweep(stages, ("batch_size",), {}) == "all_rows"


def test_a_sweep_over_models_or_data_is_named_by_how_many_there_are(stages_of):
    one = stages_of().experiment
    other = dataclasses.replace(one, model=Npz(path="folder/other.npz"))
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(0.0))
    assert title_of([one, other], ["a.csv", "b.csv"], 0.0) == f"evaluate 2 data sets · 2 models · {when}"
    assert title_of([other, other], ["a.csv", "a.csv"], 0.0) == f"evaluate a.csv · other.npz · {when}"


def test_a_cell_of_a_sweep_is_named_by_the_labels_of_its_varied_keys_axis_first(stages_of):
    stages = stages_of(batch_size=30, design="importance")
    labels = {"sampling": {"importance": "importance"}, "seed": {"0": "first"}}
    assert name_in_a_sweep(stages, ("sampling", "batch_size", "seed"), labels) == "b=30 · importance · first"


def test_a_key_that_the_cell_does_not_have_is_left_out_of_its_name(stages_of):
    assert name_in_a_sweep(stages_of(batch_size=30), ("batch_size", "study.direction.seed"), {}) == "b=30"


def test_the_lock_of_a_cell_alone_is_one_and_of_a_member_its_own(stages_of):
    stages = stages_of()
    assert work_of(stages).key == ALONE
    assert work_of(stages, MEMBER).key == "aa-bb"


@pytest.fixture
def cell(stages_of):
    """Stages and the result of an evaluation of them."""
    stages = stages_of(batch_size=30, draws=40)
    return stages, evaluated(stages)


def test_the_result_is_logged_whole_with_the_configuration_and_the_environment(cell):
    stages, result = cell
    log = log_of(work_of(stages), result)
    assert log.metrics == result.metrics
    assert log.params == parameters(stages.experiment)
    assert log.tables["draws.parquet"] is result.draws
    assert yaml.safe_load(log.texts["config.yaml"])["batch_size"] == 30
    assert json.loads(log.texts["environment.json"]) == environment.describe()
    assert log.dataset is stages.rows


def test_the_tags_tell_the_population_the_unit_and_the_metrics_by_step(cell):
    stages, result = cell
    tags = log_of(work_of(stages), result).tags
    assert (tags["population"], tags["population_size"]) == ("digits test", str(len(stages.rows)))
    assert tags["unit"] == "row"
    assert {"loss/draw", "accuracy/draw"} <= set(tags["by_step"].split())
    assert set(tags["by_step"].split()) == {name for name, _, _ in log_of(work_of(stages), result).series}
    assert all(note in tags["mlflow.note.content"] for note in result.notes)


def test_the_picture_of_the_training_is_in_the_run_of_a_cell_alone(cell):
    stages, result = cell
    alone, member = log_of(work_of(stages), result), log_of(work_of(stages, MEMBER), result)
    assert result.curve is not None
    assert "learning_curve" in alone.pictures
    assert "learning_curve" not in member.pictures
    # The curve itself is a series of both.
    assert alone.series == member.series != result.series


def test_the_report_is_of_the_same_words_and_an_svg_for_a_cell_alone(cell):
    stages, result = cell
    alone, member = log_of(work_of(stages), result), log_of(work_of(stages, MEMBER), result)
    for log in (alone, member):
        assert f"<h1>{result.answer}</h1>" in log.texts["report.html"]
        assert log.texts["report.md"].startswith(f"**{result.answer}**\n")
        assert stages.rows.digest[:32] in log.texts["report.md"]
    assert alone.texts["report.html"].count("data:image/svg+xml;base64,") == 1
    assert "data:image" not in member.texts["report.html"]


def test_the_report_names_the_design_of_a_study_that_draws_by_it_and_no_other(cell):
    stages, result = cell
    drawn, whole = (
        log_of(work_of(changed(stages, study=study)), result).texts["report.md"]
        for study in (stages.experiment.study, Gate(example_margin={"loss": 0.0, "accuracy": 0.0}))
    )
    assert "| sampling design | with replacement |" in drawn
    assert "sampling design" not in whole


@pytest.mark.parametrize("study", [each for each in MEMBERS.values() if not each.has_design])
def test_a_study_without_a_design_has_no_batches_either(study):
    assert not study.has_batches


def test_a_result_without_draws_has_no_table_of_them(stages_of):
    log = log_of(work_of(stages_of()), Result(metrics={"rows": 1.0}))
    assert log.tables == {}
    assert log.pictures == {}
    assert log.tags["mlflow.note.content"] == ""


def test_groups_are_another_unit(stages_of):
    stages = stages_of()
    grouped = dataclasses.replace(stages.units, starts=stages.units.rows_of([0]))
    assert log_of(work_of(changed(stages, units=grouped)), Result(metrics={})).tags["unit"] == "group"
