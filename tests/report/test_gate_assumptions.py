"""What a verdict assumes of rows not seen, in words."""

import dataclasses

from pipeline.records.verdict import BETTER, UNDECIDED
from pipeline.report import gate as words
from pipeline.report.gate_assumptions import assumptions, cuts
from tests.report.test_gate import ACCURACY, LOSS, METRICS, judged

SEEN = dataclasses.replace(LOSS, unseen=5.0, room=12.34, rarest=229.4)


def test_a_verdict_says_what_it_assumes_and_how_far_it_holds():
    (said,) = assumptions(judged(SEEN, ACCURACY), METRICS)
    assert said == (
        "The verdict on the loss assumes that rows of kinds rarer than 1 in 229, of which none may be among these, "
        "differ by 5 nats at most; it holds up to 12 nats."
    )
    assert said in words.summary(judged(SEEN, ACCURACY), METRICS)


def test_what_is_undecided_for_rows_not_seen_says_so():
    waits = dataclasses.replace(SEEN, code=UNDECIDED, room=1.3, unit="group")
    (said,) = assumptions(judged(waits), METRICS)
    assert said == (
        "The loss is undecided because none of the kinds rarer than 1 in 229 may be among these groups, and they are "
        "taken to differ by up to 5 nats; with up to 1.3 nats there would be a verdict."
    )
    assert assumptions(judged(dataclasses.replace(waits, room=0.0)), METRICS) == []


def test_nothing_is_said_of_what_assumes_nothing():
    assert assumptions(judged(LOSS, ACCURACY), METRICS) == cuts(judged(LOSS, ACCURACY), METRICS) == []


def test_differences_that_were_cut_are_counted():
    own = judged(dataclasses.replace(LOSS, bound=2.0, cut=3), ACCURACY)
    (said,) = cuts(own, METRICS)
    assert said == (
        "loss: differences are cut to ±2 nats (study.loss_range); 3 of 1,000 rows (0.30 %) were, and the verdict is "
        "about differences as cut"
    )
    assert said in words.notes(own, METRICS)


def test_a_verdict_on_a_share_that_no_row_could_change_says_so():
    share = dataclasses.replace(ACCURACY, code=BETTER, unseen=1.0, room=6.3, rarest=20.0)
    (said,) = assumptions(judged(share), METRICS)
    assert said.endswith("differ by 100 points at most; it holds whatever they differ by.")
