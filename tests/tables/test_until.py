from pipeline.study.until import Look
from pipeline.tables import until


def look(n):
    return Look(n, {"loss": 0.2, "accuracy": 0.93}, {"loss": 0.1, "accuracy": 0.9}, {"loss": 0.4, "accuracy": 0.95})


def test_the_last_look_is_always_shown_and_of_many_only_some():
    shown = until.looks([look(n) for n in range(1, 101)], "x", {"loss": 0.1}).rows
    assert len(shown) <= 14
    assert shown[-1][0] == "100"
    assert shown[-1][1:] == ("0.2000 ± 0.1500", "0.100 – 0.400", "93.00 ± 2.50", "90.0 – 95.0")


def test_what_was_asked_stands_below():
    table = until.looks([look(7)], "x", {"accuracy": 0.02})
    assert table.footer == [("asked", "not asked", "", "± 2", "")]


def test_the_sentence_says_where_it_stopped_and_what_was_saved():
    metrics = {
        "rows/evaluated": 1234.0, "rows/saved": 8766.0, "rows/share": 0.1234,
        "loss/mean": 0.2, "loss/low": 0.1, "loss/high": 0.4,
        "accuracy/mean": 0.93, "accuracy/low": 0.9, "accuracy/high": 0.95,
    }  # fmt: skip
    said = until.summary(metrics, is_enough=True, unit="row", n=1234)
    assert said.startswith("Stopped after 1,234 of 10,000 rows (12.3 %): loss 0.2000 (0.1000 to 0.4000) nats")
    assert said.endswith("8,766 rows did not have to be evaluated.")
    assert until.summary(metrics, is_enough=False, unit="group", n=50).startswith("Not within what was asked")
