import math

import pandas as pd

from pipeline.report import designs

NAN = math.nan


def rows(design, words, loss, accuracy, **changes):
    return [
        {
            "design": design,
            "words": words,
            "metric": metric,
            "is_configured": False,
            "is_ranked": True,
            "has_proxy": False,
            "different_batches": math.inf,
            "orders_as_good": NAN,
            "variance_ratio": ratio,
            "ratio_low": ratio * 0.95,
            "ratio_high": ratio * 1.05,
            "drawn_ratio": ratio + 0.01,
            "drawn_ratio_error": 0.02,
            "bias": 0.5,
            "bias_p": 1.0,
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
    shown = designs.tables([*SIMPLE, *CHANCES], "about")[0]
    assert shown.rows[0][0] == "without replacement *"
    assert shown.rows[1] == ("chances by entropy", "1.73", "1.74±.02", "95.1", "2.64", "2.65±.02", "95.1")


def test_the_widest_table_fits_80_columns():
    wide = rows("x", "correction by confidence", 12.34, 12.34, is_configured=True, drawn_ratio_error=0.99, coverage=1.0)
    shown = designs.tables(wide, "about")[0]
    columns = zip(*shown.rows, shown.headings, strict=True)
    widths = [max(len(part) for cell in column for part in cell.split("\n")) for column in columns]
    assert sum(widths) + 3 * (len(widths) - 1) + 2 <= 80


def test_the_summary_names_the_best_that_can_be_had():
    said = designs.summary([*SIMPLE, *CHANCES, *IDEAL])
    assert said.startswith(
        "For the loss, chances by entropy does most: 58 rows (55 to 61) tell what 100 of a simple random"
    )
    assert "38 rows (36 to 40)" in said
    assert "ideal" not in said
    assert "no design does better" in designs.summary(SIMPLE)


def test_a_bias_is_named_and_so_is_the_lack_of_one():
    biased = rows("difference", "correction by confidence", 1.3, 1.4, bias=-5.3, bias_p=1e-6)
    together = "biased (2 tests together, Holm at 1 %): "
    assert any(f"{together}correction by confidence (loss, -5.3" in note for note in designs.notes(biased, 0.95, 4000))
    assert f"{together}none, as far as so many draws tell" in designs.notes(SIMPLE, 0.95, 4000)


def test_what_is_not_known_is_a_dash_and_why_is_in_the_notes():
    made = rows("x", "x", 1.5, 1.5, coverage=NAN, drawn_ratio=NAN, why_no_interval="because")
    assert designs.tables(made, "about")[0].rows[0] == ("x", "1.50", "—", "—", "1.50", "—", "—")
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


LUCKY = rows(
    "systematic_stored", "systematic as stored", 3.0, 3.0, is_ranked=False, different_batches=10.0, orders_as_good=0.14
)
MISLED = rows("importance_entropy", "chances by entropy", 0.84, 0.9, has_proxy=True)


def test_luck_of_few_batches_is_not_recommended_but_marked_with_its_reason():
    said = designs.summary([*SIMPLE, *CHANCES, *LUCKY])
    assert "systematic" not in said
    assert "systematic" not in designs.sweep_summary(pd.DataFrame([*CHANCES, *LUCKY]).assign(batch_size=30))
    assert designs.tables(LUCKY, "about")[0].rows[0][0] == "systematic as stored †"
    why = (
        "systematic as stored (10 different batches; of random orders as good: 14.0 % for the loss, 14.0 % for the "
        "accuracy)"
    )
    assert f"†, not ranked, for its ratio may be luck: {why}" in designs.notes([*SIMPLE, *LUCKY], 0.95, 4000)


def test_a_gain_within_chance_is_no_gain():
    small = rows("stratified_label", "strata by class", 1.02, 1.02, ratio_low=0.98, ratio_high=1.06)
    assert designs.summary([*SIMPLE, *small]).startswith(
        "For the loss no design does better than a simple random sample"
    )


def test_a_proxy_that_is_worse_than_none_is_warned_of_first_hand_and_in_a_sweep():
    said = designs.summary([*SIMPLE, *MISLED])
    assert "Here the proxy is worse than none: chances by entropy for the loss (ratio 0.84, 0.80 to 0.88)" in said
    assert "worse than none" in designs.sweep_summary(pd.DataFrame([*SIMPLE, *MISLED]).assign(batch_size=30))
    within_chance = rows("importance_entropy", "chances by entropy", 0.98, 0.98, has_proxy=True, ratio_high=1.01)
    assert "worse" not in designs.summary([*SIMPLE, *within_chance])
    loses = rows("stratified_label", "strata by class", 0.5, 0.5)
    assert "Worse than a simple random sample: strata by class for the loss" in designs.summary([*SIMPLE, *loses])
