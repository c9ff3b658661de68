import math

import pandas as pd
import pytest

from pipeline.interval import accuracy, loss
from pipeline.report import coverage as tables
from pipeline.report import terminal

MEMBERS = {"loss": loss.MEMBERS, "accuracy": accuracy.MEMBERS}

SIZES = (2, 3, 10, 30, 100, 300, 1_000)


def a_row(metric, name, batch_size, coverage=0.95, reach=0.01, **changes):
    return {
        "batch_size": batch_size,
        "metric": metric,
        "interval": name,
        "is_configured": name in ("hall", "clopper_pearson"),
        "confidence": 0.95,
        "coverage": coverage,
        "coverage_low": coverage - reach,
        "coverage_high": coverage + reach,
        "missed_above": 0.0,
        "missed_below": 1 - coverage,
        "width_median": 0.1234,
        "width_ratio": 10.23,
        "seconds": 0.0123,
    } | changes


def a_frame(sizes=SIZES, **changes):
    return pd.DataFrame(
        [a_row(metric, name, b, **changes) for b in sizes for metric, names in MEMBERS.items() for name in names]
    )


def printed(table, capsys):
    terminal._console().print(terminal._rich(table))
    return capsys.readouterr().out


@pytest.mark.parametrize("sizes", [SIZES, (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 60_000)])
def test_the_tables_fit_80_columns_with_nothing_cut_and_every_size_once(sizes, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    found = tables.tables(a_frame(sizes, coverage=0.9), "mnist test, 10,000 rows")
    for table in found:
        shown = printed(table, capsys)
        assert "…" not in shown
        assert shown.count("clopper_pearson") + shown.count("bootstrap_t") == 1
    headings = [heading for table in found if table.title.startswith("loss, % held") for heading in table.headings[1:]]
    assert headings == [f"{size:,}" for size in sizes]


def test_a_cells_table_fits_80_columns_with_nothing_cut(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    frame = a_frame((1_000,), coverage=0.9, reach=0.012)
    shown = printed(tables.cell_table(frame, "mnist test, batches of 1,000, 2,000 draws"), capsys)
    assert "…" not in shown
    assert "↓90.0" in shown
    assert "88.8–91.2" in shown


def test_a_share_is_marked_only_where_its_whole_range_is_below_the_confidence():
    assert tables.held(a_row("loss", "t", 10, 0.93)) == "↓93.0"
    assert tables.held(a_row("loss", "t", 10, 0.945)) == "94.5"
    assert tables.held(a_row("loss", "t", 10, 1.0, width_median=math.inf)) == "—"
    assert tables.width_ratio(a_row("loss", "t", 10, width_ratio=math.nan)) == "—"


def test_an_interval_holds_from_where_it_is_too_low_no_more_up_to_the_largest_size():
    def of(*shares):
        return pd.DataFrame([a_row("loss", "t", b, share) for b, share in zip((10, 100, 1000), shares, strict=True)])

    assert tables.holds_from(of(0.95, 0.95, 0.95)) == 10
    assert tables.holds_from(of(0.95, 0.8, 0.95)) == 1000
    assert tables.holds_from(of(0.95, 0.95, 0.8)) == math.inf
    unbounded = of(1.0, 0.95, 0.95)
    unbounded.loc[0, "width_median"] = math.inf
    assert tables.holds_from(unbounded) == 100


def test_the_summary_names_who_holds_from_which_size_on():
    shares = {"betting": (0.99, 0.99), "sequence": (0.99, 0.99), "hall": (0.8, 0.95), "t": (0.6, 0.9)}
    frame = pd.DataFrame(
        [a_row("loss", name, b, own[i]) for name, own in shares.items() for i, b in enumerate((10, 100))]
    )
    assert tables.summary([("", frame)]) == (
        "The loss's 95 % is held by betting and sequence at every size; hall from b = 100 on; not even at b = 100 by t."
    )
    both = tables.summary([("sampling=a", frame), ("sampling=b", frame)])
    assert [line.split(":")[0] for line in both.splitlines()] == ["sampling=a", "sampling=b"]
    alone = tables.summary([("", frame[frame["batch_size"] == 100])])
    assert alone == "The loss's 95 % is held by betting, sequence and hall at b = 100; not by t."


def test_where_none_holds_the_summary_says_so():
    frame = pd.DataFrame([a_row("accuracy", "wald", b, 0.5) for b in (10, 100)])
    assert tables.summary([("", frame)]) == "The accuracy's 95 % is held by none of wald, not even at b = 100."
    assert tables.summary([("", frame[:1])]) == "The accuracy's 95 % is held by none of wald at b = 10."
