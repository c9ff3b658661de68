"""The digest covers the content, all of it, and nothing but it."""

import numpy as np
import pytest

from pipeline.data.assemble import assemble
from pipeline.data.labels import one_hot

INPUTS = np.arange(12, dtype=np.uint8).reshape(4, 3)
LABELS = np.array([0, 2, 1, 0])


def made(inputs=INPUTS, labels=LABELS, *, n_classes=3, as_one_hot=False, scale=1.0, name="a"):
    return assemble(inputs, labels, n_classes=n_classes, as_one_hot=as_one_hot, scale=scale, name=name)


def test_equal_content_has_an_equal_digest_whatever_its_name_scale_encoding_or_order_in_memory():
    wanted = made().digest
    for same in (
        made(as_one_hot=True),
        made(scale=1 / 255, name="b"),
        made(np.asfortranarray(INPUTS)),
        made(np.repeat(INPUTS, 2, axis=0)[::2]),
    ):
        assert same.digest == wanted


@pytest.mark.parametrize(
    "changes",
    [
        {"inputs": INPUTS ^ np.uint8([[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 1]])},
        {"inputs": INPUTS.astype(np.float32)},
        {"inputs": INPUTS.reshape(4, 3)[:, ::-1]},
        {"labels": np.array([0, 2, 1, 1])},
        {"labels": one_hot(LABELS, 3) * np.float32(0.99)},
        {"n_classes": 4},
    ],
    ids=["a pixel", "the type", "the order", "a label", "soft labels", "the classes"],
)
def test_other_content_has_another_digest(changes):
    assert made(**changes).digest != made().digest


def test_inputs_are_kept_not_copied():
    assert made().inputs is INPUTS


def test_soft_labels_stay_rows_without_one_hot():
    soft = np.full((4, 3), 1 / 3, dtype=np.float32)
    np.testing.assert_array_equal(made(labels=soft).labels, soft)
    np.testing.assert_array_equal(made(labels=soft, as_one_hot=True).labels, soft)
