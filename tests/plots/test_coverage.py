from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.plots import coverage


def test_points_are_the_coverage_with_wilsons_range_of_the_draws(sweep):
    cells, draws = sweep(draws=80)
    accuracy = coverage.draw(cells, draws).axes[1]
    (points,) = (line for line in accuracy.lines if line.get_marker() == "o")
    np.testing.assert_allclose(points.get_ydata(), 100 * cells["accuracy/coverage"])
    (bars,) = accuracy.collections
    for share, segment in zip(cells["accuracy/coverage"], bars.get_segments(), strict=True):
        expected = binomtest(round(80 * share), 80).proportion_ci(method="wilson")
        assert segment[:, 1] == pytest.approx([100 * expected.low, 100 * expected.high])


def test_the_nominal_line_is_the_confidence(sweep):
    cells, draws = sweep()
    cells["confidence"] = 0.9
    for axes in coverage.draw(cells, draws).axes:
        assert any(list(line.get_ydata()) == [90, 90] for line in axes.lines)


def test_one_row_gives_no_interval_for_the_loss_and_that_is_said(sweep):
    loss, accuracy = coverage.draw(*sweep()).axes
    (points,) = (line for line in loss.lines if line.get_marker() == "o")
    assert points.get_xdata().min() == 3
    assert "No interval, not drawn: b = 1" in loss.texts[0].get_text()
    assert not accuracy.texts


def test_the_panel_titles_count_the_sizes_that_are_certainly_too_low(sweep):
    cells, draws = sweep(draws=100)
    cells["accuracy/coverage"] = 0.95
    cells.loc[cells["batch_size"] == 30, "accuracy/coverage"] = 0.5
    assert coverage.draw(cells, draws).axes[1].get_title() == "Accuracy: too low at 1 of 7 sizes, worst at b = 30"
    cells["accuracy/coverage"] = 0.95
    assert coverage.draw(cells, draws).axes[1].get_title() == "Accuracy: nowhere too low"


def test_few_draws_are_said_to_prove_little(sweep):
    assert coverage.draw(*sweep(draws=5)).get_suptitle().startswith("Too few draws")
