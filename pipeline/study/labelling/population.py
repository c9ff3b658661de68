"""What a study of labels takes from the stages: what the model expects of all rows, its outputs, and their values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ... import accuracy, loss
from ...errors import BadInput
from ...estimation.active_testing import ActiveTest, Features, features_of
from ...estimation.calibration import Calibration, Expected
from ...experiment import Stages
from ...records.rows import Block, IntArray, Population
from ...runtime.cores import blas_in_one_thread, on_all_cores
from ...scoring.block import BlockScorer, in_blocks

Floats = NDArray[np.float64]

# Rows that are worked on together: few enough for a core's cache.
_AT_ONCE = 1 << 13
# Proxies that say what the model itself expects, which is known already.
_OWN = ("confidence", "entropy")


@dataclass(frozen=True, eq=False)
class Unlabelled:
    """The rows of some stages, whose labels are not looked at."""

    stages: Stages

    def test(self, *, uniform: float) -> ActiveTest:
        """Return the active test of these rows, without a round.

        Parameters
        ----------
        uniform : float
            As `ActiveTest` has it.
        """
        proxy = self._proxy()

        def features(calibration: Calibration) -> dict[str, Features]:
            return features_of(self.expected(calibration), len(self.stages.rows), proxy)

        return ActiveTest(
            size=len(self.stages.rows),
            metrics=tuple(self.stages.metrics),
            uniform=uniform,
            features=features,
            outputs=self.outputs,
            values=self.values,
            proxy=proxy,
        )

    @property
    def has_chances(self) -> bool:
        """Whether the model gives probabilities or logits."""
        return self.stages.classifier.gives in ("logits", "probabilities")

    def expected(self, calibration: Calibration) -> Expected | None:
        """Return what the calibrated model expects of all rows; None where it gives labels alone."""
        if not self.has_chances:
            return None
        rows = self.stages.rows
        forward = self.stages.classifier.from_stored(rows.scale)
        found = Expected(*np.empty((4, len(rows))))

        def write(stripe: tuple[int, NDArray[np.generic]]) -> None:
            first, inputs = stripe
            own = calibration.expected(self._as_logits(in_blocks(forward, inputs)))
            for name, values in vars(own).items():
                getattr(found, name)[first : first + len(inputs)] = values

        for shard, start in enumerate(rows.bounds[:-1]):
            for block in rows.read(shard):
                # A population of one shard, as those in memory may be, is still worked on by all cores.
                cuts = range(0, len(block.inputs), _AT_ONCE)
                on_all_cores(write, [(int(start) + at, block.inputs[at : at + _AT_ONCE]) for at in cuts])
                start += len(block.inputs)
        if not np.isfinite(found.loss).all():
            row = int((~np.isfinite(found.loss)).argmax())
            raise BadInput(
                f"the model's outputs must make probabilities; found some that do not in {rows.where(row)}: mend or "
                "remove that row"
            )
        return found

    def outputs(self, rows: IntArray) -> NDArray[np.floating]:
        """Return the logits or log-probabilities of rows, shape (n, k); (n, 0) where the model gives labels alone."""
        if not self.has_chances:
            return np.empty((len(rows), 0))
        block = self.stages.rows.take(rows)
        forward = self.stages.classifier.from_stored(self.stages.rows.scale)
        with blas_in_one_thread():
            return self._as_logits(in_blocks(forward, block.inputs))

    def values(self, rows: IntArray, labels: NDArray[np.int64]) -> dict[str, Floats]:
        """Return the loss of rows, and whether each is wrong, by metric that there is."""
        stages = self.stages
        functions = {"loss": loss.of_block, "accuracy": accuracy.of_block}
        scorer = BlockScorer(stages.classifier, stages.rows.scale, None, functions)
        block = Block(stages.rows.take(rows).inputs, labels)
        with blas_in_one_thread():
            scores = scorer(block, where=lambda row: stages.rows.where(int(rows[row])))
        found = {metric: np.asarray(scores.values(metric), dtype=np.float64) for metric in stages.metrics}
        if "accuracy" in found:
            found["accuracy"] = 1 - found["accuracy"]
        if "loss" in found and not np.isfinite(found["loss"]).all():
            row = int(rows[int((~np.isfinite(found["loss"])).argmax())])
            raise BadInput(
                f"the model must hold every row's class possible; found an infinite loss in {stages.rows.where(row)}: "
                "set study.loss_within=null and metric=[accuracy], or smooth the predictions"
            )
        return found

    def own_labels(self) -> NDArray[np.int64] | None:
        """Return the labels that the rows have already, shape (N,); None where they have none."""
        return self.own_labels_of(self.stages.rows)

    @staticmethod
    def own_labels_of(rows: Population) -> NDArray[np.int64] | None:
        """Return the labels of a population, as `own_labels` does."""
        found = rows.labels
        if found is None or not rows.n_classes:
            return None
        if found.ndim == 2 and not ((found == 0) | (found == 1)).all():
            raise BadInput("study=label takes one class a row; found shares of several: give integer labels")
        return np.asarray(found.argmax(axis=1) if found.ndim == 2 else found).astype(np.int64)

    def _as_logits(self, outputs: NDArray[np.floating]) -> NDArray[np.floating]:
        if self.stages.classifier.gives != "probabilities":
            return outputs
        with np.errstate(divide="ignore"):
            return np.log(np.maximum(np.asarray(outputs, dtype=np.float64), 0.0))

    def _proxy(self) -> dict[str, Floats] | None:
        """The guesses from elsewhere of the loss and of the errors, in the units of these."""
        proxy = self.stages.experiment.proxy
        if proxy.name in _OWN:
            return None
        guess = self.stages.frame.guess()
        found = {"loss": np.asarray(guess.loss, dtype=np.float64), "accuracy": 1 - np.asarray(guess.accuracy)}
        if proxy.has_units:
            return found
        expected = self.expected(Calibration())
        like = {"loss": np.ones(1), "accuracy": np.ones(1)} if expected is None else {
            "loss": expected.loss, "accuracy": expected.error
        }  # fmt: skip
        return {metric: _like(values, like[metric]) for metric, values in found.items()}


def _like(values: Floats, others: Floats) -> Floats:
    """Numbers in a unit of their own, moved and stretched to begin at 0 and to have the mean of others."""
    from_zero = values - values.min()
    mean = from_zero.mean()
    return np.asarray(from_zero * (others.mean() / mean) if mean > 0 else from_zero)
