"""Options of a gate that are refused in one line, before anything is read."""

import pytest

from pipeline.errors import BadInput
from pipeline.metric.chosen import main_metrics
from pipeline.study.gating.options import (
    check_as_needed,
    check_margin,
    check_metrics,
    check_options,
    check_unlabelled,
)

AS_NEEDED = {"rows": "as_needed", "block": 50, "max_rows": None, "loss_range": 2.0, "audit": None}


def checked(rows, **options):
    check_options(rows, **options)


def test_what_goes_together_is_taken():
    checked(**AS_NEEDED)
    checked(**{**AS_NEEDED, "rows": "all", "loss_range": None, "audit": "accuracy<-0.01"})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rows": "some"}, r"study\.rows must be one of all, as_needed; found 'some'"),
        ({"block": 0}, r"study\.block must be a whole number of at least 1; found 0"),
        ({"max_rows": 0}, r"study\.max_rows must be a whole number of at least 1 or null; found 0"),
        ({"loss_range": 0.0}, r"study\.loss_range must be above 0 nats and finite, such as 2; found 0"),
        ({"loss_range": -1.0}, r"study\.loss_range must be above 0 nats and finite, such as 2; found -1"),
        ({"loss_range": float("nan")}, r"study\.loss_range must be above 0 nats and finite, such as 2; found nan"),
        (
            {"rows": "all", "audit": "loss>0"},
            r"study\.audit must go without study\.loss_range; found loss>0 and 2: leave one of them out",
        ),
        (
            {"rows": "all", "loss_range": None, "max_rows": 9},
            r"study\.max_rows must go with study\.rows=as_needed; found 9 with study\.rows=all",
        ),
        ({"audit": "loss>0"}, r"study\.audit must go with study\.rows=all; found loss>0"),
    ],
)
def test_what_does_not_is_refused(changes, said):
    with pytest.raises(BadInput, match=said):
        checked(**{**AS_NEEDED, **changes})


def test_a_margin_may_be_0_or_an_example_but_must_be_there():
    check_margin("loss", 0.0, None)
    check_margin("loss", None, 0.02)
    with pytest.raises(BadInput, match=r"study\.margin\.loss must say .* add study\.margin\.loss=0\.02, or 0"):
        check_margin("loss", None, None)
    with pytest.raises(BadInput, match=r"study\.margin\.loss must be a number of at least 0; found -1"):
        check_margin("loss", -1.0, None)


def test_metrics_that_are_not_evaluated_are_refused_unless_their_margin_is_null():
    known = {metric.column: metric for metric in main_metrics().values()}
    check_metrics(["loss"], {"loss": 0.1, "brier": None}, {"loss": 0.1}, known, known)
    with pytest.raises(BadInput, match=r"study\.on must be of the metrics loss, accuracy; found brier"):
        check_metrics(["brier"], {}, {"brier": 0.1}, known, known)
    with pytest.raises(BadInput, match=r"study\.margin must be of the metrics loss, accuracy; found brier"):
        check_metrics(["loss"], {"brier": 0.1}, {"loss": 0.1}, known, known)
    with pytest.raises(BadInput, match=r"study\.margin\.accuracy must be a fraction below 1; found 2"):
        check_metrics(["accuracy"], {"accuracy": 2.0}, {"accuracy": 2.0}, known, known)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"has_candidate": False}, "a candidate; found none"),
        ({"rows": "as_needed"}, "study.rows=all; found as_needed"),
        ({"loss_range": 2.0}, "study.loss_range=null"),
        ({"target": "population"}, "interval.target=superpopulation; found population"),
    ],
)
def test_rows_without_a_label_are_refused_where_they_cannot_count(changed, said):
    asked = {"has_candidate": True, "rows": "all", "loss_range": None, "target": "superpopulation"}
    check_unlabelled(**asked)
    with pytest.raises(BadInput, match=f"rows without a label must go with {said}"):
        check_unlabelled(**asked | changed)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"is_many": True}, "one candidate; found several in study.against"),
        ({"has_slices": True}, "no slices; found data.by"),
        ({"has_groups": True}, "rows that are independent; found data.group"),
        ({"together": "auc"}, "metrics of a row, .*; found auc"),
    ],
)
def test_what_has_no_answer_at_every_look_is_refused_with_rows_as_needed(changed, said):
    asked = {"is_many": False, "has_slices": False, "has_groups": False, "together": ""}
    check_as_needed(**asked)
    with pytest.raises(BadInput, match=f"study.rows=as_needed must have {said}: leave study.rows out"):
        check_as_needed(**asked | changed)
