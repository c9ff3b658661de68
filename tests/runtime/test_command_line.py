"""The command line is written so that a shell reads it as it was given, and without secrets."""

import shlex

import pytest

from pipeline.runtime import command_line, files


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch):
    monkeypatch.setattr(command_line, "_given", None)


def test_a_process_that_was_started_in_another_way_has_no_command_line():
    assert command_line.shown() == ""


def test_plain_arguments_are_those_of_make_in_a_checkout():
    command_line.remember("sweep", ["data=mnist", "batch_size=10,100"])
    assert command_line.shown() == 'make sweep ARGS="data=mnist batch_size=10,100"'
    command_line.remember("plan", [])
    assert command_line.shown() == "make plan"


@pytest.mark.parametrize("argument", ["data.path=my file.csv", "data.path=<b>$HOME.csv", "model.hidden=[20]"])
def test_a_shell_reads_other_arguments_as_they_were_given(argument):
    command_line.remember("run", ["seed=1", argument])
    assert shlex.split(command_line.shown()) == ["python", "-m", "pipeline", "run", "seed=1", argument]


def test_an_installed_package_names_its_own_program(monkeypatch):
    monkeypatch.setattr(files, "checkout", lambda: None)
    command_line.remember("run", ["data.path=my file.csv"])
    assert shlex.split(command_line.shown()) == ["batchscope", "run", "data.path=my file.csv"]
    command_line.remember(None, ["seed=1"])
    assert command_line.shown() == "batchscope seed=1"


def test_passwords_are_masked():
    command_line.remember("run", ["tracking.uri=postgresql://user:secret@host/db"])
    assert "secret" not in command_line.shown()
    assert "postgresql://***@host/db" in command_line.shown()


def test_a_cell_has_a_command_line_of_its_own_while_it_runs():
    command_line.remember("sweep", [])
    with command_line.instead(None, ["batch_size=10"]):
        assert command_line.shown() == "python -m pipeline batch_size=10"
    assert command_line.shown() == "make sweep"
