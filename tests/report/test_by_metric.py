"""No table of many metrics is so wide that a terminal cuts its figures."""

import pandas as pd
import pytest

from pipeline.report import compare, designs, evaluate, plan, terminal, until
from pipeline.report.by_metric import fits, split
from pipeline.report.result import Table
from pipeline.report.words import duration

NAMES = ["loss", "accuracy", "brier", "top_5", "squared_error"]
SHARES = {"accuracy", "top_5"}


def evaluate_tables(names):
    figures = {"all": 0.2, "mean": 0.2, "rmse": 0.05, "half_width": 0.1, "coverage": 1.0}
    row = {"batch_size": 60_000, "confidence": 0.95, "seconds/batch": 0.0123, "seconds/all": 0.321}
    return evaluate.tables([row | {f"{m}/{k}": v for m in names for k, v in figures.items()}], "mnist test")


def designs_tables(names):
    figures = {"is_configured": True, "variance_ratio": 12.34, "drawn_ratio": 12.34, "drawn_ratio_error": 0.99}
    about = {"design": "difference", "words": "correction by confidence", "coverage": 1.0, "is_ranked": True, **figures}
    return designs.tables([{**about, "metric": metric} for metric in names], "mnist test")


def designs_sweep(names):
    rows = [
        {"design": "x", "words": "without", "metric": metric, "variance_ratio": 1.02, "batch_size": size, "group": ""}
        for metric in names
        for size in (10, 30, 100)
    ]
    return designs.sweep(pd.DataFrame(rows))


def compared_row(names):
    row = {"label": "a_long_name_of_a_file.parquet"}
    for name in names:
        row |= {f"{name}/difference": -4.92e-4, f"{name}/n_for_power": 9_999_999.0}
        row |= {f"{name}/difference_low": -7.37e-4, f"{name}/difference_high": -2.47e-4}
        row |= {f"{name}/gained": 1234.0, f"{name}/lost": 987.0} if name in SHARES else {}
    return row


def compare_tables(names):
    return compare.tables([compared_row(names)], "mnist test", label="candidate")


def plan_tables(names):
    question = plan.Question("mnist test", "row", 10_000, dict.fromkeys(names, 0.02), 0.95, pilot=300)
    row = {"words": "correction by confidence", "is_configured": True, "n": 17_419_123.0, "seconds": 0.123}
    return plan.tables([row | {f"{name}_n": 999_999.0 for name in names}], question, seconds=0.999)


def plan_sweep(names):
    about = {"study.loss_within": 0.02, "group": "", "population": "mnist test", "population_size": 10_000}
    figures = {f"{name}/{figure}": value for name in names for figure, value in (("n", 123_456.0), ("within", 0.95))}
    return plan.sweep(pd.DataFrame([about | figures | {"rows/n": 123_456.0, "seconds/n": 0.123}]))


def until_tables(names):
    found = {name: until.Found(0.5, 0.1, 0.9) for name in names}
    looks = [until.Look(drawn=n, rows=n, capped=0, found=found) for n in (100, 60_000)]
    return until.tables(looks, dict.fromkeys(names, 0.02), until.About("mnist test", 60_000, 0.95))


def until_sweep(names):
    about = {"group": "sampling=epoch", "seed": 0, "rows/evaluated": 60_000, "rows/enough": False, "rows/share": 0.5}
    return until.compared([about | {f"{m}/{k}": 0.5 for m in names for k in ("mean", "half_width")}])


ALL = [
    evaluate_tables, designs_tables, designs_sweep, compare_tables, plan_tables, plan_sweep, until_tables, until_sweep,
]  # fmt: skip


@pytest.mark.parametrize("tables", ALL)
def test_no_figure_of_five_metrics_is_cut_at_80_columns(tables, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    found = tables(NAMES)
    # A name may be shortened before the table is made; the terminal may cut nothing more.
    before = sum(cell.count("…") for table in found for row in table.rows for cell in row)
    assert not any("…" in cell for table in found for row in table.rows for cell in row[1:])
    for table in found:
        terminal._console().print(terminal._rich(table))
    shown = capsys.readouterr().out
    assert shown.count("…") == before
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("tables", ALL)
def test_loss_and_accuracy_share_the_first_table_and_are_alone_in_one(tables):
    (alone,) = tables(NAMES[:2])
    first, *further = tables(NAMES)
    both = [cell for cell in alone.headings if "loss" in cell or "acc" in cell]
    assert set(both) <= set(first.headings)
    assert further
    assert [table.title.startswith("further metrics; ") for table in [first, *further]] == [
        False,
        *[True] * len(further),
    ]


def test_what_is_of_all_metrics_stands_in_the_first_table_alone():
    first, *further = plan_tables(NAMES)
    assert first.headings[-3:] == ("all", "% of\nall", "time")
    n_metrics = len(first.headings) - 4
    assert first.footer == [("all rows", *[""] * n_metrics, "10,000", "100", duration(0.999))]
    assert not any({"all", "% of\nall", "time"} & set(table.headings) or table.footer for table in further)
    headings = [heading for table in [first, *further] for heading in table.headings]
    assert [sum(heading.startswith(f"{m}\n") for heading in headings) for m in ("Brier score", "squared error")] == [
        1,
        1,
    ]


def test_a_table_without_metrics_is_made_once_and_a_metric_that_never_fits_has_its_own():
    assert len(split([], lambda metrics, is_first: Table("none", ("row",), []))) == 1
    wide = split(["a", "b"], lambda metrics, is_first: Table("x", tuple("w" * 90 for _ in metrics), []))
    assert [len(table.headings) for table in wide] == [1, 1]


def test_a_table_of_80_characters_fits_and_one_of_81_does_not():
    assert fits(Table("", ("a" * 40, "b" * 35), []))
    assert not fits(Table("", ("a" * 40, "b\nb"), [("", "")], [("", "b" * 36)]))
