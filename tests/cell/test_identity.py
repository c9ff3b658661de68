"""What a cell is: its configuration runs again as it is, and its digest changes with what shapes the result alone."""

import copy
import dataclasses

import pytest
import yaml

from pipeline import config
from pipeline.cell.identity import (
    Member,
    cell_digest,
    configuration,
    content_of,
    flatten,
    parameters,
    shaping,
    value_of,
    without,
)
from pipeline.engine.local import Local
from pipeline.metric.top_k import TopK
from pipeline.study.evaluate import Evaluate
from pipeline.study.trend import Trend
from pipeline.tracking.mlflow import Tracking
from tests.evaluation import changed


@pytest.fixture
def experiment(stages_of):
    return stages_of(batch_size=30, draws=40).experiment


def replaced(experiment, group, **values):
    part = dataclasses.replace(getattr(experiment, group), **values)
    return dataclasses.replace(experiment, **{group: part})


def test_the_configuration_composes_to_the_same_experiment(experiment, tmp_path):
    (tmp_path / "config.yaml").write_text(configuration(experiment), encoding="utf-8")
    assert config.load(tmp_path) == experiment


def test_the_configuration_of_several_metrics_composes_to_the_same_experiment(experiment, tmp_path):
    several = dataclasses.replace(experiment, metric={**experiment.metric, "top_k": TopK(k=3)})
    (tmp_path / "config.yaml").write_text(configuration(several), encoding="utf-8")
    assert config.load(tmp_path) == several


def test_no_password_is_in_the_configuration_or_the_parameters(experiment):
    secret = dataclasses.replace(experiment, tracking=Tracking(uri="postgresql://me:hush@db.example.org/runs"))
    text = configuration(secret)
    assert "hush" not in text
    assert yaml.safe_load(text)["tracking"]["uri"] == parameters(secret)["tracking.uri"]
    assert "db.example.org/runs" in parameters(secret)["tracking.uri"]
    assert "hush" not in str(parameters(secret))


def test_a_nested_configuration_is_flattened_and_lists_and_none_are_json():
    tree = {"data": {"name": "digits", "sizes": [1, 2]}, "cap": None, "force": True, "share": 0.5}
    assert flatten(tree) == {
        "data.name": "digits",
        "data.sizes": "[1, 2]",
        "cap": "null",
        "force": "true",
        "share": "0.5",
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("batch_size", "30"),
        ("+batch_size", "30"),
        ("sampling", "with_replacement"),
        ("interval/loss", "t"),
        ("interval/loss@interval.loss", "t"),
        ("metric", "loss+accuracy"),
        ("study.loss_cap", "null"),
        ("study.direction", None),
    ],
)
def test_the_value_of_a_swept_key_is_the_number_or_the_name_of_the_part(experiment, key, value):
    assert value_of(parameters(experiment), key) == value


def test_a_swept_group_is_taken_out_with_all_that_hangs_at_it():
    flat = {"data.name": "digits", "data.path": "x", "data_of": "y", "model.name": "mlp", "model.seed": "0"}
    assert without(flat, ["+data", "model.seed"]) == {"data_of": "y", "model.name": "mlp"}
    assert without({"interval.loss.name": "t", "seed": "0"}, ["interval/loss@interval.loss"]) == {"seed": "0"}


@pytest.mark.parametrize("key", ["seed", "batch_size", "draws"])
def test_the_digest_changes_with_what_shapes_the_result(experiment, key):
    other = dataclasses.replace(experiment, **{key: getattr(experiment, key) + 1})
    assert cell_digest(other, []) != cell_digest(experiment, [])


def test_the_digest_changes_with_the_content(experiment):
    assert cell_digest(experiment, ["rows"]) != cell_digest(experiment, ["other rows"])
    assert cell_digest(copy.deepcopy(experiment), ["rows"]) == cell_digest(experiment, ["rows"])


def test_engine_store_force_and_the_place_of_a_file_are_no_part_of_the_digest(experiment):
    elsewhere = dataclasses.replace(
        experiment, engine=Local(), force=True, tracking=Tracking(uri="http://127.0.0.1:5000", experiment="other")
    )
    assert cell_digest(elsewhere, []) == cell_digest(experiment, [])
    assert not {"engine", "tracking", "force"} & shaping(experiment).keys()
    npz = [dataclasses.replace(experiment, model=config.FAMILIES["model"]["npz"](path=path)) for path in ("a", "b")]
    assert shaping(npz[0]) == shaping(npz[1])
    assert shaping(replaced(npz[0], "model", activation="relu")) != shaping(npz[0])


def test_the_content_is_told_by_rows_scale_weights_and_what_the_proxy_reads(stages_of):
    stages = stages_of()
    proxy = stages.experiment.proxy.content(stages.rows, stages.classifier, data=stages.experiment.data)
    assert content_of(stages) == [stages.rows.digest, stages.rows.scale, stages.classifier.digest, proxy]


def test_the_content_holds_what_the_study_reads_besides(stages_of):
    class Reading(Evaluate):
        def content(self, stages):
            return ["digest of the other file"]

    stages = stages_of()
    assert content_of(changed(stages, study=Reading())) == [*content_of(stages), "digest of the other file"]


def test_a_cells_key_holds_its_sweep_and_its_digest():
    assert Member("aa", ("batch_size",), "bb").key == "aa-bb"


def test_no_key_of_an_object_store_is_in_the_files_of_a_series(experiment):
    files = ["s3://KEY:hush@bucket/2026-10-05.csv", "s3://KEY:hush@bucket/2026-10-12.csv"]
    series = dataclasses.replace(experiment, study=Trend(files=files))
    assert "hush" not in configuration(series)
    assert "bucket/2026-10-12.csv" in parameters(series)["study.files"]
