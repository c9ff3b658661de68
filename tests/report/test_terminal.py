"""What a person reads: figures on standard output, errors in one line on standard error."""

import pytest

from pipeline.report import terminal
from pipeline.report.result import Compared, Result, Table

TABLE = Table("mnist test", ("batch", "loss,\nnats"), [("1", "0.2"), ("1,000", "0.22")], [("all", "0.225")])


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_an_error_is_one_line_on_standard_error(capsys):
    terminal.error("data.root must be\n  a folder;   found a file")
    assert capsys.readouterr() == ("", "batchscope: data.root must be a folder; found a file\n")


def test_a_cell_shows_its_sentence_tables_notes_and_where_its_artifacts_are(capsys):
    result = Result({}, shown=TABLE, further=[Table("further", ("a column",), [("9",)])], summary="A sentence.",
                    notes=["a note"], tables={"looks.csv": None}, figures={"until": None})  # fmt: skip
    terminal.cell(result, run_id="abc", folder="mlruns/artifacts/abc")
    out, err = capsys.readouterr()
    lines = [line.strip() for line in out.splitlines()]
    order = [
        "A sentence.",
        "mnist test",
        "further",
        "a note",
        "report.html, looks.csv, until.png and config.yaml are in",
    ]
    assert [line for line in lines if line in order] == order
    assert "mlruns/artifacts/abc" in lines
    assert err == ""


def test_columns_are_right_aligned_and_the_footer_is_set_off(capsys):
    terminal.answer(TABLE, "summary", [])
    lines = capsys.readouterr().out.splitlines()
    one, thousand, whole = (
        next(line for line in lines if line.split()[:1] == [word]) for word in ("1", "1,000", "all")
    )
    assert one.index("1") + 1 == thousand.index("1,000") + 5
    assert lines.index(whole) == lines.index(thousand) + 2


def test_the_report_is_named_first_and_draws_before_other_tables(capsys):
    terminal.cell(Result({}, draws=object()), run_id="abc", folder="")
    out = capsys.readouterr().out
    assert "report.html, draws.parquet and config.yaml are in\n    MLflow run abc" in out
    terminal.sweep("table\n", run_id="abc", folder="", has_figures=False)
    assert "report.html and cells.csv are in" in capsys.readouterr().out


def test_a_sweep_is_its_answer_its_tables_how_to_read_them_and_what_else_is_concluded():
    text = terminal.sweep_text(Compared({}, [TABLE], "The conclusion.", "How to read it."))
    assert text.index("The conclusion.") < text.index("mnist test") < text.index("How to read it.")
    assert text.count("The conclusion.") == 1
    assert "\x1b" not in text
    text = terminal.sweep_text(Compared({}, [TABLE], "The conclusion.", "How to read it.", answer="The answer."))
    said = ["The answer.", "mnist test", "How to read it.", "The conclusion."]
    assert [text.index(part) for part in said] == sorted(text.index(part) for part in said)


@pytest.mark.parametrize(("cells", "said"), [(1, "its cell is finished"), (7, "all 7 cells are finished")])
def test_a_sweep_that_was_finished_says_that_nothing_was_evaluated(capsys, cells, said):
    terminal.already("table\n", cells, run_id="0123456789abcdef", folder="mlruns/artifacts/abc")
    out = capsys.readouterr().out
    assert out.startswith("table\n")
    assert f"Nothing was evaluated: {said} already" in out
    assert out.endswith("\nrun 01234567\n")


def test_a_cell_and_a_sweep_end_with_the_short_id_of_their_run(capsys):
    terminal.cell(Result({}), run_id="0123456789abcdef", folder="")
    assert capsys.readouterr().out.endswith("\nrun 01234567\n")
    terminal.sweep("table\n", run_id="0123456789abcdef", folder="", has_figures=False)
    assert capsys.readouterr().out.endswith("\nrun 01234567\n")


def test_a_long_path_is_not_wrapped(capsys):
    path = "folder/" * 30
    terminal.say(path)
    assert capsys.readouterr().out == f"{path}\n"


def test_every_line_of_a_long_note_is_indented(capsys):
    terminal.answer(TABLE, "summary", ["a note of a hundred words and more " * 5])
    lines = capsys.readouterr().out.splitlines()
    noted = [line for line in lines if "note" in line]
    assert len(noted) > 1
    assert all(line.startswith("  ") and len(line) <= 80 for line in noted)


def test_names_are_shown_with_their_brackets_and_without_what_moves_the_cursor(capsys):
    name = "\x1b[31m[x].parquet"
    table = Table(name, ("batch", name), [("1", name)])
    terminal.cell(
        Result({}, shown=table, summary=f"{name} is good.", notes=[name], answer=name, tables={}, figures={}),
        run_id="abc",
        folder=f"mlruns/{name}",
    )
    terminal.error(f"{name} must be a file")
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert out.count("?[31m[x].parquet") == 7
    assert err == "batchscope: ?[31m[x].parquet must be a file\n"


@pytest.mark.parametrize("width", range(40, 81))
def test_no_line_ends_within_an_interval_or_before_a_per_cent(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    text = (
        "Better: loss -0.154 nats [-0.216, -0.102] and accuracy +7.2 points [+3.0, +12.3], p < 0.0001 (400 rows, 95 %)."
    )
    terminal.answer(TABLE, text, [text])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert " ".join(line for line in lines if line).count(text) == 2
    assert all(line.count("[") == line.count("]") for line in lines)
    assert not [line for line in lines if line.startswith("%") or line.endswith("<")]
