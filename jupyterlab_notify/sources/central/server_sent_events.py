"""A parser of server-sent events, which takes a stream's text in pieces.

The format is `text/event-stream` of the HTML standard; ``follower`` reads the stream.
"""

from __future__ import annotations

from typing import NamedTuple

from .failure import malformed

#: The maximum length of an event, in characters.
MAX_EVENT = 1024 * 1024
#: The weight of each line besides its text, since an event may have very many empty lines.
LINE = 64
#: The maximum length of an event's name; longer ones are cut.
MAX_NAME = 100
#: The maximum length of a cursor; longer ones are ignored.
MAX_CURSOR = 200


def is_cursor(text: str) -> bool:
    """Return whether a text can be sent back in a header, as the cursor of a stream."""
    return 0 < len(text) <= MAX_CURSOR and text.isascii() and text.isprintable()


class ServerEvent(NamedTuple):
    """One event.

    Parameters
    ----------
    name
        The event's name.
    data
        The event's data, as text.
    cursor
        The id from which the stream can be resumed; empty if there is none.
    """

    name: str
    data: str
    cursor: str


class EventParser:
    """Parses a stream's text into events."""

    def __init__(self) -> None:
        #: The pieces of an incomplete line. They are joined only once, because a service may send
        #: a long line in very many pieces.
        self._rest: list[str] = []
        self._rest_size = 0
        self._size = 0
        self._name = ""
        self._data: list[str] = []
        self._cursor = ""

    def feed(self, text: str) -> list[ServerEvent]:
        """Parse the next piece; return the events that it completes.

        Raises
        ------
        Failure
            If an event is too long.
        """
        head, newline, tail = text.partition("\n")
        self._rest.append(head)
        self._rest_size += len(head)
        if self._rest_size > MAX_EVENT:
            raise malformed()
        if not newline:
            return []
        lines = ["".join(self._rest), *tail.split("\n")]
        last = lines.pop()
        self._rest, self._rest_size = [last], len(last)
        events = []
        for line in lines:
            line = line.removesuffix("\r")
            if line:
                self._take(line)
            elif self._data:
                events.append(ServerEvent(self._name, "\n".join(self._data), self._cursor))
                self._name, self._data, self._size = "", [], 0
            else:
                self._name = ""
        return events

    def _take(self, line: str) -> None:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._name = value[:MAX_NAME]
        elif field == "id" and (is_cursor(value) or not value):
            self._cursor = value
        elif field == "data":
            self._size += len(value) + LINE
            if self._size > MAX_EVENT:
                raise malformed()
            self._data.append(value)
