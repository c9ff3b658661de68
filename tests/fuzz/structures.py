"""Files that keep to a format as far as it takes to get past its first checks, and lie further on."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from hypothesis import strategies as st

LENGTHS = st.sampled_from([0, 1, 2, 3, 8, 20, 65535, 2**16, 2**27, 2**30, 2**31 - 1, 2**31, 2**32 - 1])
SMALL = st.integers(1, 6)
# Quiet and signalling NaN, infinities, the smallest and the largest number, a number beyond float32.
PATTERNS = (0x7FF8000000000000, 0x7FF0000000000001, 0xFFF0000000000000, 1, 0x7FEFFFFFFFFFFFFF, 0x5FF0000000000000)
DTYPES = ("<f4", ">f4", "<f8", ">f8", "f2", "u1", "i1", "<i8", ">i8", "<u8", "?", "g", "c8", "S3", "M8[s]", "O", "V4")


@st.composite
def idx_files(draw: st.DrawFn) -> bytes:
    """IDX files: right, or wrong in type, axes, lengths, values, packing."""
    n_axes = draw(st.sampled_from([1, 3, 1, 3, 3, 3, 0, 2, 4, 255]))
    kind = draw(st.sampled_from([8] * 12 + [9, 0x0D, 0]))
    length = st.one_of(SMALL, SMALL, LENGTHS) if draw(st.booleans()) else SMALL
    lengths = draw(st.lists(length, min_size=min(n_axes, 4), max_size=min(n_axes, 4)))
    fits = 1
    for length in lengths:
        fits = min(fits * length, 2000)
    n_values = draw(st.sampled_from([fits, fits, fits, max(0, fits - 1), fits + 1, 0]))
    content = struct.pack(">HBB", 0, kind, n_axes) + struct.pack(f">{len(lengths)}I", *lengths)
    content += bytes(draw(st.integers(0, 255)) % 10 for _ in range(min(n_values, 4))) + bytes(max(0, n_values - 4))
    return _packed(draw, content) if draw(st.booleans()) else content


def _packed(draw: st.DrawFn, content: bytes) -> bytes:
    whole = gzip.compress(content, mtime=0)
    half = len(content) // 2
    return draw(
        st.sampled_from(
            [
                whole,
                whole,
                gzip.compress(content[:half], mtime=0) + gzip.compress(content[half:], mtime=0),
                whole + bytes(512),
                whole + b"more",
                whole[:-8] + bytes(8),
                whole[: len(whole) // 2],
                whole[:3] + b"\xff" + whole[4:],
                gzip.compress(whole, mtime=0),
                b"\x1f\x8b",
                gzip.compress(b"", mtime=0) * 50 + whole,
            ]
        )
    )


def npy(array: np.ndarray, version: tuple[int, int] = (1, 0)) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):
        np.lib.format.write_array(file, array, version=version)
    return file.getvalue()


def with_header(header: bytes, body: bytes, major: int = 1) -> bytes:
    """An array's file with a header of one's own."""
    length = struct.pack("<H" if major == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([major, 0]) + length + header + body


@st.composite
def arrays(draw: st.DrawFn, shapes: Sequence[tuple[int, ...]]) -> np.ndarray:
    """Arrays of every kind of type, of the shapes that are wanted and of others, with odd bit patterns among them."""
    shape = draw(st.sampled_from([*shapes, *shapes, *shapes, (), (0,), (3,), (2, 0), (1, 1, 1, 1)]))
    size = int(np.prod(shape))
    if draw(st.integers(0, 3)) == 0:
        bits = [draw(st.sampled_from(PATTERNS)) for _ in range(3)]
        doubles = np.resize(np.array(bits, dtype=np.uint64).view(np.float64), shape)
        with np.errstate(all="ignore"):
            return doubles.astype(draw(st.sampled_from(["<f8", ">f8", "<f4", "g"])))
    values = np.resize(np.arange(draw(st.integers(1, 12))), size).reshape(shape) * draw(st.sampled_from([1, 1, 1, -1]))
    dtype = draw(st.sampled_from([*DTYPES[:8], *DTYPES]))
    order = draw(st.sampled_from("CF"))
    return np.array(values.astype("V4") if dtype == "V4" else values.astype(dtype), order=order)


SHAPES = st.sampled_from(
    ["(10000000000, 4)", f"(0, {10**30})", "(-1, -4)", f"({'1, ' * 90})", f"({10**4000},)", "(True,)", "(1.5,)",
     "(2147483648, 4294967296)"]
)  # fmt: skip
DESCRIPTIONS = st.sampled_from(["<f4", "|O", "f16", "V2147483647", "<f4\\n", "<U99999", "no"])
NO_ARRAYS = [
    pickle.dumps({"a": 1}),
    with_header(b"[" * 3000, b""),
    with_header(b"\xff" * 9, b""),
    with_header(b"__import__('os')\n", b""),
    b"",
    b"PK\x05\x06" + bytes(18),
]


@st.composite
def members(draw: st.DrawFn, shapes: Sequence[tuple[int, ...]]) -> bytes:
    """What an npz file holds under one name."""
    kind = draw(st.integers(0, 9))
    if kind < 6:
        return npy(draw(arrays(shapes)), draw(st.sampled_from([(1, 0), (1, 0), (2, 0), (3, 0)])))
    if kind == 6:
        header = f"{{'descr': '{draw(DESCRIPTIONS)}', 'fortran_order': False, 'shape': {draw(SHAPES)}, }}\n".encode()
        return with_header(header, draw(st.binary(max_size=40)), draw(st.sampled_from([1, 1, 2, 3, 9])))
    if kind == 7:
        return draw(st.sampled_from(NO_ARRAYS))
    changed = bytearray(npy(draw(arrays(shapes[:1]))))
    for _ in range(draw(st.integers(1, 4))):
        changed[draw(st.integers(0, len(changed) - 1))] = draw(st.integers(0, 255))
    return bytes(changed)


def zipped(content: Sequence[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    # A name may come twice, and zipfile warns of it.
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(file, "w", method) as archive:
        for name, data in content:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, method)
    return file.getvalue()


@st.composite
def plain_members(draw: st.DrawFn, shape: tuple[int, ...]) -> bytes:
    """An array of the right shape whose values are the small numbers that labels, groups and weights may be."""
    values = np.resize(np.arange(1, 1 + draw(st.integers(2, 9))), shape)
    return npy(values.astype(draw(st.sampled_from(["<f4", ">f4", "<f8", ">f8"]))))


@st.composite
def member_sets(draw: st.DrawFn, wanted: dict[str, list[tuple[int, ...]]]) -> dict[str, bytes]:
    """All that are wanted: plain ones, most often with one among them that may be anything."""
    odd = draw(st.sampled_from([*wanted, *wanted, "none", "all"]))
    return {
        name: draw(members(shapes) if odd in (name, "all") else plain_members(shapes[0]))
        for name, shapes in wanted.items()
    }


ODD_NAMES = ("../x", "/tmp/x", "x\n\x1b[2Jy", "n" * 3000, "", "..\\x", "x/", "W999999", "W1", "x", "t")


@st.composite
def npz_files(draw: st.DrawFn, wanted: dict[str, list[tuple[int, ...]]]) -> bytes:
    """Zip files with the names that are wanted (in most cases), whose members or directory lie."""
    found = draw(member_sets(wanted))
    content = [(f"{name}.npy", member) for name, member in found.items() if draw(st.integers(0, 19))]
    if draw(st.integers(0, 3)) == 0:
        odd = draw(st.sampled_from(ODD_NAMES))
        content.insert(draw(st.integers(0, len(content))), (odd + ".npy" * draw(st.integers(0, 1)), b"odd"))
    if draw(st.integers(0, 19)) == 0:
        return bomb(tuple(wanted)) if draw(st.booleans()) else crowd()
    method = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED]))
    if draw(st.integers(0, 15)) == 0:
        method = zipfile.ZIP_LZMA
    whole = zipped(content, method)
    return _lying(draw, whole) if draw(st.integers(0, 3)) == 0 else whole


def _lying(draw: st.DrawFn, whole: bytes) -> bytes:
    """Another size, packing or flag in the directory at the end of a zip file."""
    changed = bytearray(whole)
    places = [i for i in range(len(whole) - 46) if whole[i : i + 4] == b"PK\x01\x02"]
    if places:
        place = draw(st.sampled_from(places))
        offset = draw(st.sampled_from([8, 10, 16, 20, 24, 28, 30, 42]))
        changed[place + offset : place + offset + 4] = struct.pack("<I", draw(LENGTHS))
    return bytes(changed)


@lru_cache(maxsize=16)
def bomb(names: tuple[str, ...], mebibytes: int = 3000) -> bytes:
    """A file of 3 MB an array, whose arrays are 3 GB each."""
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({mebibytes}, 1048576), }}".encode()
    start = with_header(header.ljust(117) + b"\n", b"")
    first = pack.compress(start) + pack.flush(zlib.Z_FULL_FLUSH)
    # After a full flush the same bytes are packed to the same bytes again.
    block = pack.compress(bytes(1 << 20)) + pack.flush(zlib.Z_FULL_FLUSH)
    packed = first + block * mebibytes + pack.flush(zlib.Z_FINISH)
    whole, directory = b"", b""
    for name in names:
        sizes = struct.pack("<IIIHH", 0, len(packed), len(start) + (mebibytes << 20), len(name) + 4, 0)
        entry = struct.pack("<HHHHH", 20, 0, zipfile.ZIP_DEFLATED, 0, 33) + sizes
        directory += (
            b"PK\x01\x02\x14\0" + entry + struct.pack("<HHHII", 0, 0, 0, 0, len(whole)) + f"{name}.npy".encode()
        )
        whole += b"PK\x03\x04" + entry + f"{name}.npy".encode() + packed
    end = struct.pack("<HHHHIIH", 0, 0, len(names), len(names), len(directory), len(whole), 0)
    return whole + directory + b"PK\x05\x06" + end


@lru_cache(maxsize=1)
def crowd() -> bytes:
    """A zip file of 20,000 arrays."""
    one = npy(np.zeros(1, np.float32))
    return zipped([(f"{i}.npy", one) for i in range(20_000)])
