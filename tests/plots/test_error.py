from __future__ import annotations

import numpy as np
import pytest

from pipeline.plots import error


@pytest.mark.parametrize(("panel", "name", "factor"), [(0, "loss", 1), (1, "accuracy", 100)])
def test_points_are_the_measured_rmse_and_the_line_passes_the_standard_errors(sweep, panel, name, factor):
    cells, draws = sweep()
    axes = error.draw(cells, draws).axes[panel]
    (points,) = (line for line in axes.lines if line.get_linestyle() == "None")
    (line,) = (line for line in axes.lines if line.get_linestyle() == "-")
    np.testing.assert_array_equal(points.get_xdata(), cells["batch_size"])
    np.testing.assert_allclose(points.get_ydata(), factor * cells[f"{name}/rmse"], rtol=1e-15)
    at = np.searchsorted(line.get_xdata(), cells["batch_size"])
    np.testing.assert_allclose(line.get_ydata()[at], factor * cells[f"{name}/se"], rtol=1e-15)


def test_the_reference_has_slope_minus_one_half(sweep):
    for axes in error.draw(*sweep()).axes:
        (triangle,) = axes.patches
        (x0, y0), _, (x1, y1) = triangle.get_xy()[:3]
        assert np.log(y1 / y0) / np.log(x1 / x0) == pytest.approx(-0.5)
        assert "(slope −½)" in " ".join(text.get_text() for text in axes.texts)


@pytest.mark.parametrize("rounding", [0.0, 1e-16])
def test_an_error_of_zero_is_told_and_does_not_stretch_the_axis(sweep, rounding):
    cells, draws = sweep(designs=("without_replacement",))
    cells.loc[cells["batch_size"] == 1_000, ["loss/rmse", "accuracy/rmse"]] = rounding
    for axes in error.draw(cells, draws).axes:
        assert any("Error 0, not drawn: b = 1,000" in text.get_text() for text in axes.texts)
        assert axes.get_ylim()[0] > 1e-4


def test_the_title_tells_the_largest_disagreement_and_where(sweep):
    cells, draws = sweep()
    cells["loss/rmse"], cells["accuracy/rmse"] = cells["loss/se"], cells["accuracy/se"]
    cells.loc[cells["batch_size"] == 30, "loss/rmse"] *= 1.25
    assert "25 % at most (b = 30)" in error.draw(cells, draws).get_suptitle()


def test_y_ticks_are_plain_numbers(sweep, tick_texts):
    for axes in error.draw(*sweep()).axes:
        texts = tick_texts(axes.yaxis)
        assert len(texts) >= 3
        np.testing.assert_allclose([float(text) for text in texts], axes.get_yticks())
        assert not any("e" in text for text in texts)
