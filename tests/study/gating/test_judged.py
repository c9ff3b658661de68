"""A gate's judgement on as few rows as needed, from two files, by the study."""

import json

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import BadInput
from pipeline.experiment import Stages
from pipeline.sampling.streams import GATE_ORDER, generator
from pipeline.study.gate import Gate
from pipeline.study.paired import match as matching
from tests.study.predicted import ROWS, stages_from, two_models, write

FIRST, SECOND, LABELS = two_models()
BETTER = SECOND + 2.0 * np.eye(4)[LABELS]


@pytest.fixture
def judged(stages_of, tmp_path):
    """A function from two models' logits to the result of a gate that evaluates rows as needed."""

    def judge(first=FIRST, second=BETTER, *, target="population", seed=0, read=None, **fields):
        ours = write(tmp_path / "a.parquet", label=LABELS, logits=first)
        theirs = write(tmp_path / "b.parquet", label=LABELS, logits=second)
        stages = stages_from(stages_of, ours, fields=read, seed=seed)
        stages.experiment.interval.target = target
        margin = {"loss": 0.0, "accuracy": 0.0}
        study = Gate(against=theirs, **{"margin": margin, "rows": "as_needed", "loss_range": 5.0, **fields})
        study.check(stages)
        return study.answer(stages)

    return judge


def test_a_verdict_after_a_part_of_the_rows_says_so_everywhere(judged):
    result = judged()
    found = json.loads(result.texts["verdict.json"])
    n = found["stop"]["n"]
    assert 50 <= n < ROWS / 2
    assert result.answer.startswith(f"Better after {n:,} of 1,200 rows: loss ")
    assert (result.status, result.tags) == (0, {"verdict": "better"})
    assert (result.metrics["rows/evaluated"], result.metrics["rows/saved"]) == (n, ROWS - n)
    assert (found["n"], found["target"], found["smallest_effect"]) == (n, "population", None)
    assert list(result.figures) == ["verdict", "sequence"]
    assert f"Better after {n:,} of 1,200 rows" in result.texts["verdict.md"]
    assert not any(np.isnan(value) for value in result.metrics.values())


def test_the_looks_are_a_table_and_curves_over_the_rows(judged):
    result = judged()
    frame = result.tables["looks.csv"]
    assert frame["n"].iloc[-1] == result.metrics["rows/evaluated"]
    last = {name: value for name, value, step in result.series if step == frame["n"].iloc[-1]}
    for metric in ("loss", "accuracy"):
        assert last[f"{metric}/seen"] == result.metrics[f"{metric}/difference"]
        assert last[f"{metric}/seen_low"] == result.metrics[f"{metric}/difference_low"]
        assert last[f"{metric}/seen_high"] == result.metrics[f"{metric}/difference_high"]


@pytest.mark.parametrize("memory", [10**9, 1], ids=["in memory", "streamed"])
def test_no_row_is_scored_that_is_not_needed(judged, monkeypatch, memory):
    """The rows are the first of the stream's order; the check looks at one row, at none for the result."""
    asked, real = [], matching.score

    def score(classifier, dataset, rows, **options):
        asked.append(rows.tolist())
        return real(classifier, dataset, rows, **options)

    monkeypatch.setattr(matching, "score", score)
    monkeypatch.setattr(Stages, "scores", lambda *_, **__: pytest.fail("all rows are scored"))
    n = int(judged(read={"memory": memory}).metrics["rows/evaluated"])
    both = [np.concatenate(own).tolist() for own in (asked[2::2], asked[3::2])]
    order = generator(GATE_ORDER, 0).permutation(ROWS)[:n].tolist()
    assert asked[:2] == [[0], [0]]
    assert both == [order, order]


def test_another_seed_is_another_order_and_the_same_seed_the_same_figures(judged):
    first, again, other = judged(), judged(), judged(seed=1)
    assert first.texts["verdict.json"] == again.texts["verdict.json"] != other.texts["verdict.json"]
    pd.testing.assert_frame_equal(first.tables["looks.csv"], again.tables["looks.csv"])


def test_too_few_rows_are_undecided_and_exit_with_4(judged):
    result = judged(second=SECOND, max_rows=60)
    assert result.status == 4
    assert result.answer.startswith("Undecided after 60 of 1,200 rows")
    assert any("study.max_rows=60 ended it before there was a verdict" in note for note in result.notes)
    assert result.metrics["loss/more"] > 0


@pytest.mark.parametrize(
    ("target", "word", "status"), [("population", "Not worse", 0), ("superpopulation", "Undecided", 4)]
)
def test_after_all_rows_these_are_compared_plainly_and_the_world_stays_open(judged, target, word, status):
    result = judged(second=FIRST, target=target)
    assert result.answer.startswith(f"{word} after all 1,200 rows")
    assert result.status == status
    assert json.loads(result.texts["verdict.json"])["target"] == target


def test_without_a_target_the_verdict_is_about_these_rows():
    assert (
        Gate(margin={"loss": 0, "accuracy": 0}, against=__file__, rows="as_needed", loss_range=1).target == "population"
    )
    assert Gate(margin={"loss": 0, "accuracy": 0}, against=__file__).target == "superpopulation"


def test_what_cannot_be_asked_is_one_line(judged, stages_of, tmp_path):
    with pytest.raises(BadInput, match=r"study\.loss_range must say how far a row's loss may move"):
        judged(loss_range=None)
    judged(loss_range=None, on=["accuracy"])
    ours = write(tmp_path / "a.parquet", label=LABELS, logits=FIRST)
    alone = Gate(margin={"loss": 0.0, "accuracy": 0.0}, rows="as_needed", loss_range=1.0)
    with pytest.raises(BadInput, match=r"study\.rows=as_needed must have a candidate; found none"):
        alone.check(stages_from(stages_of, ours))


def test_a_row_with_no_difference_to_be_had_is_named(judged):
    impossible = FIRST.copy()
    impossible[np.arange(ROWS) % 3 == 0] = np.where(np.eye(4)[LABELS[::3]] > 0, -np.inf, 0.0)
    with pytest.raises(BadInput, match=r"the loss of every row must be finite under both models"):
        judged(second=impossible, read={"masked": True})
