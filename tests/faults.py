"""Make real faults, and write into docs/reliability.md what they cost: ``python -m tests.faults`` (``make faults``).

Each test that is marked ``fault`` makes one, starts again, and fails unless every cell is there once, finished and with
the tables that an undisturbed sweep has. So the table says "nothing" only of faults that were made and passed.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reliability.md"
BEGIN, END = "<!-- made by make faults -->", "<!-- end -->"
# In how many ways each test is made, for how long a lock is held (seconds), and how many damaged files a reader gets.
FULL = {"BATCHSCOPE_KILLS": "25", "BATCHSCOPE_LOCK_SECONDS": "60", "BATCHSCOPE_FUZZ": "10000"}


class Faults:
    """A plug-in of pytest that counts the faults that passed, by what they are and by whom they befell.

    That is the test's parameter of the mark's name `by`: a launcher, an engine or a reader; basic where it has none.
    """

    def __init__(self) -> None:
        self.made: Counter[tuple[str, str]] = Counter()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
        """Count a fault whose test passed."""
        report = (yield).get_result()
        mark = item.get_closest_marker("fault")
        if mark is not None and report.when == "call" and report.passed:
            given = getattr(item, "callspec", None)
            whom = given.params.get(mark.kwargs.get("by", "launcher"), "basic") if given else "basic"
            self.made[mark.args[0], str(whom)] += int(mark.kwargs.get("times", 1))


def table(made: Counter[tuple[str, str]], page: str = "") -> str:
    """Return the table of the faults that were made, in Markdown, below those of the page that were not made anew."""
    head = ["| fault | launchers, engines or readers | how often | what was lost |", "| --- | --- | --- | --- |"]
    before = [line for line in page.partition(BEGIN)[2].partition(END)[0].splitlines() if line.startswith("|")]
    lines = {line.split(" | ")[0]: line for line in before if line not in head}
    for fault in dict.fromkeys(what for what, _ in made):
        whom = {each: number for (what, each), number in made.items() if what == fault}
        lines[f"| {fault}"] = f"| {fault} | {', '.join(whom)} | {sum(whom.values()):,} | nothing |"
    return "\n".join([*head, *lines.values()])


def written(page: str, made: str) -> str:
    """Return the page with this table between its two marks."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{made}\n\n{END}{tail}"


def main() -> int:
    """Make the faults, all or those that the arguments of pytest choose; write their rows if every one passed."""
    for key, value in FULL.items():
        os.environ.setdefault(key, value)
    counted = Faults()
    status = int(
        pytest.main(["-n", "0", "-m", "fault", "-q", str(PAGE.parents[1] / "tests"), *sys.argv[1:]], [counted])
    )
    page = PAGE.read_text(encoding="utf-8")
    made = table(counted.made, page)
    print(made)
    if status == 0:
        PAGE.write_text(written(page, made), encoding="utf-8")
        print(f"Written to {PAGE.relative_to(PAGE.parents[1])}.")
    return status


if __name__ == "__main__":
    sys.exit(main())
