"""The bar says what is done where there is a terminal, and nothing elsewhere."""

import io
import sys
from threading import Thread
from types import SimpleNamespace

import pytest

from pipeline.runtime import progress
from pipeline.runtime.progress import Bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def a_terminal(monkeypatch):
    """Puts a terminal in the place of standard error; to be called by the test, for pytest takes it back before."""

    def put():
        monkeypatch.setattr(sys, "stderr", Terminal())
        return sys.stderr

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    progress.console.cache_clear()
    yield put
    progress.console.cache_clear()


def test_nothing_is_written_where_standard_error_is_no_terminal(capsys):
    with Bar("Scoring", 10, unit="rows", at_once=True) as bar:
        bar.advance(10)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("seconds", "is_shown"), [(0.99, False), (1.0, True)])
def test_work_that_ends_within_a_second_shows_no_bar(a_terminal, monkeypatch, seconds, is_shown):
    terminal = a_terminal()
    clock = iter([0.0])
    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: next(clock, seconds)))
    with Bar("Scoring", 10, unit="rows") as bar:
        bar.advance(10)
    assert ("Scoring" in terminal.getvalue()) == is_shown
    assert is_shown or terminal.getvalue() == ""


def test_a_bar_that_is_shown_at_once_needs_no_advance(a_terminal):
    terminal = a_terminal()
    with Bar("Sweep", 7, unit="cells", at_once=True):
        pass
    assert "Sweep" in terminal.getvalue()
    assert "0/7" in terminal.getvalue()


@pytest.mark.parametrize(
    ("unit", "done", "total", "said"),
    [
        ("cells", 3, 7, ["3/7", "cells"]),
        ("rows", 5, 10, ["50%", "rows/s"]),
        ("bytes", 500, 1_000, ["0.5/1.0 kB"]),
        ("", 1, 4, ["25%"]),
    ],
)
def test_each_unit_is_told_in_its_own_way(a_terminal, monkeypatch, unit, done, total, said):
    terminal = a_terminal()
    monkeypatch.setattr(progress, "SILENT_SECONDS", 0.0)
    with Bar("Work", total, unit=unit) as bar:
        bar.advance(done)
    assert all(words in terminal.getvalue() for words in said)


def test_what_was_done_before_counts_for_the_bar_and_not_for_the_rate(a_terminal, monkeypatch):
    terminal = a_terminal()
    monkeypatch.setattr(progress, "SILENT_SECONDS", 0.0)
    clock = iter([0.0])
    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: next(clock, 2.0)))
    with Bar("Scoring", 100, unit="rows", done=50) as bar:
        bar.advance(10)
    assert "60%" in terminal.getvalue()
    assert "5 rows/s" in terminal.getvalue()


def test_a_total_may_become_known_on_the_way(a_terminal, monkeypatch):
    terminal = a_terminal()
    monkeypatch.setattr(progress, "SILENT_SECONDS", 0.0)
    with Bar("Training") as bar:
        bar.update(1, 4)
    assert "25%" in terminal.getvalue()


def test_brackets_in_a_name_are_shown_and_not_read_as_markup(a_terminal):
    terminal = a_terminal()
    with Bar("Scoring [red]rows[/red]", 1, unit="cells", at_once=True):
        pass
    assert "[red]rows[/red]" in terminal.getvalue()


def test_a_bar_within_another_has_a_line_of_its_own_unless_it_yields(a_terminal):
    terminal = a_terminal()
    with Bar("Sweep", 2, unit="cells", at_once=True) as outer:
        assert progress.is_another_shown()
        with Bar("Inner", 2, unit="cells", at_once=True):
            # Rich draws the inner one with the outer one, ten times a second.
            outer._bar.refresh()
        with Bar("Hidden", 2, unit="cells", at_once=True, yields=True):
            pass
    assert not progress.is_another_shown()
    assert "Inner" in terminal.getvalue()
    assert "Hidden" not in terminal.getvalue()


def test_no_advance_from_any_thread_is_lost(a_terminal):
    terminal = a_terminal()

    def work(bar):
        for _ in range(200):
            bar.advance()

    with Bar("Sweep", 800, unit="cells", at_once=True) as bar:
        threads = [Thread(target=work, args=(bar,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert "800/800" in terminal.getvalue()


@pytest.mark.parametrize(
    ("rate", "text"), [(0.0, "0"), (950.0, "950"), (1_234_567.0, "1.23M"), (36_800.0, "36.8k"), (2.5e12, "2.5T")]
)
def test_a_rate_has_three_digits(rate, text):
    assert progress._brief(rate) == text
