"""Plain mini-batch gradient descent within a budget of steps, examples or seconds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..accuracy import is_correct
from ..records.rows import Dataset, IntArray
from ..sampling.streams import TRAINING_ORDER, generator
from . import training
from .gradient import forward
from .network import Layer

BUDGETS = ("examples", "steps", "seconds")
# Shares of the budget at which the weights are kept and evaluated, 61 in all: doubling, then 15 % apart, then a
# twentieth of the budget; as shares, they are the same points of every batch size and of every kind of budget.
_FINE = 0.25 * 1.15 ** -np.arange(1.0, 41.0)
MARKS = np.sort(np.concatenate([_FINE[-1] * 0.5 ** np.arange(1.0, 6.0), _FINE, np.arange(5, 21) / 20]))
MOST_BATCHES = 2000


@dataclass(frozen=True)
class Budget:
    """What a training may spend.

    Attributes
    ----------
    kind : str
        ``examples``, ``steps`` or ``seconds``.
    size : float
        How many.
    """

    kind: str
    size: float

    def has_room(self, steps: int, batch_size: int, seconds: float) -> bool:
        """Tell whether another step may be taken; one that time runs out in is still finished."""
        if self.kind == "seconds":
            return seconds < self.size
        return self.share(steps + 1, batch_size, seconds) <= 1

    def share(self, steps: int, batch_size: int, seconds: float) -> float:
        """Return which part of it is spent."""
        return {"examples": steps * batch_size, "steps": steps, "seconds": seconds}[self.kind] / self.size


@dataclass(frozen=True, eq=False)
class Work:
    """What every learning rate is tried on.

    Attributes
    ----------
    train : Dataset
        The train split.
    start : list of (W, b)
        The first weights, which depend on the seed and not on the batch size.
    activation : str
        Of the hidden layers.
    batch_size, seed : int
        The order of the rows follows from both.
    budget : Budget
        Of one training.
    """

    train: Dataset
    start: list[Layer]
    activation: str
    batch_size: int
    seed: int
    budget: Budget


@dataclass(eq=False)
class Descent:
    """A training with one learning rate.

    Attributes
    ----------
    learning_rate : float
        η.
    steps : int
        How many were taken.
    seconds : float
        That they took: gathering the batch, its gradient and the change of the weights.
    is_finite : bool
        Whether loss and weights stayed finite; a training stops when they do not.
    batches : list of (int, float, float, float)
        Step, seconds up to its end, and the batch's loss (nats) and accuracy by the weights before it; thinned evenly
        to 2,000 at most.
    kept : list of (int, float, list of (W, b))
        Steps taken, seconds, and the weights after them, where the budget passed one of `MARKS`, and first and last.
    """

    learning_rate: float
    steps: int = 0
    seconds: float = 0.0
    is_finite: bool = True
    batches: list[tuple[int, float, float, float]] = field(default_factory=list)
    kept: list[tuple[int, float, list[Layer]]] = field(default_factory=list)

    def keep(self, layers: list[Layer]) -> None:
        """Keep a copy of the weights."""
        self.kept.append((self.steps, self.seconds, _copied(layers)))


def descend(
    work: Work,
    learning_rate: float,
    *,
    clock: Callable[[], float] = time.perf_counter,
    on_progress: Callable[[float], object] = lambda share: None,
) -> Descent:
    """Train with one learning rate until the budget is spent or the numbers run away.

    Parameters
    ----------
    work : Work
        What is trained, on what.
    learning_rate : float
        η.
    clock : callable
        Gives the time, seconds; is read before and after each step.
    on_progress : callable
        Is told now and then which share of the budget is spent.
    """
    layers = _copied(work.start)
    rule = training.GradientDescent(layers, learning_rate=learning_rate)
    rng = generator(TRAINING_ORDER, work.seed, batch_size=work.batch_size)
    batches = training.batches_in_passes(len(work.train), work.batch_size, rng)
    run, stride, share = Descent(learning_rate), 1, 0.0
    run.keep(layers)
    while work.budget.has_room(run.steps, work.batch_size, run.seconds):
        rows = next(batches)
        is_recorded = run.steps % stride == 0
        accuracy = _batch_accuracy(layers, work, rows) if is_recorded else math.nan
        started = clock()
        loss = training.take_step(layers, work.activation, work.train, rows, rule)
        run.seconds += clock() - started
        run.steps += 1
        if not math.isfinite(loss):
            break
        if is_recorded:
            run.batches.append((run.steps, run.seconds, loss, accuracy))
            if len(run.batches) > MOST_BATCHES:
                run.batches, stride = run.batches[::2], 2 * stride
        before, share = share, work.budget.share(run.steps, work.batch_size, run.seconds)
        if np.searchsorted(MARKS, share, side="right") > np.searchsorted(MARKS, before, side="right"):
            run.keep(layers)
            on_progress(share)
    if run.kept[-1][0] < run.steps:
        run.keep(layers)
    run.is_finite = math.isfinite(loss) and all(np.isfinite(array).all() for layer in layers for array in layer)
    return run


def _batch_accuracy(layers: list[Layer], work: Work, rows: IntArray) -> float:
    inputs = np.multiply(work.train.inputs[rows], np.float32(work.train.scale), dtype=np.float32)
    _, logits = forward(layers, work.activation, inputs)
    return float(is_correct(logits, work.train.labels[rows]).mean())


def _copied(layers: list[Layer]) -> list[Layer]:
    return [(weights.copy(), bias.copy()) for weights, bias in layers]
