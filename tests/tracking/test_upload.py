"""Everything of a log reaches the store, however much it is."""

import re
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from pipeline.data.digits import Digits
from pipeline.tracking.log import Log


@pytest.fixture
def store(tracking):
    return tracking.open()


def logged(store, log):
    run = store.start("one", kind="cell")
    store.log(run, log)
    return store.run(run)


@pytest.mark.parametrize(("metrics", "params"), [(0, 0), (1, 250), (801, 1), (2500, 101)])
def test_more_than_one_call_takes_arrives_whole(store, metrics, params):
    log = Log(metrics={f"m/{i}": i / 7 for i in range(metrics)}, params={f"p.{i}": str(i) for i in range(params)})
    run = logged(store, log)
    assert run.data.metrics == log.metrics
    assert run.data.params == log.params


def test_values_that_are_not_finite_go_to_a_tag_and_not_to_the_charts(store):
    run = logged(store, Log(metrics={"a": float("inf"), "b": 1.0}, series=[("c", float("nan"), 1), ("c", 2.0, 2)]))
    assert run.data.tags["not_finite"] == "a=inf"
    assert run.data.metrics == {"b": 1.0, "c": 2.0}
    assert store.metric_history(run.info.run_id, "c") == [(2, 2.0)]


def test_params_and_tags_are_cut_where_mlflow_would_refuse_or_cut_them(store):
    run = logged(store, Log(params={"long": "x" * 7000}, tags={"long": "y" * 9000}))
    assert run.data.params["long"] == "x" * 6000
    assert run.data.tags["long"] == "y" * 5000


def test_the_dataset_has_the_digest_of_all_the_content(store):
    population = Digits().load()
    run = logged(store, Log(dataset=population))
    (found,) = run.inputs.dataset_inputs
    assert found.dataset.name == "digits test"
    assert found.dataset.digest == population.digest[:32]


def test_a_dataset_that_another_process_logs_at_the_same_moment_is_logged_once(store, tracking):
    """The other one's row comes between MLflow's look and its own insertion."""
    path, others = re.sub(r"^sqlite:/+", "/", tracking.uri), []
    columns = "dataset_uuid, experiment_id, name, digest, dataset_source_type, dataset_source"

    def insert_first(_connection, _cursor, statement, values, *_rest):
        if " ".join(statement.split()).startswith("INSERT INTO datasets") and not others:
            others.append(values)
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute(
                    f"INSERT INTO datasets ({columns}) VALUES ('another', ?, ?, ?, 'batchscope', '{{}}')",
                    (int(store.experiment_id), "digits test", Digits().load().digest[:32]),
                )

    event.listen(Engine, "before_cursor_execute", insert_first)
    try:
        run = logged(store, Log(dataset=Digits().load()))
    finally:
        event.remove(Engine, "before_cursor_execute", insert_first)
    assert len(others) == 1
    assert [given.dataset.name for given in run.inputs.dataset_inputs] == ["digits test"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT dataset_uuid FROM datasets").fetchall() == [("another",)]
