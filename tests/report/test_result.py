import pytest

from pipeline.report.result import Result, Table


def test_a_result_shares_nothing_with_the_next():
    first, second = Result({"loss/mean": 1.0}), Result({})
    first.notes.append("a note")
    first.tables["looks.csv"] = None
    assert second.notes == []
    assert second.tables == {}


def test_a_table_is_what_it_says_and_cannot_be_set():
    table = Table("about", ("a", "b"), [("1", "2")])
    assert table == Table("about", ("a", "b"), [("1", "2")])
    with pytest.raises(AttributeError, match="cannot assign"):
        table.title = "another"
