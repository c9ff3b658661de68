"""The sweeper: its params and the command line make the request, and the launcher gets the cells in handfuls."""

import copy
from types import SimpleNamespace

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext
from omegaconf import OmegaConf

from pipeline import config, sweeps
from pipeline.errors import BadInput
from pipeline.sweeps.composition import SharedCompositions
from pipeline.sweeps.plugins import launchers
from pipeline.sweeps.plugins import sweeper as module
from pipeline.sweeps.plugins.sweeper import CellsSweeper


class Launcher:
    """A launcher that keeps what it is handed; every job ends as `job` says."""

    def __init__(self, job=None):
        self.handed, self.job = [], job or JobReturn(status=JobStatus.COMPLETED)

    def launch(self, cells, initial_job_idx):
        self.handed.append((initial_job_idx, list(cells)))
        return [self.job for _ in cells]


@pytest.fixture
def made(tmp_path):
    """A function from the sweeper's own settings to a sweeper with such a launcher."""

    def make(*, job=None, study="evaluate", **settings):
        sweeper = CellsSweeper(**settings)
        sweeper._launcher = Launcher(job)
        sweeper._config = OmegaConf.create({"hydra": {"sweep": {"dir": str(tmp_path)}}, "study": {"name": study}})
        sweeper._context = SimpleNamespace(config_loader=None)
        return sweeper

    return make


CELLS = [[f"batch_size={size}"] for size in range(5)]


def test_all_cells_are_handed_over_at_once_unless_a_number_is_set(made):
    sweeper = made()
    sweeper._launch(CELLS, 3)
    assert sweeper._launcher.handed == [(3, CELLS)]


def test_a_handful_at_a_time_keeps_the_numbers_of_the_jobs(made):
    sweeper = made(max_batch_size=2)
    sweeper._launch(CELLS, 10)
    assert sweeper._launcher.handed == [(10, CELLS[:2]), (12, CELLS[2:4]), (14, CELLS[4:])]


def test_what_kept_a_job_from_running_is_raised(made):
    failed = JobReturn(status=JobStatus.FAILED)
    failed.return_value = MemoryError("the worker was killed")
    with pytest.raises(MemoryError, match="the worker was killed"):
        made(job=failed)._launch(CELLS, 0)


def test_pickled_jobs_are_removed_after_the_launch_and_logs_stay(made, tmp_path):
    folder = tmp_path / ".submitit" / "17"
    folder.mkdir(parents=True)
    for name in ("17_submitted.pkl", "17_0_result.pkl", "17_0_log.out"):
        (folder / name).touch()
    made()._launch(CELLS, 0)
    assert [path.name for path in folder.iterdir()] == ["17_0_log.out"]


@pytest.mark.parametrize("own", ["draws=5", "batch_size=7"])
def test_the_command_line_comes_after_the_params_and_so_wins(made, monkeypatch, own):
    assert asked(made, monkeypatch, "evaluate", [own]) == ["batch_size=10,30", "seed=1,2", own]


def test_a_key_of_the_command_line_takes_the_place_of_those_that_the_study_names(made, monkeypatch):
    replaced = {name: part.replaced for name, part in config.FAMILIES["study"].items() if part.replaced}
    assert replaced
    for study, table in replaced.items():
        for key, names in table.items():
            params = dict.fromkeys(names, "1,2") | {"seed": "0,1"}
            assert asked(made, monkeypatch, study, ["draws=5"], params) == [
                *(f"{name}=1,2" for name in names),
                "seed=0,1",
                "draws=5",
            ]
            assert asked(made, monkeypatch, study, [f"+{key}=3"], params) == ["seed=0,1", f"+{key}=3"]


def asked(made, monkeypatch, study, arguments, params=None):
    """The overrides that the sweep is run with."""
    found = []
    monkeypatch.setattr(module, "run", lambda master, loader, lines, launch: found.extend(lines))
    made(study=study, params=params or {"batch_size": "10,30", "seed": "1,2"}).sweep(arguments)
    return found


def test_a_launcher_that_cannot_work_here_is_refused_when_the_sweeper_is_set_up(monkeypatch):
    Plugins.instance()
    store = ConfigStore.instance()
    before = copy.deepcopy(store.repo)
    monkeypatch.setattr(launchers, "is_installed", lambda _: False)
    try:
        config.register()
        sweeps.register()
        with initialize_config_dir(config.CONF, version_base="1.3"):
            composed = compose("config", overrides=["hydra/launcher=joblib"], return_hydra_config=True)
        with pytest.raises(BadInput, match=r"^hydra/launcher must be an installed one"):
            CellsSweeper().setup(
                hydra_context=HydraContext(config_loader=None, callbacks=None), task_function=print, config=composed
            )
    finally:
        store.repo = before


def test_a_sweep_of_one_process_hands_ten_cells_over_at_a_time_and_composes_them_together():
    config.register()
    sweeps.register()
    with initialize_config_dir(config.CONF, version_base="1.3"):
        composed = compose("config", return_hydra_config=True)
        loader = GlobalHydra.instance().config_loader()
        sweeper = CellsSweeper()
        sweeper.setup(
            hydra_context=HydraContext(config_loader=loader, callbacks=None), task_function=print, config=composed
        )
    assert isinstance(sweeper._launcher.hydra_context.config_loader, SharedCompositions)
    handed = []
    sweeper._launcher.launch = lambda cells, initial_job_idx: handed.append((initial_job_idx, len(cells))) or []
    sweeper._launch([[f"batch_size={size}"] for size in range(25)], 3)
    assert handed == [(3, 10), (13, 10), (23, 5)]
