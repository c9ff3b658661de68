"""The model and the folder of marks that the engines' tests share."""

import pytest

from pipeline.model.npz import Npz
from tests.engine.parts import write_weights


@pytest.fixture
def model(tmp_path):
    return Npz(path=write_weights(tmp_path / "weights.npz"))


@pytest.fixture
def marks(tmp_path):
    folder = tmp_path / "marks"
    folder.mkdir()
    return str(folder)
