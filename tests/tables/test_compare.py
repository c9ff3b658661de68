import math

import pandas as pd
import pytest

from pipeline.tables import compare

STEP_1 = {
    "label": "1",
    "population_size": 10_000,
    "loss/difference": -4.92e-4,
    "loss/difference_low": -7.37e-4,
    "loss/difference_high": -2.47e-4,
    "loss/n_for_power": 5079.0,
    "loss/p": 8.5e-5,
    "accuracy/difference": 1e-4,
    "accuracy/n_for_power": 1_648_257.0,
    "accuracy/gained": 11.0,
    "accuracy/lost": 10.0,
    "accuracy/mcnemar_p": 1.0,
}
NO_FLIP = {"accuracy/n_for_power": math.inf, "accuracy/gained": 0.0, "accuracy/lost": 0.0, "accuracy/difference": 0.0}
CANCEL = {"accuracy/n_for_power": math.inf, "accuracy/gained": 1.0, "accuracy/lost": 1.0, "accuracy/difference": 0.0}


def said(**changes):
    return compare.conclusion({**STEP_1, **changes}, 0.8, 0.05)


def test_the_row_of_a_step():
    (row,) = compare.table([STEP_1], "about", label="step").rows
    assert row == ("1", "-4.9e-4 ± 2.4e-4", "5,079", "+0.01", "11/10", "1,648,257")


def test_the_widest_row_fits_80_columns():
    wide = {
        **STEP_1,
        "label": "-0.000123",
        "loss/n_for_power": 9_999_999.0,
        "accuracy/gained": 1234,
        "accuracy/lost": 5,
    }
    shown = compare.table([wide], "about", label="step")
    widths = [
        max(len(part) for cell in column for part in cell.split("\n"))
        for column in zip(*shown.rows, shown.headings, strict=True)
    ]
    assert sum(widths) + 3 * (len(widths) - 1) + 2 <= 80


def test_the_conclusion_names_the_sooner_metric_whichever_it_is():
    assert "the loss is sooner, by a factor of 325." in said()
    assert "the accuracy is sooner, by a factor of 1.97." in said(**{"loss/n_for_power": 3_247_066.0})
    assert "neither is sooner" in said(**{"loss/n_for_power": 1_648_257.0})


def test_the_conclusion_says_why_no_number_suffices():
    assert "the accuracy cannot show it with any (no row turns right or wrong): the loss is sooner." in said(**NO_FLIP)
    assert "(the 2 rows that turn cancel, 1 gained and 1 lost)" in said(**CANCEL)
    neither = said(**NO_FLIP, **{"loss/n_for_power": math.inf, "loss/difference": 0.0, "loss/p": 1.0})
    assert neither == "No number of examples shows a change: no row's loss changes, and no row turns right or wrong."


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {},
            "the change of the loss (p < 0.0001), but cannot tell that of the accuracy (p = 1) from none: that number",
        ),
        ({"loss/p": 0.3}, "cannot tell the change of the loss (p = 0.3) and of the accuracy (p = 1) from none: both"),
        ({"accuracy/mcnemar_p": 0.01}, "establish the change of the loss (p < 0.0001) and of the accuracy (p = 0.01)."),
        ({"loss/p": 0.3, "accuracy/mcnemar_p": 0.01}, "of the accuracy (p = 0.01), but cannot tell that of the loss"),
    ],
)
def test_a_number_that_rests_on_a_change_that_the_rows_cannot_tell_from_none_is_called_a_guess(changes, expected):
    assert expected in said(**changes)


def test_the_summary_of_a_sweep_counts_by_group():
    frame = pd.DataFrame(
        [
            {**STEP_1, "group": "a"},
            {**STEP_1, **NO_FLIP, "group": "a"},
            {**STEP_1, "loss/n_for_power": 9e9, "group": "b"},
        ]
    )
    first, second = compare.summary(frame, 0.8, 0.05).splitlines()
    assert first == (
        "a: of 2 changes, fewer examples are needed by the loss at 2 and the accuracy at 0. "
        "The rows at hand can tell a change from none at 2 by the loss and at 0 by the accuracy."
    )
    assert "by the loss at 0 and the accuracy at 1." in second


LOSS_ALONE = {name: value for name, value in STEP_1.items() if not name.startswith("accuracy")}
ACCURACY_ALONE = {name: value for name, value in STEP_1.items() if not name.startswith("loss")}


@pytest.mark.parametrize(("alone", "gone"), [(LOSS_ALONE, "accuracy"), (ACCURACY_ALONE, "loss")])
def test_a_metric_that_is_not_there_has_no_column_and_no_word(alone, gone):
    rows = [{**alone, "group": "", "population": "a.parquet", "confidence": 0.95} for _ in range(2)]
    shown = compare.table(rows, "about", label="against")
    assert len(shown.rows[0]) == len(shown.headings) == (3 if gone == "accuracy" else 4)
    texts = [*shown.headings, *shown.rows[0], compare.conclusion(alone, 0.8, 0.05)]
    texts += [compare.summary(pd.DataFrame(rows), 0.8, 0.05), compare.caption(rows, 0.8, 0.05, has_steps=False)]
    assert not any(gone in text or "nan" in text for text in texts)


def test_a_sweep_in_which_one_file_has_no_loss_leaves_its_cells_empty():
    nan_loss = {**ACCURACY_ALONE, "loss/n_for_power": math.nan, "loss/difference": math.nan}
    shown = compare.table([STEP_1, nan_loss], "about", label="against")
    assert shown.rows[1][1:3] == ("", "")
    assert shown.rows[1][3:] == shown.rows[0][3:]


def test_the_difference_of_two_files_is_said_with_its_direction():
    row = {**STEP_1, "label": "b.parquet", "population": "a.parquet", "confidence": 0.95}
    assert compare.caption([row], 0.8, 0.05, has_steps=False).startswith("Difference: b.parquet minus a.parquet, of")
    assert "the row's minus a.parquet" in compare.caption([row, row], 0.8, 0.05, has_steps=False)


def test_a_table_of_a_billion_rows_fits_80_columns_too():
    many = {
        **STEP_1,
        "label": "a_long_name_of_a_file.parquet",
        "accuracy/gained": 123_456_789.0,
        "accuracy/lost": 36_814.0,
        "loss/n_for_power": 9_999_999.0,
    }
    shown = compare.table([many], "about", label="against")
    widths = [
        max(len(part) for cell in column for part in cell.split("\n"))
        for column in zip(*shown.rows, shown.headings, strict=True)
    ]
    assert sum(widths) + 3 * (len(widths) - 1) + 2 <= 80
    assert shown.rows[0][4] == "123M/36.8k"
