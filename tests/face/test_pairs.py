"""Two models on the same rows."""

import numpy as np
import pandas as pd
import pytest

import pipeline as bs
from pipeline.face.pairs import names_of, same_rows


def test_two_that_are_called_alike_are_told_apart_by_their_part():
    first, second = bs.scores(loss=[0.1], name="a"), bs.scores(loss=[0.2], name="b")
    assert names_of(first, second) == ("a", "b")
    assert names_of(first, first) == ("baseline", "candidate")


def test_labels_are_compared_by_the_names_of_their_classes():
    logits = np.array([[1.0, 0.0], [0.0, 1.0]])
    first = bs.scores(["cat", "dog"], logits=logits, classes=["cat", "dog"])
    second = bs.scores(["cat", "dog"], logits=logits[:, ::-1], classes=["dog", "cat"])
    assert set(same_rows(first, second, what="it").metrics) == {"loss", "accuracy"}
    assert bs.compare(first, second).loss.difference == 0


def test_labels_alone_are_compared_by_name_too():
    first = bs.scores(pd.DataFrame({"label": ["cat", "dog"], "prediction": ["cat", "cat"]}))
    second = bs.scores(pd.DataFrame({"label": ["cat", "dog"], "prediction": ["owl", "dog"]}))
    assert bs.compare(first, second).accuracy.difference == 0
    third = bs.scores(pd.DataFrame({"label": ["cat", "owl"], "prediction": ["owl", "owl"]}))
    with pytest.raises(bs.BadInput, match="found other labels in 1 of them, first row 1"):
        bs.compare(first, third)
