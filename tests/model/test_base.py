"""What classifiers share: inputs are scaled once, models are built once, and other data are refused."""

from dataclasses import dataclass

import numpy as np
import pytest

from pipeline import data as data_family
from pipeline.errors import BadInput
from pipeline.model.base import Classifier, Model, fits, unchanged
from pipeline.records.rows import Dataset
from pipeline.runtime import memo


class Linear(Classifier):
    """Logits are the inputs."""

    def __init__(self, n_inputs=3, n_classes=3):
        self.n_inputs, self.n_classes, self.digest = n_inputs, n_classes, "linear"

    def logits(self, inputs):
        return inputs


@dataclass
class Counted(Model):
    """Counts how often it is built."""

    name: str = "counted"
    path: str = ""

    def build(self, data):
        BUILT.append(self.path)
        return Linear()


BUILT = []


def dataset_of(width, n_classes):
    return Dataset(np.zeros((4, width), np.uint8), np.zeros(4, int), n_classes, 1 / 255, "rows", "d")


def test_stored_pixels_are_scaled_in_float32():
    pixels = np.array([[0, 51, 255]], dtype=np.uint8)
    found = Linear().from_stored(1 / 255)(pixels)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[0, 0.2, 1]], rtol=1e-7)


def test_rows_that_are_predictions_already_are_the_very_same_array():
    rows = np.ones((2, 3))
    assert unchanged(rows) is rows


def test_a_model_is_built_once_until_its_file_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(memo, "_KEPT", type(memo._KEPT)())
    BUILT.clear()
    path, data = tmp_path / "weights", data_family.MEMBERS["digits"]()
    path.write_bytes(b"one")
    first, again = (Counted(path=str(path)).built(data) for _ in range(2))
    assert first is again
    path.write_bytes(b"another")
    assert Counted(path=str(path)).built(data) is not first
    assert len(BUILT) == 2


def test_data_of_the_models_width_and_classes_fit():
    fits(Linear(), dataset_of(3, 3))


@pytest.mark.parametrize(
    ("width", "n_classes", "message"),
    [(4, 3, "take the data's 4 inputs a row; found a model of 3"), (3, 2, "know the data's 2 classes; found a model")],
)
def test_data_of_another_width_or_with_other_classes_are_refused(width, n_classes, message):
    with pytest.raises(BadInput, match=message):
        fits(Linear(), dataset_of(width, n_classes))
