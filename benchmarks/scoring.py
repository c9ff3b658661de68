"""Scoring MNIST with the book's network: Batchscope against the bare products, the literal way and PyTorch."""

from __future__ import annotations

import importlib.util
import math
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.measuring import REPEATS, Row, Size, book, composed, median_seconds
from pipeline.model.network import Network
from pipeline.records.rows import Dataset
from pipeline.scoring.rows import score


def rows(size: Size) -> Iterator[Row]:
    """Yield the ratios; that against PyTorch is ``nan`` where it is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        experiment = composed(*book(size, Path(folder)))
        dataset, network = experiment.data.load(), experiment.model.built(experiment.data)
    with_torch = size != "small" and importlib.util.find_spec("torch") is not None
    works = contestants(dataset, network, with_torch=with_torch)
    seconds = median_seconds(works, repeats=1 if size == "small" else REPEATS)
    ours, what = seconds["batchscope"], f"scoring {len(dataset):,} rows from 8-bit pixels"
    yield Row(f"{what} / the three matrix products alone", ours / seconds["products"], 1.05)
    yield Row(f"{what} / literal loop over batches of 100", ours / seconds["literal"], 0.6)
    if size != "small":
        note = "on the CPU" if with_torch else "(not installed)"
        yield Row(f"{what} / PyTorch {note}", ours / seconds.get("torch", math.nan), 0.85)


def contestants(dataset: Dataset, network: Network, *, with_torch: bool) -> dict[str, Callable[[], object]]:
    """The same question put in each way; checked once to have the same answer."""
    pixels = np.multiply(dataset.inputs, np.float32(dataset.scale), dtype=np.float32)
    works: dict[str, Callable[[], tuple[float, int]]] = {
        "batchscope": lambda: _batchscope(network, dataset),
        "literal": lambda: _literal(network, pixels, dataset.labels),
    }
    if with_torch:
        works["torch"] = _torch(network, pixels, dataset.labels)
    answers = {name: work() for name, work in works.items()}
    for name, (loss, n_correct) in answers.items():
        if abs(loss / answers["batchscope"][0] - 1) > 1e-4 or n_correct != answers["batchscope"][1]:
            raise ValueError(f"{name} must find what batchscope finds; found {answers}")
    return {"products": lambda: _products(network, pixels), **works}


def _batchscope(network: Network, dataset: Dataset) -> tuple[float, int]:
    scores = score(network, dataset)
    return float(scores.loss.mean()), int(scores.correct.sum())


def _products(network: Network, pixels: np.ndarray) -> None:
    (w1, _), (w2, _), (w3, _) = network.layers
    for start in range(0, len(pixels), 4096):
        pixels[start : start + 4096] @ w1 @ w2 @ w3


def _literal(network: Network, pixels: np.ndarray, labels: np.ndarray) -> tuple[float, int]:
    """As the textbook has it: forward, softmax, log, argmax, a batch of 100 at a time."""
    (w1, b1), (w2, b2), (w3, b3) = network.layers
    loss, n_correct = 0.0, 0
    for start in range(0, len(pixels), 100):
        x, t = pixels[start : start + 100], labels[start : start + 100]
        h = 1 / (1 + np.exp(-(x @ w1 + b1)))
        h = 1 / (1 + np.exp(-(h @ w2 + b2)))
        a = h @ w3 + b3
        e = np.exp(a - a.max(axis=1, keepdims=True))
        y = e / e.sum(axis=1, keepdims=True)
        loss += float(-np.log(y[np.arange(len(t)), t]).sum())
        n_correct += int((y.argmax(axis=1) == t).sum())
    return loss / len(pixels), n_correct


def _torch(network: Network, pixels: np.ndarray, labels: np.ndarray) -> Callable[[], tuple[float, int]]:
    """PyTorch on all cores, from float32 pixels: in blocks of 4,096 rows, or in one, whichever is the faster here."""
    import torch

    parts = []
    for weights, bias in network.layers:
        linear = torch.nn.Linear(*weights.shape)
        linear.weight.data = torch.from_numpy(weights.T.copy())
        linear.bias.data = torch.from_numpy(bias.copy())
        parts += [linear, torch.nn.Sigmoid()]
    model = torch.nn.Sequential(*parts[:-1])
    x, t = torch.from_numpy(pixels), torch.from_numpy(labels)

    def work(block: int) -> tuple[float, int]:
        losses, n_correct = [], 0
        with torch.inference_mode():
            for start in range(0, len(x), block):
                logits, labels = model(x[start : start + block]), t[start : start + block]
                losses.append(torch.nn.functional.cross_entropy(logits, labels, reduction="none"))
                n_correct += int((logits.argmax(dim=1) == labels).sum())
            return float(torch.cat(losses).double().mean()), n_correct

    times = median_seconds({str(block): (lambda b=block: work(b)) for block in (1024, 4096, len(x))}, repeats=7)
    fastest = int(min(times, key=lambda name: times[name]))
    return lambda: work(fastest)
