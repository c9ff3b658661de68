"""Arguments of a wrong kind are refused in one line, and so is what would be taken for something else."""

import numpy as np
import pandas as pd
import pytest

import pipeline as bs

ROWS = bs.scores(loss=[0.1, 0.2, 0.3, 0.7] * 10, correct=[True, True, True, False] * 10)
LABELS, LOGITS = np.array([0, 1, 1]), np.eye(3)[[0, 1, 2]]
MARGIN = {"loss": 0.1}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bs.estimate(np.ones(3)), "rows must be what bs.scores returns; found an array: "),
        (lambda: bs.compare(ROWS, [0.1]), "candidate must be what bs.scores returns; found a list: "),
        (lambda: bs.gate(np.ones(3), ROWS, margin=MARGIN), "baseline must be what bs.scores returns; found an array"),
        (lambda: bs.gate("a.parquet", "b.parquet", margin=MARGIN), r"found the text 'a.parquet': bs.scores\(…\)"),
        (lambda: bs.plan(pd.DataFrame({"loss": [0.1]})), "rows must be what bs.scores returns; found a DataFrame"),
        (lambda: bs.sweep(None, [10]), "rows must be what bs.scores returns; found None"),
        (lambda: bs.gate(ROWS, ROWS, margin=0.1), 'margin must be given by metric; found 0.1: such as .*"loss": 0.1'),
        (lambda: bs.gate(ROWS, ROWS, margin={"loss": "0.1"}), "a number of at least 0; found the text '0.1'"),
        (lambda: bs.gate(ROWS, ROWS, margin=MARGIN, on="loss"), r"on must be a list of names; .*: such as on=\['loss'"),
        (lambda: bs.gate(ROWS, ROWS, margin=MARGIN, loss_range="2"), "loss_range must be above 0 .*; found the text"),
        (lambda: bs.sweep(ROWS, 10), "batch_sizes must be a list of whole numbers, such as .*; found 10"),
        (lambda: bs.sweep(ROWS, [None]), "batch_sizes must be a list of whole numbers, such as .*; found None"),
        (lambda: bs.sweep(ROWS, [10.5]), "batch_sizes must be a list of whole numbers, such as .*; found 10.5"),
        (lambda: bs.sweep(ROWS, "10"), "batch_sizes must be a list of whole numbers, such as .*; found the text '10'"),
        (lambda: bs.sweep(ROWS, [10], draws=2.5), "draws must be a whole number of at least 1; found 2.5"),
        (lambda: bs.plan(ROWS, loss_within=None), "loss_within must be above 0 and finite, such as 0.01; found None"),
        (lambda: bs.plan(ROWS, population="all"), "population must be a whole number of at least 1; found the text"),
        (lambda: bs.estimate(ROWS, confidence="0.9"), "confidence must be between 0 and 1, .*; found the text '0.9'"),
        (lambda: bs.estimate(ROWS, loss_cap="10"), "loss_cap must be above 0 nats .*; found the text '10'"),
        (lambda: bs.estimate(ROWS, loss=None), "loss must be an interval of .*; found None"),
        (lambda: bs.until(lambda rows: None, 100), "evaluate must return a dict .*; found None"),
        (
            lambda: bs.until(lambda rows: {"losses": rows}, 100),
            "must return a dict .*; found the key 'losses'",
        ),
        (lambda: bs.until([0.1], 100), "evaluate must be a function; found a list"),
        (lambda: bs.until(lambda rows: {}, 10.5), "n_rows must be a whole number of at least 1; found 10.5"),
        (lambda: bs.until(lambda rows: {}, 10, loss_within="1"), "the goal of the loss must .*; found the text '1'"),
        (lambda: bs.until(lambda rows: {}, 10, metrics="loss"), "metrics must be a list of names; found the text"),
        (lambda: bs.scores(LABELS, logits=LOGITS, metrics="auc"), r"found the text 'auc': such as metrics=\['auc'\]"),
        (lambda: bs.scores(LABELS, logits=LOGITS, probabilities=LOGITS), "must be one of .* found logits and prob"),
        (lambda: bs.scores(LABELS, logits=LOGITS, loss=[1, 2, 3]), "must be one of .* found logits and loss: leave"),
    ],
)
def test_an_argument_of_a_wrong_kind_is_refused_in_one_line(call, message):
    with pytest.raises(bs.BadInput, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["logits", "group", "by"])
def test_series_in_another_order_are_refused_and_in_the_same_are_taken(key):
    labels = pd.Series(LABELS, index=["a", "b", "c"])
    given = {"logits": pd.DataFrame(LOGITS, index=list("abc")), "group": pd.Series([1, 2, 3], index=list("abc"))}
    given["by"] = given["group"]
    rows = bs.scores(labels, **given)
    assert rows.values("accuracy").tolist() == [1.0, 1.0, 0.0]
    turned = {**given, key: given[key].iloc[::-1]}
    with pytest.raises(bs.BadInput, match=f"labels and {key} must have the same index"):
        bs.scores(labels, **turned)
    assert len(bs.scores(labels, **{**turned, key: turned[key].to_numpy()})) == 3


def test_a_series_beside_a_table_must_have_its_index():
    table = pd.DataFrame({"loss": [0.1, 0.2, 0.3]}, index=[2, 0, 1])
    with pytest.raises(bs.BadInput, match=r"give by.loc\[labels.index\]"):
        bs.scores(table, by=pd.Series(["x", "y", "y"]))


def test_whole_numbers_may_be_written_with_a_point():
    assert bs.sweep(ROWS, np.array([10.0, 20.0]), draws=2).loss["batch_size"].tolist() == [10, 20]
