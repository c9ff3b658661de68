"""Where a file lies: on this machine, or in an object store that pyarrow or fsspec knows."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import files
from pipeline.address import SECRET
from pipeline.data.archive import brief
from pipeline.errors import BadInput, Failed

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

# Files up to this size are hashed each time; of larger ones the digest is kept, known by size and times.
_SMALL = 1 << 22
# What pyarrow says of an address whose scheme it does not know.
_UNKNOWN = "Unrecognized filesystem type"


class OutOfReach(Failed, OSError):
    """A file in a store that cannot be had just now, whatever it holds; its message shows no secret."""


@dataclass(frozen=True)
class Place:
    """A file.

    Attributes
    ----------
    path : str
        In its file system.
    uri : str or None
        As it was asked for, where it is not a plain path of this machine.
    """

    path: str
    uri: str | None = None

    def __str__(self) -> str:
        # The address may hold a key and its secret; the path does not.
        return self.path if self.uri is None else f"{self.uri.partition('://')[0]}://{self.path.lstrip('/')}"

    @property
    def name(self) -> str:
        """The file's name alone."""
        return self.path.rpartition("/")[2]

    def opened(self) -> Any:
        """Open it for reading at random; to be closed.

        Raises
        ------
        OutOfReach
            If it lies in a store that does not give it.
        """
        import pyarrow as pa

        if self.uri is None:
            self.check()
            return pa.OSFile(self.path, "rb")
        with _reaching(self.uri):
            return pa.PythonFile(_Reaching(_file_system(self.uri)[0].open_input_file(self.path), self.uri), mode="r")

    def check(self) -> None:
        """Refuse a file of this machine that is another than when it was first looked at.

        Raises
        ------
        BadInput
            If it has changed.
        """
        if self.uri is None and _look(self.path) != self._seen:
            raise BadInput(f"{self} must stay as it is while it is read; found it changed: start again")

    @cached_property
    def _seen(self) -> tuple[int, ...]:
        return _look(self.path)

    def is_out_of_reach(self, error: BaseException) -> bool:
        """Whether an error says that the file cannot be had, rather than that it is damaged."""
        if self.uri is not None:
            return isinstance(error, OutOfReach)
        return isinstance(error, OSError) and error.errno not in (None, 0, errno.EINVAL)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the content; of a file in an object store, of what the store says of it."""
        if self.uri is None:
            self.check()
            return _digest(Path(self.path))
        with _reaching(self.uri):
            info = _file_system(self.uri)[0].get_file_info(self.path)
        return files.digest_of(self.path, info.size, info.mtime_ns)


def _look(path: str) -> tuple[int, ...]:
    try:
        stat = os.stat(path)
    except OSError:
        # Whoever opens it says what is wrong.
        return ()
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


class _Reaching:
    """A file in a store: what goes wrong with reading it is told apart from what is wrong with its bytes."""

    def __init__(self, handle: Any, uri: str) -> None:
        self._handle, self._uri = handle, uri

    @property
    def closed(self) -> bool:
        return bool(self._handle.closed)

    def read(self, size: int = -1) -> bytes:
        with _reaching(self._uri):
            return self._handle.read(None if size < 0 else size)

    def read_buffer(self, size: int = -1) -> Any:
        with _reaching(self._uri):
            return self._handle.read_buffer(None if size < 0 else size)

    def seek(self, offset: int, whence: int = 0) -> int:
        with _reaching(self._uri):
            return self._handle.seek(offset, whence)

    def tell(self) -> int:
        return self._handle.tell()

    def close(self) -> None:
        with _reaching(self._uri):
            self._handle.close()


@contextmanager
def _reaching(uri: str) -> Iterator[None]:
    try:
        yield
    except (BadInput, OutOfReach):
        raise
    # Every package for fsspec has exceptions of its own.
    except Exception as error:
        raise OutOfReach(f"{path_of(uri)} is out of reach: {_told(error, uri)}") from None


def is_remote(path: str) -> bool:
    """Whether a path names a scheme: ``s3://bucket/rows.parquet``."""
    return re.match(r"^[a-z][a-z0-9+.-]*://", path) is not None


def path_of(uri: str) -> str:
    """Return an address without login and options: what an error may show; a plain path stays as it is.

    Examples
    --------
    >>> path_of("s3://KEY:SECRET@bucket/rows.parquet?endpoint_override=localhost:9000")
    's3://bucket/rows.parquet'
    """
    if not is_remote(uri):
        return uri
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}"


def places_of(path: str, suffixes: tuple[str, ...]) -> list[Place]:
    """Return the file that a path names, or the files with one of the suffixes in the folder, by name.

    Raises
    ------
    BadInput
        If there is none.
    """
    if is_remote(path):
        return _remote(path, suffixes)
    found = Path(path)
    if found.is_dir():
        inside = sorted(
            p for p in files.inside(found) if p.suffix in suffixes and p.is_file() and p.name[0] not in "._"
        )
        if not inside:
            raise BadInput(f"{path} must hold files ending in {' or '.join(suffixes)}; found none: check the folder")
        return [Place(str(p)) for p in inside]
    if not found.is_file():
        raise BadInput(f"data.path must name a file or a folder; found none at {path}: check the path")
    return [Place(path)]


def _remote(uri: str, suffixes: tuple[str, ...]) -> list[Place]:
    from pyarrow.fs import FileSelector, FileType

    try:
        with _reaching(uri):
            system, path = _file_system(uri)
            info = system.get_file_info(path)
            if info.type == FileType.File:
                return [Place(path, uri)]
            inside = system.get_file_info(FileSelector(path, recursive=True)) if info.type == FileType.Directory else []
    except OutOfReach as error:
        raise BadInput(f"data.path must name what is within reach; found: {error}: check address and login") from error
    names = sorted(
        i.path for i in inside if i.type == FileType.File and i.path.endswith(suffixes) and i.base_name[0] not in "._"
    )
    if not names:
        raise BadInput(
            f"data.path must name a file or a folder with {' or '.join(suffixes)}; found none at {path_of(uri)}: check "
            "bucket and path"
        )
    return [Place(name, uri) for name in names]


@lru_cache(maxsize=8)
def _file_system(uri: str) -> tuple[FileSystem, str]:
    """The file system of an address, once in a process (each has connections of its own), and the path in it."""
    from pyarrow.fs import FileSystem, FSSpecHandler, PyFileSystem

    try:
        return FileSystem.from_uri(uri)
    except (ValueError, NotImplementedError) as error:
        if isinstance(error, ValueError) and _UNKNOWN not in str(error):
            raise BadInput(
                f"data.path={path_of(uri)} must be an address with options that pyarrow knows; found: "
                f"{_told(error, uri)}: mend the address"
            ) from None
        try:
            import fsspec

            system, path = fsspec.core.url_to_fs(uri)
        except (ImportError, ValueError, TypeError) as unknown:
            raise BadInput(
                f"data.path={path_of(uri)} must have a scheme that pyarrow or fsspec knows; found: "
                f"{_told(unknown, uri)}: install the fsspec package for it"
            ) from None
        return PyFileSystem(FSSpecHandler(system)), path


def _told(error: BaseException, uri: str) -> str:
    """An error's words, without what is secret in the address."""
    said = str(error) or type(error).__name__
    login = uri.partition("://")[2].partition("?")[0].rpartition("@")[0]
    secrets = [part.partition("=")[2] for part in re.split("[?&;]", uri)[1:] if SECRET.match(f"?{part}")]
    for secret in [uri, *login.split(":"), *secrets]:
        if len(secret) > 1:
            said = said.replace(secret, path_of(uri) if secret == uri else "***")
    return brief(said, most=240)


def _digest(path: Path) -> str:
    stat = path.stat()
    if stat.st_size <= _SMALL:
        return files.file_digest(path)
    key = files.digest_of(str(path), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
    kept = files.cache("digests") / key
    if kept.is_file():
        return kept.read_text()
    found = files.file_digest(path)
    # Without room for it, it is made again the next time.
    with suppress(OSError):
        files.write_beside(kept, lambda file: file.write(found.encode()))
    return found
