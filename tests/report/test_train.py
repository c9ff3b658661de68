import math

import pandas as pd
import pytest

from pipeline.report import train as tables


def cell(batch_size, steps=100.0, *, accuracy_steps=None, seconds_a_step=1e-3, group="", budget=40_000.0):
    taken = {"loss": steps, "accuracy": steps if accuracy_steps is None else accuracy_steps}
    row = {"batch_size": batch_size, "group": group, "population": "digits train", "train/learning_rate": 0.3,
           "loss/target": 0.25, "accuracy/target": 0.934, "loss/test": 0.31, "accuracy/test": 0.9,
           "budget/size": budget, "budget/steps": budget // batch_size, "budget/examples": budget,
           "budget/seconds": 2.0}  # fmt: skip
    for metric, count in taken.items():
        row |= {f"{metric}/steps_to_target": count, f"{metric}/examples_to_target": count * batch_size,
                f"{metric}/seconds_to_target": count * seconds_a_step}  # fmt: skip
    return row


def test_a_row_is_a_batch_size_and_the_title_names_the_targets_once():
    shown = tables.table([cell(8, 177), cell(512, 36, accuracy_steps=math.inf)], "digits train")
    assert shown.rows[0] == ("8", "0.3", "177", "1,416", "180 ms", "177", "1,416", "180 ms")
    assert shown.rows[1] == ("512", "0.3", "36", "18,432", "36 ms", "—", "—", "—")
    assert shown.title.splitlines() == [
        "digits train",
        "targets: a loss of 0.25 nats and an accuracy of 93.4 % on the test split",
    ]


def test_the_table_of_large_numbers_fits_80_columns():
    shown = tables.table([cell(16, 75_000), cell(1_024, 1_234)], "")
    columns = zip(*([heading.splitlines()[-1] for heading in shown.headings], *shown.rows), strict=True)
    # Rich puts a space on either side of a column and one between columns.
    assert sum(max(map(len, column)) + 3 for column in columns) <= 80


@pytest.mark.parametrize(
    ("steps", "expected"),
    [([800, 200, 50, 12], 512), ([800, 200, 190, 188], 32), ([100, 100, 100, 100], 8), ([100, 300, 90, 95], 8)],
)
def test_rows_save_steps_up_to_the_size_that_no_larger_one_beats_markedly(steps, expected):
    assert tables.last_saving([8, 32, 128, 512], steps) == expected


def concluded(*cells):
    return tables.conclusion(pd.DataFrame(cells), "40,000 examples")


def test_the_conclusion_says_how_far_rows_saved_steps_and_which_sizes_were_cheapest():
    said = concluded(cell(8, 800, seconds_a_step=1e-4), cell(32, 200, seconds_a_step=2e-4), cell(128, 190))
    expected = (
        "To a loss of 0.25 nats more rows a step saved steps up to b = 32 and none beyond "
        "(800 to 200: 4 times the rows, 4 times fewer steps); b = 8 took the fewest examples, b = 32 the least time. "
    )
    assert said.startswith(expected)


def test_the_conclusion_says_it_when_rows_save_nothing_and_when_a_size_fails():
    said = concluded(cell(8, 100), cell(32, 100), cell(128, math.inf), cell(512, math.inf))
    assert "more than b = 8 saved no steps (100); b = 8 took the fewest examples and the least time, " in said
    assert "and b = 128 and 512 did not get there within 40,000 examples" in said


def test_the_conclusion_of_nothing_reached_or_one_size_or_groups_is_said_in_words():
    assert concluded(cell(8, math.inf), cell(32, math.inf)).startswith(
        "To a loss of 0.25 nats no batch size got within 40,000 examples. To an accuracy of 93.4 % no"
    )
    assert concluded(cell(8, 50)).startswith("To a loss of 0.25 nats b = 8 took 50 steps.")
    first, second = concluded(cell(8, group="seed=0"), cell(8, group="seed=1")).splitlines()
    assert first.startswith("seed=0: To")
    assert second.startswith("seed=1: To")


def test_a_cell_says_when_it_reached_its_targets_or_where_it_ended():
    said = tables.cell_summary(cell(8, 177, accuracy_steps=math.inf), 8, "examples")
    assert said == (
        "With 8 rows a step and rate 0.3 the test split reached a loss of 0.25 nats after 177 steps (1,416 examples, "
        "180 ms); an accuracy of 93.4 % not at all within 40,000 examples (it ended at 90 %)."
    )
    assert "With 1 row a step" in tables.cell_summary(cell(1), 1, "steps")


def test_the_budget_is_said_with_its_size_or_its_span():
    assert tables.budget_words(pd.DataFrame([cell(8), cell(32)]), "examples") == "40,000 examples"
    assert tables.budget_words(pd.DataFrame([cell(8), cell(8, budget=5e4)]), "steps") == "40,000 to 50,000 steps"
