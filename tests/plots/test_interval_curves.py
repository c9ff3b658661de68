"""The laws of both plots of intervals, and what they share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.plots import interval_coverage, interval_width
from tests.plots.interval_tables import MEMBERS

PLOTS = {"coverage": interval_coverage.draw, "width": interval_width.draw}

CASES = {
    "seven sizes": lambda coverage_table: coverage_table(),
    "eleven sizes": lambda coverage_table: coverage_table(
        (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 60_000)
    ),
    "one size": lambda coverage_table: coverage_table((100,)),
    "two designs": lambda coverage_table: coverage_table(groups=("sampling=with_replacement", "sampling=stratified")),
    "none for the loss": lambda coverage_table: coverage_table().query("metric == 'accuracy'"),
    "no end anywhere": lambda coverage_table: coverage_table((2,), names=["bootstrap_t"]),
    "a population of equal rows": lambda coverage_table: coverage_table().assign(
        width=0.0, width_median=0.0, width_ratio=np.nan
    ),
}


@pytest.fixture(scope="module", params=[(case, plot) for case in CASES for plot in PLOTS], ids=lambda p: " ".join(p))
def figure(request, coverage_table):
    case, plot = request.param
    drawn = PLOTS[plot](CASES[case](coverage_table))
    drawn.draw_without_rendering()
    return drawn


def test_every_case_is_drawn_with_a_message_and_units_and_no_text_outside(figure, texts_outside):
    assert figure.get_suptitle()
    assert texts_outside(figure) == []
    assert figure.get_supylabel().count("[") == 1
    assert figure.axes[-1].get_xlabel().startswith("batch size b [rows]")
    for axes in figure.axes:
        assert axes.lines or axes.texts


def test_no_text_covers_another(figure, overlapping_texts):
    assert overlapping_texts(figure) == []


def test_all_panels_share_their_axes(figure):
    drawn = [axes for axes in figure.axes if axes.lines]
    assert len({axes.get_xlim() for axes in drawn}) <= 1
    assert len({axes.get_ylim() for axes in drawn}) <= 1


def test_the_frame_is_left_as_it_was(coverage_table):
    table = coverage_table()
    before = table.copy()
    for draw in PLOTS.values():
        draw(table)
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("plot", PLOTS)
def test_the_configured_intervals_alone_have_a_bold_title_and_the_legend_says_so(coverage_table, plot):
    figure = PLOTS[plot](coverage_table())
    bold = [axes.get_title() for axes in figure.axes if axes.title.get_fontweight() == "bold"]
    assert bold == ["Loss: hall", "Accuracy: wilson"]
    assert "bold title: as configured" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_groups_are_named_in_words(coverage_table):
    table = coverage_table(groups=("sampling=with_replacement", "sampling=stratified"))
    titles = [axes.get_title() for axes in interval_coverage.draw(table).axes]
    assert titles[0] == "with replacement\nLoss: hall_score"
    assert len(titles) == 2 * sum(len(names) for names in MEMBERS.values())


def said(figure):
    lines = {axes.get_title(): axes.get_xlabel().removeprefix("batch size b [rows]").strip() for axes in figure.axes}
    return {title: line for title, line in lines.items() if line}


def test_what_is_not_drawn_is_said(coverage_table):
    table = coverage_table()
    assert said(interval_width.draw(table)) == {
        "Loss: bootstrap_t": "no end at b = 2, 3",
        "Accuracy: wald": "no width at b = 2, 3, 10",
    }
    assert said(interval_coverage.draw(table)) == {"Loss: bootstrap_t": "no end at b = 2, 3"}
