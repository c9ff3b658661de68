"""Hydra's mode is known from the command line, and Hydra itself is left as it was."""

import pytest
from hydra._internal.hydra import Hydra

from pipeline.sweeps.plugins.mode import mode_from

COMPOSING = Hydra.get_mode


@pytest.mark.parametrize("arguments", [["--multirun", "batch_size=1,2"], ["batch_size=1", "-m"]])
def test_a_sweep_that_is_said_is_not_composed_for_its_mode(arguments):
    with mode_from(arguments):
        # None is what Hydra takes together with --multirun for a sweep.
        assert Hydra.get_mode(None, "config", []) is None
    assert Hydra.get_mode is COMPOSING


@pytest.mark.parametrize("arguments", [[], ["batch_size=1"], ["--multirun", "hydra.mode=RUN"]])
def test_hydra_decides_by_itself_where_the_line_leaves_it_open(arguments):
    with mode_from(arguments):
        assert Hydra.get_mode is COMPOSING


def test_hydra_is_as_it_was_after_an_error():
    with pytest.raises(KeyError, match="gone"), mode_from(["--multirun"]):
        raise KeyError("gone")
    assert Hydra.get_mode is COMPOSING
