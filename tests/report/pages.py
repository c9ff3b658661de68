"""A page with everything that a page can have, and with names that mean harm."""

from pipeline.report.page import Fact, Page, Picture
from pipeline.report.result import Table

HARM = '<script>alert("x")</script>.csv'
SVG = (
    "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSI5MCIgaGVpZ2h0PSI0MCIvPg=="
)
WIDE = tuple(f"a heading of column {i}" for i in range(12))


def whole(name=HARM):
    """Return a page about data of that name."""
    return Page(
        title=f"evaluate {name} · a run of Batchscope",
        answer=f"Loss 0.124 nats [0.095, 0.177] ({name}).\nA second line of it.",
        tables=[Table(f"{name}, 3 rows", WIDE, [tuple(f"{i},{j}00" for i in range(12)) for j in range(3)], [WIDE])],
        said=[f"Held: the share of the draws ({name}).", "A conclusion."],
        pictures=[Picture("funnel", f"A title ({name})", f"What it shows ({name}).", SVG)],
        facts=[
            Fact("data", name),
            Fact("digest of the data", "0123456789abcdef" * 2, is_code=True),
            Fact("to repeat it", f"python -m pipeline run 'data.path={name}'", is_code=True),
        ],
    )
