"""Balanced accuracy, macro F1, AUC and calibration error in study=compare and study=gate, by file, group and slice."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score

from pipeline.errors import BadInput
from pipeline.metric.together import TOGETHER
from pipeline.study.compare import Compare
from pipeline.study.direction.random import Random
from pipeline.study.gate import Gate
from tests.study.predicted import ROWS, stages_from, two_models, write

FIRST, SECOND, LABELS = two_models()
MARGINS = dict.fromkeys(TOGETHER, 0.01)
SLICES = np.where(np.arange(ROWS) < 40, "rare", np.where(np.arange(ROWS) % 2, "x", "y"))


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


@pytest.fixture
def given(stages_of, tmp_path):
    """A function to the stages on the first model's file, and the path of the second's."""

    def make(labels=LABELS, *, target="superpopulation", fields=None, by=None):
        groups = np.arange(ROWS) // 3
        ours = write(tmp_path / "a.parquet", label=labels, logits=FIRST, doc=groups, part=SLICES)
        theirs = write(tmp_path / "b.parquet", label=labels, logits=SECOND)
        stages = stages_from(stages_of, ours, fields=fields)
        stages.experiment.interval.target = target
        stages.experiment.data.by = by
        return stages, theirs

    return make


def compared(stages, theirs, on=("loss", "accuracy", *TOGETHER), **fields):
    study = Compare(against=theirs, direction=Random(), on=list(on), **fields)
    study.check(stages)
    return study.answer(stages)


def judged(stages, theirs, on=tuple(TOGETHER), margin=MARGINS, **fields):
    study = Gate(against=theirs, on=list(on), margin=margin, **fields)
    study.check(stages)
    return study.answer(stages)


def test_compare_finds_the_differences_of_scikit_learns_values_and_names_them_in_table_and_sentence(given):
    result = compared(*given())
    found, both = result.metrics, [FIRST, SECOND]
    expected = {
        "balanced_accuracy": [balanced_accuracy_score(LABELS, own.argmax(axis=1)) for own in both],
        "macro_f1": [f1_score(LABELS, own.argmax(axis=1), average="macro") for own in both],
        "auc": [roc_auc_score(LABELS, softmax(own), multi_class="ovr") for own in both],
    }
    for name, (before, after) in expected.items():
        assert found[f"{name}/difference"] == pytest.approx(after - before, abs=1e-9)
        assert found[f"{name}/difference_low"] < after - before < found[f"{name}/difference_high"]
        assert 0 <= found[f"{name}/p"] < 0.05
        assert np.isfinite(found[f"{name}/n_for_power"])
    assert "the AUC is better by 0.0266" in result.answer
    assert "p values by Holm over 6 tests" in result.answer
    headings = " ".join(heading for table in (result.shown, *result.further) for heading in table.headings)
    assert all(metric.words in headings for metric in TOGETHER.values())


def test_without_their_names_compare_does_not_look_at_them(given):
    stages, theirs = given()
    result = Compare(against=theirs, direction=Random()).answer(stages)
    assert not any(name.startswith(tuple(f"{own}/" for own in TOGETHER)) for name in result.metrics)


def test_a_gate_judges_them_with_holm_in_file_figures_and_picture(given):
    result = judged(*given(), on=["accuracy", *TOGETHER], margin={"accuracy": 0.01, **MARGINS})
    found = {own["metric"]: own for own in json.loads(result.texts["verdict.json"])["metrics"]}
    assert list(found) == ["accuracy", *TOGETHER]
    assert [found[name]["verdict"] for name in ("balanced_accuracy", "macro_f1", "auc")] == ["better"] * 3
    for name, own in found.items():
        assert own["p"] <= own["p_holm"]
        assert result.metrics[f"{name}/difference"] == own["difference"]
        assert own["low"] < own["difference"] < own["high"]
    assert found["auc"]["baseline"] == pytest.approx(roc_auc_score(LABELS, softmax(FIRST), multi_class="ovr"))
    assert "of the rows' influences" in found["auc"]["method"]
    assert "further out by what bias may be left" in found["ece"]["method"]
    assert "| AUC | 0.8942 | 0.9208 |" in result.texts["verdict.md"]
    assert len(result.figures["verdict"].axes) >= 5


def test_with_the_population_as_target_the_values_are_the_plain_ones(given):
    stages, theirs = given(target="population")
    found = judged(stages, theirs).metrics
    correct, sure = FIRST.argmax(axis=1) == LABELS, softmax(FIRST).max(axis=1)
    at = pd.Series(np.minimum((sure * 15).astype(int), 14))
    plain = pd.Series(correct - sure).groupby(at).sum().abs().sum() / ROWS
    assert found["ece/baseline"] == pytest.approx(plain)
    assert found["ece/difference_low"] == found["ece/difference_high"]


def test_groups_of_alike_rows_widen_the_intervals_as_the_number_of_groups_says(stages_of, tmp_path):
    rows = np.repeat(np.arange(0, ROWS, 4), 4)
    ours = write(tmp_path / "a.parquet", label=LABELS[rows], logits=FIRST[rows], doc=rows)
    theirs = write(tmp_path / "b.parquet", label=LABELS[rows], logits=SECOND[rows])
    alone, grouped = (compared(stages_from(stages_of, ours, fields=own), theirs) for own in ({}, {"group": "doc"}))
    for name in ("balanced_accuracy", "auc"):
        widths = [
            own.metrics[f"{name}/difference_high"] - own.metrics[f"{name}/difference"] for own in (alone, grouped)
        ]
        assert widths[1] == pytest.approx(2 * widths[0], rel=0.05)
    assert "auc/p_flips" in grouped.metrics


def test_a_class_without_a_row_is_said_by_compare_and_refused_by_the_gate(given):
    stages, theirs = given(np.minimum(LABELS, 2))
    result = compared(stages, theirs)
    assert "no AUC: 1 of 4 classes has no row" in result.notes
    assert "auc/difference" not in result.metrics
    assert "ece/difference" in result.metrics
    with pytest.raises(BadInput, match="metrics that both models have; found auc, and no AUC: 1 of 4 classes has"):
        judged(stages, theirs, on=["accuracy", "auc"], margin={"accuracy": 0.01, "auc": 0.01})
    with pytest.raises(BadInput, match="a metric that has a value; found no AUC: 1 of 4 classes"):
        compared(stages, theirs, on=["auc"])


@pytest.mark.parametrize("by", ["part", "label"])
def test_slices_without_a_value_are_counted_and_named_and_never_filled(given, by):
    labels = np.where(np.arange(ROWS) < 40, LABELS % 3, LABELS)
    stages, theirs = given(labels, by=by)
    without = ["rare"] if by == "part" else ["0", "1", "2", "3"]
    for result, ends in (
        (compared(stages, theirs, on=["loss", "auc"]), ("", "_low", "_high", "_p", "_n_for_power")),
        (judged(stages, theirs, on=["loss", "auc"], margin={"loss": 0.02, "auc": 0.01}), ("", "_p", "_verdict")),
    ):
        frame = result.tables["by_slice.csv"].set_index("slice")
        lost = frame.index.isin(without)
        for end in ends:
            assert (frame[f"auc{end}"].isna() == lost).all()
            assert frame[f"loss{end}"].notna().all()
        assert result.metrics["auc/slices_without_value"] == len(without)
        assert any(note.startswith(f"no AUC in {len(without)} of {len(frame)} slices") for note in result.notes)
        assert "by_slice" in result.figures
    found = {row["slice"]: row for row in json.loads(result.texts["verdict.json"])["slices"]}
    assert found[without[0]]["metrics"][1] == {
        "metric": "auc", "verdict": None, "difference": None, "low": None, "high": None, "p": None, "p_holm": None,
    }  # fmt: skip
    assert found[without[0]]["verdict"] is not None


def test_a_slice_without_any_value_has_no_verdict(given):
    stages, theirs = given(by="label")
    result = judged(stages, theirs, on=["auc"])
    assert {row["verdict"] for row in json.loads(result.texts["verdict.json"])["slices"]} == {None}
    assert "of 4 slices: 4 without a value" in result.summary


def test_several_candidates_are_judged_and_ranked_by_them(given, tmp_path):
    stages, theirs = given()
    third = write(tmp_path / "c.parquet", label=LABELS, logits=FIRST)
    many = judged(stages, [theirs, third], on=["auc", "ece"])
    found = json.loads(many.texts["verdicts.json"])
    alone = json.loads(judged(stages, theirs, on=["auc", "ece"]).texts["verdict.json"])
    for one, other in zip(found[0]["metrics"], alone["metrics"], strict=True):
        assert one["difference"] == other["difference"]
        assert one["low"] <= other["low"]
        assert one["method"] == other["method"]
    assert found[1]["metrics"][0]["difference"] == 0
    league = compared(stages, [theirs, third], on=["auc"])
    assert league.tables["league.csv"].set_index("model").loc["b.parquet", "auc_place"] == 1
    with pytest.raises(BadInput, match="no bias left; found ece"):
        compared(stages, [theirs, third], on=["ece"])


def test_models_are_compared_by_them_as_files_are(stages_of, tmp_path):
    result = Compare(direction=Random(), step=0.5, on=["loss", "auc", "ece"]).answer(stages_of())
    for name in ("auc", "ece"):
        assert np.isfinite(result.metrics[f"{name}/difference"])


def test_a_gate_without_a_candidate_tells_what_it_could_see_of_them(given):
    stages, _ = given()
    result = judged(stages, None, on=["auc", "balanced_accuracy"])
    assert result.metrics["auc/smallest_effect"] > result.metrics["auc/smallest_effect_alike"] > 0
    assert "AUC" in result.answer


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rows": "as_needed"}, "as_needed must have metrics of a row, for of all rows together no .* found auc"),
        ({"margin": {}}, r"study.margin.auc must say by how much the AUC may be worse .* add study.margin.auc="),
        ({"margin": {"auc": 1.5}}, "study.margin.auc must be a fraction below 1; found 1.5"),
        ({"audit": "ece>0.01", "on": ["ece"]}, "study.audit must be of a metric whose estimate has no bias left"),
        ({"on": ["area"], "margin": {"area": 0.1}}, "study.on must be of the metrics .*auc, ece; found area"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(given, fields, message):
    stages, theirs = given()
    with pytest.raises(BadInput, match=message) as refused:
        judged(stages, theirs, **{"on": ["auc"], **fields})
    assert "\n" not in str(refused.value)


def test_compare_refuses_metrics_that_there_are_not(given):
    stages, theirs = given()
    with pytest.raises(BadInput, match=r"study.on must be of the metrics .*; found area"):
        compared(stages, theirs, on=["area"])
    with pytest.raises(BadInput, match=r"study.on must name a metric at least"):
        Compare(against=theirs, direction=Random(), on=[])


def test_a_rule_about_an_auc_is_audited(given):
    result = judged(*given(), on=["auc"], margin={"auc": 0.01}, audit="auc<-0.01")
    assert 0 <= result.metrics["rule/false_alarm"] < 0.5
    assert "rule_audit" in result.figures


@pytest.mark.parametrize("group", [None, "doc"])
def test_of_models_that_are_alike_the_interval_has_the_width_of_a_share_that_no_row_changes(given, group):
    stages, _ = given(fields={"group": group} if group else None)
    same, n = stages.experiment.data.path, ROWS // 3 if group else ROWS
    z = stats.norm.ppf(0.975)
    found = compared(stages, same).metrics
    for name in TOGETHER:
        assert found[f"{name}/difference"] == 0
        assert found[f"{name}/difference_high"] == pytest.approx(z**2 / (n + z**2))
        assert found[f"{name}/p"] == 1
    # The gate's is that of a row of the rarest class that was not seen.
    result = judged(stages, same, on=["auc"], margin={"auc": 0.02})
    assert result.metrics["auc/difference_low"] == pytest.approx(-(z**2) / (n + z**2), rel=0.2)
    assert result.tags["verdict"] == "not worse"
