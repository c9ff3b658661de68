import pytest

from pipeline.runtime import redact
from pipeline.runtime.redact import FromEnvironment, as_written, hide, without_secret


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://me:pass@host/db", "postgresql://***@host/db"),
        ("postgresql://me:p@ss@host/db", "postgresql://***@host/db"),
        ("s3://bucket/a?AWSAccessKeyId=1&X-Amz-Signature=2&versionId=3", "s3://bucket/a?AWSAccessKeyId=***&X-Amz-Signature=***&versionId=3"),
        ("mssql://host/db;password=a b", "mssql://host/db;password=*** b"),
        ("https://host/a?page=2", "https://host/a?page=2"),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
    ],
)  # fmt: skip
def test_what_is_secret_in_an_address_is_not_shown_and_all_else_is(address, shown):
    assert without_secret(address) == shown


@pytest.fixture
def hidden(monkeypatch):
    monkeypatch.setattr(redact, "_hidden", {})
    read = (("${oc.env:WHERE}", "/data/private"),)
    hide(
        [
            FromEnvironment("data.path", "${oc.env:WHERE}/rows.csv", "/data/private/rows.csv", read),
            FromEnvironment("study.files", "${oc.env:WHERE}/*.csv", "/data/private/*.csv", read),
            FromEnvironment("seed", "${oc.env:SEED}", "7", (("${oc.env:SEED}", "7"),)),
        ]
    )


def test_what_came_from_the_environment_is_shown_as_written_and_what_was_made_of_it_by_the_variable(hidden):
    tree = {
        "seed": 7,
        "data": {"path": "/data/private/rows.csv", "name": "7"},
        "study": {"files": ["/data/private/1.csv", "other.csv"]},
    }
    assert as_written(tree) == {
        "seed": 7,
        "data": {"path": "${oc.env:WHERE}/rows.csv", "name": "7"},
        "study": {"files": ["${oc.env:WHERE}/1.csv", "other.csv"]},
    }
    assert tree["data"]["path"] == "/data/private/rows.csv"
    assert as_written({"data": None}) == {"data": None}


def test_messages_name_the_variable_and_words_that_hold_a_short_value_by_chance_stay(hidden):
    assert without_secret("found no /data/private/rows.csv in 7 places") == (
        "found no ${oc.env:WHERE}/rows.csv in 7 places"
    )
