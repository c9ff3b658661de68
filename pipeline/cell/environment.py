"""What a result was made with: versions, processor, BLAS, and the state of the source."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from functools import lru_cache
from pathlib import Path

from ..runtime import files

PACKAGES = (
    "batchscope",
    "hydra-core",
    "matplotlib",
    "mlflow",
    "numpy",
    "omegaconf",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
)
_SECONDS = 10
_MOST_FILES = 50


@lru_cache(maxsize=1)
def describe() -> dict[str, str]:
    """Return what may change a figure, by name.

    Returns
    -------
    dict of str to str
        ``python``, ``system``, ``processor``, ``cores``, ``blas``, one entry a package (``package.numpy``), and, in a
        git checkout, ``commit`` and ``uncommitted`` (empty, or a digest of the changes and the files they are in).
    """
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "blas": _blas(),
        **{f"package.{name}": _version(name) for name in PACKAGES},
        **_source(files.checkout()),
    }


def differences(before: dict[str, str], now: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Return what differs between two descriptions: (before, now) by name; empty where one has no such entry."""
    return {
        name: (before.get(name, ""), now.get(name, ""))
        for name in sorted(before.keys() | now.keys())
        if before.get(name, "") != now.get(name, "")
    }


def _version(package: str) -> str:
    # Its import takes tens of milliseconds.
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    """The processor's model; Linux tells it in a file alone."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _blas() -> str:
    from threadpoolctl import threadpool_info

    found = {
        f"{info['internal_api']} {info.get('version')} {info.get('architecture', '')}".strip()
        for info in threadpool_info()
        if info["user_api"] == "blas"
    }
    return ", ".join(sorted(found))


def _source(root: Path | None) -> dict[str, str]:
    """The commit, and what is not committed; nothing outside a checkout of this project itself."""
    if root is None or not (root / ".git").exists():
        return {}
    try:
        commit = _git(root, "rev-parse", "HEAD").decode().strip()
        changed = _git(root, "status", "--porcelain").decode(errors="replace").splitlines()
        changes = _git(root, "diff", "HEAD") if changed else b""
    except (OSError, subprocess.SubprocessError):
        return {}
    if not changed:
        return {"commit": commit, "uncommitted": ""}
    more = f" and {len(changed) - _MOST_FILES} more" if len(changed) > _MOST_FILES else ""
    names = ", ".join(line[3:] for line in changed[:_MOST_FILES])
    digest = hashlib.sha256(changes + "\n".join(changed).encode()).hexdigest()[:16]
    return {"commit": commit, "uncommitted": f"{digest}: {names}{more}"}


def _git(root: Path, *arguments: str) -> bytes:
    done = subprocess.run(
        ["git", "-C", str(root), *arguments],
        capture_output=True,
        check=True,
        timeout=_SECONDS,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout
