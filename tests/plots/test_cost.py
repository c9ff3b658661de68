from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Annotation

from pipeline.plots import cost
from pipeline.plots.sweep_cells import groups_of


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


def test_time_ticks_have_one_unit(sweep, tick_texts):
    axes = cost.draw(*sweep()).axes[0]
    assert axes.get_xlabel() == "time of one batch [µs]"
    texts = tick_texts(axes.xaxis)
    assert texts == ["30", "100", "300", "1,000", "3,000"]


def test_cells_without_a_time_are_told(sweep):
    cells, draws = sweep()
    cells.loc[cells["batch_size"] == 10, "seconds/batch"] = np.nan
    assert any("No time taken, not drawn: b = 10" in text.get_text() for text in cost.draw(cells, draws).axes[0].texts)


def test_no_label_crosses_the_line_of_all_rows(sweep, laid_out):
    cells, draws = sweep()
    # The largest batch takes a little less time than all rows, so that its label would lie on their line.
    figure = laid_out(cost.draw(cells.assign(**{"seconds/all": 1.3 * cells["seconds/batch"].max()}), draws))
    for axes in figure.axes:
        (line,) = [line for line in axes.lines if line.get_marker() in ("None", "")]
        at = axes.transData.transform((line.get_xdata()[0], axes.get_ylim()[0]))[0]
        labels = [text for text in axes.texts if isinstance(text, Annotation) and text.get_text() == "1,000"]
        assert len(labels) == 1
        assert not [text for text in labels if text.get_window_extent().x0 < at < text.get_window_extent().x1]


def timed(sweep, low, high):
    cells, draws = sweep()
    ends = {f"seconds/batch{end}": factor * cells["seconds/batch"] for end, factor in (("_low", low), ("_high", high))}
    return cells.assign(**ends), draws


def test_the_spread_of_the_calls_is_drawn_and_no_line_joins_the_points(sweep):
    cells, draws = timed(sweep, 0.9, 1.2)
    for axes in cost.draw(cells, draws).axes:
        ends = np.array([segment[:, 0] for segment in axes.collections[0].get_segments()])
        np.testing.assert_allclose(ends, cells[["seconds/batch_low", "seconds/batch_high"]])
        assert axes.lines[0].get_linestyle() == "None"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.99, 1.01, None), (0.9, 1.2, (1, 3)), (0.5, 3.0, (1, 100)), (0.01, 90.0, (1, 1_000))],
)
def test_sizes_within_the_spread_of_the_smallest_are_said_to_take_the_same_time(sweep, low, high, expected):
    cells, draws = timed(sweep, low, high)
    figure = cost.draw(cells, draws)
    assert cost.same_time(groups_of(cells, draws)) == expected
    said = "take the same time" in figure.get_suptitle()
    assert said == (expected is not None)
    bands = [len(axes.patches) for axes in figure.axes]
    assert bands == [int(said)] * 2


def test_a_size_that_was_slower_than_a_larger_one_is_not_told_apart(sweep):
    cells, draws = timed(sweep, 0.99, 1.01)
    # Measured while the machine was busy, although ten rows cannot take longer than thirty.
    busy = cells["batch_size"] == 3
    cells.loc[busy, [name for name in cells if name.startswith("seconds/batch")]] *= 5
    cells.loc[cells["batch_size"] == 10, "seconds/batch_low"] = cells["seconds/batch"].min()
    assert cost.same_time(groups_of(cells, draws)) == (1, 10)


def test_of_several_groups_the_sizes_that_take_the_same_time_do_so_in_each(sweep):
    cells, draws = timed(sweep, 0.5, 3.0)
    slow = cells.assign(group="model.path=slow.npz")
    slow[[name for name in slow if name.startswith("seconds")]] *= 100
    sharp = cells.assign(group="model.path=sharp.npz", **{"seconds/batch_low": 0.9 * cells["seconds/batch"]})
    sharp["seconds/batch_high"] = 1.2 * cells["seconds/batch"]
    assert cost.same_time(groups_of(pd.concat([cells, slow]), draws)) == (1, 100)
    assert cost.same_time(groups_of(pd.concat([cells, sharp]), draws)) == (1, 3)
    assert [len(axes.patches) for axes in cost.draw(pd.concat([cells, slow]), draws).axes] == [0, 0]
