"""What `hydra/launcher=` may be, and what is said where that launcher cannot work."""

import copy

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.types import HydraContext

from hydra_plugins import batchscope_launchers
from pipeline import config
from pipeline.errors import BadInput

NAMES = ["joblib", "submitit", "submitit_slurm", "submitit_local", "ray"]


@pytest.fixture(autouse=True)
def registered():
    """Put back what was registered: Hydra imports its plug-ins once a process."""
    Plugins.instance()
    store = ConfigStore.instance()
    before = copy.deepcopy(store.repo)
    yield
    store.repo = before


def composed_for(name, *overrides):
    """The configuration with a launcher of that name."""
    config.register()
    with initialize_config_dir(config_dir=config.CONF, version_base="1.3"):
        return compose("config", overrides=[f"hydra/launcher={name}", *overrides], return_hydra_config=True)


def make(composed):
    """Make the launcher as a sweep does."""
    context = HydraContext(config_loader=None, callbacks=None)
    return Plugins.instance().instantiate_launcher(hydra_context=context, task_function=print, config=composed)


@pytest.mark.parametrize("name", NAMES)
def test_a_launcher_that_is_not_installed_is_refused_with_what_to_install(name, monkeypatch):
    monkeypatch.setattr(batchscope_launchers, "find_spec", lambda _: None)
    extra = name.partition("_")[0]
    wanted = "make setup-extras" if extra == "ray" else rf"pip install 'batchscope\[{extra}\]'"
    with pytest.raises(
        BadInput, match=rf"^hydra/launcher must be an installed one; the package of {extra}'s .*{wanted}$"
    ):
        make(composed_for(name))


def test_slurm_is_refused_where_there_is_none_whatever_is_set_of_it(monkeypatch):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs the extra submitit")
    monkeypatch.setattr(batchscope_launchers.shutil, "which", lambda _: None)
    with pytest.raises(BadInput, match=r"^hydra/launcher must be one that works here; .*srun was not found"):
        make(composed_for("submitit", "hydra.launcher.partition=big", "hydra.launcher.mem_gb=4"))


def test_submitit_is_slurm_with_every_setting_of_its_own(monkeypatch):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs the extra submitit")
    monkeypatch.setattr(batchscope_launchers.shutil, "which", lambda _: "/usr/bin/srun")
    launcher = composed_for("submitit", "hydra.launcher.partition=big").hydra.launcher
    assert launcher._target_.endswith(".SlurmLauncher")
    assert (launcher.partition, launcher.name) == ("big", "batchscope")


def test_ray_is_a_cluster_of_its_own_without_a_web_page_unless_an_address_is_given():
    pytest.importorskip("hydra_plugins.hydra_ray_launcher", reason="needs make setup-extras")
    launcher = composed_for("ray").hydra.launcher
    assert launcher._target_.endswith(".LocalOrClusterRay")
    assert launcher.ray.init.address == "local"
    assert launcher.ray.init.include_dashboard is False
    clustered = composed_for("ray", "hydra.launcher.ray.init.address=auto").hydra.launcher
    assert clustered.ray.init.address == "auto"
