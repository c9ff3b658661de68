"""How good is a model whose rows have no labels yet? Which few to label, and what they say of all."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ..data.base import Data
from ..errors import BadInput
from ..estimation.active_testing import ActiveTest
from ..experiment import Experiment, Stages, Study
from ..metric.chosen import MAIN
from ..records.rows import Population
from ..records.stored import refuse_too_many
from ..report import label as tables
from ..report.result import Compared, Result
from ..report.words import in_words
from ..runtime import files
from ..runtime.progress import Bar
from .labelling.folder import Folder, copy_until
from .labelling.looks import frame_of, look_at, series_of
from .labelling.population import Unlabelled
from .labelling.session import Labelling, shown_path

if TYPE_CHECKING:
    import pandas as pd

# Intervals rest on the normal law of many steps, so that no fewer labels are called enough.
_FEWEST = 200


@dataclass
class Label(Study):
    """Choose rows to be labelled, round by round, until an interval around each metric asked for is narrow enough.

    The rows are drawn one by one, none twice, with chances by what the model itself expects of them, calibrated by the
    labels so far, and a uniform share (`pipeline.estimation.active_testing`). Each start takes the labels that were
    filled into the round's sheet, and says what they say; it ends, or chooses the next rows. Rows that have labels
    already give these themselves, for a demonstration.

    ``interval.loss``, ``interval.accuracy``, ``sampling``, ``batch_size`` and ``draws`` have no part in it.

    Attributes
    ----------
    loss_within, accuracy_within : float or None
        Half the width that the interval may have, above 0: of the loss, nats, and of the accuracy, a fraction. None
        does not ask for the metric; one of the two is a number.
    block : int
        Rows of a round, at least 2; fewer, down to a quarter of it, where no more are needed.
    max_labels : int or None
        The most labels asked for; None sets no limit.
    uniform : float
        The share of the chances that all rows have alike, in (0, 1]; 1 is a simple random sample.
    show : list of str
        Columns of the data that the sheet shows beside the ids, for whoever labels.
    folder : str or None
        Where sheets and labels are kept. None is a folder beside the data's file, ``FILE.labels``: of
        ``a.parquet`` it is ``a.parquet.labels``.
    labels : str or None
        A program that is asked for labels in place of a person; it is started with the sheet's path as last argument,
        and prints CSV with the ids and the labels.
    """

    name: str = "label"
    loss_within: float | None = 0.05
    accuracy_within: float | None = 0.02
    block: int = 100
    max_labels: int | None = None
    uniform: float = 0.2
    show: list[str] = field(default_factory=list)
    folder: str | None = None
    labels: str | None = None

    axis: ClassVar[str] = "seed"
    has_batches: ClassVar[bool] = False
    has_design: ClassVar[bool] = False
    takes_unlabelled: ClassVar[bool] = True
    keeps_content: ClassVar[bool] = False
    columns: ClassVar[tuple[str, ...]] = (
        "labels/given",
        "labels/waiting",
        "labels/needed",
        "labels/simple",
        "labels/enough",
        *(f"{metric}/{name}" for metric in MAIN for name in ("mean", "low", "high", "half_width", "guess")),
        "temperature",
    )

    def __post_init__(self) -> None:
        for key, unit in (("loss_within", "nats"), ("accuracy_within", "a fraction such as 0.02")):
            value = getattr(self, key)
            if value is not None and not 0 < value < math.inf:
                raise BadInput(f"study.{key} must be above 0 ({unit}) or null; found {value}")
        if self.loss_within is None and self.accuracy_within is None:
            raise BadInput("study.loss_within or study.accuracy_within must be a number; found null for both: set one")
        if self.block < 2:
            raise BadInput(f"study.block must be a whole number of at least 2; found {self.block}")
        if self.max_labels is not None and self.max_labels < 2:
            raise BadInput(f"study.max_labels must be a whole number of at least 2 or null; found {self.max_labels}")
        if not 0 < self.uniform <= 1:
            raise BadInput(f"study.uniform must be above 0 and at most 1, such as 0.2; found {self.uniform}")
        if self.folder is not None:
            self.folder = files.absolute(self.folder)
        if self.labels is not None and not self.labels.strip():
            raise BadInput("study.labels must be a program that prints labels, or null; found nothing: leave it out")

    def check(self, stages: Stages) -> None:
        """Refuse rows that cannot be labelled so, and a sheet that was edited badly, before anything is changed."""
        asked = stages.experiment
        if stages.classifier.gives == "scores" or not set(stages.metrics) <= set(MAIN):
            names = ",".join(stages.metrics)
            raise BadInput(
                f"study=label looks at the loss and the accuracy of a model's classes; found {names}: give logits, "
                "probabilities or predicted labels, and leave metric out"
            )
        if not stages.units.is_simple or asked.data.by is not None:
            raise BadInput(
                "study=label takes rows one by one and alike; found data.group or data.weight: leave them out"
            )
        if asked.interval.target == "superpopulation":
            raise BadInput(
                "interval.target must be population for study=label, whose intervals are about these rows; found "
                "superpopulation: leave it out"
            )
        if not any(goal is not None for goal in self._goals(stages).values()):
            raise BadInput("study.accuracy_within must be a number where there is no loss; found null: set it to 0.02")
        refuse_too_many(len(stages.rows), "study=label")
        labelling = self._labelling(stages)
        labelling.check()
        kept = labelling.kept()
        if kept and kept[-1].labels is None and self.labels is None:
            labelling.filled_in(kept[-1], len(kept))

    def content(self, stages: Stages) -> list[str]:
        """Return a digest of the labels so far and of the sheet that waits."""
        labelling = self._labelling(stages)
        if labelling.folder is None:
            return []
        rounds = labelling.kept()
        given = [None if each.labels is None else each.labels.tolist() for each in rounds]
        return [files.digest_of(given, labelling.folder.answer(len(rounds)))]

    def repeated(self, folder: Path, experiment: Experiment, recorded: Mapping[str, float]) -> tuple[Study, list[str]]:
        """Return the study without its program, on a copy of the labels that there were when the run ended."""
        alone = replace(self, labels=None)
        rows = experiment.data.rows(experiment.data.split)
        if self.labels is None and Unlabelled.own_labels_of(rows) is not None:
            # A demonstration keeps nothing.
            return alone, []
        then = int(recorded["labels/given"])
        place, is_waiting = self._place(experiment.data, rows), recorded["labels/waiting"] > 0
        now = copy_until(place, folder, given=then, is_waiting=is_waiting)
        added = f"{now - then:,} labels were added since; the {then:,} of that time were taken"
        return replace(alone, folder=str(folder)), [added] if now > then else []

    def kept_in(self, stages: Stages) -> str | None:
        """Return the folder of the labels."""
        folder = self._labelling(stages).folder
        return None if folder is None else str(folder.path)

    def answer(self, stages: Stages) -> Result:
        """Take the labels that are there, choose further rows where they are not enough, and say what is known."""
        labelling, goals = self._labelling(stages), self._goals(stages)
        with labelling.lock():
            test, looks = labelling.rows.test(uniform=self.uniform), list[tables.Look]()
            for each in labelling.kept():
                test.take(each)
                if test.open_round is None:
                    looks.append(look_at(test, stages.experiment.confidence))
            with Bar("Labelling", yields=True) as bar:
                while True:
                    if test.open_round is None:
                        if self._is_over(test, looks, goals):
                            break
                        labelling.choose(test, self._count(test, looks, goals), self._aims(goals))
                    if not labelling.fill(test):
                        break
                    looks.append(look_at(test, stages.experiment.confidence))
                    needed = tables.labels_needed(looks[-1], goals, test.size)
                    bar.update(test.labelled, max(needed, _FEWEST, test.labelled))
            return self._result(stages, labelling, test, looks)

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Set the cells' labels and intervals side by side."""
        rows = cells.to_dict("records")
        given = [int(row["labels/given"]) for row in rows]
        few, many = min(given), max(given)
        span = f"{few:,}" if few == many else f"{few:,} to {many:,}"
        return Compared({}, [tables.compared(rows)], f"{span} labels were given.", caption=tables.LEVELS)

    def _goals(self, stages: Stages) -> dict[str, float | None]:
        goals = {"loss": self.loss_within, "accuracy": self.accuracy_within}
        return {metric: goals[metric] for metric in stages.metrics if metric in goals}

    @staticmethod
    def _aims(goals: Mapping[str, float | None]) -> list[str]:
        return [metric for metric, goal in goals.items() if goal is not None]

    def _is_over(self, test: ActiveTest, looks: list[tables.Look], goals: Mapping[str, float | None]) -> bool:
        is_enough = bool(looks) and looks[-1].is_within(goals) and test.labelled >= min(_FEWEST, test.size)
        return is_enough or self._count(test, looks, goals) == 0

    def _count(self, test: ActiveTest, looks: list[tables.Look], goals: Mapping[str, float | None]) -> int:
        """Rows of the next round: a block, or what is still needed but no small part of one, for each is a look."""
        most = test.size if self.max_labels is None else min(self.max_labels, test.size)
        rows = self.block
        if looks:
            left = max(tables.labels_needed(looks[-1], goals, test.size), _FEWEST) - test.labelled
            rows = min(rows, max(left, math.ceil(self.block / 4)))
        return max(0, min(rows, most - test.labelled))

    def _labelling(self, stages: Stages) -> Labelling:
        rows = Unlabelled(stages)
        own = rows.own_labels() if self.labels is None else None
        if own is not None and self.folder is not None:
            raise BadInput(
                f"study.folder must go with rows without labels; found labels in {stages.rows.name}: leave it out, or "
                "the column of labels with data.label=none"
            )
        return Labelling(rows, own, None if own is not None else self._folder(stages), self.show, self.labels)

    def _folder(self, stages: Stages) -> Folder:
        data, proxy = stages.experiment.data, stages.experiment.proxy
        guesses = proxy.content(stages.rows, stages.classifier, data=data)
        content = files.digest_of(stages.rows.digest, stages.classifier.digest, proxy.name, guesses)
        return Folder(self._place(data, stages.rows), content)

    def _place(self, data: Data, rows: Population) -> Path:
        if self.folder is not None:
            return Path(self.folder)
        path = str(getattr(data, "path", None) or "")
        if not path:
            # Labels that a program gives of rows that are no file of the user's.
            return files.mlruns() / "labels" / rows.digest[:12]
        if "://" in path:
            raise BadInput(
                "study.folder must name a folder on this machine where the rows are elsewhere; found none: add "
                "study.folder=FOLDER"
            )
        # Beside the file, not below mlruns/, which `make clean` empties.
        # With the whole name, for a.csv and a.parquet may lie side by side.
        place = Path(path)
        return place.with_name(f"{place.name}.labels")

    def _result(self, stages: Stages, labelling: Labelling, test: ActiveTest, looks: list[tables.Look]) -> Result:
        goals, about = self._goals(stages), labelling.about(test, limit=self.max_labels)
        metrics = {
            "labels/given": float(test.labelled),
            "labels/waiting": float(about.waiting),
            "labels/enough": float(bool(looks) and looks[-1].is_within(goals)),
        }
        if looks:
            last = looks[-1]
            metrics["labels/needed"] = float(tables.labels_needed(last, goals, test.size))
            metrics["labels/simple"] = float(tables.simple_needed(last, goals, test.size))
            for metric, found in last.found.items():
                metrics |= {f"{metric}/{name}": getattr(found, name) for name in ("mean", "low", "high", "half_width")}
        guess = labelling.rows.expected(test.calibration)
        if guess is not None:
            metrics["temperature"] = test.calibration.temperature
            guesses = {"loss": float(guess.loss.mean()), "accuracy": 1 - float(guess.error.mean())}
            metrics |= {f"{metric}/guess": guesses[metric] for metric in goals}
        shown = tables.tables(looks, goals, about)
        frame = frame_of(looks)
        figures = {}
        if looks:
            from ..plots import label as plot

            figures["label"] = plot.draw(frame, goals, about, stages.about)
        return Result(
            metrics=metrics,
            series=series_of(looks),
            tables={"looks.csv": frame, "labels.csv": labelling.table(test)} if looks else {},
            figures=figures,
            curve=stages.classifier.learning_curve,
            shown=shown[0] if shown else None,
            further=shown[1:],
            answer=tables.answer(looks, goals, about),
            notes=self._notes(stages, labelling, test, metrics),
        )

    def _notes(self, stages: Stages, labelling: Labelling, test: ActiveTest, metrics: Mapping[str, float]) -> list[str]:
        notes = []
        if labelling.own is not None:
            notes.append(
                f"A demonstration: the labels that {stages.rows.name} has already play the person; only those asked "
                "for are looked at."
            )
        elif labelling.folder is not None:
            notes.append(f"Sheets and labels are in {shown_path(labelling.folder.path)}; keep that folder.")
            if changed := labelling.changed(test):
                notes.append(tables.changed(changed))
        rows, asked = stages.rows, stages.experiment
        if test.proxy is not None and (known := asked.proxy.known(rows, data=asked.data)) < len(rows):
            others = "what the model itself expects" if labelling.rows.has_chances else "the mean of these"
            notes.append(
                f"Of the {len(rows):,} rows proxy={asked.proxy.name} has scores of {known:,}; for the others stands "
                f"{others}."
            )
        if test.open_round is not None:
            notes.append(f"A label is one of: {labelling.sheet(test.rounds[-1]).classes}.")
        if test.labelled:
            notes.append(
                f"{tables.LEVELS} LURE estimates with {_variates(stages, labelling, test)}; "
                f"{100 * stages.experiment.confidence:g} % intervals by the martingale central limit theorem, for "
                f"these {test.size:,} rows. {100 * self.uniform:g} % of the chances are uniform."
            )
        if "temperature" in metrics:
            guessed = " and ".join(
                f"{part.words} {part.factor * metrics[f'{name}/guess']:.{part.digits - 1}f} {part.unit}"
                for name, part in stages.metrics.items()
            )
            after = f"at temperature {metrics['temperature']:.2f}" if test.labelled else "before any label"
            notes.append(
                f"From the model's average confidence {after} one would guess {guessed}. That is a guess, no interval."
            )
        return [*notes, *stages.missing]


def _variates(stages: Stages, labelling: Labelling, test: ActiveTest) -> str:
    """Name the control variates."""
    known = ["the model's own expectation"] if labelling.rows.has_chances else []
    if test.proxy is not None:
        known.append(f"the scores of proxy={stages.experiment.proxy.name}")
    return f"{in_words(known)} as control variate{'s' * (len(known) > 1)}" if known else "no control variate"
