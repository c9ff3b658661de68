import pytest

from pipeline.runtime import memo


@pytest.fixture(autouse=True)
def empty(monkeypatch):
    monkeypatch.setattr(memo, "_KEPT", type(memo._KEPT)())


def test_a_value_is_made_once_for_a_key():
    made = []
    assert [memo.once("a", lambda: made.append(1) or len(made)) for _ in range(3)] == [1, 1, 1]
    assert memo.once("b", lambda: "another") == "another"


def test_a_value_that_could_not_be_made_is_made_at_the_next_call():
    with pytest.raises(ZeroDivisionError):
        memo.once("a", lambda: 1 / 0)
    assert memo.once("a", lambda: 2) == 2


def test_what_was_used_least_recently_is_forgotten_first():
    for i in range(memo._MOST_KEPT):
        memo.once(f"{i}", lambda i=i: i)
    memo.once("0", lambda: "made again")
    memo.once("new", lambda: "new")
    assert memo.once("0", lambda: "made again") == 0
    assert memo.once("1", lambda: "made again") == "made again"


def test_none_is_a_value_too():
    made = []
    for _ in range(2):
        assert memo.once("a", lambda: made.append(1)) is None
    assert made == [1]
