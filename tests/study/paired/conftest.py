import pytest

from pipeline.study.paired.other_file import other_of
from pipeline.study.paired.predictions import pair_of
from tests.study.predicted import stages_from, two_models, write

FIRST, SECOND, LABELS = two_models()


@pytest.fixture
def paired(stages_of, tmp_path, monkeypatch):
    """A function from the two tables' columns to the pair of scores, as a comparison makes it."""
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "mlruns"))

    def pair(first=None, second=None, *, columns=None, **fields):
        ours = write(tmp_path / "a.parquet", **({"label": LABELS, "logits": FIRST} if first is None else first))
        theirs = write(tmp_path / "b.parquet", **({"label": LABELS, "logits": SECOND} if second is None else second))
        stages = stages_from(stages_of, ours, fields=fields)
        return pair_of(stages, other_of(stages.experiment.data, theirs, columns or {}))

    return pair
