"""Four IDX files from a folder or from mirrors: the right rows, or one clear line and nothing half-written."""

import gzip

import numpy as np
import pytest

from pipeline.data.mnist_files import STEMS
from pipeline.errors import BadInput


@pytest.mark.parametrize("spelling", ["{}.gz", "{}", "dot.gz", "dot"])
def test_a_folder_is_read_gzip_or_plain_in_both_spellings(tmp_path, small, small_arrays, idx_bytes, spelling):
    for stem, array in small_arrays.items():
        name = spelling.format(stem) if "{" in spelling else spelling.replace("dot", stem.replace("-idx", ".idx"))
        content = idx_bytes(array)
        (tmp_path / name).write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
    for split, n in (("train", 30), ("test", 20)):
        found = small(root=str(tmp_path)).load_split(split)
        images, labels = (small_arrays[stem] for stem in STEMS[split])
        np.testing.assert_array_equal(found.inputs, images.reshape(n, 20))
        np.testing.assert_array_equal(found.labels, labels)
        assert found.name == f"small {split}"


def test_a_tilde_in_root_is_the_home_folder(small, small_root, monkeypatch):
    monkeypatch.setenv("HOME", str(small_root.parent))
    assert len(small(root="~/root").load()) == 30


def test_the_train_split_is_the_default_and_pixels_are_scaled_by_a_255th(small, small_root):
    found = small(root=str(small_root)).load()
    assert len(found) == 30
    assert found.scale == 1 / 255
    assert small(root=str(small_root), normalize=False).load().scale == 1


def test_no_such_folder_is_refused(small, tmp_path):
    with pytest.raises(
        BadInput, match=r"data.root must be a folder that holds train-images-idx3-ubyte.gz, .*no folder"
    ):
        small(root=str(tmp_path / "nowhere")).load()


def test_an_empty_root_is_refused(small):
    with pytest.raises(BadInput, match=r"data.root must name a folder"):
        small(root=" ")


@pytest.mark.parametrize("missing", ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"])
def test_a_missing_file_is_named(small, small_root, missing):
    (small_root / f"{missing}.gz").unlink()
    with pytest.raises(BadInput, match=f"data.root must hold {missing}.gz or {missing}; found neither in {small_root}"):
        small(root=str(small_root)).load()


def test_an_altered_gzip_file_is_refused_unless_it_is_ones_own(small, small_root, small_arrays, idx_bytes):
    stem = "train-images-idx3-ubyte"
    altered = small_arrays[stem].copy()
    altered[7, 3, 2] ^= 1
    (small_root / f"{stem}.gz").write_bytes(gzip.compress(idx_bytes(altered), mtime=0))
    with pytest.raises(BadInput, match=rf"{stem}.gz must have the MD5 .*; found .*data.verify=false"):
        small(root=str(small_root)).load()
    np.testing.assert_array_equal(small(root=str(small_root), verify=False).load().inputs, altered.reshape(30, 20))


@pytest.mark.parametrize("verify", [True, False])
def test_images_and_labels_of_different_length_are_refused(small, small_root, small_arrays, idx_bytes, verify):
    stem = "train-labels-idx1-ubyte"
    (small_root / f"{stem}.gz").write_bytes(gzip.compress(idx_bytes(small_arrays[stem][:-1])))
    with pytest.raises(BadInput, match=r"as many images as labels; found 30 images and 29 labels"):
        small(root=str(small_root), verify=verify).load()


@pytest.mark.parametrize("verify", [True, False])
def test_a_label_out_of_range_is_refused(small, small_root, small_arrays, idx_bytes, verify):
    stem = "train-labels-idx1-ubyte"
    labels = small_arrays[stem].copy()
    labels[4] = 10
    (small_root / f"{stem}.gz").write_bytes(gzip.compress(idx_bytes(labels)))
    with pytest.raises(BadInput, match=rf"{stem}.gz must hold classes 0 … 9 \(there are 10\); found 10 in row 4"):
        small(root=str(small_root), verify=verify).load()


def test_a_mirror_fills_the_cache_once_and_later_no_network_is_needed(small, small_files, mirror, cache, closed_port):
    server = mirror(small_files)
    first = small(mirrors=[server.url]).load()
    assert server.asked == ["/base/train-images-idx3-ubyte.gz", "/base/train-labels-idx1-ubyte.gz"]
    assert {path.name for path in (cache / "small").iterdir()} == {f"{stem}.gz" for stem in STEMS["train"]}
    assert small(mirrors=[server.url]).load().digest == first.digest
    assert len(server.asked) == 2
    assert small(mirrors=[closed_port]).load().digest == first.digest
    assert small(mirrors=[]).load().digest == first.digest


def test_a_download_and_a_folder_give_the_same(small, small_files, small_root, mirror, cache):
    assert small(mirrors=[mirror(small_files).url]).load().digest == small(root=str(small_root)).load().digest


def test_when_all_fails_one_line_says_which_files_to_put_where(small, cache, closed_port):
    with pytest.raises(BadInput, match=r"data.root=FOLDER") as caught:
        small(mirrors=[closed_port, closed_port + "/other"]).load()
    said = str(caught.value)
    assert "\n" not in said
    assert said.count("no connection") == 2
    assert f"{closed_port}/other/train-images-idx3-ubyte.gz" in said
    assert all(f"{stem}.gz" in said for pair in STEMS.values() for stem in pair)


def test_without_mirrors_the_line_says_so(small, cache):
    with pytest.raises(BadInput, match=r"data.mirrors must name a mirror to download train-images.*data.root=FOLDER"):
        small().load()


@pytest.mark.parametrize(
    "mirror_url",
    ["http://example.org/mnist", "ftp://127.0.0.1/", "mnist", "", "https://", "http://[::1", "file:///tmp"],
)
def test_a_mirror_that_could_be_tampered_with_is_refused(small, mirror_url):
    with pytest.raises(BadInput, match=r"data.mirrors must be https addresses"):
        small(mirrors=[mirror_url])


@pytest.mark.parametrize(
    "mirror_url", ["https://example.org/a/", "http://127.0.0.1:80", "http://localhost", "http://[::1]/"]
)
def test_https_and_this_machine_are_fine(small, mirror_url):
    small(mirrors=[mirror_url])
