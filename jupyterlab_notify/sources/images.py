"""Images of welcome files: the types that are served, and the URLs in a text.

Every search takes linear time: no pattern looks beyond the next place where it could match again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from urllib.parse import quote, unquote

IMAGE_TYPES = {
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}

#: The delimiters of a fenced block, and of code within a line.
_FENCE = re.compile(r"`{3,}|~{3,}")
_TICKS = re.compile("`+")
#: The three ways to write an image in Markdown.
_INLINE = re.compile(r"(!\[[^\[\]\n]*\]\(\s*)(<[^<>\n]*>|[^\s)<]+)")
_DEFINED = re.compile(
    r"^( {0,3}\[[^\[\]\n]+\]:[ \t]*(?:\n[ \t]*)?)(<[^<>\n]*>|[^\s<]\S*)", re.MULTILINE
)
_HTML = re.compile(
    r"(<img\b[^<>]*?\bsrc\s*=\s*)(\"[^\"\n]*\"|'[^'\n]*'|[^\s<>\"']+)", re.IGNORECASE
)
_ELSEWHERE = re.compile(r"([a-z][a-z0-9+.-]*:|/|#|\\)", re.IGNORECASE)


def place_images(body: str, base: str) -> str:
    """Resolve the relative image URLs of a Markdown text against ``base``."""

    def place(url: str) -> str:
        bare = url.strip("<>\"'")
        if not bare or _ELSEWHERE.match(bare):
            return url
        bare = bare.split("#")[0].split("?")[0].removeprefix("./")
        if os.path.splitext(bare)[1].lower() not in IMAGE_TYPES:
            return url
        placed = base + quote(unquote(bare), safe="/")
        return f'"{placed}"' if url[0] in "\"'" else placed

    def rewrite(text: str) -> str:
        for pattern in (_INLINE, _DEFINED, _HTML):
            text = pattern.sub(lambda match: match[1] + place(match[2]), text)
        return text

    return "".join(text if is_code else rewrite(text) for text, is_code in _split(body))


def _split(body: str) -> Iterator[tuple[str, bool]]:
    """Split a text into pieces, each with whether it is code, which contains no images."""
    fence = ""
    prose: list[str] = []
    code: list[str] = []
    for line in body.splitlines(keepends=True):
        found = _FENCE.match(line)
        if fence:
            code.append(line)
            if line.startswith(fence):
                fence = ""
        elif found:
            fence = found[0]
            yield from _split_prose("".join(prose))
            prose = []
            code.append(line)
        else:
            if code:
                yield "".join(code), True
                code = []
            prose.append(line)
    yield from _split_prose("".join(prose))
    yield "".join(code), True


def _split_prose(text: str) -> Iterator[tuple[str, bool]]:
    """Split a text without fences at its code spans.

    A span ends with as many backticks as it starts with, and here always within its line.
    """
    ticks = [match.span() for match in _TICKS.finditer(text)]
    closing: dict[int, int] = {}
    next_of_length: dict[int, int] = {}
    line_ends = [place for place, char in enumerate(text) if char == "\n"]
    for number in range(len(ticks) - 1, -1, -1):
        start, end = ticks[number]
        # A span must end in its line.
        while line_ends and line_ends[-1] > start:
            next_of_length.clear()
            line_ends.pop()
        if end - start in next_of_length:
            closing[number] = next_of_length[end - start]
        next_of_length[end - start] = number
    at = number = 0
    while number < len(ticks):
        if number in closing:
            yield text[at : ticks[number][0]], False
            at = ticks[closing[number]][1]
            yield text[ticks[number][0] : at], True
            number = closing[number]
        number += 1
    yield text[at:], False
