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


FURTHER = ("top_5", "brier", "squared_error")


def with_further(batch_size, *, main=("loss", "accuracy"), further=FURTHER):
    row = a_row(batch_size)
    kept = {key: value for key, value in row.items() if "/" not in key or key.split("/")[0] in (*main, "seconds")}
    names = [key.split("/")[1] for key in row if key.startswith("loss/")]
    return kept | {f"{metric}/{name}": 0.125 for metric in further for name in names}


@pytest.mark.parametrize("main", [("loss", "accuracy"), ("accuracy",), ()])
def test_every_metric_is_in_one_of_the_tables_and_all_fit_80_columns(monkeypatch, capsys, main):
    monkeypatch.setenv("COLUMNS", "80")
    found = tables.tables([with_further(size, main=main) for size in (1, 60_000)], "mnist train")
    headings = [" ".join(heading.split("\n")) for table in found for heading in table.headings]
    values = {"loss": "loss, nats", "accuracy": "accuracy, %"}
    expected = [*(values[name] for name in main), "top-5 accuracy, %", "Brier score", "squared error"]
    assert [heading for heading in headings if heading in expected] == expected
    assert headings.count("time") == 1
    for table in found:
        report._console().print(report._rich(table))
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_loss_and_accuracy_come_first_whatever_the_order_of_the_metrics():
    row = dict(reversed(with_further(10).items()))
    assert tables.tables([row], "one")[0].headings[1:3] == ("loss, nats", "accuracy, %")


def test_the_caption_says_which_of_the_main_metrics_there_is_not():
    assert tables.without([with_further(10, main=("accuracy",))])[0].startswith("There is no loss")
    assert tables.without([a_row(10)]) == []


def test_what_a_batch_is_off_by_in_words():
    assert tables.off_by(a_row(10)) == "1 nats and 1e+02 accuracy points"
    alone = with_further(10, main=(), further=("brier", "top_5"))
    assert tables.off_by(alone) == "0.12 in the Brier score and 12 top-5 accuracy points"
