import math

import pandas as pd
import pytest

from pipeline.report import compare_power
from tests.report.compared import STEP_1

NO_FLIP = {"accuracy/n_for_power": math.inf, "accuracy/gained": 0.0, "accuracy/lost": 0.0, "accuracy/difference": 0.0}


CANCEL = {"accuracy/n_for_power": math.inf, "accuracy/gained": 1.0, "accuracy/lost": 1.0, "accuracy/difference": 0.0}


def said(**changes):
    return compare_power.conclusion({**STEP_1, **changes}, 0.8, 0.05)


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
    first, second = compare_power.summary(frame, 0.8, 0.05).splitlines()
    assert first == (
        "a: of 2 changes, fewer examples are needed by the loss at 2 and the accuracy at 0. "
        "The rows at hand can tell a change from none at 2 by the loss and at 0 by the accuracy."
    )
    assert "by the loss at 0 and the accuracy at 1." in second


def brier(**changes):
    values = {"difference": -4e-4, "difference_low": -6e-4, "difference_high": -2e-4, "n_for_power": 7000.0, "p": 1e-5}
    return {f"brier/{name}": value for name, value in (values | changes).items()}


def test_the_last_of_three_metrics_follows_an_and():
    assert (
        "the loss needs 5,079 examples, the accuracy needs 1,648,257 examples and the Brier score needs 7,000 examples:"
    ) in said(**brier())
    assert "the change of the loss (p < 0.0001) and of the Brier score (p < 0.0001), but" in said(**brier())
    three = said(**brier(), **{"accuracy/mcnemar_p": 0.01})
    assert "the loss (p < 0.0001), of the accuracy (p = 0.01) and of the Brier score (p < 0.0001)." in three
    never = {"loss/n_for_power": math.inf, "loss/difference": 0.0, "loss/p": 1.0}
    assert said(**NO_FLIP, **never, **brier(n_for_power=math.inf, difference=0.0, p=1.0)).startswith(
        "No number of examples shows a change: no row's loss changes, no row turns right or wrong and no row's Brier "
        "score changes."
    )


def test_the_needs_of_two_metrics_stand_side_by_side():
    assert "power, the loss needs 5,079 examples, the accuracy needs 1,648,257 examples: the loss is sooner" in said()
