"""The laws that every source of rows obeys."""

import hashlib
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from pipeline.data import MEMBERS
from pipeline.errors import BadInput
from tests import written as tables

# Those that can be trained on too; the others are rows that somebody else's model has been put to, or will be.
WITH_TWO_SPLITS = ["digits", "mnist", "fashion_mnist", "npz"]
TABULAR = ["predictions", "table"]
CONF = Path(__file__).resolve().parent.parent / "conf" / "data"


@pytest.fixture(scope="module")
def own_arrays(tmp_path_factory):
    """Two npz files, to test and to train on."""
    rng, folder = np.random.default_rng(8), tmp_path_factory.mktemp("npz")
    for name, n in (("test", 40), ("train", 25)):
        np.savez(folder / f"{name}.npz", x=rng.normal(size=(n, 6)), t=np.arange(n) % 5)
    return folder


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    """A folder with four small IDX files of no known hash."""
    from pipeline.data.formats.idx import header
    from pipeline.data.mnist_files import STEMS

    rng, folder = np.random.default_rng(9), tmp_path_factory.mktemp("idx")
    for split, n in (("train", 30), ("test", 20)):
        for stem, shape, top in zip(STEMS[split], ((n, 28, 28), (n,)), (256, 10), strict=True):
            (folder / stem).write_bytes(header(shape) + rng.integers(0, top, shape, dtype=np.uint8).tobytes())
    return folder


@pytest.fixture(params=WITH_TWO_SPLITS)
def source(request):
    """A function that builds the member, with rows to be had."""
    name = request.param
    if name == "npz":
        folder = request.getfixturevalue("own_arrays")
        given = {"path": str(folder / "test.npz"), "train_path": str(folder / "train.npz")}
    elif name == "mnist":
        given = {"root": str(request.getfixturevalue("mnist_root"))}
    elif name == "fashion_mnist":
        given = {"root": str(request.getfixturevalue("stand_in"))}
    else:
        given = {}
    return lambda **changes: MEMBERS[name](**(given | changes))


@pytest.fixture(params=TABULAR)
def tabular(request, tmp_path):
    """A function that builds the member, with rows in a table."""
    rng = np.random.default_rng(10)
    column = {"predictions": "logits", "table": "x"}[request.param]
    written = {column: rng.normal(size=(40, 6)), "label": np.arange(40) % 6, "id": np.arange(40)}
    path = tables.write(tmp_path, "a.parquet", written)
    return lambda **changes: MEMBERS[request.param](**({"path": path} | changes))


@pytest.mark.parametrize("split", ["train", "test"])
def test_rows_have_the_shapes_and_types_that_the_record_states(source, split):
    found = source(split=split).load()
    n, d = found.inputs.shape
    assert len(found) == n
    assert n > 0
    assert d > 0
    assert found.inputs.dtype in (np.uint8, np.float32)
    assert found.inputs.flags.c_contiguous
    assert found.labels.dtype == np.int64
    assert found.labels.shape == (n,)
    assert found.labels.min() >= 0
    assert found.labels.max() < found.n_classes
    assert 0 < found.scale <= 1
    assert found.name.endswith(split)
    assert len(bytes.fromhex(found.digest)) == 32


def test_loading_twice_gives_the_same_rows_and_digest(source):
    first, second = source(split="test").load(), source(split="test").load()
    assert first.digest == second.digest
    np.testing.assert_array_equal(first.inputs, second.inputs)
    np.testing.assert_array_equal(first.labels, second.labels)


def test_one_hot_and_integer_labels_say_the_same(source):
    integer, rows = source(split="test").load(), source(split="test", one_hot=True).load()
    assert rows.labels.dtype == np.float32
    assert rows.labels.shape == (len(integer), integer.n_classes)
    np.testing.assert_array_equal(rows.labels.argmax(axis=1), integer.labels)
    np.testing.assert_array_equal(rows.labels.sum(axis=1), 1)
    np.testing.assert_array_equal(np.count_nonzero(rows.labels, axis=1), 1)
    assert rows.digest == integer.digest


def test_the_two_splits_are_different_rows_of_the_same_kind(source):
    train, test = source().load_split("train"), source().load_split("test")
    assert train.digest != test.digest
    assert train.inputs.shape[1] == test.inputs.shape[1]
    assert train.inputs.dtype == test.inputs.dtype
    assert train.n_classes == test.n_classes
    assert train.scale == test.scale
    shared = {row.tobytes() for row in train.inputs} & {row.tobytes() for row in test.inputs}
    assert not shared


def test_load_gives_the_configured_split(source):
    for split in ("train", "test"):
        assert source(split=split).load().digest == source().load_split(split).digest


def test_normalising_changes_the_scale_and_not_the_rows(source):
    plain, normal = source(split="test", normalize=False).load(), source(split="test").load()
    assert plain.scale == 1
    assert plain.digest == normal.digest
    if normal.inputs.dtype == np.uint8:
        assert normal.inputs.max() * normal.scale == pytest.approx(1)


@pytest.mark.parametrize("split", ["validation", "", "TEST"])
def test_an_unknown_split_is_refused_when_built_and_when_loaded(source, split):
    with pytest.raises(BadInput, match=r"data.split must be one of train, test"):
        source(split=split)
    with pytest.raises(BadInput, match=r"data.split must be one of train, test"):
        source().load_split(split)


def test_rows_of_a_table_have_the_shapes_and_types_that_the_record_states(tabular):
    found = tabular(id="id").load()
    assert found.inputs.shape == (40, 6)
    assert found.inputs.dtype in (np.float32, np.float64)
    assert found.labels.dtype == np.int64
    assert found.labels.tolist() == [i % 6 for i in range(40)]
    assert (len(found), found.width, found.n_classes, found.scale) == (40, 6, 6, 1.0)
    assert found.where(39).startswith("row 39 of ")


def test_rows_of_a_table_are_the_same_in_memory_and_on_disk(tabular):
    kept, streamed = tabular().load(), tabular(memory=0).load()
    assert kept.digest == streamed.digest == tabular().load().digest
    assert (streamed.width, streamed.n_classes, len(streamed)) == (kept.width, kept.n_classes, len(kept))
    rows = np.array([39, 3, 3, 20])
    np.testing.assert_array_equal(streamed.take(rows).inputs, kept.inputs[rows])
    np.testing.assert_array_equal(streamed.labels, kept.labels)
    for row in rows:
        assert streamed.where(row) == kept.where(row)


def test_a_table_has_one_split_and_no_other_encoding(tabular):
    with pytest.raises(BadInput, match=r"data\.split must be test for data=\w+, which has no other; found train"):
        tabular().load_split("train")
    with pytest.raises(BadInput, match=r"data\.split must be one of train, test"):
        tabular(split="validation")
    with pytest.raises(BadInput, match=r"data\.one_hot must be false"):
        tabular(one_hot=True)


@pytest.mark.parametrize("name", list(MEMBERS))
def test_the_yaml_fits_the_schema_and_sets_every_field_but_the_name(name):
    written = OmegaConf.load(CONF / f"{name}.yaml")
    first, *others, last = written.pop("defaults")
    assert (first, last) == (f"/schema/data/{name}@_here_", "_self_")
    # What is judged already needs no model.
    assert others in ([], [{"override /model@_global_.model": "given"}])
    part = MEMBERS[name]
    assert set(written) == {one.name for one in fields(part)} - {"name"}
    merged = OmegaConf.merge(OmegaConf.structured(part), written)
    if "path" in merged:
        merged.path = "data.npz"
    made = OmegaConf.to_object(merged)
    assert type(made) is part
    assert made.name == name
    assert made.split == part.split


@pytest.mark.parametrize("name", [name for name in MEMBERS if name not in WITH_TWO_SPLITS])
def test_the_sizes_to_sweep_suit_the_rows_where_their_number_is_not_known(name):
    assert OmegaConf.load(CONF / f"{name}.yaml").sweep_sizes == {"test": "auto"}


@pytest.mark.parametrize("name", WITH_TWO_SPLITS)
def test_the_sizes_to_sweep_grow_for_both_splits_from_one_row(name):
    sizes = OmegaConf.load(CONF / f"{name}.yaml").sweep_sizes
    assert set(sizes) == {"train", "test"}
    for listed in sizes.values():
        numbers = [int(one) for one in listed.split(",")]
        assert numbers == sorted(set(numbers))
        assert numbers[0] == 1


@pytest.mark.parametrize(
    ("name", "split", "size"),
    [("digits", "test", 1000), ("mnist", "train", 60000), ("mnist", "test", 10000), ("fashion_mnist", "train", 60000)],
)
def test_a_sweep_ends_with_the_whole_population(name, split, size):
    listed = OmegaConf.load(CONF / f"{name}.yaml").sweep_sizes[split]
    assert int(listed.split(",")[-1]) == size


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_downloads_have_two_mirrors_at_least_over_https(name):
    mirrors = OmegaConf.load(CONF / f"{name}.yaml").mirrors
    assert len(set(mirrors)) >= 2
    assert all(one.startswith("https://") for one in mirrors)


def test_the_digest_is_a_sha256_of_the_content(source):
    found = source(split="test").load()
    x, t = found.inputs, found.labels
    kinds = f"{x.dtype.str} {x.shape} {t.dtype.str} {t.shape} {found.n_classes};"
    content = kinds.encode() + x.tobytes() + t.tobytes()
    assert found.digest == hashlib.sha256(content).hexdigest()
