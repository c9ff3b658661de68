import math

import numpy as np
import pandas as pd
import pytest

from pipeline.metric.columns import of_column
from pipeline.report import trend
from pipeline.report.by_metric import fits
from pipeline.report.series import About, Look, MetricTrend, Value

LABELS = ["2026-10-05", "2026-10-12", "2026-10-19"]
ABOUT = About("2026-10-05.csv", "2026-10-19.csv", LABELS, [0, 7, 14], [500, 1, 12_345], 0, 0.95)
NONE = [None] * 3


def of(name, differences, looks, values=None):
    values = values or [Value(0.9, 0.88, 0.92), Value(0.9, 0.88, 0.92), Value(0.9, 0.88, 0.92)]
    return MetricTrend(of_column(name), values, [None, *differences], [None, *differences], [None, *looks])


DOWN, UP = Value(-0.018, -0.031, -0.005), Value(0.1234, 0.05, 0.2)
SURE, UNSURE = Look(0.0031, 2), Look(1.0, 1)
FOUND = {
    "loss": of("loss", [UP, UP], [UNSURE, UNSURE]),
    "accuracy": of("accuracy", [DOWN, DOWN], [UNSURE, SURE]),
}


def test_the_answer_with_an_alarm_is_one_sentence():
    assert trend.answer(FOUND, ABOUT) == (
        "Accuracy is 1.8 points lower in 2026-10-19 than in the reference 2026-10-05 (95 %: -3.1 to -0.5); alarm at "
        "2026-10-19: that file differs from those before it (p = 0.0031 over all looks)."
    )


def test_the_answer_names_both_metrics_where_both_alarm_and_the_clearer_one_leads():
    found = {"loss": of("loss", [UP, UP], [UNSURE, Look(1e-7, 1)]), "accuracy": FOUND["accuracy"]}
    assert trend.answer(found, ABOUT) == (
        "Loss is 0.123 nats higher in 2026-10-19 than in the reference 2026-10-05 (95 %: +0.050 to +0.200); alarm at "
        "2026-10-19, by the accuracy too: the files from 2026-10-12 on differ from those before them (p < 0.0001 "
        "over all looks)."
    )


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (DOWN, "accuracy is 1.8 points lower in 2026-10-19 than in the reference 2026-10-05 (95 %: -3.1 to -0.5)."),
        (Value(0.01, -0.2, 0.22), "accuracy is 1 point higher in 2026-10-19 than in"),
        (Value(0.0, -0.02, 0.02), "accuracy is the same in 2026-10-19 as in the reference 2026-10-05 (95 %: -2.0 to"),
        (Value(0.02, -math.inf, math.inf), "accuracy is 2.0 points higher in 2026-10-19 than in the reference "
         "2026-10-05 (95 %: no interval)."),
    ],
)  # fmt: skip
def test_the_answer_without_an_alarm_says_so_and_how_far_the_newest_is(difference, said):
    found = {"accuracy": of("accuracy", [DOWN, difference], [UNSURE, UNSURE])}
    assert trend.answer(found, ABOUT).startswith(f"No change beyond chance in 3 files: {said}")


def test_an_infinite_loss_alone_has_no_answer_and_says_what_to_do():
    values = [Value(math.inf, -math.inf, math.inf)] * 3
    nothing = Value(math.nan, -math.inf, math.inf)
    found = {"loss": MetricTrend(of_column("loss"), values, [None, nothing, nothing], [None, nothing, nothing], NONE)}
    assert trend.answer(found, ABOUT).startswith("No change can be tested: the loss is infinite in 2026-10-05, 2026-1")
    assert trend.notes(found, ABOUT)[-1].endswith("pass study.loss_cap=10")
    assert trend.tables(found, ABOUT)[0].rows[1][2] == "—"


def test_the_reference_may_be_the_last_file():
    last = About("a", "b", LABELS, [0, 7, 14], [5, 5, 5], 2, 0.95)
    own = MetricTrend(of_column("accuracy"), FOUND["accuracy"].values, NONE, [DOWN, UP, None], [UNSURE, UNSURE, None])
    assert "higher in 2026-10-12 than in the reference 2026-10-19" in trend.answer({"accuracy": own}, last)


def test_the_tables_have_a_row_a_file_and_fit_80_columns():
    loss, accuracy = trend.tables(FOUND, ABOUT)
    assert fits(loss)
    assert fits(accuracy)
    assert accuracy.headings == (
        "date",
        "accuracy,\n%",
        "from before,\npoints",
        "from reference,\npoints",
        "evidence\np",
    )
    assert accuracy.rows == [
        ("2026-10-05\n500 rows", "90.0\n[88.0, 92.0]", "", "reference\n", ""),
        ("2026-10-12\n1 row", "90.0\n[88.0, 92.0]", "-1.8\n[-3.1, -0.5]", "-1.8\n[-3.1, -0.5]", "1\n"),
        ("2026-10-19\n12,345 rows", "90.0\n[88.0, 92.0]", "-1.8\n[-3.1, -0.5]", "-1.8\n[-3.1, -0.5]", "0.0031\nalarm"),
    ]  # fmt: skip


def test_the_widest_figures_and_names_still_fit():
    wide = Value(-0.1234, -0.5, 0.25)
    labels = [f"a_very_long_name_of_a_file_{i}" for i in range(3)]
    about = About(*labels[:2], labels, None, [10**9] * 3, 0, 0.95)
    found = {"accuracy": of("accuracy", [wide, wide], [Look(1e-9, 1)] * 2, [Value(1.0, 0.98765, 1.0)] * 3)}
    assert all(fits(table) for table in trend.tables(found, about))


def test_the_frame_has_every_figure_and_the_first_alarm_is_read_from_it(tmp_path):
    frame = trend.frame(FOUND, ABOUT)
    assert frame["alarm"].tolist() == [False, False, True]
    assert frame["accuracy_since"].tolist() == ["", LABELS[1], LABELS[2]]
    assert frame["loss_from_reference_high"].tolist()[1:] == [0.2, 0.2]
    assert np.isnan(frame["accuracy_p"].iloc[0])
    frame.to_csv(tmp_path / "trend.csv", index=False)
    assert trend.first_alarm(pd.read_csv(tmp_path / "trend.csv")) == LABELS[2]
    assert trend.first_alarm(frame.iloc[:2]) == ""


def test_several_trends_are_counted():
    assert trend.compared_summary(["", ""]) == "No change beyond chance in 2 trends."
    assert trend.compared_summary(["", "d", "d"]) == "2 of 3 trends have an alarm."
