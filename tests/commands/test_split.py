"""How a command line is divided into a command and its options."""

import pytest
from hydra._internal.utils import get_args_parser

from pipeline import commands
from pipeline.errors import BadInput


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        (["evaluate", "--data.path=x.parquet"], "write data.path=x.parquet"),
        (["--draws", "50"], "write draws=VALUE"),
        (["run", "-data=mnist"], "write data=mnist"),
        (["sweep", "--tracking.uri=http://me:hush@host"], "write tracking.uri=http://\\*\\*\\*@host"),
    ],
)
def test_an_option_written_with_dashes_is_refused_with_the_way_to_write_it(line, advice):
    with pytest.raises(BadInput, match=f"without dashes; found '-.*: {advice}"):
        commands.split(line)


def test_every_flag_of_hydra_is_let_through():
    flags = [flag for action in get_args_parser()._actions for flag in action.option_strings]
    assert "--config-dir" in flags
    assert commands.split(["run", *flags]) == ("run", flags)
    assert commands.split(["--multi", "--config-dir=x", "-cd=x"])[1] == ["--multi", "--config-dir=x", "-cd=x"]
