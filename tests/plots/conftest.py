from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path

import pytest
from matplotlib.text import Annotation

# Tests are imported by path (importlib mode), so a module beside them is too.
_spec = importlib.util.spec_from_file_location("plots_sweeps", Path(__file__).with_name("sweeps.py"))
_sweeps = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_sweeps)


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
    ticks = [*zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True)]
    ticks += zip(axis.get_minorticklocs(), axis.get_ticklabels(minor=True), strict=True)
    low, high = sorted(axis.get_view_interval())
    return [label for at, label in sorted(ticks, key=lambda tick: tick[0]) if low <= at <= high and label.get_text()]


@pytest.fixture(scope="session")
def laid_out():
    """Draw a figure once, so that the texts have places."""

    def lay_out(figure):
        figure.draw_without_rendering()
        return figure

    return lay_out


@pytest.fixture(scope="session")
def overlapping_texts():
    """Pairs of texts that overlap: within each panel tick labels and annotations, and everything outside panels."""

    def find(figure):
        texts = [figure._suptitle, *(text for legend in figure.legends for text in legend.get_texts())]
        for axes in figure.axes:
            texts += [axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts]
            texts += _shown(axes.xaxis) + _shown(axes.yaxis)
        boxes = [(text.get_text(), text.get_window_extent()) for text in texts if text.get_text()]
        return [(a, b) for (a, one), (b, other) in itertools.combinations(boxes, 2) if one.overlaps(other)]

    return find


@pytest.fixture(scope="session")
def texts_outside():
    """Texts that leave the figure."""

    def find(figure):
        texts = [figure._suptitle, *(text for legend in figure.legends for text in legend.get_texts())]
        texts += figure.findobj(Annotation) + [axes.title for axes in figure.axes]
        width, height = figure.bbox.size
        boxes = [(text.get_text(), text.get_window_extent()) for text in texts if text.get_text()]
        return [name for name, b in boxes if b.x0 < 0 or b.y0 < 0 or b.x1 > width or b.y1 > height]

    return find


@pytest.fixture(scope="session")
def tick_texts():
    """What an axis's tick labels say, in order of place."""

    def read(axis):
        return [label.get_text() for label in _shown(axis)]

    return read
