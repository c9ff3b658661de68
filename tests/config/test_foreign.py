"""A configuration file from elsewhere starts no class, makes no folder and opens no log: it is refused in one line."""

import copy
import pickle
import sys

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf, open_dict

from pipeline import config, sweeps
from pipeline.cell.identity import configuration
from pipeline.config.foreign import CLASSES, checked, refuse_foreign_settings, refuse_unknown_classes
from pipeline.errors import BadInput


@pytest.fixture
def stranger(stages_of, tmp_path):
    """A function that writes a recorded configuration with something more in it; returns its folder."""
    recorded = yaml.safe_load(configuration(stages_of(batch_size=30, draws=5).experiment))
    folder = tmp_path / "stranger"
    folder.mkdir()

    def write(hydra=None, defaults=(), **files):
        content = {**recorded, "hydra": hydra or {}}
        # Choices that override others must stand last.
        content["defaults"] = [*recorded["defaults"], *defaults]
        content["defaults"].sort(key=lambda line: isinstance(line, dict))
        (folder / "config.yaml").write_text(yaml.safe_dump(content))
        for name, text in files.items():
            (folder / name.replace("__", "/")).parent.mkdir(parents=True, exist_ok=True)
            (folder / f"{name.replace('__', '/')}.yaml").write_text(text)
        return folder

    return write


def composed(folder, *overrides):
    config.register()
    sweeps.register()
    with checked(), initialize_config_dir(str(folder), version_base="1.3"):
        return compose("config", list(overrides), return_hydra_config=True)


@pytest.fixture(scope="module")
def usual():
    """What the program's own files give."""
    return composed(config.CONF)


READ = {"_target_": "pandas.read_pickle", "filepath_or_buffer": "evil"}
CHECK = {"_target_": "pipeline.sweeps.callback.Check"}


@pytest.mark.parametrize(
    ("hydra", "named"),
    [
        ({"callbacks": {"x": READ}}, r"hydra\.callbacks\.x\._target_ must be a class of this program"),
        ({"callbacks": {"x": {**CHECK, "y": READ}}}, r"hydra\.callbacks\.x\.y\._target_ must be a class"),
        ({"callbacks": {"x": {**CHECK, "y": [READ]}}}, r"hydra\.callbacks\.x\.y\.0\._target_ must be a class"),
        ({"callbacks": {"x": {"_target_": "${oc.env:HOME}"}}}, r"hydra\.callbacks\.x\._target_ must be a class"),
        ({"callbacks": {"x": {"_target_": "hydra.utils.call"}}}, r"hydra\.callbacks\.x\._target_ must be a class"),
        ({"callbacks": {"x": CHECK}}, r"hydra\.callbacks\.x\._target_ must be set on the command line"),
        ({"sweeper": {"params": {"x": READ}}}, r"hydra\.sweeper\.params\.x\._target_ must be a class"),
        ({"launcher": {"_target_": "os.system"}}, r"hydra\.launcher\._target_ must be a class"),
        ({"run": {"dir": "/anywhere"}}, r"hydra\.run\.dir must be set on the command line; found /anywhere in a file"),
        ({"sweep": {"dir": "/anywhere"}}, r"hydra\.sweep\.dir must be set on the command line"),
        ({"sweep": {"subdir": "../../x"}}, r"hydra\.sweep\.subdir must be set on the command line"),
        ({"output_subdir": "../../x"}, r"hydra\.output_subdir must be set on the command line"),
        ({"job": {"chdir": True}}, r"hydra\.job\.chdir must be set on the command line"),
        ({"job": {"name": "../../x"}}, r"hydra\.job\.name must be set on the command line"),
        ({"job": {"env_set": {"LD_PRELOAD": "x.so"}}}, r"hydra\.job\.env_set\.LD_PRELOAD must be set on the command"),
        ({"job_logging": {"handlers": {"x": {"class": "os.system"}}}}, r"handlers\.x\.class must be one of logging\."),
        ({"job_logging": {"handlers": {"x": {"()": "os.system"}}}}, r"job_logging\.handlers\.x\.\(\) must be one of"),
        ({"hydra_logging": {"x": "ext://antigravity.y"}}, r"hydra_logging\.x must be one of"),
        (
            {"job_logging": {"handlers": {"x": {"class": "logging.FileHandler", "filename": "/anywhere"}}}},
            r"hydra\.job_logging\.handlers\.x\.\w+ must be set on the command line",
        ),
        ({"sweeper": {"params": {"hydra.run.dir": "a,b"}}}, r"hydra\.sweeper\.params must not vary Hydra itself"),
        ({"sweeper": {"params": {"+x@hydra.job": "a,b"}}}, r"hydra\.sweeper\.params must not vary Hydra itself"),
    ],
)  # fmt: skip
def test_what_a_file_from_elsewhere_may_not_set_is_refused(usual, hydra, named):
    given = copy.deepcopy(usual)
    with open_dict(given):
        given.hydra = OmegaConf.merge(given.hydra, hydra)

    def check():
        refuse_unknown_classes(given)
        refuse_foreign_settings(given, lambda lines: usual)

    with pytest.raises(BadInput, match=named):
        check()


def test_a_search_path_is_refused_before_hydra_follows_it(stranger):
    with pytest.raises(BadInput, match=r"hydra\.searchpath must be set on the command line; found"):
        composed(stranger({"searchpath": ["pkg://antigravity"]}))
    assert "antigravity" not in sys.modules


def test_settings_of_a_file_that_packs_itself_into_hydras_are_refused_too(stranger):
    packed = stranger(None, ["extra/evil"], extra__evil="# @package hydra.run\ndir: /anywhere\n")
    with pytest.raises(BadInput, match=r"hydra\.run\.dir must be set on the command line"):
        composed(packed)


def test_a_launcher_of_the_files_own_is_none_of_the_choices(stranger):
    own = {"hydra__launcher__mine": "_target_: hydra._internal.core_plugins.basic_launcher.BasicLauncher\n"}
    with pytest.raises(BadInput, match=r"the choices of hydra/… must be this program's; found .*hydra/launcher=mine"):
        composed(stranger(None, [{"override /hydra/launcher": "mine"}], **own))


def test_a_file_may_name_a_sweep_and_a_launcher_and_its_numbers(stranger):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    hydra = {"mode": "MULTIRUN", "sweeper": {"params": {"batch_size": "10,20"}}, "launcher": {"n_jobs": 2}}
    found = composed(stranger(hydra, [{"override /hydra/launcher": "joblib"}]))
    assert (found.hydra.launcher.n_jobs, found.hydra.sweeper.params.batch_size) == (2, "10,20")


def test_the_command_line_may_set_what_a_file_may_not_but_for_classes(stranger):
    folder = stranger()
    found = composed(folder, "hydra.run.dir=here", "hydra.sweep.subdir=there", "+hydra.job.env_set.X=1")
    assert (found.hydra.run.dir, found.hydra.job.env_set.X) == ("here", "1")
    for place in (folder, config.CONF):
        with pytest.raises(BadInput, match=r"hydra\.callbacks\.x\._target_ must be a class of this program"):
            composed(place, "+hydra.callbacks.x._target_=os.system", "+hydra.callbacks.x.command=true")


def test_the_programs_own_choices_of_launchers_start_known_classes():
    for launcher in ("joblib", "submitit", "ray"):
        found = composed(config.CONF, f"hydra/launcher={launcher}")
        assert OmegaConf.select(found, "hydra.launcher._target_") in CLASSES


class Evil:
    """What leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_strangers_configuration_runs_no_code_and_makes_no_folder(request_of, stranger, new_mlruns, tmp_path):
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(Evil(tmp_path / "ran")))
    mlruns = new_mlruns()
    read = {"_target_": "pandas.read_pickle", "filepath_or_buffer": str(tmp_path / "evil.pkl")}
    for hydra, how in (({"callbacks": {"x": read}}, []), ({"run": {"dir": str(tmp_path / "made")}}, ["--multirun"])):
        done = request_of("--config-path", str(stranger(hydra)), "--config-name", "config", *how, mlruns=mlruns)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert "hydra." in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"evil.pkl", "stranger"}
    pickle.loads((tmp_path / "evil.pkl").read_bytes()).close()
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("study", "hydra", "typed", "is_refused"),
    [
        ({"labels": "touch evil"}, {}, (), True),
        ({}, {"sweeper": {"params": {"study.labels": "touch evil"}}}, (), True),
        ({}, {"sweeper": {"params": {"+study": "{name:label,labels:evil}"}}}, (), True),
        ({"labels": "touch evil"}, {}, ("study.labels=own",), False),
        ({}, {}, ("study.labels=own",), False),
        ({}, {}, (), False),
    ],
)
def test_a_program_that_labels_is_taken_from_the_command_line_alone(tmp_path, study, hydra, typed, is_refused):
    recorded = yaml.safe_load(configuration(config.composed(["+experiment=label"])))
    content = recorded | {"study": recorded["study"] | study, "hydra": hydra}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(content))
    if is_refused:
        with pytest.raises(BadInput, match=r"study.labels must be set on the command line, .*found .*evil"):
            composed(tmp_path, *typed)
    else:
        assert composed(tmp_path, *typed).study.labels == ("own" if typed else None)
