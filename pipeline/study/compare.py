"""Two models on the same rows: by how much do they differ, and how many examples does each metric take to see it?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..errors import BadInput
from ..estimation import paired
from ..estimation.mcnemar import discordant
from ..estimation.multiple_tests import holm
from ..experiment import Stages
from ..metric.chosen import MAIN
from ..model.base import Classifier, Model
from ..records.scores import Scores
from ..report import compare as tables
from ..report import compare_power as power_words
from ..report import slices as slice_words
from ..report.result import Compared, Result, Table
from ..report.rows_apart import rows_table
from ..report.words import rounded, rows_of
from . import slices as by_slices
from .direction.base import Direction, as_network, moved
from .league import TABLE, league_result, ranked
from .paired.against import Against
from .paired.compared import FIGURES, compared, difference_of, metrics_of
from .paired.many import field_of
from .paired.models import in_double
from .paired.pair import Pair
from .paired.unlabelled import notes_of as powered_notes
from .row_results import pair_frame
from .rows_apart import TABLE as FURTHEST
from .rows_apart import rows_apart
from .together_notes import pair_notes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_STEP = 1.0
_SLICES = "by_slice.parquet"
# What rests on the difference found; tables and sentences write two digits of it.
_ESTIMATED = ("/n_for_power", "/n_for_power_unpaired")


@dataclass
class Compare(Against):
    """Score every row of the population under two models, and compare them row by row: against minus model.

    Without `against`, the model is compared with itself after a step of `step` along `direction`. Metrics of all rows
    together are compared where `on` names them, for each one more costs the others some of Holm's share. Rows without a
    label count where a ``proxy`` is named (`estimation.prediction_powered`).

    Attributes
    ----------
    direction : Direction
        Where the step leads; not used with `against`.
    step : float or None
        How far along the direction, not 0; below 0 is backwards. None is 1, or 0 (no step) with `against`.
    power, significance : float
        Of the two-sided test whose number of examples is asked for, in (0, 1).
    """

    name: str = "compare"
    direction: Direction = field(kw_only=True)
    step: float | None = None
    power: float = 0.8
    significance: float = 0.05

    axis: ClassVar[str] = "study.step"
    takes_proxies: ClassVar[bool] = True
    told: ClassVar[tuple[str, ...]] = (*Against.told_names, "proxy", "powered")
    has_batches: ClassVar[bool] = False
    has_design: ClassVar[bool] = False
    columns: ClassVar[tuple[str, ...]] = (
        *(f"loss/{name}" for name in FIGURES),
        "loss/p",
        *(f"accuracy/{name}" for name in FIGURES),
        "accuracy/gained",
        "accuracy/lost",
        "accuracy/mcnemar_p",
        "accuracy/mcnemar_mid_p",
    )
    replaced: ClassVar[Mapping[str, tuple[str, ...]]] = {"study.against": ("study/direction", "study.step")}
    why_no_own: ClassVar[str] = "for predictions have no weights that a step could change"

    def __post_init__(self) -> None:
        for key in ("power", "significance"):
            if not 0 < getattr(self, key) < 1:
                raise BadInput(f"study.{key} must be between 0 and 1, such as 0.8; found {getattr(self, key)}")
        if not self.power > self.significance:
            raise BadInput(
                f"study.power must be above study.significance={self.significance}, which a test has for nothing; "
                f"found {self.power}"
            )
        if self.on is not None and not self.on:
            raise BadInput("study.on must name a metric at least, or be null; found none: leave it out")
        if self.step is None:
            self.step = _STEP if self.against is None else 0.0
        if not math.isfinite(self.step):
            raise BadInput(f"study.step must be a finite number; found {self.step}")
        if self.against is None:
            self._check_step_alone()
        else:
            self._check_no_step()
            self.check_against()

    def _check_step_alone(self) -> None:
        if self.step == 0:
            raise BadInput("study.step must not be 0, for then nothing changes; found 0: choose a step such as 1")
        self.check_alone()

    def _check_no_step(self) -> None:
        if self.step != 0:
            raise BadInput(
                f"a comparison must be with study.against or with a step, not both; found study.against="
                f"{self.called()} and study.step={self.step:g}: leave one out"
            )

    def check(self, stages: Stages) -> None:
        """Refuse to rank by a metric that may be biased, besides what `Against.check` refuses."""
        if self.is_many and "ece" in (self.on or ()):
            raise BadInput(
                "models must be ranked by metrics whose estimate has no bias left; found ece in study.on: leave it "
                "out, or name one other model"
            )
        super().check(stages)

    def answer(self, stages: Stages) -> Result:
        """Compare the two models, the other one minus the configured one.

        A figure that is not defined is left out: the p value of one row, the difference of two infinite means.
        """
        if self.is_many:
            return league_result(field_of(self, stages), stages)
        pair = self.pair(stages)
        question = paired.Question(stages.experiment.confidence, self.power, self.significance)
        metrics = metrics_of(compared(pair, question, stages.units))
        if pair.n_unlabelled:
            metrics["unlabelled"] = float(pair.n_unlabelled)
        if not stages.units.is_simple:
            metrics["groups"] = float(stages.units.size)
        slices = by_slices.compared(
            stages,
            pair,
            lambda part, name, units: difference_of(part, name, units, question),
        )
        row = self._row(pair, metrics, stages)
        p = tables.p_values(row)
        adjusted = dict(zip(p, holm(list(p.values())).tolist(), strict=True))
        furthest = None if self.against is None else rows_apart(stages, pair)
        if furthest is not None:
            metrics["furthest"] = float(len(furthest))
        shown = tables.tables([row], self._about(pair, stages), label="step" if self.against is None else "candidate")
        result = Result(
            metrics=metrics,
            tables=self._tables(pair, furthest, stages),
            shown=shown[0],
            further=[*shown[1:], *([] if furthest is None else [rows_table(furthest, stages.rows.name)])],
            answer="" if self.against is None else tables.answer([row], [adjusted], self.significance),
            summary=power_words.conclusion(row, self.power, self.significance),
            notes=self._notes(pair, metrics, stages),
            tags=self._tags(pair, stages),
        )
        if slices is not None and stages.slices is not None:
            # A comparison of finished cells reads it again, and Parquet is what it reads.
            result.tables[_SLICES] = slices.assign(by=stages.slices.column)
            metrics["slices"] = float(len(slices))
        whole = {name: metrics.get(f"{name}/difference", math.nan) for name in pair.metrics}
        who = f"{pair.names[1]} minus {pair.names[0]}"
        return by_slices.with_slices(result, slices, stages, whole, significance=self.significance, who=who)

    def _row(self, pair: Pair, metrics: Mapping[str, float], stages: Stages) -> dict[str, Any]:
        """Return what the words and the table are made of: the figures, and what they are of."""
        return {
            "label": pair.names[1] if stages.are_predictions else self.called(),
            "population": pair.names[0],
            "population_size": len(stages.rows),
            "confidence": stages.experiment.confidence,
            **rounded(metrics, _ESTIMATED),
            **self._tags(pair, stages),
        }

    def _tags(self, pair: Pair, stages: Stages) -> dict[str, str]:
        """Return what the comparison of cells is told in words: names, and what counts rows without a label."""
        powered = [name for name in pair.metrics if name in pair.powered]
        by_proxy = {"proxy": stages.experiment.proxy.name, "powered": ",".join(powered)} if powered else {}
        return self.told_apart(pair.names, stages) | by_proxy

    def _tables(self, pair: Pair, furthest: pd.DataFrame | None, stages: Stages) -> dict[str, pd.DataFrame]:
        """Return the tables that are kept, by the names of their files."""
        kept = {
            "compare.csv" if name in MAIN else f"compare_{name}.csv": _discordant_frame(pair, name)
            for name, metric in pair.metrics.items()
            if metric.is_share
        }
        if self.rows_out:
            kept["rows.parquet"] = pair_frame(stages, pair)
        if furthest is not None:
            kept[FURTHEST] = furthest
        return kept

    def _notes(self, pair: Pair, metrics: Mapping[str, float], stages: Stages) -> list[str]:
        scores, confidence = (pair.before, pair.after), stages.experiment.confidence
        return [
            *tables.notes(scores, pair.names, metrics, confidence, powered=pair.powered),
            *pair_notes(pair),
            *powered_notes(pair, stages),
            *pair.lacking,
        ]

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Compare the steps, or the other models: how many examples each metric needs to see the change."""
        from ..plots import difference, power

        if "models" in cells and cells["models"].notna().all():
            return ranked(cells, read(TABLE))
        has_steps = bool((cells[self.axis] != 0).any())
        if has_steps:
            rows = cells.assign(label=[f"{step:g}" for step in cells[self.axis]])
        else:
            # Other models, not steps: each is a group of its own, and they are read in one table.
            rows = self.labelled(cells).assign(group="")
        shown: list[Table] = []
        for group, own in rows.groupby("group", sort=False):
            first = own.iloc[0]
            population = str(first["population"])
            if not has_steps and len(own) == 1:
                population = f"{first['label']} against {population}"
            about = (population, rows_of(first.to_dict()), str(group))
            label = "step" if has_steps else "candidate"
            shown += tables.tables(_said(own).to_dict("records"), ", ".join(filter(None, about)), label=label)
        if has_steps:
            figure: Figure | None = power.draw(cells, power=self.power, significance=self.significance)
        else:
            figure = difference.draw(rows, power=self.power, significance=self.significance)
        adjusted = self._adjusted(rows)
        told = tables.answer(rows.to_dict("records"), adjusted, self.significance)
        figures = {} if figure is None else {"power" if has_steps else "difference": figure}
        sliced, further, pictures = self._sliced(rows, read)
        if len(rows) == 1 and "furthest" in rows and rows["furthest"].notna().all():
            shown.append(rows_table(read(FURTHEST), str(rows["population"].iloc[0])))
        return Compared(
            figures={**figures, **pictures},
            shown=[*shown, *further],
            answer="" if has_steps else told,
            columns={f"{name}/p_holm": [own.get(name, math.nan) for own in adjusted] for name in adjusted[0]},
            summary=sliced + power_words.summary(_said(rows), self.power, self.significance),
            caption=tables.caption(rows.to_dict("records"), self.power, self.significance, has_steps=has_steps)
            + (f" {slice_words.APART}." if further else ""),
        )

    def _sliced(
        self, rows: pd.DataFrame, read: Callable[[str], pd.DataFrame]
    ) -> tuple[str, list[Table], dict[str, Figure]]:
        """Say of each comparison which slice moved first; of a single one show all slices."""
        if "slices" not in rows or len(rows["slices"].dropna()) < len(rows):
            return "", [], {}
        found = read(_SLICES)
        parts = [own.drop(columns=[self.axis, "group"]) for _, own in found.groupby([self.axis, "group"], sort=False)]
        by = str(found["by"].iloc[0])
        said = [slice_words.first_moved(own, by, self.significance) for own in parts]
        if len(parts) > 1:
            named = zip(rows["label"], said, strict=True)
            return "\n".join(f"{label}: {sentence}" for label, sentence in named) + "\n", [], {}
        frame, row = parts[0].drop(columns="by"), rows.iloc[0]
        who = f"{row['label']} minus {row['population']}"
        shown, figure = by_slices.shown(
            frame,
            by,
            {
                str(name): float(row[f"{name}/difference"])
                for name in (each.column for each in slice_words.known(frame))
            },
            about=str(row["population"]),
            confidence=float(row["confidence"]),
            significance=self.significance,
            who=who,
        )
        return f"{said[0]} ", shown, {"by_slice": figure}

    def _adjusted(self, rows: pd.DataFrame) -> list[dict[str, float]]:
        """Return the p values of each row by metric, adjusted over all tests of all rows."""
        found = [tables.p_values(row) for row in rows.to_dict("records")]
        names = list(dict.fromkeys(name for own in found for name in own))
        adjusted = holm([[own.get(name, math.nan) for name in names] for own in found])
        return [dict(zip(names, own, strict=True)) for own in adjusted.tolist()]

    def content(self, stages: Stages) -> list[str]:
        """Return the digests of what the other model is made from."""
        return self.direction.content(stages) if self.against is None else super().content(stages)

    def called(self) -> str:
        """Return the other model's name; the step, where there is one."""
        return f"{self.step:g}" if self.against is None else super().called()

    def made_here(self, stages: Stages) -> tuple[Classifier, Model]:
        """Return the model after the step."""
        network = as_network(in_double(stages.classifier))
        direction = self.direction.of(network, stages)
        assert self.step is not None
        try:
            return moved(network, direction, self.step), stages.experiment.model
        except BadInput as error:
            raise self._too_far() from error

    def scored(self, other: Classifier, model: Model, stages: Stages) -> Scores:
        """Return the other model's scores; a step may lead to weights that give none."""
        try:
            return super().scored(other, model, stages)
        except BadInput as error:
            if self.against is not None:
                raise
            raise self._too_far() from error

    def _about(self, pair: Pair, stages: Stages) -> str:
        rows = rows_of({"population_size": len(stages.rows), "unlabelled": pair.n_unlabelled})
        if stages.are_predictions:
            return f"{pair.names[1]} against {pair.names[0]}, {rows}"
        what = (
            f"a step along {self.direction.described(as_network(stages.classifier), stages)}"
            if self.against is None
            else f"{self.called()} against the model"
        )
        return f"{stages.rows.name}, {rows}: {what}"

    def _too_far(self) -> BadInput:
        return BadInput(
            f"study.step must leave weights and logits that are numbers; {self.step:g} does not: choose a smaller step"
        )


def _said(rows: pd.DataFrame) -> pd.DataFrame:
    """The figures as they are said: with numbers of examples that do not claim more than was estimated."""
    import pandas as pd

    return pd.DataFrame([rounded(row, _ESTIMATED) for row in rows.to_dict("records")])


def _discordant_frame(pair: Pair, metric: str) -> pd.DataFrame:
    import pandas as pd

    before, after = pair.columns(metric)
    gained, lost = discordant(before, after)
    right = int(np.count_nonzero(before))
    return pd.DataFrame(
        {
            "model": ["right", "right", "wrong", "wrong"],
            "against": ["right", "wrong", "right", "wrong"],
            "rows": [right - lost, lost, gained, len(before) - right - gained],
        }
    )
