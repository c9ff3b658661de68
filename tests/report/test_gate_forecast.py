"""What a gate could see, in words and as a table, from figures made by hand."""

from pipeline.metric.accuracy import Accuracy
from pipeline.metric.loss import Loss
from pipeline.records.verdict import Prospect
from pipeline.report.by_metric import fits
from pipeline.report.gate_forecast import forecast_sentence, forecast_table

FOUND = [
    Prospect("loss", 1000, 0.02, (0.08, 0.025), (16_000.0, 1_600.0)),
    Prospect("accuracy", 1000, 0.0, (0.031, 0.0098), (float("inf"), float("inf"))),
]
METRICS = {"loss": Loss(), "accuracy": Accuracy()}


def test_the_sentence_gives_both_ends_of_what_is_seen():
    assert forecast_sentence(FOUND, METRICS, confidence=0.95, power=0.8) == (
        "On 1,000 rows a gate sees a difference of 0.025 nats to 0.080 nats in the loss and a difference of 0.98 "
        "points to 3.1 points in the accuracy, with 80 % power at 95 %: the less the two models have in common, the "
        "larger it must be."
    )


def test_the_table_has_a_row_for_each_metric_and_correlation_and_fits_a_terminal():
    table = forecast_table(FOUND, METRICS, about="digits test", power=0.8)
    assert table.rows[0] == ("loss, nats", "0", "0.080", "0.02", "16,000")
    assert table.rows[3] == ("accuracy, %", "0.9", "0.98", "0", "∞")
    assert fits(table)


def test_no_difference_is_seen_that_cannot_be():
    few = [Prospect("accuracy", 2, 0.01, (1.5, 0.8), (90_000.0, 9_000.0))]
    assert [row[2] for row in forecast_table(few, METRICS, about="two", power=0.8).rows] == ["none", "80"]
    said = forecast_sentence(few, METRICS, confidence=0.95, power=0.8)
    assert "sees a difference of 80 points to more than 100 points in the accuracy" in said


def test_where_nothing_is_known_of_the_spread_no_difference_is_seen_and_no_infinite_one_written():
    one = [Prospect("loss", 1, 0.02, (float("inf"), float("inf")), (float("inf"), float("inf")))]
    assert [row[2] for row in forecast_table(one, METRICS, about="one", power=0.8).rows] == ["none", "none"]
    said = forecast_sentence(one, METRICS, confidence=0.95, power=0.8)
    assert said.startswith("On 1 row a gate sees no difference in the loss, with 80 % power")
