"""A proxy's content digest changes with what its guesses depend on besides data, classifier and configuration."""

import numpy as np

from pipeline import data as data_family
from pipeline.proxy.column import Column
from pipeline.proxy.confidence import Confidence
from pipeline.proxy.entropy import Entropy
from pipeline.proxy.second_model import SecondModel


def npz(path, **arrays):
    rng = np.random.default_rng(0)
    np.savez(path, x=rng.random((30, 4)).astype("f4"), t=np.arange(30) % 2, **arrays)
    return data_family.MEMBERS["npz"](path=str(path))


def test_proxies_of_the_evaluated_model_depend_on_nothing_else(digits_parts):
    dataset, classifier = digits_parts
    assert Confidence().content(dataset, classifier, data=None) == ""
    assert Entropy().content(dataset, classifier, data=None) == ""


def test_a_column_with_other_values_has_another_content(tmp_path):
    first, again, other = (
        npz(tmp_path / f"{name}.npz", hard=np.arange(30.0) + shift)
        for name, shift in (("first", 0), ("again", 0), ("other", 1))
    )
    digests = [Column(column="hard").content(data.load(), None, data=data) for data in (first, again, other)]
    assert digests[0] == digests[1] != digests[2]


def test_a_second_model_with_other_weights_has_another_content(tmp_path):
    from pipeline.model.npz import Npz

    data, digests = npz(tmp_path / "rows.npz"), []
    for seed in (0, 1):
        path = tmp_path / f"weights{seed}.npz"
        np.savez(path, W1=np.random.default_rng(seed).normal(size=(4, 2)).astype("f4"), b1=np.zeros(2, "f4"))
        digests.append(SecondModel(model=Npz(path=str(path))).content(data.load(), None, data=data))
    assert digests[0] != digests[1]
