"""The population's scores, made once on a machine: workers that run beside each other share them through the cache."""

from __future__ import annotations

import shutil
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..data.streamed import Streamed
from ..errors import Failed
from ..model.base import Classifier
from ..records.rows import Dataset, Population
from ..records.scores import Scores
from ..runtime import files
from ..runtime.leftovers import writing
from ..runtime.locks import held
from ..runtime.memo import once
from ..runtime.notice import note
from ..runtime.progress import Bar
from .job import Job
from .score_file import ScoreFile, reuse

_is_fresh = False
# What the name of a metric's column begins with in the cache.
_OF = "of_"


# Scores the shards of those numbers, in any order, and hands each over as soon as it is done: `Engine.run`.
Run = Callable[[Job, Sequence[int], Callable[[int, Scores], None]], None]


def cached_scores(
    classifier: Classifier,
    dataset: Population,
    *,
    run: Run,
    is_here: bool,
    job: Job,
    make: Callable[[], tuple[Scores, float]],
) -> tuple[Scores, float]:
    """Return the scores of all rows from memory, from the cache on disk, or made now, and the seconds they took.

    Parameters
    ----------
    classifier, dataset : Classifier, Population
        Known by their digests.
    run : callable
        Scores shards of rows that are not in memory, or are not to be scored in this process.
    is_here : bool
        Whether rows in memory are scored in this process, by `make`.
    job : Job
        The same scoring, for other processes.
    make : callable
        Makes both, of rows in memory, where they are neither in this process nor in the cache; the others wait for it.
    """
    how = f"{dataset.scale} {classifier.digest} {job.cap} {job.evaluated} {job.is_double} numpy {np.__version__}"
    scoring = files.content_digest(how.encode(), files.source_digest().encode())
    name = files.digest_of(dataset.digest, scoring)
    if isinstance(dataset, Dataset) and is_here:
        return once(f"scores {name} {_is_fresh}", lambda: make() if _is_fresh else _shared(name, make))
    meant = replace(job, digests=(dataset.digest, classifier.digest))
    return once(f"scores on disk {name} {_is_fresh}", lambda: _stored(name, dataset, run, meant, scoring))


def _stored(name: str, dataset: Population, run: Run, job: Job, scoring: str) -> tuple[Scores, float]:
    """Score what is not on disk yet; what is stays, whatever ends this process."""
    folder = files.cache("scores") / (name if not _is_fresh else f"fresh-{uuid.uuid4().hex}")
    writing()
    with held(f"scores-{name}", "the values of the same rows and model"):
        try:
            file = ScoreFile(folder, dataset.bounds, is_double=job.is_double or isinstance(dataset, Dataset))
            if isinstance(dataset, Streamed) and dataset.contents is not None and file.missing and not _is_fresh:
                keys = [files.digest_of(content, scoring) for content in dataset.contents()]
                reuse(file, folder, keys, dataset.bounds)
            missing = file.missing
            if missing:
                _fill(file, missing, dataset, run, job)
            found = file.scores(), file.seconds
        except FileNotFoundError as error:
            if folder.exists():
                raise
            raise Failed(f"{folder} must stay while rows are scored; found it removed: start again") from error
        except OSError as error:
            if not files.is_unwritable(error):
                raise
            raise files.unwritable(error) from error
        finally:
            if _is_fresh:
                # The open files outlast their names.
                shutil.rmtree(folder, ignore_errors=True)
    return found


def _fill(file: ScoreFile, missing: list[int], dataset: Population, run: Run, job: Job) -> None:
    rows = np.diff(dataset.bounds)
    before = len(dataset) - int(rows[missing].sum())
    with Bar(f"Scoring {dataset.name}", len(dataset), unit="rows", done=before) as bar:

        def keep(shard: int, scores: Scores) -> None:
            file.keep(shard, scores)
            bar.advance(len(scores))

        try:
            run(job, missing, keep)
        finally:
            file.flush()


@contextmanager
def fresh() -> Iterator[None]:
    """Let nothing be taken from the cache: what is said to be the same must have been made twice."""
    global _is_fresh
    before, _is_fresh = _is_fresh, True
    try:
        yield
    finally:
        _is_fresh = before


def _shared(name: str, make: Callable[[], tuple[Scores, float]]) -> tuple[Scores, float]:
    path = files.cache("scores") / f"{name}.npz"
    with held(f"scores-{name}", "the values of the same rows and model"):
        kept = _read(path)
        if kept is not None:
            return kept
        scores, seconds = make()
        counts = np.array([scores.ties, scores.capped])
        # A full disk only means that the scores are not cached.
        with suppress(OSError):
            files.write_beside(
                path,
                lambda file: np.savez(
                    file,
                    allow_pickle=False,
                    counts=counts,
                    seconds=np.array(seconds),
                    **{f"{_OF}{metric}": column for metric, column in scores.columns.items()},
                ),
            )
        return scores, seconds


def _read(path: Path) -> tuple[Scores, float] | None:
    """What the cache has; None where it has nothing, or nothing whole."""
    try:
        # Opened here, for NumPy leaves a file open that it cannot read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            ties, capped = found["counts"].tolist()
            columns = {name.removeprefix(_OF): found[name] for name in found.files if name.startswith(_OF)}
            return Scores.of(columns, ties=ties, capped=capped), float(found["seconds"])
    except FileNotFoundError:
        return None
    # A zip file holds a checksum of each array.
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError):
        note(f"the scores in {path} were damaged: they are made anew")
        return None
