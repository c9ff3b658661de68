import numpy as np
import pytest

from pipeline.data.formats.open_table import open_table
from pipeline.errors import BadInput


@pytest.fixture
def folder(tmp_path):
    """A folder of two arrays."""
    for name, array in (("logits", np.arange(20.0).reshape(10, 2)), ("label", np.arange(10) % 2)):
        np.save(tmp_path / f"{name}.npy", array)
    return tmp_path


def test_arrays_are_mapped_and_not_loaded(folder, peak_of):
    np.save(folder / "logits.npy", np.zeros((1 << 18, 8)))
    np.save(folder / "label.npy", np.zeros(1 << 18, dtype=np.int64))
    source = open_table(str(folder))
    assert peak_of(lambda: next(source.read(1, ["logits"]))) < 1 << 20


def test_axes_that_were_saved_the_other_way_round_are_read_as_they_were(folder):
    array = np.arange(20.0).reshape(10, 2)
    np.save(folder / "logits.npy", np.asfortranarray(array))
    np.testing.assert_array_equal(open_table(str(folder)).column("logits"), array)


@pytest.mark.parametrize("change", [lambda content: content[:-8], lambda content: content + bytes(8)])
def test_a_file_of_another_length_than_it_declares_is_refused(folder, change):
    path = folder / "logits.npy"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(BadInput, match=r"logits\.npy must hold the 160 bytes that its shape \(10, 2\) .*; found 1[56]"):
        open_table(str(folder))


def test_the_digest_covers_names_and_content(folder):
    before = open_table(str(folder)).digest
    (folder / "label.npy").rename(folder / "labels.npy")
    renamed = open_table(str(folder)).digest
    np.save(folder / "labels.npy", np.zeros(10, dtype=np.int64))
    assert len({before, renamed, open_table(str(folder)).digest}) == 3


def test_a_file_that_changes_while_it_is_read_is_refused(folder):
    source = open_table(str(folder))
    source.column("label")
    np.save(folder / "label.npy", np.arange(11))
    with pytest.raises(BadInput, match=r"label\.npy must stay as it is while it is read; found it changed"):
        source.column("label")


def test_one_array_alone_has_no_labels(folder):
    with pytest.raises(BadInput, match=r"must come with labels; found one array alone: put it into a folder"):
        open_table(str(folder / "logits.npy"))
