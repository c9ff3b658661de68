"""Hydra's and OmegaConf's errors as one line: what must hold, what was found, what to do."""

from __future__ import annotations

import dataclasses
import difflib
import re
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import TypeVar

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from .. import errors
from ..errors import BadInput, Failed, brief
from ..experiment import Experiment
from ..report import terminal
from ..runtime import files, signals
from ..tracking.failures import is_lost, reason
from .families import FAMILIES

T = TypeVar("T")


def unknown_key(key: str, known: list[str]) -> str:
    """Return what is said of a key that is none of `known`, with the nearest one."""
    leaves = {name.rpartition(".")[2]: name for name in known}
    near = difflib.get_close_matches(key.rpartition(".")[2], leaves, n=1)
    advice = f"did you mean {leaves[near[0]]}?" if near else f"choose one of {', '.join(known)}"
    return f"every key must be a known one; found {key}: {advice}"


def or_exit(work: Callable[[], T]) -> T:
    """Do the work, or say what was wrong and exit: with 2 where it was the request, else with 1.

    Hydra turns an exception of a callback into a warning and goes on, and prints lines of its own before one of a job;
    a SystemExit it lets through.
    """
    try:
        return work()
    except Exception as given:
        signals.exit_if_asked()
        error = in_words(given)
        if errors.WANTS_TRACEBACK or not is_plain(error):
            traceback.print_exc()
        else:
            terminal.error(one_line(error))
        raise SystemExit(2 if is_request_error(error) else 1) from given


def in_words(error: BaseException) -> BaseException:
    """Return the exception whose message is the whole answer if the disk or the store failed, else the error itself."""
    if isinstance(error, OSError) and files.is_unwritable(error):
        return files.unwritable(error)
    if isinstance(error, OSError) and files.is_no_path(error):
        return BadInput(
            f"every path must be one that the system takes; found {brief(error.filename)} ({error.strerror}): check it"
        )
    if isinstance(error, YAMLError):
        return BadInput(
            f"a configuration must be plain YAML, without Python tags; found: {brief(error, most=240)}: mend that file"
        )
    # Without MLflow it is no error of a store, and its import takes seconds.
    if "mlflow" in sys.modules and isinstance(error, Exception) and not is_plain(error) and is_lost(error):
        return Failed(
            f"the store must answer and be whole; it did not ({reason(error)}): start again when it does, or let "
            "tracking.uri name another; results that wait for it are kept"
        )
    return error


def is_plain(error: BaseException) -> bool:
    """Whether the error's message is the whole answer, and no traceback is wanted."""
    return isinstance(error, Failed) or is_request_error(error)


def is_request_error(error: BaseException) -> bool:
    """Whether the error says that the request was wrong, rather than that something failed."""
    # Hydra has no class of its own for flags that exclude each other.
    is_flags = type(error) is ValueError and str(error).startswith("Only one of --run")
    return is_flags or isinstance(error, BadInput | HydraException | OmegaConfBaseException)


def one_line(error: BaseException) -> str:
    """Say in one line what was wrong with a request."""
    if isinstance(error, MissingConfigException) and error.options is not None:
        group, _, choice = str(error.missing_cfg_file).rpartition("/")
        return (
            f"{group} must be one of {', '.join(sorted(error.options))}; found {choice!r}{_near(choice, error.options)}"
        )
    if isinstance(error, MissingConfigException) and str(error.missing_cfg_file).startswith("metric/"):
        choice = str(error.missing_cfg_file).removeprefix("metric/")
        choice = _unknown_metrics() or choice
        return f"metric must be of {', '.join(FAMILIES['metric'])}; found {choice!r}{_near(choice, FAMILIES['metric'])}"
    if isinstance(error, ConfigCompositionException) and error.__cause__ is not None:
        outer, inner = str(error).strip(), str(error.__cause__).strip()
        return _in_our_words(inner if not outer or outer == "None" else f"{outer}: {inner}")
    return _in_our_words(str(error))


def quoted(key: str, value: str) -> str:
    """Return the advice how to write a value with special characters, in a shell and in make."""
    value = value.replace("'", "\\'")
    return f"""write "{key}='{value}'" (for make: ARGS="{key}=\\"'{value}'\\"")"""


def _unreadable_override() -> tuple[str, str] | None:
    """Return the key and the value of the first argument of the command line that Hydra cannot parse."""
    parser = OverridesParser.create()
    for argument in sys.argv[1:]:
        key, equals, value = argument.partition("=")
        try:
            if equals and not argument.startswith("-"):
                parser.parse_override(argument)
        except HydraException:
            return key, value.strip("'\"")
    return None


_TYPES = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false", "String": "text"}


def _in_our_words(message: str) -> str:
    """Hydra's and OmegaConf's most frequent messages as: what must hold, what was found, what to do."""
    if several := re.search(r"Ambiguous value for argument '([^=']+)=([^']*)'", message):
        key, values = several.groups()
        how = f"sweep over several with --multirun, as {files.command('sweep')} does"
        is_text = not re.fullmatch(r"[-+.\de,\s]*", values) and key not in _kinds()
        return f"{key} must be one value here; found {values}: {how}{f', or {quoted(key, values)}' if is_text else ''}"
    if bare := re.search(r"Error parsing override '(.*)'\s+missing EQUAL", message, re.DOTALL):
        return f"an option must be KEY=VALUE; found {brief(bare[1])}: write {brief(bare[1])}=VALUE"
    if "override_grammar" in message and (wrong_one := _unreadable_override()):
        key, value = wrong_one
        if key in _kinds():
            return f"{key} must be {_kinds()[key]}; found {value!r}: give another"
        return (
            f"{key} must be quoted if it holds any of ( ) [ ] {{ }} = : ~ , ' \"; found {value}: {quoted(key, value)}"
        )
    full_key = re.search(r"full_key: (\S+)", message)
    key = full_key[1] if full_key else "a value"
    if wrong := re.search(r"Value '(.*)' of type '.*' could not be converted to (\w+)", message):
        return f"{key} must be {_TYPES.get(wrong[2], f'of type {wrong[2]}')}; found {wrong[1]!r}: give another"
    if wrong := re.search(r"Value '(.*)' is not a valid bool", message):
        return f"{key} must be {_TYPES['Boolean']}; found {wrong[1]!r}: give another"
    if wrong := re.search(
        r"Error merging override (\S+?)=(\S+?): .*(is not a ListConfig|Cannot assign \w+ to Dict)", message
    ):
        key, value, what = wrong.groups()
        if what.endswith("ListConfig"):
            return f"{key} must be a list; found {value}: write {key}=[{value}]"
        return f"{key} must be given name by name; found {value}: write {key}.NAME={value}"
    if optional := re.search(r"field '([^']+)' is not Optional", message):
        return f"{key if full_key else optional[1]} must have a value; found null: give one, or leave it out"
    if twice := re.search(r"Multiple values for (\S+)\. To override a value use 'override \S+ (.*)'", message):
        return f"{twice[1]} must be chosen once; found it chosen already: write {twice[1]}={twice[2]}, without a +"
    if "Missing mandatory value" in message:
        return f"{key} must be given; found none: name one with {key}=…, or leave ~{key} out"
    if other := re.search(r"Could not override '([\w/]+)'\. No match in the defaults list", message):
        return _of_other_part(other[1])
    if other := re.search(r"Could not override '(metric\.(\w+)[^']*)'.*is not in struct", message, re.DOTALL):
        return f"{other[1]} must be of a metric that is chosen; found none: add it with +metric={other[2]}"
    if other := re.search(r"Could not override 'study\.margin\.([^']+)'.*is not in struct", message, re.DOTALL):
        return _of_margin(other[1])
    if missing := re.search(r"Key '([^']+)' (?:not in|is not in) '(\w+)'", message):
        unknown = full_key[1] if full_key else missing[1]
        return _of_sibling(unknown) or unknown_key(unknown, _keys_beside(missing[2], full_key[1] if full_key else ""))
    return _squeezed(message)


def _of_margin(name: str) -> str:
    """Return what is said of a margin of a metric that has none in the configuration."""
    from ..metric.columns import refuse_unknown

    try:
        refuse_unknown("study.margin", name)
    except BadInput as error:
        return str(error)
    return (
        f"study.margin must be of a metric that the gate is asked of; found {name}: give it as "
        f"+study.margin.{name}=…, and name {name} in study.on"
    )


def _unknown_metrics() -> str:
    """Return all metrics of the command line that there are none of, for Hydra names one alone."""
    from ..metric.together import TOGETHER

    values = [argument.partition("=")[2] for argument in sys.argv[1:] if argument.startswith("metric=[")]
    names = [name.strip() for value in values for name in value.strip("[]").split(",")]
    return ", ".join(name for name in names if name and name not in FAMILIES["metric"] and name not in TOGETHER)


def _near(choice: str, options: Iterable[str]) -> str:
    """Return the question whether the nearest of the choices was meant; empty where none is near."""
    near = difflib.get_close_matches(choice, list(options), n=1)
    return f": did you mean {near[0]}?" if near else ""


def _kinds() -> dict[str, str]:
    """Return what the values of the top-level keys must be."""
    words = {"int": _TYPES["Integer"], "float": _TYPES["Float"], "bool": _TYPES["Boolean"]}
    return {field.name: words[field.type] for field in dataclasses.fields(Experiment) if field.type in words}


def _of_other_part(group: str) -> str:
    """Return what is said of a group of choices that no chosen part has, such as study/direction."""
    above, _, field = group.rpartition("/")
    parts = {name: made for name, made in FAMILIES.get(above, {}).items() if field in _fields(made)}
    if not parts:
        return f"every group must be a known one; found {group}: choose one of {', '.join(FAMILIES)}"
    choices = " or ".join(f"{above}={name}" for name in parts)
    return f"{group} must go with {choices}; found another {above}: add one of them, or leave {group} out"


def _of_sibling(key: str) -> str:
    """Return what is said of a key that other choices of the group have, such as data.path; empty where none has it."""
    group, _, field = key.rpartition(".")
    group = group.replace(".", "/")
    owners = [name for name, made in FAMILIES.get(group, {}).items() if field in _fields(made)]
    if not owners:
        return ""
    choices = " or ".join(filter(None, [", ".join(owners[:-1]), owners[-1]]))
    return f"{key} must go with {group}={choices}; found another {group}: add {group}=…, or leave {key} out"


def _fields(part: type) -> list[str]:
    return [field.name for field in dataclasses.fields(part)]


def _keys_beside(part: str, key: str) -> list[str]:
    at, dot, _ = key.rpartition(".")
    parts = {made.__name__: made for members in FAMILIES.values() for made in members.values()}
    made = {**parts, "Experiment": Experiment}.get(part)
    return [f"{at}{dot}{field.name}" for field in dataclasses.fields(made)] if made else []


def _squeezed(message: str) -> str:
    """One line of a message of several, without OmegaConf's internal ``object_type=`` lines."""
    lines = [line.strip() for line in message.splitlines()]
    kept = [line for line in lines if line and not re.match(r"^(object_type|reference_type|full_key: ?$)", line)]
    return " ".join(kept)
