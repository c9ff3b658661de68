"""study.against=[…]: the league table of several models, from one cell and from a sweep's comparison."""

import numpy as np
import pandas as pd
import pytest

from pipeline.estimation.league import league_of
from pipeline.study.compare import Compare
from pipeline.study.direction.random import Random
from tests.study.predicted import stages_from, two_models, write

FIRST, SECOND, LABELS = two_models()


@pytest.fixture
def result(stages_of, tmp_path):
    better = SECOND + 1.0 * np.eye(4)[LABELS]
    for name, own in (("a", FIRST), ("b", SECOND), ("best", better)):
        write(tmp_path / f"{name}.parquet", label=LABELS, logits=own)
    stages = stages_from(stages_of, str(tmp_path / "a.parquet"))
    study = Compare(against=[str(tmp_path / "b.parquet"), str(tmp_path / "best.parquet")], direction=Random())
    study.check(stages)
    return study, study.answer(stages)


def test_the_ranks_are_those_of_all_pairs_on_the_same_rows(result):
    frame = result[1].tables["league.csv"].set_index("model")
    right = np.array([own.argmax(axis=1) == LABELS for own in (FIRST, SECOND, SECOND + 1.0 * np.eye(4)[LABELS])])
    league = league_of(right.astype(float), is_better_low=False, confidence=0.95)
    assert frame["accuracy"].tolist() == pytest.approx(right.mean(axis=1).tolist())
    assert frame["accuracy_rank_low"].tolist() == league.rank_low.tolist()
    assert frame["accuracy_rank_high"].tolist() == league.rank_high.tolist()
    pairs = result[1].tables["pairs.csv"]
    assert pairs[["model", "against"]].to_numpy().tolist() == [
        ["b.parquet", "a.parquet"],
        ["best.parquet", "a.parquet"],
        ["best.parquet", "b.parquet"],
    ]
    assert ((pairs["accuracy_low"] <= pairs["accuracy"]) & (pairs["accuracy"] <= pairs["accuracy_high"])).all()


def test_the_answer_names_the_best_and_the_metrics_count_the_pairs_apart(result):
    found = result[1]
    assert found.answer.startswith("Of 3 models, by loss best.parquet is the best; by accuracy best.parquet is")
    assert found.metrics["models"] == 3
    assert found.metrics["loss/may_be_best"] == 1
    assert list(found.figures) == ["league"]


def test_a_sweep_of_one_league_shows_the_same_table(result):
    study, found = result
    led = found.tables["league.parquet"].copy()
    led.insert(0, "group", "")
    led.insert(0, "study.step", 0.0)
    cell = {"study.step": 0.0, "group": "", "population": "a.parquet", "population_size": 1200, "confidence": 0.95}
    compared = study.compare(pd.DataFrame([{**cell, **found.metrics}]), lambda name: led)
    assert compared.answer == found.answer
    assert [table.rows for table in compared.shown] == [found.shown.rows]
    assert list(compared.figures) == ["league"]
