"""Values of programs are taken where their meaning is plain; else one ValueError, at once."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import itertools
import json
import re
import time
import uuid
from collections import OrderedDict, UserList, UserString, deque
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_notify.errors import BadUsage
from jupyter_notify.message import (
    MAX_BODY,
    MAX_KEY,
    MAX_MESSAGE,
    MAX_REQUEST,
    MAX_SOURCE,
    compose,
    encode,
)
from jupyter_notify.values import INVISIBLE, to_json
from jupyterlab_notify.visible import INVISIBLE_ASTRAL, VISIBLE

from ..support.sending import Recorder
from ..support.servers import Server
from .support import Directed


class Tensor:
    """A stand-in for a tensor of torch, which is too large to install for a test.

    The methods that give a tensor's value are there, and fail as those of torch do.
    """

    def __init__(self, *values: Any) -> None:
        self._values = values

    def item(self) -> Any:
        if len(self._values) != 1:
            raise RuntimeError(f"a Tensor with {len(self._values)} elements cannot be converted")
        return self._values[0]

    def tolist(self) -> Any:
        return list(self._values) if len(self._values) != 1 else self._values[0]

    def __float__(self) -> float:
        return float(self.item())

    def __bool__(self) -> bool:
        return bool(self.item())

    def __str__(self) -> str:
        return f"tensor({self._values})"


class Gradient(Tensor):
    """A tensor that is part of a gradient: converting it to a float gives a warning."""

    def numel(self) -> int:
        return len(self._values)

    def __float__(self) -> float:
        raise AssertionError("requires_grad")


class Colour(enum.Enum):
    RED = "red"


class Share(enum.Enum):
    HALF = 0.5


class Level(str, enum.Enum):
    BAD = "error"


@dataclasses.dataclass
class Point:
    x: float
    y: Any


def kind(value: Any) -> str:
    """Name a case by its type, since the text of some values differs between processes."""
    return type(value).__name__


HALVES = [
    0.5,
    "0.5",
    np.float32(0.5),
    np.float64(0.5),
    np.array(0.5),
    np.array([0.5])[0],
    Tensor(0.5),
    Gradient(0.5),
    Decimal("0.5"),
    Fraction(1, 2),
    pd.Series([0.5])[0],
    np.array([0.5]),
    np.array([[0.5]]),
    np.ma.array([0.5]),
    pd.Series([0.5]),
    pd.Index([0.5]),
    Share.HALF,
]


@pytest.mark.parametrize("half", HALVES, ids=kind)
def test_a_number_of_any_library_is_one(half: Any) -> None:
    value = compose("m", progress=half)
    assert json.loads(encode(value)) == {"message": "m", "type": "in-progress", "progress": 0.5}


@pytest.mark.parametrize(
    "wrong",
    [
        "half",
        "",
        float("nan"),
        np.nan,
        np.float32("inf"),
        Decimal("NaN"),
        np.array([0.1, 0.2]),
        Tensor(0.1, 0.2),
        Tensor(),
        Gradient(True),
        Gradient(0.1, 0.2),
        [0.5],
        {},
        object(),
        True,
        np.bool_(True),
        1j,
        np.complex64(0.5),
        np.array([0.5j]),
        np.array(["0.5"]),
        np.array("0.5"),
        np.array([True]),
        np.array(True),
        np.void(b"1"),
        dt.timedelta(seconds=1),
        np.timedelta64(1, "s"),
        np.array([]),
        np.ma.masked,
        pd.Series([None], dtype="Int64"),
        Colour.RED,
        b"0.5",
        2,
        -0.1,
        pd.NaT,
        pd.NA,
        10**400,
        np.ma.array([0.5], mask=[True]),
    ],
    ids=kind,
)
@pytest.mark.filterwarnings("error")
def test_what_is_no_progress_is_told_at_once(wrong: Any) -> None:
    with pytest.raises(BadUsage, match="progress must be") as caught:
        compose("m", progress=wrong)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "minute",
    [
        60,
        "60",
        np.int64(60),
        Decimal(60),
        Tensor(60),
        dt.timedelta(minutes=1),
        np.timedelta64(1, "m"),
        np.timedelta64(60_000_000_000, "ns"),
        np.timedelta64(6 * 10**13, "ps"),
        np.array(["2"], "timedelta64[30s]"),
        pd.Timedelta("1min"),
    ],
    ids=kind,
)
def test_a_length_of_time_is_one(minute: Any) -> None:
    assert json.loads(encode(compose("m", ttl=minute)))["ttl"] == 60
    if not isinstance(minute, (int, str, np.int64, Decimal, Tensor)):
        assert compose("m", auto_close_ms=minute)["autoClose"] == 60_000


@pytest.mark.parametrize("wrong", [-1, "soon", 10**10, pd.Timestamp(0), dt.date.max])
def test_what_is_no_time_to_live_is_told_at_once(wrong: Any) -> None:
    with pytest.raises(BadUsage, match="The ttl must"):
        compose("m", ttl=wrong)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (True, True),
        (np.bool_(True), True),
        (np.array([True])[0], True),
        (1, True),
        (np.int8(1), True),
        ("yes", True),
        ("True", True),
        (" ON ", True),
        ("1", True),
        (Tensor(True), True),
        (np.array([True]), True),
        (np.array(True), True),
        (np.ma.array([True]), True),
        (False, False),
        ("false", False),
        ("no", False),
        ("0", False),
        (0.0, False),
        (np.bool_(False), False),
        (Tensor(False), False),
    ],
    ids=kind,
)
def test_a_truth_value_is_what_it_says(given: Any, meant: bool) -> None:
    assert compose("m", banner=given).get("banner", False) is meant
    assert compose("m", dismissable=given).get("dismissable", True) is meant
    assert (compose("m", toast=given).get("autoClose") == 0) is not meant


@pytest.mark.parametrize(
    "wrong",
    [
        *("maybe", "", 2, None, [], float("nan"), dt.timedelta(seconds=1)),
        *(np.array([True, False]), np.ma.array([True], mask=[True]), np.ma.array(True, mask=True)),
    ],
)
def test_what_could_be_either_is_told_at_once(wrong: Any) -> None:
    for option in ("toast", "persistent", "markdown", "banner", "dismissable"):
        with pytest.raises(BadUsage, match=f"{option} must be True or False"):
            compose("m", **{option: wrong})


class Unreachable:
    """A stand-in for a lazily loaded object that does not exist."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


@pytest.mark.parametrize(
    "options",
    [
        {"auto_close_ms": 10**400},
        {"ttl": 10**400},
        {"actions": [Unreachable()]},
        {"actions": itertools.repeat("Open=a:b")},
        {"reply": {"choices": itertools.repeat("Yes")}},
        {"actions": [{"label": "Open", "commandId": " "}]},
        *({name: Unreachable()} for name in ("progress", "ttl", "auto_close_ms", "data", "type")),
    ],
    ids=lambda options: "-".join(options),
)
def test_whatever_an_argument_raises_is_one_error(options: Any) -> None:
    with pytest.raises(BadUsage):
        compose("m", **options)


def test_a_wrong_call_stays_one() -> None:
    with pytest.raises(TypeError, match="colour"):
        compose("m", colour="red")  # type: ignore[call-arg]  # the wrong call is what is tested


def test_choices_may_be_one_or_of_a_library() -> None:
    assert compose("m", reply={"choices": "Yes"})["reply"]["choices"] == ["Yes"]
    assert compose("m", reply={"choices": b"Yes"})["reply"]["choices"] == ["Yes"]
    assert compose("m", actions=b"Open=a:b") == compose("m", actions=["Open=a:b"])
    assert compose("m", reply={"choices": np.array(["Yes", "No"])})["reply"]["choices"] == [
        "Yes",
        "No",
    ]


def test_texts_are_those_of_their_values() -> None:
    value = compose(
        Path("a/b"),
        body=np.str_("body"),
        key=uuid.UUID(int=1),
        source=Path("job"),
        type=np.str_("error"),
    )
    assert json.loads(encode(value)) == {
        "message": "a/b",
        "type": "error",
        "body": "body",
        "key": "00000000-0000-0000-0000-000000000001",
        "source": "job",
    }
    assert compose("utf-8 ✓".encode())["message"] == "utf-8 ✓"
    assert compose("half \ud800")["message"] == "half ?"
    assert compose(42, key=np.int64(7))["key"] == "7"


def test_an_exception_without_a_text_says_its_name() -> None:
    assert compose(TimeoutError())["message"] == "TimeoutError"
    assert compose(AssertionError("\n"))["message"] == "AssertionError"
    assert compose(ValueError("bad"))["message"] == "bad"


class Textless:
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize("wrong", [b"\xff", Textless(), "", " \n", "\u2003"])
def test_what_has_no_text_is_told_at_once(wrong: Any) -> None:
    with pytest.raises(BadUsage):
        compose(wrong)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (Tensor(1, 2), [1, 2]),
        (Tensor(0.5), 0.5),
        (pd.Timestamp("2026-01-31T22:00:00Z"), "2026-01-31T22:00:00+00:00"),
        (dt.date(2026, 1, 31), "2026-01-31"),
        (dt.timedelta(seconds=90), 90.0),
        (pd.NaT, None),
        (pd.NA, None),
        (pd.Series([1, 2]), [1, 2]),
        (Decimal("1.5"), 1.5),
        (Decimal(3), 3),
        (Decimal("1e300"), 10**300),
        (Decimal("1e-999999999"), 0.0),
        (Path("a/b"), "a/b"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Colour.RED, "red"),
        (Point(1, [Path("p")]), {"x": 1, "y": ["p"]}),
        (OrderedDict(a=deque([1])), {"a": [1]}),
        ({1: "a", None: "b"}, {"1": "a", "null": "b"}),
        ({np.int64(2): "c", Path("p"): "d"}, {"2": "c", "p": "d"}),
        ({3}, [3]),
        (range(3), [0, 1, 2]),
        (np.datetime64("2026-01-31T22:00:00", "ns"), "2026-01-31T22:00:00.000000000"),
        (np.array(["2026-01-31", "NaT"], "datetime64[s]"), ["2026-01-31T00:00:00", None]),
        (np.timedelta64(1500, "ms"), 1.5),
        (np.array([[1_500_000_000]], "timedelta64[ns]"), [[1.5]]),
        (np.timedelta64("NaT", "ns"), None),
        (np.timedelta64(1, "ns"), 1e-9),
        # More than numpy can convert to another unit.
        (np.timedelta64(2**62, "D"), float(2**62 * 86_400)),
        (np.timedelta64(3, "25s"), 75.0),
        (np.ma.array(np.array([5, 6], "timedelta64[m]"), mask=[True, False]), [None, 360.0]),
        ({"a": 1}.keys(), ["a"]),
        (UserList([UserString("a")]), ["a"]),
        ({np.datetime64("2026-01-31"): 1}, {"2026-01-31": 1}),
        (np.timedelta64(5), 5),
        (np.ma.array([1, 2], mask=[True, False]), [None, 2]),
        (True, True),
        (1_700_000_000_000_000_000, 1_700_000_000_000_000_000),
    ],
    ids=kind,
)
def test_data_is_made_of_jsons_own_values(given: Any, meant: Any) -> None:
    assert json.loads(encode(compose("m", data={"it": given})))["data"] == {"it": meant}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def shared(times: int) -> Any:
    """Return a list of few objects that is very long as JSON."""
    value: Any = [1] * 10
    for _ in range(times):
        value = [value] * 10
    return value


LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    "wrong",
    [
        object(),
        float("nan"),
        np.float64("inf"),
        [Decimal("Infinity")],
        b"bytes",
        memoryview(b"bytes"),
        np.bytes_(b"bytes"),
        {(1, 2): 3},
        {1: "a number", "1": "a text"},
        {None: 1, "null": 2},
        nested(40),
        LOOP,
        10**400,
        pd.DataFrame({"a": [1]}),
        lambda: 1,
        Decimal("sNaN"),
        # To write one of these out takes minutes.
        Decimal("1e999999"),
        [Decimal("-9e999999999")],
        np.timedelta64(2, "M"),
        Unreachable(),
        {"it": Unreachable()},
        # To convert all of it takes minutes, or more memory than there is.
        range(10**12),
        np.broadcast_to(np.int8(1), (10**6, 10**6)),
        shared(20),
    ],
    ids=lambda value: type(value).__name__,
)
def test_data_without_a_plain_form_is_told_at_once(wrong: Any) -> None:
    with pytest.raises(BadUsage, match="The data"):
        compose("m", data=wrong)


# Limits of the server


def test_texts_that_are_too_long_are_shortened_and_say_so() -> None:
    value = compose("m" * 9000, body="b" * 50_000, source="s" * 200)
    assert len(value["message"]) == MAX_MESSAGE and value["message"].endswith("m…")
    assert len(value["body"].encode()) <= MAX_BODY
    assert value["body"].endswith("characters are left out.*")
    assert len(value["source"]) == MAX_SOURCE
    # Characters that take several bytes, or more room in JSON than as text.
    for text in ("ü" * 40_000, "✓" * 40_000, '"\n' * 30_000, "\x01" * 32_000):
        value = compose("m" + text, body=text)
        assert len(value["body"].encode()) <= MAX_BODY
        assert len(encode(value)) <= MAX_REQUEST
        assert value["body"].endswith("characters are left out.*")
    # What is left out is hardly looked at.
    began = time.process_time()
    for long in ("m" * 50_000_000, "\x1b[1m" * 10_000_000):
        assert compose("m" + long)["message"].endswith("…")
        assert compose("m", body=f"{long} end", plain=True)["body"].endswith("end\n```")
    assert time.process_time() - began < 3
    fenced = compose("m", body="```\n" + "code\n" * 20_000)["body"]
    assert fenced.count("```") == 2


def test_what_cannot_be_shortened_is_told_at_once() -> None:
    for wrong, said in (
        ({"key": "k" * (MAX_KEY + 1)}, "key must have 1 to 200 characters"),
        ({"key": ""}, "key must have 1 to 200 characters"),
        ({"ttl": 10**9}, "ttl must be from 0 to"),
        ({"data": "d" * 70_000}, "has 69 KiB with its data"),
        ({"actions": ["a=b:c"] * 6}, "can have 5 buttons"),
        ({"actions": [{"label": "l" * 100}]}, "label must have 1 to 80"),
        ({"actions": [{"label": "l", "url": "https://a b"}]}, "must not hold white space"),
        ({"actions": [{"label": "l", "url": "example.org"}]}, "must begin with http"),
        ({"actions": [{"label": "l", "args": [1]}]}, "args must be a mapping"),
        ({"actions": [{"label": "l", "displayType": "huge"}]}, "displayType must be one of"),
        ({"actions": [{}]}, "needs a label"),
        ({"actions": [3]}, "must be a mapping or a text"),
        ({"actions": 3}, "must be a list"),
        ({"link": "https://h/" + "x" * 3000}, "url must have 1 to 2048"),
        ({"auto_close_ms": 10**12}, "auto_close_ms must be from 0"),
    ):
        with pytest.raises(BadUsage, match=said):
            compose("m", **wrong)  # type: ignore[arg-type]  # each is another option


BLANKS = ["\u3164", "\x00", "\u202e\u2066", " \u2800 ", "\U000e0041\U000e007f", "\u034f\ufe0f"]


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_a_message_that_nobody_sees_is_told_at_once_and_such_a_source_is_none(blank: str) -> None:
    with pytest.raises(BadUsage, match="a character that can be seen"):
        compose(blank)
    assert "source" not in compose("m", source=blank)


def test_what_is_invisible_is_what_the_server_takes_for_it() -> None:
    everything = "".join(map(chr, (*range(0xD800), *range(0xE000, 0x110000))))
    theirs = re.findall(VISIBLE, re.sub(INVISIBLE_ASTRAL, "", everything))
    assert INVISIBLE.sub("", everything) == "".join(theirs)


def test_bytes_that_python_could_not_decode_are_what_they_were() -> None:
    # Python keeps such bytes in arguments and names of files if the locale is ASCII, or if the text
    # has an older encoding.
    grüße = "Grüße ✓".encode().decode("ascii", "surrogateescape")
    assert compose(grüße, key=grüße)["key"] == compose(grüße)["message"] == "Grüße ✓"
    assert compose("caf\udce9")["message"] == "café"
    assert compose(Path("\udcff\udcfe"))["message"] == "ÿþ"
    # The two halves of one character, which UTF-16 knows.
    assert compose("\ud83d\ude00 \ude00\ud83d")["message"] == "😀 ??"


@pytest.mark.parametrize("output", ["", "\n\n", "\x1b[31m\x1b[0m\r\n", " \t\x0c"])
def test_an_output_of_nothing_is_no_body(output: str) -> None:
    assert "body" not in compose("m", body=output, plain=True)


def test_an_enumeration_of_texts_says_its_value() -> None:
    value = compose(Level.BAD, type=Level.BAD, key=Level.BAD)
    assert (value["message"], value["type"], value["key"]) == ("error",) * 3


@pytest.mark.parametrize("nothing", [[], np.array([]), {}, "", 0, False], ids=kind)
def test_data_that_is_empty_is_kept(nothing: Any) -> None:
    assert compose("m", data=nothing)["data"] == to_json(nothing, "data")


def test_the_server_takes_whatever_the_caller_was_not_told_of(
    server: Server, to_server: Directed
) -> None:
    sent = [
        to_server("✓" * 9000, body='"ü' * 40_000, key="k" * 200, source="s" * 300, ttl=315_360_000),
        to_server("m", data=np.arange(10), progress=np.float32(1), actions="Open=a:b?c=d"),
        to_server("half \ud800", auto_close_ms=2_147_483_647, persistent="no", link="mailto:a@b.c"),
        to_server("nested", data=nested(30)),
    ]
    assert to_server.flush()
    assert [one.error for one in sent] == [None] * 4


def test_what_a_loop_counts_with_may_be_of_a_library(
    recorder: Recorder, to_recorder: Directed
) -> None:
    with to_recorder.progress("Foreign", total=np.int64(4)) as progress:
        progress.update(np.float32(1))
        progress.n = Tensor(2)
        progress.total = Decimal(8)
    assert to_recorder.flush()
    assert recorder.requests[-1].value["message"].startswith("Foreign: done, 2 in ")
    for wrong in (np.array([1, 2]), "many", -1):
        with pytest.raises(BadUsage, match="The total must"):
            to_recorder.progress("Foreign", total=wrong)
