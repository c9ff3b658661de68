"""The table of metrics of all rows together."""

import math

from pipeline.report.whole_batch import Shown, notes, tables


def test_each_metric_has_its_unit_and_the_calibration_error_both_forms():
    shown = [
        Shown("auc", "AUC", 0.912345, 0.89, 0.93),
        Shown("ece", "calibration error (ECE)", 0.034, 0.01, 0.05, debiased=0.03),
        Shown("balanced_accuracy", "balanced accuracy", 1.0, math.nan, math.nan),
    ]
    (table,) = tables(shown, "x")
    assert table.rows == [
        ("AUC", "0.912 [0.890, 0.930]"),
        ("calibration error (ECE), debiased", "3.0 points [1.0, 5.0]"),
        ("calibration error (ECE), not debiased", "3.4 points"),
        ("balanced accuracy", "100 %"),
    ]


def test_without_metrics_there_is_no_table_and_the_reasons_are_told():
    assert tables([], "x") == []
    assert notes([], {"auc": "1 of 3 classes has no row"}, 0.95) == ["no AUC: 1 of 3 classes has no row"]
