import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from pipeline.estimation.tango import score_interval


@st.composite
def tables(draw):
    n = draw(st.integers(1, 2000))
    gained = draw(st.integers(0, n))
    return gained, draw(st.integers(0, n - gained)), n


@pytest.mark.parametrize(
    ("gained", "lost", "n", "confidence", "low", "high"),
    [
        # Fagerland, Lydersen & Laake 2017, Statistical Analysis of Contingency Tables, chapter 8, by their R package
        # contingencytables, Tango_asymptotic_score_CI_paired_2x2: Cavo et al. 2012.
        (6, 16, 161, 0.95, -0.1240, -0.0054),
        # R's PropCIs 0.3-0, scoreci.mp(25, 28, 618, 0.90).
        (28, 25, 618, 0.90, -0.0148, 0.0247),
    ],
)
def test_the_score_interval_against_published_numbers(gained, lost, n, confidence, low, high):
    found = score_interval(gained, lost, n, confidence)
    assert np.round(found, 4).tolist() == [low, high]


@pytest.mark.parametrize(("gained", "lost", "n"), [(3, 9, 40), (12, 12, 25), (1, 0, 7), (0, 4, 300), (9, 1, 11)])
def test_the_score_interval_against_its_definition_by_a_search_for_the_likeliest_shares(gained, lost, n):
    """The chi-square statistic of Δ, with the share lost found by maximising the likelihood on a grid, is z² there."""
    z = stats.norm.ppf(0.975)
    for delta in score_interval(gained, lost, n, 0.95):
        q = np.linspace(max(0.0, -delta), (1 - delta) / 2, 2_000_001)[1:-1]
        cells = zip((gained, lost, n - gained - lost), (q + delta, q, 1 - 2 * q - delta), strict=True)
        likelihood = sum(special.xlogy(count, share) for count, share in cells)
        likeliest = q[likelihood.argmax()]
        statistic = (gained - lost - n * delta) ** 2 / (n * (2 * likeliest + delta - delta**2))
        assert statistic == pytest.approx(z**2, rel=1e-4)


@given(tables())
def test_the_score_interval_holds_the_difference_and_mirrors_when_the_models_swap(table):
    gained, lost, n = table
    low, high = score_interval(gained, lost, n, 0.95)
    assert -1 <= low <= (gained - lost) / n <= high <= 1
    assert low < high
    assert score_interval(lost, gained, n, 0.95) == pytest.approx((-high, -low), abs=1e-9)


def test_the_score_interval_where_nothing_flips_and_where_everything_does():
    z2 = stats.norm.ppf(0.975) ** 2
    assert score_interval(0, 0, 100, 0.95) == pytest.approx((-z2 / (100 + z2), z2 / (100 + z2)))
    assert score_interval(10, 0, 10, 0.95) == pytest.approx(((10 - z2) / (10 + z2), 1.0))
    assert score_interval(0, 10, 10, 0.95) == pytest.approx((-1.0, (z2 - 10) / (10 + z2)))
    low, high = score_interval(5, 5, 10, 0.95)
    assert low == pytest.approx(-high)


def test_the_score_interval_holds_the_true_difference_as_often_as_it_says_by_enumeration():
    n, gain, loss = 60, 0.12, 0.05
    held = 0.0
    for gained in range(31):
        for lost in range(31):
            low, high = score_interval(gained, lost, n, 0.95)
            chance = stats.multinomial.pmf([gained, lost, n - gained - lost], n, [gain, loss, 1 - gain - loss])
            held += chance * (low <= gain - loss <= high)
    assert 0.935 < held < 0.965
