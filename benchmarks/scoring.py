"""Scoring MNIST with the book's network: Batchscope against the bare products, the literal way and PyTorch."""

from __future__ import annotations

import importlib.util
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pipeline.data.mnist import Mnist
from pipeline.model.network import Network
from pipeline.model.npz import Npz
from pipeline.records import Dataset
from pipeline.scoring import score

REPEATS = 21
# BLAS and OpenMP threads spin on for a tenth of a second after their last work: each contestant finds idle cores.
PAUSE = 0.3
DATA = Path(os.environ.get("BATCHSCOPE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))

Row = tuple[str, float, float]


def rows() -> list[Row]:
    """Claim, measured ratio, and what it may be at most; ``nan`` is measured where PyTorch is not installed."""
    seconds = median_seconds(contestants(*_load()))
    ours, torch = seconds["batchscope"], seconds.get("torch")
    return [
        ("scoring 60,000 rows from 8-bit pixels / the three matrix products alone", ours / seconds["products"], 1.2),
        ("scoring 60,000 rows from 8-bit pixels / literal loop over batches of 100", ours / seconds["literal"], 0.6),
        ("scoring 60,000 rows from 8-bit pixels / PyTorch on the CPU", ours / torch, 0.8)
        if torch is not None
        else ("scoring 60,000 rows from 8-bit pixels / PyTorch (not installed)", float("nan"), 0.8),
    ]


def median_seconds(works: dict[str, Callable[[], object]], *, repeats: int = REPEATS) -> dict[str, float]:
    """Time the works in turn, again and again, so that what disturbs the machine disturbs all of them."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            time.sleep(PAUSE)
            start = time.perf_counter()
            work()
            taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in taken.items()}


def contestants(dataset: Dataset, network: Network) -> dict[str, Callable[[], object]]:
    """The same question put in each way; checked once to have the same answer."""
    pixels = np.multiply(dataset.inputs, np.float32(dataset.scale), dtype=np.float32)
    works: dict[str, Callable[[], tuple[float, int]]] = {
        "batchscope": lambda: _batchscope(network, dataset),
        "literal": lambda: _literal(network, pixels, dataset.labels),
    }
    if importlib.util.find_spec("torch") is not None:
        works["torch"] = _torch(network, pixels, dataset.labels)
    answers = {name: work() for name, work in works.items()}
    for name, (loss, n_correct) in answers.items():
        if abs(loss / answers["batchscope"][0] - 1) > 1e-4 or n_correct != answers["batchscope"][1]:
            raise ValueError(f"{name} must find what batchscope finds; found {answers}")
    return {"products": lambda: _products(network, pixels), **works}


def _load() -> tuple[Dataset, Network]:
    data = Mnist(split="train", root=str(DATA / "mnist"))
    return data.load(), Npz(path=str(DATA / "book_network" / "weights.npz")).build(data)


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
