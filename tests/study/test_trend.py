"""The study of a model over weeks: from files to the alarm, the table, the picture and the exit status."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.errors import BadInput
from pipeline.study.trend import Trend
from tests.evaluation import changed
from tests.study.predicted import write
from tests.study.weeks import DAYS, stages_on, week, weeks

DROP = (0.96, 0.96, 0.96, 0.8, 0.8, 0.8)


def asked(stages, **fields):
    study = Trend(**fields)
    study.check(stages)
    return study, study.answer(stages)


def test_a_drop_raises_the_alarm_and_says_since_when(stages_of, tmp_path):
    paths = weeks(tmp_path, DROP)
    study, result = asked(stages_on(stages_of, paths[-1]), files=f"{tmp_path}/*.parquet")
    assert result.tags["alarm"] == DAYS[3]
    assert result.status == 3
    assert result.metrics["alarm"] == 1
    assert result.answer.startswith("Accuracy is ")
    assert f"lower in {DAYS[5]} than in the reference {DAYS[0]} (95 %: " in result.answer
    assert f"alarm at {DAYS[3]}, by the loss too: that file differs" in result.answer
    assert len(study.files) == 6


def test_without_a_change_there_is_no_alarm_and_status_0(stages_of, tmp_path):
    paths = weeks(tmp_path, (0.9,) * 5)
    _, result = asked(stages_on(stages_of, paths[0]), files=paths)
    assert (result.tags["alarm"], result.status, result.metrics["alarm"]) == ("none", 0, 0)
    assert result.answer.startswith("No change beyond chance in 5 files: accuracy is ")


def test_the_table_and_the_curves_hold_each_file_and_both_differences_against_scipy(stages_of, tmp_path):
    paths = weeks(tmp_path, DROP[2:5])
    _, result = asked(stages_on(stages_of, paths[0]), files=paths)
    frame = result.tables["trend.csv"]
    assert frame["file"].tolist() == list(DAYS[:3])
    assert frame["days"].tolist() == [0, 7, 14]
    losses = [stages_on(stages_of, path).scores()[0].loss for path in paths]
    for at, against, key in ((2, 0, "from_reference"), (2, 1, "from_before"), (1, 0, "from_before")):
        welch = stats.ttest_ind(losses[at], losses[against], equal_var=False).confidence_interval()
        own = frame.loc[at, [f"loss_{key}_low", f"loss_{key}_high"]].tolist()
        assert own == pytest.approx([welch.low, welch.high])
    logged = {(name, step): value for name, value, step in result.series}
    assert logged["accuracy/file", 7] == frame.loc[1, "accuracy"]
    assert logged["accuracy/look_p", 14] == frame.loc[2, "accuracy_p"]
    assert logged["date", 14] == 20261019
    assert ("accuracy/from_reference", 0) not in logged
    assert result.metrics["accuracy/difference"] == frame.loc[2, "accuracy_from_reference"]
    assert result.shown.rows[0][0] == "2026-10-05\n400 rows"
    assert [table.title.split(",")[0] for table in (result.shown, *result.further)] == ["Loss", "Accuracy"]


def test_another_reference_is_looked_at_first_whatever_its_date(stages_of, tmp_path):
    paths = weeks(tmp_path, (0.7, 0.95, 0.95, 0.95))
    _, result = asked(stages_on(stages_of, paths[0]), files=paths, reference=DAYS[2])
    frame = result.tables["trend.csv"]
    assert frame["reference"].tolist() == [False, False, True, False]
    assert frame["accuracy_p"].isna().tolist() == [False, False, True, False]
    assert result.tags["alarm"] == DAYS[0]
    by_name = Trend(files=paths, reference="2026-10-19.parquet").answer(stages_on(stages_of, paths[0]))
    pd.testing.assert_frame_equal(by_name.tables["trend.csv"], frame)


def test_data_without_a_date_are_the_latest_unless_they_are_a_copy_of_a_dated_file(stages_of, tmp_path):
    paths = weeks(tmp_path / "weeks", (0.9, 0.9))
    latest = week(tmp_path / "latest.parquet", 0.9, seed=9)
    _, result = asked(stages_on(stages_of, latest), files=paths)
    assert result.tables["trend.csv"]["file"].tolist() == [*DAYS[:2], "latest"]
    assert result.tables["trend.csv"]["days"].tolist() == [0, 7, 14]
    assert any("latest.parquet has no date" in note for note in result.notes)
    copy = week(tmp_path / "latest.parquet", 0.9, seed=1)
    _, result = asked(stages_on(stages_of, copy), files=paths)
    assert result.tables["trend.csv"]["file"].tolist() == list(DAYS[:2])


def test_data_that_are_a_link_to_one_of_the_files_are_that_file(stages_of, tmp_path):
    paths = weeks(tmp_path / "weeks", (0.9, 0.9))
    (tmp_path / "latest.parquet").symlink_to(paths[0])
    _, result = asked(stages_on(stages_of, str(tmp_path / "latest.parquet")), files=paths)
    assert result.tables["trend.csv"]["file"].tolist() == list(DAYS[:2])


def test_equal_rows_in_another_order_are_told_of(stages_of, tmp_path):
    paths = [week(tmp_path / f"{day}.parquet", 0.9, seed=seed) for day, seed in zip(DAYS[:3], (1, 2, 3), strict=True)]
    pd.read_parquet(paths[0]).sample(frac=1, random_state=0).to_parquet(paths[2])
    _, result = asked(stages_on(stages_of, paths[0]), files=paths)
    said = f"{DAYS[2]} holds the same rows as {DAYS[0]} in another order, and counts as if they were others"
    assert said in result.notes
    assert not any(f"{DAYS[1]} holds" in note for note in result.notes)


def test_equal_files_of_different_dates_are_told_of(stages_of, tmp_path):
    paths = [week(tmp_path / f"{day}.parquet", 0.9) for day in DAYS[:3]]
    _, result = asked(stages_on(stages_of, paths[0]), files=paths)
    assert f"{DAYS[2]} holds the same rows as {DAYS[0]}, and counts as if they were others" in result.notes


def test_files_with_names_alone_are_steps_by_their_order(stages_of, tmp_path):
    paths = [week(tmp_path / f"week_{i}.parquet", 0.9, seed=i) for i in (2, 10)]
    _, result = asked(stages_on(stages_of, paths[0]), files=paths)
    assert {step for _, _, step in result.series} == {0, 1}
    assert "days" not in result.tables["trend.csv"]
    assert not [name for name, _, _ in result.series if name == "date"]


def test_files_of_correctness_alone_have_one_table_and_all_of_alpha(stages_of, tmp_path):
    rng = np.random.default_rng(0)
    paths = [write(tmp_path / f"{day}.parquet", correct=rng.random(300) < 0.9) for day in DAYS[:3]]
    _, result = asked(stages_on(stages_of, paths[0]), files=paths)
    assert result.further == []
    assert "no loss: the rows have only whether each is right" in result.notes


def test_an_infinite_loss_has_no_test_and_the_accuracy_still_has_one(stages_of, tmp_path):
    paths = [
        write(
            tmp_path / f"{day}.parquet",
            probabilities=np.tile([1.0, 0.0], (200, 1)),
            label=(np.arange(200) < wrong).astype(int),
        )
        for day, wrong in zip(DAYS, (10, 12, 90), strict=False)
    ]
    _, result = asked(stages_on(stages_of, paths[0]), files=paths)
    assert result.tags["alarm"] == DAYS[2]
    assert "loss/p" not in result.metrics
    assert any(note.startswith("loss: no test, the loss is infinite in 2026-10-05") for note in result.notes)
    _, capped = asked(stages_on(stages_of, paths[0]), files=paths, loss_cap=10.0)
    assert capped.metrics["loss/p"] < 0.05
    assert "112 losses were above study.loss_cap=10 nats and count as it" in capped.notes


def test_the_content_of_every_file_is_in_the_digest(stages_of, tmp_path):
    paths = weeks(tmp_path, (0.9, 0.9))
    stages = stages_on(stages_of, paths[0])
    before = Trend(files=paths).content(stages)
    week(tmp_path / f"{DAYS[1]}.parquet", 0.9, seed=5, rows=401)
    after = Trend(files=paths).content(stages)
    assert before[0] == after[0]
    assert before[1] != after[1]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"loss_cap": 0.0}, "study.loss_cap must be above 0 nats and finite, or null; found 0.0"),
        ({"dates": "x"}, "study.dates must give files dates, such as study.dates={a.csv: 2026-10-05}; found 'x'"),
    ],
)
def test_wrong_values_are_refused(fields, line, tmp_path):
    (path,) = weeks(tmp_path, (0.9,))
    with pytest.raises(BadInput, match=re.escape(line)):
        Trend(files=path, **fields)


def test_one_file_alone_and_a_reference_that_is_none_are_refused(stages_of, tmp_path):
    paths = weeks(tmp_path, (0.9, 0.9))
    stages = stages_on(stages_of, paths[0])
    with pytest.raises(BadInput, match="must have at least two files; found one, 2026-10-05"):
        Trend(files=paths[0]).check(stages)
    with pytest.raises(BadInput, match="found '2026-01-01' for 0 of 2026-10-05, 2026-10-12: mend it"):
        Trend(files=paths, reference="2026-01-01").check(stages)


def test_a_model_or_groups_are_refused(stages_of, tmp_path):
    paths = weeks(tmp_path, (0.9, 0.9))
    with pytest.raises(BadInput, match="study=trend must have predictions, a file a date"):
        Trend(files=paths).check(stages_of())
    grouped = week(tmp_path / "2026-10-05.parquet", 0.9, g=np.arange(400) // 4)
    with pytest.raises(BadInput, match=r"leave (them|it) out"):
        Trend(files=paths).check(stages_on(stages_of, grouped, fields={"group": "g"}))


def test_a_higher_confidence_asks_for_more_evidence(stages_of, tmp_path):
    paths = weeks(tmp_path, (0.96, 0.96, 0.9))
    stages = stages_on(stages_of, paths[0])
    p = Trend(files=paths).answer(stages).metrics["accuracy/p"]
    assert 1e-4 < p < 0.5
    assert Trend(files=paths).answer(changed(stages, confidence=1 - 1.01 * p)).status == 3
    assert Trend(files=paths).answer(changed(stages, confidence=1 - 0.99 * p)).status == 0


def test_several_trends_are_listed_with_their_first_alarms():
    cells = pd.DataFrame({"seed": [0, 0], "group": ["a", "b"], "population": "x", "files": [3.0, 3.0]})
    read = pd.DataFrame(
        {
            "seed": 0,
            "group": ["a", "a", "b", "b"],
            "file": ["d1", "d2", "d1", "d2"],
            "alarm": [False, False, True, True],
        }
    )
    compared = Trend.compare(object.__new__(Trend), cells, lambda name: read)
    assert compared.shown[0].rows == [("a", "3", "none"), ("b", "3", "d1")]
    assert (compared.tags["alarm"], compared.status) == ("d1", 3)
    assert compared.summary == "1 of 2 trends has an alarm."


def test_the_command_ends_with_status_3_its_run_is_finished_and_a_sweep_of_it_is_reused(
    request_of, new_mlruns, tmp_path
):
    import mlflow

    weeks(tmp_path, (0.96, 0.7))
    mlruns = new_mlruns()
    asked = ("data=predictions", f"data.path={tmp_path}/{DAYS[0]}.parquet", f"study.files='{tmp_path}/*.parquet'")
    alone = request_of("trend", *asked, mlruns=mlruns)
    assert (alone.returncode, alone.stderr) == (3, "")
    assert alone.stdout.startswith("Accuracy is ")
    again = [request_of("--multirun", "study=trend", *asked, mlruns=mlruns) for _ in range(2)]
    assert [done.returncode for done in again] == [3] * 2
    assert "Nothing was evaluated: its cell is finished already" in again[1].stdout
    client = mlflow.MlflowClient(f"sqlite:///{mlruns}/mlflow.db")
    runs = client.search_runs([e.experiment_id for e in client.search_experiments()])
    # Beside the sweep's run for its curves.
    runs = [run for run in runs if run.data.tags["kind"] != "group"]
    assert len(runs) == 3
    assert {(run.info.status, run.data.tags["alarm"]) for run in runs} == {("FINISHED", DAYS[1])}
