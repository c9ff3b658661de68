"""A message is one line on standard error, whatever is in it."""

from pipeline.runtime.notice import note


def test_a_message_is_one_line_on_standard_error(capsys):
    note("made\nanew:  all of it")
    assert capsys.readouterr() == ("", "batchscope: made anew: all of it\n")


def test_what_a_name_holds_reaches_the_terminal_as_text_and_of_a_long_name_its_ends(capsys):
    note(f"found \x1b[2J[x].parquet and a{'b' * 5000}c")
    said = capsys.readouterr().err
    assert said == f"batchscope: found ?[2J[x].parquet and a{'b' * 79}…{'b' * 79}c\n"
