"""The trip that DESIGN.md describes: one logits array from a file to the MLflow metric, in a real run."""

import inspect
import re
import sys
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir

from pipeline import config, loss
from pipeline.cell.run import run_alone
from pipeline.experiment import run

ROOT = Path(__file__).resolve().parent.parent
MOST_STOPS = 8


def stops():
    text = (ROOT / "DESIGN.md").read_text(encoding="utf-8").partition("## The trip")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([\w/]+\.py)` \|", text, re.MULTILINE)


@pytest.fixture
def trip(request, tmp_path, tracking):
    """The files entered, in order; the blocks whose loss was evaluated; and the finished run."""
    # Other logits for each test: scores that were made once come from the cache.
    rng = np.random.default_rng(zlib.crc32(request.node.name.encode()))
    logits = rng.normal(size=(300, 4)).astype(np.float32)
    path = tmp_path / "predictions.parquet"
    pd.DataFrame({"label": rng.integers(0, 4, 300), "logits": list(logits)}).to_parquet(path)
    config.register()
    with initialize_config_dir(config.CONF, version_base="1.3"):
        overrides = ["data=predictions", f"data.path={path}", "draws=20", "batch_size=30"]
        experiment = config.to_experiment(compose("config", overrides=overrides))
    experiment.tracking = tracking
    entered, blocks = [], []

    def follow(frame, event, _):
        name = Path(frame.f_code.co_filename)
        if event == "call" and name.is_relative_to(ROOT / "pipeline"):
            entered.append(name.relative_to(ROOT / "pipeline").as_posix())
            if frame.f_code is loss.of_block.__code__:
                blocks.append((frame.f_locals["outputs"], frame.f_locals["labels"]))

    sys.setprofile(follow)
    try:
        run_id, _ = run_alone(experiment, print)
    finally:
        sys.setprofile(None)
    return entered, blocks, logits, tracking.open().run(run_id)


def test_the_trip_has_at_most_eight_stops_and_a_real_run_makes_them_in_that_order(trip):
    entered, *_ = trip
    assert 0 < len(stops()) <= MOST_STOPS
    at = 0
    for stop in stops():
        assert stop in entered[at:], f"a run does not come to {stop} after the stops before it"
        at += entered[at:].index(stop)


def test_the_logits_of_the_file_are_those_whose_loss_is_evaluated_and_their_mean_is_the_metric(trip):
    _, blocks, logits, finished = trip
    np.testing.assert_array_equal(np.concatenate([outputs for outputs, _ in blocks])[: len(logits)], logits)
    labels = np.concatenate([labels for _, labels in blocks])[: len(logits)]
    terms = logits.astype(np.float64)
    expected = np.mean(np.log(np.exp(terms).sum(axis=1)) - terms[np.arange(len(terms)), labels])
    assert finished.data.metrics["loss/all"] == pytest.approx(expected, rel=1e-6)


def test_the_sequence_is_one_function_of_at_most_forty_lines():
    assert len(inspect.getsource(run).splitlines()) <= 40
