"""Renders Markdown: to HTML that is safe to put into a page, and to plain text for logs and mail.

Summaries are inline Markdown, bodies are blocks, both in GitHub's flavour. Raw HTML is shown as
text. nh3 also cleans the result, so that a fault of the parser does not harm the page.

No text is refused here. A text that is too large, too deep or too slow to render, as only a hostile
text is, comes out as it was written: escaped, and not formatted.
"""

from __future__ import annotations

import html
import re
import threading
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import table as parse_table
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from .plain import to_plain_text
from .visible import visible, visible_html

__all__ = ["plain_text", "render_block", "render_inline", "single_line"]

#: Characters of Markdown; a body on the wire has at most 32 KiB.
MAX_TEXT = 64 * 1024

#: Characters of HTML. A reference link repeats its address as often as it is used.
MAX_HTML = 1024 * 1024

#: Maximum nesting of quotes and lists.
MAX_DEPTH = 40

#: Cells of one table, including those that are missing in short rows.
MAX_CELLS = 8_000

#: Processor time, so that a busy machine renders the same texts as an idle one. A usual body takes
#: a twentieth of this.
TIME_LIMIT_S = 0.5

#: The HTML of texts longer than this is not cached.
CACHED_TEXT = 2048

#: The schemes that a link or a picture may have.
URL_SCHEMES = {"http", "https", "mailto"}

TAGS = {
    *("a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr"),
    *("img", "li", "ol", "p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead"),
    *("tr", "ul"),
}

_ALIGNMENTS = {"left", "center", "right"}
_LANGUAGE = re.compile(r"language-[\w+#.-]{1,40}")
_TEXT_ALIGN = re.compile(r"text-align:(left|center|right)")


class TooComplexError(Exception):
    """The text takes more time, depth or space than is allowed."""


@lru_cache(maxsize=2048)
def _render_cached(text: str, block: bool) -> str:
    return _render(text, block=block)


def render_inline(text: str) -> str:
    """Render a summary.

    Parameters
    ----------
    text
        Inline Markdown.

    Returns
    -------
    str
        HTML without block elements.
    """
    return (_render_cached if len(text) <= CACHED_TEXT else _render)(text, block=False)


def render_block(text: str) -> str:
    """Render a body.

    Parameters
    ----------
    text
        Markdown.

    Returns
    -------
    str
        HTML.
    """
    return (_render_cached if len(text) <= CACHED_TEXT else _render)(text, block=True)


def plain_text(text: str, *, block: bool = True, words_only: bool = False) -> str:
    """Return a text without its markup.

    Parameters
    ----------
    text
        Markdown.
    block
        Whether it is a body; a summary becomes one line.
    words_only
        Whether only the words are wanted, as for an excerpt.

    Returns
    -------
    str
        Text in which a link is followed by its address, a list has its dashes, and a table its
        columns, unless only words are wanted.
    """
    try:
        tokens, _ = _parse(text, block=block)
        plain = to_plain_text(tokens, words_only=words_only)
    except TooComplexError:
        plain = text
    if not block:
        return single_line(plain)
    return visible(plain.replace("\r\n", "\n").replace("\r", "\n")).strip()


def single_line(text: str) -> str:
    """Make one line of a text, for a log or the subject of a mail.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    str
        The text without line ends, with hidden characters made visible.
    """
    return " ".join(visible(" ".join(text.split())).split())


def _render(text: str, block: bool) -> str:
    try:
        tokens, environment = _parse(text, block=block)
        markdown = _markdown()
        rendered = str(markdown.renderer.render(tokens, markdown.options, environment))
        if len(rendered) > MAX_HTML:
            raise TooComplexError
    except TooComplexError:
        escaped = html.escape(text, quote=False)
        rendered = f"<pre>{escaped}</pre>\n" if block else escaped
    clean = nh3.clean(
        rendered,
        tags=TAGS,
        clean_content_tags={"script", "style"},
        attributes={
            "a": {"href", "title"},
            "code": {"class"},
            "img": {"alt", "src", "title"},
            "ol": {"start"},
        },
        tag_attribute_values={"td": {"align": _ALIGNMENTS}, "th": {"align": _ALIGNMENTS}},
        attribute_filter=_only_a_language,
        # `rel` protects a page from windows that it opens; our links open none.
        link_rel=None,
        url_schemes=URL_SCHEMES,
    )
    return visible_html(clean)


def _only_a_language(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "class" and not _LANGUAGE.fullmatch(value):
        return None
    return value


def _parse(text: str, *, block: bool) -> tuple[list[Token], dict[str, Any]]:
    if len(text) > MAX_TEXT:
        raise TooComplexError
    environment: dict[str, Any] = {"deadline": time.thread_time() + TIME_LIMIT_S}
    markdown = _markdown()
    parse = markdown.parse if block else markdown.parseInline
    try:
        tokens = list(parse(text, environment))
    except RecursionError:
        raise TooComplexError from None
    if _size(tokens) > MAX_HTML:
        raise TooComplexError
    return tokens, environment


def _size(tokens: Sequence[Token]) -> int:
    total = 0
    for token in tokens:
        total += len(token.content) + sum(len(str(value)) for value in token.attrs.values())
        total += _size(token.children or ())
    return total


_local = threading.local()


def _markdown() -> MarkdownIt:
    """Return this thread's parser: linkify keeps state, so threads cannot share it."""
    markdown: MarkdownIt | None = getattr(_local, "markdown", None)
    if markdown is None:
        markdown = _local.markdown = _make_markdown()
    return markdown


def _make_markdown() -> MarkdownIt:
    # `_bound_block` bounds the depth. The limit of markdown-it would silently drop what is deeper.
    options = {"html": False, "xhtmlOut": False, "maxNesting": 10_000}
    markdown = MarkdownIt("gfm-like", options)
    markdown.block.ruler.before("table", "bound", _bound_block, {"alt": []})
    markdown.block.ruler.at("table", _bounded_table, {"alt": ["paragraph", "reference"]})
    markdown.inline.ruler.before("text", "bound", _bound_inline)
    _link_what_github_links(markdown.linkify)
    for name in ("th_open", "td_open"):
        markdown.add_render_rule(name, _render_cell)
    return markdown


def _link_what_github_links(linkify: Any) -> None:
    """Link addresses with a scheme or `www.`, but not file names such as README.md."""
    host = r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
    path = re.compile(host + linkify.re["src_path"], re.IGNORECASE)

    def validate(linkify: Any, text: str, position: int) -> int:
        found = path.match(text, position)
        return len(found[0]) if found else 0

    def normalize(linkify: Any, found: Any) -> None:
        found.url = "http://" + found.url

    linkify.set({"fuzzy_link": False})
    linkify.add("www.", {"validate": validate, "normalize": normalize})


def _bound_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Stop a text that is too deep or too slow. As the first rule it is called for every block."""
    if state.level > MAX_DEPTH * 2 or time.thread_time() > state.env["deadline"]:
        raise TooComplexError
    return False


def _bound_inline(state: StateInline, silent: bool) -> bool:
    if time.thread_time() > state.env["deadline"]:
        raise TooComplexError
    return False


def _bounded_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a table, unless filling its short rows would make far more cells than were written."""
    line = state.src[state.bMarks[start] : state.eMarks[start]]
    if line.count("|") * (end - start) > MAX_CELLS:
        rows = start
        while rows < end and not state.isEmpty(rows):
            rows += 1
        if line.count("|") * (rows - start) > MAX_CELLS:
            raise TooComplexError
    return parse_table(state, start, end, silent)


def _render_cell(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Mapping[str, Any]
) -> str:
    """Align a cell by its attribute: a strict content policy forbids markdown-it's inline style."""
    token = tokens[index]
    align = _TEXT_ALIGN.fullmatch(str(token.attrs.get("style", "")))
    return f'<{token.tag} align="{align[1]}">' if align else f"<{token.tag}>"
