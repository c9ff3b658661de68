"""A user's arrays: every sensible form is taken, every other is one clear line."""

import numpy as np
import pytest

from pipeline.data.labels import one_hot
from pipeline.data.npz import Npz
from pipeline.errors import BadInput
from pipeline.model.mlp import Mlp
from pipeline.model.npz import Npz as Weights

RNG = np.random.default_rng(3)
X = RNG.normal(size=(12, 5)).astype(np.float32)
T = np.arange(12) % 4


@pytest.fixture
def saved(tmp_path):
    """A function from arrays to the path of their file."""

    def save(name="data.npz", **arrays):
        np.savez(tmp_path / name, **arrays)
        return str(tmp_path / name)

    return save


def test_arrays_of_any_width_and_number_of_classes_are_taken(saved):
    found = Npz(path=saved(x=X, t=T)).load()
    np.testing.assert_array_equal(found.inputs, X)
    np.testing.assert_array_equal(found.labels, T)
    assert (found.n_classes, found.scale, found.name) == (4, 1.0, "data.npz test")


@pytest.mark.parametrize("t", [T.astype(np.uint8), T.astype(float), T[:, None], one_hot(T, 4), one_hot(T, 4) > 0])
def test_every_encoding_of_the_labels_says_the_same(saved, t):
    wanted = Npz(path=saved("a.npz", x=X, t=T)).load()
    for as_one_hot in (False, True):
        found = Npz(path=saved("b.npz", x=X, t=t), one_hot=as_one_hot).load()
        np.testing.assert_array_equal(found.labels, one_hot(T, 4) if as_one_hot else T)
        assert found.digest == wanted.digest


@pytest.mark.parametrize("stored", ["f2", "f4", "f8", ">f8", "i1", "i8", "u4"])
def test_numbers_of_any_real_type_become_float32_and_are_taken_as_they_are(saved, stored):
    x = np.arange(60).reshape(12, 5).astype(stored)
    found = Npz(path=saved(x=x, t=T)).load()
    assert found.inputs.dtype == np.float32
    assert found.scale == 1
    np.testing.assert_array_equal(found.inputs, x.astype(np.float32))


def test_8_bit_pixels_stay_8_bit_and_are_scaled_when_normalised(saved):
    path = saved(x=(X * 20 % 256).astype(np.uint8).reshape(12, 5, 1), t=T)
    found = Npz(path=path).load()
    assert found.inputs.dtype == np.uint8
    assert found.inputs.shape == (12, 5)
    assert found.scale == 1 / 255
    assert Npz(path=path, normalize=False).load().scale == 1


def test_booleans_are_8_bit_zeros_and_ones_and_not_scaled(saved):
    found = Npz(path=saved(x=X > 0, t=T)).load()
    assert found.inputs.dtype == np.uint8
    assert found.inputs.max() == 1
    assert found.scale == 1


def test_pictures_are_flattened_in_either_order_of_memory(saved):
    x = RNG.normal(size=(12, 3, 2)).astype(np.float32)
    for stored in (x, np.asfortranarray(x)):
        found = Npz(path=saved(x=stored, t=T)).load()
        assert found.inputs.flags.c_contiguous
        np.testing.assert_array_equal(found.inputs, x.reshape(12, 6))


def test_soft_labels_stay_rows(saved):
    soft = np.full((12, 4), 0.25)
    for as_one_hot in (False, True):
        found = Npz(path=saved(x=X, t=soft), one_hot=as_one_hot).load()
        assert found.labels.dtype == np.float32
        np.testing.assert_array_equal(found.labels, soft)


def test_the_number_of_classes_can_be_given(saved):
    path = saved(x=X, t=T)
    assert Npz(path=path, n_classes=7, one_hot=True).load().labels.shape == (12, 7)
    with pytest.raises(BadInput, match=r"classes 0 … 2 \(there are 3\); found 3 in row 3"):
        Npz(path=path, n_classes=3).load()
    with pytest.raises(BadInput, match=r"as wide as data.n_classes=7; found 4 columns"):
        Npz(path=saved(x=X, t=one_hot(T, 4)), n_classes=7).load()


def test_each_split_has_its_file(saved):
    path, train_path = saved("a.npz", x=X, t=T), saved("b.npz", x=X[:8], t=T[:8])
    data = Npz(path=path, train_path=train_path)
    assert (len(data.load_split("test")), len(data.load_split("train"))) == (12, 8)
    assert len(Npz(train_path=train_path, split="train").load()) == 8


def test_without_a_file_to_train_on_the_train_split_is_refused(saved):
    with pytest.raises(BadInput, match=r"data.train_path must name the npz file that model=mlp trains on.*model=npz"):
        Npz(path=saved(x=X, t=T)).load_split("train")
    with pytest.raises(BadInput, match=r"data.path must name the npz file of the test split"):
        Npz(train_path=saved(x=X, t=T), split="train").load_split("test")


def test_a_tilde_is_the_home_folder(saved, tmp_path, monkeypatch):
    saved(x=X, t=T)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(Npz(path="~/data.npz").load()) == 12


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "data.path must name an npz file"),
        ({"path": ""}, "data.path must name an npz file"),
        ({"split": "train"}, "data.path must name an npz file"),
        ({"path": "a", "n_classes": 1}, "data.n_classes must be at least 2, or null.*found 1"),
        ({"path": "a", "max_bytes": 0}, "data.max_bytes must be at least 1; found 0"),
        ({"path": "a", "split": "valid"}, "data.split must be one of train, test; found 'valid'"),
    ],
)
def test_a_nonsensical_configuration_is_refused(fields, says):
    with pytest.raises(BadInput, match=says):
        Npz(**fields)


NAN, HUGE = X.copy(), X.astype(np.float64)
NAN[3, 2], HUGE[1, 4] = np.nan, 1e300


@pytest.mark.parametrize(
    ("x", "t", "says"),
    [
        (X, T - 1, "labels t of .* must hold whole class numbers from 0 up; found -1 in row 0"),
        (X, np.where(T == 2, np.nan, T), "found nan in row 2"),
        (X, T + 0.5, "found 0.5 in row 0"),
        (X, T[:-1], "x and t of .* must have the same length; found 12 rows of x and 11 of t"),
        (X[:0], T[:0], "must hold at least one row; found none"),
        (X[:0], one_hot(T, 4)[:0], "must hold at least one row; found none"),
        (X[:, :0], T, r"shape \(N, d\), d at least 1; found \(12, 0\)"),
        (X[:, 0], T, r"shape \(N, d\), d at least 1; found \(12,\)"),
        (np.float32(1), T, r"shape \(N, d\), d at least 1; found \(\)"),
        (X, np.int64(1), r"t of .* must have the shape \(N,\) or \(N, k\); found \(\)"),
        (X, T.reshape(12, 1, 1), r"t of .* must have the shape \(N,\) or \(N, k\); found \(12, 1, 1\)"),
        (X, np.zeros((12, 0)), r"t of .* must have the shape \(N,\) or \(N, k\); found \(12, 0\)"),
        (X, one_hot(T, 4) * 0.9, "found a sum of 0.9 in row 0"),
        (X, np.zeros(12, int), "at least 2 classes; found class 0 alone: set data.n_classes"),
        (NAN, T, "inputs x of .* must hold finite numbers .*; found nan in row 3, column 2"),
        (-np.inf * X**2, T, "found -inf in row 0, column 0"),
        (HUGE, T, r"found 1e\+300 in row 1, column 4"),
    ],
)
def test_arrays_that_cannot_be_used_are_one_clear_line(saved, x, t, says):
    with pytest.raises(BadInput, match=says) as caught:
        Npz(path=saved(x=x, t=t)).load()
    assert "\n" not in str(caught.value)


def test_one_hot_rows_of_too_many_classes_are_refused(saved):
    path = saved(x=X, t=T + 100_000)
    assert Npz(path=path).load().n_classes == 100_004
    with pytest.raises(BadInput, match=r"one-hot labels must take at most data.max_bytes=2,000; .* data.one_hot=false"):
        Npz(path=path, one_hot=True, max_bytes=2000).load()


def test_a_file_that_is_larger_than_allowed_is_refused(saved):
    with pytest.raises(BadInput, match=r"must unpack to at most data.max_bytes=1,000"):
        Npz(path=saved(x=np.zeros((12, 9000)), t=T), max_bytes=1000).load()


NAMES = np.array(["dog", "ape", "cat", "owl"])


@pytest.mark.parametrize("kind", ["U", "S"])
@pytest.mark.parametrize("shape", [(12,), (12, 1)])
def test_labels_of_text_are_the_classes_in_sorted_order(saved, kind, shape):
    found = Npz(path=saved(x=X, t=NAMES[T].astype(kind).reshape(shape))).load()
    assert (found.class_names, found.n_classes) == (("ape", "cat", "dog", "owl"), 4)
    assert [found.class_names[label] for label in found.labels] == NAMES[T].tolist()
    given = Npz(path=saved(x=X, t=NAMES[T].astype(kind)), classes=[*NAMES, "yak"]).load()
    assert (given.labels.tolist(), given.n_classes, given.class_names[4]) == (T.tolist(), 5, "yak")
    assert given.digest != found.digest


def test_both_splits_number_the_classes_alike(saved):
    data = Npz(path=saved("a.npz", x=X, t=NAMES[T % 2]), train_path=saved("b.npz", x=X, t=NAMES[T]))
    assert data.has_sorted_names
    test, train = data.load_split("test"), data.load_split("train")
    assert test.class_names == train.class_names == ("ape", "cat", "dog", "owl")
    assert {test.class_names[label] for label in test.labels} == {"dog", "ape"}
    assert Mlp(epochs=1, min_steps=1).built(data).n_classes == 4
    with pytest.raises(BadInput, match=r"model=npz needs the order of its classes; found labels of text \(ape, cat"):
        Weights(path=saved("w.npz", W1=np.ones((5, 4)), b1=np.ones(4))).built(data)


def test_numbers_have_names_where_these_are_given(saved):
    found = Npz(path=saved(x=X, t=T), classes=NAMES.tolist()).load()
    assert (found.class_names, found.labels.tolist()) == (tuple(NAMES), T.tolist())
    soft = Npz(path=saved(x=X, t=np.full((12, 4), 0.25)), classes=NAMES.tolist()).load()
    assert (soft.class_names, soft.labels.shape) == (tuple(NAMES), (12, 4))
    assert not Npz(path=saved(x=X, t=T)).has_sorted_names


TEXTS = {
    "another name": ({"t": NAMES[T]}, {"classes": ["dog", "ape", "cat"]}, r"hold classes \(dog, .*'owl' in row 3"),
    "one class": ({"t": np.full(12, "a")}, {}, r"must have at least 2 classes; found 'a' alone: name all"),
    "objects": (
        {"t": NAMES[T].astype(object)},
        {},
        r"pickled objects, which are never loaded: save t as an array of numbers, or of text with astype\(str\)",
    ),
    "no UTF-8": ({"t": np.array([b"\xff", b"a"] * 6)}, {}, r"the labels t of .* must be text in UTF-8; found"),
    "several a row": ({"t": NAMES[T].reshape(6, 2), "x": X[:6]}, {}, r"must be one text a row; found the shape"),
    "inputs of text": ({"x": np.full((12, 2), "a"), "t": T}, {}, r"the inputs x of .* must be real numbers; found <U1"),
    "a number of classes": ({"t": T}, {"classes": ["a", "b"], "n_classes": 3}, r"must be the number of names"),
    "names for another width": ({"t": one_hot(T, 4)}, {"classes": ["a", "b"]}, r"as wide as there are names"),
}  # fmt: skip


@pytest.mark.parametrize(("arrays", "changes", "says"), TEXTS.values(), ids=list(TEXTS))
def test_texts_that_are_no_labels_are_refused(saved, arrays, changes, says):
    with pytest.raises(BadInput, match=says):
        Npz(path=saved(**{"x": X, **arrays}), **changes).load()


def test_texts_in_one_file_and_numbers_in_the_other_are_refused(saved):
    data = Npz(path=saved("a.npz", x=X, t=NAMES[T]), train_path=saved("b.npz", x=X, t=T))
    with pytest.raises(BadInput, match=r"the labels t must be texts in both files; found numbers in .*b\.npz"):
        data.load()


def test_groups_may_be_texts(saved):
    rows = Npz(path=saved(x=X, t=T, who=NAMES[np.arange(12) // 3]), group="who").rows("test")
    assert rows.groups.tolist() == [2, 2, 2, 0, 0, 0, 1, 1, 1, 3, 3, 3]
