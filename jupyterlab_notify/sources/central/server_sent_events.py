"""Server-sent events: the text of a stream, in pieces as they come, made into events.

The format is that of the HTML standard, `text/event-stream`; ``follower`` reads the stream.
"""

from __future__ import annotations

from typing import NamedTuple

from .failure import malformed

#: How long one event may be, in characters.
MAX_EVENT = 1024 * 1024
#: What each of its lines takes besides its text: very many may be empty.
LINE = 64
#: How much is kept of an event's name and of its cursor.
MAX_NAME = 100
MAX_CURSOR = 200


class ServerEvent(NamedTuple):
    """One event.

    Parameters
    ----------
    name
        What happened.
    data
        To what, as text.
    cursor
        The id from which the stream goes on; empty: none was given.
    """

    name: str
    data: str
    cursor: str


class EventParser:
    """Makes events of a stream's text."""

    def __init__(self) -> None:
        #: The pieces of a line whose end has not come. They are joined once: a service may send
        #: a long line in very many of them.
        self._rest: list[str] = []
        self._rest_size = 0
        self._size = 0
        self._name = ""
        self._data: list[str] = []
        self._cursor = ""

    def feed(self, text: str) -> list[ServerEvent]:
        """Take the next piece; return the events that it completes.

        Raises
        ------
        Failure
            If an event has no end.
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
        elif field == "id" and "\0" not in value:
            self._cursor = value[:MAX_CURSOR]
        elif field == "data":
            self._size += len(value) + LINE
            if self._size > MAX_EVENT:
                raise malformed()
            self._data.append(value)
