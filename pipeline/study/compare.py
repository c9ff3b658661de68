"""Two models on the same rows: by how much do they differ, and how many examples does each metric take to see it?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pipeline import files, paired
from pipeline.errors import BadInput
from pipeline.kept import once
from pipeline.model.base import Classifier, fits
from pipeline.model.network import ACTIVATIONS, Network
from pipeline.model.npz import layers_of, read_all
from pipeline.records import Scores
from pipeline.scoring import score
from pipeline.study.base import Compared, Result, Setting, Study
from pipeline.study.direction.base import Direction, as_network, moved
from pipeline.tables import compare as tables

if TYPE_CHECKING:
    import pandas as pd

_STEP = 1.0
_NAMES = ("difference", "difference_low", "difference_high", "n_for_power", "n_for_power_unpaired", "n_ratio")
# Of a few rows the mean is not normal yet, as the formula has it.
_FEW = 30


@dataclass
class Compare(Study):
    """Score every row of the population under two models, and compare them row by row: against minus model.

    Attributes
    ----------
    direction : Direction
        Where the step leads; not used with `against`.
    against : str or None
        An npz file of the other model's weights W1, b1 … Wk, bk; of any depth and widths that take the data's rows.
        None compares the model with itself after a step of `step` along `direction`.
    against_activation : str or None
        Of the other model's hidden layers; None is the model's own.
    step : float or None
        How far along the direction, not 0; below 0 is backwards. None is 1, or 0 (no step) with `against`.
    power, significance : float
        Of the two-sided test whose number of examples is asked for, in (0, 1).
    """

    name: str = "compare"
    direction: Direction = field(kw_only=True)
    against: str | None = None
    against_activation: str | None = None
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
        if self.against_activation is not None:
            raise BadInput(
                f"study.against_activation must go with study.against; found {self.against_activation!r} alone: "
                "add study.against=FILE"
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
        # Here, not when it is read, so that a sweep is refused before it starts.
        self.against = files.absolute(against)
        if not Path(self.against).is_file():
            raise BadInput(
                f"study.against must name an npz file of weights; found no file {self.against!r}: check the path"
            )

    def answer(self, setting: Setting) -> Result:
        """Compare the two models; the metrics are those that the issue names, against minus model.

        A figure that is not defined is left out: the p value of one row, the difference of two infinite means.
        """
        model = in_double(setting.classifier)
        key = f"paired scores {setting.dataset.digest} {setting.dataset.scale} {model.digest}"
        before = once(key, lambda: score(model, setting.dataset))
        after = self._scored(self._other(model, setting), setting)
        question = paired.Question(setting.confidence, self.power, self.significance)
        loss = paired.loss_difference(before.loss, after.loss, question)
        accuracy = paired.accuracy_difference(before.correct, after.correct, question)
        gained, lost = paired.discordant(before.correct, after.correct)
        metrics = {
            **_metrics("loss", loss),
            "loss/p": loss.p,
            **_metrics("accuracy", accuracy),
            "accuracy/gained": float(gained),
            "accuracy/lost": float(lost),
            "accuracy/mcnemar_p": accuracy.p,
        }
        metrics = {name: value for name, value in metrics.items() if not math.isnan(value)}
        row = {"label": self._label(), "population_size": len(setting.dataset), **metrics}
        about = f"{setting.dataset.name}, {len(setting.dataset):,} rows: {self._about(model, setting)}"
        return Result(
            metrics=metrics,
            tables={"compare.csv": _discordant_frame(before, after)},
            shown=tables.table([row], about, label="step" if self.against is None else "against"),
            summary=tables.conclusion(row, self.power, self.significance),
            notes=_notes(before, after, metrics, setting.confidence),
        )

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Compare the steps: how many examples each metric needs to see the change that each makes."""
        from pipeline.plots import power

        has_steps = bool((cells[self.axis] != 0).any())
        rows = cells.assign(label=[f"{step:g}" for step in cells[self.axis]] if has_steps else cells["group"])
        if not has_steps:
            # Other models, not steps: each is a group of its own, and they are read in one table.
            rows["group"] = ""
        shown = []
        for group, own in rows.groupby("group", sort=False):
            first = own.iloc[0]
            about = (str(first["population"]), f"{int(first['population_size']):,} rows", str(group))
            label = "step" if has_steps else "against"
            shown.append(tables.table(own.to_dict("records"), ", ".join(filter(None, about)), label=label))
        return Compared(
            figures={"power": power.draw(cells, power=self.power, significance=self.significance)} if has_steps else {},
            shown=shown,
            summary=tables.summary(rows, self.power, self.significance),
            caption=tables.caption(list(cells["confidence"].unique()), self.power, self.significance),
        )

    def _label(self) -> str:
        return f"{self.step:g}" if self.against is None else Path(self.against).name

    def _about(self, model: Classifier, setting: Setting) -> str:
        if self.against is not None:
            return f"{Path(self.against).name} against the model"
        where = self.direction.described(as_network(model), setting)
        return f"a step along {where}"

    def content(self, setting: Setting) -> list[str]:
        """Return the digests of what the other model is made from."""
        against = [] if self.against is None else [files.file_digest(Path(self.against))]
        return against if self.step == 0 else [*against, *self.direction.content(setting)]

    def check(self, setting: Setting) -> None:
        """Refuse weights that take other rows, a step to weights that are none, and a model that cannot be moved."""
        setting.require_simple("compare")
        self._other(in_double(setting.classifier), setting)

    def _other(self, model: Classifier, setting: Setting) -> Classifier:
        if self.against is not None:
            return self._loaded(self.against, model, setting)
        network = as_network(model)
        direction = self.direction.of(network, setting)
        assert self.step is not None
        try:
            return moved(network, direction, self.step)
        except BadInput as error:
            raise self._too_far() from error

    def _scored(self, other: Classifier, setting: Setting) -> Scores:
        try:
            return score(other, setting.dataset)
        except BadInput as error:
            if self.against is not None:
                raise
            raise self._too_far() from error

    def _too_far(self) -> BadInput:
        return BadInput(
            f"study.step must leave weights and logits that are numbers; {self.step:g} does not: choose a smaller step"
        )

    def _loaded(self, against: str, model: Classifier, setting: Setting) -> Classifier:
        activation = self.against_activation or getattr(model, "activation", None)
        if activation is None:
            raise BadInput(
                f"study.against_activation must be given, one of {', '.join(ACTIVATIONS)}, for the model is no network "
                "whose own could be taken; found null"
            )
        path = Path(against)
        try:
            other = Network(layers_of(read_all(path), where=str(path)), activation)
            fits(other, setting.dataset)
        except BadInput as error:
            raise BadInput(f"study.against={against}: {error}") from error
        return in_double(other)


def in_double(classifier: Classifier) -> Classifier:
    """Return a network with its weights in float64; any other classifier as it is.

    Float32 weights and losses round a small change away: of the book network's gradient step of 1e-5 on MNIST they
    keep less than a third of the mean difference, and ask for eight times the examples.
    """
    if not isinstance(classifier, Network):
        return classifier
    layers = [(W.astype(np.float64), b.astype(np.float64)) for W, b in classifier.layers]
    return Network(layers, classifier.activation)


def _metrics(metric: str, found: paired.Difference) -> dict[str, float]:
    values = (found.value, found.low, found.high, found.n_for_power, found.n_for_power_unpaired, found.n_ratio)
    return {f"{metric}/{name}": value for name, value in zip(_NAMES, values, strict=True)}


def _discordant_frame(before: Scores, after: Scores) -> pd.DataFrame:
    import pandas as pd

    cases = [(first, second) for first in (True, False) for second in (True, False)]
    word = {True: "right", False: "wrong"}
    return pd.DataFrame(
        {
            "model": [word[first] for first, _ in cases],
            "against": [word[second] for _, second in cases],
            "rows": [int(np.count_nonzero((before.correct == a) & (after.correct == b))) for a, b in cases],
        }
    )


def _notes(before: Scores, after: Scores, metrics: dict[str, float], confidence: float) -> list[str]:
    n = len(before)
    notes = [
        f"All {n:,} rows are scored under both models: over this population the differences are exact. The intervals "
        "and p values are about the world that these rows are taken for a random sample of.",
        f"loss: Student's t on the paired differences, {confidence:.4g}",
        f"accuracy: {tables.points(metrics['accuracy/difference'])} points, Tango's score interval, {confidence:.4g}: "
        f"{tables.points(metrics['accuracy/difference_low'])} to {tables.points(metrics['accuracy/difference_high'])}; "
        "McNemar's exact test",
        "The numbers of examples take the difference found here for the true one; where its interval holds 0, "
        "they may as well be infinite.",
    ]
    for scores, whose in ((before, "the model"), (after, "the other model")):
        infinite = int(np.isinf(scores.loss).sum())
        if infinite:
            notes.append(
                f"Under {whose} {infinite:,} of {n:,} rows have an infinite loss (probability 0 for the true class): "
                "the mean is infinite, and no test of the loss is possible"
            )
    for metric in ("loss", "accuracy"):
        if metrics[f"{metric}/n_for_power"] < _FEW:
            notes.append(f"{metric}: the formula takes a mean as normal, which so few examples do not give; take more")
    return notes
