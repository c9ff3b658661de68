"""What studies of two models on the same rows have in common: the other model, and the pair of scores."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ...data.base import Data
from ...data.formats.locations import is_remote, path_of
from ...errors import BadInput
from ...experiment import Stages, Study
from ...metric.base import Metric
from ...metric.columns import none_of
from ...metric.together import TOGETHER
from ...model.base import Classifier, Model
from ...model.network import ACTIVATIONS
from ...records.scores import Scores
from ...runtime import files
from ...scoring.block import RowFunction
from ...scoring.outputs import SAID
from ..together import Truth, evaluated_for
from .many import are_many, listed
from .match import Match, match_of
from .models import all_scores, built_of, in_double, is_weights, model_of, network_of
from .other_file import by_folders, other_of, population_of, shown_path
from .pair import Pair, refuse_without
from .predictions import pair_of
from .unlabelled import has_unlabelled, powered

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Against(Study):
    """A study that scores every row of the population under two models: the model, and the one in `against`.

    Attributes
    ----------
    against : str, list of str, Model or None
        The other model: a file of any kind that ``model`` reads (``.onnx``, ``.skops``, ``.safetensors``, ``.pt``, or
        npz weights W1, b1 … Wk, bk of any depth and widths that take the data's rows), read with the model's own
        options where it is of the same kind; or a part with options of its own: ``+study/against=onnx
        study.against.path=FILE``. Where the data are predictions, other predictions of the same rows: matched by
        ``data.id``, or in order. A list of files, or a pattern such as ``runs/*.parquet``, makes ``compare`` rank all
        of them, and ``gate`` judge each. None is one that the study makes from the model.
    against_activation : str or None
        Of the hidden layers of npz weights; None is the model's own.
    against_columns : dict of str to str
        Columns that are called otherwise in the other predictions, by the data's field: ``{"logits": "logits_b"}``.
    on : list of str or None
        The metrics, by the names of their columns: those of a row that are evaluated, and those of all rows together,
        ``balanced_accuracy``, ``macro_f1``, ``auc`` and ``ece``. None is all of a row.
    rows_out : bool
        Whether ``rows.parquet`` is logged: a row each, with its id, label, and both models' predicted classes, losses
        and correctness, and the differences.
    """

    # A str, a Model or None: Hydra knows no union with a part.
    against: Any = None
    against_activation: str | None = None
    against_columns: dict[str, str] = field(default_factory=dict)
    on: list[str] | None = None
    rows_out: bool = False

    takes_slices: ClassVar[bool] = True
    takes_groups: ClassVar[bool] = True
    # Why predictions need another file, where none is given; and what the model that is made instead is called.
    why_no_own: ClassVar[str] = ""
    called_here: ClassVar[str] = "the other model"
    # The tags of what the two are called, where it is not what their files are called.
    told_names: ClassVar[tuple[str, str]] = ("baseline", "candidate")

    def check_alone(self) -> None:
        """Refuse options of the other model where none is given.

        Raises
        ------
        BadInput
            If there are such.
        """
        for key in ("against_activation", "against_columns"):
            if getattr(self, key):
                raise BadInput(
                    f"study.{key} must go with study.against; found {getattr(self, key)!r} alone: add "
                    "study.against=FILE"
                )

    def check_against(self) -> None:
        """Refuse another model that is none, here and not when it is read, so that a sweep is refused before it starts.

        Raises
        ------
        BadInput
            If there is no such file.
        """
        if self.against_activation is not None and self.against_activation not in ACTIVATIONS:
            raise BadInput(
                f"study.against_activation must be one of {', '.join(ACTIVATIONS)}, or null for the model's own; "
                f"found {self.against_activation!r}"
            )
        if isinstance(self.against, Model):
            return
        if are_many(self.against):
            self._check_many()
            return
        if not isinstance(self.against, str):
            raise BadInput(f"study.against must be a file or a model; found {self.against!r}: give a path")
        if is_remote(self.against):
            return
        self.against = files.absolute(self.against)
        if not Path(self.against).exists():
            raise BadInput(
                "study.against must name the file of a model, or of predictions where the data are some; found no "
                f"file {self.against!r}: check the path"
            )

    def _check_many(self) -> None:
        # Found now, so that a sweep of more files than were there is another one.
        self.against = listed(self.against)
        for path in self.against:
            replace(self, against=path)

    @property
    def is_many(self) -> bool:
        """Whether several other models are given."""
        return isinstance(self.against, list)

    def content(self, stages: Stages) -> list[str]:
        """Return the digests of what the other model is made from."""
        if self.is_many:
            return [digest for path in self.against for digest in replace(self, against=path).content(stages)]
        if stages.are_predictions:
            return [population_of(self.other_data(stages)).digest]
        if isinstance(self.against, str) and is_weights(self.against):
            return [files.file_digest(Path(self.against))]
        return [self.other(stages)[0].digest]

    def check(self, stages: Stages) -> None:
        """Refuse other rows, weights that take other rows, a step to weights that are none, a model that has none."""
        stages.require_simple(self.name, takes_groups=self.takes_groups)
        # A column that makes no slices, or a metric that there is not, is refused before a run exists.
        _ = stages.slices, self.asked(stages)
        if self.is_many and has_unlabelled(stages):
            raise BadInput(
                "rows without a label must go with one other model; found several in study.against: name one"
            )
        if self.is_many:
            if stages.slices is not None:
                raise BadInput("data.by must go with one other model; found several in study.against: name one")
            for path in self.against:
                replace(self, against=path).check(stages)
            return
        if stages.are_predictions:
            self.probe(stages)
            return
        if self.against_columns:
            raise BadInput(
                "study.against_columns must go with data that are predictions; found "
                f"data={stages.experiment.data.name}: leave it out"
            )
        self.other(stages)

    def probe(self, stages: Stages) -> None:
        """Score two files of predictions, so that a row that is none is found before a run exists."""
        self.pair(stages)

    def pair(self, stages: Stages) -> Pair:
        """Score all rows under both models.

        Raises
        ------
        BadInput
            If the other model cannot be had, or is of other rows.
        """
        asked, besides, is_sample = self.asked(stages), self.besides(stages), self.is_sample(stages)
        if stages.are_predictions:
            other = self.other_data(stages)
            return powered(pair_of(stages, other, besides, asked, is_sample=is_sample), stages, other)
        before = all_scores(in_double(stages.classifier), stages.experiment.model, stages, besides)
        after = self.scored(*self.other(stages), stages)
        names = (stages.rows.class_names,) * 2
        truths = (Truth.of(stages.rows.labels, stages.rows.n_classes),) * 2 if besides else None
        found = Pair(before, after, asked, self.names_of(stages), names, truths, stages.units, is_sample)
        refuse_without(found)
        return found

    def match(self, stages: Stages) -> Match:
        """Find the same rows under both models, and score none of them yet.

        Raises
        ------
        BadInput
            As `pair`.
        """
        if stages.are_predictions:
            return match_of(stages, self.other_data(stages))
        classifiers = in_double(stages.classifier), self.other(stages)[0]
        both = stages.rows, stages.rows
        return Match(classifiers, both, None, stages.job().functions, stages.metrics, self.names_of(stages))

    def names_of(self, stages: Stages) -> tuple[str, str]:
        """Return what two models are called that are no files of predictions: their files, where they have some."""
        if not self.against:
            return "the model", self.called_here
        model = stages.experiment.model
        path = str(getattr(model, "path", None) or "")
        if not path:
            return "the model", self.called()
        if model.called != self.called():
            return model.called, self.called()
        other = getattr(self.against, "path", None) if isinstance(self.against, Model) else self.against
        return by_folders(path, str(other or self.called()))

    def asked(self, stages: Stages) -> dict[str, Metric]:
        """Return the metrics that are asked for, by column.

        Raises
        ------
        BadInput
            If one is not evaluated.
        """
        known: dict[str, Metric] = {**stages.metrics, **TOGETHER}
        if self.on is None:
            return dict(stages.metrics)
        configured = {metric.column for metric in stages.experiment.metric.values()}
        for name in self.on:
            if name not in known and name not in configured:
                raise BadInput(none_of("study.on", name, known))
        return {name: known[name] for name in self.on if name in known}

    def besides(self, stages: Stages) -> dict[str, RowFunction]:
        """Return what is evaluated of a row besides the metrics of a row; see `Stages.scores`."""
        wanted = evaluated_for(self.on or (), stages.rows.n_classes, len(stages.rows))
        return {**(SAID if self.rows_out else {}), **wanted}

    def is_sample(self, stages: Stages) -> bool:
        """Tell whether the rows are a sample of a world, for which a calibration error is debiased."""
        return True

    def other_data(self, stages: Stages) -> Data:
        """Return the other predictions.

        Raises
        ------
        BadInput
            If there are none.
        """
        if self.against is None:
            raise BadInput(
                f"study.against must name other predictions of the same rows, {self.why_no_own}; found null: add "
                "study.against=FILE"
            )
        if isinstance(self.against, Model):
            raise BadInput(
                "study.against must name other predictions of the same rows where the data are predictions; found "
                f"model {self.against.name}: write its predictions with {files.command('predict')} first"
            )
        if self.against_activation is not None:
            raise BadInput(
                f"study.against_activation must go with weights; found {self.against_activation!r} with data="
                f"{stages.experiment.data.name}: leave it out"
            )
        return other_of(stages.experiment.data, self.against, self.against_columns)

    def told_apart(self, names: tuple[str, str], stages: Stages) -> dict[str, str]:
        """Return the tags of what the two are called, where the name of the data does not say what the first one is."""
        own = Path(shown_path(stages.experiment.data)).name if stages.are_predictions else "the model"
        return {} if own == names[0] else dict(zip(self.told_names, names, strict=True))

    def labelled(self, cells: pd.DataFrame) -> pd.DataFrame:
        """Return cells with a label each, the group or else the other model's name, and the first one's name."""
        label, population = cells["group"], cells["population"]
        if {*self.told_names} <= {*cells}:
            baseline, candidate = (cells[name] for name in self.told_names)
            label = label.where((label != "") | candidate.isna(), candidate)
            population = population.where(baseline.isna(), baseline)
        return cells.assign(label=label.replace("", self.called()), population=population)

    def called(self) -> str:
        """Return the other model's name."""
        if self.is_many:
            return f"{len(self.against)} models"
        return self.against.called if isinstance(self.against, Model) else Path(path_of(str(self.against))).name

    def other(self, stages: Stages) -> tuple[Classifier, Model]:
        """Return the other model's classifier, and the part that it is built from.

        Raises
        ------
        BadInput
            If it cannot be built, or does not take the rows.
        """
        if self.against is None:
            return self.made_here(stages)
        if is_weights(self.against):
            return network_of(self.against, self.against_activation, stages), stages.experiment.model
        if self.against_activation is not None:
            raise BadInput(
                f"study.against_activation must go with npz weights; found {self.against_activation!r} with "
                f"{self.called()}: leave it out"
            )
        model = model_of(self.against, stages)
        return built_of(model, stages), model

    @abstractmethod
    def made_here(self, stages: Stages) -> tuple[Classifier, Model]:
        """Return the other model where `against` is None."""

    def scored(self, other: Classifier, model: Model, stages: Stages) -> Scores:
        """Return the other model's scores of all rows."""
        return all_scores(other, model, stages, self.besides(stages))
