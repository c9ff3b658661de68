"""Where a file lies: on this machine, or in an object store that pyarrow or fsspec knows."""

from __future__ import annotations

import errno
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import files
from pipeline.data.archive import brief
from pipeline.errors import BadInput

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

# Files up to this size are hashed each time; of larger ones the digest is kept, known by size and times.
_SMALL = 1 << 26


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
        return self.path if self.uri is None else f"{self.uri.partition('://')[0]}://{self.path}"

    @property
    def name(self) -> str:
        """The file's name alone."""
        return self.path.rpartition("/")[2]

    def opened(self) -> Any:
        """Open it for reading at random; to be closed."""
        if self.uri is None:
            import pyarrow as pa

            return pa.OSFile(self.path, "rb")
        return _file_system(self.uri)[0].open_input_file(self.path)

    def is_out_of_reach(self, error: BaseException) -> bool:
        """Whether an error says that the file cannot be had, rather than that it is damaged."""
        return isinstance(error, OSError) and (self.uri is not None or error.errno not in (None, 0, errno.EINVAL))

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the content; of a file in an object store, of what the store says of it."""
        if self.uri is None:
            return _digest(Path(self.path))
        info = _file_system(self.uri)[0].get_file_info(self.path)
        return files.digest_of(self.path, info.size, info.mtime_ns)


def is_remote(path: str) -> bool:
    """Whether a path names a scheme: ``s3://bucket/rows.parquet``."""
    return re.match(r"^[a-z][a-z0-9+.-]*://", path) is not None


def path_of(uri: str) -> str:
    """Return an address without login and options: what may be shown."""
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
        inside = sorted(p for p in found.rglob("*") if p.suffix in suffixes and p.is_file() and p.name[0] not in "._")
        if not inside:
            raise BadInput(f"{path} must hold files ending in {' or '.join(suffixes)}; found none: check the folder")
        return [Place(str(p)) for p in inside]
    if not found.is_file():
        raise BadInput(f"data.path must name a file or a folder; found none at {path}: check the path")
    return [Place(path)]


def _remote(uri: str, suffixes: tuple[str, ...]) -> list[Place]:
    from pyarrow.fs import FileSelector, FileType

    try:
        system, path = _file_system(uri)
        info = system.get_file_info(path)
        if info.type == FileType.File:
            return [Place(path, uri)]
        inside = system.get_file_info(FileSelector(path, recursive=True)) if info.type == FileType.Directory else []
    except (OSError, ValueError) as error:
        raise BadInput(
            f"data.path={uri} must be within reach; found: {brief(error)}: check address and login"
        ) from error
    names = sorted(i.path for i in inside if i.type == FileType.File and i.path.endswith(suffixes))
    if not names:
        raise BadInput(
            f"data.path must name a file or a folder with {' or '.join(suffixes)}; found none at {path_of(uri)}"
        )
    return [Place(name, uri) for name in names]


def _file_system(uri: str) -> tuple[FileSystem, str]:
    from pyarrow.fs import FileSystem, FSSpecHandler, PyFileSystem

    try:
        return FileSystem.from_uri(uri)
    except (ValueError, NotImplementedError) as error:
        try:
            import fsspec

            system, path = fsspec.core.url_to_fs(uri)
        except (ImportError, ValueError) as unknown:
            raise BadInput(
                f"data.path={path_of(uri)} must have a scheme that pyarrow or fsspec knows; found: {brief(error)}: "
                "install the fsspec package for it"
            ) from unknown
        return PyFileSystem(FSSpecHandler(system)), path


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
