"""data.by in the three studies: every slice is answered as its rows alone would be, and Holm is over all of them."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.errors import BadInput
from pipeline.estimation.multiple_tests import holm
from pipeline.records.verdict import WORDS
from pipeline.study.all_rows import AllRows
from pipeline.study.compare import Compare
from pipeline.study.direction.random import Random
from pipeline.study.evaluate import Evaluate
from pipeline.study.gate import Gate
from tests.evaluation import changed
from tests.study.predicted import ROWS, stages_from, two_models, write

FIRST, SECOND, LABELS = two_models()
COUNTRY = np.random.default_rng(1).choice(["de", "fr", "it", "xx"], ROWS, p=[0.5, 0.3, 0.195, 0.005])
WORSE = SECOND.copy()
WORSE[COUNTRY == "it", LABELS[COUNTRY == "it"]] -= 1.0
SIZES = {name: int((name == COUNTRY).sum()) for name in ("de", "fr", "it", "xx")}


@pytest.fixture
def sliced(stages_of, tmp_path):
    """Stages on the first model's file, and the path of the second's."""

    def make(by="country"):
        ours = write(tmp_path / "a.parquet", label=LABELS, logits=FIRST, country=COUNTRY)
        theirs = write(tmp_path / "b.parquet", label=LABELS, logits=WORSE)
        stages = by_column(stages_from(stages_of, ours), by)
        stages.experiment.interval.target = "superpopulation"
        return stages, theirs

    return make


def by_column(stages, by):
    return changed(stages, data=dataclasses.replace(stages.experiment.data, by=by), study=AllRows())


def own(frame, name):
    return frame.set_index("slice").loc[name]


def test_each_slice_has_the_values_and_intervals_of_its_own_rows(sliced):
    stages, _ = sliced()
    result = AllRows().answer(stages)
    frame = result.tables["by_slice.csv"]
    assert dict(zip(frame["slice"], frame["rows"], strict=True)) == SIZES
    right = (FIRST.argmax(axis=1) == LABELS)[COUNTRY == "fr"]
    wilson = stats.binomtest(int(right.sum()), len(right)).proportion_ci(0.95, method="wilson")
    fr = own(frame, "fr")
    assert fr["accuracy"] == pytest.approx(right.mean())
    assert (fr["accuracy_low"], fr["accuracy_high"]) == pytest.approx((wilson.low, wilson.high), rel=1e-9)
    assert {"by_slice"} == set(result.figures)
    assert "no slice differs from the other rows" in result.summary or "xx" in result.summary


def test_the_p_values_are_adjusted_over_all_slices_and_metrics(sliced):
    stages, theirs = sliced()
    for result in (AllRows().answer(stages), Compare(against=theirs, direction=Random()).answer(stages)):
        frame = result.tables["by_slice.csv"]
        raw = frame[["loss_p", "accuracy_p"]].to_numpy()
        np.testing.assert_allclose(frame[["loss_p_holm", "accuracy_p_holm"]], holm(raw))


def test_a_comparison_names_the_slice_that_moved_first(sliced):
    stages, theirs = sliced()
    result = Compare(against=theirs, direction=Random()).answer(stages)
    it, rows = own(result.tables["by_slice.csv"], "it"), COUNTRY == "it"
    logs = [np.log(np.exp(f).sum(axis=1)) - f[np.arange(ROWS), LABELS] for f in (FIRST, WORSE)]
    test = stats.ttest_rel(logs[1][rows], logs[0][rows])
    assert it["loss"] == pytest.approx((logs[1] - logs[0])[rows].mean(), rel=1e-5)
    assert it["loss_p"] == pytest.approx(test.pvalue, rel=1e-3)
    assert "By country, it moved first: worse by loss" in result.summary
    assert result.metrics["slices"] == 4
    assert any("xx has fewer than 10 rows" in note for note in result.notes)


def test_slices_that_are_alike_have_not_moved(stages_of, tmp_path):
    path = write(tmp_path / "a.parquet", label=LABELS, logits=FIRST, country=COUNTRY)
    stages = by_column(stages_from(stages_of, path), "country")
    result = Compare(against=path, direction=Random()).answer(stages)
    assert "By country, no slice has moved beyond chance (Holm over 8 tests)" in result.summary


def test_a_gate_gives_every_slice_a_verdict_and_that_of_all_rows_is_as_without(sliced):
    stages, theirs = sliced()
    study = Gate(against=theirs, margin={"loss": 0.05, "accuracy": 0.05})
    study.check(stages)
    result = study.answer(stages)
    alone = study.answer(by_column(stages, None))
    assert result.tags == alone.tags
    assert result.metrics == alone.metrics
    found = {row["slice"]: row for row in json.loads(result.texts["verdict.json"])["slices"]}
    assert found["it"]["verdict"] == "worse"
    assert found["it"]["n"] == SIZES["it"]
    frame = result.tables["by_slice.csv"]
    for name, row in found.items():
        assert row["metrics"][0]["verdict"] == WORDS[int(own(frame, name)["loss_verdict"])]
        assert row["metrics"][0]["low"] <= row["metrics"][0]["difference"] <= row["metrics"][0]["high"]
    assert "1 worse (it)" in result.summary
    assert "1 worse (it)" in result.texts["verdict.md"]


def test_the_label_slices_rows_by_class(sliced):
    stages, _ = sliced(by="label")
    frame = AllRows().answer(stages).tables["by_slice.csv"]
    assert frame["slice"].tolist() == ["0", "1", "2", "3"]
    assert frame["rows"].tolist() == np.bincount(LABELS).tolist()


def test_a_column_that_makes_no_slices_is_refused_before_there_is_a_run(sliced):
    stages, theirs = sliced(by="nothing")
    for study in (
        AllRows(),
        Compare(against=theirs, direction=Random()),
        Gate(against=theirs, margin={"loss": 0.1}, on=["loss"]),
    ):
        with pytest.raises(BadInput, match=r"data.by=nothing must be a column of"):
            study.check(stages)


def test_a_study_that_does_not_answer_by_slice_refuses_it(sliced):
    stages, _ = sliced()
    with pytest.raises(BadInput, match=r"data.by must go with study=all_rows, compare or gate; found study=evaluate"):
        changed(stages, study=Evaluate())


@pytest.mark.parametrize("several", [False, True])
def test_a_sweep_says_of_each_candidate_which_slice_moved_first(sliced, several):
    stages, theirs = sliced()
    study = Compare(against=theirs, direction=Random())
    result = study.answer(stages)
    groups = ["b.parquet", "again.parquet"] if several else [""]
    cell = {"study.step": 0.0, "population": "a.parquet", "population_size": ROWS, "confidence": 0.95}
    cells = pd.DataFrame([{**cell, "group": group, **result.metrics} for group in groups])
    frame = result.tables["by_slice.parquet"]
    read = pd.concat([frame.assign(**{"study.step": 0.0, "group": group}) for group in groups])
    compared = study.compare(cells, lambda name: read if name == "by_slice.parquet" else result.tables[name])
    assert compared.summary.count("By country, it moved first") == len(groups)
    assert ("by_slice" in compared.figures) == (not several)
    assert any("by country" in table.title for table in compared.shown) == (not several)
    if several:
        assert compared.summary.startswith("b.parquet: By country")
