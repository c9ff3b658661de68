"""The worst verdict is the verdict of all, and gives the exit status."""

import dataclasses

import pytest

from pipeline.records.verdict import BETTER, NOT_WORSE, STATUSES, UNDECIDED, WORDS, WORSE, Finding, Judgement

FINDING = Finding(
    "loss", NOT_WORSE, 0.3, 0.31, 0.01, -0.01, 0.03, 0.05, 0.2, 0.4, 0.001, 0.975, 0.95, 500, 0.0, 0.04, 320.0, "t"
)


def judged(*codes):
    findings = tuple(dataclasses.replace(FINDING, metric=f"metric_{i}", code=code) for i, code in enumerate(codes))
    return Judgement("a", "b", ("1", "2"), findings, 0.95, 0.8, 0, False)


@pytest.mark.parametrize(
    ("codes", "verdict", "status", "decisive"),
    [
        ([BETTER, BETTER], "better", 0, "metric_0"),
        ([BETTER, NOT_WORSE], "not worse", 0, "metric_1"),
        ([UNDECIDED, BETTER], "undecided", 4, "metric_0"),
        ([UNDECIDED, WORSE, WORSE], "worse", 3, "metric_1"),
    ],
)
def test_the_worst_verdict_is_that_of_all_and_undecided_is_no_pass(codes, verdict, status, decisive):
    found = judged(*codes)
    assert (found.verdict, found.status, found.decisive.metric) == (verdict, status, decisive)


def test_every_verdict_has_a_word_and_a_status():
    assert len(WORDS) == len(STATUSES) == WORSE + 1
    assert FINDING.verdict == "not worse"


def test_the_resolution_is_the_rows_there_are_for_each_that_the_margin_needs():
    assert FINDING.resolution == 500 / 320
