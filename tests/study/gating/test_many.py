"""Several candidates: a verdict for each, as one gate over all candidates and metrics would give it."""

import json

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.estimation.gain import gain_of
from pipeline.estimation.verdict import decide
from pipeline.metric.accuracy import Accuracy
from pipeline.records.verdict import WORDS
from pipeline.study.gate import Gate
from tests.study.predicted import stages_from, two_models, write

FIRST, SECOND, LABELS = two_models()
MODELS = {"same": FIRST, "other": SECOND, "bad": SECOND - 1.5 * np.eye(4)[LABELS]}


@pytest.fixture
def stages(stages_of, tmp_path):
    for name, own in MODELS.items():
        write(tmp_path / f"{name}.parquet", label=LABELS, logits=own)
    made = stages_from(stages_of, write(tmp_path / "base.parquet", label=LABELS, logits=FIRST))
    made.experiment.interval.target = "superpopulation"
    return made


def test_each_candidate_has_its_verdict_and_the_status_is_that_of_the_worst(stages, tmp_path):
    against = [str(tmp_path / f"{name}.parquet") for name in MODELS]
    study = Gate(against=against, on=["accuracy"], margin={"accuracy": 0.03}, output=str(tmp_path / "out"))
    study.check(stages)
    result = study.answer(stages)
    found = json.loads(result.texts["verdicts.json"])
    right = [own.argmax(axis=1) == LABELS for own in (FIRST, *MODELS.values())]
    gains = [gain_of(Accuracy(), right[0], own) for own in right[1:]]
    expected = decide(gains, [0.03] * 3, 0.95).codes[:, 0]
    assert [own["verdict"] for own in found] == [WORDS[code] for code in expected]
    assert [own["candidate"]["name"] for own in found] == ["same.parquet", "other.parquet", "bad.parquet"]
    assert (result.status, result.tags) == (3, {"verdict": "worse"})
    assert (tmp_path / "out" / "verdicts.json").read_text("utf-8") == result.texts["verdicts.json"]
    assert result.tables["verdicts.csv"]["label"].tolist() == [own["candidate"]["name"] for own in found]


def test_candidates_of_the_same_content_are_named(stages, tmp_path):
    paths = [tmp_path / f"{name}.parquet" for name in ("same", "other", "copy")]
    paths[2].write_bytes(paths[1].read_bytes())
    notes = Gate(against=[str(path) for path in paths], on=["accuracy"], margin={"accuracy": 0.03}).answer(stages).notes
    assert [note.split(":")[0] for note in notes if "same content" in note] == [
        "same.parquet has the same content as base.parquet",
        "copy.parquet has the same content as other.parquet",
    ]


def test_a_metric_that_a_model_lacks_is_refused(stages, tmp_path):
    label_only = write(tmp_path / "labels.parquet", label=LABELS, prediction=FIRST.argmax(axis=1))
    study = Gate(against=[label_only, str(tmp_path / "other.parquet")], margin={"loss": 0.1, "accuracy": 0.1})
    with pytest.raises(BadInput, match=r"study.on must name metrics that all models have; found loss"):
        study.answer(stages)


@pytest.mark.parametrize("metric", ["loss", "accuracy"])
def test_of_equal_verdicts_the_least_good_one_is_told(stages, tmp_path, metric):
    eye = np.eye(4)[LABELS]
    for name, gain in (("much", 3.0), ("little", 1.0), ("more", 2.0)):
        write(tmp_path / f"{name}.parquet", label=LABELS, logits=FIRST + gain * eye)
    against = [str(tmp_path / f"{name}.parquet") for name in ("much", "little", "more")]
    result = Gate(against=against, on=[metric], margin={metric: 0.03}).answer(stages)
    assert result.answer.startswith(f"Of 3 candidates: 3 better. The least good: Better: {metric} ")
    assert "(little.parquet minus base.parquet" in result.answer
