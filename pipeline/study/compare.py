"""Two models on the same rows: by how much do they differ, and how many examples does each metric take to see it?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pipeline import files, paired
from pipeline.data.base import Data
from pipeline.data.shards.places import is_remote, path_of
from pipeline.errors import BadInput
from pipeline.model.base import Classifier
from pipeline.model.network import ACTIVATIONS
from pipeline.records import Scores
from pipeline.study.base import Compared, Result, Setting, Study
from pipeline.study.direction.base import Direction, as_network, moved
from pipeline.study.other import all_scores, in_double, network_of
from pipeline.study.pairing import Pair, are_predictions, other_of, pair_of, population_of
from pipeline.tables import compare as tables

if TYPE_CHECKING:
    import pandas as pd

_STEP = 1.0
_NAMES = ("difference", "difference_low", "difference_high", "n_for_power", "n_for_power_unpaired", "n_ratio")


@dataclass
class Compare(Study):
    """Score every row of the population under two models, and compare them row by row: against minus model.

    Attributes
    ----------
    direction : Direction
        Where the step leads; not used with `against`.
    against : str or None
        An npz file of the other model's weights W1, b1 … Wk, bk; of any depth and widths that take the data's rows.
        Where the data are predictions, other predictions of the same rows: matched by ``data.id``, or in order.
        None compares the model with itself after a step of `step` along `direction`.
    against_activation : str or None
        Of the other model's hidden layers; None is the model's own.
    against_columns : dict of str to str
        Columns that are called otherwise in the other predictions, by the data's field: ``{"logits": "logits_b"}``.
    step : float or None
        How far along the direction, not 0; below 0 is backwards. None is 1, or 0 (no step) with `against`.
    power, significance : float
        Of the two-sided test whose number of examples is asked for, in (0, 1).
    """

    name: str = "compare"
    direction: Direction = field(kw_only=True)
    against: str | None = None
    against_activation: str | None = None
    against_columns: dict[str, str] = field(default_factory=dict)
    step: float | None = None
    power: float = 0.8
    significance: float = 0.05

    axis: ClassVar[str] = "study.step"
    columns: ClassVar[tuple[str, ...]] = (
        *(f"loss/{name}" for name in _NAMES),
        "loss/p",
        *(f"accuracy/{name}" for name in _NAMES),
        "accuracy/gained",
        "accuracy/lost",
        "accuracy/mcnemar_p",
    )
    replaced: ClassVar[Mapping[str, tuple[str, ...]]] = {"study.against": ("study/direction", "study.step")}
    metrics_used: ClassVar[str] = "main"

    def __post_init__(self) -> None:
        for key in ("power", "significance"):
            if not 0 < getattr(self, key) < 1:
                raise BadInput(f"study.{key} must be between 0 and 1, such as 0.8; found {getattr(self, key)}")
        if not self.power > self.significance:
            raise BadInput(
                f"study.power must be above study.significance={self.significance}, which a test has for nothing; "
                f"found {self.power}"
            )
        if self.step is None:
            self.step = _STEP if self.against is None else 0.0
        if not math.isfinite(self.step):
            raise BadInput(f"study.step must be a finite number; found {self.step}")
        if self.against is None:
            self._check_step_alone()
        else:
            self._check_against(self.against)

    def _check_step_alone(self) -> None:
        if self.step == 0:
            raise BadInput("study.step must not be 0, for then nothing changes; found 0: choose a step such as 1")
        for key in ("against_activation", "against_columns"):
            if getattr(self, key):
                raise BadInput(
                    f"study.{key} must go with study.against; found {getattr(self, key)!r} alone: add "
                    "study.against=FILE"
                )

    def _check_against(self, against: str) -> None:
        if self.step != 0:
            raise BadInput(
                f"a comparison must be with study.against or with a step, not both; found study.against={against} and "
                f"study.step={self.step:g}: leave one out"
            )
        if self.against_activation is not None and self.against_activation not in ACTIVATIONS:
            raise BadInput(
                f"study.against_activation must be one of {', '.join(ACTIVATIONS)}, or null for the model's own; "
                f"found {self.against_activation!r}"
            )
        if is_remote(against):
            return
        # Here, not when it is read, so that a sweep is refused before it starts.
        self.against = files.absolute(against)
        if not Path(self.against).exists():
            raise BadInput(
                "study.against must name an npz file of weights, or predictions where the data are some; found no file "
                f"{self.against!r}: check the path"
            )

    def answer(self, setting: Setting) -> Result:
        """Compare the two models; the metrics are those that the issue names, against minus model.

        A figure that is not defined is left out: the p value of one row, the difference of two infinite means.
        """
        pair = self._pair(setting)
        question = paired.Question(setting.confidence, self.power, self.significance)
        metrics = _metrics(pair, question)
        row = {"label": self._called(), "population_size": len(setting.dataset), **metrics}
        return Result(
            metrics=metrics,
            tables={"compare.csv": _discordant_frame(pair)} if "accuracy" in pair.metrics else {},
            shown=tables.table([row], self._about(pair, setting), label="step" if self.against is None else "against"),
            summary=tables.conclusion(row, self.power, self.significance),
            notes=[*tables.notes((pair.before, pair.after), pair.names, metrics, setting.confidence), *pair.lacking],
        )

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Compare the steps, or the other models: how many examples each metric needs to see the change."""
        from pipeline.plots import difference, power

        has_steps = bool((cells[self.axis] != 0).any())
        rows = cells.assign(label=[f"{step:g}" for step in cells[self.axis]] if has_steps else self._labels(cells))
        if not has_steps:
            # Other models, not steps: each is a group of its own, and they are read in one table.
            rows["group"] = ""
        shown = []
        for group, own in rows.groupby("group", sort=False):
            first = own.iloc[0]
            population = str(first["population"])
            if not has_steps and len(own) == 1:
                population = f"{population} against {first['label']}"
            about = (population, f"{int(first['population_size']):,} rows", str(group))
            label = "step" if has_steps else "against"
            shown.append(tables.table(own.to_dict("records"), ", ".join(filter(None, about)), label=label))
        test = {"power": self.power, "significance": self.significance}
        figure = power.draw(cells, **test) if has_steps else difference.draw(rows, **test)
        return Compared(
            figures={} if figure is None else {"power" if has_steps else "difference": figure},
            shown=shown,
            summary=tables.summary(rows, self.power, self.significance),
            caption=tables.caption(rows.to_dict("records"), self.power, self.significance, has_steps=has_steps),
        )

    def content(self, setting: Setting) -> list[str]:
        """Return the digests of what the other model is made from."""
        if self.against is not None and are_predictions(setting):
            return [population_of(self._other_data(setting)).digest]
        against = [] if self.against is None else [files.file_digest(Path(self.against))]
        return against if self.step == 0 else [*against, *self.direction.content(setting)]

    def check(self, setting: Setting) -> None:
        """Refuse other rows, weights that take other rows, a step to weights that are none, a model that has none."""
        setting.require_simple("compare")
        if are_predictions(setting):
            # Here, so that a row that is none is found before a run exists.
            self._pair(setting)
            return
        if self.against_columns:
            raise BadInput(
                f"study.against_columns must go with data that are predictions; found data={setting.data.name}: leave "
                "it out"
            )
        self._other(in_double(setting.classifier), setting)

    def _pair(self, setting: Setting) -> Pair:
        if are_predictions(setting):
            return pair_of(setting, self._other_data(setting))
        model = in_double(setting.classifier)
        before = all_scores(model, setting)
        return Pair(before, self._scored(self._other(model, setting), setting), setting.metrics)

    def _other_data(self, setting: Setting) -> Data:
        if self.against is None:
            raise BadInput(
                "study.against must name other predictions of the same rows, for predictions have no weights that a "
                "step could change; found null: add study.against=FILE"
            )
        if self.against_activation is not None:
            raise BadInput(
                f"study.against_activation must go with weights; found {self.against_activation!r} with data="
                f"{setting.data.name}: leave it out"
            )
        return other_of(setting.data, self.against, self.against_columns)

    def _labels(self, cells: pd.DataFrame) -> list[str]:
        """What the other models are called: their files, with the folders where the names alone are the same."""
        paths = [str(path) for path in cells.get("study.against", [self.against] * len(cells))]
        names = [Path(path_of(path)).name for path in paths]
        ending = Path(paths[0]).suffix
        if len(names) > 1 and all(name.endswith(ending) for name in names):
            names = [name.removesuffix(ending) for name in names]
        labels = names if len(set(names)) == len(set(paths)) else paths
        rest = cells["group"].str.replace(r"study\.against=[^,]*(, )?", "", regex=True).str.removesuffix(", ")
        return [", ".join(filter(None, pair)) for pair in zip(labels, rest, strict=True)]

    def _called(self) -> str:
        return f"{self.step:g}" if self.against is None else Path(path_of(self.against)).name

    def _about(self, pair: Pair, setting: Setting) -> str:
        rows = f"{len(setting.dataset):,} rows"
        if are_predictions(setting):
            return f"{pair.names[0]} against {pair.names[1]}, {rows}"
        what = (
            f"a step along {self.direction.described(as_network(setting.classifier), setting)}"
            if self.against is None
            else f"{Path(path_of(self.against)).name} against the model"
        )
        return f"{setting.dataset.name}, {rows}: {what}"

    def _other(self, model: Classifier, setting: Setting) -> Classifier:
        if self.against is not None:
            return network_of(self.against, self.against_activation, setting)
        network = as_network(model)
        direction = self.direction.of(network, setting)
        assert self.step is not None
        try:
            return moved(network, direction, self.step)
        except BadInput as error:
            raise self._too_far() from error

    def _scored(self, other: Classifier, setting: Setting) -> Scores:
        try:
            return all_scores(other, setting)
        except BadInput as error:
            if self.against is not None:
                raise
            raise self._too_far() from error

    def _too_far(self) -> BadInput:
        return BadInput(
            f"study.step must leave weights and logits that are numbers; {self.step:g} does not: choose a smaller step"
        )


def _metrics(pair: Pair, question: paired.Question) -> dict[str, float]:
    """The figures that are defined, of the metrics that both models have."""
    found: dict[str, float] = {}
    if "loss" in pair.metrics:
        loss = paired.loss_difference(pair.before.loss, pair.after.loss, question)
        found |= {**_figures("loss", loss), "loss/p": loss.p}
    if "accuracy" in pair.metrics:
        accuracy = paired.accuracy_difference(pair.before.correct, pair.after.correct, question)
        gained, lost = paired.discordant(pair.before.correct, pair.after.correct)
        found |= _figures("accuracy", accuracy)
        found |= {
            "accuracy/gained": float(gained),
            "accuracy/lost": float(lost),
            "accuracy/mcnemar_p": accuracy.p,
        }
    return {name: value for name, value in found.items() if not math.isnan(value)}


def _figures(metric: str, found: paired.Difference) -> dict[str, float]:
    values = (found.value, found.low, found.high, found.n_for_power, found.n_for_power_unpaired, found.n_ratio)
    return {f"{metric}/{name}": value for name, value in zip(_NAMES, values, strict=True)}


def _discordant_frame(pair: Pair) -> pd.DataFrame:
    import pandas as pd

    before, after = pair.before.correct, pair.after.correct
    gained, lost = paired.discordant(before, after)
    right = int(np.count_nonzero(before))
    return pd.DataFrame(
        {
            "model": ["right", "right", "wrong", "wrong"],
            "against": ["right", "wrong", "right", "wrong"],
            "rows": [right - lost, lost, gained, len(before) - right - gained],
        }
    )
