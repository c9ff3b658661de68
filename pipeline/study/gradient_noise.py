"""Which training batch size is worth its cost? The gradient noise scale, beside the batch that is enough to judge."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..data.base import check_split, in_memory
from ..errors import BadInput
from ..estimation.sample_size import smallest_batch
from ..experiment import Stages, Study
from ..model.base import fits
from ..model.gradient import check_differentiable
from ..model.gradient_norms import GradientNorms, gradient_norms
from ..model.network import Network
from ..records.rows import Dataset
from ..report import gradient_noise as tables
from ..report.result import Compared, Result
from ..report.words import counted, rounded
from ..runtime.memo import once
from ..sampling.streams import GRADIENT_BLOCKS, generator
from ..scoring.rows import score

if TYPE_CHECKING:
    import pandas as pd

_FEWEST_BLOCKS = 10
# The noise scale has a wide interval: tables and sentences write two digits of it.
_ESTIMATED = tuple(f"gradient_noise/scale{end}" for end in ("", "_debiased", "_low", "_high"))


@dataclass
class GradientNoise(Study):
    """Measure how much the rows' gradients differ, against how long their mean is.

    Attributes
    ----------
    split : str
        Whose rows: ``train`` (they are what is trained on) or ``test`` (the weights were not fitted to them).
    blocks : int
        Disjoint random blocks of rows, from which the interval is made; at least 10. One sum of gradients is held for
        each.
    tolerance : float
        Nats; the other answer is how large a batch must be to tell the loss within this.
    """

    name: str = "gradient_noise"
    split: str = "train"
    blocks: int = 40
    tolerance: float = 0.05

    has_batches: ClassVar[bool] = False
    why_both: ClassVar[str] = "the gradients are the loss's"
    columns: ClassVar[tuple[str, ...]] = (
        "gradient_noise/scale",
        "gradient_noise/scale_debiased",
        "gradient_noise/scale_low",
        "gradient_noise/scale_high",
        "gradient/trace",
        "gradient/norm_squared",
        "gradient/norm_squared_debiased",
        "loss/n_for_tolerance",
    )

    def __post_init__(self) -> None:
        try:
            check_split(self.split)
        except BadInput as error:
            raise BadInput(str(error).replace("data.split", "study.split")) from None
        if self.blocks < _FEWEST_BLOCKS:
            raise BadInput(f"study.blocks must be at least {_FEWEST_BLOCKS}; found {self.blocks}")
        if not 0 < self.tolerance < math.inf:
            raise BadInput(f"study.tolerance must be a number of nats above 0; found {self.tolerance}")

    def answer(self, stages: Stages) -> Result:
        """Give the noise scale of the gradients, with its interval, and the batch size that is enough to judge."""
        from ..plots import gradient_noise as plot

        network, dataset = self._network(stages), self._rows(stages)
        norms = self._norms(stages, network, dataset)
        noise = noise_scale(norms, stages.experiment.confidence)
        metrics = _metrics(noise, norms)
        metrics["loss/n_for_tolerance"] = self._judging_size(stages)
        about = f"{dataset.name}, {len(dataset):,} rows"
        said = rounded(metrics, _ESTIMATED)
        words = {"confidence": stages.experiment.confidence, "tolerance": self.tolerance}
        return Result(
            metrics=metrics,
            tables={"gradient_norms.parquet": _norms_frame(norms), "layers.csv": _layers_frame(norms, network)},
            figures={
                "gradient_noise": plot.draw(
                    norms.squared.sum(axis=1), metrics, subject=stages.about, about=about, **words
                )
            },
            curve=stages.classifier.learning_curve,
            shown=tables.table(
                said, n=len(dataset), title=f"Training batches, {about}", confidence=stages.experiment.confidence
            ),
            summary=tables.summary(said, judged=stages.rows.name, **words),
            notes=self._notes(stages, metrics),
        )

    def check(self, stages: Stages) -> None:
        """Refuse a model without a gradient, and too few rows."""
        stages.require_simple("gradient_noise")
        self._network(stages)
        self._rows(stages)

    def content(self, stages: Stages) -> list[str]:
        """Return the digest of the rows whose gradients are taken."""
        return [self._rows(stages).digest]

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Put the noise scales side by side; the batch size swept has no part in them."""
        found = [rounded(cell, _ESTIMATED) for cell in cells.drop_duplicates("group").to_dict("records")]
        return Compared(
            figures={},
            shown=[tables.compared(found)],
            summary=tables.compared_summary(found),
            caption="Rows. The scale does not depend on batch_size; ∞: the mean gradient cannot be told from 0.",
        )

    def _network(self, stages: Stages) -> Network:
        if not isinstance(stages.classifier, Network):
            raise BadInput(
                "study=gradient_noise must have a network whose weights are at hand; found one of class "
                f"{type(stages.classifier).__name__}: choose model=mlp or model=npz"
            )
        check_differentiable(stages.classifier.activation)
        return stages.classifier

    def _rows(self, stages: Stages) -> Dataset:
        dataset = in_memory(stages.rows)
        if self.split != stages.experiment.data.split:
            dataset = in_memory(stages.experiment.data.rows(self.split))
            fits(stages.classifier, dataset)
        if len(dataset) < 2 * self.blocks:
            raise BadInput(
                f"study.blocks must be at most half the rows of {dataset.name}, {len(dataset):,}; "
                f"found {self.blocks}: give fewer blocks or more rows"
            )
        return dataset

    def _norms(self, stages: Stages, network: Network, dataset: Dataset) -> GradientNorms:
        def measure() -> GradientNorms:
            order = generator(GRADIENT_BLOCKS, stages.experiment.seed).permutation(len(dataset))
            return gradient_norms(network, dataset, np.array_split(order, self.blocks))

        key = f"gradients {dataset.digest} {dataset.scale} {network.digest} {stages.experiment.seed} {self.blocks}"
        return once(key, measure)

    def _judging_size(self, stages: Stages) -> float:
        dataset, classifier = stages.rows, stages.classifier
        key = f"losses {dataset.digest} {dataset.scale} {classifier.digest}"
        losses = once(key, lambda: score(classifier, dataset).loss)
        if not np.isfinite(losses).all():
            return math.inf
        return smallest_batch(
            stages.experiment.sampling,
            stages.frame,
            lambda plan: plan.error_variance(losses, "loss"),
            tolerance=self.tolerance,
            confidence=stages.experiment.confidence,
        )

    def _notes(self, stages: Stages, metrics: dict[str, float]) -> list[str]:
        notes = [
            "Noise scale: tr Σ / |G|² (McCandlish et al. 2018, eq. 2.9), |G|² less the tr Σ / n that noise adds to it; "
            f"without that it would be {counted(metrics['gradient_noise/scale'], 'row')}. It holds for these weights, "
            "and grows as training goes on.",
            f"Interval: |G|² / tr Σ by the jackknife over {self.blocks} disjoint random blocks of rows, Student's t, "
            "turned over at the end; an end at or below 0 becomes an infinite scale. It covers the world that the "
            "rows come from.",
        ]
        if self.split == "train":
            notes.append(
                "Weights fitted to these very rows make their mean gradient shorter than new rows would: study.split="
                "test shows the gradient of rows that they were not fitted to."
            )
        if math.isfinite(metrics["loss/n_for_tolerance"]):
            notes.append(f"To judge: normal formula, {stages.rows.name}, sampling={stages.experiment.sampling.name}.")
        return notes


@dataclass(frozen=True)
class NoiseScale:
    """The simple noise scale and what it is made of.

    Attributes
    ----------
    trace : float
        ``tr Σ``, the variance of a row's gradient summed over all weights, with divisor n - 1.
    norm_squared, norm_squared_debiased : float
        ``|G|²`` of the mean gradient, and less ``tr Σ / n``, which may be negative.
    plain, debiased : float
        ``tr Σ`` over each of them, rows; infinite where that is not above 0.
    low, high : float
        The ends of the debiased one's interval, rows; `high` is infinite where |G|² cannot be told from 0.
    """

    trace: float
    norm_squared: float
    norm_squared_debiased: float
    plain: float
    debiased: float
    low: float
    high: float


def noise_scale(norms: GradientNorms, confidence: float) -> NoiseScale:
    """Estimate ``B_simple = tr Σ / |G|²`` and an interval for it.

    [McCandlish et al. 2018, An empirical model of large-batch training, eq. 2.9; |G|² debiased as in appendix A.1]

    A ratio whose denominator may be 0 has no standard error worth the name; its inverse ``|G|² / tr Σ`` has, for tr Σ
    is well known. So that is put an interval around, by the jackknife that leaves out one block of rows at a time
    [Efron & Stein 1981, The jackknife estimate of variance], with Student's t of K - 1 degrees of freedom, and the
    ends are turned over. It errs on the wide side where |G|² is small, and holds the truth some 92 instead of 95 times
    in 100 where |G|² is large and the rows' gradients differ in length by orders of magnitude. As
    |G|² is no less than 0, neither is the value that the interval's low end is counted from.

    Parameters
    ----------
    norms : GradientNorms
        Of rows in random groups, the blocks; at least 3 blocks of 2 rows.
    confidence : float
        In (0, 1).

    Raises
    ------
    BadInput
        If every row's gradient is 0.
    """
    from scipy.special import stdtrit

    sizes = np.array([len(rows) for rows in norms.groups])
    squares, products = norms.squared.sum(axis=1), norms.products.sum(axis=0)
    block_squares = np.array([squares[rows].sum() for rows in norms.groups])
    n, k = int(sizes.sum()), len(sizes)
    if not squares.any():
        raise BadInput("some row's gradient must differ from 0; found 0 in every row: there is nothing to train")
    trace, norm_squared = (float(value) for value in _trace_and_norm(n, block_squares.sum(), products.sum()))
    debiased = norm_squared - trace / n
    if trace <= 0:
        return NoiseScale(0.0, norm_squared, debiased, 0.0, 0.0, 0.0, 0.0)

    inverse = debiased / trace
    reach = float(stdtrit(k - 1, 0.5 + confidence / 2)) * _jackknife_error(sizes, block_squares, products)
    return NoiseScale(
        trace=trace,
        norm_squared=norm_squared,
        norm_squared_debiased=debiased,
        plain=_turned(norm_squared / trace),
        debiased=_turned(inverse),
        low=_turned(max(inverse, 0.0) + reach),
        high=_turned(inverse - reach),
    )


def _jackknife_error(
    sizes: NDArray[np.intp], block_squares: NDArray[np.float64], products: NDArray[np.float64]
) -> float:
    """Standard error of the debiased ``|G|² / tr Σ``, from its values without each of the k blocks."""
    n, k = sizes.sum() - sizes, len(sizes)
    without = products.sum() - 2 * products.sum(axis=0) + np.diag(products)
    traces, norms_squared = _trace_and_norm(n, block_squares.sum() - block_squares, without)
    inverses = norms_squared / traces - 1 / n
    return math.sqrt((k - 1) / k * float(((inverses - inverses.mean()) ** 2).sum()))


def _trace_and_norm(n: Any, squares: Any, sum_squared: Any) -> tuple[Any, Any]:
    """``tr Σ`` and ``|G|²`` of n rows from ``Σ ‖g_i‖²`` and ``‖Σ g_i‖²``; numbers, or arrays of one shape."""
    norm_squared = sum_squared / n**2
    return (squares - n * norm_squared) / (n - 1), norm_squared


def _turned(inverse: float) -> float:
    return 1 / inverse if inverse > 0 else math.inf


def _metrics(noise: NoiseScale, norms: GradientNorms) -> dict[str, float]:
    metrics = {
        "gradient_noise/scale": noise.plain,
        "gradient_noise/scale_debiased": noise.debiased,
        "gradient_noise/scale_low": noise.low,
        "gradient_noise/scale_high": noise.high,
        "gradient/trace": noise.trace,
        "gradient/norm_squared": noise.norm_squared,
        "gradient/norm_squared_debiased": noise.norm_squared_debiased,
    }
    for i, (trace, _) in enumerate(_by_layer(norms), start=1):
        if noise.trace > 0:
            metrics[f"gradient/trace_share/layer_{i}"] = trace / noise.trace
    return metrics


def _by_layer(norms: GradientNorms) -> list[tuple[float, float]]:
    """``tr Σ`` and ``|G|²`` of each layer; they add up to the network's."""
    pairs = zip(norms.squared.sum(axis=0), norms.products.sum(axis=(1, 2)), strict=True)
    return [_trace_and_norm(len(norms.squared), *pair) for pair in pairs]


def _norms_frame(norms: GradientNorms) -> pd.DataFrame:
    import pandas as pd

    columns = {f"layer_{i}": values for i, values in enumerate(norms.squared.T, start=1)}
    return pd.DataFrame({"row": np.arange(len(norms.squared)), "squared_norm": norms.squared.sum(axis=1), **columns})


def _layers_frame(norms: GradientNorms, network: Network) -> pd.DataFrame:
    import pandas as pd

    n = len(norms.squared)
    rows = []
    for i, ((weights, bias), (trace, norm)) in enumerate(zip(network.layers, _by_layer(norms), strict=True), start=1):
        debiased = norm - trace / n
        rows.append(
            {
                "layer": i,
                "parameters": weights.size + bias.size,
                "trace": trace,
                "norm_squared": norm,
                "norm_squared_debiased": debiased,
                "scale": _turned(norm / trace) if trace > 0 else 0.0,
                "scale_debiased": _turned(debiased / trace) if trace > 0 else 0.0,
            }
        )
    return pd.DataFrame(rows)
