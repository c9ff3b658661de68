"""What `hydra/launcher=` may be: the plug-ins that Hydra found, with our settings, and a refusal for each other."""

import copy

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.types import HydraContext

from pipeline import config, sweeps
from pipeline.errors import BadInput
from pipeline.sweeps.plugins import launchers

NAMES = [name for _, names, _ in launchers._EXTRAS for name in names]


@pytest.fixture(autouse=True)
def registered():
    """The program's own registration; what was stored before is put back: Hydra imports its plug-ins once a process."""
    Plugins.instance()
    store = ConfigStore.instance()
    before = copy.deepcopy(store.repo)
    config.register()
    sweeps.register()
    yield
    store.repo = before


def composed_for(name, *overrides):
    """The configuration with a launcher of that name, by what is stored now."""
    launchers.store()
    with initialize_config_dir(config_dir=config.CONF, version_base="1.3"):
        return compose("config", overrides=[f"hydra/launcher={name}", *overrides], return_hydra_config=True)


def make(composed):
    """Make the launcher as a sweep does."""
    context = HydraContext(config_loader=None, callbacks=None)
    return Plugins.instance().instantiate_launcher(hydra_context=context, task_function=print, config=composed)


@pytest.mark.parametrize(("extra", "package"), [("joblib", "hydra_joblib_launcher"), ("ray", "hydra_ray_launcher")])
def test_a_launcher_is_installed_if_its_package_can_be_imported(extra, package):
    try:
        __import__(f"hydra_plugins.{package}")
    except ImportError:
        assert not launchers.is_installed(extra)
    else:
        assert launchers.is_installed(extra)


def test_what_nobody_brings_is_not_installed():
    assert not launchers.is_installed("nothing_such")


@pytest.mark.parametrize("name", NAMES)
def test_every_name_composes_to_a_target_that_hydra_can_make(name):
    assert composed_for(name).hydra.launcher._target_ in Plugins.instance().class_name_to_class


@pytest.mark.parametrize("name", NAMES)
def test_a_launcher_that_is_not_installed_is_refused_with_what_to_install(name, monkeypatch):
    monkeypatch.setattr(launchers, "is_installed", lambda _: False)
    extra = name.partition("_")[0]
    with pytest.raises(
        BadInput, match=rf"^hydra/launcher must be an installed one; the package of {extra}'s .*make setup-extras$"
    ):
        make(composed_for(name))


def test_slurm_is_refused_where_srun_is_not_on_the_path_whatever_is_set_of_it(monkeypatch, tmp_path):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs the extra submitit")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match=r"^hydra/launcher must be one that works here; .*take hydra/launcher=joblib$"):
        make(composed_for("submitit", "hydra.launcher.partition=big", "hydra.launcher.mem_gb=4"))


def test_submitit_is_slurm_with_every_setting_of_its_own_where_srun_is(monkeypatch, tmp_path):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs the extra submitit")
    (tmp_path / "srun").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
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
