from dataclasses import dataclass

import numpy as np
import pytest

from pipeline import data as data_family
from pipeline import model
from pipeline.errors import BadInput
from pipeline.model.base import Classifier, Model
from pipeline.proxy.second_model import SecondModel
from pipeline.sampling.difference import Difference
from pipeline.scoring.rows import score
from tests.evaluation import evaluated

DIGITS = data_family.MEMBERS["digits"]()


@pytest.fixture(scope="module")
def small():
    return model.MEMBERS["mlp"](hidden=[8])


def test_its_loss_and_correctness_are_the_guess(small, digits_parts):
    dataset, classifier = digits_parts
    guess, scores = (
        SecondModel(model=small).guess(dataset, classifier, data=DIGITS),
        score(small.build(DIGITS), dataset),
    )
    np.testing.assert_array_equal(guess.difficulty, scores.loss)
    np.testing.assert_array_equal(guess.loss, scores.loss)
    np.testing.assert_array_equal(guess.accuracy, scores.correct)


def test_the_judged_model_as_its_own_second_leaves_no_error(stages_of):
    found = evaluated(stages_of(design=Difference(), guess=SecondModel(model=model.MEMBERS["mlp"]()), batch_size=200))
    assert found.metrics["loss/se"] < 1e-9
    assert found.metrics["loss/rmse"] < 0.05


def npz(tmp_path, **arrays):
    np.savez(tmp_path / "weights.npz", **arrays)
    return SecondModel(model=model.MEMBERS["npz"](path=str(tmp_path / "weights.npz")))


def test_a_model_that_does_not_fit_or_cannot_be_had_is_refused(tmp_path, digits_parts):
    narrow = npz(tmp_path, W1=np.ones((63, 10), "f4"), b1=np.zeros(10, "f4"))
    with pytest.raises(BadInput, match=r"proxy.model: the model must take the data's 64 inputs a row; found .* 63"):
        narrow.guess(digits_parts[0], digits_parts[1], data=DIGITS)
    missing = SecondModel(model=model.MEMBERS["npz"](path=str(tmp_path / "nowhere.npz")))
    with pytest.raises(BadInput, match=r"proxy.model: .*nowhere.npz"):
        missing.guess(digits_parts[0], digits_parts[1], data=DIGITS)


@dataclass
class Never(Model):
    """A model that holds class 3 impossible."""

    name: str = "never"

    def build(self, data):
        made = Impossible()
        made.n_inputs, made.n_classes, made.digest = 64, 10, "never"
        return made


class Impossible(Classifier):
    def logits(self, inputs):
        return np.tile(np.where(np.arange(10) == 3, -np.inf, 0.0), (len(inputs), 1))


def test_a_model_that_holds_a_rows_class_impossible_is_refused_and_the_row_named(digits_parts):
    dataset = digits_parts[0]
    first, n = int((dataset.labels == 3).argmax()), int((dataset.labels == 3).sum())
    with pytest.raises(BadInput, match=rf"infinite loss in row {first}, and {n} such rows: choose another model"):
        SecondModel(model=Never()).guess(dataset, digits_parts[1], data=DIGITS)
