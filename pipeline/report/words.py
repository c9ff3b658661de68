"""Numbers, counts, durations and percentages as text: the one formatter for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Written in the place of a figure that does not exist, and of one that is infinite.
NONE, INFINITE = "—", "∞"
# Smaller counts are written in full: all of their digits may matter, and they fit in a column.
_FULL_COUNT = 1e7
# People count in billions and trillions, not in G and T as matplotlib's EngFormatter has them.
_SIZES = ((1e3, "k"), (1e6, "M"), (1e9, "B"), (1e12, "T"))
# Outside these limits there are too many zeros to count by eye.
_LEAST_IN_FULL, _MOST_IN_FULL = 0.99e-4, 1e15

# Characters of a run's id that are shown. Of 10,000 runs, two share 8 hexadecimal digits with a chance of about 1 %.
SHORT_ID = 8


def answer_first(*said: str) -> tuple[str, list[str]]:
    """Return the first of the sentences that there is, which a result begins with, and the others."""
    there = [text for text in said if text]
    return (there[0], there[1:]) if there else ("", [])


def in_words(names: Sequence[str], *, each: str = "") -> str:
    """Write names in a row: loss, accuracy and Brier score.

    Parameters
    ----------
    names : sequence of str
        At least one.
    each : str
        Written before all names but the first, which follows it in the sentence.

    Examples
    --------
    >>> "of the " + in_words(["loss", "accuracy", "Brier score"], each="of the ")
    'of the loss, of the accuracy and of the Brier score'
    """
    row = [*names[:1], *(f"{each}{name}" for name in names[1:])]
    return " and ".join(filter(None, [", ".join(row[:-1]), row[-1]]))


def listed(sizes: NDArray[np.int64] | list[int]) -> str:
    """Write batch sizes in a row, at most four of them."""
    numbers = [f"{size:,}" for size in sizes]
    return ", ".join(numbers if len(numbers) <= 4 else [*numbers[:3], f"… {numbers[-1]}"])


def shortened(text: str, most: int) -> str:
    """Leave out the middle of a text of more than `most` characters: a name differs from others at either end.

    Examples
    --------
    >>> shortened("model.path=weights_of_epoch_12.npz", 20)
    'model.pat…och_12.npz'
    """
    half = most // 2
    return text if len(text) <= most else f"{text[: half - 1]}…{text[len(text) - (most - half) :]}"


def short_id(run_id: str) -> str:
    """Write a run's id by its first `SHORT_ID` characters, by which the commands find it again."""
    return run_id[:SHORT_ID]


def number(value: float) -> str:
    """Write a number in full, and only what is too small or too large to be read so with a power of ten.

    Examples
    --------
    >>> number(0.0003), number(60000.0), number(3e-7)
    ('0.0003', '60,000', '3e-7')
    """
    if value != 0 and not _LEAST_IN_FULL <= abs(value) < _MOST_IN_FULL:
        return scientific(value).replace(".0e", "e")
    if abs(value) >= 1:
        return f"{value:,.6f}".rstrip("0").rstrip(".")
    return np.format_float_positional(value, precision=3, fractional=False, trim="-")


def significant(value: float) -> str:
    """Write two significant digits in full, such as 0.067, 4.9, 130."""
    if not np.isfinite(value) or value == 0:
        return "0" if value == 0 else str(value)
    rounded = float(f"{value:.1e}")
    digits = 1 - int(np.floor(np.log10(abs(rounded))))
    return number(rounded) if digits < 0 else f"{rounded:.{digits}f}"


def with_interval(value: float, low: float, high: float, unit: str = "", *, signed: bool = False) -> str:
    """Write a value and its interval with as many decimals as two digits of the half-width need.

    Examples
    --------
    >>> with_interval(96.7, 95.41, 97.64, "%"), with_interval(0.1243, 0.0931, 0.1712, "nats")
    ('96.7 % [95.4, 97.6]', '0.124 nats [0.093, 0.171]')
    >>> with_interval(float("inf"), float("-inf"), float("inf"), "nats"), with_interval(0.5, 0.5, 0.5)
    ('inf nats (no interval)', '0.5 [0.5, 0.5]')
    >>> with_interval(-0.31, -0.58, 0.02, "points", signed=True), with_interval(-0.2, -11, 11, "nats", signed=True)
    ('-0.31 points [-0.58, +0.02]', '0 nats [-11, +11]')
    """
    half = (high - low) / 2
    if not np.isfinite(half):
        shown, ends = significant(value), "(no interval)"
    elif half == 0:
        shown, *both = (f"{'+' if signed and each > 0 else ''}{number(each)}" for each in (value, low, high))
        ends = f"[{', '.join(both)}]"
    else:
        shown, *both = (fixed(each, decimals(half), signed=signed) for each in (value, low, high))
        ends = f"[{', '.join(both)}]"
    return " ".join(filter(None, [shown, unit, ends]))


def fixed(value: float, digits: int, *, signed: bool = False) -> str:
    """Write a number with so many decimals, the same one however it was computed: its 13th digit on is rounding.

    What is 0 when it is rounded has no sign.

    Examples
    --------
    >>> fixed(13.75, 1), fixed(100 * 0.13749999999999996, 1, signed=True), fixed(-1234.5678, 2), fixed(-0.2, 0)
    ('13.8', '+13.8', '-1,234.57', '0')
    """
    text = f"{float(f'{value:.12g}'):{'+' if signed else ''},.{digits}f}"
    return text if text.strip("+-0.") else text.lstrip("+-")


def decimals(half: float) -> int:
    """Return how many decimals the two significant digits of a half-width need.

    Examples
    --------
    >>> decimals(0.0347), decimals(1.2), decimals(250.0)
    (3, 1, 0)
    """
    return max(0, 1 - int(np.floor(np.log10(float(f"{half:.1e}")))))


def scientific(value: float, *, signed: bool = False) -> str:
    """Write two significant digits and a power of ten without leading zeros.

    Examples
    --------
    >>> scientific(-5.93e-5), scientific(4e13), scientific(2.4e-4, signed=True)
    ('-5.9e-5', '4.0e13', '+2.4e-4')
    """
    sign = "+" if signed else ""
    if np.isinf(value):
        return f"{'-' if value < 0 else sign}{INFINITE}"
    amount, _, exponent = f"{value:{sign}.1e}".partition("e")
    return f"{amount}e{int(exponent)}"


def count(n: float, *, full_below: float = _FULL_COUNT) -> str:
    """Write how many in few characters; an estimate below ten need not be whole.

    Parameters
    ----------
    n : float
        Infinite where no number is enough, nan where it cannot be said.
    full_below : float
        From here on three significant digits in thousands (k), millions (M), billions (B) and trillions (T)
        take the place of all digits.

    Examples
    --------
    >>> count(1648257), count(29290051), count(4e13), count(3.14159), count(float("inf")), count(float("nan"))
    ('1,648,257', '29.3M', '40T', '3.1', '∞', '?')
    >>> count(36814, full_below=1e4)
    '36.8k'
    """
    if np.isnan(n):
        return "?"
    if np.isinf(n):
        return INFINITE
    if n < 9.95 and n != int(n):
        return significant(n)
    if n < full_below:
        return f"{n:,.0f}"
    for size, suffix in _SIZES:
        if n < 999.5 * size:
            return f"{n / size:.3g}{suffix}"
    return number(n)


def estimated(n: float) -> str:
    """Write a number that was estimated, not counted: two significant digits, for its interval supports no more.

    Examples
    --------
    >>> estimated(57224), estimated(304772), estimated(29290051), estimated(768), estimated(42), estimated(3.14159)
    ('57,000', '300,000', '29M', '770', '42', '3.1')
    >>> estimated(float("inf")), estimated(float("nan"))
    ('∞', '?')
    """
    return count(two_digits(n))


def two_digits(n: float) -> float:
    """Round to two significant digits, as many as the interval of an estimated number supports.

    Examples
    --------
    >>> two_digits(57224), two_digits(0.1243), two_digits(float("inf"))
    (57000.0, 0.12, inf)
    """
    return float(f"{n:.1e}")


def rounded(figures: Mapping[Any, Any], ends: Sequence[str]) -> dict[Any, Any]:
    """Return figures of which those whose names end so are rounded to two digits, for tables and sentences.

    Examples
    --------
    >>> rounded({"loss/n_for_power": 57224.0, "rows": 797}, ["/n_for_power"])
    {'loss/n_for_power': 57000.0, 'rows': 797}
    """
    return {key: two_digits(value) if str(key).endswith(tuple(ends)) else value for key, value in figures.items()}


def as_count(n: float) -> float:
    """Return a number of things as an int where it is whole; one that is infinite, nan or no whole number stays.

    Examples
    --------
    >>> as_count(1599.0), as_count(2.5), as_count(float("inf"))
    (1599, 2.5, inf)
    """
    return int(n) if float(n).is_integer() else n


def counted(n: float, one: str, many: str | None = None) -> str:
    """Write a number of things: 1 row, 1,000 rows, infinitely many rows."""
    if np.isinf(n):
        return f"infinitely many {many or one + 's'}"
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


def rows_of(row: Mapping[Any, Any]) -> str:
    """Write how many rows a cell is about, and how many of them have no label but count by a proxy.

    Parameters
    ----------
    row : mapping
        ``population_size``, and ``unlabelled`` where there are such.

    Examples
    --------
    >>> rows_of({"population_size": 300, "unlabelled": 500.0})
    '300 rows with a label and 500 without'
    """
    size = counted(int(row["population_size"]), "row")
    more = row.get("unlabelled", 0.0)
    return f"{size} with a label and {int(more):,} without" if more > 0 else size


def by_flips(p: str) -> str:
    """Say what the p value by flipping the groups' signs is good for; `p` is written out: ``p = 0.012``."""
    return f"by flipping the groups' signs {p}, which needs no normal mean and so is the one for few groups"


def duration(seconds: float) -> str:
    """Write a time with two significant digits, for the next run's time differs by more, and the unit people use.

    Examples
    --------
    >>> duration(2e-5), duration(0.0853), duration(12), duration(1234)
    ('20 µs', '85 ms', '12 s', '1,200 s')
    """
    unit, name = time_unit(seconds)
    return f"{significant(seconds / unit).removesuffix('.0')} {name}"


def time_unit(seconds: float) -> tuple[float, str]:
    """Return the unit that people use for such a time: how many seconds it has, and its sign.

    Examples
    --------
    >>> time_unit(2e-5), time_unit(0.0853)
    ((1e-06, 'µs'), (0.001, 'ms'))
    """
    units = ((1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"))
    return next(((unit, name) for unit, name in units if seconds < 999.5 * unit), (1.0, "s"))


def percent(share: float) -> str:
    """Write a measured share in per cent: to a tenth, to two significant digits below 1 %; 0 and 100 are exact.

    Examples
    --------
    >>> percent(0.9483), percent(0.9999), percent(1.0), percent(0.00123), percent(12.5), percent(float("nan"))
    ('94.8', '100.0', '100', '0.12', '>999', '—')
    """
    if np.isnan(share):
        return NONE
    if share >= 10:
        return ">999"
    if share in (0.0, 1.0):
        return f"{100 * share:.0f}"
    return significant(100 * share) if share < 0.00995 else f"{100 * share:.1f}"


def level(share: float) -> str:
    """Write a share that was asked for in per cent, with all of its digits.

    Examples
    --------
    >>> level(0.95), level(0.999), level(0.29)
    ('95', '99.9', '29')
    """
    return f"{100 * share:.10g}"


def ratio(value: float) -> str:
    """Write how many times as much: three significant digits at most.

    Examples
    --------
    >>> ratio(1.0002), ratio(12.34), ratio(57224.9), ratio(float("inf")), ratio(float("nan"))
    ('1.00', '12.3', '57,200', '∞', '—')
    """
    if np.isnan(value):
        return NONE
    if np.isinf(value):
        return INFINITE
    if value >= 99.95:
        return f"{float(f'{value:.2e}'):,.0f}"
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}"


def span(values: ArrayLike, form: Callable[[float], str] = significant) -> str:
    """Write the least and the most of some finite values, once if they read the same.

    Examples
    --------
    >>> span([0.064, 0.0671]), span([1.7e-4, 1.9e-4], duration)
    ('0.064–0.067', '170–190 µs')
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return "an unknown number of"
    low, high = form(known.min()), form(known.max())
    if low == high:
        return low
    amount, _, unit = low.rpartition(" ")
    return f"{amount}–{high}" if amount and high.endswith(f" {unit}") else f"{low}–{high}"
