"""The request of a sweep: all its cells, composed and checked before the first one runs."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, open_dict

from .. import config
from ..cell.identity import cell_digest, content_of, flatten, parameters, shaping, value_of, without
from ..cell.labels import labels_of
from ..config.variables import interpolations
from ..errors import BadInput
from ..experiment import Experiment
from ..runtime import files
from ..runtime.progress import Bar
from .composition import OverrideReader, is_updated

# batch_size=auto: batch sizes that suit the population.
AUTO = "auto"
_LARGEST_AUTO_SIZE = 100_000
# Each is a run with files of its own, and is checked before the first one starts.
_MOST_CELLS = 20_000
# What may differ between cells that share all their parts.
_NUMBERS: dict[str, type] = {"seed": int, "batch_size": int, "draws": int, "confidence": float}


@dataclass(frozen=True, eq=False)
class Cell:
    """One cell of a sweep.

    Attributes
    ----------
    overrides : list of str
        The overrides that Hydra composes the cell from.
    experiment : Experiment
    digest : str
        See `cell_digest`.
    population : str
        The name of the cell's rows, as it is called today: a finished cell of the same content may have another.
    """

    overrides: list[str]
    experiment: Experiment
    digest: str
    population: str

    @property
    def params(self) -> dict[str, str]:
        """The cell's configuration, flattened; made anew each time, for thousands of them fill memory."""
        return parameters(self.experiment)


@dataclass(frozen=True, eq=False)
class SweepRequest:
    """The request of a sweep.

    Attributes
    ----------
    cells : list of Cell
        At least one, in Hydra's order; no digest occurs twice.
    varied : tuple of str
        The keys with more than one value.
    digest : str
        Identifies the sweep by everything that its cells have in common. The values of the varied keys and of the
        study's axis are left out, so that a sweep that gets more values stays the same sweep.
    labels : dict of str to dict of str to str
        Short labels of the values of each varied key, by key; see `labels_of`.
    """

    cells: list[Cell]
    varied: tuple[str, ...]
    digest: str
    labels: dict[str, dict[str, str]]

    @property
    def asked(self) -> str:
        """Digest of what the table of this request shows: its cells, and the names that they are shown by."""
        return files.digest_of(sorted([cell.digest, cell.population] for cell in self.cells), self.labels)

    @property
    def first(self) -> Experiment:
        """The first cell's experiment."""
        return self.cells[0].experiment


def compose_request(master: DictConfig, loader: ConfigLoader, lines: list[str]) -> SweepRequest:
    """Compose and check every cell of a sweep; only caches are written.

    Parameters
    ----------
    master : DictConfig
        The composed configuration of the sweep itself.
    loader : ConfigLoader
        Hydra's configuration loader.
    lines : list of str
        The overrides, swept or not; of several for the same key the last one counts.

    Raises
    ------
    BadInput
        If a cell cannot be run, or the cells do not belong to one sweep.
    """
    swept = _swept(loader, lines)
    composer = _Composer(master, loader)
    if swept.get("batch_size") == [AUTO]:
        others = [f"{key}={values[0]}" for key, values in swept.items() if key != "batch_size"]
        swept["batch_size"] = [str(size) for size in _sizes(composer.experiment(others))]
    _refuse_too_many(swept)
    combinations = [
        [f"{key}={value}" for key, value in zip(swept, values, strict=True)]
        for values in itertools.product(*swept.values())
    ]
    if not combinations:
        raise BadInput(
            "a sweep must have at least one cell; found none: give a key some values, such as batch_size=10,100"
        )
    varied = tuple(key for key, values in swept.items() if len(values) > 1)
    cells, contents = _checked(combinations, composer)
    first = next(iter(cells.values())).experiment
    if len({type(cell.experiment.study) for cell in cells.values()}) > 1:
        raise BadInput("a sweep must ask one question; found several in study=…: give each its own sweep")
    open_keys = sorted({*varied, first.study.axis})
    common = without(flatten(shaping(first)), open_keys)
    shared = sorted(contents) if len(contents) == 1 else []
    own = files.digest_of(common, open_keys, shared, files.source_digest())
    found = list(cells.values())
    return SweepRequest(found, varied, own, _labels(varied, found))


def _labels(varied: tuple[str, ...], cells: list[Cell]) -> dict[str, dict[str, str]]:
    values: dict[str, list[str | None]] = {key: [] for key in varied}
    for cell in cells if varied else ():
        params = cell.params
        for key, own in values.items():
            own.append(value_of(params, key))
    return {key: labels_of(key, [value for value in own if value is not None]) for key, own in values.items()}


def _checked(combinations: list[list[str]], composer: _Composer) -> tuple[dict[str, Cell], set[str]]:
    """Return the cells by digest, each checked by preparing it, and the digests of the content that they read."""
    cells: dict[str, Cell] = {}
    contents, folders = set(), dict[str, str]()
    with Bar("Check", len(combinations), unit="cells", at_once=True) as progress:
        for overrides in combinations:
            experiment = composer.experiment(overrides)
            stages = experiment.prepare()
            content = content_of(stages)
            contents.add(files.digest_of(content))
            digest = cell_digest(experiment, content)
            _refuse_shared(experiment.study.kept_in(stages), digest, folders)
            cells.setdefault(digest, Cell(overrides, experiment, digest, stages.rows.name))
            progress.advance()
    return cells, contents


def _refuse_shared(folder: str | None, digest: str, folders: dict[str, str]) -> None:
    """Refuse a folder that an earlier cell changes already: what is in it would then not be of one cell."""
    if folder is not None and folders.setdefault(folder, digest) != digest:
        raise BadInput(
            f"cells of a sweep must keep their labels in folders of their own; found {folder} for two of them: start "
            "each by itself, with a study.folder of its own"
        )


def _swept(loader: ConfigLoader, lines: list[str]) -> dict[str, list[str]]:
    """Return the values of every overridden key, read by Hydra's own parser."""
    swept: dict[str, list[str]] = {}
    for override in OverridesParser.create(loader).parse_overrides(lines):
        if override.is_sweep_override():
            if not override.is_discrete_sweep():
                raise BadInput(f"a sweep must list its values, such as KEY=1,10; found {override.input_line}")
            # A range may have more values than memory holds.
            values = [str(value) for value in itertools.islice(override.sweep_string_iterator(), _MOST_CELLS + 1)]
        else:
            values = [str(override.get_value_element_as_str())]
        key = override.get_key_element()
        if key.split(".")[0] in ("tracking", "force") and len(values) > 1:
            raise BadInput(f"a sweep must go to one store, in one way; found several values of {key}: name one")
        if key == "data.inputs" and len(values) > 1 and not any("," in value for value in values):
            listed = ",".join(values)
            raise BadInput(
                f"data.inputs must be one value; found {listed}, a sweep over {len(values)} values: "
                f"{config.quoted(key, listed)}"
            )
        swept[key] = values
    return swept


def _refuse_too_many(swept: dict[str, list[str]]) -> None:
    several = {key: values for key, values in swept.items() if len(values) > 1}
    found = math.prod(map(len, several.values()))
    if found > _MOST_CELLS:
        is_cut = any(len(values) > _MOST_CELLS for values in several.values())
        of = " × ".join(f"{min(len(values), _MOST_CELLS):,} of {key}" for key, values in several.items())
        raise BadInput(
            f"a sweep must have at most {_MOST_CELLS:,} cells; found {'more than ' if is_cut else ''}"
            f"{_MOST_CELLS if is_cut else found:,} ({of}{' and more' if is_cut else ''}): leave values out, or make "
            "several sweeps of it"
        )


def refuse_long_lists(arguments: Sequence[str]) -> None:
    """Refuse a plain list of more values than a sweep has cells by its commas: Hydra takes seconds to read it, twice.

    Raises
    ------
    BadInput
        If an argument is such a list.
    """
    for argument in arguments:
        key, _, values = argument.partition("=")
        if values.count(",") >= _MOST_CELLS and not any(character in values for character in "[]{}()'\""):
            _refuse_too_many({key: values.split(",")})


def _sizes(experiment: Experiment) -> list[int]:
    """Return batch sizes in steps of about half a decade, from 1 to all units of the population."""
    n = experiment.sampling.units(experiment.data.rows(experiment.data.split)).size
    usual = [lead * 10**power for power in range(6) for lead in (1, 3)]
    return [
        *(size for size in usual if size < n and size <= _LARGEST_AUTO_SIZE),
        *([n] if n <= _LARGEST_AUTO_SIZE else []),
    ]


class _Composer:
    """Compose cells from overrides.

    Composing takes Hydra a third of a second, so cells that differ in plain values only share one composition. The
    first one is the sweep's own configuration, which Hydra has composed already.
    """

    def __init__(self, master: DictConfig, loader: ConfigLoader) -> None:
        self._master, self._loader = master, loader
        self._reader = OverrideReader(loader)
        # Hydra leaves the swept keys at their defaults, and applies the other overrides of the command line.
        fixed = [line for line in master.hydra.overrides.task if not self._reader.parse(line).is_sweep_override()]
        rest = tuple(line for line in fixed if not self._reader.is_plain(self._reader.parse(line)))
        self._composed: dict[tuple[str, ...], DictConfig] = {rest: _without_hydra(copy.deepcopy(master))}
        # The last one that was made, and the overrides that it was made of but for its numbers.
        self._last: tuple[list[str], Experiment] | None = None

    def experiment(self, overrides: list[str]) -> Experiment:
        """Return what the overrides ask for; making all parts anew takes milliseconds, other numbers none."""
        numbers = dict(filter(None, map(self._number, overrides)))
        rest = [line for line in overrides if self._number(line) is None]
        if self._last is not None and self._last[0] == rest:
            return replace(self._last[1], **numbers)
        made, composed = self._made(overrides)
        # Another value must not depend on a number, and what is made of the parts not on how often it was made.
        is_alone = not any(key in written for written in interpolations(composed) for key in _NUMBERS)
        self._last = (rest, made) if numbers and is_alone and replace(made) == made else None
        return made

    def _number(self, line: str) -> tuple[str, Any] | None:
        """Return the key and the value of an override that sets a number of the experiment itself."""
        override = self._reader.parse(line)
        key, value = override.key_or_group, override.value()
        is_number = type(value) is _NUMBERS.get(key) and self._reader.is_plain(override)
        return (key, value) if is_number else None

    def _made(self, overrides: list[str]) -> tuple[Experiment, DictConfig]:
        plain = [override for override in map(self._reader.parse, overrides) if self._reader.is_plain(override)]
        lines = {override.input_line for override in plain}
        rest = tuple(line for line in overrides if line not in lines)
        if rest not in self._composed or not is_updated(self._composed[rest], plain):
            self._composed[rest] = self._compose(overrides)
        return config.to_experiment(self._composed[rest]), self._composed[rest]

    def _compose(self, overrides: list[str]) -> DictConfig:
        return _without_hydra(self._loader.load_sweep_config(self._master, overrides))


def _without_hydra(composed: DictConfig) -> DictConfig:
    with open_dict(composed):
        del composed["hydra"]
    return composed
