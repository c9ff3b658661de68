"""The page of a run that was logged without a report: from its note, its metrics, its tables and its pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING

from ..errors import BadInput
from ..experiment import Experiment, Study
from ..plots.picture import saved_all, stored
from ..report.page import Page, Picture
from ..report.result import Table
from ..report.words import answer_first, number, short_id
from ..runtime import files
from ..tracking.store import datasets_of, metrics_of
from .comparison import Comparison, Finished, compare
from .made import Made
from .report import of_sweep, swept_values, title_of

if TYPE_CHECKING:
    from mlflow.entities import Run

    from ..tracking.store import Store

_TABLE = "table.txt"


def page_of(store: Store, run: Run, experiment_of: Callable[[str], Experiment | None]) -> Page:
    """Return the page of a run.

    Parameters
    ----------
    store : Store
        The store that holds it.
    run : Run
        A sweep, one of its cells, or a run alone.
    experiment_of : callable
        The experiment of the cell with that id; None where its configuration cannot be read any more.

    Raises
    ------
    BadInput
        If the run has no result.
    """
    kind, run_id = run.data.tags.get("kind", ""), str(run.info.run_id)
    cells = [cell for cell in store.children(run_id) if _is_there(store, cell)] if kind == "sweep" else [run]
    if kind not in ("sweep", "cell") or not cells or (kind == "cell" and not _is_there(store, run)):
        what = kind if kind in ("sweep", "cell") else "run of another program"
        raise BadInput(
            f"a report must be of a run that has a result; found a {what} that is {run.info.status}: name another"
        )
    cells = _newest(cells)
    experiment = experiment_of(str(cells[0].info.run_id))
    study = None if experiment is None else experiment.study
    with nullcontext() if experiment is None else experiment.in_own_words():
        return _of_sweep(store, run, cells, study) if kind == "sweep" else _of_cell(store, run, study)


def _is_there(store: Store, cell: Run) -> bool:
    return cell.info.status == "FINISHED" and store.has_complete_artifacts(cell)


def _newest(cells: list[Run]) -> list[Run]:
    """Return the newest run of each configuration: the data or the source may have changed between two."""
    by_configuration = {}
    for cell in cells:
        own = [(key, value) for key, value in cell.data.params.items() if not key.startswith("tracking.")]
        by_configuration[tuple(sorted(own))] = cell
    return list(by_configuration.values())


def _of_sweep(store: Store, run: Run, cells: list[Run], study: Study | None) -> Page:
    run_id, name = str(run.info.run_id), str(run.info.run_name)
    if study is not None:
        swept = run.data.params.get("swept", study.axis).split()
        comparison = compare(study, [Finished.of(cell) for cell in cells], swept, store)
        figures = comparison.compared.figures
        pictures = [drawn.picture for drawn in saved_all(figures).values()]
        # Such as the learning curve, which is not made from the cells' figures.
        pictures += [picture for picture in _pictures(store, run_id) if picture.name not in figures]
        made = _made(store, run, cells, comparison.common, swept_values(comparison, swept), study)
        return of_sweep(name, comparison, made, pictures)
    made = _made(store, run, cells, run.data.params, {}, study)
    answer, said = _note(run)
    text = store.read_text(run_id, _TABLE) if _TABLE in store.files(run_id) else ""
    return Page(
        title_of(name, "sweep", made),
        answer,
        text=text,
        said=said,
        pictures=_pictures(store, run_id),
        facts=made.facts(),
    )


def _of_cell(store: Store, run: Run, study: Study | None) -> Page:
    made = _made(store, run, [run], run.data.params, {}, study)
    answer, said = _note(run)
    tables = _compared(study, run, store) if study is not None else [_metrics(run)]
    return Page(
        title_of(str(run.info.run_name), "run", made),
        answer,
        tables,
        said=said,
        pictures=_pictures(store, str(run.info.run_id)),
        facts=made.facts(),
    )


def _compared(study: Study, run: Run, store: Store) -> list[Table]:
    """Return the table of a sweep whose only cell this is; what the cell alone showed was not recorded."""
    comparison: Comparison = compare(study, [Finished.of(run)], [study.axis], store)
    return list(comparison.compared.shown)


def _metrics(run: Run) -> Table:
    return Table("metrics", ("metric", "value"), [(name, number(value)) for name, value in metrics_of(run).items()])


def _note(run: Run) -> tuple[str, list[str]]:
    return answer_first(*run.data.tags.get("mlflow.note.content", "").split("\n\n"))


def _pictures(store: Store, run_id: str) -> list[Picture]:
    names = [name for name in store.files(run_id) if name.endswith(".png")]
    return [stored(name.removesuffix(".png"), store.read_file(run_id, name)) for name in names]


def _made(
    store: Store,
    run: Run,
    cells: list[Run],
    params: Mapping[str, str],
    swept: Mapping[str, list[str]],
    study: Study | None,
) -> Made:
    sizes = {cell.data.tags.get("population_size", "") for cell in cells}
    of_one, run_id = "environment.json", str(cells[0].info.run_id)
    environment = json.loads(store.read_text(run_id, of_one)) if of_one in store.files(run_id) else {}
    again = "make reproduce RUN=" if files.checkout() else "batchscope reproduce run="
    return Made(
        params,
        datasets_of(cells),
        int(sizes.pop()) if len(sizes) == 1 and "" not in sizes else None,
        environment,
        run.info.start_time / 1000,
        again + short_id(str(run.info.run_id)),
        swept,
        # Of a configuration that cannot be read any more it is not known.
        study is None or study.has_design,
    )
