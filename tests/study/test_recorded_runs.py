"""Evaluations of earlier days in MLflow in place of files."""

import itertools
from datetime import UTC, datetime

import numpy as np
import pytest
from pyarrow import parquet as pq
from scipy import stats

from pipeline.errors import BadInput
from pipeline.study.all_rows import AllRows
from pipeline.study.trend import Trend
from pipeline.tracking import outbox
from pipeline.tracking.log import Log
from tests.evaluation import changed
from tests.study.predicted import write
from tests.study.weeks import DAYS, stages_on, week, weeks

_COUNT = itertools.count()


def left(tracking, stages, day, *, hour=12, model="", **params):
    """Leave the run of an evaluation of all rows, started on that day, in the experiment of the store."""
    result = AllRows(rows_out=True).answer(stages)
    started = datetime.fromisoformat(f"{day}T{hour:02d}:00:00").replace(tzinfo=UTC).timestamp()
    store, key = tracking.open(), f"run-{next(_COUNT)}"
    run = {"place": store.place, "key": key, "name": key, "kind": "cell", "status": "FINISHED", "started": started}
    run |= {"ended": started + 1, "parent": None, "cell_digest": key}
    log = Log(
        params={"study.name": "all_rows", "study.rows_out": "true", **params},
        tags={"population": stages.rows.name, "model": model},
        tables={"rows.parquet": result.tables["rows.parquet"]},
        dataset=stages.rows,
    )
    return store.deliver(outbox.write(key, run, log))


@pytest.fixture
def asked(stages_of, tracking, tmp_path, monkeypatch):
    """A function from accuracies, one a day, to stages on the last file and the paths; the others have left runs."""
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "outbox"))

    def make(accuracies):
        paths = weeks(tmp_path / "weeks", accuracies)
        for day, path in zip(DAYS, paths[:-1], strict=False):
            left(tracking, stages_on(stages_of, path), day)
        return changed(stages_on(stages_of, paths[-1]), tracking=tracking), paths

    return make


def test_runs_give_the_figures_that_their_files_give(asked, stages_of):
    stages, paths = asked((0.95, 0.95, 0.8))
    study = Trend(runs="batchscope")
    study.check(stages)
    found = study.answer(stages).tables["trend.csv"]
    of_files = Trend(files=paths).answer(stages_on(stages_of, paths[-1])).tables["trend.csv"]
    assert found["file"].tolist() == [*DAYS[:2], DAYS[2]]
    figures = [name for name in of_files if name not in ("file", "days") and of_files[name].dtype == float]
    assert len(figures) > 15
    np.testing.assert_allclose(found[figures], of_files[figures], rtol=1e-6)
    assert study.answer(stages).status == 3


def test_rows_that_a_run_has_evaluated_are_that_run(asked, tracking):
    stages, _ = asked((0.9, 0.9, 0.9))
    left(tracking, stages, DAYS[2])
    study = Trend(runs="batchscope")
    assert study.answer(stages).tables["trend.csv"]["file"].tolist() == list(DAYS[:3])
    assert len(study.content(stages)) == 3


def test_runs_of_classes_with_names_are_a_series_too(stages_of, tracking, tmp_path, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "outbox"))
    names, paths = np.array(["cat", "dog", "eel", "owl"]), []
    for day, numbered in zip(DAYS, weeks(tmp_path / "numbered", (0.95, 0.95, 0.8)), strict=False):
        table = pq.read_table(numbered).to_pydict()
        logits = {f"logit_{name}": np.stack(table["logits"])[:, k] for k, name in enumerate(names)}
        paths.append(write(tmp_path / f"{day}.parquet", label=names[table["label"]], **logits))
    for day, path in zip(DAYS, paths[:-1], strict=False):
        left(tracking, stages_on(stages_of, path), day)
    found = Trend(runs="batchscope").answer(changed(stages_on(stages_of, paths[-1]), tracking=tracking))
    of_files = Trend(files=paths).answer(stages_on(stages_of, paths[-1]))
    assert found.tables["trend.csv"]["file"].tolist() == list(DAYS[:3])
    assert found.metrics["accuracy/difference"] == of_files.metrics["accuracy/difference"]


def test_the_last_run_of_a_day_counts(asked, stages_of, tracking, tmp_path):
    stages, _ = asked((0.9, 0.9))
    other = stages_on(stages_of, week(tmp_path / "again.parquet", 0.5, seed=8, rows=333))
    left(tracking, other, DAYS[0], hour=18)
    result = Trend(runs="batchscope").answer(stages)
    assert result.tables["trend.csv"]["rows"].tolist() == [333, 400]
    assert "the last run of each day (UTC) in the experiment batchscope counts" in result.notes


def test_losses_are_capped_and_counted_in_runs_too(asked):
    stages, _ = asked((0.7, 0.7))
    uncapped = Trend(runs="batchscope").answer(stages).tables["trend.csv"]
    result = Trend(runs="batchscope", loss_cap=1.0).answer(stages)
    assert (result.tables["trend.csv"]["loss"] < uncapped["loss"]).all()
    note = next(note for note in result.notes if "above study.loss_cap=1 nats" in note)
    assert int(note.split()[0]) > 100


def test_what_cannot_be_a_series_is_refused_in_a_line(asked, stages_of, tracking, tmp_path):
    stages, paths = asked((0.9, 0.9))
    with pytest.raises(BadInput, match="'nowhere', and there are Default, batchscope: check the name"):
        Trend(runs="nowhere").check(stages)
    with pytest.raises(BadInput, match=r"have rows\.parquet; found none in 'Default'"):
        Trend(runs="Default").check(stages)
    with pytest.raises(BadInput, match=r"study\.runs takes the place of study\.files"):
        Trend(runs="batchscope", files=paths)
    with pytest.raises(BadInput, match="runs of at least two days; found one, of 2026-10-05"):
        Trend(runs="batchscope").check(changed(stages_on(stages_of, paths[0]), tracking=tracking))
    left(tracking, stages_on(stages_of, paths[0]), DAYS[1], model="net.onnx")
    left(tracking, stages_on(stages_of, paths[0]), DAYS[1], **{"data.group": "patient"})
    with pytest.raises(BadInput, match=r"takes rows one by one and alike; found data\.group or data\.weight"):
        Trend(runs="batchscope").check(stages)


def test_values_below_0_have_a_trend_and_its_alarm_agrees_with_welch(stages_of, tmp_path):
    import pandas as pd

    rng, paths = np.random.default_rng(3), []
    for i, day in enumerate(DAYS[:4]):
        paths.append(str(tmp_path / f"{day}.csv"))
        pd.DataFrame({"error": rng.normal(-0.5 + 0.6 * (i == 3), 1, 300)}).to_csv(paths[-1], index=False)
    stages = stages_on(stages_of, paths[0], fields={"value": "error", "unit": "mm"})
    study = Trend(files=paths)
    study.check(stages)
    result = study.answer(stages)
    assert result.tags["alarm"] == DAYS[3]
    assert result.answer.startswith("Mean error is ")
    values = [pd.read_csv(path)["error"] for path in (paths[3], paths[0])]
    welch = stats.ttest_ind(*values, equal_var=False).confidence_interval()
    own = result.tables["trend.csv"].loc[3, ["value_from_reference_low", "value_from_reference_high"]].tolist()
    assert own == pytest.approx([welch.low, welch.high])
