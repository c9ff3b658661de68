"""Is the candidate better, not worse, or worse than the baseline, or can these rows not tell? A verdict for scripts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..errors import BadInput
from ..experiment import Experiment, Stages, Study
from ..metric.base import Metric
from ..metric.columns import of_column, refuse_unknown
from ..metric.together import TOGETHER
from ..model.base import Classifier, Model
from ..model.mlp import Mlp
from ..records.rows import IntArray
from ..records.verdict import STATUSES, UNDECIDED
from ..report import gate as words
from ..report.gate_files import as_json, as_markdown
from ..report.result import Compared, Result
from ..report.rows_apart import rows_table
from ..runtime import files
from ..runtime.places import refuse_unwritable_folder, written_for
from .gating.as_needed import range_of
from .gating.digests import digests_of, same_content
from .gating.findings import Columns, refuse_infinite
from .gating.forecast import forecast
from .gating.judged import Case, Judged, Options, as_needed, on_all
from .gating.logged import metrics_of
from .gating.many import judged_all, many_result
from .gating.options import check_as_needed, check_margin, check_metrics, check_options, check_unlabelled
from .gating.rule import Rule, rule_of
from .paired.against import Against
from .paired.many import field_of
from .paired.models import built_of
from .paired.pair import Pair
from .paired.unlabelled import has_unlabelled
from .paired.unlabelled import notes_of as powered_notes
from .rows_apart import rows_apart
from .slices import judged as judged_slices
from .slices import with_slices
from .together import Truth, together_of
from .together_notes import pair_notes

if TYPE_CHECKING:
    import pandas as pd

JSON, MARKDOWN = "verdict.json", "verdict.md"
# The share of its training that the model has had which stands for a candidate where none is given.
_LESS = 4
_FIGURES = (
    "baseline", "candidate", "difference", "difference_low", "difference_high", "margin", "p", "p_holm", "verdict",
    "more", "smallest_effect", "n_for_margin", "resolution",
)  # fmt: skip


@dataclass
class Gate(Against):
    """A verdict on the model in `against` (the candidate) beside the model (the baseline), on the same rows.

    For each metric in `on` the paired difference, candidate minus baseline, gets an interval: for means the wider of
    Student's t and Hall's at each end, with room for rows not seen (or bets within `loss_range`), for shares Tango's;
    ``interval/loss``, ``interval/accuracy``, ``batch_size`` and ``draws`` have no part in it. Wholly on the good side
    of 0 the candidate is *better*, wholly on the good side of the margin *not worse*, wholly beyond it *worse*, and
    else it is *undecided*, which is never a pass. The verdict is the worst of the metrics', and the exit status 0
    (better, not worse), 3 (worse) or 4 (undecided). The intervals share the error 1 - ``confidence`` by Holm's rule
    (`estimation.verdict.decide`), so that any wrong verdict has at most that chance. They are for the world that the
    rows are a random sample of; with ``interval.target=population`` these rows are all that is asked about, and they
    are compared as they are. Rows without a label count where a ``proxy`` is named (`estimation.prediction_powered`). A
    file of predictions without a candidate is answered with what a gate could see on its rows, and with exit status 4.

    Attributes
    ----------
    margin : dict of str to float or None
        By how much the candidate may be worse and still pass, by metric, at least 0: ``study.margin.loss`` in nats,
        ``study.margin.accuracy`` and the others as fractions. It must be given for every metric in `on`.
    example_margin : dict of str to float
        The margin of a demonstration without `against`, where `margin` is not given.
    on : list of str
        The metrics that the verdict is about, also those of all rows together: ``balanced_accuracy``, ``macro_f1``,
        ``auc``, ``ece``.
    power : float
        The chance to see a true difference of the smallest size that is named, in (0, 1).
    audit : str or None
        A rule that fails a candidate by the difference found, such as ``accuracy<-0.01``; how often it is wrong is
        shown beside how often the gate is.
    output : str or None
        A folder that gets the files verdict.json and verdict.md as well; it is made if needed.
    rows : str
        ``all``; or ``as_needed``: in random order, block by block, until there is a verdict. Then the verdict is about
        these rows, unless ``interval.target=superpopulation``.
    block : int
        With ``as_needed``: rows of the first look, and the fewest from one look to the next, at least 1.
    max_rows : int or None
        With ``as_needed``: the most rows that are evaluated; None is all.
    loss_range : float or None
        Differences of losses are cut to ± this, nats, above 0, and the verdict on the loss is then guaranteed at every
        number of rows. With ``as_needed`` it must be set where the loss is in `on`, for nothing can be promised of a
        mean whose values have no bound. None with all rows: a row unlike those seen is taken to differ by 5 nats at
        most, or by as much as the largest difference seen, if that is 1 nat or more.
    """

    name: str = "gate"
    margin: dict[str, float | None] = field(default_factory=dict)
    example_margin: dict[str, float] = field(default_factory=dict)
    on: list[str] = field(default_factory=lambda: ["loss", "accuracy"])
    power: float = 0.8
    audit: str | None = None
    output: str | None = None
    rows: str = "all"
    block: int = 50
    max_rows: int | None = None
    loss_range: float | None = None

    has_batches: ClassVar[bool] = False
    has_design: ClassVar[bool] = False
    takes_proxies: ClassVar[bool] = True
    told: ClassVar[tuple[str, ...]] = Against.told_names
    columns: ClassVar[tuple[str, ...]] = (
        "verdict",
        *(f"{metric}/{figure}" for metric in ("loss", "accuracy") for figure in _FIGURES),
    )
    why_no_own: ClassVar[str] = "for predictions have no training that could be cut short"
    called_here: ClassVar[str] = f"a copy trained 1/{_LESS} as long"

    def __post_init__(self) -> None:
        self.on = list(dict.fromkeys(self.on))
        if not self.on:
            raise BadInput("study.on must name a metric at least; found none: study.on=[loss,accuracy]")
        if not 0 < self.power < 1:
            raise BadInput(f"study.power must be between 0 and 1, such as 0.8; found {self.power}")
        if self.against is None:
            self.check_alone()
        else:
            self.check_against()
        check_options(self.rows, block=self.block, max_rows=self.max_rows, loss_range=self.loss_range, audit=self.audit)
        examples = {} if self.against is not None else self.example_margin
        for name in self.on:
            refuse_unknown("study.on", name)
            check_margin(name, self.margin.get(name), examples.get(name))
        if self.output is not None and not self.output.strip():
            raise BadInput("study.output must name a folder; found an empty name: name one, or leave it out")

    def check(self, stages: Stages) -> None:
        """Refuse other rows, and metrics that are not evaluated.

        Raises
        ------
        BadInput
            If a verdict cannot be given, or its files could not be written.
        """
        if self.output is not None:
            refuse_unwritable_folder(self._folder(self.output), "study.output")
        if self._has_candidate(stages):
            super().check(stages)
        else:
            stages.require_simple(self.name)
        known = self._known(stages)
        named = {*(metric.column for metric in stages.experiment.metric.values()), *TOGETHER}
        check_metrics(self.on, self.margin, {name: self._margin(name) for name in self.on}, named, known)
        rule = self._rule(stages)
        if rule is not None and rule.metric.column == "ece":
            raise BadInput(
                "study.audit must be of a metric whose estimate has no bias left; found ece: name another metric"
            )
        if self.rows != "all" and not self._has_candidate(stages):
            raise BadInput("study.rows=as_needed must have a candidate; found none: add study.against=FILE")
        if self.rows == "all" and self.loss_range is not None and stages.units.starts is not None:
            raise BadInput(
                "study.loss_range must have rows that are independent; found data.group: leave one of them out"
            )
        if has_unlabelled(stages):
            check_unlabelled(
                has_candidate=self.against is not None,
                rows=self.rows,
                loss_range=self.loss_range,
                target=stages.experiment.interval.target,
            )
        if self.rows != "all":
            self._check_as_needed(stages)
        elif stages.are_predictions and self._has_candidate(stages) and not self.is_many:
            self._asked(self.pair(stages), stages.rows.where)

    def _check_as_needed(self, stages: Stages) -> None:
        check_as_needed(
            is_many=self.is_many,
            has_slices=stages.slices is not None,
            has_groups=stages.units.starts is not None,
            together=next(iter(together_of(self.on)), ""),
        )
        # A row shows whether both models tell the metrics; no other is scored yet.
        self._asked(self.match(stages).pair(np.zeros(1, np.intp)), stages.rows.where)
        for name in self.on:
            range_of(stages.metrics[name], self.loss_range)

    def probe(self, stages: Stages) -> None:
        """Score two files of predictions; where rows are evaluated as needed, match them alone."""
        self.match(stages) if self.rows != "all" else super().probe(stages)

    def answer(self, stages: Stages) -> Result:
        """Give the verdict; the files in `output` are written when all is known. Without a candidate, a forecast."""
        if not self._has_candidate(stages):
            return self._forecast(stages)
        if self.is_many:
            return self._many(stages)
        judged, pair, said = self._judged(stages)
        judgement = judged.judgement
        metrics = {name: self._known(stages)[name] for name in self.on}
        margins = {name: self._margin(name) for name in self.on}
        slices = None
        if pair is not None and not judgement.is_exact:
            slices = judged_slices(stages, pair, margins, loss_range=self.loss_range)
        texts = {JSON: as_json(judgement, metrics, slices), MARKDOWN: as_markdown(judgement, metrics, slices)}
        self._write(texts)
        shown = words.tables(judgement, metrics, about=stages.rows.name)
        same = same_content(self, judgement.digests, pair, are_files=stages.are_predictions)
        furthest = None if pair is None else rows_apart(stages, pair)
        result = Result(
            metrics=metrics_of(judgement),
            answer=words.sentence(judgement, metrics),
            shown=shown[0],
            further=[*shown[1:], *([] if furthest is None else [rows_table(furthest, stages.rows.name)])],
            summary=words.summary(judgement, metrics),
            notes=[*same, *words.notes(judgement, metrics), *self._demonstrated(), *said],
            series=judged.series,
            tables=judged.tables,
            figures=judged.figures,
            texts=texts,
            tags={
                "verdict": judgement.verdict,
                **self.told_apart((judgement.baseline, judgement.candidate), stages),
            },
            status=judgement.status,
        )
        whole = {own.metric: own.difference for own in judgement.findings}
        who = f"{judgement.candidate} minus {judgement.baseline}"
        return with_slices(
            result, slices, stages, whole, significance=1 - stages.experiment.confidence, who=who, margins=margins
        )

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """List the cells' verdicts; the exit status is that of the worst."""
        from ..plots import names, verdict

        if "verdict" not in cells:
            said = "No candidate was given, so nothing was judged: add study.against=FILE."
            return Compared({}, [], said, status=STATUSES[UNDECIDED])
        judged = cells[cells["verdict"].notna()]
        rows = self.labelled(judged)
        # A metric that some cell did not judge, as in a sweep over study.on, is in no common table.
        there = [name.removesuffix("/verdict") for name in map(str, rows) if name.endswith("/verdict")]
        metrics = {name: of_column(name) for name in there if rows[f"{name}/verdict"].notna().all()}
        if not metrics:
            return Compared({}, [], words.summary_of_cells(rows), status=STATUSES[int(rows["verdict"].max())])
        return Compared(
            figures={"verdict": verdict.draw(rows, metrics, names.subject(rows))},
            shown=words.tables_of_cells(rows, metrics),
            summary=words.summary_of_cells(rows),
            caption=words.CAPTION,
            status=STATUSES[int(rows["verdict"].max())],
        )

    def content(self, stages: Stages) -> list[str]:
        """Return the digests of what the candidate is made from."""
        return super().content(stages) if self._has_candidate(stages) else []

    def repeated(self, folder: Path, experiment: Experiment, recorded: Mapping[str, float]) -> tuple[Study, list[str]]:
        """Return the gate without its folder, whose files are those of the newest verdict."""
        return replace(self, output=None), []

    def made_here(self, stages: Stages) -> tuple[Classifier, Model]:
        """Return the same network after less training, which stands for a candidate in a demonstration.

        Raises
        ------
        BadInput
            If the model is not trained here.
        """
        own = stages.experiment.model
        if not isinstance(own, Mlp):
            raise BadInput(
                "study.against must name the candidate, for only model=mlp can be trained less to stand for one; found "
                f"null and model={own.name}: add study.against=FILE"
            )
        model = replace(own, epochs=max(1, own.epochs // _LESS), min_steps=own.min_steps // _LESS)
        return built_of(model, stages), model

    def called(self) -> str:
        """Return the candidate's name."""
        return self.called_here if self.against is None else super().called()

    @property
    def target(self) -> str:  # type: ignore[override]
        """What the verdict is about: rows that are evaluated as needed stand for all of them."""
        return "superpopulation" if self.rows == "all" else "population"

    def _has_candidate(self, stages: Stages) -> bool:
        """Predictions alone have no training that could be cut short."""
        return self.against is not None or not stages.are_predictions

    def _write(self, texts: dict[str, str]) -> None:
        if self.output is None:
            return
        folder = self._folder(self.output)
        with written_for("study.output", folder):
            for name, text in texts.items():
                files.write_beside(folder / name, lambda file, text=text: file.write(text.encode()))  # type: ignore[misc]

    @staticmethod
    def _folder(output: str) -> Path:
        return Path(output).expanduser().absolute()

    def _many(self, stages: Stages) -> Result:
        field = field_of(self, stages)
        lacking = [name for name in self.on if name not in field.metrics]
        if lacking:
            raise BadInput(
                f"study.on must name metrics that all models have; found {lacking[0]}, and {'; '.join(field.lacking)}: "
                f"choose study.on=[{','.join(field.metrics)}]"
            )
        margins = {name: self._margin(name) for name in self.on}
        digests = [digests_of(replace(self, against=path), stages) for path in field.paths]
        judgements = judged_all(field, stages, margins, digests, self.power, loss_range=self.loss_range)
        found = many_result(judgements, field, stages, self.on)
        self._write(found.texts)
        return found

    def _forecast(self, stages: Stages) -> Result:
        besides = self.besides(stages)
        scores, _ = stages.scores(besides=besides)
        # With itself, so that what could not be compared is refused as it would be with a candidate.
        truths = (Truth.of(stages.rows.labels, stages.rows.n_classes),) * 2 if besides else None
        pair = Pair(scores, scores, self.asked(stages), (stages.rows.name,) * 2, truths=truths)
        columns = self._asked(pair, stages.rows.where)
        said = forecast(
            {name: own for name, (own, _) in columns.items()},
            {name: self._known(stages)[name] for name in self.on},
            {name: self._margin(name) for name in self.on},
            confidence=stages.experiment.confidence,
            power=self.power,
            about=stages.rows.name,
        )
        notes = [f"{said.notes[0]}. The exit status is 4, for it is no pass", *said.notes[1:]]
        if any(self.margin.get(name) is None for name in self.on):
            notes.append(
                "Margins that were not given are examples; only you can say what matters: add study.margin.loss=…"
            )
        return replace(said, notes=notes, status=STATUSES[UNDECIDED])

    def _known(self, stages: Stages) -> dict[str, Metric]:
        """Return the metrics that can be judged, by column."""
        return {**stages.metrics, **TOGETHER}

    def is_sample(self, stages: Stages) -> bool:
        """Tell whether the rows are a sample of a world; with ``interval.target=population`` they are all."""
        return stages.experiment.interval.target == "superpopulation"

    def _margin(self, name: str) -> float:
        given = self.margin.get(name)
        return self.example_margin[name] if given is None else given

    def _rule(self, stages: Stages) -> Rule | None:
        known = self._known(stages)
        return (
            None
            if self.audit is None
            else rule_of(self.audit, {name: known[name] for name in self.on if name in known})
        )

    def _asked(self, pair: Pair, where: Callable[[int], str]) -> dict[str, Columns]:
        """Return both models' values of the metrics asked for; refuse such as one of the two has not."""
        there = [name for name in self.on if name in pair.metrics]
        if len(there) < len(self.on):
            lacking = next(name for name in self.on if name not in there)
            raise BadInput(
                f"study.on must name metrics that both models have; found {lacking}, and {'; '.join(pair.lacking)}: "
                + (f"study.on=[{','.join(there)}]" if there else "give predictions from which both can be told")
            )
        columns = {name: pair.columns(name) for name in self.on}
        refuse_infinite(columns, where)
        return columns

    def _judged(self, stages: Stages) -> tuple[Judged, Pair | None, list[str]]:
        """Return the judgement, both models' values if all rows were evaluated, and what is to be said of these."""
        if self.rows == "all":
            pair = self.pair(stages)
            columns = self._asked(pair, stages.rows.where)
            said = [*pair_notes(pair, has_room=True), *powered_notes(pair, stages), *pair.lacking]
            metrics = {name: pair.metrics[name] for name in self.on}
            case = replace(self._case(stages, pair.names), metrics=metrics, slacks=pair.slacks, proxies=pair.proxies)
            return on_all(case, columns, self._rule(stages)), pair, said
        match = self.match(stages)

        def score(rows: IntArray) -> dict[str, Columns]:
            return self._asked(match.pair(rows), lambda row: stages.rows.where(int(rows[row])))

        case, options = self._case(stages, match.names), Options(self.block, self.max_rows)
        return as_needed(case, score, size=len(stages.rows), options=options), None, []

    def _case(self, stages: Stages, names: tuple[str, str]) -> Case:
        known = self._known(stages)
        metrics = {name: known[name] for name in self.on}
        margins = {name: self._margin(name) for name in self.on}
        digests = digests_of(self, stages)
        about, units = stages.about, stages.units
        asked, power = stages.experiment, self.power
        return Case(names, digests, metrics, margins, asked, power, about, units, loss_range=self.loss_range)

    def _demonstrated(self) -> list[str]:
        examples = [name for name in self.on if self.margin.get(name) is None]
        if self.against is not None:
            return []
        said = f"A demonstration: the candidate is {self.called()}."
        if examples:
            said += " Its margins are examples too; of your own models only you can say what matters."
        return [said]
