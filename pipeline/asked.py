"""What a sweep asks for: its cells, composed and checked before the first is carried out."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, open_dict

from pipeline import config, files, report
from pipeline.errors import BadInput
from pipeline.experiment import Experiment
from pipeline.identity import cell_digest, content_of, flatten, shaping, without

# In place of batch sizes: those that suit the population.
AUTO = "auto"
_MOST = 100_000


@dataclass(frozen=True, eq=False)
class Cell:
    """A cell of a sweep.

    Attributes
    ----------
    overrides : list of str
        As Hydra is given them.
    experiment : Experiment
    digest : str
        See `cell_digest`.
    """

    overrides: list[str]
    experiment: Experiment
    digest: str


@dataclass(frozen=True, eq=False)
class Asked:
    """A sweep, as it is asked for.

    Attributes
    ----------
    cells : list of Cell
        At least one, in Hydra's order; no digest twice.
    varied : tuple of str
        The keys with more than one value.
    digest : str
        Of everything that the cells have in common; the values of the varied keys and of the study's axis have no part
        in it, so that a sweep that is given more of them stays the same sweep.
    """

    cells: list[Cell]
    varied: tuple[str, ...]
    digest: str

    @property
    def first(self) -> Experiment:
        """The first cell's experiment."""
        return self.cells[0].experiment


def ask(master: DictConfig, loader: ConfigLoader, lines: list[str]) -> Asked:
    """Compose and check every cell of a sweep; nothing is written but the caches.

    Parameters
    ----------
    master : DictConfig
        The composed configuration of the sweep itself.
    loader : ConfigLoader
        Hydra's.
    lines : list of str
        The overrides, swept or not; of the same key the last one counts.

    Raises
    ------
    BadInput
        If a cell cannot be carried out, or the cells make no sweep.
    """
    swept = _swept(loader, lines)
    composer = _Composer(master, loader)
    if swept.get("batch_size") == [AUTO]:
        others = [f"{key}={values[0]}" for key, values in swept.items() if key != "batch_size"]
        swept["batch_size"] = [str(size) for size in _sizes(composer.experiment(others))]
    combinations = [
        [f"{key}={value}" for key, value in zip(swept, values, strict=True)]
        for values in itertools.product(*swept.values())
    ]
    if not combinations:
        raise BadInput(
            "a sweep must have at least one cell; found none: give a key some values, such as batch_size=10,100"
        )
    varied = tuple(key for key, values in swept.items() if len(values) > 1)
    cells: dict[str, Cell] = {}
    contents = set()
    progress = report.Progress(len(combinations), "cells", what="Check")
    progress.start()
    try:
        for overrides in combinations:
            experiment = composer.experiment(overrides)
            setting = experiment.prepare()
            content = content_of(experiment, setting)
            contents.add(files.digest_of(content))
            digest = cell_digest(experiment, content)
            cells.setdefault(digest, Cell(overrides, experiment, digest))
            progress.advance()
    finally:
        progress.stop()
    first = next(iter(cells.values())).experiment
    if len({type(cell.experiment.study) for cell in cells.values()}) > 1:
        raise BadInput("a sweep must ask one question; found several in study=…: give each its own sweep")
    open_keys = sorted({*varied, first.study.axis})
    common = without(flatten(shaping(first)), open_keys)
    shared = sorted(contents) if len(contents) == 1 else []
    own = files.digest_of(common, open_keys, shared, files.source_digest())
    return Asked(list(cells.values()), varied, own)


def _swept(loader: ConfigLoader, lines: list[str]) -> dict[str, list[str]]:
    """Every override of the sweep with its values, as Hydra's own sweeper reads them."""
    swept: dict[str, list[str]] = {}
    for override in OverridesParser.create(loader).parse_overrides(lines):
        if override.is_sweep_override():
            if not override.is_discrete_sweep():
                raise BadInput(f"a sweep must list its values, such as KEY=1,10; found {override.input_line}")
            values = [str(value) for value in override.sweep_string_iterator()]
        else:
            values = [str(override.get_value_element_as_str())]
        key = override.get_key_element()
        if key.split(".")[0] in ("tracking", "force") and len(values) > 1:
            raise BadInput(f"a sweep must go to one store, in one way; found several values of {key}: name one")
        swept[key] = values
    return swept


def _sizes(experiment: Experiment) -> list[int]:
    """Return batch sizes of some half decade each, from 1 to all units of the population."""
    n = experiment.sampling.units(experiment.data.rows(experiment.data.split)).size
    usual = [lead * 10**power for power in range(6) for lead in (1, 3)]
    return [*(size for size in usual if size < n and size <= _MOST), *([n] if n <= _MOST else [])]


class _Composer:
    """Cells from overrides; those that differ in plain values alone share one composition, which costs 70 ms."""

    def __init__(self, master: DictConfig, loader: ConfigLoader) -> None:
        self._master, self._loader = master, loader
        self._parser = OverridesParser.create(loader)
        self._parsed: dict[str, Override] = {}
        self._groups: dict[str, bool] = {}
        self._composed: dict[tuple[str, ...], DictConfig] = {}

    def experiment(self, overrides: list[str]) -> Experiment:
        plain = [override for override in map(self._parse, overrides) if self._is_plain(override)]
        lines = {override.input_line for override in plain}
        rest = tuple(line for line in overrides if line not in lines)
        if rest not in self._composed:
            self._composed[rest] = self._compose(overrides)
        else:
            for override in plain:
                OmegaConf.update(self._composed[rest], override.key_or_group, override.value(), merge=True)
        return config.to_experiment(self._composed[rest])

    def _parse(self, line: str) -> Override:
        if line not in self._parsed:
            self._parsed[line] = self._parser.parse_override(line)
        return self._parsed[line]

    def _is_plain(self, override: Override) -> bool:
        if override.is_add() or override.is_force_add() or override.is_delete() or override.package is not None:
            return False
        # A dictionary would be merged into the last cell's; a choice of a group brings other keys.
        is_container = isinstance(override.value(), dict | list)
        return not is_container and not self._is_group(override.key_or_group)

    def _is_group(self, key: str) -> bool:
        # Hydra searches anew each time, for 40 ms.
        if key not in self._groups:
            self._groups[key] = bool(self._loader.get_group_options(key))
        return self._groups[key]

    def _compose(self, overrides: list[str]) -> DictConfig:
        composed = self._loader.load_sweep_config(self._master, overrides)
        with open_dict(composed):
            del composed["hydra"]
        return composed
