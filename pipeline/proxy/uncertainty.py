"""Predictive uncertainty: a model's confidence and entropy, computed from its outputs without the labels."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from ..errors import BadInput
from ..model.base import Classifier
from ..records.rows import Population
from ..records.scores import Scores
from ..runtime.cores import on_all_cores
from ..scoring.block import in_blocks
from ..scoring.rows import refuse_nan

# Rows whose outputs are computed together.
_AT_ONCE = 1 << 13


def confidence_and_entropy(
    classifier: Classifier, dataset: Population
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the model's confidence and entropy for every row; the labels are not used.

    Parameters
    ----------
    classifier : Classifier
        A model that gives logits or probabilities.
    dataset : Population
        N rows.

    Returns
    -------
    confidence : ndarray of float64, shape (N,)
        The largest softmax probability, 1/k … 1.
    entropy : ndarray of float64, shape (N,)
        -Σ p log p of the softmax probabilities, nats, 0 … log k.

    Raises
    ------
    BadInput
        If a row's logits are NaN, or the model gives neither logits nor probabilities.
    """
    if classifier.gives not in ("logits", "probabilities"):
        raise BadInput(
            f"a proxy by the model's confidence needs its logits or probabilities; found {classifier.gives} alone: "
            "choose another proxy, or a design that needs none"
        )
    confidence, entropy = np.empty(len(dataset)), np.empty(len(dataset))
    forward = classifier.from_stored(dataset.scale)

    def fill_shard(shard: int) -> None:
        start = int(dataset.bounds[shard])
        for block in dataset.read(shard):
            for first in range(0, len(block.inputs), _AT_ONCE):
                outputs = in_blocks(forward, block.inputs[first : first + _AT_ONCE]).astype(np.float64)
                chosen = slice(start + first, start + first + len(outputs))
                confidence[chosen], entropy[chosen] = _of_outputs(outputs, classifier.gives)
            start += len(block.inputs)

    on_all_cores(fill_shard, range(len(dataset.bounds) - 1))
    refuse_nan(Scores(confidence, None), dataset.where)
    return confidence, np.maximum(entropy, 0.0)


def _of_outputs(outputs: NDArray[np.float64], gives: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Confidence and entropy of a block of rows."""
    if gives == "probabilities":
        return outputs.max(axis=1), -scipy.special.xlogy(outputs, outputs).sum(axis=1)
    with np.errstate(invalid="ignore"):
        shifted = outputs - outputs.max(axis=1, keepdims=True)
        exponents = np.exp(shifted)
        total = exponents.sum(axis=1)
        # A probability of 0 adds 0 to the entropy, though its logarithm is -inf.
        finite = np.where(exponents > 0, shifted, 0.0)
        return 1 / total, np.log(total) - (exponents * finite).sum(axis=1) / total
