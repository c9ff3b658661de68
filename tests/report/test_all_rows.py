"""The words and the tables about all rows, from figures made by hand."""

import math

import pandas as pd
import pytest

from pipeline.report import all_rows as tables
from pipeline.report import terminal

METRICS = {
    "loss/all": 0.1434,
    "loss/all_low": 0.11,
    "loss/all_high": 0.183,
    "accuracy/all": 0.96,
    "accuracy/all_low": 0.9451,
    "accuracy/all_high": 0.9709,
    "loss/more": 1234.0,
    "accuracy/more": 0.0,
    "confidence/all": 0.981,
    "confidence/gap": 0.021,
    "confidence/gap_low": 0.012,
    "confidence/gap_high": 0.030,
    "rows": 899.0,
    "seconds/all": 0.1,
}
WITHIN = {"loss": 0.02, "accuracy": 0.01}
NO_ROWS = pd.DataFrame()


def classes(count):
    return pd.DataFrame(
        {
            "class": [f"class {i}" for i in range(count)],
            "rows": [10.0] * count,
            **{f"loss{end}": [0.1] * count for end in ("", "_low", "_high")},
            "accuracy": [1 - i / (2 * count) for i in range(count)],
            "accuracy_low": [0.4] * count,
            "accuracy_high": [1.0] * count,
        }
    )


def test_the_answer_is_one_sentence_with_both_intervals():
    assert tables.answer(METRICS, 0.95, 899) == (
        "Loss 0.143 nats [0.110, 0.183], accuracy 96.0 % [94.5, 97.1] (899 rows, as a sample of the world; 95 %)."
    )


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        ((0.021, 0.012, 0.030), "too sure by 2.10 points [1.20, 3.00]"),
        ((-0.021, -0.030, -0.012), "not sure enough, by 2.10 points [1.20, 3.00]"),
        ((0.004, -0.01, 0.018), "no difference beyond chance (0.4 points [-1.0, 1.8])"),
    ],
)
def test_calibration_is_judged_by_its_interval(gap, words):
    found = dict(zip(("confidence/gap", "confidence/gap_low", "confidence/gap_high"), gap, strict=True))
    said = tables.summary(METRICS | found, WITHIN, unit="row")
    assert said.startswith("Calibration: the model is 98.1 % sure on average and 96.0 % right: ")
    assert words in said


def test_the_rows_that_are_missing_are_said_with_two_digits():
    said = tables.summary(METRICS, WITHIN, unit="row")
    assert said.endswith("For ±1 accuracy point there are enough rows; for ±0.02 nats label about 1,200 more rows.")
    never = tables.summary(METRICS | {"loss/more": math.inf}, WITHIN, unit="group")
    assert "for ±0.02 nats no number of groups is enough, for a loss is infinite" in never


def test_of_many_classes_the_worst_are_shown_and_all_are_counted():
    (table,) = tables.tables(METRICS, classes(50), NO_ROWS, about="p.csv, 899 rows")
    assert table.title == "p.csv, 899 rows, the 20 of 50 classes with the worst accuracy"
    assert [row[0] for row in table.rows] == [f"class {i}" for i in range(49, 29, -1)]
    (few,) = tables.tables(METRICS, classes(20), NO_ROWS, about="p.csv, 899 rows")
    assert [row[0] for row in few.rows] == [f"class {i}" for i in range(20)]
    assert few.footer == [("all", "899", "0.143 [0.110, 0.183]", "96.0 [94.5, 97.1]")]


def test_the_tables_fit_80_columns(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    worst = pd.DataFrame(
        {
            "id": ["a very long identifier of a row, such as a path"] * 2,
            "label": ["a class with a long name indeed"] * 2,
            "predicted": ["another class with a long name"] * 2,
            "confidence": [0.99999, 0.5],
            "loss": [math.inf, 12.3456],
        }
    )
    named = classes(3).assign(**{"class": ["a class with a long name indeed"] * 3})
    for table in tables.tables(METRICS, named, worst, about="p.csv, 899 rows"):
        terminal._console().print(terminal._rich(table))
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "12.3" in shown
    assert "inf" in shown


def test_what_is_not_known_is_no_column_and_an_unknown_end_is_left_out():
    accuracy = {key: value for key, value in METRICS.items() if not key.startswith("loss")}
    (table,) = tables.tables(accuracy, None, NO_ROWS, about="p.csv")
    assert (table.headings, table.rows) == (("rows", "accuracy, %"), [("899", "96.0 [94.5, 97.1]")])
    del accuracy["accuracy/all_low"]
    (table,) = tables.tables(accuracy, None, NO_ROWS, about="p.csv")
    assert table.rows == [("899", "96.00")]


def test_metrics_that_do_not_fit_80_columns_make_a_further_table_and_no_interval_is_cut(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    brier = {f"brier/{key}": METRICS[f"loss/{key}"] for key in ("all", "all_low", "all_high")}
    named = classes(3).assign(**{f"brier{end}": 0.0581 for end in ("", "_low", "_high")})
    found = tables.tables(METRICS | brier, named, NO_ROWS, about="p.csv, 899 rows")
    for table in found:
        terminal._console().print(terminal._rich(table))
    shown = capsys.readouterr().out
    assert len(found) == 2
    assert "…" not in shown
    assert "Brier score" in shown
