import math

import pandas as pd
import pytest

from pipeline.report import plan

INF, NAN = math.inf, math.nan


def question(pilot=None, unit="row"):
    within = {"loss": 0.02, "accuracy": 0.01}
    return plan.Question("mnist test", unit, 10_000, within, 0.95, pilot)


def row(words, loss, accuracy, *, own=False, **changes):
    n = NAN if math.isnan(loss) or math.isnan(accuracy) else max(loss, accuracy)
    made = {"words": words, "loss_n": loss, "accuracy_n": accuracy, "n": n, "is_configured": own, "seconds": 0.01}
    return {**made, "overrides": "sampling=other", **changes}


SIMPLE = row("without replacement", 3034.0, 1888.0, own=True)
STRATA = row("strata by confidence", 2489.0, 1480.0)


def test_the_advice_can_be_acted_on_and_names_what_needs_fewer():
    assert plan.summary([SIMPLE, STRATA], question()) == (
        "Evaluate 3,034 rows drawn without replacement (30.3 % of the 10,000): then the loss is within ±0.02 nats and "
        "the accuracy within ±1 point in 95 of 100 batches. Fewer are enough with strata by confidence: 2,489 "
        "(sampling=other)."
    )


def test_more_rows_than_there_are_is_advice_to_evaluate_all():
    said = plan.summary(
        [row("with replacement", 17_419.0, 2328.0, own=True), {**SIMPLE, "is_configured": False}], question()
    )
    assert said.startswith("17,419 rows drawn with replacement would be needed, more than the 10,000 there are")
    assert said.endswith("Fewest are enough drawn without replacement: 3,034 (sampling=other).")


def test_what_is_never_within_and_what_is_not_known_are_said():
    said = plan.summary([row("with replacement", INF, 100.0, own=True)], question())
    assert said == "No number of rows drawn with replacement brings the loss within the tolerance."
    said = plan.summary([row("with replacement", NAN, 100.0, own=True)], question(pilot=50))
    assert said == "Nothing can be planned for the loss drawn with replacement from this pilot."


def test_the_fewest_rows_come_first_and_the_unknown_last():
    shown = plan.tables([SIMPLE, row("odd", NAN, 5.0), STRATA], question(), seconds=0.02)[0]
    assert [cells[0] for cells in shown.rows] == ["strata by confidence", "without replacement *", "odd"]
    assert shown.rows[1][1:5] == ("3,034", "1,888", "3,034", "30.3")
    assert shown.rows[2][3] == "?"
    assert shown.footer == [("all rows", "", "", "10,000", "100", "20 ms")]


def test_the_widest_table_fits_80_columns():
    rows = [row("correction by confidence", 999_999.0, 17_419_123.0, own=True, seconds=0.123)]
    shown = plan.tables(rows, question(pilot=300), seconds=0.999)[0]
    columns = zip(*shown.rows, shown.headings, strict=True)
    widths = [max(len(part) for cell in column for part in cell.split("\n")) for column in columns]
    assert sum(widths) + 3 * (len(widths) - 1) + 2 <= 80


def test_a_pilots_notes_say_what_was_allowed_for_and_warn_of_few_rows():
    said = " ".join(plan.notes(question(pilot=100), 0.8))
    assert "enough for 80 of 100 pilots" in said
    assert "a pilot of 100 rows is small" in said
    assert "is small" not in " ".join(plan.notes(question(pilot=300), 0.8))
    assert "pilots" not in " ".join(plan.notes(question(), 0.8))


def test_the_check_states_its_binomial_uncertainty():
    said = plan.checked("loss", 3034, 1905, 2000, question())
    assert said == (
        "checked by drawing: 1,905 of 2,000 batches of 3,034 rows had the loss within ±0.02 nats: 95.2 ± 0.9 %, "
        "planned 95 %"
    )


def test_a_sweep_has_a_row_a_cell():
    cells = pd.DataFrame(
        {
            "study.loss_within": [0.02, 0.05],
            "group": "",
            "population": "mnist test",
            "population_size": 10_000,
            "loss/n": [3034.0, 651.0],
            "loss/within": [0.95, 0.949],
            "accuracy/n": [1888.0, INF],
            "rows/n": [3034.0, INF],
            "seconds/n": [0.004, INF],
        }
    )
    (shown,) = plan.sweep(cells)
    assert shown.rows[0] == ("0.02", "3,034", "95.0", "1,888", "", "3,034", "4 ms")
    assert shown.rows[1] == ("0.05", "651", "94.9", "∞", "", "∞", "?")
    assert plan.sweep_summary(cells) == "Enough for both metrics: 3,034 rows."
    assert plan.sweep_summary(cells.assign(**{"rows/n": INF})) == "No plan has a number of rows."


@pytest.mark.parametrize(("metric", "tolerance"), [("loss", "±0.02 nats"), ("accuracy", "±1 point")])
def test_one_metric_alone_has_its_column_and_its_sentence_and_no_both(metric, tolerance):
    asked = plan.Question(
        "scores", "row", 10_000, {metric: {"loss": 0.02, "accuracy": 0.01}[metric]}, 0.95, None, "score"
    )
    made = {"words": "without replacement", f"{metric}_n": 3034.0, "n": 3034.0, "is_configured": True}
    shown = plan.tables([{**made, "overrides": ""}], asked, seconds=NAN)[0]
    assert shown.headings == ("design", f"{metric}\n{tolerance}", "% of\nall")
    assert shown.rows == [("without replacement *", "3,034", "30.3")]
    assert shown.footer == [("all rows", "10,000", "100")]
    assert plan.summary([made], asked) == (
        f"Score 3,034 rows drawn without replacement (30.3 % of the 10,000): then the {metric} is within {tolerance} "
        "in 95 of 100 batches."
    )


def test_a_sweep_of_the_accuracy_alone_is_one_table_by_cell():
    cells = pd.DataFrame(
        {
            "study.loss_within": 0.02,
            "group": ["study.accuracy_within=0.01", "study.accuracy_within=0.02"],
            "population": "scores",
            "population_size": 10_000,
            "accuracy/n": [3924.0, 1390.0],
            "rows/n": [3924.0, 1390.0],
        }
    )
    (shown,) = plan.sweep(cells)
    assert shown.headings == ("cell", "accuracy,\nn", "within\n%")
    assert shown.rows == [("accuracy_within=0.01", "3,924", ""), ("accuracy_within=0.02", "1,390", "")]
    assert plan.sweep_summary(cells) == "Enough for the accuracy: 1,390 to 3,924 rows."


def test_the_advice_for_three_metrics_is_a_list_that_ends_with_and():
    within = {"loss": 0.02, "accuracy": 0.01, "brier": 0.02}
    asked = plan.Question("mnist test", "row", 10_000, within, 0.95, None)
    assert (
        "then the loss is within ±0.02 nats, the accuracy within ±1 point and the Brier score within ±0.02 in 95 of 100"
    ) in plan.summary([{**SIMPLE, "brier_n": 500.0}], asked)
    unknown = {"loss_n": NAN, "accuracy_n": NAN, "brier_n": NAN, "n": NAN}
    assert "for the loss, the accuracy and the Brier score drawn" in plan.summary([{**SIMPLE, **unknown}], asked)


def test_a_design_that_needs_every_class_beforehand_is_in_the_table_and_not_recommended():
    by_class = row("strata by class", 1000.0, 900.0, design="stratified_label")
    assert "strata by confidence: 2,489" in plan.summary([SIMPLE, by_class, STRATA], question())
    assert "Fewer" not in plan.summary([SIMPLE, by_class], question())
    assert plan.class_notes([SIMPLE, by_class, STRATA]) == [
        "strata by class needs the class of each row beforehand, so it is not recommended"
    ]
    assert plan.tables([SIMPLE, by_class], question(), seconds=0.02)[0].rows[0][0] == "strata by class"
    assert plan.class_notes([{**by_class, "is_configured": True}]) == []


@pytest.mark.parametrize("design", ["systematic_stored", "systematic_confidence"])
def test_systematic_samples_are_not_advised_for_what_the_order_of_these_rows_gives_them(design):
    lucky = row("systematic", 400.0, 400.0, design=design)
    assert "Fewer" not in plan.summary([SIMPLE, lucky], question())
    assert any("systematic" in note and "not recommended" in note for note in plan.notes(question(), 0.8))
