"""Server-sent events: the text of a stream, in pieces as they come, made into events.

The format is that of the HTML standard, `text/event-stream`; ``follower`` reads the stream.
"""

from __future__ import annotations

from typing import NamedTuple

from .failure import malformed

#: How long one event may be, in characters.
MAX_EVENT = 1024 * 1024


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
        self._rest = ""
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
        lines = (self._rest + text).replace("\r\n", "\n").split("\n")
        self._rest = lines.pop()
        if len(self._rest) > MAX_EVENT:
            raise malformed()
        events = []
        for line in lines:
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
            self._name = value
        elif field == "id" and "\0" not in value:
            self._cursor = value[:200]
        elif field == "data":
            self._size += len(value)
            if self._size > MAX_EVENT:
                raise malformed()
            self._data.append(value)
