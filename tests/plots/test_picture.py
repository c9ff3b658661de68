"""A figure is drawn once, saved as the same PNG as before, and put on a page as SVG or PNG with its own words."""

import re
import warnings
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.image import imread

from pipeline import plots
from pipeline.plots import SWEEP_PLOTS, picture, style
from pipeline.plots.picture import SHOWS, described, in_words, saved, saved_all, stored

SVG = "data:image/svg+xml;base64,"
PNG = "data:image/png;base64,"


def svg_of(drawn):
    assert drawn.picture.uri.startswith(SVG)
    return b64decode(drawn.picture.uri.removeprefix(SVG)).decode()


@pytest.fixture(scope="module")
def drawn(sweep):
    """The pictures of a sweep."""
    cells, draws = sweep()
    return {name: saved(name, draw(cells, draws)) for name, draw in SWEEP_PLOTS.items()}


@pytest.mark.parametrize("plot", SWEEP_PLOTS)
def test_the_png_is_that_of_matplotlibs_own_savefig_to_the_last_pixel(drawn, sweep, plot):
    file = BytesIO()
    SWEEP_PLOTS[plot](*sweep()).savefig(file, format="png")
    file.seek(0)
    assert np.array_equal(imread(BytesIO(drawn[plot].png)), imread(file))


@pytest.mark.parametrize("plot", ["error", "cost", "coverage"])
def test_an_svg_is_small_loads_nothing_and_keeps_letters_as_text(drawn, plot):
    text = svg_of(drawn[plot])
    assert len(text) < 60_000
    root = ElementTree.fromstring(text)
    names = [(name.rpartition("}")[2], value) for element in root.iter() for name, value in element.attrib.items()]
    assert all(value.startswith("#") for name, value in names if name == "href")
    assert "!DOCTYPE" not in text
    written = ["".join(element.itertext()) for element in root.iter() if element.tag.endswith("}text")]
    assert "batch size b [rows]" in written or "time of one batch [µs]" in written


def test_many_markers_are_a_png_for_an_svg_would_be_larger(sweep, monkeypatch):
    cells, draws = sweep((3, 10, 30, 100, 300, 1_000), draws=200)
    funnel = saved("funnel", SWEEP_PLOTS["funnel"](cells, draws))
    assert funnel.picture.uri.startswith(PNG)
    assert b64decode(funnel.picture.uri.removeprefix(PNG)) == funnel.png
    monkeypatch.setattr(picture, "_MOST_MARKERS", 10_000)
    monkeypatch.setattr(picture, "_MOST_BYTES", 10_000_000)
    assert len(svg_of(saved("funnel", SWEEP_PLOTS["funnel"](cells, draws)))) > len(funnel.png)


def test_a_large_svg_of_few_markers_is_a_png_too(sweep, monkeypatch):
    monkeypatch.setattr(picture, "_MOST_BYTES", 1000)
    assert saved("error", SWEEP_PLOTS["error"](*sweep())).picture.uri.startswith(PNG)


def test_a_cell_of_many_takes_its_png(sweep):
    figures = {"error": SWEEP_PLOTS["error"](*sweep())}
    assert saved_all(figures, as_svg=False)["error"].picture.uri.startswith(PNG)


def test_the_same_figure_gives_the_same_bytes(drawn, sweep):
    again = saved("error", SWEEP_PLOTS["error"](*sweep()))
    assert again.picture == drawn["error"].picture
    assert again.png == drawn["error"].png


def test_a_figure_can_be_saved_again_as_it_was(sweep):
    figure = SWEEP_PLOTS["error"](*sweep())
    first = saved("error", figure)
    assert figure.dpi == style.DPI
    assert np.array_equal(imread(BytesIO(saved("error", figure).png)), imread(BytesIO(first.png)))


@pytest.mark.parametrize("plot", SWEEP_PLOTS)
def test_the_words_are_the_title_the_panels_with_their_axes_and_the_legend(drawn, sweep, plot):
    figure = SWEEP_PLOTS[plot](*sweep())
    words = drawn[plot].picture.words
    assert words.startswith(f"{SHOWS[plot]}. ")
    legend = [text.get_text() for own in figure.legends for text in own.get_texts()]
    texts = [figure.get_suptitle(), *legend]
    for axes in figure.axes:
        texts += [axes.get_title(), axes.get_xlabel(), axes.get_ylabel()]
    assert [text for text in texts if " ".join(text.split()) not in words] == []
    assert "\n" not in words
    assert "Panel 2 of 2: Accuracy" in words


def test_notes_below_a_panel_are_words_and_labels_within_it_are_none(drawn):
    assert "▲ draws above the frame" in drawn["funnel"].picture.words
    assert "4 × the rows" not in drawn["error"].picture.words


def test_an_empty_panel_says_why(sweep):
    cells, draws = sweep((1_000,), designs=("without_replacement",))
    assert "the error is 0" in in_words(SWEEP_PLOTS["error"](cells, draws))


def test_a_panel_without_a_title_is_told_by_its_axes_and_the_scale_at_its_other_side_is_no_panel():
    figure, axes = style.new_figure("a title", rows=2, columns=1)
    style.name_panel(axes[0, 0], title="first", x="x", y="y")
    style.name_panel(axes[1, 0], title="", x="size", y="time")
    axes[1, 0].twinx().set_ylabel("another scale")
    assert in_words(figure).endswith("Panel 2 of 2: vertical axis: time; horizontal axis: size.")


def test_a_dollar_sign_is_one_in_the_words():
    figure, axes = style.new_figure("what $5 buys", columns=1)
    style.name_panel(axes[0, 0], title="a panel", x="x", y="y")
    assert in_words(figure) == "what $5 buys. a panel; vertical axis: y; horizontal axis: x."


def test_every_picture_that_is_drawn_is_described():
    modules = Path(plots.__file__).parent.glob("*.py")
    drawing = {path.stem for path in modules if re.search(r"^def draw\(", path.read_text(), re.MULTILINE)}
    # Classes are drawn as slices are, and are called otherwise.
    assert set(SHOWS) == drawing | {"by_class"}


def test_a_picture_of_one_group_of_several_is_described_as_the_first():
    assert described("training_curves_2") == SHOWS["training_curves"]
    assert described("landscape_plane") == SHOWS["landscape_plane"]
    assert described("made_by_another") == "Made by another"


def test_a_png_that_a_run_has_is_a_picture_too():
    found = stored("plan", b"\x89PNG")
    assert b64decode(found.uri.removeprefix(PNG)) == b"\x89PNG"
    assert found.words == f"{SHOWS['plan']}."


def test_names_in_letters_that_the_font_has_not_are_drawn_without_a_warning_and_stand_in_the_words():
    figure, _ = style.new_figure("日 and 😀", columns=1)
    # Warnings are errors here.
    found = saved("verdict", figure)
    assert found.png.startswith(b"\x89PNG")
    assert "日 and 😀" in found.picture.words
    # matplotlib would warn.
    with pytest.warns(UserWarning, match="Glyph 26085 .* missing from"):
        figure.canvas.print_png(BytesIO())


def test_any_other_warning_of_a_figure_is_passed_on(monkeypatch):
    figure, _ = style.new_figure("A title", columns=1)
    monkeypatch.setattr(picture, "_markers", lambda figure: warnings.warn("another", UserWarning, stacklevel=2) or 0)
    with pytest.warns(UserWarning, match="another"):
        saved("verdict", figure)
