"""The Markdown page, read by a parser of CommonMark with GitHub's tables."""

import importlib.util
import itertools
import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from pipeline.report.page import Fact, Page
from pipeline.report.page_markdown import MOST, markdown
from pipeline.report.result import Table

_spec = importlib.util.spec_from_file_location("report_pages", Path(__file__).with_name("pages.py"))
pages = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pages)


def tokens_of(text):
    """The tokens of a page, those of its lines among them."""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        yield token
        yield from token.children or []


def cells_of(text):
    """The contents of all cells of all tables, as they are read."""
    tokens = list(MarkdownIt("commonmark").enable("table").parse(text))
    found = []
    for before, token in itertools.pairwise(tokens):
        if before.type in ("th_open", "td_open"):
            found.append("".join(child.content for child in token.children or []))
    return found


def shown_as(text):
    """A text as a reader sees it, after it was put on a page."""
    page = markdown(Page("t", "a", said=[text]))
    paragraphs = [token for token in MarkdownIt("commonmark").enable("table").parse(page) if token.type == "inline"]
    # The answer, the title, the text.
    return "".join(child.content for child in paragraphs[2].children)


def test_the_parts_are_in_the_order_in_which_they_are_read():
    text = markdown(pages.whole("digits test"))
    parts = [
        "**Loss 0.124",
        "A second line",
        "3 rows**",
        "Held:",
        "A conclusion.",
        "#### Pictures",
        "#### How",
        "#### The",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "- funnel.png: What it shows (digits test)." in text


@pytest.mark.parametrize(
    "name",
    [
        pages.HARM, "a|b.csv", "*a* _b_ `c`", "[x](http://evil.example)", "![x](y)", "&lt;b&gt;", r"a\|b", "# 1",
        "- item", "+ item", "1. item", "2) item", "> quote", "~~gone~~", "***", "C:\\data\\x.csv", "a_b_c",
    ],
)  # fmt: skip
def test_a_text_is_read_as_it_is_and_never_as_markup(name):
    assert shown_as(name) == name


def test_words_with_underscores_stay_readable_in_the_source():
    assert "data.path=my_file.csv" in markdown(Page("t", "a", said=["data.path=my_file.csv"]))


def test_cells_with_pipes_stay_in_their_columns():
    table = Table("t", ("a|b", "gained/\nlost", "two\nlines"), [("x|y", "|", r"\|")], [("all", "", "z|")])
    facts = [Fact("to repeat it", "run 'a|b' `c`", is_code=True)]
    text = markdown(Page("t", "a", [table], facts=facts))
    expected = ["a|b", "gained/lost", "two lines", "x|y", "|", r"\|", "all", "", "z|", "", "", "to repeat it"]
    assert cells_of(text) == [*expected, "run 'a|b' `c`"]


def test_the_two_lines_of_a_title_do_not_run_into_each_other():
    table = Table("digits train\ntargets: 0.25 nats", ("n",), [("1",)])
    assert "**digits train; targets: 0.25 nats**" in markdown(Page("t", "a", [table]))


def test_no_html_and_no_link_comes_of_a_harmful_name():
    kinds = {token.type for token in tokens_of(markdown(pages.whole()))}
    assert not kinds & {"html_inline", "html_block", "link_open", "image"}


def test_names_are_at_the_left_and_figures_at_the_right():
    named = markdown(Page("t", "a", [Table("t", ("design", "n"), [("strata", "1")])]))
    figures = markdown(Page("t", "a", [Table("t", ("batch", "n"), [("1", "1")])]))
    assert "| :--- | ---: |" in named
    assert "| ---: | ---: |" in figures


def test_a_sweep_of_very_many_cells_fits_into_a_comment_and_says_what_is_left_out():
    table = Table("cells", pages.WIDE, [("0.1234 ± 0.0567",) * 12] * 20_000)
    text = markdown(Page("t", "a", [table] * 8))
    assert len(text) <= MOST
    assert re.search(r"19,9\d\d more rows are in report\.html\.", text)


def test_what_is_too_long_even_so_is_cut_at_the_end_of_a_line():
    text = markdown(Page("t", "The answer.", said=[f"a line {i}" for i in range(20_000)]))
    assert text.startswith("**The answer.**")
    assert text.endswith("\n\n… The rest is in report.html.\n")
    assert len(text) < 65_536


def test_a_table_known_as_text_alone_stays_as_it_was():
    assert "````text\na | b ```\n````" in markdown(Page("t", "a", text="a | b ```\n"))


def test_passwords_in_addresses_are_masked():
    assert "secret" not in markdown(Page("t", "from postgresql://me:secret@host/db", text="x://me:secret@host"))
