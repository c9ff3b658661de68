"""What is said of a gate that stopped."""

import dataclasses

import pytest

from pipeline.records.verdict import UNDECIDED, Stop
from pipeline.report import gate as words
from pipeline.report.gate_sequence import after, sequence_notes
from tests.report.test_gate import ACCURACY, BOTH, EXACT, LOSS, METRICS, judged

STOP = Stop(1_200, 10_000, 10_000, 24, {"loss": 2.0}, {"loss": 3}, is_world=False)
STOPPED = dataclasses.replace(BOTH, stop=STOP, check=None)


def test_the_sentence_says_after_how_many_rows():
    assert words.sentence(STOPPED, METRICS) == (
        "Worse after 1,200 of 10,000 rows: loss +0.094 nats [+0.072, +0.115], beyond the margin of 0.02 nats "
        "(b.csv minus a.csv, 95 %)."
    )
    every = dataclasses.replace(STOP, n=10_000)
    assert after(every) == "after all 10,000 rows"
    exact = judged(*EXACT, is_exact=True, check=None, stop=every)
    assert words.sentence(exact, METRICS) == (
        "Worse after all 10,000 rows: loss +0.094 nats, beyond the margin of 0.02 nats "
        "(b.csv minus a.csv, plain comparison)."
    )
    assert sequence_notes(exact, METRICS) == [
        "The verdict is about these 10,000 rows (interval.target=population); all are evaluated, so nothing is left to "
        "chance"
    ]


def test_the_notes_say_what_holds_and_what_was_cut():
    said = words.notes(STOPPED, METRICS)
    assert said[:3] == [
        "Rows in random order; the verdict was asked 24 times, and the chance that it was wrong at any look is at most "
        "5 %",
        "The verdict is about these 10,000 rows (interval.target=population)",
        "loss: differences are cut to ±2 nats (study.loss_range); 3 of 1,200 rows (0.25 %) were, and the verdict is "
        "about differences as cut",
    ]
    world = dataclasses.replace(STOPPED, stop=dataclasses.replace(STOP, is_world=True))
    assert "the world that these rows are a random sample of" in words.notes(world, METRICS)[1]


@pytest.mark.parametrize(
    ("n", "most", "said"), [(500, 500, "study.max_rows=500 ended it"), (10_000, 10_000, "a second chance to err")]
)
def test_without_a_verdict_the_notes_say_why_it_ended(n, most, said):
    stop = dataclasses.replace(STOP, n=n, most=most, is_world=True)
    finding = dataclasses.replace(ACCURACY, code=UNDECIDED)
    assert said in sequence_notes(judged(finding, check=None, stop=stop), METRICS)[-1]


def test_there_is_one_table_and_it_names_the_rows_that_there_are():
    (table,) = words.tables(judged(LOSS, check=None, stop=dataclasses.replace(STOP, n=1_000)), METRICS, about="digits")
    assert table.title == "digits, 1,000 of 10,000 rows"
