"""What a gate found, against SciPy; the plain comparison of all rows; rows without a difference."""

import math

import numpy as np
import pytest
from scipy import stats

from pipeline.errors import BadInput
from pipeline.estimation.tango import score_interval
from pipeline.records.verdict import BETTER, NOT_WORSE, UNDECIDED, WORSE
from pipeline.sampling.units import Units
from pipeline.study.gating.findings import findings_of, plain_findings, refuse_infinite
from tests.study.gating.two_columns import COLUMNS, LOSS, MARGINS, METRICS, RIGHT


def found(margins=MARGINS, columns=COLUMNS):
    return findings_of(columns, METRICS, margins, confidence=0.95, power=0.8)


def test_the_figures_are_those_of_the_two_columns_and_the_ends_those_of_their_tests():
    loss, accuracy = found()
    assert (loss.baseline, loss.candidate) == pytest.approx((LOSS[0].mean(), LOSS[1].mean()))
    assert loss.difference == pytest.approx(0.18)
    for level, end, which in ((loss.level_low, loss.low, "low"), (loss.level_high, loss.high, "high")):
        assert end == pytest.approx(getattr(stats.ttest_rel(LOSS[1], LOSS[0]).confidence_interval(level), which))
    gained, lost = (int((a & ~b).sum()) for a, b in ((RIGHT[1], RIGHT[0]), (RIGHT[0], RIGHT[1])))
    assert accuracy.low == pytest.approx(score_interval(gained, lost, 500, accuracy.level_low)[0])
    assert accuracy.high == pytest.approx(score_interval(gained, lost, 500, accuracy.level_high)[1])
    assert (loss.n, accuracy.n) == (500, 500)


def test_p_values_are_scipys_and_holms():
    loss, accuracy = found()
    assert loss.p == pytest.approx(stats.ttest_rel(*LOSS).pvalue, rel=1e-6)
    assert loss.p_margin == pytest.approx(stats.ttest_1samp(LOSS[1] - LOSS[0], 0.6).pvalue, rel=1e-6)
    small, large = sorted((loss, accuracy), key=lambda each: each.p)
    assert (small.p_holm, large.p_holm) == (2 * small.p, max(2 * small.p, large.p))


@pytest.mark.parametrize(
    ("margin", "code"), [(0.6, NOT_WORSE), (0.0, WORSE), (0.18, UNDECIDED)], ids=["wide", "none", "just as wide"]
)
def test_a_higher_loss_is_judged_by_the_margin(margin, code):
    assert found({"loss": margin, "accuracy": 0.9})[0].code == code
    swapped = {"loss": LOSS[::-1], "accuracy": RIGHT[::-1]}
    assert [each.code for each in found(MARGINS, swapped)] == [BETTER, BETTER]


def test_only_what_is_undecided_waits_for_rows():
    decided = found()[0]
    waiting = found({"loss": 0.15, "accuracy": 0.9})[0]
    assert (decided.more, waiting.code) == (0.0, UNDECIDED)
    assert waiting.more > 0
    assert waiting.more == int(waiting.more)


def test_rows_for_the_margin_and_the_smallest_effect_go_together():
    loss, _ = found({"loss": 0.06, "accuracy": 0.0})
    assert loss.effect / 0.06 == pytest.approx(math.sqrt(loss.needed / 500), rel=1e-3)
    assert found({"loss": 0.06, "accuracy": 0.0})[1].needed == math.inf


@pytest.mark.parametrize(("margin", "code"), [(0.181, NOT_WORSE), (0.179, WORSE)])
def test_all_rows_are_compared_as_they_are_where_they_are_all_that_is_asked_about(margin, code):
    loss, accuracy = plain_findings(COLUMNS, METRICS, {"loss": margin, "accuracy": 0.5})
    assert (loss.code, accuracy.code) == (code, NOT_WORSE)
    assert loss.low == loss.high == loss.difference == pytest.approx(0.18)
    assert (loss.p, loss.more, loss.level_low) == (None, 0.0, 1.0)
    better, _ = plain_findings({"loss": LOSS[::-1], "accuracy": RIGHT}, METRICS, MARGINS)
    assert better.code == BETTER


def test_groups_take_the_place_of_rows_in_the_finding():
    units = Units(500, None, np.arange(500), np.arange(0, 501, 10))
    loss, accuracy = findings_of(COLUMNS, METRICS, MARGINS, confidence=0.95, power=0.8, units=units)
    by_group = (LOSS[1] - LOSS[0]).reshape(50, 10).mean(axis=1)
    assert (loss.n, loss.unit, accuracy.unit) == (50, "group", "group")
    assert loss.difference == pytest.approx(by_group.mean())
    assert loss.low <= stats.ttest_1samp(by_group, 0).confidence_interval(loss.level_low).low + 1e-9
    assert 0 < loss.p_flips < 1


def test_rows_without_a_finite_difference_are_counted_and_three_of_them_named():
    bad = LOSS[1].copy()
    bad[[3, 9, 20, 30]] = np.inf
    with pytest.raises(
        BadInput,
        match=r"^the loss of every row must be finite .* found 4 rows in which it is not, first row 3, row 9, row 20: "
        r"leave it out with study\.on=\[accuracy\]$",
    ):
        refuse_infinite({"loss": (LOSS[0], bad), "accuracy": RIGHT}, lambda row: f"row {row}")
    with pytest.raises(BadInput, match=r"found 4 rows .*: mend these rows$"):
        refuse_infinite({"loss": (bad, bad)}, lambda row: f"row {row}")
    refuse_infinite(COLUMNS, str)
