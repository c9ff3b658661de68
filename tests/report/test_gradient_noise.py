import math

import pytest

from pipeline.report import gradient_noise as tables

WORDS = {"confidence": 0.95, "tolerance": 0.05}


def metrics(scale, low, high, judge=697.0):
    ends = {"scale": 29_289.0, "scale_debiased": scale, "scale_low": low, "scale_high": high}
    return {f"gradient_noise/{name}": value for name, value in ends.items()} | {"loss/n_for_tolerance": judge}


def test_a_row_is_one_batch_size_with_its_steps_and_examples():
    found = tables.table(metrics(100.0, 50.0, 200.0), n=60_000, title="", confidence=0.95)
    assert [row[0] for row in found.rows] == ["1", "10", "100", "1,000", "10,000", "60,000"]
    assert found.rows[2] == ("100", "2.00", "1.50–3.00", "2.00", "1.50–3.00")
    assert found.footer == [("100", "2", "", "2", "")]


def test_an_infinite_scale_gives_bounds():
    found = tables.table(metrics(math.inf, 50.0, math.inf), n=1000, title="", confidence=0.95)
    assert found.rows[2] == ("100", "∞", "≥ 1.50", "1.00", "1.00–3.00")
    assert found.footer == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (metrics(57_224.0, 31_576.0, 304_772.0), "57,224 rows (95 % interval 31,576 to 304,772)"),
        (metrics(math.inf, 1_905.0, math.inf), "not distinguishable from 0: it is 1,905 rows or more (95 % interval)"),
        (metrics(1_975.0, 614.0, math.inf), "(the estimate, 1,975 rows, means little)"),
        (metrics(0.0, 0.0, 0.0), "a batch of one row is as good as any"),
        (metrics(10.0, 5.0, 20.0, judge=math.inf), "no batch tells the loss of mnist test, which is infinite"),
        (metrics(10.0, 5.0, 20.0), "To judge: a batch of 697 rows tells the loss of mnist test within ±0.05 nats"),
    ],
)
def test_the_summary_says_what_was_found(values, said):
    assert said in tables.summary(values, judged="mnist test", **WORDS)


def test_a_long_group_keeps_the_table_within_80_columns():
    cell = metrics(4e6, 3e6, 6e6) | {"group": "model.path=" + "x" * 90, "population": "p"}
    found = tables.compared([cell])
    widths = [max(len(value), len(head)) for value, head in zip(found.rows[0], found.headings, strict=True)]
    # A column has a space on either side.
    assert sum(widths) + 2 * len(widths) <= 80
    assert "…" in found.rows[0][0]
