"""The rules of the house: where a part stands, and which wing may import which."""

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from pipeline import config

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "pipeline"
MODULES = sorted(PACKAGE.rglob("*.py"))
ROOT_MODULES = {"__init__", "__main__", "experiment", "loss", "accuracy", "errors"}
HYDRA = ("pipeline/__main__.py", "pipeline/config/", "pipeline/sweeps/")

# A wing (a folder of pipeline/, or a module at its root) and the wings it may import; data flows from the top down.
MAY_IMPORT = {
    "errors": "",
    "loss": "",
    "accuracy": "",
    "records": "errors",
    "runtime": "errors",
    "data": "accuracy errors records runtime",
    "sampling": "errors records runtime",
    "metric": "accuracy errors loss records",
    "model": "accuracy data errors loss records runtime sampling tracking",
    "scoring": "accuracy data errors loss metric model records runtime",
    "engine": "errors records runtime scoring",
    "proxy": "data errors model records runtime sampling scoring",
    "interval": "errors metric records runtime sampling",
    "estimation": "errors interval metric records runtime sampling",
    "report": "metric records runtime",
    "plots": "metric records report",
    "tracking": "errors records runtime",
    "experiment": "accuracy data engine errors estimation interval loss metric model proxy records report runtime "
    "sampling scoring tracking",
    "study": "accuracy data errors estimation experiment interval loss metric model plots proxy records "
    "report runtime sampling scoring",
    "cell": "errors experiment plots records report runtime tracking",
    "config": "data engine errors experiment interval metric model proxy report runtime sampling study "
    "tracking",
    "sweeps": "cell config errors experiment metric plots records report runtime study tracking",
    "commands": "cell config errors experiment report runtime scoring tracking",
    "face": "commands errors estimation interval metric plots records report sampling scoring study",
    "__main__": "cell commands config errors report runtime sweeps",
    "__init__": "",
}  # fmt: skip
MOST_FLOORS, MOST_ARROWS = 11, 150


def imports_of(path):
    """Yield (node, dotted name) of every import; those of this package from ``pipeline`` downwards."""
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            at = [*package[: len(package) - node.level + 1]] if node.level else []
            base = ".".join([*at, *([node.module] if node.module else [])])
            yield from ((node, f"{base}.{name.name}") for name in node.names)


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def wing_of(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def _for_types_only(path):
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            found |= {
                inner.lineno for statement in node.body for inner in ast.walk(statement) if hasattr(inner, "lineno")
            }
    return found


@cache
def arrows(types_too=True):
    """The wings that each wing imports."""
    found = {}
    for path in MODULES:
        wing = wing_of(module_of(path))
        others = found.setdefault(wing, set())
        types_only = set() if types_too else _for_types_only(path)
        for node, name in imports_of(path):
            if name.startswith("pipeline.") and node.lineno not in types_only and wing_of(name) != wing:
                others.add(wing_of(name))
    return found


def floors():
    graph = arrows()

    @cache
    def floor(wing):
        return 1 + max((floor(other) for other in graph[wing]), default=0)

    return max(map(floor, graph))


@pytest.mark.parametrize("wing", sorted({wing_of(module_of(path)) for path in MODULES}))
def test_a_wing_imports_only_the_wings_that_the_table_allows(wing):
    assert arrows()[wing] <= set(MAY_IMPORT[wing].split()), f"{wing} imports what MAY_IMPORT does not list"


def test_the_table_of_wings_lists_no_arrow_that_nobody_needs():
    assert {wing: set(others.split()) for wing, others in MAY_IMPORT.items()} == arrows()


def test_wings_make_no_circle_and_few_floors_and_arrows():
    assert list(TopologicalSorter(arrows()).static_order())
    assert floors() <= MOST_FLOORS
    assert sum(map(len, arrows().values())) <= MOST_ARROWS


def test_files_make_no_circle():
    modules = {module_of(path): path for path in MODULES}
    graph = {}
    for module, path in modules.items():
        types_only = _for_types_only(path)
        top = {node.lineno for node in ast.parse(path.read_text()).body}
        named = [name for node, name in imports_of(path) if node.lineno in top and node.lineno not in types_only]
        targets = {name if name in modules else name.rpartition(".")[0] for name in named}
        graph[module] = {target for target in targets if target in modules and target != module}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


def test_only_what_a_newcomer_reads_first_stands_at_the_root():
    assert {path.stem for path in PACKAGE.glob("*.py")} == ROOT_MODULES


def test_every_module_has_its_test_file_by_mirror():
    """The claims about pipeline/a/b.py stand in tests/a/test_b.py."""
    modules = [path.relative_to(PACKAGE) for path in MODULES if path.stem not in ("__init__", "__main__")]
    mirrors = [Path("tests") / module.with_name(f"test_{module.name}") for module in modules]
    assert [str(mirror) for mirror in mirrors if not (ROOT / mirror).is_file()] == []


def test_the_figures_in_the_design_page_are_those_measured():
    text = " ".join((ROOT / "DESIGN.md").read_text(encoding="utf-8").split())
    found = re.search(r"(\d+) wings and modules at the root, (\d+) arrows between them, (\d+) floors, no circle", text)
    assert found, "DESIGN.md must give the figures of the house"
    measured = (len(arrows()), sum(map(len, arrows().values())), floors())
    assert tuple(map(int, found.groups())) == measured


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_inside_the_package_are_relative(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            assert (node.module or "").split(".")[0] != "pipeline"
        elif isinstance(node, ast.Import):
            assert not [name.name for name in node.names if name.name.split(".")[0] == "pipeline"]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_named_wings_import_hydra_and_mlflow_and_the_numeric_core_imports_numpy_alone(path):
    name = path.relative_to(ROOT).as_posix()
    types_only = _for_types_only(path)
    outside = {(node.lineno, m.split(".")[0]) for node, m in imports_of(path)}
    used = {module for line, module in outside if line not in types_only} - {"pipeline", "__future__"}
    if not name.startswith(HYDRA):
        assert not used & {"hydra", "omegaconf"}
    # A model that MLflow logged is loaded by it: imported where it is needed alone.
    if name == "pipeline/model/mlflow.py":
        top = {node.lineno for node in ast.parse(path.read_text()).body}
        assert not [line for line, module in outside if module == "mlflow" and line in top]
    elif not name.startswith("pipeline/tracking/"):
        assert "mlflow" not in used
    if name in ("pipeline/loss.py", "pipeline/accuracy.py"):
        assert used <= {"numpy", "typing", "collections"}


@pytest.mark.parametrize("family", list(config.FAMILIES))
def test_every_part_has_one_file_and_one_yaml_of_its_name(family):
    for name, part in config.FAMILIES[family].items():
        assert (ROOT / "conf" / family / f"{name}.yaml").is_file()
        assert part.__module__ == f"pipeline.{family.replace('/', '.')}.{name}"
    yamls = {path.stem for path in (ROOT / "conf" / family).glob("*.yaml")}
    assert yamls == set(config.FAMILIES[family])


def test_importing_the_pipeline_stays_cheap():
    heavy = ["mlflow", "matplotlib", "sklearn", "pandas", "rich", "requests"]
    code = "import sys, pipeline.config, pipeline.sweeps; print([m for m in sys.argv[1:] if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    assert found.strip() == "[]"


def test_no_file_names_a_path_of_one_machine():
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT)
    if listed.returncode:
        pytest.skip("not a git checkout")
    homes = ["/" + folder + "/" for folder in ("root", "work", "home", "Users")]
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".png", ".npz"} or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        assert not [home for home in homes if f" {home}" in text or f'"{home}' in text], name
