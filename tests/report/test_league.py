"""The league table in words: places, ties, and who may be the best."""

import pandas as pd

from pipeline.report import league

FRAME = pd.DataFrame(
    {
        "model": ["a", "b", "c", "d"],
        "accuracy": [0.8, 0.9, 0.9, 0.5],
        "accuracy_place": [3, 1, 1, 4],
        "accuracy_rank_low": [1, 1, 1, 4],
        "accuracy_rank_high": [3, 3, 3, 4],
    }
)


def test_models_stand_by_their_place_and_ties_are_shown_as_ties():
    (table,) = league.tables(FRAME, about="x", confidence=0.95)
    assert [(row[0], row[2]) for row in table.rows] == [
        ("b", "1= [1–3]"), ("c", "1= [1–3]"), ("a", "3 [1–3]"), ("d", "4 [4]"),
    ]  # fmt: skip


def test_the_answer_names_all_that_may_be_the_best():
    said = league.answer(FRAME, about="x, 10 rows", confidence=0.95)
    assert said == "Of 4 models, by accuracy the best is one of 3: b, c and a (x, 10 rows, 95 %)."
    assert league.summary(FRAME) == "Models whose rank is sure: 1 by accuracy."
    assert "any of the 4 may be the best (b is ahead)" in league.answer(
        FRAME.assign(accuracy_rank_low=1), about="x", confidence=0.95
    )
