from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path

import pytest


# Tests are imported by path (importlib mode), so a module beside them is too.
def _beside(name):
    spec = importlib.util.spec_from_file_location(f"plots_{name}", Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_sweeps = _beside("sweeps")


@pytest.fixture(scope="session")
def coverage_table():
    """Make up what every interval held at every size."""
    return _beside("interval_tables").coverage_table


@pytest.fixture(scope="session")
def panel():
    """Make up a landscape."""
    return _beside("landscapes").panel


@pytest.fixture(scope="session")
def sweep():
    """Simulate a sweep's cells and draws."""
    return _sweeps.sweep


@pytest.fixture(scope="session")
def mnist_sizes():
    """Eleven batch sizes up to MNIST's 60,000 rows."""
    return _sweeps.MNIST_SIZES


def _shown(axis):
    """The tick labels in view, in order of place."""
    axis.get_ticklabels()  # Brings the ticks to their places.
    ticks = [tick for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()) if tick.get_visible()]
    low, high = sorted(axis.get_view_interval())
    found = sorted((tick for tick in ticks if low <= tick.get_loc() <= high), key=lambda tick: tick.get_loc())
    labels = [label for tick in found for label in (tick.label1, tick.label2) if label.get_visible()]
    return [label for label in labels if label.get_text()]


def _texts(figure):
    """Every text that can be seen, wherever it stands."""
    texts = [text for text in (figure._suptitle, figure._supxlabel, figure._supylabel) if text is not None]
    texts += [*figure.texts, *(text for legend in figure.legends for text in _of_legend(legend))]
    for axes in [each for own in figure.axes for each in (own, *own.child_axes)]:
        if not axes.get_visible():
            continue
        texts += [axes.title, axes._left_title, axes._right_title, *axes.texts]
        texts += _of_legend(axes.get_legend()) if axes.get_legend() else []
        for axis in (axes.xaxis, axes.yaxis):
            texts += [axis.label, axis.offsetText, *_shown(axis)]
    return [text for text in dict.fromkeys(texts) if text.get_visible() and text.get_text().strip()]


def _of_legend(legend):
    return [legend.get_title(), *legend.get_texts()]


@pytest.fixture(scope="session")
def laid_out():
    """Draw a figure once, so that the texts have places."""

    def lay_out(figure):
        figure.draw_without_rendering()
        return figure

    return lay_out


@pytest.fixture(scope="session")
def overlapping_texts():
    """Pairs of texts of a figure that has been drawn whose boxes overlap."""

    def find(figure):
        boxes = [(text.get_text(), text.get_window_extent()) for text in _texts(figure)]
        return [(a, b) for (a, one), (b, other) in itertools.combinations(boxes, 2) if one.overlaps(other)]

    return find


@pytest.fixture(scope="session")
def texts_outside():
    """Texts that leave the figure."""

    def find(figure):
        width, height = figure.bbox.size
        boxes = [(text.get_text(), text.get_window_extent()) for text in _texts(figure)]
        return [name for name, b in boxes if b.x0 < 0 or b.y0 < 0 or b.x1 > width or b.y1 > height]

    return find


@pytest.fixture(scope="session")
def tick_texts():
    """What an axis's tick labels say, in order of place."""

    def read(axis):
        return [label.get_text() for label in _shown(axis)]

    return read
