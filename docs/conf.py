"""Sphinx's configuration: ``make docs`` builds the site."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

project = "Batchscope"
extensions = ["myst_parser"]
# A program, and the README's pictures are not pages.
exclude_patterns = ["_build"]
myst_enable_extensions = ["dollarmath"]
# A line of text may begin with "% of all rows".
myst_disable_syntax = ["myst_line_comment"]
myst_heading_anchors = 4
nitpicky = True
html_theme = "furo"
html_title = "Batchscope"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
# Indented blocks are commands and what they print.
highlight_language = "text"
html_math_renderer = "mathml"

_LOADED = re.compile(
    r"<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=\"(?:https?:)?//|@import|url\(\s*['\"]?https?://"
)


def _inline(translator: HTML5Translator, node: nodes.math) -> None:
    translator.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def _block(translator: HTML5Translator, node: nodes.math_block) -> None:
    # Wide formulas scroll by themselves on a phone.
    translator.body.append(f'<div class="formula">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def _warn_of_outside(app: Sphinx, error: Exception | None) -> None:
    """Warn of a page that loads something from elsewhere, which is an error with ``-W``."""
    if error is not None:
        return
    for path in sorted(Path(app.outdir).rglob("*")):
        if path.suffix in {".html", ".css"} and (found := _LOADED.search(path.read_text(encoding="utf-8"))):
            logging.getLogger(__name__).warning("%s loads from outside: %s", path.name, found[0])


def setup(app: Sphinx) -> None:
    """Give Sphinx a renderer of formulas that needs no script: MathML, made by docutils."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    app.connect("build-finished", _warn_of_outside)
