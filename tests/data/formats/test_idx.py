"""The IDX reader: right, or one clear line."""

import gzip
import hashlib
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipeline.data.formats.idx import content_sha256, read_idx
from pipeline.data.mnist import Mnist
from pipeline.errors import BadInput

FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
IMAGES = np.arange(60, dtype=np.uint8).reshape(5, 4, 3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(hnp.arrays(np.uint8, hnp.array_shapes(max_dims=3)), st.booleans())
def test_what_is_written_is_read(tmp_path, idx_bytes, array, packed):
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(idx_bytes(array)) if packed else idx_bytes(array))
    found = read_idx(path, n_axes=array.ndim)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, array)
    assert content_sha256(found) == hashlib.sha256(idx_bytes(array)).hexdigest()


def test_the_content_tells_gzip_from_plain_not_the_name(tmp_path, idx_bytes):
    (tmp_path / "plain.gz").write_bytes(idx_bytes(IMAGES))
    (tmp_path / "packed").write_bytes(gzip.compress(idx_bytes(IMAGES)))
    for name in ("plain.gz", "packed"):
        np.testing.assert_array_equal(read_idx(tmp_path / name, n_axes=3), IMAGES)


PLAIN = struct.pack(">4I", 0x803, 5, 4, 3) + IMAGES.tobytes()
DAMAGE = {
    "empty file": (b"", "must be an IDX file of 3 axes.*found nothing"),
    "a web page": (b"<!DOCTYPE html>", "starts with 00 00 08 03.*found 3c 21 44 4f"),
    "labels instead of images": (struct.pack(">2I", 0x801, 5) + b"\0" * 5, "found 00 00 08 01"),
    "floats": (struct.pack(">4I", 0xD03, 5, 4, 3) + IMAGES.tobytes(), "found 00 00 0d 03"),
    "end in the lengths": (PLAIN[:10], "must declare 3 lengths; found its end after 10 bytes"),
    "truncated": (PLAIN[:-1], r"must be 76 bytes long .* found 75: get the file again"),
    "no values": (PLAIN[:16], "must be 76 bytes long .* found 16"),
    "extra bytes": (PLAIN + b"\0", "must be 76 bytes long .* found 77"),
    "no rows": (struct.pack(">4I", 0x803, 0, 4, 3), r"at least one value; found the shape \(0, 4, 3\)"),
    "no pixels": (struct.pack(">4I", 0x803, 5, 0, 3), r"at least one value; found the shape \(5, 0, 3\)"),
    "too large": (struct.pack(">4I", 0x803, 2**32 - 1, 2**32 - 1, 2**32 - 1), "at most 1,073,741,824 bytes"),
}


@pytest.mark.parametrize(("content", "says"), DAMAGE.values(), ids=list(DAMAGE))
def test_a_damaged_plain_file_is_refused(tmp_path, content, says):
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=says) as caught:
        read_idx(path, n_axes=3)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(("content", "says"), DAMAGE.values(), ids=list(DAMAGE))
def test_a_damaged_file_is_refused_inside_gzip_too(tmp_path, content, says):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(BadInput, match=says.replace("found 77", "found more")):
        read_idx(path, n_axes=3)


@pytest.mark.parametrize("cut", [1, 8, 12, 40])
def test_a_truncated_gzip_is_refused(tmp_path, cut):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(PLAIN)[:-cut])
    with pytest.raises(BadInput, match=r"must be a readable file, whole if gzip; found: Compressed file ended"):
        read_idx(path, n_axes=3)


def test_a_wrong_checksum_is_refused(tmp_path):
    packed = bytearray(gzip.compress(PLAIN))
    packed[-6] ^= 1
    path = tmp_path / "images.gz"
    path.write_bytes(packed)
    with pytest.raises(BadInput, match=r"CRC check failed"):
        read_idx(path, n_axes=3)


def test_a_folder_and_a_missing_file_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(BadInput, match=f"{path} must be a readable file"):
            read_idx(path, n_axes=3)


def test_a_gzip_bomb_takes_no_more_than_it_declares(tmp_path, peak_of):
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(struct.pack(">4I", 0x803, 10, 28, 28))
        for _ in range(300):
            file.write(bytes(1 << 20))

    def refused():
        with pytest.raises(BadInput, match=r"must be 7,856 bytes long .* found more"):
            read_idx(path, n_axes=3)

    assert peak_of(refused) < 4_000_000


@FUZZ
@given(st.data())
def test_mutated_bytes_are_read_right_or_refused(tmp_path, data):
    packed = data.draw(st.booleans())
    content = bytearray(gzip.compress(PLAIN, mtime=0) if packed else PLAIN)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    path = tmp_path / "images"
    path.write_bytes(content)
    wanted = IMAGES.reshape(-1) if packed else np.frombuffer(content[16:], dtype=np.uint8)
    try:
        found, said = read_idx(path, n_axes=3), ""
    except BadInput as error:
        found, said = wanted, str(error)
    assert "\n" not in said
    np.testing.assert_array_equal(found.reshape(-1), wanted)


def test_60000_images_cost_their_47_megabytes_and_little_more(mnist_root, peak_of):
    found = []
    peak = peak_of(lambda: found.append(Mnist(root=str(mnist_root)).load()))
    assert found[0].inputs.nbytes == 47_040_000
    assert peak < 60_000_000
