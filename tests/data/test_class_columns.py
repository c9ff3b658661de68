import pytest

from pipeline.data.class_columns import prediction_columns
from pipeline.data.formats.base import Column
from pipeline.errors import BadInput

NUMBER, LISTS = Column("f", None, "double"), Column("f", 3, "list<double>")


def found(names, *, gives="logits", named=None, classes=None, has_texts=False):
    columns = {name: LISTS if name == gives else NUMBER for name in names}
    return prediction_columns(columns, gives, named, "FILE", classes, has_texts=has_texts)


FOUND = {
    "a list": (["logits", "logit_0"], {}, ("logits", ("logits",))),
    "by number": (["logit_1", "logit_0"], {}, ("logit", ("logit_0", "logit_1"))),
    "by class, as stored": (["logit_dog", "logit_cat"], {}, ("logit", ("logit_dog", "logit_cat"))),
    "by class, as given": (
        ["logit_dog", "logit_cat"],
        {"classes": ["cat", "dog"]},
        ("logit", ("logit_cat", "logit_dog")),
    ),
    "stars beside texts": (["logit_1", "logit_2"], {"has_texts": True}, ("logit", ("logit_1", "logit_2"))),
    "numbers beside texts": (["logit_1", "logit_0"], {"has_texts": True}, ("logit", ("logit_0", "logit_1"))),
    "something that begins alike": (["logit_scale"], {}, ("", ())),
    "a stem of one's own": (["z_0", "z_1"], {"named": "z"}, ("z", ("z_0", "z_1"))),
    "nothing": (["a"], {}, ("", ())),
}


@pytest.mark.parametrize(("names", "asked", "expected"), FOUND.values(), ids=list(FOUND))
def test_columns_of_classes_are_found(names, asked, expected):
    assert found(names, **asked) == expected


@pytest.mark.parametrize(
    ("names", "asked", "says"),
    [
        (["logit_1", "logit_2"], {}, r"FILE must have a column a class, from logit_0 on; found no logit_0"),
        (
            ["logit_cat", "logit_dog"],
            {"classes": ["cat", "owl"]},
            r"a column logit_CLASS for each .* found no logit_owl",
        ),
        (["logit_0"], {"named": "z"}, r"data\.logits=z must be a column of FILE, or the stem of z_0, z_1"),
    ],
)
def test_what_is_asked_for_and_is_not_there_is_refused(names, asked, says):
    with pytest.raises(BadInput, match=says):
        found(names, **asked)
