"""Parse the service's JSON: each value is checked, cut to a maximum length, and typed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import parse_qs, urlsplit

from ...limits import MAX_ANSWER, MAX_SOURCE
from ...storage.quiet import SharedQuiet
from ...storage.remote import (
    PLAIN_OPTIONS,
    RemoteBroadcast,
    RemoteMessage,
    RemoteOptions,
    RemoteState,
)
from ...visible import is_blank
from .clock import moved
from .failure import Answer, Failure, malformed

if TYPE_CHECKING:
    from ...storage.shapes import WelcomeContent

T = TypeVar("T")

#: The maximum lengths of a summary and of a body, in characters.
MAX_SUMMARY = 4096
MAX_BODY = 256 * 1024
#: Number of welcome messages that are stored: nobody reads more of them.
MAX_WELCOME = 200
#: The maximum length of a time, in characters, and the largest ``max_views``.
MAX_TIME = 64
MAX_VIEWS = 2**31
#: The maximum length of a ``Link`` header, in characters.
MAX_LINK = 8192

#: The types of notifications for the categories of broadcasts.
CATEGORIES = {"info": "info", "notice": "warning", "outage": "error"}
#: The values of fields that Semaphore does not have.
TYPES = frozenset(("default", "info", "success", "warning", "error", "in-progress"))
MAX_ACTIONS = 5
MAX_CHANNELS = 100
MAX_CHANNEL = 100
#: Number of entries for do-not-disturb and sources that are read, and the bound of their stamps.
MAX_QUIET = 1000
MAX_STAMP = 2**53


@dataclass(frozen=True)
class ListedMessage:
    """A message in a list."""

    remote: str
    created_ms: int
    read: bool
    message: str
    #: Time at which its content changed; None if it did not, or the service does not say.
    updated_ms: int | None
    options: RemoteOptions


@dataclass(frozen=True)
class Page:
    """A page of messages, newest first.

    Parameters
    ----------
    items
        The messages.
    cursor
        The cursor of the next page; None for the last page.
    total
        The number of messages on all pages, if the service reports it.
    etag
        The ETag for the next request.
    notice
        A sentence about what was left out, if anything was.
    """

    items: tuple[ListedMessage, ...]
    cursor: str | None
    total: int | None
    etag: str | None
    notice: str | None = None


@dataclass(frozen=True)
class Tagged(Generic[T]):
    """A list in a single page, its ETag, and a sentence about what was left out."""

    items: tuple[T, ...]
    etag: str | None
    notice: str | None


@dataclass(frozen=True)
class ListedBroadcasts(Tagged[RemoteBroadcast]):
    """The active broadcasts, and the user's state of each by the service's id."""

    states: dict[str, RemoteState]


def parse_entries(
    value: Any, parse: Callable[[dict[str, Any]], T | None], most: int, name: str
) -> tuple[tuple[T, ...], str | None]:
    """Parse the entries of a list; return them, and a sentence about what was left out.

    Parameters
    ----------
    value
        The list, from JSON.
    parse
        Parses an entry; returns None to ignore it.
    most
        The maximum number of entries.
    name
        What the entries are called, for the sentence.

    Raises
    ------
    Failure
        If the value is not a list, or none of its entries can be understood.
    """
    if not isinstance(value, list):
        raise malformed()
    items: list[T] = []
    unreadable = left_over = 0
    for entry in value:
        try:
            item = parse(entry) if isinstance(entry, dict) else None
        except Failure:
            item, entry = None, None
        if not isinstance(entry, dict):
            unreadable += 1
        elif item is not None and len(items) < most:
            items.append(item)
        elif item is not None:
            left_over += 1
    if unreadable and unreadable == len(value):
        raise malformed()
    notice = ""
    if unreadable:
        notice = f"The central service lists {unreadable} {name} that cannot be understood."
    if left_over:
        notice += f" It lists {left_over} {name} more than are stored."
    return tuple(items), notice.strip() or None


def parse_broadcast(entry: dict[str, Any]) -> RemoteBroadcast | None:
    """Parse a broadcast; return None if it is not active."""
    if "active" not in entry:
        raise malformed()
    if not (entry["active"] and entry.get("enabled", True)):
        return None
    category = entry.get("category")
    options = parse_options(entry)
    if "sender" not in entry:
        # Semaphore's broadcasts have no sender. They are banners, and outages stay.
        options["type"] = CATEGORIES.get(category, "info") if isinstance(category, str) else "info"
        options["dismissable"] = int(category != "outage")
        options["banner"] = 1
    if options["banner"] and options["auto_close"] is None:
        # A banner is shown across the top already, so it needs no toast.
        options["auto_close"] = "0"
    options["expires_ms"] = parse_optional_ms(entry.get("ends"))
    return {
        "remote": parse_id(entry),
        "message": parse_summary(entry),
        "body": parse_text(entry.get("body"), MAX_BODY),
        **options,
    }


def parse_listed_broadcast(entry: dict[str, Any]) -> tuple[RemoteBroadcast, RemoteState] | None:
    """Parse a broadcast and the user's state of it; return None if it is not active."""
    item = parse_broadcast(entry)
    return None if item is None else (item, parse_state(entry))


def parse_message(entry: dict[str, Any]) -> ListedMessage:
    """Parse a message of a list."""
    return ListedMessage(
        parse_id(entry),
        parse_time_ms(entry.get("created")),
        parse_read(entry),
        parse_summary(entry),
        parse_optional_ms(entry.get("updated")),
        parse_options(entry),
    )


def parse_whole_message(entry: dict[str, Any]) -> RemoteMessage:
    """Parse a message with its body, from an event or from a request for that message."""
    return {
        "remote": parse_id(entry),
        "created_ms": parse_time_ms(entry.get("created")),
        "updated_ms": parse_optional_ms(entry.get("updated")),
        "message": parse_summary(entry),
        "body": parse_text(entry.get("body"), MAX_BODY),
        "fetched": 1,
        **parse_options(entry),
    }


def parse_options(entry: dict[str, Any]) -> RemoteOptions:
    """Parse how a message is shown; Semaphore has none of these fields."""
    options = PLAIN_OPTIONS.copy()
    if isinstance(entry.get("type"), str) and entry["type"] in TYPES:
        options["type"] = entry["type"]
    options["banner"] = int(entry.get("banner") is True)
    options["dismissable"] = int(entry.get("dismissable", True) is not False)
    auto_close = entry.get("auto_close")
    if isinstance(auto_close, bool) or (
        isinstance(auto_close, int) and 0 <= auto_close <= 86_400_000
    ):
        options["auto_close"] = json.dumps(auto_close)
    progress = entry.get("progress")
    if (
        options["type"] == "in-progress"
        and isinstance(progress, (int, float))
        and not isinstance(progress, bool)
        and 0 <= progress <= 1
    ):
        options["progress"] = float(progress)
    if actions := entry.get("actions"):
        options["actions"] = parse_actions(actions)
    if reply := entry.get("reply"):
        options["reply"] = parse_reply(reply)
    options["expires_ms"] = parse_optional_ms(entry.get("expires"))
    options["countdown_ms"] = parse_optional_ms(entry.get("countdown"))
    if options["dismissable"]:
        options["snoozed_until_ms"] = parse_optional_ms(entry.get("snoozed_until"))
    return options


def parse_actions(value: Any) -> str:
    """Return buttons as JSON, without those that ingest would refuse."""
    # Imported late, since most servers never need it.
    from pydantic import ValidationError

    from ...models import Action

    buttons = []
    for entry in value[:MAX_ACTIONS] if isinstance(value, list) else ():
        try:
            buttons.append(Action.model_validate(entry).model_dump())
        except ValidationError:
            continue
    return json.dumps(buttons, ensure_ascii=False, separators=(",", ":"))


def parse_reply(value: Any) -> str | None:
    """Return a question to the user as JSON; None if ingest would refuse it too."""
    # Imported late, since most servers never need it.
    from pydantic import ValidationError

    from ...models import ReplyRequest

    try:
        asked = ReplyRequest.model_validate(value)
    except ValidationError:
        return None
    return json.dumps(asked.model_dump(), ensure_ascii=False, separators=(",", ":"))


def parse_optional_ms(value: Any) -> int | None:
    """Parse an optional time; None if it is missing."""
    return None if value is None else parse_time_ms(value)


def parse_welcome(entry: dict[str, Any], aspect: str) -> WelcomeContent:
    """Parse a welcome message."""
    title, most, updated = entry.get("title"), entry.get("max_views"), entry.get("updated")
    own_aspect = entry.get("aspect")
    if not isinstance(title, str) or isinstance(most, bool):
        raise malformed()
    if most is not None and not (isinstance(most, int) and 0 <= most <= MAX_VIEWS):
        raise malformed()
    return {
        "id": parse_id(entry),
        "aspect": clean(own_aspect[:200]) if isinstance(own_aspect, str) else aspect,
        "title": "…" if is_blank(title[:200]) else clean(title[:200]),
        "summary": parse_text(entry.get("summary"), MAX_SUMMARY),
        "body": parse_text(entry.get("body"), MAX_BODY) or "",
        "dismissable": entry.get("dismissable", True) is not False,
        "must_accept": entry.get("must_accept") is True,
        "max_views": most,
        "updated": clean(updated[:40]) if isinstance(updated, str) else None,
        "updated_ms": None if updated is None else parse_time_ms(updated),
    }


def parse_channels(entry: Any) -> tuple[dict[str, Any], str | None]:
    """Parse the service's channels, into the shape of ``models.Channels``.

    Returns them, and a sentence about what was left out.
    """
    if not isinstance(entry, dict):
        raise malformed()
    channels, notice = parse_entries(
        entry.get("channels"), _parse_channel, MAX_CHANNELS, "channels"
    )
    digest, zone = entry.get("digest"), entry.get("timezone")
    quiet = [entry.get("quiet_from"), entry.get("quiet_until")]
    return {
        "channels": list(channels),
        "digest": digest if digest in ("hourly", "daily") else "none",
        **{
            field: clean(value[:5]) if isinstance(value, str) else None
            for field, value in zip(("quietFrom", "quietUntil"), quiet, strict=True)
        },
        "timezone": clean(zone[:100]) if isinstance(zone, str) and zone else "UTC",
    }, notice


def _parse_channel(entry: dict[str, Any]) -> dict[str, Any]:
    name = entry.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= MAX_CHANNEL:
        raise malformed()
    return {
        "name": clean(name),
        "on": entry.get("on") is True,
        "reaches": entry.get("reaches", True) is not False,
    }


def parse_quiet(value: Any, ahead_ms: int = 0) -> tuple[tuple[SharedQuiet, ...], str | None]:
    """Parse do-not-disturb and the muted sources; return them, and what was left out.

    Parameters
    ----------
    value
        The service's answer, or an event's data.
    ahead_ms
        By how much this server's clock is ahead of the service's.
    """
    if not isinstance(value, dict):
        raise malformed()

    def parse(entry: dict[str, Any]) -> SharedQuiet | None:
        source, stamp, until = entry.get("source"), entry.get("stamp"), entry.get("until")
        if not isinstance(source, str) or type(stamp) is not int or not 0 < stamp < MAX_STAMP:
            raise malformed()
        if len(source) > MAX_SOURCE or clean(source) != source:
            # No message here can have such a source.
            return None
        until_ms = None if until is None else moved(parse_time_ms(until), ahead_ms)
        return SharedQuiet(source, entry.get("on") is True, until_ms, stamp)

    return parse_entries(value.get("entries"), parse, MAX_QUIET, "muted sources")


def parse_total(answer: Answer) -> int | None:
    """Parse the number of messages on all pages, if the service reports it."""
    total = answer.headers.get("x-total-count", "")
    return int(total) if total.isascii() and total.isdigit() and len(total) < 16 else None


def parse_next_cursor(answer: Answer) -> str | None:
    """Parse the cursor of the next page from the ``Link`` header.

    Nothing else of the link is used: the service's URL is configured here, and the service itself
    may have a wrong idea of it.
    """
    header = answer.headers.get("link", "")
    if not header:
        return None
    if len(header) > MAX_LINK or not header.isascii():
        raise malformed()
    import httpx

    link = httpx.Response(200, headers={"Link": header}).links.get("next")
    if link is None:
        return None
    try:
        cursor = parse_qs(urlsplit(link.get("url", "")).query).get("cursor", [""])[0]
    except ValueError:
        raise malformed() from None
    if not cursor or len(cursor) > 500:
        raise malformed()
    return cursor


def parse_etag(answer: Answer) -> str | None:
    """Return the ETag of an answer, if it is valid in a header of the next request."""
    etag = answer.headers.get("etag", "")
    return etag if etag.isascii() and etag.isprintable() and 0 < len(etag) <= 500 else None


def clean(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot encode."""
    return text.encode("utf-8", "replace").decode()


def parse_id(entry: dict[str, Any]) -> str:
    """Parse an entry's id."""
    id_ = entry.get("id")
    if isinstance(id_, int) and not isinstance(id_, bool):
        # Python refuses to convert a number with very many digits.
        id_ = str(id_) if abs(id_) < 10**200 else ""
    if not isinstance(id_, str) or not 0 < len(id_) <= 200 or clean(id_) != id_:
        raise malformed()
    if id_ in (".", ".."):
        # In a URL such an id would lead to another path.
        raise malformed()
    return id_


def parse_text(value: Any, most: int) -> str | None:
    """Return the Markdown of a formatted text; its HTML is not used, since it may be unsafe."""
    if isinstance(value, dict):
        value = value.get("gfm")
    if value is None:
        return None
    if not isinstance(value, str):
        raise malformed()
    return clean(shorten(value, most)) or None


def parse_summary(entry: dict[str, Any]) -> str:
    """Parse an entry's summary; an empty one becomes an ellipsis."""
    text = parse_text(entry.get("summary"), MAX_SUMMARY)
    if text is None and not isinstance(entry.get("summary"), (dict, str)):
        raise malformed()
    return text if text and not is_blank(text) else "…"


def shorten(text: str, most: int) -> str:
    """Cut a text to ``most`` characters, at the end of a word if possible."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    space = max(cut.rfind(" "), cut.rfind("\n"))
    if space > most // 2:
        cut = cut[:space]
    return cut.rstrip() + "…"


def parse_read(entry: dict[str, Any]) -> bool:
    """Return whether a message is read."""
    read = entry.get("read")
    if read is not None and not isinstance(read, str):
        raise malformed()
    return read is not None


def parse_state(entry: dict[str, Any]) -> RemoteState:
    """Return what the user did with a message; Semaphore reports only whether it is read."""
    answer, replied = entry.get("answer"), entry.get("replied")
    if not isinstance(answer, str) or not answer:
        answer = None
    return RemoteState(
        entry.get("read") is not None,
        entry.get("dismissed") is not None,
        None if answer is None else clean(answer[:MAX_ANSWER]),
        None if answer is None or replied is None else parse_time_ms(replied),
        parse_optional_ms(entry.get("snoozed_until")),
    )


def parse_time_ms(value: Any) -> int:
    """Parse a time to milliseconds since 1970."""
    if not isinstance(value, str) or len(value) > MAX_TIME:
        raise malformed()
    text = re.sub(r"(\.\d{6})\d+", r"\1", value.strip().replace("Z", "+00:00"))
    # Before Python 3.11, the fraction must have three or six digits.
    text = re.sub(r"\.(\d{1,6})", lambda match: "." + match[1].ljust(6, "0"), text)
    try:
        then = datetime.fromisoformat(text)
        if then.tzinfo is None:
            then = then.replace(tzinfo=timezone.utc)
        return max(int(then.timestamp() * 1000), 0)
    except (ValueError, OverflowError):
        raise malformed() from None
