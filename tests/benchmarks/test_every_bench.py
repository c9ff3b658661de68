"""Every bench in its small form: it runs, and its rows have figures. How fast anything is, is not tested."""

import math
import re

import pytest

from benchmarks import runner

# These start whole programs or workers, which takes seconds in any form.
LONG = ("tracking", "start", "sweep", "predictions", "draws")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in runner.BENCHES]
)
def test_the_small_form_of_every_bench_yields_finite_positive_ratios(name):
    rows = list(runner.measured(name, "small"))
    assert rows
    for row in rows:
        assert row.claim
        assert math.isfinite(row.measured), row
        assert row.measured > 0, row


def test_every_row_is_printed_with_its_ratio(capsys):
    assert runner.main(["size=small", "only=capital"]) == 0
    said = capsys.readouterr().out
    assert "betting sequence at every t of 1,000 values" in said
    assert "nan" not in said


@pytest.mark.slow
def test_a_bench_that_fails_is_named_with_its_reason_and_the_others_go_on(capsys, monkeypatch, tmp_path):
    # Without MNIST the full form cannot start.
    monkeypatch.setattr("benchmarks.measuring.DATA", tmp_path)
    monkeypatch.setattr("benchmarks.capital.N", 1_000)
    monkeypatch.setattr("benchmarks.capital.CANDIDATES", 200)
    assert runner.main(["only=gradients,capital"]) == 1
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    assert "gradients failed: BadInput: " in said.err
    assert "betting sequence" in said.out


@pytest.mark.parametrize(
    ("argument", "reason"),
    [
        ("size=tiny", "size must be one of small, full, large; found 'tiny'"),
        ("only=nothing", "only must name benches of scoring, .*; found 'nothing'"),
        ("capital", "an argument must be size=SIZE or only=NAME,…; found 'capital'"),
    ],
)
def test_a_wrong_argument_is_one_line_and_status_2(argument, reason, capsys):
    assert runner.main([argument]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert re.fullmatch(f"batchscope bench: {reason}\n", said.err)
