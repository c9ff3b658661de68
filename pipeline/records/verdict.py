"""Verdicts on a candidate: better, not worse, undecided or worse; and all that is reported of them."""

from __future__ import annotations

from dataclasses import dataclass

# In the order from best to worst, so that the worst of several is the largest.
BETTER, NOT_WORSE, UNDECIDED, WORSE = range(4)
WORDS = ("better", "not worse", "undecided", "worse")
# The exit status of each.
STATUSES = (0, 0, 4, 3)


@dataclass(frozen=True)
class Finding:
    """What a gate found of one metric.

    Attributes
    ----------
    metric : str
        Its column: ``loss``.
    code : int
        The verdict: `BETTER`, `NOT_WORSE`, `UNDECIDED` or `WORSE`.
    baseline, candidate, difference : float
        The two models' means, and the second minus the first.
    low, high : float
        The interval of `difference`; both are it where nothing is left to chance.
    margin : float
        How much worse is not worse.
    p, p_holm, p_margin : float or None
        Two-sided, of no difference; the same after Holm; and of a difference that is exactly the margin. None where
        nothing is left to chance.
    level_low, level_high : float
        The confidence of the two-sided interval that each end would belong to.
    n : int
        Rows, or groups of them.
    more : float
        As many that are missing for a verdict if the difference stays as it is; 0 where there is one.
    effect : float
        The smallest true difference that these rows show with the power asked for.
    needed : float
        Rows that show a difference as large as the margin; inf where the margin is 0.
    method : str
        How the interval was made.
    unit : str
        What `n`, `more` and `needed` count: ``row``, or ``group``.
    p_flips : float or None
        Of groups, the p value of no difference by flipping their signs, which needs no normal mean.
    unseen : float or None
        How far a row unlike those seen is assumed to differ, at most; None where nothing of that kind is assumed.
    room : float or None
        The largest `unseen` with which there is a verdict: this one, or of an undecided metric the one that there
        would be; 0 where there is none in any case.
    rarest : float or None
        Rows of which one is seen, but for the error of one end: rows unlike those seen may be 1 in so many.
    bound : float or None
        R of a metric whose differences were cut to [-R, R].
    cut : int
        How many rows' differences were.
    unlabelled : int
        Rows without a label that count by a proxy.
    """

    metric: str
    code: int
    baseline: float
    candidate: float
    difference: float
    low: float
    high: float
    margin: float
    p: float | None
    p_holm: float | None
    p_margin: float | None
    level_low: float
    level_high: float
    n: int
    more: float
    effect: float
    needed: float
    method: str
    unit: str = "row"
    p_flips: float | None = None
    unseen: float | None = None
    room: float | None = None
    rarest: float | None = None
    bound: float | None = None
    cut: int = 0
    unlabelled: int = 0

    @property
    def verdict(self) -> str:
        """The verdict in words."""
        return WORDS[self.code]

    @property
    def resolution(self) -> float:
        """Rows there are for each one that is needed; at least 1 where these rows suffice for the margin."""
        return self.n / self.needed


@dataclass(frozen=True)
class Check:
    """How often a gate is wrong where nothing differs: the baseline against itself.

    Attributes
    ----------
    draws, rows : int
        Samples, and rows of each.
    worse, worse_at_0 : float
        Share of them that it calls worse, with the margins asked for, and with margins of 0.
    at_most : float
        The chance of that which is promised.
    is_kept : bool
        Whether both shares are what such a chance gives, but for one set of samples in a thousand.
    """

    draws: int
    rows: int
    worse: float
    worse_at_0: float
    at_most: float
    is_kept: bool


@dataclass(frozen=True)
class Audit:
    """How often a rule is wrong, and how often the gate is with the rule's threshold as its margin.

    Attributes
    ----------
    rule, metric : str
        As given; and of which metric it is.
    threshold : float
        How far on the bad side of 0, in the metric's own unit.
    draws : int
        Samples at each true difference.
    at : tuple of float
        Three true differences: none, the threshold, and twice the threshold.
    fails, worse, undecided : tuple of float
        At these, the share of samples that the rule fails, and that the gate calls worse and undecided.
    """

    rule: str
    metric: str
    threshold: float
    draws: int
    at: tuple[float, ...]
    fails: tuple[float, ...]
    worse: tuple[float, ...]
    undecided: tuple[float, ...]


@dataclass(frozen=True)
class Stop:
    """Where a gate stopped that evaluates no more rows than it needs.

    Attributes
    ----------
    n, of, most : int
        Rows evaluated, rows that there are, and the most that were to be evaluated.
    looks : int
        How often the verdict was asked.
    ranges : dict of str to float
        R by metric that is no share: differences were cut to [-R, R].
    cut : dict of str to int
        By the same metrics, how many rows' differences were.
    is_world : bool
        Whether the verdict is about the world that the rows are a sample of, and not about the rows.
    """

    n: int
    of: int
    most: int
    looks: int
    ranges: dict[str, float]
    cut: dict[str, int]
    is_world: bool


@dataclass(frozen=True)
class Judgement:
    """All that a gate reports.

    Attributes
    ----------
    baseline, candidate : str
        What the two are called.
    digests : (str, str)
        Of the two files, or of the models' weights.
    findings : tuple of Finding
        By metric, in the order asked for; at least one.
    confidence, power : float
        As configured.
    seed : int
        Of the samples that were drawn to check the gate.
    is_exact : bool
        Whether the rows are all that is asked about, so that nothing is left to chance.
    check : Check or None
        None where nothing is left to chance.
    audit : Audit or None
        None where no rule was given.
    stop : Stop or None
        None where all rows were evaluated, and the verdict asked once.
    """

    baseline: str
    candidate: str
    digests: tuple[str, str]
    findings: tuple[Finding, ...]
    confidence: float
    power: float
    seed: int
    is_exact: bool
    check: Check | None = None
    audit: Audit | None = None
    stop: Stop | None = None

    @property
    def decisive(self) -> Finding:
        """The first metric with the worst verdict, which is the verdict of all."""
        return max(self.findings, key=lambda finding: finding.code)

    @property
    def verdict(self) -> str:
        """The overall verdict in words."""
        return self.decisive.verdict

    @property
    def status(self) -> int:
        """The exit status that it asks for."""
        return STATUSES[self.decisive.code]


# Of two models' values of the same rows: none is the worst case; that of two versions of a model is mostly above 0.9.
CORRELATIONS = (0.0, 0.9)


@dataclass(frozen=True)
class Prospect:
    """What a gate could see of one metric, told from the baseline alone.

    Attributes
    ----------
    metric : str
        Its column.
    n : int
        Rows.
    margin : float
        By how much the candidate may be worse.
    effects, needed : tuple of float
        The smallest true difference that is seen, and rows that show one as large as the margin, for each of
        `CORRELATIONS`.
    """

    metric: str
    n: int
    margin: float
    effects: tuple[float, ...]
    needed: tuple[float, ...]
