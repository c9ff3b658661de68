"""Mini-batch learning itself: how many steps, examples and seconds does each training batch size take to a target?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..data.base import SPLITS, in_memory
from ..errors import BadInput
from ..experiment import Stages, Study
from ..metric.chosen import MAIN
from ..metric.columns import of_column
from ..model import training
from ..model.descent import BUDGETS, Budget, Descent, Work, descend
from ..model.mlp import Mlp
from ..model.network import Layer, Network
from ..records.rows import Dataset
from ..report import train as tables
from ..report.result import Compared, Result
from ..runtime.memo import once
from ..runtime.progress import Bar
from ..sampling.streams import FIRST_WEIGHTS, generator
from ..scoring.rows import score

if TYPE_CHECKING:
    import pandas as pd

# MLflow's charts show a thousand points at best, and each costs time to be logged.
_MOST_LOGGED = 500
# The defaults: targets of twice the reference's loss and error, and budgets of seconds of work on small data.
_TIMES_THE_REFERENCE = 2.0
_PASSES, _LEAST_EXAMPLES, _STEPS, _SECONDS = 4, 40_000, 1000.0, 2.0


@dataclass
class Train(Study):
    """Train the network of `model` by plain gradient descent with `batch_size` rows a step, and see when it is good.

    The steps are ``W ← W - η ∂L/∂W``, L the mean loss of the batch, with neither momentum, decay nor schedule; of
    `model` the hidden layers and the activation count, not its own recipe. Each learning rate is given the same budget,
    the same first weights and the same batches; the one whose loss over the train split is the lowest when the budget
    is spent is taken (of equals the smallest), so that no row of the test split has a say in it. A target is reached
    at the first evaluation on the test split that is at it or better.

    Attributes
    ----------
    learning_rates : list of float
        The values of η to choose from, each above 0.
    budget : str
        What every rate and every batch size gets the same of: ``examples``, ``steps`` or ``seconds``.
    budget_size : float or None
        How much of it. None: ``examples`` 4 passes over the train split and at least 40,000; ``steps`` 1,000;
        ``seconds`` 2 (of training, evaluations not counted).
    loss_target : float or None
        Mean loss over the test split, nats. None: twice that of the network that `model` trains by its own recipe,
        rounded up to two digits; it depends on data and model alone, and so is one for all batch sizes.
    accuracy_target : float or None
        Over the test split, in (0, 1]. None: where the share of errors is twice that network's, rounded down to
        tenths of a percent.
    """

    name: str = "train"
    learning_rates: list[float] = field(default_factory=lambda: [0.1, 0.3, 1.0, 3.0])
    budget: str = "examples"
    budget_size: float | None = None
    loss_target: float | None = None
    accuracy_target: float | None = None

    columns: ClassVar[tuple[str, ...]] = (
        "train/learning_rate",
        *(
            f"{metric}/{name}"
            for metric in MAIN
            for name in ("target", *(f"{unit}_to_target" for unit in ("steps", "examples", "seconds")), "train", "test")
        ),
    )

    why_both: ClassVar[str] = "its targets are of these two"

    def __post_init__(self) -> None:
        if not self.learning_rates:
            raise BadInput("study.learning_rates must hold at least one rate, such as [0.1]; found none")
        for rate in self.learning_rates:
            if not (rate > 0 and math.isfinite(rate)):
                raise BadInput(f"study.learning_rates must be numbers above 0, such as [0.1, 1.0]; found {rate}")
        if self.budget not in BUDGETS:
            raise BadInput(f"study.budget must be one of {', '.join(BUDGETS)}; found {self.budget!r}")
        least = 0 if self.budget == "seconds" else 1
        if self.budget_size is not None and not (0 < self.budget_size < math.inf and self.budget_size >= least):
            wanted = f"at least 1 ({self.budget})" if least else "above 0 seconds"
            raise BadInput(f"study.budget_size must be {wanted}, or null; found {self.budget_size}")
        if self.loss_target is not None and not 0 < self.loss_target < math.inf:
            raise BadInput(f"study.loss_target must be above 0 nats, or null; found {self.loss_target}")
        if self.accuracy_target is not None and not 0 < self.accuracy_target <= 1:
            raise BadInput(f"study.accuracy_target must be in (0, 1], or null; found {self.accuracy_target}")

    def check(self, stages: Stages) -> None:
        """Refuse stages in which nothing can be trained.

        Raises
        ------
        BadInput
            If the model is no `Mlp`, or a batch is larger than the train split or than the budget.
        """
        stages.require_simple("train")
        if not isinstance(stages.experiment.model, Mlp):
            raise BadInput(
                f"model must be mlp for study=train, which trains a network from its first weights; "
                f"found {stages.experiment.model.name}: choose model=mlp"
            )
        size, batch = len(stages.experiment.data.rows("train")), stages.experiment.batch_size
        if batch > size:
            raise BadInput(
                f"batch_size must be at most the train split's {size:,} rows to train with; found {batch:,}: "
                f"choose {size} for all rows in every step"
            )
        if self._budget(size).kind == "examples" and self._budget(size).size < batch:
            raise BadInput(
                f"study.budget_size must hold at least one batch of {batch:,} examples; found {self.budget_size:g}"
            )

    def content(self, stages: Stages) -> list[str]:
        """Return the digests of both splits: one is trained on, the other is watched."""
        return [stages.experiment.data.rows(split).digest for split in SPLITS]

    def answer(self, stages: Stages) -> Result:
        """Train with each learning rate, take the best, and see when it reached the targets."""
        self.check(stages)
        train, test = (in_memory(stages.experiment.data.rows(split)) for split in SPLITS)
        targets = self._targets(stages, test)
        work = _work(stages, train, self._budget(len(train)))
        run, trials = _best(work, self.learning_rates)
        curve = _evaluated(run, work, test)
        batch = stages.experiment.batch_size
        metrics = _metrics(run, curve, targets, batch) | {"budget/size": work.budget.size}
        frame = _frame(run, curve, batch)
        summary = tables.cell_summary(metrics, batch, work.budget.kind)
        return Result(
            metrics=metrics,
            series=_series(run, curve, batch),
            tables={"training.parquet": frame, "learning_rates.csv": trials},
            figures={
                "training_curves": _figure(frame, metrics, batch, f"{train.name}, {stages.experiment.model.called}")
            },
            shown=tables.table(
                [{"batch_size": batch, **metrics}], f"{train.name}, {len(train):,} rows; judged on {test.name}"
            ),
            summary=summary,
            notes=_notes(run, trials, work, self.learning_rates),
        )

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Compare the training batch sizes: what each took to the targets, and how each learnt."""
        from ..plots import training_curves, training_targets

        frame = read("training.parquet")
        budget = "its own budget" if "study.budget" in cells else tables.budget_words(cells, self.budget)
        figures = {"training_targets": training_targets.draw(cells, budget)}
        shown = []
        for i, (group, own) in enumerate(cells.groupby("group", sort=False), start=1):
            name = "training_curves" if i == 1 else f"training_curves_{i}"
            if i <= len(training_curves.COLOURS):
                figures[name] = training_curves.draw(own, frame[frame["group"] == group], str(group), beside=frame)
            shown.append(tables.table(own.to_dict("records"), tables.title(own, str(group))))
        return Compared(
            figures=figures,
            shown=shown,
            summary=tables.conclusion(cells, budget),
            caption=tables.caption(budget),
        )

    def _budget(self, size: int) -> Budget:
        usual = {"examples": float(max(_PASSES * size, _LEAST_EXAMPLES)), "steps": _STEPS, "seconds": _SECONDS}
        return Budget(self.budget, usual[self.budget] if self.budget_size is None else self.budget_size)

    def _targets(self, stages: Stages, test: Dataset) -> dict[str, float]:
        if self.loss_target is not None and self.accuracy_target is not None:
            return {"loss": self.loss_target, "accuracy": self.accuracy_target}
        key = f"reference {test.digest} {test.scale} {stages.classifier.digest}"
        loss, accuracy = once(key, lambda: _loss_and_accuracy(stages.classifier, test))
        usual = _usual_targets(loss, accuracy)
        targets = {"loss": self.loss_target or usual["loss"], "accuracy": self.accuracy_target or usual["accuracy"]}
        for metric, target in targets.items():
            if not 0 < target < math.inf:
                raise BadInput(
                    f"study.{metric}_target must be given where the model's own network sets none: its loss is "
                    f"{loss:.3g} and its accuracy {accuracy:.3g} on {test.name}"
                )
        return targets


def _work(stages: Stages, train: Dataset, budget: Budget) -> Work:
    model = stages.experiment.model
    assert isinstance(model, Mlp)
    widths = [train.inputs.shape[1], *model.hidden, train.n_classes]
    start = training.initial_layers(widths, model.activation, generator(FIRST_WEIGHTS, stages.experiment.seed))
    return Work(train, start, model.activation, stages.experiment.batch_size, stages.experiment.seed, budget)


def _best(work: Work, rates: list[float]) -> tuple[Descent, pd.DataFrame]:
    """Try each rate; of the one with the lowest loss over the train split at the end all is kept, of the others a row.

    Raises
    ------
    BadInput
        If the loss stayed finite with none of them.
    """
    import pandas as pd
    from threadpoolctl import threadpool_limits

    tried = sorted(set(rates))
    best, least = Descent(math.nan), math.inf
    rows: list[dict[str, float]] = []
    with Bar(f"Training with {work.batch_size:,} rows a step", yields=True) as bar:
        for i, rate in enumerate(tried):
            # Numbers that grow beyond all bounds are found by their loss, and told in words.
            with threadpool_limits(1, user_api="blas"), np.errstate(over="ignore", invalid="ignore"):
                run = descend(work, rate, on_progress=partial(_tell, bar.update, i, len(tried)))
            loss, accuracy = _of_layers(run.kept[-1][2], work, work.train) if run.is_finite else (math.nan, math.nan)
            rows.append({"learning_rate": rate, "train_loss": loss, "train_accuracy": accuracy, "steps": run.steps,
                         "examples": run.steps * work.batch_size, "seconds": run.seconds})  # fmt: skip
            if loss < least:
                best, least = run, loss
    if not math.isfinite(least):
        raise BadInput(
            f"study.learning_rates must hold one that keeps the loss finite; found none in "
            f"{', '.join(f'{rate:g}' for rate in tried)} with batch_size={work.batch_size}: add smaller ones"
        )
    trials = pd.DataFrame(rows)
    return best, trials.assign(is_chosen=trials["learning_rate"] == best.learning_rate)


def _tell(on_progress: Callable[[float, float], None], n_done: int, n_all: int, share: float) -> None:
    on_progress(n_done + share, n_all)


def _evaluated(run: Descent, work: Work, test: Dataset) -> dict[str, NDArray[Any]]:
    """Loss and accuracy over both splits with each of the kept weights, by column."""
    rows = []
    for step, seconds, layers in run.kept:
        rows.append((step, seconds, *_of_layers(layers, work, work.train), *_of_layers(layers, work, test)))
    names = ("step", "seconds", "train_loss", "train_accuracy", "test_loss", "test_accuracy")
    columns = {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    return columns | {"examples": columns["step"] * work.batch_size}


def _of_layers(layers: list[Layer], work: Work, dataset: Dataset) -> tuple[float, float]:
    return _loss_and_accuracy(Network(layers, work.activation), dataset)


def _loss_and_accuracy(classifier: Any, dataset: Dataset) -> tuple[float, float]:
    """Over all rows; NaN where the weights are so large that they give no logits."""
    try:
        scores = score(classifier, dataset)
    except BadInput:
        return math.nan, math.nan
    return float(scores.loss.mean()), float(scores.correct.mean())


def _usual_targets(loss: float, accuracy: float) -> dict[str, float]:
    """Round targets from a reference's figures on the test split.

    Examples
    --------
    >>> _usual_targets(0.1243, 0.967)
    {'loss': 0.25, 'accuracy': 0.934}
    """
    wide = _TIMES_THE_REFERENCE * loss
    if not 0 < wide < math.inf:
        return {"loss": math.nan, "accuracy": math.nan}
    unit = 10.0 ** (math.floor(math.log10(wide)) - 1)
    # Without the inner round, the last bits of 0.934 would make it 0.933.
    low = math.floor(round(1000 * (1 - _TIMES_THE_REFERENCE * (1 - accuracy)), 6)) / 1000
    return {"loss": float(f"{math.ceil(round(wide / unit, 6)) * unit:.2g}"), "accuracy": low}


def _metrics(
    run: Descent, curve: Mapping[str, NDArray[Any]], targets: dict[str, float], batch: int
) -> dict[str, float]:
    metrics = {"train/learning_rate": run.learning_rate}
    for metric, target in targets.items():
        test = curve[f"test_{metric}"]
        (reached,) = np.nonzero(test <= target if of_column(metric).is_better_low else test >= target)
        metrics[f"{metric}/target"] = target
        for unit in ("step", "examples", "seconds"):
            name = f"{metric}/{unit.removesuffix('s') + 's'}_to_target"
            metrics[name] = float(curve[unit][reached[0]]) if len(reached) else math.inf
        metrics |= {f"{metric}/{split}": float(curve[f"{split}_{metric}"][-1]) for split in ("train", "test")}
    spent = {"steps": float(run.steps), "examples": float(run.steps * batch), "seconds": run.seconds}
    return metrics | {f"budget/{unit}": value for unit, value in spent.items()}


def _frame(run: Descent, curve: Mapping[str, NDArray[Any]], batch: int) -> pd.DataFrame:
    """A row a step that was recorded or evaluated: its batch by the weights before it, the splits by those after."""
    import pandas as pd

    batches = pd.DataFrame(run.batches, columns=["step", "seconds", "batch_loss", "batch_accuracy"])
    evaluated = pd.DataFrame(dict(curve)).drop(columns="examples")
    frame = batches.merge(evaluated, on=["step", "seconds"], how="outer").sort_values("step", ignore_index=True)
    frame.insert(1, "examples", frame["step"] * batch)
    return frame


def _series(run: Descent, curve: Mapping[str, NDArray[Any]], batch: int) -> list[tuple[str, float, int]]:
    series: list[tuple[str, float, int]] = []
    for step, _, loss, accuracy in run.batches[:: math.ceil(len(run.batches) / _MOST_LOGGED)]:
        series += [("train/batch_loss", loss, step), ("train/batch_accuracy", accuracy, step)]
    names = {"train/examples": "examples", "train/seconds": "seconds"}
    names |= {f"{split}/{metric}": f"{split}_{metric}" for split in ("train", "test") for metric in MAIN}
    for name, column in names.items():
        series += [(name, float(value), int(step)) for step, value in zip(curve["step"], curve[column], strict=True)]
    return series


def _figure(frame: pd.DataFrame, metrics: Mapping[str, float], batch: int, name: str) -> Any:
    from ..plots import training_curves

    return training_curves.draw_cell(frame, metrics, f"{name}, {batch:,} {'row' if batch == 1 else 'rows'} a step")


def _notes(run: Descent, trials: pd.DataFrame, work: Work, rates: list[float]) -> list[str]:
    losses = zip(trials["learning_rate"].tolist(), trials["train_loss"].tolist(), strict=True)
    ends = ", ".join(f"{rate:g}: {f'{loss:.4f}' if math.isfinite(loss) else 'ran away'}" for rate, loss in losses)
    notes = [
        f"every rate got the same {work.budget.kind}: {work.budget.size:,.6g}; {run.learning_rate:g} was chosen by the "
        f"lowest loss of the train split at the end ({ends}), without a look at the test split",
        "a target counts as reached at the first evaluation at it or better; these are 15 % apart, from a quarter "
        "of the budget on 5 % of it; seconds are of training alone",
    ]
    if len(set(rates)) > 1 and run.learning_rate in (min(rates), max(rates)):
        side, more = ("largest", "larger") if run.learning_rate == max(rates) else ("smallest", "smaller")
        notes.append(f"{run.learning_rate:g} is the {side} rate tried: a {more} one might do better")
    return notes
