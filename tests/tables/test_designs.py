import math

import pandas as pd

from pipeline.tables import designs

NAN = math.nan


def rows(design, words, loss, accuracy, **changes):
    return [
        {
            "design": design,
            "words": words,
            "metric": metric,
            "is_configured": False,
            "variance_ratio": ratio,
            "drawn_ratio": ratio + 0.01,
            "drawn_ratio_error": 0.02,
            "bias": 0.5,
            "coverage": 0.951,
            "rows_needed": 1 / ratio,
            "why_no_interval": "",
            "overrides": f"sampling={design}",
            **changes,
        }
        for metric, ratio in (("loss", loss), ("accuracy", accuracy))
    ]


SIMPLE = rows("without_replacement", "without replacement", 1.0, 1.0, is_configured=True)
CHANCES = rows("importance_entropy", "chances by entropy", 1.73, 2.64)
IDEAL = rows("stratified_neyman_ideal", "ideal Neyman, loss", 2.2, 3.04)


def test_the_row_of_a_design():
    shown = designs.table([*SIMPLE, *CHANCES], "about")
    assert shown.rows[0][0] == "without replacement *"
    assert shown.rows[1] == ("chances by entropy", "1.73", "1.74±.02", "95.1", "2.64", "2.65±.02", "95.1")


def test_the_widest_table_fits_80_columns():
    wide = rows("x", "correction by confidence", 12.34, 12.34, is_configured=True, drawn_ratio_error=0.99, coverage=1.0)
    shown = designs.table(wide, "about")
    columns = zip(*shown.rows, shown.headings, strict=True)
    widths = [max(len(part) for cell in column for part in cell.split("\n")) for column in columns]
    assert sum(widths) + 3 * (len(widths) - 1) + 2 <= 80


def test_the_summary_names_the_best_that_can_be_had():
    said = designs.summary([*SIMPLE, *CHANCES, *IDEAL])
    assert said.startswith(
        "For the loss, chances by entropy does most: 58 rows tell what 100 of a simple random sample"
    )
    assert "38 rows" in said
    assert "ideal" not in said
    assert "no design does better" in designs.summary(SIMPLE)


def test_a_bias_is_named_and_so_is_the_lack_of_one():
    biased = rows("difference", "correction by confidence", 1.3, 1.4, bias=-5.3)
    assert any("biased: correction by confidence (loss, -5.3" in note for note in designs.notes(biased, 0.95, 4000))
    assert "biased: none, as far as so many draws tell" in designs.notes(SIMPLE, 0.95, 4000)


def test_what_is_not_known_is_a_dash_and_why_is_in_the_notes():
    made = rows("x", "x", 1.5, 1.5, coverage=NAN, drawn_ratio=NAN, why_no_interval="because")
    assert designs.table(made, "about").rows[0] == ("x", "1.50", "—", "—", "1.50", "—", "—")
    assert "no interval (x, loss; x, accuracy): because" in designs.notes(made, 0.95, 100)


def test_a_sweep_has_a_column_a_batch_size():
    frame = pd.DataFrame([*SIMPLE, *CHANCES]).assign(group="")
    ratios = pd.concat(
        [frame.assign(batch_size=30), frame[frame["design"] != "importance_entropy"].assign(batch_size=9)]
    )
    (shown,) = designs.sweep(ratios)
    assert shown.headings == ("design", "b = 9", "b = 30")
    assert shown.rows[1] == ("chances by entropy", "— / —", "1.73 / 2.64")
    assert "For the accuracy, chances by entropy does most, at b = 30" in designs.sweep_summary(ratios)
