"""The readers of files: how each is called, what whatever it accepts must be, and real files for it."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from pipeline.data.digits import Digits
from pipeline.data.formats.idx import header, read_idx
from pipeline.data.mnist import Mnist
from pipeline.data.mnist_files import STEMS, KnownHashes, MnistFiles
from pipeline.data.npz import Npz
from pipeline.errors import BadInput
from pipeline.model.npz import Npz as Weights
from pipeline.proxy.column import Column
from pipeline.tracking import parquet
from tests.fuzz import structures

Files = dict[str, bytes]
N, K = 40, 10
KINDS_OF_PLACES = (b"folder", b"link to nowhere", b"link to itself", b"link to zeros", b"pipe")


@dataclass
class Reader:
    """A reader under test.

    Attributes
    ----------
    real : list of dict
        Whole inputs, file name to content; each must be accepted.
    check : callable
        Reads a folder of such files; raises AssertionError where what was accepted is not sound, BadInput where it is
        refused.
    structured : strategy
        Inputs that keep to the format up to a point.
    """

    real: list[Files]
    check: Callable[[Path], None]
    structured: st.SearchStrategy[Files] = field(default_factory=st.nothing)


def all_readers() -> dict[str, Callable[[], Reader]]:
    """The readers, by name; each is made when its turn comes."""
    from tests.fuzz import tables

    own = {"idx": idx, "four_files": four_files, "npz": npz, "columns": columns, "weights": weights, "table": table}
    return {**own, **tables.all_readers()}


def _digits() -> tuple[np.ndarray, np.ndarray]:
    dataset = Digits().load()
    return dataset.inputs[:N].reshape(N, 8, 8), dataset.labels[:N].astype(np.uint8)


def _idx_bytes(array: np.ndarray) -> bytes:
    return header(array.shape) + array.tobytes()


def _one(name: str, contents: st.SearchStrategy[bytes]) -> st.SearchStrategy[Files]:
    return st.one_of(contents, contents, contents, st.binary(max_size=100)).map(lambda content: {name: content})


def _saved(save: Callable[..., None], arrays: dict[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def idx() -> Reader:
    """The IDX reader itself, of images."""
    images, _ = _digits()
    plain = _idx_bytes(images)

    def check(folder: Path) -> None:
        found = read_idx(folder / "images", n_axes=3)
        content = (folder / "images").read_bytes()
        content = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
        assert found.dtype == np.uint8
        assert found.ndim == 3
        assert found.size > 0
        assert _idx_bytes(found) == content

    real = [{"images": plain}, {"images": gzip.compress(plain, mtime=0)}]
    return Reader(real, check, _one("images", structures.idx_files()))


def sound_dataset(dataset) -> None:
    """Assert everything that `Dataset` promises."""
    n = len(dataset)
    assert n >= 1
    assert dataset.inputs.ndim == 2
    assert dataset.inputs.shape[1] >= 1
    assert dataset.inputs.dtype in (np.uint8, np.float32)
    assert dataset.inputs.dtype.isnative
    assert np.isfinite(dataset.inputs).all()
    assert dataset.n_classes >= 2
    if dataset.labels.ndim == 1:
        assert dataset.labels.dtype == np.int64
        assert dataset.labels.shape == (n,)
        assert dataset.labels.min() >= 0
        assert dataset.labels.max() < dataset.n_classes
    else:
        assert dataset.labels.dtype == np.float32
        assert dataset.labels.shape == (n, dataset.n_classes)
        assert dataset.labels.min() >= 0
        np.testing.assert_allclose(dataset.labels.sum(axis=1, dtype=np.float64), 1, atol=2e-4)
    assert len(dataset.digest) == 64
    if dataset.groups is not None:
        assert dataset.groups.shape == (n,)
        assert set(dataset.groups.tolist()) == set(range(dataset.groups.max() + 1))
    if dataset.weights is not None:
        assert dataset.weights.shape == (n,)
        assert np.isfinite(dataset.weights).all()
        assert (dataset.weights > 0).all()


IMAGES, LABELS = (f"{stem}.gz" for stem in STEMS["test"])


def four_files() -> Reader:
    """Images and labels from a folder, small ones made from scikit-learn's digits."""
    images, labels = (gzip.compress(_idx_bytes(array), mtime=0) for array in _digits())
    known = {stem: KnownHashes(hashlib.md5(content, usedforsecurity=False).hexdigest())
             for stem, content in zip(STEMS["test"], (images, labels), strict=True)}  # fmt: skip

    @dataclass
    class Small(MnistFiles):
        name: str = "small"
        KNOWN: ClassVar[dict[str, KnownHashes]] = known

    file = st.one_of(
        structures.idx_files(), structures.idx_files(), st.sampled_from([*KINDS_OF_PLACES, images, labels])
    )
    structured = st.fixed_dictionaries({IMAGES: st.one_of(file, st.just(images)), LABELS: file})
    return Reader([{IMAGES: images, LABELS: labels}], _folder_check(Small), structured)


def mnist() -> Reader:
    """MNIST's own test split, where its files are at hand."""
    root = Path(os.environ["BATCHSCOPE_DATA"]) / "mnist"
    return Reader([{name: (root / name).read_bytes() for name in (IMAGES, LABELS)}], _folder_check(Mnist))


def _folder_check(data: type[MnistFiles]) -> Callable[[Path], None]:
    digests: list[str] = []

    def check(folder: Path) -> None:
        found = data(root=str(folder), split="test", verify=False).load()
        sound_dataset(found)
        assert found.n_classes == K
        # By hash, nothing but the untouched files passes; the first that is checked is them.
        with contextlib.suppress(BadInput):
            digests.append(data(root=str(folder), split="test").load().digest)
        assert len(set(digests)) <= 1

    return check


def npz() -> Reader:
    """The data of a user, x and t."""
    images, labels = _digits()
    rows = images.reshape(N, -1)
    soft = np.full((N, K), 0.02, np.float32)
    soft[np.arange(N), labels] += 0.8
    real = [
        {"x": rows, "t": labels},
        {"x": rows / 16, "t": np.eye(K)[labels]},
        {"x": images.astype(">f4"), "t": soft},
        {"x": rows[:, :4] > 8, "t": labels.reshape(N, 1).astype(np.float32)},
    ]
    files = [{"data.npz": _saved(save, arrays)} for arrays in real for save in (np.savez, np.savez_compressed)]

    def check(folder: Path) -> None:
        found = Npz(path=str(folder / "data.npz")).load()
        sound_dataset(found)
        stored = _by_numpy(folder / "data.npz", "x")
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(found.inputs, stored.reshape(len(stored), -1).astype(found.inputs.dtype))

    wanted = {"x": [(4, 3), (4, 3), (4, 2, 2), (5, 1)], "t": [(4,), (4,), (4, 1), (4, 2), (5,)]}
    return Reader(files, check, _one("data.npz", structures.npz_files(wanted)))


def _by_numpy(path: Path, key: str) -> np.ndarray:
    """NumPy's own reading, as an oracle."""
    with warnings.catch_warnings(action="ignore"), np.load(path, allow_pickle=False) as loaded:
        # With its ending, for a member of the bare name would come first.
        return loaded[f"{key}.npy"]


def columns() -> Reader:
    """Further columns: groups, weights, and a proxy's."""
    images, labels = _digits()
    arrays = {"x": images.reshape(N, -1), "t": labels, "g": labels // 2, "w": 1.0 + labels, "c": np.linspace(-1, 1, N)}
    dataset = Digits().load()

    def check(folder: Path) -> None:
        data = Npz(path=str(folder / "data.npz"), group="g", weight="w")
        found = data.load()
        sound_dataset(found)
        guess = Column(column="c").guess(found, None, data=data)
        for values in (guess.difficulty, guess.loss, guess.accuracy):
            assert values.dtype == np.float64
            assert values.shape == (len(found),)
            assert np.isfinite(values).all()
        stored = _by_numpy(folder / "data.npz", "c").astype(np.float64).reshape(len(found))
        np.testing.assert_array_equal(guess.difficulty, stored)

    good = {name: [(4, 3)] if name == "x" else [(4,)] for name in arrays}
    fixed = {"x": structures.npy(dataset.inputs[:4]), "t": structures.npy(np.array([0, 1, 2, 3]))}
    others = structures.member_sets({name: good[name] for name in "gwc"})
    mixed = others.map(lambda found: structures.zipped([(f"{k}.npy", v) for k, v in {**fixed, **found}.items()]))
    real = [{"data.npz": _saved(np.savez, arrays)}, {"data.npz": _saved(np.savez_compressed, arrays)}]
    return Reader(real, check, _one("data.npz", st.one_of(mixed, mixed, structures.npz_files(good))))


def weights() -> Reader:
    """The weights of a network."""
    rng = np.random.default_rng(3)
    small = {"W1": rng.normal(size=(8, 3)), "b1": np.zeros(3), "W2": rng.normal(size=(3, 2)), "b2": np.ones((1, 2))}
    real = [{"weights.npz": _saved(save, {k: v.astype(kind) for k, v in small.items()})}
            for save in (np.savez, np.savez_compressed) for kind in ("f4", "f8", ">f4")]  # fmt: skip

    def check(folder: Path) -> None:
        network = Weights(path=str(folder / "weights.npz")).build(None)
        before = network.n_inputs
        for matrix, bias in network.layers:
            assert matrix.dtype == bias.dtype == np.float32
            assert matrix.shape == (before, len(bias))
            assert np.isfinite(matrix).all()
            assert np.isfinite(bias).all()
            before = len(bias)
        assert network.n_classes == before
        stored = _by_numpy(folder / "weights.npz", "W1")
        np.testing.assert_array_equal(network.layers[0][0], stored.astype(np.float32))
        assert network.logits(np.zeros((2, network.n_inputs), np.float32)).shape == (2, before)

    good = {"W1": [(4, 3)], "b1": [(3,), (1, 3)], "W2": [(3, 2)], "b2": [(2,)]}
    shallow = {"W1": [(4, 3)], "b1": [(3,), (3,), (1, 3)]}
    either = st.one_of(structures.npz_files(shallow), structures.npz_files(good))
    return Reader(real, check, _one("weights.npz", either))


def table() -> Reader:
    """A table of a run, in Parquet."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"draw": np.arange(60), "loss": rng.normal(size=60), "ok": rng.random(60) < 0.5})
    frame["curve"] = ["all", "fewer", "draws"] * 20
    frame["low"] = np.where(frame["ok"], np.float32(np.nan), np.float32(np.inf))
    real = [
        {"table.parquet": _stored(frame)},
        {"table.parquet": _stored(frame.iloc[:, :3])},
        {"table.parquet": _stored(frame, compression=None, row_group_size=7, use_dictionary=False)},
        {"table.parquet": _stored(frame, compression="zstd", write_page_checksum=True, data_page_version="2.0")},
    ]
    plain = [np.dtype(kind) for kind in ("f4", "f8", "i8", "?")]

    def check(folder: Path) -> None:
        found = parquet.read(folder / "table.parquet")
        assert len(found.columns) == len(set(found.columns))
        assert found.memory_usage(index=False).sum() < parquet.MOST_BYTES
        # Pandas accepts what its own writer wrote; of damaged files, only the untouched part is told here.
        with contextlib.suppress(Exception):
            by_pandas = pd.read_parquet(folder / "table.parquet")
            assert len(by_pandas) == len(found)
            for name in found.columns:
                if found[name].dtype in plain:
                    np.testing.assert_array_equal(found[name], by_pandas[name])

    return Reader(real, check, _one("table.parquet", _tables()))


def _stored(frame: pd.DataFrame, **keywords) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        frame.to_parquet(Path(folder) / "table", index=False, **keywords)
        return (Path(folder) / "table").read_bytes()


@st.composite
def _tables(draw: st.DrawFn) -> bytes:
    """Small tables of many kinds of columns, some of them no plain ones."""
    columns = {}
    for i in range(draw(st.integers(0, 4))):
        columns[draw(st.sampled_from(["draw", "loss", f"c{i}", "a\n\x1b[2Jb", "é" * 400]))] = draw(
            st.sampled_from(
                [
                    np.arange(4),
                    np.array(structures.PATTERNS[:4], np.uint64).view(np.float64),
                    np.array([True, False] * 2),
                    ["a", "", None, "b" * 1000],
                    [b"a"] * 4,
                    [[1, 2]] * 4,
                    [{"a": 1}] * 4,
                    pd.Categorical(["a", "b"] * 2),
                    pd.date_range("2020", periods=4),
                    np.zeros(4, np.float16),
                    [None] * 4,
                ]
            )
        )
    content = bytearray(_stored(pd.DataFrame(columns), compression=draw(st.sampled_from([None, "snappy", "gzip"]))))
    for _ in range(draw(st.integers(0, 2))):
        content[draw(st.integers(max(0, len(content) - 600), len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content)
