from __future__ import annotations

import pandas as pd
import pytest

from pipeline.plots import names


def cells(populations, models):
    return pd.DataFrame({"population": populations, "model_name": models})


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (cells(["digits test"] * 2, ["mlp"] * 2), "digits test, mlp"),
        (cells(["digits test"] * 2, ["old.npz", "new.npz"]), "digits test, old.npz and new.npz"),
        (cells(["a.parquet", "b.parquet"], ["", ""]), "a.parquet and b.parquet"),
        (cells(["digits test"] * 5, list("abcde")), "digits test, a, b, c and 2 more"),
        (pd.DataFrame({"draws": [1]}), ""),
    ],
)
def test_the_subject_is_the_data_and_the_models(frame, expected):
    assert names.subject(frame) == expected


def test_a_title_without_a_subject_is_the_title_alone():
    assert names.titled("", "It falls") == "It falls"
    assert names.titled("digits test, mlp", "It falls") == "digits test, mlp: It falls"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", ""),
        ("study/direction=weight", "a step of one weight"),
        ("model.evaluate_activation=step", "step activations"),
        ("data.path=/tmp/x, y/a.parquet, sampling=epoch", "a.parquet, epoch"),
        ("metric=[loss,accuracy], seed=3", "metric=[loss,accuracy], seed=3"),
        ("backwards (steps below 0)", "backwards (steps below 0)"),
    ],
)
def test_a_group_is_written_in_words_and_an_unknown_key_as_it_was_typed(typed, words):
    assert names.group(typed) == words
