"""The group ``metric``: several are chosen at once, a cell's own file runs again, and what is wrong is one line."""

import contextlib
import sqlite3

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hydra import compose, initialize_config_dir

from pipeline import config
from pipeline.cell.identity import configuration, parameters, shaping, value_of
from pipeline.metric.top_k import TopK


def composed(*overrides, folder=config.CONF):
    config.register()
    with initialize_config_dir(config_dir=str(folder), version_base="1.3"):
        return config.to_experiment(compose("config", overrides=list(overrides)))


def refusal(*overrides):
    with pytest.raises(Exception, match=r".") as caught:
        composed(*overrides)
    assert config.is_request_error(caught.value)
    return config.one_line(caught.value)


@pytest.fixture(scope="module")
def predictions(tmp_path_factory):
    """2,000 rows of five logits each in a file of four row groups."""
    rng = np.random.default_rng(0)
    labels, logits = rng.integers(0, 5, 2000), rng.normal(size=(2000, 5)).astype(np.float32)
    logits[np.arange(2000), labels] += 2
    path = tmp_path_factory.mktemp("predictions") / "rows.parquet"
    columns = {f"logit_{i}": logits[:, i] for i in range(5)} | {"label": labels}
    pq.write_table(pa.table(columns), path, row_group_size=500)
    return path


@pytest.mark.parametrize(
    ("override", "names"),
    [
        ("seed=0", ["loss", "accuracy"]),
        ("metric=[loss,accuracy,top_k,brier]", ["loss", "accuracy", "top_k", "brier"]),
        ("metric=[accuracy]", ["accuracy"]),
        ("metric=squared_error", ["squared_error"]),
        ("+metric=brier", ["loss", "accuracy", "brier"]),
        ("metric=[]", ["loss", "accuracy"]),
    ],
)
def test_the_metrics_that_are_chosen(override, names):
    assert list(composed(override).metric) == names


def test_a_cells_own_file_gives_the_same_experiment(tmp_path):
    experiment = composed("metric=[accuracy,top_k,squared_error]", "metric.top_k.k=3")
    assert experiment.metric["top_k"] == TopK(k=3)
    assert parameters(experiment)["metric.top_k.k"] == "3"
    (tmp_path / "config.yaml").write_text(configuration(experiment))
    again = composed(folder=tmp_path)
    assert again.metric == experiment.metric
    assert shaping(again) == shaping(experiment)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            ["metric=[loss,nonsense]"],
            "metric must be of loss, accuracy, top_k, brier, squared_error, value; found 'nonsense'",
        ),
        (["metric.top_k.k=3"], "metric.top_k.k must be of a metric that is chosen; found none: add it with"),
        (["metric=[top_k]", "metric.top_k.kk=3"], "every key must be a known one; found metric.top_k.kk: did you mean"),
        (["metric=[top_k]", "+metric.top_k.kk=3"], "every key must be a known one; found metric.top_k.kk: did you"),
        (["metric=[top_k]", "metric.top_k.k=0"], "metric.top_k.k must be a whole number of at least 1; found 0"),
        (["metric=[top_k]", "metric.top_k.k=x"], "metric.top_k.k must be a whole number; found 'x'"),
    ],
)
def test_a_wrong_choice_is_refused_in_one_line(overrides, said):
    line = refusal(*overrides)
    assert line.startswith(said)
    assert "\n" not in line


def test_choices_of_several_metrics_are_told_apart_in_a_sweep():
    assert value_of(parameters(composed("metric=[loss,brier]")), "metric") == "loss+brier"
    assert value_of(parameters(composed("metric=[top_k]")), "metric.top_k.k") == "5"
    assert value_of(parameters(composed()), "+experiment") is None


@pytest.mark.slow
def test_a_sweep_over_batch_sizes_has_every_metric_and_its_cell_runs_again(command, predictions, tmp_path):
    asked = ["data=predictions", f"data.path={predictions}", "metric=[accuracy,top_k,brier]", "metric.top_k.k=2"]
    done = command("--multirun", "batch_size=10,100", "draws=50", *asked, mlruns=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "top-2" in done.stdout
    assert "Brier" in done.stdout
    assert "loss," not in done.stdout
    (cells,) = tmp_path.rglob("cells.csv")
    frame = pd.read_csv(cells)
    assert {"accuracy/all", "top_2/coverage", "brier/variance_ratio"} <= set(frame)
    assert not [name for name in frame if name.startswith("loss/")]
    first = sorted(tmp_path.rglob("draws.parquet"))[0]
    again = command("--config-path", str(first.parent), "--config-name", "config", mlruns=tmp_path / "again")
    assert again.returncode == 0, again.stderr
    (draws,) = (tmp_path / "again").rglob("draws.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(draws), pd.read_parquet(first), check_exact=True)


@pytest.mark.parametrize("study", ["evaluate", "coverage"])
def test_a_bad_row_of_a_streamed_file_is_refused_before_there_is_a_run(request_of, predictions, tmp_path, study):
    table = pq.read_table(predictions).to_pandas()
    table.loc[1234, "logit_2"] = np.nan
    bad = tmp_path / "bad.parquet"
    pq.write_table(pa.Table.from_pandas(table), bad, row_group_size=500)
    asked = ["data=predictions", f"data.path={bad}", "data.memory=0", f"study={study}", "draws=20"]
    done = request_of("--multirun", "batch_size=10,20", *asked, mlruns=tmp_path / "mlruns")
    assert done.returncode == 2
    assert "1234" in done.stderr.replace(",", "")
    store = tmp_path / "mlruns" / "mlflow.db"
    if store.exists():
        with contextlib.closing(sqlite3.connect(store)) as opened:
            assert opened.execute("select count(*) from runs").fetchone() == (0,)
