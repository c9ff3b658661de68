"""What is told of a run that has left the values of its rows."""

from pipeline.records.recorded import RecordedRows


def test_equal_runs_are_equal_and_can_be_told_apart_by_their_id():
    one = RecordedRows("a", 0.0, "digits test", "mlp", "7c", True)
    assert one == RecordedRows("a", 0.0, "digits test", "mlp", "7c", True)
    assert one != RecordedRows("b", 0.0, "digits test", "mlp", "7c", True)
