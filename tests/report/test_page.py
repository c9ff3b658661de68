"""What stands on a page, and what is left out where it would be too much."""

from pipeline.report.page import Fact, Page, Picture, has_names, shortened, that_fit
from pipeline.report.result import Table


def test_the_words_of_a_page_are_all_that_is_read_and_not_what_is_to_be_copied():
    page = Page(
        "a title",
        "an answer",
        [Table("a table", ("two\nlines",), [("a cell",)], [("a footer",)])],
        "as text",
        ["a note"],
        [Picture("funnel", "its title", "its words", "data:,")],
        [Fact("seed", "7"), Fact("to repeat it", "make sweep", is_code=True)],
    )
    words = page.words()
    for text in (
        "a title",
        "an answer",
        "a table",
        "two lines",
        "a cell",
        "a footer",
        "as text",
        "a note",
        "its words",
    ):
        assert text in words
    assert "seed\n7" in words
    assert "make sweep" not in words


def test_a_long_table_keeps_its_first_rows_and_tells_how_many_are_gone():
    table = Table("t", ("n",), [(str(i),) for i in range(12)], [("all",)])
    short, left_out = shortened(table, 5)
    assert [row[0] for row in short.rows] == ["0", "1", "2", "3", "4"]
    assert short.footer == [("all",)]
    assert left_out == 7
    assert shortened(table, 12) == (table, 0)


def test_pictures_are_kept_in_order_for_as_long_as_there_is_room_and_a_small_one_after_a_large_one():
    made = [Picture(name, "", "", "x" * size) for name, size in (("a", 4), ("b", 10), ("c", 3))]
    assert [len(picture.uri) for picture in that_fit(made, 8)] == [4, 0, 3]
    assert [picture.name for picture in that_fit(made, 8)] == ["a", "b", "c"]
    assert that_fit(made, 17) == made


def test_a_first_column_of_figures_holds_no_names():
    assert not has_names(Table("t", ("batch",), [("1",), ("1,000",), ("-2",), ("±3",), ("∞",), ("",)]))
    assert has_names(Table("t", ("design",), [("1",), ("strata by class",)]))
