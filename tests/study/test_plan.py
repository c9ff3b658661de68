import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from pipeline.errors import BadInput
from pipeline.estimation.sample_size import most_share_variance
from pipeline.records.scores import Scores
from pipeline.sampling import MEMBERS
from pipeline.sampling.without_replacement import SimplePlan
from pipeline.scoring.rows import score
from pipeline.study.plan import PlanStudy
from pipeline.study.planning.basis import from_pilot, spread_out
from pipeline.study.planning.variants import Watched, variants
from tests.evaluation import changed
from tests.populations import frame_of, some_scores
from tests.study.predicted import ROWS, stages_from, two_models, write

QUICK = {"loss_within": 0.05, "accuracy_within": 0.02, "check_draws": 0}


@pytest.fixture
def values(digits_parts):
    scores = score(digits_parts[1], digits_parts[0])
    return {"loss": scores.loss, "accuracy": scores.correct.astype(float)}


def test_the_metrics_of_the_configured_design_against_the_formula_written_out(stages_of, values):
    for design in ("with_replacement", "without_replacement"):
        found = PlanStudy(**QUICK).answer(stages_of(design=design)).metrics
        for metric, within in (("loss", 0.05), ("accuracy", 0.02)):
            n = (stats.norm.ppf(0.975) / within) ** 2 * values[metric].var()
            n = n if design == "with_replacement" else n / (1 + n / 1000)
            assert found[f"{metric}/n"] == round(n)
        assert found["rows/n"] == max(found["loss/n"], found["accuracy/n"])
        assert found["seconds/n"] > 0
        assert not any(name.endswith("within") for name in found)


@pytest.mark.parametrize("design", ["without_replacement", "stratified", "importance"])
def test_the_promised_share_of_batches_is_within_the_tolerance_at_the_planned_size(stages_of, design):
    found = PlanStudy(loss_within=0.04, accuracy_within=0.02, check_draws=1500).answer(stages_of(design=design))
    for metric in ("loss", "accuracy"):
        held = round(1500 * found.metrics[f"{metric}/within"])
        # The mean of a skewed loss and a share of few errors are within one or two points of normal at these sizes.
        assert stats.binomtest(held, 1500, 0.93, alternative="less").pvalue > 0.001
    assert sum("checked by drawing" in note for note in found.notes) == 2


def test_every_design_is_in_the_table_with_enough_rows_and_one_row_fewer_is_not_enough(stages_of, values):
    stages = stages_of(design="without_replacement")
    result = PlanStudy(**QUICK).answer(stages)
    table = result.tables["plan.csv"]
    alike = {name for name, part in MEMBERS.items() if not part.has_own_units}
    assert alike <= {v.sampling.name for v in variants(stages)}
    assert table["is_configured"].sum() == 1
    assert len(table) == len(variants(stages)) >= 12
    scores = score(stages.classifier, stages.rows)
    for variant in variants(stages):
        if variant.sampling.name in ("with_replacement", "without_replacement", "epoch", "systematic"):
            continue
        n = int(table.set_index("design").at[variant.key, "loss_n"])
        frame = Watched(variant.frame, scores, stages.units).frame

        def reach(b, variant=variant, frame=frame):
            return 1.959963984540054 * math.sqrt(variant.sampling.plan(frame, b).error_variance(values["loss"], "loss"))

        assert reach(n) <= 0.05
        assert n == 20 or reach(n - 1) > 0.05


def test_a_design_that_needs_the_proxy_pays_for_its_pass_and_a_pilot_for_its_rows(stages_of):
    table = PlanStudy(**QUICK).answer(stages_of()).tables["plan.csv"].set_index("design")
    assert table.at["stratified_confidence", "proxy_seconds"] > 0
    assert table.at["stratified_label", "proxy_seconds"] == 0
    assert table.at["stratified_confidence_neyman_loss", "pilot_rows"] == 500
    assert table.at["importance_entropy", "overrides"] == "sampling=importance proxy=entropy"


def test_a_tolerance_out_of_reach_with_replacement_says_to_evaluate_all_rows(stages_of):
    result = PlanStudy(loss_within=0.001, accuracy_within=0.001, check_draws=0).answer(stages_of())
    assert result.metrics["rows/n"] > 1000
    assert "more than the 1,000 there are: evaluating all of them leaves no error" in result.summary


def test_an_infinite_loss_has_no_number_of_rows(stages_of, digits_parts):
    class Sure:
        learning_curve = None
        digest, gives = "sure", "logits"
        metrics = ()
        n_features, n_classes = 64, 10

        def from_stored(self, scale):
            def logits(rows):
                certain = np.full((len(rows), 10), -np.inf)
                certain[:, 0] = 0.0
                return certain

            return logits

    result = PlanStudy(**QUICK).answer(stages_of(classifier=Sure()))
    assert math.isinf(result.metrics["loss/n"])
    assert math.isfinite(result.metrics["accuracy/n"])
    assert "No number of rows" in result.summary
    assert any("infinite loss" in note for note in result.notes)


def test_a_pilot_scores_its_own_rows_alone(stages_of, digits_parts):
    network, seen = digits_parts[1], set()

    class Counted:
        digest, learning_curve, gives, metrics = "counted", None, "logits", ()

        def from_stored(self, scale):
            forward = network.from_stored(scale)

            def logits(rows):
                seen.update(row.tobytes() for row in rows)
                return forward(rows)

            return logits

    result = PlanStudy(pilot=60, check_draws=500).answer(stages_of(classifier=Counted(), design="without_replacement"))
    assert 1 <= len(seen) <= 60
    assert not any(name.endswith("within") for name in result.metrics)
    assert any("not checked by drawing" in note for note in result.notes)
    assert any("58 to 78 of 100" in note for note in result.notes)
    assert set(result.tables["plan.csv"]["design"]) == {
        "with_replacement",
        "without_replacement",
        "stratified_label",
        "epoch",
    }


def test_a_design_that_asks_the_proxy_anyway_brings_the_others_that_a_pilot_tells(stages_of):
    part = MEMBERS["difference"]()
    keys = set(PlanStudy(pilot=300, **QUICK).answer(stages_of(design=part)).tables["plan.csv"]["design"])
    assert {"difference_confidence", "stratified_confidence", "without_replacement"} <= keys
    assert not any("neyman" in key or "importance" in key or "systematic" in key for key in keys)


def test_a_pilot_of_all_right_rows_still_plans_the_accuracy(stages_of):
    stages = stages_of(design="without_replacement", seed=0)
    right = [seed for seed in range(40) if _all_right(changed(stages, seed=seed))]
    result = PlanStudy(pilot=30, check_draws=0).answer(changed(stages, seed=right[0]))
    unseen = 1 - 0.2 ** (1 / 30)
    n = (stats.norm.ppf(0.975) / 0.01) ** 2 * unseen * (1 - unseen)
    assert result.metrics["accuracy/n"] == round(n / (1 + n / 1000))
    assert any("all 30 rows of the pilot are right" in note for note in result.notes)


def _all_right(stages):
    rows = SimplePlan(1000, 30).batch(stages.experiment.seed, 0).indices
    return score(stages.classifier, stages.rows, rows).correct.all()


def test_equal_losses_plan_nothing_for_the_loss(stages_of):
    class Undecided:
        digest, learning_curve, gives, metrics = "undecided", None, "logits", ()

        def from_stored(self, scale):
            return lambda rows: np.zeros((len(rows), 10))

    result = PlanStudy(pilot=50, check_draws=0).answer(stages_of(classifier=Undecided(), design="without_replacement"))
    assert "loss/n" not in result.metrics
    assert "rows/n" not in result.metrics
    assert math.isfinite(result.metrics["accuracy/n"])
    assert "Nothing can be planned for the loss" in result.summary
    assert any("are equal" in note for note in result.notes)


def test_the_pilots_allowance_is_on_top_of_what_its_rows_say(stages_of):
    stages = stages_of(design="without_replacement")
    basis = from_pilot(stages, 300, 0.8)
    stricter = from_pilot(stages, 300, 0.95)
    for metric in ("loss", "accuracy"):
        assert 1 < basis.allowance[metric] < stricter.allowance[metric]


def test_the_hot_deck_gives_every_row_a_pilot_row_of_its_class_and_of_like_difficulty():
    scores = some_scores(900)
    frame = frame_of(scores)
    chosen = np.random.default_rng(3).choice(900, 90, replace=False)
    pilot = Scores(chosen.astype(float), scores.correct[chosen])
    donor = spread_out(pilot, chosen, frame, use_guess=True).loss.astype(int)
    assert set(donor) == set(chosen)
    np.testing.assert_array_equal(frame.labels[donor], frame.labels)
    difficulty = frame.guess().difficulty
    assert stats.spearmanr(difficulty, difficulty[donor]).statistic > 0.9


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"loss_within": 0.0}, r"study\.loss_within must be above 0"),
        ({"accuracy_within": -1.0}, r"study\.accuracy_within must be above 0"),
        ({"loss_within": math.inf}, r"study\.loss_within must be above 0 and finite"),
        ({"accuracy_within": math.nan}, r"study\.accuracy_within must be above 0"),
        ({"assurance": 1.0}, r"study\.assurance must be between 0 and 1"),
        ({"pilot": 29}, r"study\.pilot must be at least 30 rows"),
        ({"check_draws": -1}, r"study\.check_draws must be a whole number"),
    ],
)
def test_nonsense_is_refused_in_one_line(fields, words):
    with pytest.raises(BadInput, match=words) as refused:
        PlanStudy(**fields)
    assert "\n" not in str(refused.value)


def test_a_pilot_larger_than_the_population_or_that_tells_nothing_of_the_design_is_refused(stages_of):
    with pytest.raises(BadInput, match=r"study\.pilot must be at most the population's 1,000 rows; found 1,001"):
        PlanStudy(pilot=1001).check(stages_of())
    for design in ("systematic", "importance"):
        with pytest.raises(BadInput, match=rf"study\.pilot must go with .* found sampling={design}"):
            PlanStudy(pilot=100).check(stages_of(design=design))


def test_a_plan_for_the_world_beyond_is_refused(stages_of):
    stages = stages_of()
    stages.experiment.interval.target = "superpopulation"
    with pytest.raises(BadInput, match=r"value of the population itself"):
        PlanStudy().check(stages)


@pytest.fixture
def predictions(tmp_path):
    """A model's logits, and the same rows as scores alone, of one kind or the other."""
    logits, _, labels = two_models()
    loss = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(ROWS), labels]
    right = logits.argmax(axis=1) == labels
    return {
        "logits": write(tmp_path / "logits.parquet", logits=logits, label=labels),
        "loss": write(tmp_path / "loss.parquet", loss=loss),
        "accuracy": write(tmp_path / "accuracy.parquet", correct=right),
        "values": {"loss": loss, "accuracy": right.astype(float)},
    }


def formula(values, within):
    n = (stats.norm.ppf(0.975) / within) ** 2 * values.var()
    return round(n / (1 + n / len(values)))


def planned(stages_of, path, *, memory=1 << 28, design="without_replacement", **fields):
    stages = stages_from(stages_of, path, fields={"memory": memory}, design=design)
    study = PlanStudy(**{**QUICK, **fields})
    study.check(stages)
    return study.answer(stages)


@pytest.mark.parametrize("memory", [1 << 28, 0])
def test_predictions_are_planned_by_the_formula_without_a_time_in_memory_and_streamed(stages_of, predictions, memory):
    result = planned(stages_of, predictions["logits"], memory=memory)
    wanted = {metric: formula(values, QUICK[f"{metric}_within"]) for metric, values in predictions["values"].items()}
    assert result.metrics == {
        "loss/n": wanted["loss"],
        "accuracy/n": wanted["accuracy"],
        "rows/n": max(wanted.values()),
    }
    assert "time" not in result.shown.headings
    assert not any("seconds" in column for column in result.tables["plan.csv"])
    assert result.summary.startswith(f"Label {max(wanted.values())} rows")
    keys = set(result.tables["plan.csv"]["design"])
    simple = {"with_replacement", "without_replacement", "epoch"}
    assert keys == simple if memory == 0 else keys > simple | {"stratified_confidence", "importance_entropy"}
    assert any("streamed from disk" in note for note in result.notes) == (memory == 0)


@pytest.mark.parametrize("memory", [1 << 28, 0])
@pytest.mark.parametrize("pilot", [None, 300])
@pytest.mark.parametrize("metric", ["loss", "accuracy"])
def test_scores_of_one_kind_plan_that_one_alone_and_say_so(stages_of, predictions, metric, pilot, memory):
    result = planned(stages_of, predictions[metric], pilot=pilot, memory=memory, check_draws=200)
    gone = "accuracy" if metric == "loss" else "loss"
    assert result.metrics["rows/n"] == result.metrics[f"{metric}/n"]
    assert not any(name.startswith(gone) for name in result.metrics)
    if pilot is None:
        assert result.metrics["rows/n"] == formula(predictions["values"][metric], QUICK[f"{metric}_within"])
        assert f"{metric}/within" in result.metrics
    assert "both" not in result.shown.headings
    assert {len(row) for row in [*result.shown.rows, *result.shown.footer]} == {len(result.shown.headings)}
    assert result.summary.startswith("Score ")
    assert f"the {gone}" not in result.summary
    assert len(result.figures["plan"].axes) == 1
    assert any(note.startswith(f"no {gone}: the rows have only") for note in result.notes)
    assert any("streamed" in note if memory == 0 else "found scores alone" in note for note in result.notes)


def test_the_curve_of_a_simple_design_is_the_formulas_at_every_size(stages_of, predictions):
    curves = planned(stages_of, predictions["accuracy"]).tables["plan_curves.csv"]
    own = curves[curves["design"] == "without_replacement"]
    n, variance = own["n"].to_numpy(), predictions["values"]["accuracy"].var()
    wanted = stats.norm.ppf(0.975) * np.sqrt(variance * (ROWS - n) / (ROWS - 1) / n)
    np.testing.assert_allclose(own["accuracy_within"], wanted, rtol=1e-9)
    assert len(n) > 20


@pytest.mark.parametrize("memory", [1 << 28, 0])
def test_a_pilot_from_a_file_has_the_same_plan_in_memory_and_streamed(stages_of, predictions, memory):
    result = planned(stages_of, predictions["logits"], pilot=300, memory=memory)
    chosen = SimplePlan(ROWS, 300).batch(0, 0).indices
    n = (stats.norm.ppf(0.975) / QUICK["accuracy_within"]) ** 2 * most_share_variance(
        int(predictions["values"]["accuracy"][chosen].sum()), 300, 0.8
    )
    assert result.metrics["accuracy/n"] == round(n / (1 + n / ROWS))
    assert result.metrics["accuracy/n"] > formula(predictions["values"]["accuracy"][chosen], 0.02)
    # What the predictions say of themselves is free, where they are in memory.
    keys = set(result.tables["plan.csv"]["design"])
    assert ("stratified_confidence" in keys) == (memory > 0)


def test_a_streamed_file_is_scored_before_a_run_and_has_simple_designs_alone(stages_of, predictions, tmp_path):
    logits, _, labels = two_models()
    logits[777, 1] = np.inf
    broken = write(tmp_path / "broken.parquet", logits=logits, label=labels)
    with pytest.raises(BadInput, match=r"found inf in row 777 of .*broken\.parquet"):
        PlanStudy().check(stages_from(stages_of, broken, fields={"memory": 0}))
    with pytest.raises(BadInput, match=r"must be of a simple design where rows are streamed .* sampling=stratified"):
        PlanStudy().check(stages_from(stages_of, predictions["logits"], fields={"memory": 0}, design="stratified"))


def test_a_design_with_units_of_its_own_stands_alone(stages_of):
    blocks = MEMBERS["blocks"](rows=20)
    stages = stages_of()
    units = blocks.units(stages.rows)
    own = dataclasses.replace(stages.frame, size=units.size, is_simple=False)
    stages = changed(stages, units=units, frame=own, sampling=blocks, plan=blocks.plan(own, 5))
    result = PlanStudy(**QUICK).answer(stages)
    assert result.tables["plan.csv"]["design"].tolist() == ["blocks_as_set"]
    assert result.summary.startswith(f"Evaluate {result.metrics['rows/n']:.0f} blocks with blocks, as set")
    assert not any(variant.sampling.name == "blocks" for variant in variants(stages_of()))


def test_the_design_that_needs_every_class_is_the_one_that_the_note_is_about(stages_of):
    result = PlanStudy(**QUICK).answer(stages_of(design="without_replacement"))
    by_class = [variant for variant in variants(stages_of()) if getattr(variant.sampling, "by", "") == "label"]
    (note,) = [note for note in result.notes if "needs the class of each row beforehand" in note]
    assert [note.startswith(variant.words) for variant in by_class] == [True]
    assert by_class[0].words in set(result.tables["plan.csv"]["words"])
