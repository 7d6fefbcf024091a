"""Compose a message for the server from a user's arguments, in a shell or in Python."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from .decoding import encodable
from .errors import BadUsage
from .server_url import is_host
from .terminal_text import fenced, head, plain_output
from .values import (
    is_blank,
    is_duration,
    raising_bad_usage,
    to_bool,
    to_json,
    to_number,
    to_text,
)

NotificationType = Literal["default", "info", "success", "warning", "error", "in-progress"]
TYPES: tuple[NotificationType, ...] = (
    "default",
    "info",
    "success",
    "warning",
    "error",
    "in-progress",
)

#: The server's limits: in characters; for the body and the whole request, in bytes of UTF-8.
MAX_MESSAGE = 4096
MAX_BODY = 32 * 1024
MAX_REQUEST = 64 * 1024
#: Characters of a program's output from which a body is made: its end.
MAX_OUTPUT = 1024 * 1024
MAX_KEY = 200
MAX_SOURCE = 80
MAX_TTL_S = 315_360_000
MAX_AUTO_CLOSE_MS = 2_147_483_647
MAX_ACTIONS = 5
MAX_CHOICES = 10
MAX_CHOICE = 80
MAX_PROMPT = 200
#: The texts of a button, and how long each may be.
ACTION_TEXTS = {"label": 80, "caption": 200, "commandId": 200, "url": 2048, "displayType": 10}
DISPLAY_TYPES = ("default", "accent", "warn", "link")

LINKS = ("http://", "https://", "mailto:")
#: Prefixes that look like a command's (with a colon) but belong to URLs.
SCHEMES = (
    *("javascript:", "data:", "file:", "ftp:", "vbscript:", "blob:", "about:", "view-source:"),
    *("http:", "https:", "mailto:", "ws:", "wss:", "ssh:", "tel:", "sms:", "chrome:", "urn:"),
    *("sftp:", "irc:", "magnet:", "sip:", "sips:", "xmpp:", "callto:", "facetime:", "webcal:"),
    *("vscode:", "intent:", "git+ssh:", "ms-settings:", "filesystem:", "chrome-extension:"),
    *("moz-extension:", "livescript:", "jar:", "resource:", "cid:", "mid:", "geo:", "doi:"),
    *("smb:", "nfs:", "afp:", "s3:", "gs:", "hdfs:", "dav:", "davs:", "ftps:", "tftp:", "rsync:"),
    *("ldap:", "ldaps:", "news:", "nntp:", "feed:", "gopher:", "telnet:", "rtsp:", "imap:", "pop:"),
    *("skype:", "slack:", "msteams:", "zoommtg:", "steam:", "spotify:", "bitcoin:", "itms:"),
)
#: Texts that look like a command but are not: a host with its port or path, a path on a Windows
#: drive or on a machine of a user's, or anything with characters that no command's name has.
NO_COMMAND = re.compile(r"[^:]*:\d+(/|$)|[^:/]*\.[^:/]*/|[A-Za-z]:[\\/]|[^:]+@|~|.*[=\[\]<>\"\\]")

#: The types of single texts, as opposed to lists of them.
TEXTS = (str, bytes, bytearray, memoryview)

Message = dict[str, Any]
Action = Mapping[str, Any]


# Longer than a screen: half of it is the signature and its documentation.
@raising_bad_usage
def compose(
    message: object,
    *,
    type: str = "info",
    body: object = None,
    key: object = None,
    progress: Any = None,
    actions: Iterable[Action | str] | Action | str = (),
    link: object = None,
    reply: Any = None,
    ttl: Any = None,
    toast: Any = True,
    persistent: Any = False,
    auto_close_ms: Any = None,
    markdown: Any = False,
    banner: Any = False,
    dismissable: Any = True,
    source: object = None,
    data: Any = None,
    plain: Any = False,
    strict: bool = False,
) -> Message:
    """Return a message in the server's format.

    Values of numpy, torch, pandas and similar libraries are converted where that is unambiguous.

    Parameters
    ----------
    message
        The summary; any object, which is converted with ``str``.
    type
        One of ``TYPES``.
    body
        The longer text, Markdown.
    key
        A message with the same key replaces this one in place.
    progress
        The fraction done, from 0 to 1; without a type it makes the message ``in-progress``.
    actions
        Buttons, as ``docs/ingest.md`` describes them, or as text: ``"Open log=COMMAND?path=x"``.
    link
        A button's address, or ``"LABEL=ADDRESS"``.
    reply
        What the user is asked: ``{"choices": ["Yes", "No"], "text": True, "prompt": "Well?"}``.
    ttl
        The lifetime in seconds, or a ``timedelta``; after it the notification is not shown.
    toast
        If False, the notification is shown in the center only.
    persistent
        If True, the toast stays until the user closes it.
    auto_close_ms
        How long the toast is shown.
    markdown
        Whether ``message`` is Markdown.
    banner
        Whether to show it across the top as well.
    dismissable
        Whether the user can dismiss it.
    source
        The sender's name.
    data
        Any JSON, passed on to other extensions.
    plain
        Whether ``body`` is program output, shown unchanged, instead of Markdown.
    strict
        Whether a text that is too long is an error. Otherwise it is shortened with a note.

    Raises
    ------
    BadUsage
        If the arguments do not make a message.
    """
    fields: Message = {
        "message": _summary(message, strict),
        "type": to_text(getattr(type, "value", type), "type"),
        "body": _body(body, to_bool(plain, "plain"), strict),
        "key": None if key is None else _limited(key, "key", MAX_KEY),
        "progress": None
        if progress is None
        else to_number(progress, "progress", 0, 1, of_time=False),
        "actions": _buttons(actions, link),
        "reply": None if reply is None else _reply(reply),
        "ttl": None if ttl is None else to_number(ttl, "ttl", 0, MAX_TTL_S),
        "autoClose": _auto_close(toast, persistent, auto_close_ms),
        "source": None if source is None else _source(source),
        "data": to_json(data, "data"),
        "markdown": to_bool(markdown, "markdown") or None,
        "banner": to_bool(banner, "banner") or None,
        "dismissable": None if to_bool(dismissable, "dismissable") else False,
    }
    if fields["progress"] is not None and fields["type"] == "info":
        fields["type"] = "in-progress"
    if fields["type"] not in TYPES:
        raise BadUsage(f"The type must be one of {', '.join(TYPES)}, not {fields['type']!r}.")
    # Fields without a value are left out, so that the server's defaults apply.
    value = {
        name: one for name, one in fields.items() if one is not None and (one or name != "actions")
    }
    return _fitted(value)


def encode(value: Message) -> bytes:
    """Return a message as the body of a request."""
    # Avoid ASCII escapes: they take six bytes for a character, and the server counts bytes.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _summary(message: object, strict: bool) -> str:
    text = to_text(message, "message")
    if isinstance(message, BaseException) and is_blank(text):
        # As Python shows an exception without a text of its own.
        text = type(message).__name__
    # What colours a long text is not looked for beyond what can be kept of it.
    text = without_colours(text if strict else shorten(text, 16 * MAX_MESSAGE))
    if not text.strip():
        raise BadUsage("The message must not be empty.")
    if is_blank(text):
        raise BadUsage("The message must hold a character that can be seen.")
    if strict and len(text) > MAX_MESSAGE:
        raise BadUsage(f"The message is longer than {MAX_MESSAGE} characters.")
    return shorten(text, MAX_MESSAGE)


def _body(body: object, plain: bool, strict: bool) -> str | None:
    if body is None:
        return None
    text = to_text(body, "body")
    if plain:
        text = plain_output(text[-MAX_OUTPUT:])
        # A blank output would be shown as an empty box.
        return fenced(text, MAX_BODY) if text.strip() else None
    if strict and len(text.encode()) > MAX_BODY:
        raise BadUsage(f"The body is longer than {MAX_BODY // 1024} KiB.")
    return shorten_body(text, MAX_BODY)


def _limited(value: object, name: str, most: int) -> str:
    text = to_text(value, name)
    if not 1 <= len(text) <= most:
        raise BadUsage(f"The {name} must have 1 to {most} characters, not {len(text)}.")
    return text


def _source(source: object) -> str | None:
    text = shorten(to_text(source, "source"), MAX_SOURCE)
    return None if is_blank(text) else text


def _auto_close(toast: Any, persistent: Any, auto_close_ms: Any) -> float | bool | None:
    shows, stays = to_bool(toast, "toast"), to_bool(persistent, "persistent")
    if sum((not shows, stays, auto_close_ms is not None)) > 1:
        raise BadUsage("Choose only one of no toast, persistent and auto-close.")
    if auto_close_ms is None:
        return False if stays else None if shows else 0
    # A timedelta counts in seconds, a plain number in milliseconds.
    scale = 1000 if is_duration(auto_close_ms) else 1
    number = to_number(auto_close_ms, "auto_close_ms") * scale
    return to_number(number, "auto_close_ms", 0, MAX_AUTO_CLOSE_MS)


def _fitted(value: Message) -> Message:
    """Return a message within the server's limit, with its body shortened if need be."""
    size = len(encode(value))
    if size > MAX_REQUEST and "body" in value:
        text = value["body"]
        # Quotes and control characters are longer in JSON than in the text.
        left = max(1024, len(text.encode()) * (MAX_REQUEST - 1024) // size - 1024)
        while size > MAX_REQUEST and left >= 1024:
            value = {**value, "body": shorten_body(text, left)}
            size, left = len(encode(value)), left // 2
    if size > MAX_REQUEST:
        raise BadUsage(
            f"The notification has {size // 1024 + 1} KiB with its data; the server accepts "
            f"{MAX_REQUEST // 1024} KiB."
        )
    return value


# Questions


def _reply(given: Any) -> dict[str, Any]:
    """Return the question to the user; refuse a question that cannot be answered."""
    if not isinstance(given, Mapping):
        raise BadUsage(f"A reply must be a mapping, not a {type(given).__name__}.")
    try:
        listed = given.get("choices")
        listed = (listed,) if isinstance(listed, TEXTS) else () if listed is None else listed
        listed = islice(listed, MAX_CHOICES + 1)
        choices = [_limited(one, "choice", MAX_CHOICE) for one in listed]
    except TypeError:
        raise BadUsage("The choices must be a list of texts.") from None
    if len(choices) > MAX_CHOICES:
        raise BadUsage(f"At most {MAX_CHOICES} choices can be had.")
    if any(map(is_blank, choices)):
        raise BadUsage("A choice must hold a character that can be seen.")
    text = given.get("text")
    # Without anything to choose from, an answer can only be written.
    value: dict[str, Any] = {
        "choices": list(dict.fromkeys(choices)),
        "text": not choices if text is None else to_bool(text, "text"),
    }
    if not (value["choices"] or value["text"]):
        raise BadUsage("A question needs choices, or a text as its answer.")
    if given.get("prompt") is not None:
        value["prompt"] = shorten(to_text(given["prompt"], "prompt"), MAX_PROMPT)
    return value


# Buttons


def _buttons(actions: Any, link: object) -> list[dict[str, Any]]:
    if isinstance(actions, (*TEXTS, Mapping)):
        actions = (actions,)
    try:
        listed = list(islice(actions, MAX_ACTIONS + 1) if actions is not None else ())
    except TypeError:
        raise BadUsage("The actions must be a list of buttons.") from None
    buttons = [
        parse_action(to_text(one, "button")) if isinstance(one, TEXTS) else _button(one)
        for one in listed
    ]
    if link is not None:
        buttons.append(parse_link(to_text(link, "link")))
    if len(buttons) > MAX_ACTIONS:
        raise BadUsage(f"A notification can have {MAX_ACTIONS} buttons, and no more.")
    return buttons


def _button(action: Any) -> dict[str, Any]:
    """Return a button from a mapping, with its fields checked."""
    if not isinstance(action, Mapping):
        raise BadUsage(f"A button must be a mapping or a text, not a {type(action).__name__}.")
    button = {name: one for name, one in action.items() if one is not None}
    for name, most in ACTION_TEXTS.items():
        if name in button:
            button[name] = _limited(button[name], f"button's {name}", most)
    if is_blank(button.get("label", "")):
        raise BadUsage("A button needs a label that can be seen.")
    if is_blank(button.get("commandId", "-")):
        raise BadUsage("A button's command needs a name that can be seen.")
    if button.get("displayType", "default") not in DISPLAY_TYPES:
        raise BadUsage(f"A button's displayType must be one of {', '.join(DISPLAY_TYPES)}.")
    if "url" in button:
        _check_address(button["url"])
    if "args" in button:
        button["args"] = to_json(button["args"], "button's args")
        if not isinstance(button["args"], dict):
            raise BadUsage("A button's args must be a mapping.")
    return to_json(button, "button")  # type: ignore[no-any-return]  # a mapping stays one


def _check_address(address: str) -> None:
    if not address.lower().startswith(LINKS):
        raise BadUsage(f"A link must begin with http://, https:// or mailto:, not {address!r}.")
    # A browser refuses such characters, or reads the URL as something else.
    if any(c.isspace() or c < " " or "\x7f" <= c <= "\x9f" for c in address):
        raise BadUsage(f"A link must not hold white space: {address!r}.")
    if "\\" in address:
        # A browser takes it for a slash, and so another host than the one that is read.
        raise BadUsage(f"A link must not hold a backslash: {address!r}.")
    if address.lower().startswith("mailto:"):
        is_whole = len(address) > len("mailto:")
    else:
        try:
            parts = urlsplit(address)
            is_whole = (parts.port is None or parts.port >= 0) and is_host(parts)
        except ValueError:
            is_whole = False
    if not is_whole:
        raise BadUsage(f"A link must lead somewhere, and this does not: {address!r}.")


def parse_action(text: str) -> dict[str, Any]:
    """Return a button from ``LABEL=COMMAND?name=text&name:=json`` or ``LABEL=ADDRESS``."""
    label, equals, does = text.partition("=")
    if not (label.strip() and equals and does):
        raise BadUsage(
            f"A button must be LABEL=COMMAND or LABEL=URL, with arguments as in "
            f"'Open log=filebrowser:open-path?path=log.txt', not {text!r}."
        )
    if does.lower().startswith(LINKS):
        return _button({"label": label.strip(), "url": does})
    command, _, query = does.partition("?")
    unsafe = command.lower().startswith(SCHEMES) or "//" in command or NO_COMMAND.match(command)
    # A command's name holds no white space and no invisible characters.
    if unsafe or ":" not in command.strip(":") or " " in command or not command.isprintable():
        raise BadUsage(
            f"{does!r} is neither a command of JupyterLab, such as filebrowser:open-path, nor a "
            "URL that begins with http://, https:// or mailto:."
        )
    args: dict[str, Any] = {}
    for pair in query.split("&") if query else ():
        name, equals, value = pair.partition("=")
        if not (name.rstrip(":") and equals):
            raise BadUsage(f"A button's arguments must be name=text or name:=json, not {pair!r}.")
        if name.endswith(":"):
            try:
                args[unquote(name[:-1])] = json.loads(unquote(value))
            except (ValueError, RecursionError):
                raise BadUsage(f"What follows := in a button must be JSON, not {pair!r}.") from None
        else:
            args[unquote(name)] = unquote(value)
    return _button({"label": label.strip(), "commandId": command, "args": args or None})


def parse_link(text: str) -> dict[str, Any]:
    """Return a button from ``ADDRESS`` or ``LABEL=ADDRESS``."""
    label, address = "Open", text
    if not text.lower().startswith(LINKS):
        label, _, address = text.partition("=")
    if not label.strip() or not address.lower().startswith(LINKS):
        raise BadUsage(f"A link must begin with http://, https:// or mailto:, not {text!r}.")
    return _button({"label": label.strip(), "url": address})


# Texts


def without_colours(text: str) -> str:
    """Return a short text without a terminal's escape sequences, if it has any."""
    return plain_output(text) if "\x1b" in text else text


def shorten(text: str, most: int = MAX_MESSAGE) -> str:
    """Return a text, cut to at most ``most`` characters."""
    text = encodable(text)
    return text if len(text) <= most else text[: most - 1] + "…"


def shorten_body(text: str, max_bytes: int = MAX_BODY) -> str:
    """Return a Markdown text; if it is too long, its beginning and a note."""
    if len(text.encode("utf-8", "replace")) <= max_bytes:
        return encodable(text)
    kept = head(text, max_bytes - 200)
    # An open code block is closed first, or the note would be shown as part of it.
    fences = [line.strip()[:3] for line in kept.split("\n") if line.strip()[:3] in ("```", "~~~")]
    close = f"\n{fences[-1]}" if len(fences) % 2 else ""
    return f"{kept}{close}\n\n*Shortened: {len(text) - len(kept):,} characters are left out.*"


def duration(seconds: float) -> str:
    """Return a duration in words."""
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
    try:
        text = " ".join(plain_output(str(error)).split())
    except Exception:
        # The text of an exception may itself raise an exception.
        text = ""
    # A metaclass may do anything to the name of its class.
    name = type.__dict__["__name__"].__get__(type(error))
    return shorten(f"{name}: {text}" if text else name, 500)
