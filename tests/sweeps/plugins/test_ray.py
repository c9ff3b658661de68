"""Ray's launcher: a cluster of its own has a token of its own, and none is started before there are cells."""

import os

import pytest
from hydra.core.plugins import Plugins
from hydra.types import HydraContext
from omegaconf import OmegaConf

from pipeline import sweeps
from pipeline.sweeps.plugins import ray as plugin
from pipeline.sweeps.plugins.ray import LocalOrClusterRay


@pytest.fixture
def environment(monkeypatch):
    """The environment without Ray's variables, put back afterwards."""
    for name in [name for name in os.environ if name.startswith("RAY_")]:
        monkeypatch.delenv(name)
    before = dict(os.environ)
    yield os.environ
    os.environ.clear()
    os.environ.update(before)


def test_every_cluster_of_ours_has_another_token_and_reports_nothing(environment):
    tokens = set()
    for _ in range(3):
        plugin._make_private()
        assert environment["RAY_AUTH_MODE"] == "token"
        assert environment["RAY_USAGE_STATS_ENABLED"] == "0"
        tokens.add(environment.pop("RAY_AUTH_TOKEN"))
        del environment["RAY_AUTH_MODE"]
    assert len(tokens) == 3
    assert {len(token) for token in tokens} == {64}


def test_a_token_and_a_choice_that_the_user_made_are_kept(environment):
    environment |= {"RAY_AUTH_TOKEN_PATH": "own", "RAY_USAGE_STATS_ENABLED": "1"}
    plugin._make_private()
    assert environment["RAY_AUTH_TOKEN_PATH"] == "own"
    assert environment["RAY_USAGE_STATS_ENABLED"] == "1"
    assert "RAY_AUTH_TOKEN" not in environment


def test_hydra_finds_the_launcher_by_the_target_of_its_configuration():
    sweeps.register()
    known = Plugins.instance().class_name_to_class
    assert known["hydra_plugins.pipeline.sweeps.plugins.ray.LocalOrClusterRay"] is LocalOrClusterRay


def test_the_launcher_behind_it_is_hydras_own_and_setting_up_starts_no_cluster(environment):
    ray = pytest.importorskip("ray", reason="needs make setup-extras")
    pytest.importorskip("hydra_plugins.hydra_ray_launcher", reason="needs make setup-extras")
    settings = OmegaConf.create({"init": {"address": "local"}, "remote": {"num_cpus": 1}})
    launcher = LocalOrClusterRay(settings)
    launcher.setup(
        hydra_context=HydraContext(config_loader=None, callbacks=None), task_function=print, config=OmegaConf.create()
    )
    assert type(launcher._launcher).__name__ == "RayLauncher"
    assert not ray.is_initialized()
