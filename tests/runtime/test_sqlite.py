"""SQLAlchemy opens exactly the file whose address is given, whatever characters its path has."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from pipeline.runtime.sqlite import address_of, path_of

NAMES = ["plain", "a b", "100%", "a%20b", "que?x=1", "ha#sh", "dol$lar", "co:lon", "at@x", "plus+and&", "ü"]


@pytest.mark.parametrize("name", NAMES)
def test_the_database_is_made_at_the_path_and_nothing_beside_it(tmp_path, name):
    path = tmp_path / name / "x.db"
    path.parent.mkdir()
    engine = create_engine(address_of(path))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE a (b INTEGER)"))
    engine.dispose()
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == [path]
    assert list(tmp_path.iterdir()) == [path.parent]


def test_only_an_address_of_a_file_has_a_path():
    assert path_of("sqlite:////a?b/x.db") == Path("/a?b/x.db")
    assert path_of("postgresql://me@host/runs") is None
