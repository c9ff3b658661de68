"""A gate's verdict in words and tables, from findings made by hand."""

import dataclasses

import pandas as pd
import pytest

from pipeline.metric.accuracy import Accuracy
from pipeline.metric.loss import Loss
from pipeline.metric.together import TOGETHER
from pipeline.records.verdict import BETTER, NOT_WORSE, UNDECIDED, WORSE, Audit, Check, Finding, Judgement
from pipeline.report import gate as words
from pipeline.report.by_metric import fits

LOSS = Finding(
    "loss", WORSE, 0.1243, 0.2179, 0.0936, 0.0722, 0.1149, 0.02, 1e-7, 2e-7, 1e-6, 0.975, 0.975, 1000, 0.0, 0.0245,
    1505.0, "Student's t",
)  # fmt: skip
ACCURACY = Finding(
    "accuracy", UNDECIDED, 0.967, 0.952, -0.015, -0.0278, -0.0062, 0.01, 0.0018, 0.0018, 0.27, 0.975, 0.95, 1000,
    2152.0, 0.0147, 2165.0, "Tango's score interval",
)  # fmt: skip
METRICS = {"loss": Loss(), "accuracy": Accuracy()}
CHECK = Check(2000, 1000, 0.0005, 0.024, 0.05, True)
AUDIT = Audit(
    "accuracy<-0.01", "accuracy", 0.01, 2000, (0.0, -0.01, -0.02), (0.02, 0.44, 0.98), (0.0, 0.03, 0.67),
    (0.5, 0.95, 0.33),
)  # fmt: skip


def judged(*findings, **fields):
    made = Judgement("a.csv", "b.csv", ("1" * 64, "2" * 64), findings, 0.95, 0.8, 0, False, CHECK)
    return dataclasses.replace(made, **fields)


BOTH = judged(LOSS, ACCURACY)
EXACT = [dataclasses.replace(own, p=None, p_holm=None, p_margin=None) for own in (LOSS, ACCURACY)]


def test_a_worse_candidate_is_told_by_what_makes_it_so():
    assert words.sentence(BOTH, METRICS) == (
        "Worse: loss +0.094 nats [+0.072, +0.115], beyond the margin of 0.02 nats "
        "(b.csv minus a.csv, 1,000 rows, 95 %)."
    )


def test_an_undecided_one_by_how_many_more_rows_would_decide():
    assert words.sentence(judged(ACCURACY), METRICS) == (
        "Undecided: accuracy -1.5 points [-2.8, -0.6], on both sides of the margin of 1 point; 2,152 more rows would "
        "decide if the difference stays as it is (b.csv minus a.csv, 1,000 rows, 95 %)."
    )
    never = dataclasses.replace(ACCURACY, more=float("inf"))
    assert "no number of rows would decide" in words.sentence(judged(never), METRICS)


@pytest.mark.parametrize(
    ("code", "said"), [(BETTER, "on the good side of 0"), (NOT_WORSE, "within the margins of 0.02")]
)
def test_a_pass_names_every_metric(code, said):
    own = [dataclasses.replace(finding, code=code) for finding in (LOSS, ACCURACY)]
    found = words.sentence(judged(*own), METRICS)
    assert "loss +0.094 nats" in found
    assert "accuracy -1.5 points" in found
    assert said in found


def test_of_all_rows_there_is_no_interval_and_no_confidence():
    judgement = judged(*EXACT, is_exact=True, check=None)
    assert words.sentence(judgement, METRICS) == (
        "Worse: loss +0.094 nats, beyond the margin of 0.02 nats (b.csv minus a.csv, 1,000 rows)."
    )
    assert len(words.tables(judgement, METRICS, about="digits")) == 1
    assert "nothing is left to chance" in words.notes(judgement, METRICS)[0]


def test_the_tables_fit_a_terminal_and_say_what_the_rows_can_show():
    verdicts, seen, rule = words.tables(dataclasses.replace(BOTH, audit=AUDIT), METRICS, about="digits test")
    assert verdicts.rows[0] == ("loss, nats", "0.1243 → 0.2179", "+0.094 [+0.072, +0.115]", "0.02", "worse")
    assert verdicts.rows[1][-2:] == ("1", "undecided")
    assert seen.rows == [("loss, nats", "0.025", "0.02", "1,505", "0.66"), ("accuracy, %", "1.5", "1", "2,165", "0.46")]
    assert rule.rows[1] == ("worse by 1 point", "44.0", "3.0", "95.0")
    assert all(fits(table) for table in (verdicts, seen, rule))


def test_fine_differences_take_the_room_of_the_means():
    fine = dataclasses.replace(LOSS, difference=0.00157, low=0.00139, high=0.00178, margin=0.001)
    table = words.tables(judged(fine), METRICS, about="a.parquet")[0]
    assert table.rows == [("loss, nats", "+0.00157 [+0.00139, +0.00178]", "0.001", "worse")]
    assert fits(table)


def test_without_a_margin_no_number_of_rows_shows_it():
    none = dataclasses.replace(LOSS, margin=0.0, needed=float("inf"))
    assert words.tables(judged(none), METRICS, about="x")[1].rows[0][2:] == ("0", "∞", "0")


def test_the_summary_tells_of_what_the_sentence_leaves_out():
    assert words.summary(BOTH, METRICS).startswith("The accuracy is undecided: 2,152 more rows would decide")
    assert words.summary(judged(ACCURACY), METRICS) == ""
    said = words.summary(dataclasses.replace(BOTH, audit=AUDIT), METRICS)
    assert said.endswith(
        "With 1,000 rows the rule accuracy<-0.01 fails 2.0 % of candidates that are exactly as good, and passes 2.0 % "
        "of those that are worse by 2 points."
    )


def test_the_notes_tell_levels_p_values_holm_the_check_and_margins_that_are_too_narrow():
    notes = words.notes(BOTH, METRICS)
    assert notes[0] == "loss: Student's t, 97.5 %; p < 0.0001 of no difference (< 0.0001 by Holm)"
    assert notes[1].endswith("lower end 97.5 %, upper end 95 %; p = 0.0018 of no difference")
    assert "any of the 2 metrics has a chance of at most about 5 %" in notes[2]
    assert (
        "against itself the gate calls 0.050 % worse, and 2.4 % with margins of 0 (promised: at most 5 %)" in notes[3]
    )
    assert "too few for the margin of the loss and of the accuracy" in notes[4]
    broken = dataclasses.replace(BOTH, check=dataclasses.replace(CHECK, is_kept=False, rows=500))
    assert "2,000 re-draws of 500 rows" in words.notes(broken, METRICS)[3]
    assert "more than promised" in words.notes(broken, METRICS)[3]


def test_an_interval_without_width_is_not_passed_over():
    same = dataclasses.replace(LOSS, low=0.0936, high=0.0936)
    assert words.notes(judged(same), METRICS)[1].startswith(
        "The loss of every row differs by the same, so the interval"
    )


def test_the_cells_of_a_sweep_are_marked_and_counted():
    cells = pd.DataFrame(
        {
            "label": ["b", "c"],
            "population": "a",
            "population_size": 1000,
            "verdict": [WORSE, BETTER],
            **{f"loss/{name}": [0.1, -0.1] for name in ("difference", "difference_low", "difference_high")},
            "loss/verdict": [WORSE, BETTER],
        }
    )
    (table,) = words.tables_of_cells(cells, {"loss": Loss()})
    assert table.rows == [("b", "+0.1 [+0.1, +0.1] ▼", "worse"), ("c", "-0.1 [-0.1, -0.1] ▲", "better")]
    assert words.summary_of_cells(cells) == "Of 2 candidates: 1 better and 1 worse."


def test_metrics_of_long_names_keep_their_means_and_no_heading_is_cut():
    own = dataclasses.replace(ACCURACY, metric="balanced_accuracy", unit="group", needed=10_420.0)
    long = dataclasses.replace(LOSS, difference=-0.0936, low=-0.1149, high=-0.0722)
    metrics = METRICS | TOGETHER
    verdicts, seen = words.tables(judged(long, own), metrics, about="a.csv")
    assert verdicts.headings[1].split() == ["baseline", "→", "candidate"]
    assert verdicts.rows[1][0] == "balanced\naccuracy, %"
    assert verdicts.rows[0][1] == "0.1243 → 0.2179"
    assert [fits(table) for table in (verdicts, seen)] == [True, True]
    errors = dataclasses.replace(own, metric="ece", unit="patient")
    for table in words.tables(judged(long, errors), metrics, about="a"):
        assert fits(table)


def test_of_few_rows_a_difference_of_0_has_no_sign_and_none_is_seen_that_cannot_be():
    loss = dataclasses.replace(LOSS, difference=-0.2, low=-30.0, high=31.0, n=2)
    share = dataclasses.replace(ACCURACY, effect=1.5, n=2)
    few = judged(loss, share)
    assert "loss 0 nats [-30, +31]" in words.sentence(few, METRICS)
    seen = words.tables(few, METRICS, about="two")[1]
    assert [row[1] for row in seen.rows] == ["0.025", "none"]


def test_that_every_row_is_the_same_under_both_is_no_note_on_the_width_of_the_interval():
    same = dataclasses.replace(LOSS, difference=0.0, low=0.0, high=0.0)
    assert not any("the interval has no width" in note for note in words.notes(judged(same), METRICS))


@pytest.mark.parametrize("unit", ["row", "group"])
def test_the_last_column_of_what_is_seen_says_that_it_is_a_ratio_and_of_what(unit):
    finding = dataclasses.replace(LOSS, unit=unit)
    table = words.tables(judged(finding), METRICS, about="x")[1]
    assert table.headings[-2:] == (f"{unit}s that\nshow it", f"{unit}s here ÷\nthat number")
    assert table.rows[0][-2:] == ("1,505", "0.66")
    assert fits(table)


def test_a_difference_that_no_row_tells_of_is_none_and_not_infinite():
    one = dataclasses.replace(LOSS, n=1, effect=float("inf"), needed=float("inf"))
    assert words.tables(judged(one), METRICS, about="x")[1].rows[0][1] == "none"


def test_of_groups_it_is_said_which_p_value_is_for_few_and_what_it_does_not_allow_for():
    groups = dataclasses.replace(LOSS, unit="group", p=0.98, p_holm=0.98, p_flips=0.0001)
    said = words.notes(judged(groups), METRICS)[0]
    assert said.endswith(
        "p = 0.98 of no difference; by flipping the groups' signs p = 0.0001, which needs no normal mean and so is the "
        "one for few groups"
    )
    with_room = words.notes(judged(dataclasses.replace(groups, unseen=5.0)), METRICS)[0]
    assert with_room.endswith("the one for few groups, but, unlike the first, allows for no groups unlike these")
