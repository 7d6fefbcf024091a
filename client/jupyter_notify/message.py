"""A message in the form of the wire, from what a person wrote in a shell or in Python."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal
from urllib.parse import unquote

from .errors import BadUsage

NotificationType = Literal["default", "info", "success", "warning", "error", "in-progress"]
TYPES: tuple[NotificationType, ...] = (
    "default",
    "info",
    "success",
    "warning",
    "error",
    "in-progress",
)

#: What the server takes at most.
MAX_MESSAGE = 4096
MAX_BODY = 32 * 1024
MAX_KEY = 200

LINKS = ("http://", "https://", "mailto:")

Message = dict[str, Any]
Action = Mapping[str, Any]


def compose(
    message: object,
    *,
    type: str = "info",
    body: str | None = None,
    key: str | None = None,
    progress: float | None = None,
    actions: Iterable[Action | str] = (),
    link: str | None = None,
    ttl: float | None = None,
    toast: bool = True,
    persistent: bool = False,
    auto_close_ms: float | None = None,
    markdown: bool = False,
    banner: bool = False,
    dismissable: bool = True,
    source: str | None = None,
    data: Any = None,
) -> Message:
    """Return a message as the server takes it.

    Parameters
    ----------
    message
        The summary; anything that has a text.
    type
        One of ``TYPES``.
    body
        The longer text, Markdown.
    key
        The same key again replaces the message in place.
    progress
        How much is done, from 0 to 1; without a type it makes the message ``in-progress``.
    actions
        Buttons, as ``docs/ingest.md`` describes them, or as text: ``"Open log=COMMAND?path=x"``.
    link
        A button's address, or ``"LABEL=ADDRESS"``.
    ttl
        Seconds after which it is not shown any more.
    toast
        False: in the center only.
    persistent
        True: shown until the person dismisses it.
    auto_close_ms
        The toast closes after so many milliseconds.
    markdown
        Whether ``message`` is Markdown.
    banner
        Also across the top.
    dismissable
        Whether the person can put it away.
    source
        Who says it.
    data
        Any JSON, carried for other extensions.

    Raises
    ------
    BadUsage
        If it cannot be a message.
    """
    text = str(message)
    if not text.strip():
        raise BadUsage("The message must not be empty.")
    if progress is not None and type == "info":
        type = "in-progress"
    if type not in TYPES:
        raise BadUsage(f"The type must be one of {', '.join(TYPES)}, not {type!r}.")
    if progress is not None and not 0 <= progress <= 1:
        raise BadUsage(f"The progress must be from 0 to 1, not {progress!r}.")
    if sum((not toast, persistent, auto_close_ms is not None)) > 1:
        raise BadUsage("Only one of no toast, persistent and auto-close can be had.")
    buttons = [parse_action(one) if isinstance(one, str) else dict(one) for one in actions]
    if link is not None:
        buttons.append(parse_link(link))
    given: Message = {
        "message": text,
        "type": type,
        "body": body,
        "key": key,
        "progress": progress,
        "actions": buttons,
        "ttl": ttl,
        "autoClose": False if persistent else 0 if not toast else auto_close_ms,
        "source": source,
        "data": data,
    }
    # What is not given stays out, so that the server's defaults hold.
    value = {name: one for name, one in given.items() if one is not None and one != []}
    value |= {"markdown": True} if markdown else {}
    value |= {"banner": True} if banner else {}
    value |= {"dismissable": False} if not dismissable else {}
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadUsage(f"The message cannot be written as JSON: {error}.") from None
    return value


def parse_action(text: str) -> dict[str, Any]:
    """Return a button from ``LABEL=COMMAND?name=text&name:=json`` or ``LABEL=ADDRESS``."""
    label, equals, does = text.partition("=")
    if not (label.strip() and equals and does):
        raise BadUsage(
            f"A button must be LABEL=COMMAND or LABEL=URL, with arguments as in "
            f"'Open log=filebrowser:open-path?path=log.txt', not {text!r}."
        )
    if does.lower().startswith(LINKS):
        return {"label": label.strip(), "url": does}
    command, _, query = does.partition("?")
    args: dict[str, Any] = {}
    for pair in query.split("&") if query else ():
        name, equals, value = pair.partition("=")
        if not (name.rstrip(":") and equals):
            raise BadUsage(f"A button's arguments must be name=text or name:=json, not {pair!r}.")
        if name.endswith(":"):
            try:
                args[unquote(name[:-1])] = json.loads(unquote(value))
            except ValueError:
                raise BadUsage(f"What follows := in a button must be JSON, not {pair!r}.") from None
        else:
            args[unquote(name)] = unquote(value)
    return {"label": label.strip(), "commandId": command, **({"args": args} if args else {})}


def parse_link(text: str) -> dict[str, Any]:
    """Return a button from ``ADDRESS`` or ``LABEL=ADDRESS``."""
    label, address = "Open", text
    if not text.lower().startswith(LINKS):
        label, _, address = text.partition("=")
    if not label.strip() or not address.lower().startswith(LINKS):
        raise BadUsage(f"A link must begin with http://, https:// or mailto:, not {text!r}.")
    return {"label": label.strip(), "url": address}


def shorten(text: str, most: int = MAX_MESSAGE) -> str:
    """Return a text that was made by a program, no longer than the server takes."""
    # A browser cannot hold half of a surrogate pair, which a file's name may.
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= most else text[: most - 1] + "…"


def fenced(text: str, most: int = 8 * 1024) -> str:
    """Return a program's output as Markdown that shows it as it is, its end if it is long."""
    text = shorten(text[-most:], most)
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"


def duration(seconds: float) -> str:
    """Return a length of time as a person says it."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, s = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {s} s" if s else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def describe(error: BaseException) -> str:
    """Return an exception's summary in one line."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    return shorten(f"{name}: {text}" if text else name, 500)
