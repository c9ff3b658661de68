"""Links of README and docs lead somewhere."""

import pytest

from tests.docs.pages import PAGES, ROOT, anchors_of, links_of


def dead_links(path, text):
    """Return the links of a page at `path` that lead to no file of the project, or to no heading in it."""
    dead = []
    for target in links_of(text):
        name, _, anchor = target.partition("#")
        aim = (path.parent / name).resolve() if name else path
        is_there = aim.is_file() and ROOT in aim.parents
        anchors = (
            anchors_of(text if aim == path else aim.read_text(encoding="utf-8")) if is_there and anchor else {anchor}
        )
        if not is_there or anchor not in anchors:
            dead.append(target)
    return dead


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_a_file_and_a_heading(path):
    assert dead_links(path, path.read_text(encoding="utf-8")) == []


def test_readme_leads_to_every_page():
    aims = {(ROOT / target.partition("#")[0]).resolve() for target in links_of((ROOT / "README.md").read_text())}
    folder = ROOT / "docs"
    pages = {path for path in PAGES if path.parent in (folder, folder / "reference")} - {
        folder / "reference/metrics.md"
    }
    assert pages <= aims


@pytest.mark.parametrize("target", ["nowhere.md", "security.md#nowhere", "#nowhere", "../../outside.md"])
def test_a_dead_link_is_found(target):
    alive = "[a](security.md#files) [b](#page) ![c](funnel.png) [d](https://example.org)"
    assert dead_links(ROOT / "docs" / "index.md", f"# Page\n\n{alive} [e]({target})\n") == [target]


def test_code_holds_no_links():
    assert links_of("`[a](b.md)`\n\n    [c](d.md)\n\n```\n[e](f.md)\n```\n\n[g](h.md)\n") == ["h.md"]
