import contextlib
import os
import pty
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.data.mnist import Mnist
from pipeline.errors import BadInput
from pipeline.interval.capital import sequence_at
from pipeline.interval.control_variate import controlled_sequence_at
from pipeline.interval.share_sequence import share_sequence_at
from pipeline.model.base import Classifier
from pipeline.model.network import Network
from pipeline.model.npz import Npz
from pipeline.proxy.base import Proxy
from pipeline.records.rows import Dataset
from pipeline.sampling import MEMBERS
from pipeline.sampling.frame import Guess
from pipeline.scoring.rows import score
from pipeline.study.pool import look_counts
from pipeline.study.until import Until, live
from tests.evaluation import changed

METRICS = ("loss", "accuracy")


class Counting(Classifier):
    """A classifier that remembers which rows it was given: a row's number is its first input."""

    n_inputs, n_classes, digest = 2, 2, "counting"

    def __init__(self):
        self.seen = []

    def logits(self, inputs):
        self.seen += [int(row) for row in inputs[:, 0]]
        return np.column_stack([np.zeros(len(inputs)), inputs[:, 1]])


@pytest.fixture
def numbered():
    """5,000 rows, each with its number and a logit; some 10 % are wrong."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 5000)
    logit = np.where(labels == 1, 3.0, -3.0) * np.where(rng.random(5000) < 0.9, 1, -1)
    inputs = np.column_stack([np.arange(5000.0), logit]).astype(np.float32)
    return Dataset(inputs, labels, 2, 1.0, "numbered", "d")


@pytest.fixture
def counted(stages_of, numbered):
    def build(**changes):
        asked = {"design": "without_replacement"} | changes
        return stages_of(dataset=numbered, classifier=Counting(), **asked)

    return build


def test_only_the_rows_up_to_the_stop_are_evaluated_and_none_twice(counted):
    stages = counted()
    result = Until(loss_within=None, accuracy_within=0.05).answer(stages)
    seen = stages.classifier.seen
    assert len(seen) == len(set(seen)) == result.metrics["rows/evaluated"] == result.tables["looks.csv"]["n"].iloc[-1]
    assert 0 < len(seen) < 2000
    assert result.metrics["rows/saved"] == 5000 - len(seen)
    assert result.metrics["rows/enough"] == 1
    widths = (result.tables["looks.csv"]["accuracy_high"] - result.tables["looks.csv"]["accuracy_low"]) / 2
    assert widths.iloc[-1] <= 0.05 < widths.iloc[-2]


def test_with_replacement_a_row_that_comes_again_is_not_evaluated_again(counted):
    stages = counted(design="with_replacement")
    result = Until(loss_within=None, accuracy_within=1e-4, max_rows=6000, block=3000).answer(stages)
    assert len(stages.classifier.seen) == len(set(stages.classifier.seen)) == result.metrics["rows/evaluated"] < 5000
    assert result.tables["looks.csv"]["n"].iloc[-1] == 6000


@pytest.mark.parametrize("asked", [{"loss_within": 1e-9}, {"accuracy_within": 1e-9}])
def test_all_rows_drawn_are_exact_against_the_means(counted, asked):
    stages = counted()
    result = Until(**({"loss_within": None, "accuracy_within": None, "block": 400} | asked)).answer(stages)
    scores = score(Counting(), stages.rows)
    for metric, values in (("loss", scores.loss), ("accuracy", scores.correct)):
        for name in ("mean", "low", "high"):
            assert result.metrics[f"{metric}/{name}"] == pytest.approx(values.mean(), rel=1e-12)
    assert result.metrics["rows/enough"] == 1
    assert result.summary.endswith("(all rows: exact); no row was left out.")


def test_at_max_rows_it_stops_and_says_that_it_is_not_enough(counted):
    result = Until(loss_within=0.001, max_rows=120).answer(counted())
    assert result.tables["looks.csv"]["n"].iloc[-1] == 120
    assert result.metrics["rows/enough"] == 0
    assert result.summary.startswith(
        "Not enough: ended after 120 of 5,000 rows (2.4 %), by study.max_rows=120, without"
    )


def test_losses_above_the_cap_count_as_it_and_are_counted(counted, numbered):
    result = Until(loss_within=None, accuracy_within=0.05, loss_cap=2.0).answer(counted())
    assert result.metrics["loss/capped"] > 0
    assert result.metrics["loss/high"] <= 2.0
    wrong = score(Counting(), numbered, cap=2.0).capped
    # 3 nats is what a wrong row costs here: the share of them among those evaluated is what the cap is told of.
    share = result.metrics["loss/capped"] / result.metrics["rows/evaluated"]
    assert share == pytest.approx(wrong / 5000, abs=0.05)


def test_a_look_comes_after_a_block_or_the_growth_and_at_the_end():
    assert list(look_counts(205, block=50, growth=1.0)) == [50, 100, 150, 200, 205]
    assert list(look_counts(900, block=50, growth=2.0)) == [50, 100, 200, 400, 800, 900]
    assert list(look_counts(7, block=50, growth=1.2)) == [7]


@given(most=st.integers(1, 5000), block=st.integers(1, 500), growth=st.floats(1.0, 50.0))
def test_looks_are_spaced_as_asked_and_the_last_is_at_the_end(most, block, growth):
    counts = np.array(list(look_counts(most, block=block, growth=growth)))
    assert counts[0] == min(block, most)
    assert counts[-1] == most
    steps = np.diff(counts)
    assert (steps > 0).all()
    assert (steps[:-1] >= block).all()
    assert (counts[1:-1] >= growth * counts[:-2] - 1e-6).all()


def test_whole_groups_are_drawn_and_the_interval_holds_their_weighted_mean(stages_of, numbered):
    groups = np.repeat(np.arange(1000), 5)
    weights = np.random.default_rng(1).random(5000) + 0.5
    dataset = replace(numbered, groups=groups, weights=weights)
    stages = stages_of(dataset=dataset, classifier=Counting(), design="without_replacement")
    result = Until(loss_within=None, accuracy_within=0.08).answer(stages)
    truth = np.average(score(Counting(), dataset).correct, weights=weights)
    assert result.metrics["rows/evaluated"] == 5 * result.tables["looks.csv"]["n"].iloc[-1] < 5000
    assert result.metrics["accuracy/low"] <= truth <= result.metrics["accuracy/high"]
    exact = Until(loss_within=None, accuracy_within=1e-9).answer(stages).metrics
    assert exact["accuracy/mean"] == pytest.approx(truth, rel=1e-12)
    assert exact["accuracy/half_width"] == 0


def test_max_rows_holds_for_whole_groups_and_for_the_first_alone(stages_of, numbered):
    dataset = replace(numbered, groups=np.repeat(np.arange(1000), 5))
    stages = stages_of(dataset=dataset, classifier=Counting(), design="without_replacement")
    assert Until(max_rows=123).answer(stages).metrics["rows/evaluated"] == 120
    with pytest.raises(BadInput, match=r"study\.max_rows must be at least the rows of the first group .* found 4"):
        Until(max_rows=4).check(stages)


@pytest.mark.parametrize("weighted", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_groups_of_unlike_sizes_and_correlated_rows_are_missed_no_more_often_than_said(stages_of, weighted):
    # 200 groups of 1 to 12 rows, right or wrong together; rows taken for independent would be far too sure.
    rng = np.random.default_rng(5)
    lengths = rng.integers(1, 13, 200)
    groups = np.repeat(np.arange(200), lengths)
    logit = np.repeat(np.where(rng.random(200) < 0.8, 3.0, -3.0), lengths)
    inputs = np.column_stack([np.arange(len(groups)), logit]).astype(np.float32)
    weights = rng.random(len(groups)) + 0.5 if weighted else None
    dataset = Dataset(inputs, np.ones(len(groups), int), 2, 1.0, "g", "g", groups=groups, weights=weights)
    truth = np.average(logit > 0, weights=weights)
    runs, missed, stopped = 40, 0, 0
    for seed in range(runs):
        stages = stages_of(dataset=dataset, classifier=Counting(), design="without_replacement", seed=seed)
        found = Until(loss_within=None, accuracy_within=0.1, block=20).answer(stages).metrics
        missed += not found["accuracy/low"] <= truth <= found["accuracy/high"]
        stopped += found["rows/saved"] > 0
    assert stopped == runs
    assert stats.binomtest(missed, runs, 0.05, alternative="greater").pvalue > 0.001


def test_for_the_world_all_rows_leave_a_width(counted):
    stages = counted()
    stages = changed(stages, interval=replace(stages.experiment.interval, target="superpopulation"))
    result = Until(loss_within=None, accuracy_within=0.001).answer(stages)
    assert result.metrics["rows/evaluated"] == 5000
    assert result.metrics["accuracy/half_width"] > 0.001
    assert result.metrics["rows/enough"] == 0
    assert result.summary.startswith("All rows were evaluated, 5,000 of 5,000 rows (100 %), and do not tell")


@pytest.mark.parametrize("changes", [{"design": "with_replacement"}, {"weighted": True}])
def test_the_world_is_refused_where_rows_repeat_or_count_unlike(stages_of, numbered, changes):
    weights = np.ones(5000) if changes.pop("weighted", False) else None
    dataset = replace(numbered, weights=weights)
    stages = stages_of(**({"dataset": dataset, "classifier": Counting(), "design": "without_replacement"} | changes))
    stages = changed(stages, interval=replace(stages.experiment.interval, target="superpopulation"))
    with pytest.raises(BadInput, match=r"interval\.target=superpopulation must draw rows that count alike, none twice"):
        Until().check(stages)


def test_with_replacement_it_ends_by_itself_and_says_at_what(stages_of):
    rng = np.random.default_rng(2)
    inputs = np.column_stack([np.arange(40.0), rng.normal(size=40)]).astype(np.float32)
    dataset = Dataset(inputs, rng.integers(0, 2, 40), 2, 1.0, "few", "few")
    stages = stages_of(dataset=dataset, classifier=Counting(), design="with_replacement", batch_size=10)
    result = Until(loss_within=1e-6).answer(stages)
    assert result.tables["looks.csv"]["n"].iloc[-1] == 400
    assert "400 draws, 40 of 40 rows (100 %), by 10 draws for each row of the population, without" in result.summary


def test_a_seed_gives_one_order_whatever_the_blocks(counted):
    few, many = (Until(max_rows=300, loss_within=1e-9, block=block).answer(counted()) for block in (300, 10))
    for metric in METRICS:
        assert few.metrics[f"{metric}/mean"] == many.metrics[f"{metric}/mean"]
        assert few.metrics[f"{metric}/low"] == pytest.approx(many.metrics[f"{metric}/low"], rel=1e-6)


def test_nothing_is_shown_where_standard_error_is_no_terminal(capfd, counted):
    with live() as show:
        show(lambda: pytest.fail("must not be made"))
    Until(loss_within=None, accuracy_within=0.05).answer(counted())
    assert capfd.readouterr() == ("", "")


def everything(leader):
    """What is written to a terminal until nobody has it open: one read may have a part of it alone."""
    parts = []
    with contextlib.suppress(OSError):
        while part := os.read(leader, 1 << 16):
            parts.append(part)
    os.close(leader)
    return b"".join(parts).decode()


def test_on_a_terminal_the_interval_is_seen_to_shrink(counted, monkeypatch):
    leader, terminal = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with ThreadPoolExecutor(1) as reader:
        read = reader.submit(everything, leader)
        with open(terminal, "w") as shown:
            monkeypatch.setattr(sys, "stderr", shown)
            Until(loss_within=1e-9, max_rows=200).answer(counted())
        seen = read.result()
    widths = [line.count("─") for line in seen.splitlines() if "accuracy" in line and "├" in line]
    assert [f"numbered: {n} of 5,000 rows" in seen for n in (50, 100, 150, 200)] == [True] * 4
    assert widths[-1] < widths[0]


def cell(seed, rows, enough):
    found = {f"{metric}/{name}": 0.5 for metric in METRICS for name in ("mean", "low", "high", "half_width")}
    about = {"group": "", "seed": seed, "rows/evaluated": rows, "rows/saved": 1000 - rows, "rows/share": rows / 1000}
    return {**about, "rows/enough": enough, **found}


def test_a_sweep_is_a_row_a_cell_and_says_which_were_not_enough():
    cells = pd.DataFrame([cell(0, 300.0, 1.0), cell(1, 500.0, 1.0), cell(2, 900.0, 0.0)])
    compared = Until().compare(cells, lambda name: pd.DataFrame())
    assert [row[2] for row in compared.shown[0].rows] == ["300", "500", "900 ✗"]
    assert compared.summary.startswith("300 to 500 rows were enough; 1,300 evaluations were saved over 3 cells.")
    assert compared.summary.endswith("1 of 3 cells ended before it was enough.")


def test_every_look_is_logged_by_step(counted):
    result = Until(loss_within=None, accuracy_within=0.05).answer(counted())
    looks = result.tables["looks.csv"]
    # A name with steps of its own is left out of cells.csv.
    assert not {name for name, _, _ in result.series} & set(result.metrics)
    for metric in METRICS:
        for end in ("", "_low", "_high", "_half_width"):
            logged = [(step, value) for name, value, step in result.series if name == f"{metric}/seen{end}"]
            assert logged == list(zip(looks["n"], looks[f"{metric}{end}"], strict=True))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"loss_within": 0.0}, r"study\.loss_within must be above 0 .* or null; found 0.0"),
        ({"loss_within": float("inf")}, r"study\.loss_within must be above 0 .* found inf"),
        ({"accuracy_within": float("nan")}, r"study\.accuracy_within must be above 0 .* found nan"),
        ({"accuracy_within": -0.1}, r"study\.accuracy_within must be above 0 .* found -0.1"),
        ({"loss_within": None, "accuracy_within": None}, "must be a number; found null for both: set one"),
        ({"loss_cap": 0.0}, r"study\.loss_cap must be above 0 nats and finite, such as 10; found 0.0"),
        ({"loss_cap": float("inf")}, r"study\.loss_cap must be above 0 nats and finite, such as 10; found inf"),
        ({"block": 0}, r"study\.block must be a whole number of at least 1; found 0"),
        ({"growth": 0.9}, r"study\.growth must be at least 1 and finite, such as 1.2; found 0.9"),
        ({"max_rows": 0}, r"study\.max_rows must be a whole number of at least 1 or null; found 0"),
    ],
)
def test_nonsense_is_refused(fields, message):
    with pytest.raises(BadInput, match=message):
        Until(**fields)


@pytest.mark.parametrize("name", sorted(set(MEMBERS) - {"with_replacement", "without_replacement"}))
def test_a_design_whose_rows_are_not_in_random_order_is_refused(stages_of, name):
    with pytest.raises(BadInput, match=f"study=until draws one simple random order; found sampling={name}"):
        Until().check(stages_of(design=name, batch_size=100))


def sequence(values, counts, size, *, cap, within):
    """The ends at some counts as the study makes them: of 0 and 1 (a cap of 1) by likelihood ratios, else by bets."""
    made = share_sequence_at if cap == 1 else sequence_at
    low, high = made(values / cap, counts, confidence=0.95, population_size=size, within=within / cap)
    return cap * low, cap * high


def missed(values, *, cap, runs, within, block, growth, most):
    """How many runs end at an interval without the truth: the normal one's, and the sequence's, under the same rule.

    Either way a run ends at the first look whose interval is within, or after `most` rows. The normal interval is
    mean ± z · s/√n with the finite-population correction (for a share, Wald's but for the divisor n - 1).
    """
    size, truth = len(values), values.mean()
    counts = np.array([n for n in look_counts(size, block=block, growth=growth) if n <= most])
    normal = ours = 0
    for run in range(runs):
        own = values[np.random.default_rng((7, run)).permutation(size)[: counts[-1]]]
        mean = np.cumsum(own)[counts - 1] / counts
        variance = (np.cumsum(own**2)[counts - 1] / counts - mean**2) * counts / (counts - 1)
        reach = stats.norm.ppf(0.975) * np.sqrt(np.maximum(variance, 0) / counts * (1 - counts / size))
        at = first_within(reach, within)
        normal += abs(mean[at] - truth) > reach[at]
        low, high = sequence(own, counts, size, cap=cap, within=within)
        at = first_within((high - low) / 2, within)
        ours += not low[at] <= truth <= high[at]
    return normal, ours


def first_within(reach, within):
    return int(np.argmax(reach <= within)) if (reach <= within).any() else -1


# From the 30 rows on that textbooks call enough for the normal approximation.
LOOKS = {"block": 30, "growth": 1.2}


def test_looking_again_and_again_spoils_the_normal_interval_and_not_the_sequence():
    # A classifier that is right in 93.5 % of 10,000 rows, asked for its accuracy within two points.
    correct = (np.arange(10_000) < 9350).astype(float)
    runs = 300
    normal, ours = missed(correct, cap=1.0, runs=runs, within=0.02, most=4000, **LOOKS)
    # About one in five: neither 14 % nor 27 % would be likely to give this.
    assert stats.binomtest(normal, runs, 0.14, alternative="greater").pvalue < 0.05
    assert stats.binomtest(normal, runs, 0.27, alternative="less").pvalue < 0.05
    assert stats.binomtest(ours, runs, 0.05, alternative="greater").pvalue > 0.001


@pytest.mark.slow
@pytest.mark.parametrize(
    ("metric", "within", "share"),
    [("accuracy", 0.02, 0.20), ("accuracy", 0.03, 0.20), ("loss", 0.05, 0.19), ("loss", 0.1, 0.30)],
)
def test_the_same_on_a_published_networks_test_set(mnist_root, book_network, metric, within, share):
    data, cap = Mnist(split="test", root=str(mnist_root)), 10.0 if metric == "loss" else 1.0
    scores = score(Npz(path=str(book_network)).build(data), data.load(), cap=10.0)
    values = scores.loss if metric == "loss" else scores.correct.astype(float)
    normal, ours = missed(values, cap=cap, runs=1000, within=within, most=6000, **LOOKS)
    assert normal == pytest.approx(1000 * share, abs=40)
    assert stats.binomtest(ours, 1000, 0.05, alternative="greater").pvalue > 0.001


def test_the_study_stops_where_the_simulation_says(counted):
    stages = counted()
    study = Until(loss_within=None, accuracy_within=0.03)
    looks = study.answer(stages).tables["looks.csv"]
    correct = score(Counting(), stages.rows, study.order(stages)).correct.astype(float)
    counts = np.array(list(look_counts(5000, block=study.block, growth=study.growth)))
    low, high = sequence(correct, counts, 5000, cap=1.0, within=0.03)
    at = first_within((high - low) / 2, 0.03)
    assert looks["n"].tolist() == counts[: at + 1].tolist()
    np.testing.assert_allclose(looks["accuracy_low"], low[: at + 1], rtol=1e-9)
    np.testing.assert_allclose(looks["accuracy_high"], high[: at + 1], rtol=1e-9)


class _Known(Proxy):
    """A proxy that knows the labels of most rows: each fiftieth it has wrong."""

    def guess(self, dataset, classifier, *, data):
        scores = score(classifier, dataset)
        wrong = np.arange(len(dataset)) % 50 == 0
        return Guess(scores.loss, np.where(wrong, 0.7, scores.loss), np.where(wrong, ~scores.correct, scores.correct))


def test_a_proxy_that_is_named_saves_rows_and_is_told_of(numbered, stages_of):
    asked = {"design": "without_replacement", "dataset": numbered, "classifier": Counting()}
    without, with_proxy = stages_of(**asked), stages_of(guess=_Known(name="known"), **asked)
    study = Until(loss_within=None, accuracy_within=0.02)
    study.check(with_proxy)
    alone, helped = study.answer(without), study.answer(with_proxy)
    assert helped.metrics["rows/evaluated"] < 0.7 * alone.metrics["rows/evaluated"]
    right = score(Counting(), numbered).correct.mean()
    assert helped.metrics["accuracy/low"] <= right <= helped.metrics["accuracy/high"]
    assert helped.metrics["rows/enough"] == 1
    (said,) = (note for note in helped.notes if "proxy=known" in note)
    assert "of the variance among the rows evaluated it leaves" in said
    assert "of the loss" not in said


def test_a_proxy_of_the_world_is_refused(stages_of, numbered):
    stages = stages_of(
        design="without_replacement", dataset=numbered, classifier=Counting(), guess=_Known(name="known")
    )
    asked = replace(stages.experiment, interval=replace(stages.experiment.interval, target="superpopulation"))
    with pytest.raises(BadInput, match="with a proxy must be about the rows at hand"):
        Until().check(replace(stages, experiment=asked))


@pytest.mark.slow
@pytest.mark.parametrize(("metric", "within", "saved"), [("accuracy", 0.01, 0.4), ("loss", 0.02, 0.3)])
def test_an_earlier_networks_scores_save_rows_of_a_published_networks_test_set(
    mnist_root, book_network, metric, within, saved
):
    data = Mnist(split="test", root=str(mnist_root))
    rows, network, rng = data.load(), Npz(path=str(book_network)).build(data), np.random.default_rng(0)
    noisy = [(W + 0.2 * W.std() * rng.normal(size=W.shape), b) for W, b in network.layers]
    cap = 10.0 if metric == "loss" else 1.0
    now, before = (
        score(own, rows, cap=10.0).values(metric).astype(float) / cap
        for own in (network, Network(noisy, network.activation))
    )
    counts = np.array(list(look_counts(len(now), block=50, growth=1.05)))
    asked = {"confidence": 0.95, "within": within / cap}
    plain = share_sequence_at if metric == "accuracy" else sequence_at
    taken, missed_by = [], 0
    for _ in range(60):
        order = rng.permutation(len(now))
        alone = plain(now[order], counts, population_size=len(now), **asked)
        helped = controlled_sequence_at(
            now[order], before[order], before, counts, is_finite=True, is_share=metric == "accuracy", **asked
        )
        taken.append([counts[((high - low) / 2 <= within / cap).argmax()] for low, high in (alone, helped)])
        missed_by += bool((helped[0] > now.mean() + 1e-9).any() or (helped[1] < now.mean() - 1e-9).any())
    assert missed_by <= stats.binom.ppf(0.999, 60, 0.05)
    alone, helped = np.median(taken, axis=0)
    assert helped < (1 - saved) * alone
