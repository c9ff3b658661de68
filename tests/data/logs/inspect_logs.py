"""Logs of Inspect, made by inspect_ai.eval itself."""

import json
import subprocess
import sys

# Sample i is answered with i in epoch 1, and with i + 1 in epoch 2; the right answer is 3 throughout. A process of its
# own, since Inspect leaves streams open. No model is called: to count tokens, mockllm would download a tokenizer.
SCRIPT = """
import json, sys
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score, accuracy, includes, match, scorer
from inspect_ai.solver import solver

@solver
def told(*, failing=False):
    async def solve(state, generate):
        if failing and state.sample_id == 4:
            raise ValueError("no answer")
        state.output = ModelOutput.from_content("mockllm/model", str(state.sample_id + state.epoch - 1))
        return state
    return solve

@scorer(metrics=[accuracy()])
def letters():
    async def score(state, target):
        return Score(value="NIPCCI"[state.sample_id - 1])
    return score

samples = [
    Sample(input="?", target="3", id=i, metadata={"subject": "ab"[i % 2], "level": i, "tags": []}) for i in range(1, 7)
]
tasks = {
    "plain": dict(scorer=match()),
    "text": dict(scorer=match(), log_format="json"),
    "two": dict(scorer=[match(), includes()], epochs=2),
    "partial": dict(scorer=letters()),
    "failed": dict(scorer=match(), solver=told(failing=True)),
    "tolerant": dict(scorer=match(), solver=told(failing=True), fail_on_error=False),
    "unscored": dict(scorer=match(), score=False),
    "bare": dict(scorer=match(), log_samples=False),
}
found = {}
for name, asked in tasks.items():
    running = {key: asked.pop(key) for key in ("log_format", "score", "log_samples") if key in asked}
    task = Task(dataset=samples, name=name, **{"solver": told(), **asked})
    [log] = eval(task, model="mockllm/model", log_dir=sys.argv[1], display="none", **running)
    found[name] = log.location
json.dump(found, open(sys.argv[1] + "/found.json", "w"))
"""


def write_logs(folder):
    """Evaluate tasks of six samples, and return the paths of their logs by the name of the task."""
    made = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)], capture_output=True, text=True, timeout=600, cwd=folder
    )
    assert made.returncode == 0, made.stderr
    return {
        name: folder / location.split("/")[-1]
        for name, location in json.loads((folder / "found.json").read_text()).items()
    }
