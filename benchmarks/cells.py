"""Sweeps of many cells: whether the last ones cost more than the first, what the master keeps, and the check."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode

from benchmarks.measuring import Row, Size
from benchmarks.processes import Commands, commands
from pipeline import config
from pipeline.sweeps.request import compose_request

REFUSED = 100_000
# The system takes no argument of more than 128 KiB.
LISTED = 65_000
# Runs a module as -m does, and notes at each outcome the processor's seconds and the resident memory in bytes. It is
# written at once, for a fork has no end at which Python could write it.
_NOTED = """
import os, pathlib, runpy, sys, time
noted = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
module = sys.argv[2]
sys.argv[:] = sys.argv[2:]
def note(event, arguments):
    if event == "os.rename" and "/outcomes/" in str(arguments[1]):
        resident = int(pathlib.Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) * 1024
        os.write(noted, f"{time.perf_counter()} {time.process_time()} {resident}\\n".encode())
sys.addaudithook(note)
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class Form:
    """How many cells are carried out, how many of them are compared at each end, and how many are only checked."""

    cells: int
    part: int
    checked: int


FULL, SMALL = Form(1_000, 100, 10_000), Form(6, 2, 20)


def rows(size: Size) -> Iterator[Row]:
    """Yield the ratios of the last cells to the first, and the others to what they may take."""
    form, run = SMALL if size == "small" else FULL, commands(size)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "mlruns")
        home.mkdir()
        run.prepare(home)
        yield from _many(run, home, form)
    yield from _checked(form)
    with tempfile.TemporaryDirectory() as folder:
        yield from _refused(run, Path(folder))


def _many(run: Commands, home: Path, form: Form) -> Iterator[Row]:
    path = home.with_name("noted")
    # The size 1 is finished already: the network was trained by it. In disorder, because a larger batch takes longer.
    sizes = np.random.default_rng(0).permutation(np.arange(2, form.cells + 2))
    asked = ("--multirun", "draws=1", f"batch_size={','.join(map(str, sizes))}")
    run.run("-c", _NOTED, str(path), "pipeline", *asked, home=home)
    noted = [list(map(float, line.split())) for line in path.read_text(encoding="utf-8").splitlines()]
    if len(noted) < form.cells:
        raise RuntimeError(f"every cell must have an outcome; found {len(noted)} of {form.cells}")
    what = f"{form.cells:,} cells with next to no work"
    for i, kind in enumerate(("time", "time of the processor")):
        first, last = noted[form.part][i] - noted[0][i], noted[-1][i] - noted[-1 - form.part][i]
        yield Row(f"{what}: {kind} of the last {form.part} / of the first {form.part}", last / first, 1.2)
    grown = noted[-1][2] - noted[0][2]
    yield Row(f"{what}: memory of the master grows by {grown / 1e6:.1f} MB / 50 MB", max(grown, 1.0) / 50e6, 1.0)


def _checked(form: Form) -> Iterator[Row]:
    config.register()
    with initialize_config_dir(config_dir=config.CONF, version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration("config", [], run_mode=RunMode.MULTIRUN)
        # The network is trained before.
        compose_request(master, loader, ["batch_size=1"])
        for how, values in (("a range", f"range(1,{form.checked + 1})"), ("a list", _listed(form.checked))):
            start = time.perf_counter()
            compose_request(master, loader, ["draws=1", f"batch_size={values}"])
            seconds = time.perf_counter() - start
            yield Row(f"checking {form.checked:,} cells, given as {how} / 20 s", seconds / 20, 1.0)


def _refused(run: Commands, home: Path) -> Iterator[Row]:
    for what, values in (
        (f"a range of {REFUSED:,} cells", f"range(1,{REFUSED + 1})"),
        (f"a list of {LISTED:,} cells", ",".join(["1"] * LISTED)),
    ):
        start, said = time.perf_counter(), ""
        try:
            run.run("-m", "pipeline", "--multirun", f"batch_size={values}", home=home)
        except RuntimeError as error:
            said = str(error)
        if "at most 20,000 cells" not in said:
            raise RuntimeError(f"{what} must be refused; found {said[-200:] or 'none'}")
        yield Row(f"{what} refused in one line / 10 s", (time.perf_counter() - start) / 10, 1.0)


def _listed(n: int) -> str:
    return ",".join(map(str, range(1, n + 1)))
