import json

import pytest

from pipeline.data.logs import log_lines
from pipeline.data.logs.log_lines import files_by_task, records_of
from pipeline.errors import BadInput

DATE = "2025-06-18T10-04-31.218937"


@pytest.fixture
def folder(tmp_path):
    """The files of two tasks in folders of models, and one that is no log."""
    for name in (f"m/samples_arc_easy_{DATE}.jsonl", f"n/samples_gsm8k_{DATE}.jsonl", "m/results.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}\n")
    return tmp_path


def test_the_files_of_a_folder_and_of_those_below_are_found_by_task(folder):
    assert files_by_task([folder]) == {
        "arc_easy": folder / f"m/samples_arc_easy_{DATE}.jsonl",
        "gsm8k": folder / f"n/samples_gsm8k_{DATE}.jsonl",
    }


@pytest.mark.parametrize(
    ("name", "task"),
    [(f"samples_a_{DATE}", "a"), (f"samples_a_b_2025_{DATE}", "a_b_2025"), ("samples_mine", "mine"), ("mine", "mine")],
)
def test_the_task_is_in_the_files_name_with_a_date_or_without(tmp_path, name, task):
    path = tmp_path / f"{name}.jsonl"
    path.touch()
    assert files_by_task([path]) == {task: path}


def test_a_task_in_two_files_is_refused_with_both(folder):
    again = folder / "n" / "samples_arc_easy_2026-01-01T00-00-00.000000.jsonl"
    again.touch()
    with pytest.raises(BadInput, match=r"each task must be logged in one file; found arc_easy in .*/m/.* and in .*/n/"):
        files_by_task([folder])


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["none"], r"a log of lm-eval must be a file or a folder; found nothing at .*none: check the path"),
        (["empty"], r"empty must hold files samples_TASK_DATETIME\.jsonl; found none: run lm_eval with --log_samples"),
        ([], r"a log of lm-eval must be named; found no path: name a file or a folder"),
    ],
)
def test_where_there_is_no_log_it_is_said(tmp_path, names, says):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=says):
        files_by_task([tmp_path / name for name in names])


def test_lines_have_their_numbers_in_the_file_and_blank_ones_none(tmp_path):
    path = tmp_path / "a.jsonl"
    # A line feed ends a line; a lone carriage return or a line separator inside a text does not.
    text = json.dumps({"a": "x\u2028y"}, ensure_ascii=False)
    path.write_bytes(f'{text}\n\n  \r\n{{"a": \r 2}}\r\n{{"a": 3}}'.encode())
    assert list(records_of(path)) == [(1, {"a": "x\u2028y"}), (4, {"a": 2}), (5, {"a": 3})]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"a": 1', r'line 2 of .* must be a JSON object; found {"a": 1, cut off at the file\'s end: copy or log'),
        (b"{'a': 1}\n", r"line 2 of .* must be a JSON object; found {'a': 1}: copy or log the file again"),
        (b"[1, 2]\n", r"line 2 of .* must be a JSON object; found \[1, 2\]: name a file of --log_samples"),
        (b"\xff\xfe\n", r"line 2 of .* must be a JSON object; found .*: copy or log the file again"),
        (b"[" * 100_000 + b"\n", r"line 2 of .* must be a JSON object; found \[\[\[.*: copy or log the file again"),
        (b'{"b": 1, "b": 2}\n', r"line 2 of .* must name each key once; found 'b' twice: log the file again"),
        (b'{"a": ' + b"1" * 5000 + b"}\n", r"line 2 of .* must be a JSON object; found .*: copy or log the file again"),
    ],
    ids=["cut off", "single quotes", "a list", "bytes", "nested", "a key twice", "digits"],
)
def test_a_line_that_is_no_object_is_refused_after_those_before_it(tmp_path, line, says):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n' + line)
    found = records_of(path)
    assert next(found) == (1, {"a": 1})
    with pytest.raises(BadInput, match=says):
        next(found)


def test_a_line_is_read_up_to_its_limit_and_refused_beyond(tmp_path, monkeypatch):
    monkeypatch.setattr(log_lines, "MOST_OF_A_LINE", 20)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": "0123456789"}\n{"a": "01234567890"}\n')
    found = records_of(path)
    assert next(found) == (1, {"a": "0123456789"})
    with pytest.raises(
        BadInput, match=r"line 2 of .* must take at most 20 bytes; found more: log without what the doc"
    ):
        next(found)
