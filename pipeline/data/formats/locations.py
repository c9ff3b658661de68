"""Locations of files: on this machine, or in an object store that pyarrow or fsspec can read."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import BadInput, Failed, brief
from ...runtime import files
from ...runtime.redact import SECRET
from ..disk_cache import cached_text

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

# Larger files are hashed once; the digest is cached under their path, size and times.
_SMALL = 1 << 22
# pyarrow's message for an address whose scheme it does not know.
_UNKNOWN = "Unrecognized filesystem type"


class OutOfReach(Failed, OSError):
    """A file in an object store cannot be read at the moment. The message contains no secret of its address."""


@dataclass(frozen=True)
class Location:
    """The location of a file.

    Attributes
    ----------
    path : str
        The path in its file system.
    uri : str or None
        The address as configured; None for a path on this machine.
    """

    path: str
    uri: str | None = None

    def __str__(self) -> str:
        # Without the rest of the address, which may contain a key and its secret.
        return self.path if self.uri is None else f"{self.uri.partition('://')[0]}://{self.path.lstrip('/')}"

    @property
    def name(self) -> str:
        """The name of the file without its folder."""
        return self.path.rpartition("/")[2]

    def opened(self) -> Any:
        """Open the file for random access; the caller closes it.

        Raises
        ------
        OutOfReach
            If it is in an object store that cannot be read at the moment.
        """
        import pyarrow as pa

        if self.uri is None:
            self.check()
            return pa.OSFile(self.path, "rb")
        with _raising_out_of_reach(self.uri):
            return pa.PythonFile(_RemoteFile(_file_system(self.uri)[0].open_input_file(self.path), self.uri), mode="r")

    def check(self) -> None:
        """Raise if a file on this machine has changed since the first check.

        Raises
        ------
        BadInput
            If its size, times or inode differ from those of the first check.
        """
        if self.uri is None and _stat_of(self.path) != self._stat_at_first:
            raise BadInput(f"{self} must stay as it is while it is read; found it changed: start again")

    @cached_property
    def _stat_at_first(self) -> tuple[int, ...]:
        return _stat_of(self.path)

    def is_out_of_reach(self, error: BaseException) -> bool:
        """Return whether an error means that the file cannot be read at the moment, not that it is damaged."""
        if self.uri is not None:
            return isinstance(error, OutOfReach)
        return isinstance(error, OSError) and error.errno not in (None, 0, errno.EINVAL)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the content; for a file in an object store, of its path, size and time of change."""
        if self.uri is None:
            self.check()
            return _digest(Path(self.path))
        with _raising_out_of_reach(self.uri):
            info = _file_system(self.uri)[0].get_file_info(self.path)
        return files.digest_of(self.path, info.size, info.mtime_ns)


def _stat_of(path: str) -> tuple[int, ...]:
    try:
        stat = os.stat(path)
    except OSError:
        # Opening the file will raise an error with the reason.
        return ()
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


class _RemoteFile:
    """A file in an object store. Errors of the store become OutOfReach, to tell them from damaged bytes."""

    def __init__(self, handle: Any, uri: str) -> None:
        self._handle, self._uri = handle, uri

    @property
    def closed(self) -> bool:
        return bool(self._handle.closed)

    def read(self, size: int = -1) -> bytes:
        with _raising_out_of_reach(self._uri):
            return self._handle.read(None if size < 0 else size)

    def read_buffer(self, size: int = -1) -> Any:
        with _raising_out_of_reach(self._uri):
            return self._handle.read_buffer(None if size < 0 else size)

    def seek(self, offset: int, whence: int = 0) -> int:
        with _raising_out_of_reach(self._uri):
            return self._handle.seek(offset, whence)

    def tell(self) -> int:
        return self._handle.tell()

    def close(self) -> None:
        with _raising_out_of_reach(self._uri):
            self._handle.close()


@contextmanager
def _raising_out_of_reach(uri: str) -> Iterator[None]:
    try:
        yield
    except (BadInput, OutOfReach):
        raise
    # Any exception, because every fsspec package raises its own types.
    except Exception as error:
        raise OutOfReach(f"{path_of(uri)} is out of reach: {_without_secrets(error, uri)}") from None


def is_remote(path: str) -> bool:
    """Return whether a path has a scheme, as in ``s3://bucket/rows.parquet``."""
    return re.match(r"^[a-z][a-z0-9+.-]*://", path) is not None


def path_of(uri: str) -> str:
    """Return an address without login and options, so that messages can show it; a path without scheme is unchanged.

    Examples
    --------
    >>> path_of("s3://KEY:SECRET@bucket/rows.parquet?endpoint_override=localhost:9000")
    's3://bucket/rows.parquet'
    """
    if not is_remote(uri):
        return uri
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}"


def locations_of(path: str, suffixes: tuple[str, ...]) -> list[Location]:
    """Return the location of the file at a path, or of the files in the folder with these suffixes, sorted by name.

    Raises
    ------
    BadInput
        If there is no such file.
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
        return [Location(str(p)) for p in inside]
    if not found.is_file():
        raise BadInput(f"data.path must name a file or a folder; found none at {path}: check the path")
    return [Location(path)]


def _remote(uri: str, suffixes: tuple[str, ...]) -> list[Location]:
    from pyarrow.fs import FileSelector, FileType

    try:
        with _raising_out_of_reach(uri):
            system, path = _file_system(uri)
            info = system.get_file_info(path)
            if info.type == FileType.File:
                return [Location(path, uri)]
            inside = system.get_file_info(FileSelector(path, recursive=True)) if info.type == FileType.Directory else []
    except OutOfReach as error:
        raise BadInput(
            f"data.path must name a file or a folder that can be read; found: {error}: check address and login"
        ) from error
    names = sorted(
        i.path for i in inside if i.type == FileType.File and i.path.endswith(suffixes) and i.base_name[0] not in "._"
    )
    if not names:
        raise BadInput(
            f"data.path must name a file or a folder with {' or '.join(suffixes)}; found none at {path_of(uri)}: check "
            "bucket and path"
        )
    return [Location(name, uri) for name in names]


@lru_cache(maxsize=8)
def _file_system(uri: str) -> tuple[FileSystem, str]:
    """Return the file system of an address, and the path in it; memoised, because it holds open connections."""
    from pyarrow.fs import FileSystem, FSSpecHandler, PyFileSystem

    try:
        return FileSystem.from_uri(uri)
    except (ValueError, NotImplementedError) as error:
        if isinstance(error, ValueError) and _UNKNOWN not in str(error):
            raise BadInput(
                f"data.path={path_of(uri)} must be an address with options that pyarrow knows; found: "
                f"{_without_secrets(error, uri)}: mend the address"
            ) from None
        try:
            import fsspec

            system, path = fsspec.core.url_to_fs(uri)
        except (ImportError, ValueError, TypeError) as unknown:
            raise BadInput(
                f"data.path={path_of(uri)} must have a scheme that pyarrow or fsspec knows; found: "
                f"{_without_secrets(unknown, uri)}: install the fsspec package for it"
            ) from None
        return PyFileSystem(FSSpecHandler(system)), path


def _without_secrets(error: BaseException, uri: str) -> str:
    """Return the message of an error, with the secrets of the address replaced."""
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
    return cached_text("digests", key, lambda: files.file_digest(path))
