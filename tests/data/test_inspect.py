"""A log of Inspect as a population."""

from importlib.util import find_spec

import pytest

from pipeline.data.inspect import Inspect
from pipeline.data.logs.inspect_log import read
from pipeline.errors import BadInput
from pipeline.model.given import Given
from pipeline.scoring.rows import score
from tests.data.logs.inspect_logs import write_logs

# The reader itself is tested in tests/data/logs; here a second process would import the whole of Inspect.
pytestmark = pytest.mark.slow
installed = pytest.mark.skipif(find_spec("inspect_ai") is None, reason="the extra inspect is not installed")


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """The logs by the name of their task."""
    return write_logs(tmp_path_factory.mktemp("inspect"))


@installed
def test_a_log_is_a_population_with_an_accuracy_and_no_loss(logs):
    data = Inspect(path=str(logs["plain"]), group="id")
    found = score(Given().build(data), data.load())
    assert found.metrics == ("accuracy",)
    assert found.correct.tolist() == read(logs["plain"], scorer=None).correct.tolist()
    with pytest.raises(BadInput, match="this needs the loss of each row; found only the accuracy"):
        found.loss  # noqa: B018


@installed
def test_the_epochs_of_a_sample_are_one_group(logs):
    data = Inspect(path=str(logs["two"]), scorer="match", group="id")
    assert data.load().groups.tolist() == [0, 1, 2, 3, 4, 5] * 2


@installed
def test_the_scorer_of_the_configuration_is_read(logs):
    found = {name: Inspect(path=str(logs["two"]), scorer=name).load() for name in ("match", "includes")}
    for name, dataset in found.items():
        assert dataset.inputs[:, 0].astype(bool).tolist() == read(logs["two"], scorer=name).correct.tolist()


def test_a_log_that_is_not_named_or_not_there_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"data\.path must name a log of data=inspect; found none"):
        Inspect()
    with pytest.raises(BadInput, match=r"a log of Inspect must be a file; found none at .*absent"):
        Inspect(path=str(tmp_path / "absent.eval")).load()
