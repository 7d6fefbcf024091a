"""Turn program output into plain text, without colours, cursor movements and control characters."""

from __future__ import annotations

import re

from .decoding import decode

#: What is drawn at a given place of the screen, such as apt's progress in the last line: the cursor
#: is saved, moved there, and brought back.
ELSEWHERE = re.compile(
    r"(?:\x1b7|\x1b\[s)\x1b\[[0-9]+;[0-9]*[Hf]"
    r"(?:(?!\x1b[78]|\x1b\[[su])[^\n]){0,1000}(?:\x1b8|\x1b\[u)"
)
#: Escape sequences, which set colours, the cursor or the title: CSI, OSC, DCS and short ones. The
#: last character of a CSI may be missing, where the output was cut. A match never extends beyond
#: the start of the next sequence. So a text with very many starts of sequences does not take
#: quadratic time.
ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_k]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\x90\x98\x9d-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
#: Sequences that move the cursor, save or restore its position, or erase.
MOVES = re.compile(
    r"(?:\x1b\[|\x9b)([0-9]*)([A-GJKXade`su])|(?:\x1b\[|\x9b)[0-9]*;?[0-9]*([Hf])"
    r"|\x1b([78Mc])|[\r\b\x8d]"
)
#: Other names of the same movements.
SAME = {"a": "C", "e": "B", "`": "G", "7": "s", "8": "u", "\x8d": "M", "d": "H", "f": "H", "c": "H"}
#: Characters that a terminal passes over, even within an escape sequence.
IGNORED = dict.fromkeys(map(ord, "\x00\x7f"))
#: Control characters and escape sequences that begin a new line, besides line feeds.
LINE_FEEDS = re.compile(r"\x1b[DE]|[\x0b\x0c\x84\x85]")
#: Control characters besides tab, line feed and those that move the cursor. The second pattern
#: matches the first characters of incomplete escape sequences.
CONTROLS = re.compile(r"[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x8c\x8e-\x9a\x9c-\x9f]")
LEFT_OVER = re.compile(r"[\x1b\x9b]")
#: The last column to which a text may move the cursor.
WIDEST = 200
#: A line that could end a fenced block or begin another.
FENCE_LINE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)


def plain_output(text: str) -> str:
    """Return a program's output as a terminal shows it in the end.

    Parameters
    ----------
    text
        The output, with its escape sequences.
    """
    text = LINE_FEEDS.sub("\n", ELSEWHERE.sub("", text.translate(IGNORED)))
    text = ESCAPES.sub(_only_moves, text).replace("\r\n", "\n")
    text = CONTROLS.sub("", text)
    return _drawn(text) if MOVES.search(text) else LEFT_OVER.sub("", text)


def _only_moves(escape: re.Match[str]) -> str:
    """Return an escape sequence that moves the cursor or erases; nothing for any other."""
    return escape[0] if MOVES.fullmatch(escape[0]) else ""


def _drawn(text: str) -> str:
    """Return what a terminal shows in the end of a text that overwrites itself, as bars do."""
    screen, at = _Screen(), 0
    for move in MOVES.finditer(text):
        screen.write(text[at : move.start()])
        how = move[2] or move[3] or move[4] or move[0]
        screen.move(SAME.get(how, how), int(move[1][:4]) if move[1] else None)
        at = move.end()
    screen.write(text[at:])
    # Escape sequences whose end is missing have left their first character.
    return LEFT_OVER.sub("", "\n".join(map("".join, screen.lines)))


class _Screen:
    """The lines of a terminal of unlimited height, and its cursor."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = [[]]
        #: The number of characters at each line's beginning that are known to be erased.
        self._erased: list[int] = [0]
        self._row = self._column = 0
        self._saved = (0, 0)
        #: True after a carriage return: the next text takes the place of the whole line.
        self._returned = False

    def write(self, text: str) -> None:
        """Write from the cursor on, over what is there."""
        for number, part in enumerate(text.split("\n")):
            if number:
                self._row += 1
                self._column, self._returned = 0, False
                if self._row == len(self.lines):
                    self._append()
            if part:
                if self._returned:
                    self.lines[self._row].clear()
                    self._returned = False
                self._write_in_line(part)

    def _append(self) -> None:
        self.lines.append([])
        self._erased.append(0)

    def _write_in_line(self, text: str) -> None:
        line = self.lines[self._row]
        # A few characters must not make a line very long.
        self._column = min(self._column, len(line) + WIDEST)
        line.extend(" " * (self._column - len(line)))
        line[self._column : self._column + len(text)] = text
        self._erased[self._row] = min(self._erased[self._row], self._column)
        self._column += len(text)

    def move(self, how: str, count: int | None) -> None:
        """Move the cursor, or erase."""
        by = count or 1
        if how in "AFM":
            self._row = max(0, self._row - by)
        elif how in "BE":
            self._row = min(len(self.lines) - 1, self._row + by)
        elif how in "D\b":
            self._column = max(0, self._column - by)
        elif how in "CG":
            to = self._column + by if how == "C" else by - 1
            self._column = max(min(to, WIDEST), self._column if how == "C" else 0)
        elif how in "JK":
            self._erase(how, count or 0)
        elif how == "X":
            rest = len(self.lines[self._row]) - self._column
            column = self._column
            self._write_in_line(" " * max(0, min(by, rest, WIDEST)))
            self._column = column
        elif how == "s":
            self._saved = self._row, self._column
        elif how == "u":
            self._row, self._column = self._saved
            # What was there may be erased by now.
            self._row = min(self._row, len(self.lines) - 1)
        if how == "H" or (how == "J" and count in (2, 3)):
            self._begin_below()
        if how in "EF\r":
            self._column = 0
        self._returned = how == "\r"

    def _begin_below(self) -> None:
        """Go to a line of its own, with which nothing is joined or overwritten.

        The size of the screen is unknown, and so is where a given line of it is in the text.
        """
        if self.lines[-1]:
            self._append()
        self._row, self._column = len(self.lines) - 1, 0

    def _erase(self, how: str, what: int) -> None:
        line = self.lines[self._row]
        if how == "K" and what == 2:
            line.clear()
        elif how == "K" and what == 1:
            begin, end = self._erased[self._row], min(self._column + 1, len(line))
            if end > begin:
                line[begin:end] = " " * (end - begin)
                self._erased[self._row] = end
        elif what == 0:
            del line[self._column :]
            if how == "J":
                del self.lines[self._row + 1 :]
                del self._erased[self._row + 1 :]


def last_lines(data: bytes, most: int) -> str:
    """Return the last lines of an output as a terminal shows them in the end.

    Parameters
    ----------
    data
        The output, or the end of it.
    most
        The maximum number of lines.
    """
    lines = [line.rstrip() for line in plain_output(decode(data, before=1)).split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return "\n".join(lines[-most:]).strip("\n")


def fenced(text: str, max_bytes: int = 8 * 1024) -> str:
    """Return a program's output as a fenced block of Markdown, which shows it unchanged.

    The fence is longer than any in the text. If the text is too long its end is kept, and a line
    above the block says so.

    Parameters
    ----------
    text
        The output, with its escape sequences.
    max_bytes
        The maximum size of the Markdown as UTF-8.
    """
    text = plain_output(text).rstrip("\n")
    note = ""
    room = max_bytes - 2 * len(_fence(text)) - 2
    if len(text.encode("utf-8", "replace")) > room:
        note = "*Shortened: this is the end of it.*\n\n"
        text = tail(text, max_bytes - len(note) - 2 * len(_fence(text)) - 2)
    fence = _fence(text)
    return f"{note}{fence}\n{text}\n{fence}"


def _fence(text: str) -> str:
    runs = {"`": 2, "~": 2}
    for match in FENCE_LINE.finditer(text):
        runs[match[1][0]] = max(runs[match[1][0]], len(match[1]))
    character = "`" if runs["`"] <= runs["~"] else "~"
    return character * (runs[character] + 1)


def head(text: str, max_bytes: int) -> str:
    """Return the beginning of a text, at most ``max_bytes`` long as UTF-8."""
    return text.encode("utf-8", "replace")[: max(0, max_bytes)].decode("utf-8", "ignore")


def tail(text: str, max_bytes: int) -> str:
    """Return the end of a text, at most ``max_bytes`` long as UTF-8, from the start of a line."""
    data = text.encode("utf-8", "replace")
    if len(data) <= max_bytes:
        return text
    kept = data[len(data) - max(0, max_bytes) :].decode("utf-8", "ignore")
    _, line_feed, rest = kept.partition("\n")
    return rest if line_feed and rest else kept
