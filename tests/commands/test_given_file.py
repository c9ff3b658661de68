"""A file in place of a command is evaluated."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from pipeline import commands
from pipeline.commands import given_file
from pipeline.errors import BadInput


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("p.csv", "predictions"),
        ("p.parquet", "predictions"),
        ("log.eval", "inspect"),
        ("samples_mmlu_2026.jsonl", "lm_eval"),
        ("rows.jsonl", "predictions"),
        ("it's (new), 1=a.csv", "predictions"),
        ("folder", "predictions"),
    ],
)
def test_the_name_says_which_data_it_is_and_hydra_reads_the_path_back(tmp_path, monkeypatch, name, data):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).touch()
    command, arguments = commands.split([name, "confidence=0.9"])
    assert command == "evaluate"
    assert (arguments[0], arguments[2]) == (f"data={data}", "confidence=0.9")
    (path,) = OverridesParser.create().parse_overrides([arguments[1]])
    assert (path.key_or_group, path.value()) == ("data.path", name)


def test_an_address_is_taken_as_it_is():
    assert given_file.overrides_of("s3://bucket/p.parquet")[1] == "data.path='s3://bucket/p.parquet'"


def test_a_file_that_does_not_exist_is_refused_as_a_file():
    with pytest.raises(BadInput, match=r"^a file must exist; found none at nowhere\.csv: check the path"):
        commands.split(["nowhere.csv"])


@pytest.mark.parametrize(
    "word", ["data.path=p.csv", "sampling=a/b", "--cfg", "+experiment=sweep", "~model", "sweeep", ""]
)
def test_overrides_flags_and_mistyped_commands_are_no_files(word):
    assert not given_file.is_meant(word)


def test_a_command_wins_over_a_folder_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    assert commands.split(["run", "seed=1"]) == ("run", ["seed=1"])


def test_a_word_longer_than_any_file_name_is_no_file():
    assert not given_file.is_meant("x" * 300)
    with pytest.raises(BadInput, match="a file must exist"):
        given_file.overrides_of("y" * 300 + ".csv")


def test_a_file_after_a_command_is_its_data_and_a_second_one_the_other_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("old.csv", "new.csv"):
        (tmp_path / name).touch()
    name, arguments = commands.split(["gate", "old.csv", "new.csv", "study.margin.loss=0.1"])
    assert name == "gate"
    assert arguments == ["data=predictions", "data.path='old.csv'", "study.against='new.csv'", "study.margin.loss=0.1"]
    assert commands.split(["plan", "old.csv"]) == ("plan", ["data=predictions", "data.path='old.csv'"])
