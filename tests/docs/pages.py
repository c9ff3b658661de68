"""README and the pages of docs/, as the tests read them: prose, links, headings and commands."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Shorthands that a page states for itself.
SHORTHANDS = {"MNIST": "data=mnist data.root=FOLDER", "BOOK": "model=npz model.path=weights.npz"}
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^(?: {4}.*)?\n)+", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Command:
    """A command of ours in a page, cut into words."""

    page: str
    text: str

    @property
    def words(self):
        return shlex.split(self.text, comments=True)


def blocks_of(text):
    """Return the code blocks: indented by four spaces, or fenced."""
    fenced = [block.split("\n", 1)[1].removesuffix("```") for block in _FENCE.findall(text)]
    indented = [block.group() for block in _INDENTED.finditer(_FENCE.sub("", text)) if block.group().strip()]
    return fenced + indented


def prose_of(text):
    """Return the text without its code."""
    for block in (_FENCE, _INDENTED):
        text = block.sub("\n", text)
    return _CODE.sub("", text)


def links_of(text):
    """Return the targets of the links and pictures, but for those of other sites."""
    return [target for target in _LINK.findall(prose_of(text)) if not re.match(r"[a-z]+:", target)]


def anchors_of(text):
    """Return the anchors that the headings get, by the rule that GitHub and MyST share."""
    headings = re.findall(r"^#{1,6} (.+)$", _INDENTED.sub("\n", _FENCE.sub("", text)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands_of(page, text):
    """Return the commands of ours: a line of a code block, or inline code with arguments.

    A text with an ellipsis is a pattern and no command. Words in capitals (FILE, FOLDER, HOST, ID) stand for a value
    and are composed as they are, but for `SHORTHANDS`.
    """
    lines = [line.strip() for block in blocks_of(text) for line in re.sub(r"\\\n", " ", block).splitlines()]
    inline = [code for code in _CODE.findall(_FENCE.sub("", text)) if " " in code]
    for name, words in SHORTHANDS.items():
        lines, inline = ([re.sub(rf"\b{name}\b", words, line) for line in group] for group in (lines, inline))
    found = [
        line for line in [*lines, *inline] if re.match(r"(make [a-z]|python -m pipeline\b|batchscope [a-z])", line)
    ]
    return [Command(page, line) for line in found if "…" not in shlex.join(shlex.split(line, comments=True))]
