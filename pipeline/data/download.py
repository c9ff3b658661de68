"""Files from mirrors into a cache, where a file is always whole and right: it is moved in after its check."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from pipeline import files
from pipeline.errors import BadInput

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS, READ_SECONDS = 10, 30
# A mirror that never stops sending must not fill the disk; the largest file that is asked for has 26 MB.
MOST_BYTES = 1 << 27
CHUNK = 1 << 16
MOST_REDIRECTS = 5


def check_mirror(mirror: str) -> None:
    """Refuse the address of a mirror that could be tampered with on the way, or that holds a secret.

    Raises
    ------
    BadInput
        If it is no https address, and no http address of this machine; or if it names a user or a password.
    """
    shown = re.sub(r"://.*@", "://***@", mirror)
    if not (_is_secure(mirror) or _is_here(mirror)):
        raise BadInput(
            f"data.mirrors must be https addresses (http on this machine alone); found {shown!r}: "
            "write https://HOST/FOLDER"
        )
    if "@" in urlsplit(mirror).netloc:
        # The configuration is logged with every run.
        raise BadInput(f"data.mirrors must hold no user or password; found {shown!r}: put them into ~/.netrc")


def _is_secure(url: str) -> bool:
    """Whether it is an https address."""
    return _parts(url)[0] == "https"


def _is_here(url: str) -> bool:
    """Whether it is an http address of this machine."""
    scheme, host = _parts(url)
    return scheme == "http" and _is_loopback(host)


def _parts(url: str) -> tuple[str, str]:
    """Scheme and host of an address; empty where it has no host."""
    try:
        parts = urlsplit(url)
        return (parts.scheme, parts.hostname) if parts.hostname else ("", "")
    except ValueError:
        return "", ""


def _is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def fetch(name: str, *, md5: str, mirrors: Sequence[str], folder: Path, otherwise: str) -> Path:
    """Return a file of the cache, downloaded from the first mirror that serves it right if it is not there yet.

    Parameters
    ----------
    name : str
        The file's name, on the mirrors and in the cache.
    md5 : str
        What its MD5 (hex) must be. A cached file is checked too, and replaced when it is another.
    mirrors : sequence of str
        Base addresses, tried in order.
    folder : Path
        The cache's folder.
    otherwise : str
        What a person can do instead, for the message.

    Returns
    -------
    Path

    Raises
    ------
    BadInput
        If no mirror serves the file.
    """
    import pooch

    path = folder / name
    # Without the lock first: a cache that is read-only, or there already, needs none.
    if path.is_file() and pooch.file_hash(path, alg="md5") == md5:
        return path
    if not mirrors:
        raise BadInput(f"data.mirrors must name a mirror to download {name} from; found none: {otherwise}")
    from filelock import FileLock

    locks = files.cache("locks")
    locks.mkdir(parents=True, exist_ok=True)
    # One process downloads; the others of a parallel sweep wait and find the file.
    with FileLock(locks / f"{folder.name}.lock"):
        return _from_mirrors(path, md5=md5, mirrors=mirrors, otherwise=otherwise)


def _from_mirrors(path: Path, *, md5: str, mirrors: Sequence[str], otherwise: str) -> Path:
    """Try the mirrors in order."""
    import pooch
    import requests
    import urllib3

    pooch.get_logger().setLevel("WARNING")
    reasons = []
    # A link may lead anywhere, into another folder too: what is behind it was not right, and is never written to.
    if path.is_symlink():
        path.unlink()
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{path.name}"
        try:
            found = pooch.retrieve(
                url, known_hash=f"md5:{md5}", fname=path.name, path=path.parent, downloader=Stream(path.name)
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
            reasons.append(f"{url}: {_reason(error)}")
        else:
            return Path(found)
    raise BadInput(f"{path.name} must come from a mirror; found {'; '.join(reasons)}: {otherwise}")


@dataclass
class Stream:
    """Downloads one file; what pooch calls a downloader.

    ``pooch.HTTPDownloader`` would undo a ``Content-Encoding: gzip``, and so change the bytes whose hash is known; nor
    does it stop at any length.
    """

    name: str

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        """Write what the address serves, as it was sent, to a file.

        Raises
        ------
        requests.RequestException, urllib3.exceptions.HTTPError
            If the server cannot be reached, refuses, or breaks off.
        ValueError
            If it sends more than 128 MiB, or on to an address that is not secure.
        """
        with _answer(url) as answer, open(output_file, "wb") as file:
            answer.raise_for_status()
            declared = answer.headers.get("Content-Length", "")
            with progress(self.name, int(declared) if declared.isdecimal() else None) as advance:
                for chunk in answer.raw.stream(CHUNK, decode_content=False):
                    if file.tell() + len(chunk) > MOST_BYTES:
                        raise ValueError(f"more than {MOST_BYTES:,} bytes")
                    file.write(chunk)
                    advance(len(chunk))


@contextmanager
def _answer(url: str) -> Iterator[requests.Response]:
    """Ask for a file; a server may send on to another https address, and one of this machine to this machine too."""
    import requests

    plain = {"Accept-Encoding": "identity"}
    timeout = (CONNECT_SECONDS, READ_SECONDS)
    with requests.Session() as session:
        for _ in range(1 + MOST_REDIRECTS):
            # Requests would follow from https to http.
            with session.get(url, stream=True, timeout=timeout, headers=plain, allow_redirects=False) as answer:
                target = session.get_redirect_target(answer)
                if target is None:
                    yield answer
                    return
            target = urljoin(url, target)
            if not (_is_secure(target) or (_is_here(url) and _is_here(target))):
                raise ValueError(f"sent on to {target.partition('?')[0][:80]!r}, which is not https")
            url = target
    raise ValueError(f"sent on more than {MOST_REDIRECTS} times")


@contextmanager
def progress(name: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a bar on standard error, if that is a terminal; what is yielded moves it on by so many bytes."""
    if not sys.stderr.isatty():
        yield lambda n_bytes: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"downloading {name}", total=total)
        yield lambda n_bytes: bar.advance(task, n_bytes)


def _reason(error: Exception) -> str:
    """What went wrong with one mirror, in a few words."""
    import requests
    import urllib3

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "no trusted TLS connection"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    if isinstance(error, urllib3.exceptions.HTTPError):
        return "broken off"
    return " ".join(str(error).split(" Deleted download")[0].split()).rstrip(".")
