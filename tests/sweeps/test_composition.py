"""Cells that share a composition are, Hydra's own part included, what Hydra composes of each."""

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import OmegaConf

from pipeline import config
from pipeline.sweeps.composition import SharedCompositions
from tests.sweeps.test_request import SWEEPS


@pytest.fixture
def loader():
    config.register()
    with initialize_config_dir(config_dir=config.CONF, version_base="1.3"):
        yield GlobalHydra.instance().config_loader()


@pytest.mark.parametrize("cells", SWEEPS.values(), ids=SWEEPS)
def test_a_job_s_configuration_is_that_of_hydra_s_own_loader(loader, cells):
    master = loader.load_configuration("config", ["hydra.job.name=own"], run_mode=RunMode.MULTIRUN)
    folder = master.hydra.sweep.dir
    shared = SharedCompositions(loader)
    for overrides in cells:
        found, expected = shared.load_sweep_config(master, overrides), loader.load_sweep_config(master, overrides)
        assert OmegaConf.to_container(found) == OmegaConf.to_container(expected)
        # The time in the folder's name is the master's.
        assert found.hydra.sweep.dir == folder
        assert config.to_experiment(found) == config.to_experiment(expected)


def test_cells_that_differ_in_values_are_composed_once_and_stay_apart(loader, monkeypatch):
    master = loader.load_configuration("config", [], run_mode=RunMode.MULTIRUN)
    composing, composed = loader.load_sweep_config, []
    monkeypatch.setattr(loader, "load_sweep_config", lambda *given: composed.append(given) or composing(*given))
    shared = SharedCompositions(loader)
    found = [shared.load_sweep_config(master, [f"batch_size={size}", "draws=5"]) for size in (3, 7, 9)]
    assert len(composed) == 1
    assert [each.batch_size for each in found] == [3, 7, 9]
    assert [each.hydra.job.override_dirname for each in found] == [f"batch_size={b},draws=5" for b in (3, 7, 9)]


def test_a_value_that_cannot_be_set_is_refused_in_hydra_s_words(loader):
    master = loader.load_configuration("config", [], run_mode=RunMode.MULTIRUN)
    shared = SharedCompositions(loader)
    shared.load_sweep_config(master, ["batch_size=3"])
    with pytest.raises(Exception, match="batch_size=many"):
        shared.load_sweep_config(master, ["batch_size=many"])
