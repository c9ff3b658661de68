"""A wrong request ends with status 2 and one line, before Hydra makes a folder."""

import pytest
from hydra import compose, initialize_config_dir

from pipeline import config
from pipeline.sweeps.callback import Check


def composed(*overrides):
    config.register()
    with initialize_config_dir(config_dir=config.CONF, version_base="1.3"):
        return compose("config", overrides=list(overrides), return_hydra_config=True)


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("batch_size=0", "batch_size must be"),
        ("confidence=1", "confidence must be"),
        ("data.split=other", "data.split must be"),
        ("+other=1", "every key must be a known one; found other"),
    ],
)
def test_a_wrong_cell_is_refused(capsys, override, line):
    with pytest.raises(SystemExit) as ended:
        Check().on_run_start(composed(override))
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1


def test_a_cell_that_can_run_passes(capsys, digits_parts):
    Check().on_run_start(composed("batch_size=10"))
    assert capsys.readouterr().err == ""
