from dataclasses import replace

import pytest

from pipeline.report import until
from pipeline.report.until import About, Found, Look

GOALS = {"loss": 0.05, "accuracy": 0.02}
ABOUT = About(population="x", n_rows=10_000, confidence=0.95)
WIDE = {"loss": Found(0.2, 0.1, 0.4), "accuracy": Found(0.93, 0.9, 0.95)}
NARROW = {"loss": Found(0.22, 0.19, 0.26), "accuracy": Found(0.931, 0.92, 0.95)}


def look(rows, found=WIDE, drawn=None):
    return Look(drawn=drawn or rows, rows=rows, capped=0, found=found)


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 100, 1000])
def test_the_first_and_the_last_look_are_always_shown_and_of_many_only_some(n):
    shown = until.tables([look(i) for i in range(1, n + 1)], GOALS, ABOUT)[0].rows
    assert len(shown) == n if n <= 16 else 8 <= len(shown) <= 16
    assert shown[0][0] == "1"
    assert shown[-1][0] == f"{n:,}"
    assert shown[-1][1:] == ("0.2000 [0.100, 0.400]", "0.1500", "93.00 [90.0, 95.0]", "2.50")


def test_what_was_asked_stands_below():
    table = until.tables([look(7)], GOALS | {"loss": None}, ABOUT)[0]
    assert table.footer == [("goal", "", "any", "", "2")]


def test_the_table_fits_80_columns():
    far = {"loss": Found(10.0, 0.0, 10.0), "accuracy": Found(1.0, 0.0, 1.0)}
    found = until.tables([look(1_000_000, far)], GOALS, ABOUT)[0]
    widths = [max(len(value), len(head)) for value, head in zip(found.rows[0], found.headings, strict=True)]
    assert sum(widths) + 2 * len(widths) <= 80


@pytest.mark.parametrize(
    ("last", "goals", "about", "said"),
    [
        (
            look(1234, NARROW),
            GOALS,
            ABOUT,
            "Stopped after 1,234 of 10,000 rows (12.3 %): loss 0.220 nats [0.190, 0.260], accuracy 93.1 % [92.0, 95.0] "
            "(95 % intervals that hold at every look); 8,766 rows were not evaluated.",
        ),
        (
            look(500),
            GOALS | {"loss": None},
            About("x", 10_000, 0.9, end="study.max_rows=500"),
            "Not enough: ended after 500 of 10,000 rows (5.0 %), by study.max_rows=500, without the accuracy within "
            "±2 points: loss 0.20 nats [0.10, 0.40], accuracy 93.0 % [90.0, 95.0] "
            "(90 % intervals that hold at every look); 9,500 rows were not evaluated.",
        ),
        (
            look(9_999, NARROW, drawn=2_000),
            GOALS,
            About("x", 10_000, 0.95, unit="group"),
            "Stopped after 2,000 groups, 9,999 of 10,000 rows (100.0 %): loss 0.220 nats [0.190, 0.260], accuracy "
            "93.1 % [92.0, 95.0] (95 % intervals that hold at every look); 1 row was not evaluated.",
        ),
        (
            look(10_000, {"loss": Found(0.22, 0.22, 0.22), "accuracy": Found(0.93, 0.93, 0.93)}),
            GOALS,
            ABOUT,
            "Stopped after 10,000 of 10,000 rows (100 %): loss 0.22 nats, accuracy 93 % (all rows: exact); "
            "no row was left out.",
        ),
    ],
)
def test_the_sentence_says_where_it_stopped_and_what_was_saved(last, goals, about, said):
    assert until.summary(last, goals, about) == said


CUT = About(population="x", n_rows=10_000, confidence=0.95, loss_cap=10.0)
EXACT = {"loss": Found(0.22, 0.22, 0.22), "accuracy": Found(0.93, 0.93, 0.93)}


def capped_look(rows, capped, found=NARROW):
    return Look(drawn=rows, rows=rows, capped=capped, found=found)


def test_the_sentence_names_the_cap_and_the_share_of_rows_above_it():
    said = until.summary(capped_look(1200, 42), GOALS, CUT)
    assert ": loss (cut to 10 nats) 0.220 nats [0.190, 0.260], accuracy 93.1 % [" in said
    assert said.endswith(
        "8,800 rows were not evaluated. The loss's interval holds the mean of losses cut to 10 nats, not that of the "
        "losses as they are, which is higher: 3.5 % of the rows evaluated (42) were above that."
    )


def test_where_no_row_evaluated_was_above_the_cap_the_others_may_be():
    said = until.summary(capped_look(1200, 0), GOALS, CUT)
    assert ": loss (cut to 10 nats) 0.220" in said
    assert said.endswith("holds the mean of losses cut to 10 nats; no row evaluated was above that.")


@pytest.mark.parametrize(
    ("capped", "changes", "is_cut"), [(0, {}, False), (1, {}, True), (0, {"is_world": True}, True)]
)
def test_of_all_rows_the_cap_is_named_where_it_cut_one_or_the_world_is_meant(capped, changes, is_cut):
    said = until.summary(capped_look(10_000, capped, EXACT), GOALS, replace(CUT, **changes))
    assert ("loss (cut to 10 nats) 0.22 nats" in said) == is_cut
    assert ("mean of losses cut" in said) == is_cut


def test_without_a_loss_no_cap_is_named():
    said = until.summary(capped_look(1200, 0, {"accuracy": NARROW["accuracy"]}), {"accuracy": 0.02}, CUT)
    assert "cut" not in said


def test_the_line_shrinks_with_the_interval():
    lines = until.live(look(100), look(50), GOALS, ABOUT).splitlines()
    assert lines[0] == "x: 100 of 10,000 rows"
    assert lines[1].endswith("0.2000 [0.100, 0.400] ± 0.1500  goal ± 0.05")
    wide, narrow = (until.live(look(100, found), look(50), GOALS, ABOUT) for found in (WIDE, NARROW))
    assert narrow.count("─") < wide.count("─")
    assert until.interval_line(Found(0.3, 0.3, 0.3), 0.3, 0.3, width=5) == "  ┼  "


def test_an_exact_value_has_no_interval_and_no_digits_that_say_nothing():
    exact = {"loss": Found(0.67063, 0.67063, 0.67063), "accuracy": Found(0.7065, 0.7065, 0.7065)}
    (row,) = until.tables([look(10_000, exact)], GOALS, ABOUT)[0].rows
    assert row[1:] == ("0.6706", "0", "70.65", "0")
    assert "loss 0.6706 nats, accuracy 70.65 % (all rows: exact)" in until.summary(look(10_000, exact), GOALS, ABOUT)
