"""Content of a hostile central service is bounded before it is made into anything."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from jupyterlab_notify.sources.central.content import (
    MAX_ANSWER,
    MAX_PIECES,
    TURN,
    load,
    read_content,
    read_text,
)
from jupyterlab_notify.sources.central.failure import Answer, Failure
from jupyterlab_notify.sources.central.parsing import (
    parse_channels,
    parse_entries,
    parse_listed_broadcast,
    parse_message,
    parse_next_cursor,
    parse_quiet,
    parse_time_ms,
    parse_welcome,
)
from jupyterlab_notify.sources.central.server_sent_events import MAX_EVENT, EventParser


def response(content: bytes, piece: int = 65_536, **headers: str) -> httpx.Response:
    """Return an answer that comes in pieces."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), piece):
            yield content[start : start + piece]

    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(200, headers=named, content=pieces())


async def test_one_compression_is_undone() -> None:
    text = b'[{"id": "1"}]' * 1000
    assert await read_content(response(text)) == text
    assert await read_content(response(gzip.compress(text), 7, content_encoding="gzip")) == text
    assert await read_content(response(b"", content_encoding="gzip")) == b""


@pytest.mark.parametrize(
    "encoding", ["gzip, gzip", "gzip,gzip", "deflate", "br", "zstd", "gzip, identity", "x" * 999]
)
async def test_another_compression_is_refused_unread(encoding: str) -> None:
    bomb = gzip.compress(gzip.compress(bytes(10_000_000)))
    with pytest.raises(Failure, match="cannot be understood"):
        await read_content(response(bomb, content_encoding=encoding))
    with pytest.raises(Failure, match="cannot be understood"):
        await anext(read_text(response(b"data: x", content_encoding=encoding)))


@pytest.mark.parametrize(
    "content",
    [
        *(b"[]", gzip.compress(b"[]")[:-4], gzip.compress(b"[]") + b"more"),
        *(gzip.compress(b"[]") * 2, zlib.compress(b"[]")),
    ],
    ids=["plain", "cut short", "more after it", "two members", "zlib"],
)
async def test_what_is_not_the_compression_that_it_says_is_refused(content: bytes) -> None:
    with pytest.raises(Failure, match="cannot be understood"):
        await read_content(response(content, content_encoding="gzip"))


@pytest.mark.parametrize("piece", [100, 65_536, 10_000_000])
@pytest.mark.parametrize("is_compressed", [True, False])
async def test_an_answer_is_bounded_while_it_is_read(piece: int, is_compressed: bool) -> None:
    plain = bytes(50_000_000) if is_compressed else bytes(MAX_ANSWER + 1)
    headers = {"content_encoding": "gzip"} if is_compressed else {}
    answer = response(gzip.compress(plain, 1) if is_compressed else plain, piece, **headers)
    del plain
    tracemalloc.start()
    with pytest.raises(Failure, match="too large"):
        await read_content(answer)
    assert tracemalloc.get_traced_memory()[1] < 3 * MAX_ANSWER + 2 * min(piece, MAX_ANSWER)
    tracemalloc.stop()


async def test_an_answer_in_tiny_pieces_is_refused_and_holds_up_nobody() -> None:
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.ensure_future(count_turns())
    with pytest.raises(Failure, match="cannot be understood"):
        await read_content(response(b" " * 100_000, 1))
    counting.cancel()
    # Other tasks got a turn, although no piece had to be waited for.
    assert turns >= MAX_PIECES / TURN


async def test_compressed_nothing_without_an_end_is_bounded() -> None:
    start = gzip.compress(b"")[:10]
    empty = b"\x00\x00\x00\xff\xff" * 1_000_000
    with pytest.raises(Failure, match="too large"):
        await read_content(response(start + empty, content_encoding="gzip"))


@pytest.mark.parametrize(
    "content",
    [
        *("[" + "{}," * 1_000_000 + "{}]", "[" + "[]," * 1_000_000 + "[]]"),
        *("[" + '{"a":0},' * 500_000 + "0]", "[" + '"ab",' * 800_000 + "0]"),
        *("[" * 4_000_000, '{"a":' * 800_000, "[" + "9" * 4_000_000),
        *("[1e9," * 800_000, "[NaN", "", "\0" * 1000),
        *("[" + "1e5," * 1_000_000 + "0]", "[" + "300," * 1_000_000 + "0]"),
    ],
    ids=lambda text: repr(text[:12]),
)
def test_json_that_would_take_much_memory_is_refused(content: str) -> None:
    raw = content.encode("utf-8", "surrogatepass")
    tracemalloc.start()
    with pytest.raises(Failure, match="cannot be understood"):
        load(raw)
    assert tracemalloc.get_traced_memory()[1] < 48 * 1024 * 1024
    tracemalloc.stop()


@pytest.mark.parametrize(
    "value",
    [
        *("9" * 5000, "-" + "9" * 3_000_000, "[" * 5000 + "]" * 5000),
        *('{"a":' * 5000 + "1" + "}" * 5000, '["]", ' * 5000 + '"[[[[\\\\"' + "]" * 5000),
    ],
    ids=["digits", "many digits", "lists", "objects", "texts with brackets"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_value_that_python_does_not_parse_hides_no_other_entry(value: str, encoding: str) -> None:
    good = [json.dumps(message(id=id_)) for id_ in ("before", "after")]
    tracemalloc.start()
    began = time.process_time()
    listed = load(f'[{good[0]}, {{"id": "odd", "odd": {value}}}, {good[1]}]'.encode(encoding))
    assert time.process_time() - began < 2
    assert tracemalloc.get_traced_memory()[1] < 48 * 1024 * 1024
    tracemalloc.stop()
    items, notice = parse_entries(listed, parse_message, 10, "messages")
    assert [item.remote for item in items] == ["before", "after"]
    assert notice == "The central service lists 1 messages that cannot be understood."


@pytest.mark.parametrize("digits", ["9" * 5000, "-" + "9" * 5000])
def test_a_number_with_thousands_of_digits_is_no_id(digits: str) -> None:
    listed = load(f'[{{"id": {digits}}}, {json.dumps(message())}]'.encode())
    items, _ = parse_entries(listed, parse_message, 10, "messages")
    assert [item.remote for item in items] == ["1"]


def message(**more: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "created": "2026-01-01T00:00:00Z",
        "read": None,
        "active": True,
        "title": "Title",
        "summary": {"gfm": "x"},
        "body": {"gfm": "x"},
        **more,
    }


IDS: list[Any] = [".", "..", "x" * 201, "", None, [], {}, True, 10**300, "\ud800", 1.5]
TEXTS: list[Any] = [3, [], {"gfm": 3}, {"gfm": []}]
#: Entries that no list can use, then entries that one kind of list cannot use.
UNREADABLE: list[Any] = [
    *(None, [], 3, "x"),
    *(message(id=id_) for id_ in IDS),
    *(message(summary=text) for text in TEXTS),
]
SUMMARIES = [message(summary=None)]
BODIES = [message(body=b) for b in (3, ["x"], {"gfm": 3})]
TIMES = ["now", 3, None, "2026-01-01" * 100, {}]
PARSERS: dict[str, tuple[Any, list[Any]]] = {
    "broadcasts": (
        parse_listed_broadcast,
        [{}, *SUMMARIES, *BODIES] + [message(ends=t) for t in TIMES if t is not None],
    ),
    "messages": (
        parse_message,
        [{}, *SUMMARIES, *(message(created=t) for t in TIMES), message(read=1)],
    ),
    "welcome messages": (
        lambda entry: parse_welcome(entry, "jupyterlab"),
        [
            *({}, *BODIES, message(title=3), message(title=None)),
            *(message(max_views=n) for n in (True, "1", 1.5, -1, 10**40)),
            *(message(updated=t) for t in TIMES if t is not None),
        ],
    ),
}


@pytest.mark.parametrize("name", PARSERS)
def test_one_unreadable_entry_is_left_out_and_said(name: str) -> None:
    parse, own = PARSERS[name]
    for wrong in UNREADABLE + own:
        items, notice = parse_entries([message(id="2"), wrong, message(id="3")], parse, 200, name)
        assert len(items) == 2, wrong
        assert notice == f"The central service lists 1 {name} that cannot be understood."


def channel(**more: Any) -> dict[str, Any]:
    return {"name": "mail", "on": True, "reaches": True, **more}


def quiet(**more: Any) -> dict[str, Any]:
    return {"source": "quota", "on": True, "until": None, "stamp": 1, **more}


#: Entries that one of the other lists cannot use.
OTHERS: dict[str, tuple[Any, Any, str, list[Any]]] = {
    "channels": (
        lambda entries: parse_channels({"channels": entries}),
        *(channel, "name"),
        [None, [], 3, {}, *(channel(name=name) for name in (None, 3, "", [], "x" * 101))],
    ),
    "muted sources": (
        lambda entries: parse_quiet({"entries": entries}),
        *(quiet, "source"),
        [
            *(None, [], 3, {}, quiet(source=None), quiet(source=3)),
            *(quiet(stamp=stamp) for stamp in (None, 0, -1, True, 1.5, "1", 10**30)),
            *(quiet(until=until) for until in (3, "", "now", [], "9" * 5000)),
        ],
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_one_unreadable_entry_hides_no_channel_and_no_muted_source(name: str) -> None:
    parse, make, field, unreadable = OTHERS[name]
    for wrong in unreadable:
        found, notice = parse([make(**{field: "a"}), wrong, make(**{field: "b"})])
        entries = found["channels"] if name == "channels" else [one._asdict() for one in found]
        assert [entry[field] for entry in entries] == ["a", "b"], wrong
        assert notice == f"The central service lists 1 {name} that cannot be understood."


@pytest.mark.parametrize("blank", ["", " ", "\u3164", "\u2800\u200b\ufeff", "\U000e0041"])
def test_a_title_or_a_summary_that_nobody_sees_is_an_ellipsis(blank: str) -> None:
    assert parse_welcome(message(title=blank), "jupyterlab")["title"] == "…"
    assert parse_message(message(summary={"gfm": blank})).message == "…"


def test_more_than_some_hundred_are_not_taken_and_said() -> None:
    listed = [message(id=str(n)) for n in range(1000)]
    items, notice = parse_entries(listed, parse_listed_broadcast, 200, "broadcasts")
    assert [item["remote"] for item, _ in items] == [str(n) for n in range(200)]
    assert notice == "It lists 800 broadcasts more than are stored."


#: Headers that once cost seconds; each is read in a time that grows with its length alone.
LINKS = {
    "angles": "<" * 8192,
    "commas": ", <" * 2700,
    "spaces": "<x>; rel=next," + " " * 8000,
    "quotes": '<x?cursor=1>; rel="' + '"' * 8000,
    "semicolons": "<x>" + ";" * 8000,
    "equals": "<x>;" + "=" * 8000,
    "parameters": "<x?" + "a=1&" * 2000 + '>; rel="next"',
    "percents": "<x?cursor=" + "%" * 8000 + '>; rel="next"',
}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_header_costs_no_more_than_its_length(name: str) -> None:
    began = time.process_time()
    for _ in range(5):
        try:
            parse_next_cursor(Answer(200, {"link": LINKS[name]}, b""))
        except Failure:
            continue
    # A quadratic reader takes seconds for one.
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "text",
    [
        *("2026-01-01T00:00:00." + "0" * 1_000_000, "." * 4_000_000, "Z" * 4_000_000),
        *("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", " " * 4_000_000),
    ],
    ids=lambda text: text[:26],
)
def test_a_time_of_any_length_is_read_or_refused(text: str) -> None:
    try:
        assert parse_time_ms(text) >= 0
    except Failure:
        return


@pytest.mark.parametrize("piece", [7, 65_536])
@pytest.mark.parametrize(
    "unit", ["x", "data: x\n", "data:\n", "data: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]
)
def test_an_event_without_an_end_is_refused(piece: int, unit: str) -> None:
    parser = EventParser()
    whole = unit * (2 * MAX_EVENT // len(unit))
    with pytest.raises(Failure, match="cannot be understood"):
        for start in range(0, len(whole), piece):
            parser.feed(whole[start : start + piece])


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_events_are_the_same_however_they_are_cut(piece: int, end: str) -> None:
    lines = ["event: message", "id: 5", "data: {", "data: }", "", ": comment", "data: x", ""]
    text = end.join(lines) + end
    parser = EventParser()
    found = [
        event
        for start in range(0, len(text), piece)
        for event in parser.feed(text[start : start + piece])
    ]
    assert [(event.name, event.data, event.cursor) for event in found] == [
        ("message", "{\n}", "5"),
        ("", "x", "5"),
    ]
    assert json.loads(found[0].data) == {}


@pytest.mark.parametrize(
    ("sent", "cursor"),
    [
        ("5", "5"),
        ("1:abc-DEF", "1:abc-DEF"),
        ("c" * 200, "c" * 200),
        # The cursor goes back in a header, which cannot hold these.
        ("c" * 201, "before"),
        ("\u20ac", "before"),
        ("a\rb", "before"),
        ("a\x00b", "before"),
        ("a\x7f", "before"),
        # In the format of events, an empty id resets the cursor.
        ("", ""),
    ],
    ids=ascii,
)
def test_a_cursor_that_no_header_takes_is_ignored(sent: str, cursor: str) -> None:
    (event,) = EventParser().feed(f"id: before\nid: {sent}\ndata: x\n\n")
    assert event.cursor == cursor
