"""The rules of the house: where a part stands, and who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import config

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "pipeline").rglob("*.py"))
HYDRA = ("pipeline/__main__.py", "pipeline/config.py", "pipeline/asked.py", "pipeline/sweep.py")

# The rooms in the order in which data flows; a room imports from rooms on its left alone (and from the common ones).
FLOW = ["logs", "loss", "accuracy", "stored", "data", "units", "sampling", "metric", "model", "judge", "scoring",
        "certainty", "engine",
        "score_file", "reused", "scored", "proxy", "frame", "joint", "moments", "sums",
        "interval", "draws", "enough", "paired", "plots", "tables", "study", "moved", "package", "parquet",
        "tracking", "environment", "experiment", "identity", "learning", "cell", "comparison", "report", "config",
        "arguments", "reproduce", "export", "asked", "outcomes", "conclusion", "sweep", "dashboard",
        "__main__"]  # fmt: skip
COMMON = {"records", "errors", "files", "address", "kept", "locks", "cores", "progress", "__init__"}


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names if node.module == "pipeline")


def room_of(path):
    parts = path.relative_to(ROOT / "pipeline").with_suffix("").parts
    return parts[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_named_rooms_import_hydra_mlflow_and_the_numeric_core_imports_numpy_alone(path):
    name = path.relative_to(ROOT).as_posix()
    outside = {module.split(".")[0] for module in imports_of(path)} - {"pipeline", "__future__"}
    if name not in HYDRA:
        assert not outside & {"hydra", "omegaconf"}
    # A model that MLflow logged is loaded by it: imported where it is needed alone.
    if name == "pipeline/model/mlflow.py":
        assert not [m for node in ast.parse(path.read_text()).body for m in imports_of_nodes(node) if "mlflow" in m]
    elif name != "pipeline/tracking.py":
        assert not {m for m in imports_of(path) if m.split(".")[0] == "mlflow"} - _for_types_only(path)
    if name in ("pipeline/loss.py", "pipeline/accuracy.py"):
        assert outside <= {"numpy", "typing"}


def _for_types_only(path):
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            found |= {name for inner in node.body for name in imports_of_nodes(inner)}
    return found


def imports_of_nodes(node):
    if isinstance(node, ast.ImportFrom) and node.module:
        return {node.module}
    return {name.name for name in node.names} if isinstance(node, ast.Import) else set()


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_follow_the_flow(path):
    room = room_of(path)
    if room in COMMON:
        wanted = [m for m in imports_of(path) if m.startswith("pipeline.")]
        assert {m.split(".")[1] for m in wanted} <= COMMON
        return
    types_only = _for_types_only(path)
    for module in imports_of(path):
        if not module.startswith("pipeline.") or module in types_only:
            continue
        other = module.split(".")[1]
        assert other in COMMON or FLOW.index(other) <= FLOW.index(room), f"{room} imports {other}, which comes after it"


@pytest.mark.parametrize("family", list(config.FAMILIES))
def test_every_part_has_one_file_and_one_yaml_of_its_name(family):
    for name, part in config.FAMILIES[family].items():
        assert (ROOT / "conf" / family / f"{name}.yaml").is_file()
        if family != "tracking":
            assert part.__module__ == f"pipeline.{family.replace('/', '.')}.{name}"
    yamls = {path.stem for path in (ROOT / "conf" / family).glob("*.yaml")}
    assert yamls == set(config.FAMILIES[family])


def test_importing_the_pipeline_stays_cheap():
    heavy = ["mlflow", "matplotlib", "sklearn", "pandas", "rich", "requests"]
    code = "import sys, pipeline.config, pipeline.sweep; print([m for m in sys.argv[1:] if m in sys.modules])"
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
