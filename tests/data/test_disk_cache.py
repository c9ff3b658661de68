import pytest

from pipeline.data.disk_cache import cached_text


def test_a_text_is_made_once_and_read_from_its_file_afterwards(cache):
    made = []
    texts = [cached_text("kind", "key", lambda: made.append(1) or f"ü {len(made)}") for _ in range(3)]
    assert texts == ["ü 1"] * 3
    assert [path.relative_to(cache).as_posix() for path in cache.rglob("*") if path.is_file()] == ["kind/key"]


def test_another_key_or_kind_has_a_text_of_its_own(cache):
    for place in (("a", "x"), ("a", "y"), ("b", "x")):
        assert cached_text(*place, lambda place=place: str(place)) == str(place)


def test_what_fails_is_not_kept(cache):
    with pytest.raises(ZeroDivisionError):
        cached_text("kind", "key", lambda: str(1 // 0))
    assert cached_text("kind", "key", lambda: "made") == "made"


def test_a_cache_that_cannot_be_written_to_costs_only_time(cache):
    cache.parent.mkdir(parents=True)
    # A file where the folder should be.
    cache.write_text("")
    assert [cached_text("kind", "key", lambda i=i: str(i)) for i in range(2)] == ["0", "1"]
