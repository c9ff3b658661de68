import numpy as np
import pytest

from pipeline import report
from pipeline.tables import evaluate as tables


def a_row(batch_size, **changes):
    names = ("all", "mean", "se", "rmse", "bias", "half_width", "coverage")
    row = {f"{metric}/{name}": 1.0 for metric in ("loss", "accuracy") for name in names}
    return {
        "batch_size": batch_size,
        "confidence": 0.95,
        **row,
        "seconds/batch": 0.0123,
        "seconds/all": 0.0321,
    } | changes


@pytest.mark.parametrize("sizes", [(1, 1000), (1, 60_000)])
def test_the_widest_rows_fit_80_columns_with_nothing_cut(sizes, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    rows = [a_row(size, **{"accuracy/rmse": 0.2483, "loss/mean": 0.225}) for size in sizes]
    report._console().print(report._rich(tables.table(rows, "mnist train")))
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert "100.0" in shown


def test_cells_whose_population_was_not_scored_show_their_intervals_and_no_nan():
    unknown = {"loss/rmse": np.nan, "loss/coverage": np.nan, "accuracy/coverage": np.nan, "seconds/all": np.nan}
    mixed = tables.table([a_row(10, **unknown), a_row(100)], "both")
    assert "nan" not in "".join(part for row in mixed.rows + mixed.footer for part in row)
    assert "Where all rows were not scored" in tables.caption([a_row(10, **unknown), a_row(100)])
    alone = tables.table([a_row(10, **unknown)], "one")
    assert len(alone.headings) == 4
    assert "not known" in tables.caption([a_row(10, **unknown)])
