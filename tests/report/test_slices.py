"""Slices in words: sorted by effect, few of many, and sentences that name what stands out."""

import numpy as np
import pandas as pd

from pipeline.report import slices


def frame(values, p, **columns):
    names = [f"s{i}" for i in range(len(values))]
    found = pd.DataFrame({"slice": names, "rows": 40.0, "accuracy": values, "accuracy_p": p, "accuracy_p_holm": p})
    return found.assign(accuracy_low=found["accuracy"] - 0.1, accuracy_high=found["accuracy"] + 0.1, **columns)


def test_the_worst_slice_comes_first_and_of_many_the_rest_is_counted():
    made = frame(np.linspace(0.5, 0.1, 30), np.ones(30))
    (table,) = slices.tables(made, "country", about="x", significance=0.05)
    assert table.title == "x: the 20 worst of 30"
    assert [row[0] for row in table.rows] == [f"s{i}" for i in range(29, 9, -1)]


def test_the_first_moved_is_the_smallest_p_value_and_the_others_are_named():
    said = slices.first_moved(frame([0.1, -0.3, 0.2], [0.03, 0.001, 0.4]), "country", 0.05)
    assert said.startswith("By country, s1 moved first: worse by accuracy -30 points [-40, -20], p = 0.001")
    assert said.endswith("(Holm over 3 tests); then s0.")


def test_slices_without_any_test_have_not_moved():
    assert "no slice has moved" in slices.first_moved(frame([0.1, 0.2], [np.nan, np.nan]), "country", 0.05)


def test_verdicts_are_counted_and_the_worse_and_better_named():
    made = frame([0.1, -0.3, 0.2, 0.0], np.ones(4), accuracy_verdict=[0.0, 3.0, 2.0, 1.0])
    said = slices.verdicts(made, "country")
    assert said.startswith("By country, of 4 slices: 1 worse (s1), 1 undecided, 1 not worse and 1 better (s0)")


def test_what_stands_apart_is_listed_by_metric():
    said = slices.standing_apart(frame([0.5, 0.9], [0.01, 0.2]), "country", 0.05)
    assert "accuracy: s0 (50 %)" in said
