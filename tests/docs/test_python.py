"""docs/python.ipynb runs, its outputs are not stored, and docs/python.md names what there is."""

import ast
import json
import re

import pytest
from matplotlib.figure import Figure

import pipeline as bs
from tests.docs.pages import ROOT, blocks_of

NOTEBOOK = json.loads((ROOT / "docs/python.ipynb").read_text(encoding="utf-8"))
CODE = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
PAGE = (ROOT / "docs/python.md").read_text(encoding="utf-8")


def test_the_cells_of_the_notebook_run_in_order_and_each_shows_its_answer():
    namespace = {}
    for cell in CODE[1:]:
        assert cell["source"], "a cell without code"
    for i, cell in enumerate(CODE):
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, f"cell {i}", "exec"), namespace)
        if last is not None:
            shown = eval(compile(ast.Expression(last.value), f"cell {i}", "eval"), namespace)
            assert isinstance(shown, Figure | tuple) or "<table>" in shown._repr_html_()
    assert {"found", "verdict", "plan", "sweep", "stopped"} <= set(namespace)


def test_the_notebook_stores_no_output():
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in CODE)


@pytest.mark.parametrize("text", [PAGE, "".join("".join(cell["source"]) for cell in CODE)], ids=["page", "notebook"])
def test_only_names_that_there_are_are_named(text):
    assert set(re.findall(r"\bbs\.(\w+)", text)) <= set(bs.__all__)


def test_the_page_names_every_function_and_its_code_is_python():
    functions = {name for name in bs.__all__ if name.islower()}
    assert functions <= set(re.findall(r"`bs\.(\w+)`", PAGE))
    for block in blocks_of(PAGE):
        ast.parse(block.replace("margin=…", "margin={}"))
