from __future__ import annotations

import numpy as np
import pytest

from pipeline.plots import funnel


def band_of(axes):
    """The theory band's (x, low, high)."""
    (band,) = (c for c in axes.collections if type(c).__name__ == "FillBetweenPolyCollection")
    vertices = band.get_paths()[0].vertices
    x = np.unique(vertices[:, 0])
    ends = [vertices[vertices[:, 0] == at, 1] for at in x]
    return x, np.array([e.min() for e in ends]), np.array([e.max() for e in ends])


@pytest.mark.parametrize("design", ["with_replacement", "without_replacement"])
def test_the_band_is_1_96_standard_errors_either_side_at_every_size(sweep, design):
    cells, draws = sweep(designs=(design,))
    for axes, name, factor in zip(funnel.draw(cells, draws).axes, ("loss", "accuracy"), (1, 100), strict=True):
        x, low, high = band_of(axes)
        at = np.searchsorted(x, cells["batch_size"])
        truth, reach = factor * cells[f"{name}/all"], factor * 1.96 * cells[f"{name}/se"]
        np.testing.assert_allclose(x[at], cells["batch_size"])
        np.testing.assert_allclose(low[at], truth - reach, rtol=1e-12)
        np.testing.assert_allclose(high[at], truth + reach, rtol=1e-12)


@pytest.mark.parametrize("design", ["with_replacement", "without_replacement"])
def test_the_band_between_the_sizes_follows_the_designs_formula(sweep, design):
    cells, draws = sweep((1, 1_000), designs=(design,))
    x, low, high = band_of(funnel.draw(cells, draws).axes[0])
    part = (1_000 - x) / 999 if design == "without_replacement" else 1.0
    se = cells["loss/se"][0] * np.sqrt(part / x)
    np.testing.assert_allclose((high - low) / 2, 1.96 * se, rtol=1e-9, atol=1e-12)


def test_the_line_is_the_value_of_all_rows(sweep):
    cells, draws = sweep()
    for axes, value in zip(
        funnel.draw(cells, draws).axes, (cells["loss/all"][0], 100 * cells["accuracy/all"][0]), strict=True
    ):
        assert any(np.allclose(line.get_ydata(), value) and list(line.get_xdata()) == [0, 1] for line in axes.lines)


def test_the_marks_span_the_2_5_to_97_5_percent_quantiles(sweep):
    cells, draws = sweep(draws=200)
    loss = funnel.draw(cells, draws).axes[0]
    (bars,) = loss.containers[0].lines[2]
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    for size, (low, high) in zip(cells["batch_size"], ends, strict=True):
        own = draws.loc[draws["batch_size"] == size, "loss"]
        assert (low, high) == pytest.approx(np.quantile(own, [0.025, 0.975], method="inverted_cdf"))


def test_draws_outside_the_frame_are_counted_in_words(sweep):
    cells, draws = sweep(draws=200)
    loss = funnel.draw(cells, draws).axes[0]
    n_above = int((draws.loc[draws["batch_size"] == 1, "loss"] > loss.get_ylim()[1]).sum())
    assert n_above > 0
    assert f"{n_above} of 200 (b = 1)" in loss.texts[0].get_text().replace("\xa0", " ")


def test_every_draw_inside_the_frame_of_a_small_sample_is_a_point(sweep):
    cells, draws = sweep(draws=20)
    loss = funnel.draw(cells, draws).axes[0]
    low, high = loss.get_ylim()
    drawn = np.concatenate([line.get_ydata() for line in loss.lines if line.get_marker() == "."])
    np.testing.assert_array_equal(np.sort(drawn), np.sort(draws["loss"][draws["loss"].between(low, high)]))


def test_an_infinite_loss_of_all_rows_is_said(sweep):
    loss, accuracy = funnel.draw(*sweep(infinite=2)).axes
    assert "infinite" in loss.get_title()
    assert "infinite" not in accuracy.get_title()


def test_the_fifth_group_is_left_out_and_that_is_said(sweep):
    import pandas as pd

    cells, draws = sweep((10, 100), draws=3)
    figure = funnel.draw(
        pd.concat([cells.assign(group=f"seed={i}") for i in range(5)]),
        pd.concat([draws.assign(group=f"seed={i}") for i in range(5)]),
    )
    assert len(figure.axes) == 8
    assert "first 4 of 5 groups" in figure.get_suptitle().replace("\n", " ")


def test_groups_share_their_axes_and_the_title_names_data_and_models(sweep):
    cells, draws = sweep(designs=("with_replacement", "without_replacement"))
    worse = cells["group"] == "sampling=without_replacement"
    cells.loc[worse, ["loss/all", "loss/mean"]] *= 3
    draws.loc[draws["group"] == "sampling=without_replacement", ["loss", "loss_low", "loss_high"]] *= 3
    names = {"population": "digits test", "model_name": np.where(worse, "old.npz", "new.npz")}
    figure = funnel.draw(cells.assign(**names), draws)
    first, _, second, _ = figure.axes
    assert first.get_ylim() == second.get_ylim()
    assert figure.get_suptitle().startswith("digits test, new.npz and old.npz: The larger")
