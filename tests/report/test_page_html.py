"""The HTML page: its parts in order, nothing from outside, nothing that runs, and readable where it is opened."""

import importlib.util
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from selenium.webdriver.support.ui import WebDriverWait

from pipeline.report.page import Page, Picture
from pipeline.report.page_html import html
from pipeline.report.result import Table
from tests import browser

_spec = importlib.util.spec_from_file_location("report_pages", Path(__file__).with_name("pages.py"))
pages = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pages)

needs_browser = pytest.mark.skipif(
    not browser.is_installed(), reason="needs Chromium: apt-get install chromium chromium-driver"
)
# Elements without an end.
VOID = {"meta", "img"}


class Read(HTMLParser):
    """What a parser that knows nothing of ours finds: the elements, their attributes, the texts in order."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.attributes, self.texts, self.open = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if text.strip() and self.open[-1] != "style":
            self.texts.append(text)


@pytest.fixture(scope="module")
def read():
    return Read(html(pages.whole()))


def test_every_element_is_closed_in_its_place(read):
    assert read.open == []


def test_the_parts_are_in_the_order_in_which_they_are_read(read):
    words = "\n".join(read.texts)
    parts = ["Loss 0.124", "A second line", "3 rows", "Held:", "A conclusion.", "Pictures", "How it was made"]
    places = [words.index(part) for part in [*parts, "The words"]]
    assert places == sorted(places)
    assert read.texts[1].startswith("Loss 0.124 nats [0.095, 0.177]")


def test_a_name_that_looks_like_markup_stays_a_name(read):
    assert "script" not in read.elements
    # The title twice, the answer, the table, a note, the picture's two texts, two facts.
    assert sum(pages.HARM in text for text in read.texts) == 9
    assert [value for tag, name, value in read.attributes if name == "alt"] == [f"What it shows ({pages.HARM})."]


def test_nothing_comes_from_outside_and_nothing_runs(read):
    for _, name, value in read.attributes:
        assert not name.startswith("on")
        if name in ("src", "href", "srcset", "data", "action"):
            assert value.startswith("data:")
    style = (Path(__file__).parents[2] / "pipeline/report/page.css").read_text()
    assert "url(" not in style
    assert "@import" not in style
    assert not {"script", "link", "iframe", "object", "form"} & set(read.elements)
    (policy,) = [value for _, name, value in read.attributes if name == "content" and "default-src" in value]
    assert policy.startswith("default-src 'none'")


def test_the_words_that_the_page_uses_are_explained_and_no_others():
    page = html(Page("t", "The loss is 0.1 nats."))
    assert re.findall(r"<dt>(.+?)</dt>", page) == ["loss", "nats"]


def test_parts_that_a_run_does_not_have_have_no_heading():
    page = html(Page("a title", "Nothing else is known here."))
    assert "<h2>" not in page
    assert "<table>" not in page


def test_the_two_lines_of_a_title_do_not_run_into_each_other():
    table = Table("digits train\ntargets: 0.25 nats", ("n",), [("1",)])
    assert ">digits train; targets: 0.25 nats</figcaption>" in html(Page("t", "a", [table]))


def test_a_page_without_an_answer_begins_with_its_title():
    assert "<h1>a title</h1>" in html(Page("a title", ""))


def test_a_table_known_as_text_alone_is_shown_as_it_was():
    assert "<pre>a  &lt; b\n1    2</pre>" in html(Page("t", "a", text="a  < b\n1    2"))


def test_passwords_in_addresses_are_masked():
    assert "secret" not in html(Page("t", "from postgresql://me:secret@host/db"))


def test_a_sweep_of_very_many_cells_and_pictures_stays_below_two_megabytes():
    table = Table("cells", pages.WIDE, [("0.1234 ± 0.0567",) * 12] * 20_000)
    pictures = [Picture(f"p{i}", "t", "what it shows", "data:image/png;base64," + "A" * 200_000) for i in range(40)]
    page = html(Page("t", "a", [table], pictures=pictures))
    assert len(page.encode()) < 2_000_000
    assert "19,500 more rows are not shown." in page
    assert "p39.png, too large for this page: what it shows" in page


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with browser.chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture
def opened(driver, tmp_path):
    """A function that opens the page in a window of a width, in a colour scheme, on a screen or in print."""
    path = tmp_path / "report.html"
    path.write_text(html(pages.whole()), encoding="utf-8")

    def open_page(width=390, scheme="light", media="screen"):
        asked = {"media": media, "features": [{"name": "prefers-color-scheme", "value": scheme}]}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", asked)
        size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        driver.get(path.as_uri())
        # What is emulated reaches the page a moment later. A bar to scroll by takes some of the width.
        is_there = (
            f"const taken = {width} - document.documentElement.clientWidth; "
            f"return 0 <= taken && taken < 20 && matchMedia('{media} and (prefers-color-scheme: {scheme})').matches"
        )
        WebDriverWait(driver, browser.PATIENCE).until(lambda found: found.execute_script(is_there))
        return driver

    return open_page


def _background(page):
    return page.execute_script("return getComputedStyle(document.body).backgroundColor")


@needs_browser
@pytest.mark.parametrize("width", [390, 1200])
def test_the_page_does_not_scroll_sideways_and_its_wide_table_does_so_in_a_box_of_its_own(opened, width):
    page = opened(width)
    assert page.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    table = "const box = document.querySelector('table').parentElement; return box.scrollWidth > box.clientWidth"
    assert page.execute_script(table)


@needs_browser
def test_the_browser_loads_no_address_and_shows_the_picture(opened):
    page = opened()
    loaded = page.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [name for name in loaded if not name.startswith("data:")] == []
    assert page.execute_script("return document.images[0].complete && document.images[0].naturalWidth") == 90


@needs_browser
def test_the_dark_scheme_is_dark_and_print_is_white_in_either(opened):
    assert _background(opened(scheme="light")) == "rgb(255, 255, 255)"
    red, green, blue = map(int, re.findall(r"\d+", _background(opened(scheme="dark"))))
    assert max(red, green, blue) < 64
    assert _background(opened(scheme="dark", media="print")) == "rgb(255, 255, 255)"


@needs_browser
def test_in_print_nothing_is_hidden_in_a_box_that_scrolls(opened):
    page = opened(1200, media="print")
    boxes = "return [...document.querySelectorAll('.scroll')].map((box) => getComputedStyle(box).overflowX)"
    assert set(page.execute_script(boxes)) == {"visible"}
