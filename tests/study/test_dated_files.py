"""Which files a series has, and their order."""

import re
from datetime import date

import pytest

from pipeline.errors import BadInput
from pipeline.study.dated_files import dates_as_lines, dates_of, expanded, in_order


@pytest.fixture
def weeks(tmp_path):
    """Three files with dates and a hidden one."""
    for name in ("2026-10-12.csv", "2026-10-05.csv", "notes.txt", ".2026-10-19.csv", "2026-10-26.csv"):
        (tmp_path / name).touch()
    return tmp_path


def test_a_pattern_a_list_and_a_list_as_text_name_the_same_files_once(weeks, monkeypatch):
    monkeypatch.chdir(weeks)
    names = ["2026-10-05.csv", "2026-10-12.csv", "2026-10-26.csv"]
    expected = [str(weeks / name) for name in names]
    assert expanded("*.csv") == expanded(str(weeks / "*.csv")) == expected
    assert expanded(names) == expanded(",".join(names)) == expanded(["*.csv", names[0]]) == expected
    assert expanded(["s3://bucket/2026-10-05.csv"]) == ["s3://bucket/2026-10-05.csv"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path):
    path = tmp_path / "week[1].csv"
    path.touch()
    assert expanded(str(path)) == [str(path)]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (None, "study.files must be a pattern such as 'weeks/*.csv' or a list of files; found 'None'"),
        ([], "study.files must be a pattern"),
        (7, "study.files must be a pattern"),
        ([""], "study.files must be a pattern"),
        ("gone.csv", "study.files must name files that exist; found none at gone.csv"),
        ("gone*.csv", "study.files must match files; found none for gone*.csv"),
    ],
)
def test_what_names_no_file_is_refused(given, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=re.escape(line)):
        expanded(given)


@pytest.mark.parametrize(
    ("path", "day"),
    [
        ("/w/2026-10-05.csv", date(2026, 10, 5)),
        ("/w/model_2026-01-01_on_2026-10-05.parquet", date(2026, 10, 5)),
        ("/w/run20261005.csv", date(2026, 10, 5)),
        ("/w/2026-W41.csv", date(2026, 10, 5)),
        ("/w/2026-W41-3.csv", date(2026, 10, 7)),
        ("/w/2026-10-05/predictions.csv", date(2026, 10, 5)),
        ("s3://KEY:SECRET@bucket/2026-10-05.csv?region=x", date(2026, 10, 5)),
    ],
)
def test_the_date_is_the_last_iso_date_in_the_name_or_in_the_folders(path, day):
    assert in_order([path], {})[0].day == day
    assert in_order([path], {})[0].label == str(day)


@pytest.mark.parametrize("name", ["99999999.csv", "2026-13-05.csv", "1234567890.csv", "week.csv"])
def test_a_number_that_is_no_date_is_none(name):
    assert in_order([f"/w/{name}"], {})[0].day is None


def test_files_are_ordered_by_date_and_without_dates_by_name_with_numbers_by_size():
    dated = in_order(["/w/a_2026-11-02.csv", "/w/b_2026-10-05.csv"], {})
    assert [file.label for file in dated] == ["2026-10-05", "2026-11-02"]
    named = in_order(["/w/week_10.csv", "/w/week_9.csv", "/w/week_1.csv"], {})
    assert [file.label for file in named] == ["week_1", "week_9", "week_10"]
    alike = in_order(["/w/2/p.csv", "/w/1/p.csv"], {})
    assert [file.label for file in alike] == ["/w/1/p.csv", "/w/2/p.csv"]


def test_dates_that_are_given_win_and_name_files_by_path_name_or_stem():
    paths = ["/w/2026-11-02.csv", "/w/b.csv", "/w/c.csv"]
    given = {"/w/2026-11-02.csv": "2026-01-03", "b.csv": "2026-01-02", "c": "2026-01-01"}
    assert [file.path for file in in_order(paths, given)] == ["/w/c.csv", "/w/b.csv", "/w/2026-11-02.csv"]


def test_the_data_alone_without_a_date_come_last():
    paths = ["/w/latest.csv", "/w/2026-11-02.csv"]
    assert [file.label for file in in_order(paths, {}, latest="/w/latest.csv")] == ["2026-11-02", "latest"]


def test_dates_are_kept_as_lines_because_a_files_name_can_be_no_key_of_a_parameter():
    lines = dates_as_lines({"a%b: c.csv": "2026-10-05", "b.csv": date(2026, 10, 12)})
    assert lines == dates_as_lines(lines) == ["a%b: c.csv: 2026-10-05", "b.csv: 2026-10-12"]
    assert dates_of(lines) == {"a%b: c.csv": "2026-10-05", "b.csv": "2026-10-12"}
    assert dates_as_lines(None) == []
    for wrong in ("x", ["x"], 5):
        with pytest.raises(BadInput, match=r"study.dates must give files dates"):
            dates_as_lines(wrong)


@pytest.mark.parametrize(
    ("paths", "dates", "line"),
    [
        (["/w/a.csv", "/w/2026-11-02.csv"], {}, "files must all have a date in their names, or none; found none in a"),
        (["/w/a_2026-11-02.csv", "/w/b_2026-11-02.csv"], {}, "different dates; found 2026-11-02 twice, a_2026-11-02.c"),
        (["/w/a.csv"], {"a.csv": "tomorrow"}, "a date such as 2026-10-05; found 'tomorrow' for a.csv"),
        (["/w/a.csv"], {"b.csv": "2026-10-05"}, "study.dates must name files of the series; found none called 'b.csv'"),
        (["/1/a.csv", "/2/a.csv"], {"a.csv": "2026-10-05"}, "found 2 called 'a.csv'"),
    ],
)
def test_files_that_cannot_be_ordered_are_refused(paths, dates, line):
    with pytest.raises(BadInput, match=re.escape(line)):
        in_order(paths, dates)
