from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.plots import plan, style

WITHIN = {"loss": 0.02, "accuracy": 0.01}
WORDS = {
    "with_replacement": "with replacement",
    "without_replacement": "without replacement",
    "epoch": "shuffled epochs",
    **{f"other_{i}": f"design number {i}" for i in range(8)},
}


def frames(infinite=False):
    """Simple designs by the formula, and others that need less and less."""
    plans, curves = [], []
    for i, (key, words) in enumerate(WORDS.items()):
        variance = {"loss": 0.45 / (1 + 0.1 * max(i - 2, 0)), "accuracy": 0.06 / (1 + 0.2 * max(i - 2, 0))}
        left = 0.0 if key == "with_replacement" else 1 / 10_000
        if infinite:
            variance["loss"] = np.nan
        n = {m: 1 / (WITHIN[m] ** 2 / (3.84 * v) + left) for m, v in variance.items()}
        plans.append(
            {
                "design": key,
                "words": words,
                "is_configured": key == "without_replacement",
                **{f"{m}_n": np.inf if np.isnan(v) else round(v) for m, v in n.items()},
            }
        )
        for b in np.unique(np.geomspace(5, 10_000 if left else 200_000, 40).astype(int)).tolist():
            reach = {f"{m}_within": np.sqrt(3.84 * v * max(1 / b - left, 0)) for m, v in variance.items()}
            curves.append({"design": key, "words": words, "n": b, **reach})
    return pd.DataFrame(curves), pd.DataFrame(plans)


def draw(infinite=False, **changes):
    asked = {"within": WITHIN, "about": "mnist test", "size": 10_000, **changes}
    figure = plan.draw(*frames(infinite), **asked)
    figure.draw_without_rendering()
    return figure


@pytest.mark.parametrize("changes", [{}, {"pilot": 300}, {"infinite": True}, {"unit": "group"}])
def test_every_case_is_drawn_and_no_text_leaves_the_figure_or_covers_another(changes, texts_outside, overlapping_texts):
    figure = draw(**changes)
    assert texts_outside(figure) == []
    assert overlapping_texts(figure) == []


def test_the_plans_are_marked_where_the_tolerance_crosses_their_curves():
    loss, accuracy = draw().axes
    for axes, metric, x in ((loss, "loss", 0.02), (accuracy, "accuracy", 1.0)):
        marked = {tuple(map(float, line.get_xydata()[0])) for line in axes.lines if line.get_marker() == "o"}
        wanted = dict(zip(*(frames()[1][name] for name in ("design", f"{metric}_n")), strict=True))
        assert (x, float(wanted["without_replacement"])) in marked
        assert all(at == x and axes.get_ylim()[0] < n < axes.get_ylim()[1] for at, n in marked)


def test_the_population_and_the_tolerance_are_lines_with_names():
    figure = draw()
    for axes, x in zip(figure.axes, (0.02, 1.0), strict=True):
        assert any(np.allclose(line.get_ydata(), 10_000) for line in axes.lines)
        assert any(np.allclose(line.get_xdata(), x) for line in axes.lines)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "all 10,000 rows: evaluating them is exact" in names
    assert "the tolerance asked for" in names


def test_a_design_that_needs_the_same_rows_as_another_does_not_hide_it():
    names = [text.get_text() for text in draw().legends[0].get_texts()]
    assert "shuffled epochs" not in names
    assert names[:2] == ["with replacement", "without replacement"]


def test_the_title_says_what_the_configured_design_needs():
    title = draw().get_suptitle()
    assert "mnist test, without replacement" in title
    assert "rows for ±0.02 nats" in title
    assert "about" not in title
    assert "about" in draw(pilot=300).get_suptitle()
    assert "no number of rows for ±0.02 nats" in draw(infinite=True).get_suptitle()


@pytest.mark.parametrize("metric", ["loss", "accuracy"])
def test_one_metric_alone_has_one_panel_and_a_title_of_it_alone(metric, texts_outside, overlapping_texts):
    gone = "accuracy" if metric == "loss" else "loss"
    curves, plans = (frame.loc[:, [name for name in frame if not name.startswith(gone)]] for frame in frames())
    figure = plan.draw(curves, plans, within={metric: WITHIN[metric]}, about="scores", size=10_000)
    figure.draw_without_rendering()
    assert [axes.get_title() for axes in figure.axes] == [metric]
    assert " and " not in figure.get_suptitle()
    assert texts_outside(figure) == overlapping_texts(figure) == []


def test_a_design_has_the_colour_that_it_has_in_every_picture():
    (line, *_) = [line for line in draw().axes[0].lines if line.get_linestyle() == "--" and line.get_linewidth() == 2.0]
    assert line.get_color() == style.design_colour("with_replacement")
