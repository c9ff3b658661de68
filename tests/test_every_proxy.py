"""The laws that every proxy obeys."""

import numpy as np
import pandas as pd
import pytest

from pipeline import data as data_family
from pipeline import model
from pipeline.proxy import MEMBERS
from pipeline.proxy.frame import frame_of
from pipeline.sampling import MEMBERS as DESIGNS
from pipeline.sampling.units import units_of
from pipeline.scoring.rows import score


@pytest.fixture(scope="module")
def parts(tmp_path_factory, digits_parts):
    """The digits in a file with a column of last month's losses, the default network, and one of every proxy."""
    dataset, classifier = digits_parts
    folder = tmp_path_factory.mktemp("proxies")
    path, weights = folder / "rows.npz", folder / "weights.npz"
    before = score(classifier, dataset).loss * np.random.default_rng(0).lognormal(0, 0.3, len(dataset))
    np.savez(path, x=dataset.inputs * np.float32(dataset.scale), t=dataset.labels, before=before)
    earlier = folder / "earlier.parquet"
    pd.DataFrame({"loss": before, "correct": score(classifier, dataset).correct}).to_parquet(earlier)
    rng = np.random.default_rng(1)
    np.savez(weights, W1=rng.normal(size=(64, 10)).astype("f4"), b1=np.zeros(10, "f4"))
    made = {
        "confidence": MEMBERS["confidence"](),
        "entropy": MEMBERS["entropy"](),
        "column": MEMBERS["column"](column="before"),
        "second_model": MEMBERS["second_model"](model=model.MEMBERS["npz"](path=str(weights))),
        "scores": MEMBERS["scores"](path=str(earlier)),
    }
    assert set(made) == set(MEMBERS), "a new member needs an entry here"
    return data_family.MEMBERS["npz"](path=str(path)), classifier, made


@pytest.fixture(params=list(MEMBERS))
def proxy(request, parts):
    return parts[2][request.param]


def test_a_guess_is_finite_and_one_value_a_row(parts, proxy):
    dataset = parts[0].load()
    guess = proxy.guess(dataset, parts[1], data=parts[0])
    for values in (guess.difficulty, guess.loss, guess.accuracy):
        assert values.shape == (len(dataset),)
        assert values.dtype == np.float64
        assert np.isfinite(values).all()
    assert guess.difficulty.min() >= 0


def test_the_same_rows_give_the_same_guess(parts, proxy):
    dataset = parts[0].load()
    once, again = (proxy.guess(dataset, parts[1], data=parts[0]).difficulty for _ in range(2))
    np.testing.assert_array_equal(once, again)


def test_a_proxy_made_of_the_judged_model_goes_with_its_loss_and_correctness(parts, proxy):
    if proxy.name == "second_model":
        # Random weights know nothing; its own tests train it.
        return
    dataset = parts[0].load()
    guess, scores = proxy.guess(dataset, parts[1], data=parts[0]), score(parts[1], dataset)
    assert np.corrcoef(guess.loss, scores.loss)[0, 1] > 0.3
    assert np.corrcoef(guess.accuracy, scores.correct)[0, 1] > 0.3


NEEDING = {
    "stratified": {"by": "proxy", "allocation": "neyman", "pilot": 200},
    "systematic": {"order": "proxy"},
    "importance": {},
    "difference": {},
}


@pytest.mark.parametrize("design", list(NEEDING))
def test_every_design_that_needs_a_proxy_can_be_planned_with_it(parts, proxy, design):
    data, classifier, _ = parts
    dataset = data.load()
    frame = frame_of(dataset, units_of(dataset), classifier, proxy=proxy, data=data)
    plan = DESIGNS[design](**NEEDING[design]).plan(frame, 50)
    assert plan.batch(0, 0).indices.shape == (50,)
    assert np.isfinite(plan.error_variance(score(classifier, dataset).loss, "loss"))
