"""Hydra's own errors, raised by Hydra, come out as one line: what must hold, what was found, what to do."""

import errno
import re
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from mlflow.exceptions import MlflowException
from omegaconf.errors import OmegaConfBaseException

from pipeline import config, errors
from pipeline.config.messages import is_plain, is_request_error, one_line, or_exit, unknown_key
from pipeline.errors import BadInput, Failed


def refused(*overrides):
    """What Hydra, or the schema, raises for these overrides."""
    config.register()
    wrong = (HydraException, OmegaConfBaseException, BadInput)
    with initialize_config_dir(config.CONF, version_base="1.3"), pytest.raises(wrong) as found:
        config.to_experiment(compose("config", overrides=list(overrides)))
    return found.value


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("batch_size=ten", r"batch_size must be a whole number; found 'ten': give another"),
        ("confidence=high", r"confidence must be a number; found 'high': give another"),
        ("sampling=stratifid", r"sampling must be one of blocks, difference, .*; found 'stratifid'"),
        ("interval/loss=tt", r"interval/loss must be one of .*\bt; found 'tt'"),
        ("+metric=brie", r"metric must be one of accuracy, .*; found 'brie'"),
        ("metric=[loss,brie]", r"metric must be of loss, accuracy, .*; found 'brie'"),
        ("sampling=stratifid", r".*; found 'stratifid': did you mean stratified\?$"),
        ("model=onxx", r".*; found 'onxx': did you mean onnx\?$"),
        ("model=perceptron", r".*; found 'perceptron'$"),
        ("metric=[loss,brie]", r".*: did you mean brier\?$"),
        ("force=perhaps", r"force must be true or false; found 'perhaps': give another$"),
        ("batch_size=10,abc", r"batch_size must be one value here; found 10,abc: (?!.*write)"),
        ("~model", r"model must be given; found none: name one with model=…, or leave ~model out$"),
        (
            "study/direction=random",
            r"study/direction must go with study=landscape or study=compare; found another study",
        ),
        (
            "data.path=p.csv",
            r"data\.path must go with data=npz, predictions, .* or \w+; found another data: add data=…",
        ),
        ("metric.top_k.k=2", r"metric\.top_k\.k must be of a metric that is chosen; found none: add it with "),
        ("batch_size", r"an option must be KEY=VALUE; found batch_size: write batch_size=VALUE$"),
        ("batchsize=3", r"every key must be a known one; found batchsize: did you mean batch_size\?"),
        (
            "model.lerning_rate=1",
            r"every key must be .*; found model\.lerning_rate: did you mean model\.learning_rate\?",
        ),
        ("batch_size=null", r"batch_size must have a value; found null: give one, or leave it out$"),
        ("draws=null", r"draws must have a value; found null: give one, or leave it out$"),
        ("+draw=3", r"every key must be a known one; found draw: did you mean draws\?"),
        (
            "batch_size=10,20",
            r"batch_size must be one value here; found 10,20: sweep over several with --multirun, as ",
        ),
    ],
)
def test_a_wrong_request_is_one_line_that_names_what_was_found(override, line):
    error = refused(override)
    said = one_line(error)
    assert re.match(line, said), said
    assert "\n" not in said
    assert is_request_error(error)


def test_what_is_chosen_already_is_changed_without_a_plus():
    said = one_line(refused("proxy=second_model", "+proxy/model=npz"))
    assert re.match(r"proxy/model must be chosen once; found .*: write proxy/model=npz, without a \+$", said), said


@pytest.mark.parametrize("value", ["/data/a (1).csv", "~/p.csv", "a[1].csv", "a=b.csv", "a{b", "it's (new).csv"])
def test_a_value_that_hydra_cannot_read_is_quoted_in_the_message_so_that_it_can(value, monkeypatch):
    monkeypatch.setattr("sys.argv", ["batchscope", "seed=1", f"data.path={value}"])
    parser = OverridesParser.create()
    with pytest.raises(HydraException) as caught:
        parser.parse_overrides([f"data.path={value}"])
    said = one_line(caught.value)
    assert said.startswith("data.path must be quoted if it holds any of ( )")
    assert f"found {value}: write" in said
    shell = re.search(r'write "(.*)" \(for make', said)[1]
    assert parser.parse_override(shell).value() == value


@pytest.mark.parametrize(
    ("override", "what"), [("batch_size=[1", "a whole number"), ("confidence=(0.9", "a number"), ("force={", "true or")]
)
def test_a_number_that_hydra_cannot_read_is_answered_with_what_it_must_be_and_no_quotes(override, what, monkeypatch):
    monkeypatch.setattr("sys.argv", ["batchscope", override])
    with pytest.raises(HydraException) as caught:
        OverridesParser.create().parse_overrides([override])
    key, _, value = override.partition("=")
    said = one_line(caught.value)
    assert said.startswith(f"{key} must be {what}")
    assert said.endswith(f"found {value!r}: give another")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("study.on=loss", "study.on must be a list; found loss: write study.on=[loss]"),
        ("study.margin=0.01", "study.margin must be given name by name; found 0.01: write study.margin.NAME=0.01"),
    ],
)
def test_one_value_in_the_place_of_several_is_answered_with_how_to_write_them(override, said):
    assert one_line(refused("study=gate", override)) == said


def test_text_with_commas_is_quoted_too_and_numbers_are_not():
    assert "or write \"data.inputs='age,height'\"" in one_line(refused("data.inputs=age,height", "data=table"))
    assert "write" not in one_line(refused("batch_size=10,20"))


def test_a_message_of_the_package_itself_stays_as_it_is():
    assert one_line(BadInput("seed must be 0; found 1")) == "seed must be 0; found 1"
    assert one_line(Failed("the store went away")) == "the store went away"


def test_of_other_messages_hydras_internal_lines_are_left_out():
    said = one_line(ValueError("cannot be\n    done\nfull_key: \nreference_type=int\nobject_type=Experiment\n"))
    assert said == "cannot be done"


def test_a_key_that_is_like_none_is_answered_with_all():
    said = unknown_key("zzz", ["seed", "draws"])
    assert said == "every key must be a known one; found zzz: choose one of seed, draws"
    assert unknown_key("data.pth", ["data.path", "data.name"]).endswith("found data.pth: did you mean data.path?")


def test_flags_that_exclude_each_other_are_a_wrong_request_and_other_value_errors_are_not():
    assert is_request_error(ValueError("Only one of --run, --multirun, --cfg can be specified"))
    assert not is_request_error(ValueError("Only one"))
    assert not is_request_error(UnicodeError("Only one of --run, --multirun"))


def test_what_failed_needs_no_traceback_and_is_no_wrong_request():
    assert is_plain(Failed("x"))
    assert not is_request_error(Failed("x"))
    assert not is_plain(ArithmeticError("x"))


@pytest.mark.parametrize(
    ("error", "status", "shown"),
    [
        (BadInput("seed must be 0; found 1"), 2, "seed must be 0; found 1"),
        (Failed("the store went away"), 1, "the store went away"),
        (ArithmeticError("a fault of ours"), 1, "Traceback"),
    ],
    ids=["request", "failure", "fault"],
)
def test_the_exit_status_tells_a_wrong_request_from_a_failure(error, status, shown, capsys, monkeypatch):
    monkeypatch.setattr(errors, "WANTS_TRACEBACK", False)

    def fail():
        raise error

    with pytest.raises(SystemExit) as left:
        or_exit(fail)
    assert left.value.code == status
    said = capsys.readouterr().err
    assert shown in said
    assert ("Traceback" in said) is (shown == "Traceback")


def test_a_traceback_is_shown_of_a_request_too_where_it_is_wanted(capsys, monkeypatch):
    monkeypatch.setattr(errors, "WANTS_TRACEBACK", True)
    with pytest.raises(SystemExit) as left:
        or_exit(lambda: config.FAMILIES["data"]["digits"](split="none").load())
    assert left.value.code == 2
    assert "Traceback" in capsys.readouterr().err


def test_work_that_succeeds_gives_its_value():
    assert or_exit(lambda: 7) == 7


def test_an_error_of_the_disk_and_one_of_the_store_are_said_in_one_line_and_others_stay(tracking, own_mlruns):
    assert "No space left" in str(config.in_words(OSError(errno.ENOSPC, "No space left on device")))
    for error in (ArithmeticError("no"), OSError(errno.ENOENT, "no such file", "elsewhere"), BadInput("wrong")):
        assert config.in_words(error) is error
    store = tracking.open()
    with pytest.raises(MlflowException) as given:
        store._client.get_run("abc")
    found = config.in_words(given.value)
    assert isinstance(found, Failed)
    assert str(found).startswith("the store must answer and be whole; it did not (Run with id=abc not found)")


def test_a_path_that_the_system_does_not_take_is_one_line(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in ("/" + "x" * 5000, tmp_path / "loop"):
        with pytest.raises(OSError, match=r"too long|symbolic links") as caught:
            Path(path).read_bytes()
        said = str(config.in_words(caught.value))
        assert said.startswith("every path must be one that the system takes; found /")
        assert len(said) < 300


def test_a_python_tag_in_a_configuration_is_one_line_and_nothing_is_made():
    with pytest.raises(yaml.YAMLError) as caught:
        yaml.safe_load("a: !!python/object/apply:os.getcwd []")
    said = str(config.in_words(caught.value))
    assert said.startswith("a configuration must be plain YAML, without Python tags; found: could not determine a con")
    assert config.is_request_error(config.in_words(caught.value))


def test_a_margin_of_a_metric_that_the_gate_is_not_asked_of_says_what_to_do():
    said = one_line(refused("study=gate", "study.margin.brier=0.1"))
    assert said == (
        "study.margin must be of a metric that the gate is asked of; found brier: give it as +study.margin.brier=…, "
        "and name brier in study.on"
    )


def test_a_margin_of_a_misspelt_metric_names_all_metrics_and_the_nearest_one():
    said = one_line(refused("study=gate", "study.on=[acuracy]", "study.margin.acuracy=0.1"))
    assert re.match(
        r"study\.margin must be of the metrics loss, accuracy, .*, ece; found acuracy: did you mean accuracy\?$", said
    )


def test_all_metrics_that_there_are_none_of_are_named(monkeypatch):
    monkeypatch.setattr("sys.argv", ["pipeline", "metric=[loss,auc,nonsense,other]"])
    said = one_line(refused("metric=[loss,auc,nonsense,other]"))
    assert said.endswith("found 'nonsense, other'")
