"""Messages name arguments, not options."""

import pytest

from pipeline.errors import BadInput
from pipeline.face.messages import in_python


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("name it with data.classes=[a]", "name it with classes=[a]"),
        ("study.margin.loss must be", "loss must be"),
        ("a file data.parquet.gz is none", "a file data.parquet.gz is none"),
        ("interval.loss.cap must be, or study.loss_cap", "loss_cap must be, or loss_cap"),
        ("nothing of the kind", "nothing of the kind"),
    ],
)
def test_options_become_arguments(said, found):
    with pytest.raises(BadInput) as refused, in_python():
        raise BadInput(said)
    assert str(refused.value) == found
