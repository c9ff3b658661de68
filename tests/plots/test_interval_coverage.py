from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from pipeline.interval import accuracy, loss
from pipeline.plots import interval_coverage

MEMBERS = {"loss": loss.MEMBERS, "accuracy": accuracy.MEMBERS}


def panels(figure):
    return {axes.get_title(): axes for axes in figure.axes}


def test_points_are_the_coverage_in_a_panel_per_interval(coverage_table):
    table = coverage_table()
    drawn = panels(interval_coverage.draw(table))
    assert list(drawn) == [f"{metric.title()}: {name}" for metric, names in MEMBERS.items() for name in names]
    for metric, names in MEMBERS.items():
        for name in names:
            own = table[(table["metric"] == metric) & (table["interval"] == name) & np.isfinite(table["width_median"])]
            (curve,) = [line for line in drawn[f"{metric.title()}: {name}"].lines if line.get_marker() == "o"]
            np.testing.assert_allclose(curve.get_xdata(), own["batch_size"])
            np.testing.assert_allclose(curve.get_ydata(), 100 * own["coverage"])


def test_points_too_low_by_more_than_chance_are_marked(coverage_table):
    table = coverage_table()
    wald = panels(interval_coverage.draw(table))["Accuracy: wald"]
    own = table[(table["metric"] == "accuracy") & (table["interval"] == "wald")]
    low = own["coverage_high"] < own["confidence"]
    (marked,) = [line for line in wald.lines if line.get_marker() == "s"]
    assert marked.get_xdata().tolist() == own.loc[low, "batch_size"].tolist()
    assert 2 in marked.get_xdata()


@pytest.mark.parametrize(("nominal", "draws"), [(0.95, 500), (0.9, 40), (0.99, 2_000)])
def test_the_band_holds_95_percent_of_the_binomial_distribution(nominal, draws):
    low, high = interval_coverage.chance(nominal, draws)
    inside = binom.cdf(round(high * draws), draws, nominal) - binom.cdf(round(low * draws) - 1, draws, nominal)
    # At least 95 %, and less without the outermost count on either side.
    assert inside >= 0.95
    assert binom.cdf(round(low * draws) - 1, draws, nominal) < 0.025
    assert 1 - binom.cdf(round(high * draws), draws, nominal) < 0.025 + 1e-12


def test_the_title_names_the_worst_or_says_that_all_hold(coverage_table):
    table = coverage_table()
    assert "wald (accuracy) holds 0 % at b = 2" in interval_coverage.draw(table).get_suptitle()
    fine = table.assign(coverage=0.95, coverage_low=0.94, coverage_high=0.96)
    title = interval_coverage.draw(fine, about="digits test, mlp").get_suptitle()
    assert title == "digits test, mlp: Every interval holds the 95 % that it promises"
