"""Readers of the logs of evaluation tools, and of safetensors files; they need extras, and seconds to load these."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pipeline.data.inspect import Inspect
from pipeline.data.lm_eval import LmEval
from pipeline.model.safetensors import Safetensors
from tests.fuzz.readers import Files, Reader


def extra_readers() -> dict[str, Callable[[], Reader]]:
    """The readers, by name."""
    return {"lm_eval": lm_eval, "inspect": inspect, "safetensors": safetensors}


def lm_eval() -> Reader:
    """Samples of lm-evaluation-harness: of multiple choice, and of generated text."""
    rng = np.random.default_rng(8)
    choices = [_choice(i, rng.normal(-20, 3, 3 + i % 2), int(rng.integers(3))) for i in range(30)]
    text = [_text(i, float(rng.random() < 0.5)) for i in range(30)]
    name = "samples_a_2025-06-18T10-04-31.218937.jsonl"
    real = [{name: "".join(json.dumps(row) + "\n" for row in rows).encode()} for rows in (choices, text)]
    return Reader(real, lambda folder: _sound(LmEval(path=str(folder / name))))


def _choice(i: int, scores: np.ndarray, label: int) -> dict[str, object]:
    found = [[str(score), "False"] for score in scores]
    document = {"question": "Which?", "choices": [f"choice {j}" for j in range(len(scores))], "subject": "ab"[i % 2]}
    right = float(np.argmax(scores) == label)
    return {"doc_id": i, "doc": document, "target": str(label), "arguments": {}, "resps": [[each] for each in found],
            "filtered_resps": found, "filter": "none", "metrics": ["acc"], "acc": right}  # fmt: skip


def _text(i: int, right: float) -> dict[str, object]:
    answer = {"arguments": {}, "resps": [["4"]], "filtered_resps": ["4"], "filter": "strict-match"}
    return {"doc_id": i, "doc": {"question": "é?"}, "target": "4", **answer, "metrics": ["exact_match"],
            "exact_match": right}  # fmt: skip


def inspect() -> Reader:
    """Logs of Inspect, packed and as JSON."""
    from tests.data.logs.inspect_logs import write_logs

    with tempfile.TemporaryDirectory() as folder:
        paths = [path for task, path in write_logs(Path(folder)).items() if task == "plain" or path.suffix == ".json"]
        real: list[Files] = [{f"a{path.suffix}": path.read_bytes()} for path in paths]

    def check(folder: Path) -> None:
        (path,) = folder.iterdir()
        _sound(Inspect(path=str(path)))

    return Reader(real, check)


def _sound(data: LmEval | Inspect) -> None:
    found = data.load()
    assert len(found) >= 1
    assert found.inputs.shape[0] == len(found)
    assert not np.isnan(found.inputs).any()
    assert len(bytes.fromhex(found.digest)) == 32


def safetensors() -> Reader:
    """The weights of a network."""
    from safetensors.numpy import save

    rng = np.random.default_rng(9)
    own = {"W1": rng.normal(size=(8, 3)), "b1": np.zeros(3), "W2": rng.normal(size=(3, 2)), "b2": np.ones(2)}
    torchs = {"0.weight": own["W1"].T.copy(), "0.bias": own["b1"], "2.weight": own["W2"].T.copy()}
    real = [
        {"w.safetensors": save({name: array.astype(kind) for name, array in arrays.items()})}
        for arrays in (own, torchs) for kind in ("f2", "f4", "f8")
    ]  # fmt: skip

    def check(folder: Path) -> None:
        network = Safetensors(path=str(folder / "w.safetensors")).build(None)
        for matrix, bias in network.layers:
            assert matrix.dtype == bias.dtype == np.float32
            assert matrix.shape[1:] == bias.shape
            assert np.isfinite(matrix).all()
        assert network.logits(np.zeros((2, network.n_inputs), np.float32)).shape == (2, network.n_classes)

    return Reader(real, check)
