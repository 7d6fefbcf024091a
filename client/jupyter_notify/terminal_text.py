"""Turn program output into plain text, without colours, cursor movements and control characters."""

from __future__ import annotations

import re

#: Escape sequences, which set colours, the cursor or the title: CSI, OSC, DCS and short ones. None
#: reaches beyond the start of the next, so that a text of starts takes no time of its square.
ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\x90\x98\x9d-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
#: Bold and underlined letters as typewriters made them, which manual pages still are.
OVERSTRUCK = re.compile(r"_\x08(?=[^\n])|([^\n])\x08(?=\1)")
#: Control characters besides tab and line feed.
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
#: A line that could end a fenced block or begin another.
FENCE_LINE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)


def plain_output(text: str) -> str:
    """Return a program's output as a terminal shows it in the end.

    Parameters
    ----------
    text
        The output, with its escape sequences.
    """
    text = ESCAPES.sub("", text).replace("\r\n", "\n")
    if "\r" in text:
        text = "\n".join(map(_overwritten, text.split("\n")))
    if "\b" in text:
        text = OVERSTRUCK.sub("", text)
    return CONTROLS.sub("", text)


def _overwritten(line: str) -> str:
    """Return what is seen of a line that overwrites itself, as a progress bar does."""
    return line[line.rstrip("\r").rfind("\r") + 1 :]


def last_lines(data: bytes, most: int) -> str:
    """Return the last lines of an output as a terminal shows them in the end.

    Parameters
    ----------
    data
        The output; bytes that are not UTF-8 are replaced.
    most
        The maximum number of lines.
    """
    lines = [line.rstrip() for line in plain_output(data.decode("utf-8", "replace")).split("\n")]
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
