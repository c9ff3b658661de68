"""One form for each kind of figure: a table, a sentence and a picture of the same value cannot disagree."""

import math

import numpy as np
import pytest

from pipeline.metric.accuracy import Accuracy
from pipeline.report import compare, trend, words
from pipeline.report.series import Value

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (0, "0"),
        (1, "1"),
        (7.0, "7"),
        (9.6, "9.6"),
        (9.97, "10"),
        (0.5, "0.50"),
        (1234.4, "1,234"),
        (9_999_999, "9,999,999"),
        (17_419_123.0, "17.4M"),
        (999_400_000, "999M"),
        (999_600_000, "1B"),
        (4.13e13, "41.3T"),
        (4.13e18, "4.1e18"),
        (INF, "∞"),
        (NAN, "?"),
    ],
)
def test_a_count_is_written_in_full_as_far_as_its_digits_can_matter(n, text):
    assert words.count(n) == text


@pytest.mark.parametrize(
    ("n", "text"),
    [(9_999, "9,999"), (36_814, "36.8k"), (999_400, "999k"), (999_600, "1M"), (123_456_789, "123M")],
)
def test_a_count_for_a_narrow_column_is_never_wider_than_five_characters(n, text):
    assert words.count(n, full_below=1e4) == text
    assert len(text) <= 5


@pytest.mark.parametrize(
    ("n", "text"), [(0, "0 rows"), (1, "1 row"), (1.0, "1 row"), (1_000, "1,000 rows"), (INF, "infinitely many rows")]
)
def test_a_number_of_things_agrees_with_its_noun(n, text):
    assert words.counted(n, "row") == text


def test_a_noun_with_an_irregular_plural_can_be_given():
    assert [words.counted(n, "row was", "rows were") for n in (1, 2)] == ["1 row was", "2 rows were"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3.2e-8, "32 ns"),
        (1e-6, "1 µs"),
        (4.24e-5, "42 µs"),
        (9.996e-4, "1 ms"),
        (0.0853, "85 ms"),
        (0.177, "180 ms"),
        (1.0, "1 s"),
        (1.26, "1.3 s"),
        (432.1, "430 s"),
        (1_234.0, "1,200 s"),
        (0.0, "0 ns"),
    ],
)
def test_durations_have_two_digits_and_the_unit_people_use(seconds, text):
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0"),
        (1e-5, "0.0010"),
        (0.00123, "0.12"),
        (0.0099, "0.99"),
        (0.00996, "1.0"),
        (0.05, "5.0"),
        (0.3034, "30.3"),
        (0.9483, "94.8"),
        (0.9999, "100.0"),
        (1.0, "100"),
        (1.5, "150.0"),
        (12.5, ">999"),
        (NAN, "—"),
    ],
)
def test_a_measured_share_has_a_tenth_of_a_per_cent_and_only_what_is_exact_has_none(share, text):
    assert words.percent(share) == text


@pytest.mark.parametrize(("share", "text"), [(0.95, "95"), (0.999, "99.9"), (0.29, "29"), (0.9999999, "99.99999")])
def test_a_level_is_written_as_it_was_asked_for(share, text):
    assert words.level(share) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"),
        (1.0, "1.00"),
        (9.994, "9.99"),
        (9.996, "10.0"),
        (99.94, "99.9"),
        (99.96, "100"),
        (57_224.9, "57,200"),
        (INF, "∞"),
        (NAN, "—"),
    ],
)
def test_a_multiple_has_three_digits(value, text):
    assert words.ratio(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0673, "0.067"), (4.94, "4.9"), (128.0, "130"), (0.0, "0"), (12_345.0, "12,000"), (0.060, "0.060")],
)
def test_significant_writes_two_digits_without_an_exponent(value, text):
    assert words.significant(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(-5.93e-5, "-5.9e-5"), (4e13, "4.0e13"), (-4e-4, "-4.0e-4"), (2.4e-10, "2.4e-10"), (INF, "∞"), (-INF, "-∞")],
)
def test_powers_of_ten_have_no_leading_zeros(value, text):
    assert words.scientific(value) == text


def test_a_signed_value_shows_its_plus():
    assert words.scientific(2.4e-4, signed=True) == "+2.4e-4"
    assert words.scientific(INF, signed=True) == "+∞"


@pytest.mark.parametrize("value", [1e-300, 1e-7, 0.0001, 0.0003, 0.25, 1.0, 2.5, 60_000.0, 123_456_789.0, 1e15])
def test_a_number_in_full_is_read_back_as_the_same_value(value):
    assert float(words.number(value).replace(",", "")) == value


@pytest.mark.parametrize(
    ("values", "form", "text"),
    [
        ([0.064, 0.0671], words.significant, "0.064–0.067"),
        ([1.7e-4, 1.9e-4], words.duration, "170–190 µs"),
        ([1e-4, 2e-3], words.duration, "100 µs–2 ms"),
        ([5.0, 5.0], words.number, "5"),
        ([NAN, 3.0, INF], words.number, "3"),
        ([NAN], words.number, "an unknown number of"),
    ],
)
def test_a_span_names_a_unit_once_and_a_value_once(values, form, text):
    assert words.span(values, form) == text


@pytest.mark.parametrize(("names", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_names_in_a_row(names, text):
    assert words.in_words(names) == text


@pytest.mark.parametrize("most", [9, 20, 21])
def test_a_long_text_is_cut_to_the_length_asked_for_and_keeps_both_ends(most):
    text = "model.path=weights_of_epoch_12.npz"
    short = words.shortened(text, most)
    head, tail = short.split("…")
    assert len(short) == most
    assert text.startswith(head)
    assert text.endswith(tail)
    assert words.shortened(text, len(text)) == text


def test_many_sizes_are_the_first_three_and_the_last():
    assert words.listed([1, 10, 100, 1_000]) == "1, 10, 100, 1,000"
    assert words.listed(np.array([1, 3, 10, 30, 60_000])) == "1, 3, 10, … 60,000"


def test_a_difference_reads_the_same_in_gate_trend_and_compare_however_it_was_computed():
    ends = {"accuracy/difference_low": 0.10, "accuracy/difference_high": 0.18}
    for value in (0.1375, 0.13749999999999996):
        row = {**ends, "accuracy/difference": value}
        told = [
            words.with_interval(100 * value, 10.0, 18.0, signed=True),
            compare._mean_difference(Accuracy(), row),
            trend._cell(Value(value, 0.10, 0.18), Accuracy(), 1, is_signed=True),
        ]
        assert [said.split()[0] for said in told] == ["+13.8"] * 3
