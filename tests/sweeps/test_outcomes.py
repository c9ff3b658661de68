"""Every outcome that is written is reported once."""

import threading

from pipeline.sweeps import outcomes
from pipeline.sweeps.outcomes import Outcome, OutcomeWatcher


def outcome(number):
    return Outcome(f"batch_size={number}", f"digest {number}", "failed", "ü: a line")


def test_outcomes_are_reported_once_while_the_watcher_runs_and_the_last_when_it_stops(tmp_path):
    reported, first = [], threading.Event()

    def report(found):
        reported.append(found)
        first.set()

    watcher = OutcomeWatcher(tmp_path, report)
    watcher.start()
    outcomes.write(tmp_path, 0, outcome(0))
    assert first.wait(30)
    outcomes.write(tmp_path, 11, outcome(11))
    watcher.stop()
    assert reported == [outcome(0), outcome(11)]


def test_a_file_that_is_not_written_to_the_end_is_not_read(tmp_path):
    outcomes.write(tmp_path, 3, outcome(3))
    (tmp_path / "outcomes" / ".4.json.abc").write_text('{"cell"')
    reported = []
    watcher = OutcomeWatcher(tmp_path, reported.append)
    watcher.start()
    watcher.stop()
    assert reported == [outcome(3)]


def test_a_sweep_whose_workers_wrote_nothing_reports_nothing(tmp_path):
    reported = []
    watcher = OutcomeWatcher(tmp_path, reported.append)
    watcher.start()
    watcher.stop()
    assert reported == []
