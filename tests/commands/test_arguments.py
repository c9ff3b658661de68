"""The commands take KEY=VALUE arguments and nothing else."""

import pytest

from pipeline.commands import arguments
from pipeline.errors import BadInput


def test_own_arguments_and_the_store_are_told_apart():
    own, tracking = arguments.read(
        ["run=a=b", "tracking.uri=sqlite:///x.db", "tracking.experiment=mine"], ("run", "to")
    )
    assert own == {"run": "a=b"}
    assert (tracking.uri, tracking.experiment) == ("sqlite:///x.db", "mine")


def test_the_last_of_several_values_counts():
    assert arguments.read(["run=a", "run=b"], ("run",))[0] == {"run": "b"}


def test_the_environment_names_the_store_unless_an_argument_does(monkeypatch):
    assert arguments.read([], ())[1].uri == "sqlite:///mlruns/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert arguments.read([], ())[1].uri == "http://127.0.0.1:1"
    assert arguments.read(["tracking.uri=sqlite:///x.db"], ())[1].uri == "sqlite:///x.db"


@pytest.mark.parametrize("argument", ["rum=1", "run", "--run", "tracking=1", "=1", ""])
def test_an_unknown_argument_is_refused_with_the_known_ones(argument):
    with pytest.raises(
        BadInput, match=r"must be one of run=…, tracking\.uri=…, tracking\.experiment=…, tracking\.migrate=…; found"
    ) as refused:
        arguments.read([argument], ("run",))
    assert repr(argument) in str(refused.value)


def test_a_refused_argument_is_shown_without_its_password():
    with pytest.raises(BadInput) as refused:
        arguments.read(["uri=http://me:hush@host"], ("run",))
    assert "hush" not in str(refused.value)
