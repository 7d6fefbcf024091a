"""Plain text of parsed Markdown, for logs and mail. Only `rendering` calls it."""

from __future__ import annotations

from collections.abc import Sequence

from markdown_it.token import Token

__all__ = ["to_plain_text"]


def to_plain_text(tokens: Sequence[Token], *, words_only: bool = False) -> str:
    """Write the tokens of a text without markup.

    Parameters
    ----------
    tokens
        What markdown-it made of a text.
    words_only
        Whether to leave out what gives a text its form: the marks of lists, quotes, columns and
        rulers, and the addresses behind links and pictures.

    Returns
    -------
    str
        Paragraphs with an empty line between them.
    """
    writer = _Writer(words_only)
    for token in tokens:
        writer.write(token)
    return "\n".join(writer.lines).strip("\n")


class _Writer:
    """Collects lines; `indents` has one entry for each list and quote that is open."""

    def __init__(self, words_only: bool) -> None:
        self.words_only = words_only
        self.lines: list[str] = []
        self.indents: list[str] = []
        self.numbers: list[int | None] = []
        self.cells: list[str] | None = None
        self.marker = ""

    def write(self, token: Token) -> None:
        kind = token.type
        if kind == "inline":
            self._inline(_inline_text(token.children or (), addresses=not self.words_only))
        elif kind in ("fence", "code_block"):
            self._add(token.content.rstrip("\n"))
            self._separate()
        elif kind == "hr":
            if not self.words_only:
                self._add("---")
            self._separate()
        elif kind in ("bullet_list_open", "ordered_list_open"):
            self.numbers.append(
                int(token.attrs.get("start", 1)) if kind == "ordered_list_open" else None
            )
        elif kind in ("bullet_list_close", "ordered_list_close"):
            self.numbers.pop()
            if not self.numbers:
                self._separate()
        elif kind == "list_item_open":
            self._open_item()
        elif kind in ("list_item_close", "blockquote_close"):
            self.indents.pop()
        elif kind == "blockquote_open":
            self.indents.append("> ")
        elif kind == "tr_open":
            self.cells = []
        elif kind == "tr_close":
            self._add((" " if self.words_only else " | ").join(self.cells or ()))
            self.cells = None
        elif kind in ("heading_close", "table_close") or (
            kind == "paragraph_close" and not token.hidden
        ):
            self._separate()

    def _open_item(self) -> None:
        number = self.numbers[-1]
        if number is None:
            marker = "- "
        else:
            marker = f"{number}. "
            self.numbers[-1] = number + 1
        self.marker = "".join(self.indents) + marker
        self.indents.append(" " * len(marker))

    def _inline(self, text: str) -> None:
        if self.cells is None:
            self._add(text)
        else:
            self.cells.append(text.replace("\n", " "))

    def _add(self, text: str) -> None:
        for line in text.split("\n"):
            start = "" if self.words_only else self.marker or "".join(self.indents)
            self.lines.append(start + line)
            self.marker = ""

    def _separate(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")


def _inline_text(tokens: Sequence[Token], *, addresses: bool) -> str:
    parts: list[str] = []
    links: list[tuple[str, int]] = []
    for token in tokens:
        if token.type in ("text", "code_inline", "text_special"):
            parts.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            parts.append("\n")
        elif token.type == "image":
            alternative = _inline_text(token.children or (), addresses=addresses)
            address = f" ({token.attrs.get('src', '')})" if addresses else ""
            parts.append((alternative + address).lstrip())
        elif token.type == "link_open" and addresses:
            links.append((str(token.attrs.get("href", "")), len(parts)))
        elif token.type == "link_close" and links:
            address, start = links.pop()
            label = "".join(parts[start:])
            # A bare address that became a link is its own label, and is not written twice.
            if label.rstrip("/") not in (address.rstrip("/"), address.removeprefix("mailto:")):
                parts.append(f" ({address})")
    return "".join(parts)
