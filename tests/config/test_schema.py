"""The schema: what Hydra composed becomes the parts' own objects, and an unknown key is refused wherever it stands."""

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from pipeline import config
from pipeline.cell.identity import configuration
from pipeline.config.families import FIELDS_OF_OTHER_FAMILIES
from pipeline.errors import BadInput
from pipeline.experiment import Experiment
from pipeline.metric.top_k import TopK
from pipeline.runtime import files


def composed(*overrides, hydra=False):
    config.register()
    with initialize_config_dir(config.CONF, version_base="1.3"):
        return compose("config", overrides=list(overrides), return_hydra_config=hydra)


def test_the_defaults_become_the_parts_own_classes():
    experiment = config.to_experiment(composed())
    assert type(experiment) is Experiment
    for group in ("data", "model", "sampling", "engine", "study", "tracking"):
        part = getattr(experiment, group)
        assert type(part) is config.FAMILIES[group][part.name]
    assert type(experiment.interval.loss) is config.FAMILIES["interval/loss"][experiment.interval.loss.name]


def test_overrides_and_added_metrics_reach_the_objects():
    experiment = config.to_experiment(composed("batch_size=7", "+metric=top_k", "metric.top_k.k=3"))
    assert experiment.batch_size == 7
    assert experiment.metric["top_k"] == TopK(k=3)


def test_a_config_with_hydras_own_part_gives_the_same_and_keeps_that_part():
    whole = composed("seed=4", hydra=True)
    assert config.to_experiment(whole) == config.to_experiment(composed("seed=4"))
    assert "hydra" in whole
    assert whole.seed == 4


@pytest.mark.parametrize(
    ("added", "near"),
    [("+drawz=3", "draws"), ("+model.hiden=[3]", "model.hidden"), ("+interval.loss.nam=x", "interval.loss.name")],
)
def test_a_key_that_no_part_knows_is_refused_where_hydra_would_add_it(added, near):
    with pytest.raises(BadInput, match=rf"^every key must be a known one; found .*: did you mean {near}\?$"):
        config.to_experiment(composed(added))


def test_a_value_out_of_its_range_is_refused_by_the_part_itself():
    with pytest.raises(BadInput, match=r"^study\.loss_cap must be above 0 nats or null; found -1"):
        config.to_experiment(composed("study.loss_cap=-1"))


def test_a_configuration_that_starts_from_nothing_is_no_experiment():
    with pytest.raises(BadInput, match=r"^conf/config.yaml must start from /schema/experiment; found dict$"):
        config.to_experiment(OmegaConf.create({"seed": 0}))


def test_every_part_is_registered_under_the_group_of_its_family_and_of_the_fields_that_take_it():
    config.register()
    known = ConfigStore.instance()
    for family, members in config.FAMILIES.items():
        assert {f"{name}.yaml" for name in members} <= set(known.list(f"schema/{family}"))
    for group, family in FIELDS_OF_OTHER_FAMILIES.items():
        assert {f"{name}.yaml" for name in config.FAMILIES[family]} <= set(known.list(f"schema/{group}"))


def test_hydra_writes_below_mlruns_and_keeps_no_overrides(tmp_path, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "own"))
    hydra = composed(hydra=True).hydra
    assert hydra.output_subdir is None
    assert str(hydra.run.dir).startswith(f"{files.mlruns()}/hydra/runs/")
    assert str(hydra.sweep.dir).startswith(f"{tmp_path}/own/hydra/sweeps/")


def test_the_config_of_a_cell_is_loaded_from_its_folder_and_checked(tmp_path):
    experiment = config.to_experiment(composed("seed=5", "sampling=importance"))
    path = tmp_path / "config.yaml"
    path.write_text(configuration(experiment), encoding="utf-8")
    assert config.load(tmp_path) == experiment
    path.write_text(path.read_text().replace("seed: 5", "seed: -5", 1), encoding="utf-8")
    with pytest.raises(BadInput, match=r"^seed must be a whole number of at least 0; found -5$"):
        config.load(tmp_path)
