import numpy as np
import pytest

from pipeline.report import evaluate as tables
from pipeline.report import terminal


def a_row(batch_size, **changes):
    names = ("all", "mean", "se", "rmse", "bias", "half_width", "coverage")
    row = {f"{metric}/{name}": 1.0 for metric in ("loss", "accuracy") for name in names}
    return {
        "batch_size": batch_size,
        "confidence": 0.95,
        **row,
        "seconds/batch": 0.0123,
        "seconds/all": 0.0321,
        "seconds/batch_share": 0.38,
    } | changes


@pytest.mark.parametrize("sizes", [(1, 1000), (1, 60_000)])
def test_the_widest_rows_fit_80_columns_with_nothing_cut(sizes, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    rows = [a_row(size, **{"accuracy/rmse": 0.2483, "loss/mean": 0.225}) for size in sizes]
    terminal._console().print(terminal._rich(tables.tables(rows, "mnist train")[0]))
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert "100.0" in shown


def test_cells_whose_population_was_not_scored_show_their_intervals_and_no_nan():
    unknown = {"loss/rmse": np.nan, "loss/coverage": np.nan, "accuracy/coverage": np.nan, "seconds/all": np.nan}
    mixed = tables.tables([a_row(10, **unknown), a_row(100)], "both")[0]
    assert "nan" not in "".join(part for row in mixed.rows + mixed.footer for part in row)
    assert "Where all rows were not scored" in tables.caption([a_row(10, **unknown), a_row(100)])
    alone = tables.tables([a_row(10, **unknown)], "one")[0]
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
        terminal._console().print(terminal._rich(table))
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
    assert tables.off_by(a_row(10)) == "1.0 nats and 100 accuracy points"
    alone = with_further(10, main=(), further=("brier", "top_5"))
    assert tables.off_by(alone) == "0.12 in the Brier score and 12 top-5 accuracy points"


def test_cells_with_one_answer_say_it_and_cells_of_two_models_do_not():
    row = {"confidence": 0.9, "accuracy/mean": 0.5, "accuracy/all": 0.967, "accuracy/all_low": 0.9541,
           "accuracy/all_high": 0.9764}  # fmt: skip
    said = "Accuracy 96.7 % [95.4, 97.6] (1,000 rows, as a sample of the world; 90 %)."
    assert tables.answer([row, row], 1000) == said
    assert tables.answer([row, row | {"accuracy/all": 0.9}], 1000) == ""
    loss = {"loss/mean": 0.1, "loss/all": 0.1, "loss/all_low": 0.05, "loss/all_high": 0.2}
    assert tables.answer([row | loss, row | loss | {"loss/all": 0.3}], 1000) == ""
    # An interval that holds for these rows alone is none for the world; the other metric still has its own.
    assert tables.answer([row | {"loss/mean": 0.1, "loss/all": 0.1}] * 2, 1000) == said
    assert tables.answer([{"confidence": 0.9, "accuracy/mean": 0.5}], 1000) == ""


def a_cell(group, value, population="p.csv", size=900):
    row = a_row(10, **{f"{metric}/{name}": value for metric in ("loss", "accuracy") for name in ("all", "all_low")})
    ends = {f"{metric}/all_high": value + 0.1 for metric in ("loss", "accuracy")}
    return {"group": group, "population": population, "population_size": size, **row, **ends}


def test_cells_of_one_answer_are_answered_in_one_sentence_and_groups_that_differ_in_a_line_each():
    one = tables.answers([a_cell("a", 0.5), a_cell("b", 0.5)])
    assert one == tables.answer([a_cell("a", 0.5)], 900)
    several = tables.answers(
        [a_cell("a.csv", 0.5, "a.csv", 900), a_cell("a.csv", 0.5, "a.csv"), a_cell("b.csv", 0.6, "b.csv", 80)]
    )
    first, second = several.splitlines()
    assert first.startswith("a.csv: loss 0.500 nats [0.500, 0.600], accuracy 50.0 % [")
    assert second.startswith("b.csv: loss 0.600 nats")
    assert second.endswith("(80 rows, as a sample of the world; 95 %).")


def test_of_many_groups_the_first_are_told():
    lines = tables.answers([a_cell(f"m{i}", i / 20) for i in range(9)]).splitlines()
    assert [line.split(":")[0] for line in lines] == [f"m{i}" for i in range(6)] + ["3 more"]


def test_a_time_is_the_cells_share_of_the_time_of_all_rows_that_stands_below_it():
    rows = [
        a_row(10, **{"seconds/batch": 0.009, "seconds/all": 0.1, "seconds/batch_share": 0.09}),
        a_row(20, **{"seconds/batch": 0.002, "seconds/all": 0.01, "seconds/batch_share": 0.2}),
        a_row(30, **{"seconds/batch": 0.003, "seconds/all": 0.02, "seconds/batch_share": np.nan}),
    ]
    table = tables.tables(rows, "digits test")[0]
    time, share = table.headings.index("time"), table.headings.index("% of\nall")
    assert [row[time] for row in table.rows] == ["≈ 1.8 ms", "≈ 4 ms", "≈ 3 ms"]
    assert [row[share] for row in table.rows] == ["9.0", "20", ""]
    assert table.footer[0][time] == "≈ 20 ms"
