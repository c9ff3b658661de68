"""A proxy as a control variate of a study: what it says of each metric, and of how many rows."""

import numpy as np
import pytest

from pipeline.proxy.confidence import Confidence
from pipeline.proxy.entropy import Entropy
from pipeline.proxy.scores import Scores
from pipeline.study.control import controls_of, notes_of


def test_the_default_proxy_is_no_control_variate(stages_of):
    assert controls_of(stages_of(guess=Confidence())) == {}
    assert notes_of(stages_of(guess=Confidence()), {"loss": 0.5}) == []


def test_a_proxy_that_is_named_gives_its_guess_of_each_metric(stages_of):
    stages = stages_of(guess=Entropy())
    found, guess = controls_of(stages), stages.frame.guess()
    np.testing.assert_array_equal(found["loss"], guess.loss)
    np.testing.assert_array_equal(found["accuracy"], guess.accuracy)


@pytest.fixture
def earlier(tmp_path, stages_of):
    import pandas as pd

    n = len(stages_of().rows)
    rng = np.random.default_rng(0)
    pd.DataFrame({"loss": rng.exponential(4, n), "correct": rng.random(n) < 0.5}).to_parquet(tmp_path / "old.parquet")
    return Scores(path=str(tmp_path / "old.parquet"))


def test_earlier_losses_are_cut_as_the_losses_are(stages_of, earlier):
    found = controls_of(stages_of(guess=earlier), loss_cap=3.0)
    assert found["loss"].max() == 3.0
    assert 0 < np.count_nonzero(found["loss"] < 3.0) < len(found["loss"])
    assert set(np.unique(found["accuracy"])) == {0.0, 1.0}


def test_the_note_says_what_the_proxy_leaves(stages_of):
    (said,) = notes_of(stages_of(guess=Entropy()), {"loss": 0.25, "accuracy": 0.5})
    assert "proxy=entropy" in said
    assert said.endswith("it leaves 25.0 % of that of the loss and 50.0 % of that of the accuracy")
