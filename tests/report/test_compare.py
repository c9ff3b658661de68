import math

import pandas as pd
import pytest

from pipeline.report import compare, compare_power
from tests.report.compared import STEP_1


def test_the_row_of_a_step():
    (row,) = compare.tables([STEP_1], "about", label="step")[0].rows
    assert row == ("1", "-4.9e-4 ± 2.4e-4", "5,079", "+0.010 ± 0.092", "11/10", "1.65M")


def test_the_widest_row_fits_80_columns():
    wide = {
        **STEP_1,
        "label": "-0.000123",
        "loss/n_for_power": 9_999_999.0,
        "accuracy/gained": 1234,
        "accuracy/lost": 5,
    }
    shown = compare.tables([wide], "about", label="step")[0]
    widths = [
        max(len(part) for cell in column for part in cell.split("\n"))
        for column in zip(*shown.rows, shown.headings, strict=True)
    ]
    assert sum(widths) + 3 * (len(widths) - 1) + 2 <= 80


LOSS_ALONE = {name: value for name, value in STEP_1.items() if not name.startswith("accuracy")}
ACCURACY_ALONE = {name: value for name, value in STEP_1.items() if not name.startswith("loss")}


@pytest.mark.parametrize(("alone", "gone"), [(LOSS_ALONE, "accuracy"), (ACCURACY_ALONE, "loss")])
def test_a_metric_that_is_not_there_has_no_column_and_no_word(alone, gone):
    rows = [{**alone, "group": "", "population": "a.parquet", "confidence": 0.95} for _ in range(2)]
    shown = compare.tables(rows, "about", label="candidate")[0]
    assert len(shown.rows[0]) == len(shown.headings) == (3 if gone == "accuracy" else 4)
    texts = [*shown.headings, *shown.rows[0], compare_power.conclusion(alone, 0.8, 0.05)]
    texts += [compare_power.summary(pd.DataFrame(rows), 0.8, 0.05), compare.caption(rows, 0.8, 0.05, has_steps=False)]
    assert not any(gone in text or "nan" in text for text in texts)


def test_a_sweep_in_which_one_file_has_no_loss_leaves_its_cells_empty():
    nan_loss = {**ACCURACY_ALONE, "loss/n_for_power": math.nan, "loss/difference": math.nan}
    shown = compare.tables([STEP_1, nan_loss], "about", label="candidate")[0]
    assert shown.rows[1][1:3] == ("", "")
    assert shown.rows[1][3:] == shown.rows[0][3:]


def test_the_difference_of_two_files_is_said_with_its_direction():
    row = {**STEP_1, "label": "b.parquet", "population": "a.parquet", "confidence": 0.95}
    assert compare.caption([row], 0.8, 0.05, has_steps=False).startswith(
        "Difference: b.parquet minus a.parquet, ± half"
    )
    assert "the row's minus a.parquet" in compare.caption([row, row], 0.8, 0.05, has_steps=False)


def test_a_table_of_a_billion_rows_fits_80_columns_too():
    many = {
        **STEP_1,
        "label": "a_long_name_of_a_file.parquet",
        "accuracy/gained": 123_456_789.0,
        "accuracy/lost": 36_814.0,
        "loss/n_for_power": 9_999_999.0,
    }
    shown = compare.tables([many], "about", label="candidate")[0]
    widths = [
        max(len(part) for cell in column for part in cell.split("\n"))
        for column in zip(*shown.rows, shown.headings, strict=True)
    ]
    assert sum(widths) + 3 * (len(widths) - 1) + 2 <= 80
    assert shown.rows[0][4] == "123M/36.8k"


AGAINST = {**STEP_1, "label": "b.parquet", "population": "a.parquet", "confidence": 0.95}


def test_the_answer_says_what_is_better_worse_and_not_to_be_told_with_intervals():
    p = {"loss": 1e-4, "accuracy": 1.0}
    assert compare.answer([AGAINST], [p], 0.05) == (
        "b.parquet against a.parquet, 10,000 rows: the loss is better by 0.00049 nats [0.00025, 0.00074], the accuracy "
        "cannot be told apart (+0.010 points [-0.082, 0.102]) (95 % intervals, p values by Holm over 2 tests)."
    )
    worse = AGAINST | {
        "accuracy/difference": -0.02,
        "accuracy/difference_low": -0.03,
        "accuracy/difference_high": -0.01,
    }
    said = compare.answer([worse], [{"loss": 0.2, "accuracy": 0.01}], 0.05)
    assert "the loss cannot be told apart (-0.00049 nats [-0.00074, -0.00025])" in said
    assert "the accuracy is worse by 2.0 points [1.0, 3.0]" in said


def test_an_infinite_difference_is_said_not_to_be_comparable():
    row = {key: value for key, value in AGAINST.items() if not key.startswith("loss/difference")}
    said = compare.answer([row], [{"loss": math.nan, "accuracy": 0.5}], 0.05)
    assert "the loss cannot be compared" in said
    assert "over" not in said
    assert compare.answer([row], [{"loss": math.nan, "accuracy": math.nan}], 0.05) == ""


def test_of_many_models_the_first_are_told_a_line_each():
    rows = [AGAINST | {"label": f"m{i}"} for i in range(9)]
    lines = compare.answer(rows, [{"loss": 0.5, "accuracy": 0.5}] * 9, 0.05).splitlines()
    assert lines[0] == "Against a.parquet, 10,000 rows (95 % intervals, p values by Holm over 18 tests):"
    assert [line.split(":")[0] for line in lines[1:7]] == [f"  m{i}" for i in range(6)]
    assert lines[7:] == ["  3 more: see the table"]


POWERED = AGAINST | {"population_size": 300, "unlabelled": 500.0, "proxy": "scores", "powered": "loss"}


def test_rows_without_a_label_are_counted_in_the_answer_and_in_what_is_established():
    said = compare.answer([POWERED], [{"loss": 1e-4, "accuracy": 1.0}], 0.05)
    assert said.startswith("b.parquet against a.parquet, 300 rows with a label and 500 without: the loss is better by ")
    assert "These 300 rows with a label and 500 without establish" in compare_power.conclusion(POWERED, 0.8, 0.05)


def test_the_caption_names_the_estimate_and_its_proxy_and_the_rows_that_gained_and_lost_are_of():
    said = compare.caption([POWERED], 0.8, 0.05, has_steps=False)
    assert (
        "Gained/lost: rows with a label that turn right/wrong. The loss is prediction-powered (PPI++): rows without a"
        in said
    )
    assert "count by proxy=scores" in said
    both = compare.caption([POWERED | {"powered": "loss,accuracy"}], 0.8, 0.05, has_steps=False)
    assert "The loss and the accuracy are prediction-powered" in both
    plain = compare.caption([AGAINST], 0.8, 0.05, has_steps=False)
    assert "label" not in plain
    assert "PPI" not in plain


def test_a_proxy_that_explains_nothing_is_said_to_add_nothing():
    useless = {key: value for key, value in POWERED.items() if key not in ("proxy", "powered")}
    assert "Rows without a label add nothing" in compare.caption([useless], 0.8, 0.05, has_steps=False)
