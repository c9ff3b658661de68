"""What makes a cell and a sweep the same as before, and that the quick way to compose cells is Hydra's own."""

import numpy as np
import pandas as pd
import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode

from pipeline import config
from pipeline.cell.identity import cell_digest, content_of
from pipeline.errors import BadInput
from pipeline.sweeps.request import _Composer, compose_request, refuse_long_lists


@pytest.fixture
def asking():
    """A function from the overrides of a sweep to what it asks for."""
    config.register()
    with initialize_config_dir(config_dir=config.CONF, version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()

        def master(*lines):
            return loader.load_configuration("config", list(lines), run_mode=RunMode.MULTIRUN)

        yield lambda *lines: compose_request(master(), loader, list(lines)), lambda: _Composer(master(), loader)


SWEEPS = {
    "numbers": [["batch_size=3", "draws=5"], ["batch_size=7", "draws=5"], ["batch_size=7", "draws=9"]],
    "texts": [["tracking.experiment='a,b'", "seed=1"], ["tracking.experiment=c", "seed=2"]],
    "nothing": [["data.group=null", "batch_size=3"], ["data.group=writer", "batch_size=4"]],
    "groups": [["sampling=with_replacement", "batch_size=3"], ["sampling=stratified", "batch_size=3"]],
    "groups and numbers": [
        ["interval/loss=t", "batch_size=3"],
        ["interval/loss=t", "batch_size=4"],
        ["interval/loss=hall", "batch_size=3"],
        ["interval/loss=hall", "batch_size=4"],
    ],
    "added": [["++batch_size=3", "seed=1"], ["++batch_size=4", "seed=1"]],
    "dictionaries": [["data.sweep_sizes={test: '1,2'}"], ["data.sweep_sizes={train: '3'}"]],
    "experiments": [["+experiment=compare", "batch_size=3"], ["+experiment=compare", "batch_size=4"]],
}


@pytest.mark.parametrize("cells", SWEEPS.values(), ids=SWEEPS)
def test_cells_composed_from_one_another_are_what_hydra_composes_from_nothing(asking, cells):
    together = asking[1]()
    for overrides in cells:
        assert together.experiment(overrides) == asking[1]().experiment(overrides)


def test_a_sweep_that_is_given_more_values_stays_the_same_sweep(asking):
    ask, _ = asking
    small, large = ask("batch_size=10,20", "draws=5"), ask("batch_size=5,10,20,40", "draws=5")
    assert small.digest == large.digest == ask("batch_size=10", "draws=5").digest
    assert {cell.digest for cell in small.cells} < {cell.digest for cell in large.cells}
    designs = "sampling=with_replacement,without_replacement"
    assert ask("batch_size=20", designs).digest == ask("batch_size=20,30", f"{designs},systematic").digest


@pytest.mark.parametrize(
    "other", ["draws=6", "seed=1", "sampling=stratified", "interval/loss=t", "data.split=train", "model.seed=1"]
)
def test_what_shapes_the_results_makes_another_sweep_of_other_cells(asking, other):
    ask, _ = asking
    one, two = ask("batch_size=20,40"), ask("batch_size=20,40", other)
    assert one.digest != two.digest
    assert not {cell.digest for cell in one.cells} & {cell.digest for cell in two.cells}


def test_what_shapes_no_result_leaves_everything_the_same(asking):
    ask, _ = asking
    one, two = ask("batch_size=10,20"), ask("batch_size=20,10,10", "force=true", "tracking.experiment=elsewhere")
    assert one.digest == two.digest
    assert [cell.digest for cell in one.cells] == [cell.digest for cell in two.cells][::-1]


KINDS = ("data", "weights", "column", "checkpoint")


@pytest.mark.parametrize("what", KINDS)
def test_files_count_by_their_content_and_not_by_their_place(asking, tmp_path, what):
    ask, _ = asking

    def lines(folder, seed):
        folder.mkdir()
        changing = np.random.default_rng(seed)
        rng = {kind: changing if kind == what else np.random.default_rng(7) for kind in KINDS}
        inputs = rng["data"].random((40, 4))
        np.savez(folder / "data.npz", x=inputs, t=np.arange(40) % 3, hard=rng["column"].random(40))
        np.savez(folder / "weights.npz", W1=rng["weights"].random((4, 3)), b1=np.zeros(3))
        # Named by the user, and in a figure's title: so its place counts too.
        np.savez(tmp_path / "other.npz", W1=rng["checkpoint"].random((4, 3)) + 1, b1=np.zeros(3))
        found = ["data=npz", f"data.path={folder}/data.npz", "model=npz", f"model.path={folder}/weights.npz"]
        if what == "column":
            found += ["proxy=column", "proxy.column=hard"]
        if what == "checkpoint":
            found += ["study=landscape", "study/direction=checkpoint", f"study.direction.path={tmp_path}/other.npz"]
        return [*found, "batch_size=10,20"]

    digests = [
        {cell.digest for cell in ask(*lines(tmp_path / name, seed)).cells}
        for name, seed in [("a", 1), ("b", 1), ("c", 2)]
    ]
    assert digests[0] == digests[1]
    assert not digests[0] & digests[2]


def test_a_sweep_must_ask_one_question_of_one_store_in_listed_values(asking):
    ask, _ = asking
    with pytest.raises(BadInput, match="must ask one question"):
        ask("study=evaluate,plan")
    for lines in ("tracking.experiment=a,b", "force=true,false"):
        with pytest.raises(BadInput, match="must go to one store"):
            ask(lines)
    with pytest.raises(BadInput, match=r"data\.inputs must be one value; found a,b, .* write \"data\.inputs='a,b'\""):
        ask("data.inputs=a,b")
    with pytest.raises(BadInput, match="must list its values"):
        ask("batch_size=interval(1,10)")


def test_cells_that_would_keep_labels_in_one_folder_are_refused_and_cells_with_their_own_are_not(asking, tmp_path):
    for name, first in (("a", 0.0), ("b", 1.0)):
        frame = pd.DataFrame({"id": range(40), "logit_x": np.arange(40) + first, "logit_y": np.arange(40.0)[::-1]})
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    common = ("study=label", "data=predictions", "study.labels=python ask.py")
    with pytest.raises(BadInput, match=r"folders of their own; found .*a\.csv\.labels for two of them: start each by"):
        asking[0](*common, f"data.path={tmp_path / 'a.csv'}", "seed=0,1")
    both = ",".join(str(tmp_path / f"{name}.csv") for name in "ab")
    for lines, count in (((f"data.path={both}",), 2), ((f"data.path={tmp_path / 'a.csv'}", "seed=0,0"), 1)):
        assert len(asking[0](*common, *lines).cells) == count
    # Rows that have labels keep none.
    assert len(asking[0]("study=label", "seed=0,1").cells) == 2


def test_the_digest_of_a_sweeps_cell_is_that_of_the_cell_itself(asking):
    for cell in asking[0]("batch_size=10,20").cells:
        assert cell.digest == cell_digest(cell.experiment, content_of(cell.experiment.prepare()))


@pytest.mark.parametrize(
    ("n", "sizes"),
    [(1, [1]), (200, [1, 3, 10, 30, 100, 200]), (1000, [1, 3, 10, 30, 100, 300, 1000])],
)
def test_sizes_that_suit_the_population_go_from_one_row_to_all(asking, tmp_path, n, sizes):
    path = tmp_path / "scores.parquet"
    pd.DataFrame({"correct": np.arange(n) % 2 == 0}).to_parquet(path)
    asked = asking[0]("batch_size=auto", "data=predictions", f"data.path={path}", "seed=1,2")
    assert sorted({cell.experiment.batch_size for cell in asked.cells}) == sizes


def test_cells_that_differ_in_numbers_share_their_parts(asking):
    composer = asking[1]()
    first, second = (composer.experiment([f"batch_size={size}", "draws=5"]) for size in (3, 7))
    assert (first.batch_size, second.batch_size, second.draws) == (3, 7, 5)
    assert first.data is second.data
    assert second == asking[1]().experiment(["batch_size=7", "draws=5"])
    with pytest.raises(BadInput, match="batch_size must be a whole number of at least 1; found -2"):
        composer.experiment(["batch_size=-2", "draws=5"])


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["seed=range(200)", "batch_size=range(1,200)"], r"39,800 \(200 of seed × 199 of batch_size\)"),
        (["seed=range(1000000000)"], r"more than 20,000 \(20,000 of seed and more\)"),
        ([f"{key}=range(1,1001)" for key in ("seed", "batch_size", "draws")], r"1,000,000,000 "),
    ],
)
def test_more_cells_than_can_be_checked_are_refused_before_they_are_listed(asking, lines, found):
    with pytest.raises(BadInput, match=rf"a sweep must have at most 20,000 cells; found {found}"):
        asking[0](*lines)


def test_a_list_that_is_too_long_is_refused_before_hydra_reads_it():
    listed = ",".join(map(str, range(1, 100_001)))
    with pytest.raises(
        BadInput, match=r"at most 20,000 cells; found more than 20,000 \(20,000 of batch_size and more\)"
    ):
        refuse_long_lists(["draws=5", f"batch_size={listed}"])
    # 20,000 values are a sweep, and one value may be a list.
    refuse_long_lists(
        ["batch_size=" + ",".join(map(str, range(20_000))), f"data.inputs=[{listed}]", f"data.path='{listed}'"]
    )
