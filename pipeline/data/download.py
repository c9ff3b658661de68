"""Download files from mirrors into the cache. A file is moved into the cache only after its hash was checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from ..errors import BadInput
from ..runtime import files, locks
from ..runtime.progress import Bar

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS, READ_SECONDS = 10, 30
# A bound on the size, so that a mirror that never stops sending cannot fill the disk. The largest known file has 26 MB.
MOST_BYTES = 1 << 27
CHUNK = 1 << 16
MOST_REDIRECTS = 5


def check_mirror(mirror: str) -> None:
    """Raise if the address of a mirror is not secure, or contains a login.

    Raises
    ------
    BadInput
        If it is neither an https address nor an http address of this machine, or if it contains a user or a password.
    """
    shown = re.sub(r"://.*@", "://***@", mirror)
    if not (_is_secure(mirror) or _is_local(mirror)):
        raise BadInput(
            f"data.mirrors must be https addresses (http on this machine alone); found {shown!r}: "
            "write https://HOST/FOLDER"
        )
    if "@" in urlsplit(mirror).netloc:
        # Not allowed, because the configuration is logged with every run.
        raise BadInput(f"data.mirrors must hold no user or password; found {shown!r}: put them into ~/.netrc")


def _is_secure(url: str) -> bool:
    """Return whether it is an https address."""
    return _scheme_and_host(url)[0] == "https"


def _is_local(url: str) -> bool:
    """Return whether it is an http address of this machine."""
    scheme, host = _scheme_and_host(url)
    return scheme == "http" and _is_loopback(host)


def _scheme_and_host(url: str) -> tuple[str, str]:
    """Return scheme and host of an address; both empty if it has no host."""
    try:
        parts = urlsplit(url)
        return (parts.scheme, parts.hostname) if parts.hostname else ("", "")
    except ValueError:
        return "", ""


def _is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def fetch(name: str, *, md5: str, mirrors: Sequence[str], folder: Path, otherwise: str) -> Path:
    """Return the path of a file in the cache; download it first if the cache does not have it.

    Parameters
    ----------
    name : str
        The file's name, on the mirrors and in the cache.
    md5 : str
        The MD5 (hex) that the file must have. A cached file is checked too, and replaced if its MD5 differs.
    mirrors : sequence of str
        Base addresses, tried in order until one serves the file with this MD5.
    folder : Path
        The cache's folder.
    otherwise : str
        What the user can do instead, for the error message.

    Returns
    -------
    Path

    Raises
    ------
    BadInput
        If no mirror serves the file with this MD5.
    """
    import pooch

    path = folder / name
    # Checked without the lock, because the cache may be read-only.
    if path.is_file() and pooch.file_hash(path, alg="md5") == md5:
        return path
    if not mirrors:
        raise BadInput(f"data.mirrors must name a mirror to download {name} from; found none: {otherwise}")
    # One process downloads; the other processes of a parallel sweep wait, and then find the file.
    with locks.held_at(files.cache("locks") / f"{folder.name}.lock", f"the download of {name}"):
        return _download(path, md5=md5, mirrors=mirrors, otherwise=otherwise)


def _download(path: Path, *, md5: str, mirrors: Sequence[str], otherwise: str) -> Path:
    """Download the file from the first mirror that serves it with this MD5."""
    import pooch
    import requests
    import urllib3

    pooch.get_logger().setLevel("WARNING")
    reasons = []
    # The file behind a link has another MD5 and may be outside the cache: it must not be overwritten.
    if path.is_symlink():
        path.unlink()
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{path.name}"
        try:
            found = pooch.retrieve(
                url, known_hash=f"md5:{md5}", fname=path.name, path=path.parent, downloader=Downloader(path.name)
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
            reasons.append(f"{url}: {_reason(error)}")
        else:
            return Path(found)
    raise BadInput(f"{path.name} must come from a mirror; found {'; '.join(reasons)}: {otherwise}")


@dataclass
class Downloader:
    """A downloader, as pooch defines it: called to write one file.

    ``pooch.HTTPDownloader`` is not used, for four reasons. It decompresses a body that a server declares as
    ``Content-Encoding: gzip`` (some do, although ``Accept-Encoding: identity`` was requested), while the known hash is
    that of the compressed file. It follows redirects from https to http. It does not limit the size. It reports the
    size of a chunk to the progress bar instead of the bytes received.

    Attributes
    ----------
    name : str
        The file's name, for the progress bar.
    """

    name: str

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        """Write the response body, without decoding it, to a file.

        Raises
        ------
        requests.RequestException, urllib3.exceptions.HTTPError
            If the server cannot be reached, refuses the request, or closes the connection early.
        ValueError
            If it sends more than 128 MiB, or redirects to an address that is not secure.
        """
        with _get(url) as answer, open(output_file, "wb") as file:
            answer.raise_for_status()
            declared = answer.headers.get("Content-Length", "")
            total = int(declared) if declared.isdecimal() else None
            with Bar(f"downloading {self.name}", total, unit="bytes", at_once=True) as bar:
                for chunk in answer.raw.stream(CHUNK, decode_content=False):
                    if file.tell() + len(chunk) > MOST_BYTES:
                        raise ValueError(f"more than {MOST_BYTES:,} bytes")
                    file.write(chunk)
                    bar.advance(len(chunk))


@contextmanager
def _get(url: str) -> Iterator[requests.Response]:
    """Open the response of a GET. Redirects are followed to https only, and from this machine also to this machine."""
    import requests

    plain = {"Accept-Encoding": "identity"}
    timeout = (CONNECT_SECONDS, READ_SECONDS)
    with requests.Session() as session:
        for _ in range(1 + MOST_REDIRECTS):
            # Redirects are checked here, because requests would follow one from https to http.
            with session.get(url, stream=True, timeout=timeout, headers=plain, allow_redirects=False) as answer:
                target = session.get_redirect_target(answer)
                if target is None:
                    yield answer
                    return
            target = urljoin(url, target)
            if not (_is_secure(target) or (_is_local(url) and _is_local(target))):
                raise ValueError(f"sent on to {target.partition('?')[0][:80]!r}, which is not https")
            url = target
    raise ValueError(f"sent on more than {MOST_REDIRECTS} times")


def _reason(error: Exception) -> str:
    """Return what went wrong with one mirror, in a few words."""
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
