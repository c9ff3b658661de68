"""The exceptions whose message is the whole answer, and what of a file may stand in such a line."""

import pytest

from pipeline.errors import BadInput, Failed, brief, was_interrupted


def caused(error, by, *, as_context=False):
    """The error, raised because of another one, or while that one was handled."""
    try:
        try:
            raise by
        except BaseException as first:
            if as_context:
                raise error  # noqa: B904
            raise error from first
    except Exception as found:
        return found


def test_what_was_wrong_with_a_request_and_what_failed_are_different_kinds():
    assert issubclass(BadInput, ValueError)
    assert issubclass(Failed, RuntimeError)
    assert not issubclass(BadInput, Failed)
    assert not issubclass(Failed, BadInput)


@pytest.mark.parametrize("as_context", [False, True])
def test_an_interruption_is_found_behind_other_errors(as_context):
    inner = caused(OSError("a library gave up"), KeyboardInterrupt(), as_context=as_context)
    assert was_interrupted(KeyboardInterrupt())
    assert was_interrupted(inner)
    assert was_interrupted(caused(Failed("the result was not stored"), inner, as_context=as_context))


def test_without_one_nothing_was_interrupted():
    assert not was_interrupted(None)
    assert not was_interrupted(caused(Failed("late"), OSError("early")))


def test_a_short_text_is_shown_as_it_is():
    assert brief("weights.npz") == "weights.npz"
    assert brief(12) == "12"


def test_a_line_never_holds_a_line_break_or_a_terminal_command():
    shown = brief("a\nb\tc\r\x1b[2Jd\u202ee\x00")
    assert shown == "a b c ?[2Jd?e?"
    assert shown.isprintable()


@pytest.mark.parametrize("most", [12, 40, 120])
def test_a_long_text_is_cut_to_the_length_and_marked(most):
    shown = brief("word " * 1000, most=most)
    assert len(shown) <= most
    assert shown.endswith(" …")
    assert brief("x" * most, most=most) == "x" * most


def test_a_huge_value_is_not_gone_through_to_its_end():
    # Only its first 1,200 characters are looked at.
    assert brief(" " * 1200 + "end") == ""
