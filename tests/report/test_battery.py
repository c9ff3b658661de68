import pandas as pd

from pipeline.report import battery as tables


def row(interval, population, rows, coverage, width, missed=0.9):
    return {
        "population": population,
        "size": 1_000,
        "rows": rows,
        "interval": interval,
        "confidence": 0.95,
        "coverage": coverage,
        "coverage_high": coverage + 0.01,
        "width_ratio": width,
        "unreliable_of_missed": missed,
    }


FRAME = pd.DataFrame(
    [
        row("hall_score", "tokens", 30, 0.96, 1.2),
        row("hall_score", "tokens", 100, 0.95, 1.1),
        row("hall", "tokens", 30, 0.90, 1.5, 0.5),
        row("hall", "tokens", 100, 0.80, 1.0, 0.8),
    ]
)


def test_the_figures_are_the_least_held_the_widest_and_how_many_are_beyond_the_limits():
    found = tables.figures(FRAME)
    assert found["loss/hall/held_least"] == 0.80
    assert found["loss/hall/too_low"] == 2
    assert found["loss/hall/width_most"] == 1.5
    assert found["loss/hall/too_wide"] == 1
    assert found["loss/hall_score/too_low"] == 0


def test_the_configured_interval_is_marked_and_what_is_too_low_beyond_chance_has_an_arrow():
    shown = tables.by_interval(FRAME, "hall_score", "10 batches each")
    assert [cells[0] for cells in shown.rows] == ["▸ hall_score", "hall"]
    (table,) = tables.by_population(FRAME, "hall")
    assert table.title.endswith("N = 1,000")
    assert table.rows == [("tokens", "↓90.0 1.50", "↓80.0 1.00")]


def test_the_sentence_says_how_many_cases_hold_and_what_the_warning_is_worth():
    said = tables.summary(FRAME, "hall_score")
    assert said.startswith("hall_score holds its 95 % in 2 of 2 cases; least 95.0 % (tokens, N = 1,000, 100 rows).")
    # Of 10 + 20 misses in a hundred, 5 + 16 are called unreliable.
    assert said.endswith("Where hall holds too little, 70.0 % of its misses are called unreliable.")
