from __future__ import annotations

import numpy as np
import pytest
from matplotlib.text import Annotation

from pipeline.plots import cost


def test_points_are_seconds_and_rmse(sweep):
    cells, draws = sweep()
    for axes, values in zip(
        cost.draw(cells, draws).axes, (cells["loss/rmse"], 100 * cells["accuracy/rmse"]), strict=True
    ):
        points = axes.lines[0]
        np.testing.assert_array_equal(points.get_xdata(), cells["seconds/batch"])
        np.testing.assert_allclose(points.get_ydata(), values, rtol=1e-15)


def test_each_point_bears_its_batch_size(sweep, mnist_sizes):
    cells, draws = sweep(mnist_sizes, population=60_000, draws=20)
    for axes in cost.draw(cells, draws).axes:
        labels = {text.get_text(): text.xy for text in axes.texts if isinstance(text, Annotation)}
        assert set(labels) == {f"{size:,}" for size in mnist_sizes}
        for size, seconds in zip(cells["batch_size"], cells["seconds/batch"], strict=True):
            assert labels[f"{size:,}"][0] == pytest.approx(seconds)


def test_the_cost_of_all_rows_is_marked_and_named(sweep):
    cells, draws = sweep()
    figure = cost.draw(cells, draws)
    for axes in figure.axes:
        assert any(np.allclose(line.get_xdata(), cells["seconds/all"][0]) for line in axes.lines)
    assert "all 1,000 rows: 1.4 ms" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_time_ticks_have_the_units_people_use(sweep, tick_texts):
    texts = tick_texts(cost.draw(*sweep()).axes[0].xaxis)
    assert texts == ["30 µs", "100 µs", "300 µs", "1 ms", "3 ms"]


def test_cells_without_a_time_are_told(sweep):
    cells, draws = sweep()
    cells.loc[cells["batch_size"] == 10, "seconds/batch"] = np.nan
    assert any("No time taken, not drawn: b = 10" in text.get_text() for text in cost.draw(cells, draws).axes[0].texts)
