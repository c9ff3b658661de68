import pytest

from pipeline.report.label import (
    About,
    Look,
    answer,
    compared,
    half_after,
    labels_for,
    labels_needed,
    simple_needed,
    tables,
)
from pipeline.report.until import Found

ABOUT = About("rows.parquet", 10_000, 0.95)
GOALS = {"loss": 0.05, "accuracy": 0.02}


def look(labels, loss=0.08, accuracy=0.03, simple=0.12):
    found = {"loss": Found(0.3, 0.3 - loss, 0.3 + loss), "accuracy": Found(0.9, 0.9 - accuracy, 0.9 + accuracy)}
    return Look(labels, found, {"loss": simple, "accuracy": 0.04})


def test_the_labels_needed_bring_the_width_to_the_goal():
    needed = labels_for(0.08, 100, 0.05, 10_000)
    assert half_after(0.08, 100, needed, 10_000) <= 0.05 < half_after(0.08, 100, needed - 1, 10_000)
    assert labels_for(0.04, 100, 0.05, 10_000) == 100
    assert labels_for(0.08, 100, 1e-9, 10_000) == 10_000


def test_the_metric_that_needs_most_decides():
    assert labels_needed(look(100), GOALS, 10_000) == labels_for(0.08, 100, 0.05, 10_000)
    assert labels_needed(look(100), {"loss": None, "accuracy": 0.02}, 10_000) == labels_for(0.03, 100, 0.02, 10_000)
    assert simple_needed(look(100), GOALS, 10_000) == labels_for(0.12, 100, 0.05, 10_000)


@pytest.mark.parametrize(
    ("looks", "about", "said"),
    [
        ([], About("r", 10, 0.95, "f/round_1.csv", 100, 100), "No label yet. Label the 100 rows in f/round_1.csv"),
        ([], About("r", 10, 0.95, "s.csv", 100, 1), "1 row of 100 in s.csv has no label yet: fill the column"),
        ([look(100)], About("r", 10_000, 0.95, "s.csv", 50, 50), "Not enough yet, with 100 of 10,000 labels: loss"),
        ([look(100)], About("r", 10_000, 0.95, "s.csv", 50, 50), "about 150 more labels to go. Label the 50 rows"),
        ([look(400, 0.04, 0.01)], ABOUT, "Enough, with 400 of 10,000 labels: loss 0.300 nats [0.260, 0.340]"),
        ([look(400, 0.04, 0.01)], ABOUT, "A simple sample would take about 1,900."),
        ([look(100)], About("r", 10_000, 0.95, limit=100), "It ended at study.max_labels=100."),
        ([look(10_000, 0, 0)], ABOUT, "All 10,000 rows are labelled: loss 0.3 nats [0.3, 0.3]"),
    ],
)
def test_the_answer_says_what_was_found_and_what_to_do(looks, about, said):
    assert said in answer(looks, GOALS, about)


def test_the_tables_show_looks_goals_and_what_further_labels_buy():
    looks, further = tables([look(100), look(200)], GOALS, ABOUT)
    assert [row[0] for row in looks.rows] == ["100", "200"]
    assert looks.footer == [("goal", "", "0.05", "", "2")]
    assert [row[:2] for row in further.rows] == [("300", "100"), ("400", "200"), ("500", "300")]
    assert float(further.rows[-1][2]) <= 0.05 < float(further.rows[-2][2])
    assert len(tables([look(400, 0.04, 0.01)], GOALS, ABOUT)) == 1
    assert tables([], GOALS, ABOUT) == []


def test_many_looks_are_thinned_to_twelve_with_the_first_and_the_last():
    shown = tables([look(100 * i) for i in range(1, 60)], GOALS, ABOUT)[0].rows
    assert len(shown) <= 13
    assert (shown[0][0], shown[-1][0]) == ("100", "5,900")


def test_cells_of_a_sweep_have_a_row_each():
    cell = {"group": "", "seed": 3, "labels/given": 400.0, "labels/enough": 0.0}
    table = compared([cell | {"loss/mean": 0.3, "loss/half_width": 0.06}])
    assert table.rows[0][1:3] == ("3", "400 ✗")
