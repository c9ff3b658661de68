from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.metric.accuracy import Accuracy
from pipeline.metric.loss import Loss
from pipeline.plots import style, sweep_cells
from pipeline.plots.sweep_cells import Sweep

LOSS, ACCURACY = Loss(), Accuracy()

BOTH = ("with_replacement", "without_replacement")


def test_the_theory_between_the_sizes_is_exact_for_simple_random_samples_with_and_without_replacement():
    sizes, population, variance = np.array([1, 10, 100, 1_000]), 1_000, 4.0
    for correction in (lambda b: 1.0, lambda b: (population - b) / (population - 1)):
        grid, error = sweep_cells.theory(sizes, np.sqrt(variance / sizes * correction(sizes)))
        assert set(sizes) <= set(grid)
        np.testing.assert_allclose(error, np.sqrt(variance / grid * correction(grid)), atol=1e-12)


def test_theory_passes_over_what_is_not_known():
    grid, error = sweep_cells.theory(np.array([1, 10, 100]), np.array([np.inf, 0.3, 0.1]))
    assert grid.min() == 10
    assert np.isfinite(error).all()
    assert not len(sweep_cells.theory(np.array([1, 10]), np.array([np.nan, np.nan]))[0])


def test_36_groups_look_different_and_each_keeps_its_own_rows(sweep):
    cells, draws = sweep((10, 100), draws=2)
    names = [f"seed={i}" for i in range(36)]
    many = pd.concat([cells.assign(group=g) for g in names]), pd.concat([draws.assign(group=g) for g in names])
    groups = Sweep(*many).groups
    assert [group.name for group in groups] == names
    assert len({(group.colour, group.marker) for group in groups}) == 36
    assert all(set(group.cells["group"]) == set(group.draws["group"]) == {group.name} for group in groups)


def test_of_a_size_that_was_run_twice_the_later_cell_counts(sweep):
    cells, draws = sweep((100, 10))
    again = cells[cells["batch_size"] == 10].assign(**{"loss/mean": 7.0})
    (group,) = Sweep(pd.concat([cells, again]), draws).groups
    assert group.sizes.tolist() == [10, 100]
    assert group.cells["loss/mean"].iloc[0] == 7.0


def test_loss_and_accuracy_come_first_and_a_metric_without_a_value_is_none(sweep):
    cells, draws = sweep()
    cells = cells.assign(**{"brier/mean": 0.1, "top_5/mean": np.nan})
    shuffled = cells[sorted(cells, reverse=True)]
    assert [metric.name for metric in Sweep(shuffled, draws).metrics] == ["loss", "accuracy", "brier"]


@pytest.mark.parametrize(("sizes", "familiar"), [((1, 10, 1_000), 10), ((90, 120), 90), ((5_000,), 5_000)])
def test_the_familiar_size_is_nearest_to_100_by_ratio(sizes, familiar):
    assert sweep_cells.familiar_size(pd.DataFrame({"batch_size": sizes})) == familiar


def test_draws_a_size_are_one_number_or_a_span():
    assert sweep_cells.draws_a_size(pd.DataFrame({"draws": [50, 50]})) == "50 draws a size"
    assert sweep_cells.draws_a_size(pd.DataFrame({"draws": [50, 1_000]})) == "50–1,000 draws a size"


def test_a_panel_without_a_value_of_all_rows_says_why(sweep):
    cells, _ = sweep(infinite=3)
    assert "is infinite" in sweep_cells.missing(LOSS, cells)
    assert sweep_cells.missing(ACCURACY, cells) == ""
    assert "was not computed" in sweep_cells.missing(LOSS, cells.drop(columns="loss/all"))
    assert "There is no loss" in sweep_cells.missing(LOSS, cells[["batch_size"]])


def noted(sweep, gaps):
    _figure, ((axes, metric), *_) = sweep.panels("title")
    sweep.size_axis(axes)
    sweep.note_gaps(axes, metric, gaps)
    return [line for text in axes.texts for line in text.get_text().splitlines()]


def test_what_all_groups_lack_is_said_once_and_what_one_lacks_with_its_name(sweep):
    both = Sweep(*sweep((1, 10), designs=BOTH))
    assert noted(both, lambda group: [("Gone", group.sizes == 1)]) == ["Gone: b = 1"]
    one = noted(both, lambda group: [("Gone", (group.sizes == 1) & (group.name == "with replacement"))])
    assert one == ["Gone: b = 1 (with replacement)"]
    assert noted(both, lambda group: [("Gone", group.sizes == 0)]) == []


def test_a_group_without_the_metric_is_named_and_not_asked_for_gaps(sweep):
    cells, draws = sweep((1, 10), designs=BOTH)
    gone = cells["group"] == "sampling=with_replacement"
    cells.loc[gone, [name for name in cells if name.startswith("loss")]] = np.nan
    asked = []
    assert noted(Sweep(cells, draws), lambda group: asked.append(group.name) or []) == ["No loss (with replacement)"]
    assert asked == ["without replacement"]


def test_the_legend_names_groups_if_there_are_several_and_at_most_nine(sweep):
    assert sweep_cells.group_handles(Sweep(*sweep()).groups) == []
    cells, draws = sweep((10,), draws=2)
    names = [f"seed={i}" for i in range(12)]
    many = Sweep(pd.concat([cells.assign(group=g) for g in names]), pd.concat([draws.assign(group=g) for g in names]))
    labels = [handle.get_label() for handle in sweep_cells.group_handles(many.groups)]
    assert labels == [*names[:9], "… and 3 more groups"]
    assert many.colour == style.QUIET


def test_an_error_of_zero_or_without_end_has_no_place_on_a_logarithmic_axis():
    zero, infinite = sweep_cells.error_gaps(np.array([0.0, 1.0, np.inf, np.nan]))
    assert zero[1].tolist() == [True, False, False, False]
    assert infinite[1].tolist() == [False, False, True, True]


def test_groups_that_are_designs_have_the_designs_colours_and_others_colours_in_turn(sweep):
    cells, draws = sweep((1, 10), designs=("without_replacement", "with_replacement"))
    colours = {group.name: group.colour for group in Sweep(cells, draws).groups}
    assert colours["with replacement"] == style.design_colour("with_replacement")
    assert colours["without replacement"] == style.design_colour("without_replacement")
    other = cells.assign(group=cells["group"] + ", seed=1")
    assert [group.colour for group in Sweep(other, draws).groups] == list(style.COLOURS[:2])
