"""``jupyter notify``: send, list, watch, read, dismiss, revoke, run, from a shell.

Exit codes: 0, it is done; 1, there is no server or it refused; 2, the command line is wrong.
``run`` ends with its command's own code.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import sys
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

from ._version import __version__
from .completion import SHELLS, script
from .connection import Client, ReconnectingClient
from .discovery import TOKEN_VARIABLE, URL_VARIABLE, Target, find
from .errors import BadUsage, Refused, SendError
from .message import MAX_BODY, TYPES, compose, duration, shorten
from .send_queue import HEARTBEAT_S, RENEWAL_S, new_key
from .terminal_text import fenced

VIEWS = ("inbox", "unread", "dismissed")

#: A command that ends sooner is not shown as being in progress.
PATIENCE_S = 1.0

#: An answer that is written here, and not by the server.
Answer = dict[str, Any]


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise BadUsage(f"{message} (see {self.prog} --help)")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    where = _Parser(add_help=False)
    group = where.add_argument_group("the server, if it is not the one that is found")
    group.add_argument("--url", help=f"its URL (or the variable {URL_VARIABLE})")
    group.add_argument(
        "--token-file", help=f"a file that holds its token (or the variable {TOKEN_VARIABLE})"
    )
    where.add_argument("--json", action="store_true", help="print JSON")

    top = _Parser(prog="jupyter notify", description="Notifications in JupyterLab.")
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(metavar="COMMAND", parser_class=_Parser)

    def command(name: str, call: Any, help: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help, description=help + ".", parents=[where])
        made.set_defaults(call=call)
        return made

    send = command("send", _send, "send a notification")
    send.add_argument("message", help="the summary")
    send.add_argument("--type", choices=TYPES, default="info", help="styling and urgency")
    body = send.add_mutually_exclusive_group()
    body.add_argument("--body", metavar="MARKDOWN", help="the longer text")
    body.add_argument("--body-file", metavar="FILE", help="a file with it; - is the input")
    send.add_argument("--key", help="the same key again replaces the message in place")
    send.add_argument("--progress", type=_fraction, metavar="0…1", help="how much is done")
    send.add_argument(
        "--action",
        action="append",
        default=[],
        metavar="LABEL=COMMAND?NAME=VALUE",
        help="a button that runs a command of JupyterLab, or opens a URL",
    )
    send.add_argument("--link", metavar="[LABEL=]URL", help="a button that opens a page")
    send.add_argument("--ttl", type=_seconds, metavar="SECONDS", help="not shown after that")
    toast = send.add_mutually_exclusive_group()
    toast.add_argument("--no-toast", action="store_true", help="in the center only")
    toast.add_argument("--persistent", action="store_true", help="shown until it is dismissed")
    send.add_argument("--markdown", action="store_true", help="the summary is Markdown")
    send.add_argument("--banner", action="store_true", help="also across the top")
    send.add_argument("--source", help="who says it")

    list_ = command("list", _list, "list notifications, the newest first")
    list_.add_argument("--view", choices=VIEWS, default="inbox", help="which ones")
    list_.add_argument("--type", choices=TYPES, action="append", help="of this type")
    list_.add_argument("--search", metavar="WORDS", help="that hold these words")
    list_.add_argument("--limit", type=_count, default=20, metavar="N", help="at most so many")

    watch = command("watch", _watch, "print notifications as they come, until Ctrl-C")
    watch.add_argument("--all", action="store_true", help="those that are there, too")

    for name, call, help_ in (
        ("read", _read, "mark as read"),
        ("dismiss", _dismiss, "put away, as a person does"),
    ):
        one = command(name, call, help_)
        one.add_argument("which", nargs="*", metavar="ID", help="its id, or its key")
        one.add_argument("--all", action="store_true", help="all that are in the inbox")
        one.add_argument("--undo", action="store_true", help="the opposite")

    revoke = command("revoke", _revoke, "take back, as the sender does")
    revoke.add_argument("which", nargs="+", metavar="ID", help="its id, or its key")
    revoke.add_argument("--source", help="who said it, if several use the key")

    run = command("run", _run, "run a command, and tell how it ended")
    run.add_argument("--title", help="what it is called; by default the command itself")
    run.add_argument("--key", help="the same key again replaces the message in place")
    run.add_argument(
        "--after", type=_seconds, default=0.0, metavar="SECONDS", help="unless it took less"
    )
    run.add_argument("--quiet", action="store_true", help="only if it fails")
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="the command")

    completion = commands.add_parser("completion", help="print a script that completes all this")
    completion.add_argument("shell", choices=SHELLS)
    completion.set_defaults(call=_completion, json=False)
    return top


def _number(text: str) -> float:
    value = float(text)
    if not value >= 0 or value == float("inf"):
        raise ValueError
    return value


def _seconds(text: str) -> float:
    try:
        return _number(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number of seconds, not {text!r}") from None


def _fraction(text: str) -> float:
    try:
        value = _number(text)
    except ValueError:
        value = 2
    if value > 1:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 1, not {text!r}")
    return value


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, not {text!r}")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    # Before it is parsed: what is wrong with it must be told in the form that was asked for.
    as_json = "--json" in arguments[: arguments.index("--") if "--" in arguments else None]
    try:
        options = parser().parse_args(arguments)
        if not hasattr(options, "call"):
            raise BadUsage("Say what to do: send, list, watch, … (see jupyter notify --help)")
        code: int = options.call(options)
        sys.stdout.flush()
        return code
    except SendError as error:
        print(f"jupyter notify: {printable(str(error))}", file=sys.stderr)
        if as_json:
            _print_json({"success": False, "message": str(error)})
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _target(options: argparse.Namespace) -> Target:
    return find(options.url, options.token_file)


def _client(options: argparse.Namespace) -> Client:
    return Client(_target(options))


# What is printed


def printable(text: str) -> str:
    """Return a text from outside in one line, that a terminal shows and does not obey."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))


def _print_json(value: Any) -> None:
    print(json.dumps(value), flush=True)


def _line(row: dict[str, Any], now: datetime) -> str:
    """Return a notification in one line."""
    updated = datetime.fromisoformat(row["updated"].replace("Z", "+00:00"))
    age = _age((now - updated).total_seconds())
    state = "●" if row["read"] is None else " "
    done = "" if row["progress"] is None else f" ({row['progress']:.0%})"
    type_ = row["type"]
    return f"{state} {row['id']}  {age:>4}  {type_:<11}  {printable(row['message'])}{done}"


def _age(seconds: float) -> str:
    for length, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= length:
            return f"{int(seconds // length)}{unit}"
    return "now" if seconds < 1 else f"{int(seconds)}s"


def _now() -> datetime:
    return datetime.now(timezone.utc)


# The commands


def _send(options: argparse.Namespace) -> int:
    message = compose(
        options.message,
        type=options.type,
        body=options.body if options.body_file is None else _body(options.body_file),
        key=options.key,
        progress=options.progress,
        actions=options.action,
        link=options.link,
        ttl=options.ttl,
        toast=not options.no_toast,
        persistent=options.persistent,
        markdown=options.markdown,
        banner=options.banner,
        source=options.source,
    )
    receipt = _client(options).request("POST", "/ingest", message)
    if options.json:
        _print_json(receipt)
    else:
        print(receipt["notification_id"])
    return 0


def _body(path: str) -> str:
    try:
        if path == "-":
            data = sys.stdin.buffer.read(MAX_BODY + 1)
        else:
            with open(path, "rb") as file:
                data = file.read(MAX_BODY + 1)
    except OSError as error:
        raise BadUsage(f"The body {path} cannot be read: {error.strerror}.") from None
    if len(data) > MAX_BODY:
        raise BadUsage(f"The body is longer than {MAX_BODY // 1024} KiB.")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BadUsage("The body is not UTF-8.") from None


def _page(client: Client, limit: int, **query: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    before: int | None = None
    while len(rows) < limit:
        given = {**query, "limit": min(200, limit - len(rows)), "before": before}
        text = urlencode({k: v for k, v in given.items() if v is not None}, doseq=True)
        page = client.request("GET", f"/notifications?{text}")
        rows += page["notifications"]
        before = page["next"]
        if before is None:
            break
    return rows


def _list(options: argparse.Namespace) -> int:
    rows = _page(
        _client(options), options.limit, view=options.view, type=options.type, q=options.search
    )
    if options.json:
        _print_json(rows)
    else:
        now = _now()
        for row in rows:
            print(_line(row, now))
    return 0


def _watch(options: argparse.Namespace) -> int:
    import asyncio

    from .stream import Follower

    positions: dict[str, int] = {}

    def show(row: dict[str, Any], known: bool) -> None:
        news = positions.get(row["id"]) != row["position"]
        if len(positions) > 10_000:
            positions.clear()
        positions[row["id"]] = row["position"]
        if known and not options.all:
            return
        if options.json:
            _print_json(row)
        elif news and not (row["revoked"] or row["expired"] or row["dismissed"]):
            # Steps of a progress and what a person did with it are for programs.
            print(_line(row, _now()), flush=True)

    def say(text: str) -> None:
        print(f"jupyter notify: {text}", file=sys.stderr, flush=True)

    asyncio.run(Follower(lambda: _target(options), show, say).follow())
    return 0


def _read(options: argparse.Namespace) -> int:
    return _change(options, {"read": not options.undo})


def _dismiss(options: argparse.Namespace) -> int:
    return _change(options, {"dismissed": not options.undo})


def _change(options: argparse.Namespace, state: dict[str, bool]) -> int:
    if bool(options.which) == options.all:
        raise BadUsage("Say which ones: their ids or keys, or --all.")
    client = _client(options)
    if options.all:
        answers = [client.request("PATCH", "/notifications", {**state, "all": True})]
    else:
        answers = [_change_one(client, which, state) for which in options.which]
    changed = sum(answer["changed"] for answer in answers)
    if options.json:
        _print_json({"changed": changed})
    return 0


def _change_one(client: Client, which: str, state: dict[str, bool]) -> Answer:
    try:
        return client.request("PATCH", f"/notifications/{quote(which, safe='')}", state)
    except Refused as error:
        if error.status != 404:
            raise
        for view in ("inbox", "dismissed"):
            ids = [row["id"] for row in _page(client, 1000, view=view) if row["key"] == which]
            if ids:
                return client.request("PATCH", "/notifications", {**state, "ids": ids})
        raise


def _revoke(options: argparse.Namespace) -> int:
    client = _client(options)
    query = f"?{urlencode({'source': options.source})}" if options.source else ""
    answers = [
        client.request("DELETE", f"/ingest/{quote(which, safe='')}{query}")
        for which in options.which
    ]
    if options.json:
        _print_json({"revoked": [answer["notification_id"] for answer in answers]})
    return 0


class _CommandReporter:
    """What is told of a command: that it runs, that it still does, and how it ended."""

    def __init__(self, options: argparse.Namespace, title: str) -> None:
        self._title = title
        self._key = options.key or new_key()
        self._running = compose(f"{title}: running", type="in-progress", key=self._key)
        self._running["heartbeat"] = HEARTBEAT_S
        self._client = ReconnectingClient(lambda: _target(options))
        self._warned = ""
        try:
            self._client.connect()
        except SendError as error:
            self._warn(error, "The command runs all the same.")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_telling, daemon=True)
        self._shown = False
        self._thread.start()

    def _warn(self, error: SendError, then: str = "") -> None:
        said = printable(str(error))
        if said != self._warned:
            print(f"jupyter notify: {said} {then}".rstrip(), file=sys.stderr)
        self._warned = said

    def _keep_telling(self) -> None:
        wait_s = PATIENCE_S
        while not self._ended.wait(wait_s):
            wait_s = RENEWAL_S
            # It is told at the end whether the server takes anything.
            with contextlib.suppress(SendError):
                self._client.request("POST", "/ingest", self._running)
                self._shown = True

    def end(self, message: dict[str, Any] | None) -> Answer | None:
        """Tell how it ended, or take back that it runs."""
        self._ended.set()
        self._thread.join()
        try:
            if message is not None:
                message = {**message, "key": self._key}
                return self._client.request("POST", "/ingest", message)
            if self._shown:
                self._client.request("DELETE", f"/ingest/{quote(self._key, safe='')}")
        except SendError as error:
            self._warn(error)
        return None


def _run(options: argparse.Namespace) -> int:
    from .run import how, run

    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise BadUsage("Say what to run: jupyter notify run -- COMMAND.")
    title = shorten(printable(options.title or shlex.join(command)), 200)
    telling = _CommandReporter(options, title)
    began = time.monotonic()
    ended = run(command)
    took_s = time.monotonic() - began
    if ended.problem:
        print(f"jupyter notify: {printable(command[0])}: {ended.problem}", file=sys.stderr)
    message = None
    if ended.code or not (options.quiet or took_s < options.after):
        if ended.problem:
            text = f"{title}: {ended.problem}"
        elif ended.code:
            text = f"{title}: {how(ended.code)} after {duration(took_s)}"
        else:
            text = f"{title}: done in {duration(took_s)}"
        message = compose(
            text,
            type="error" if ended.code else "success",
            body=fenced(ended.tail) if ended.code and ended.tail else None,
        )
    receipt = telling.end(message)
    if options.json:
        told = {"exit_code": ended.code, "seconds": round(took_s, 3), "receipt": receipt}
        _print_json(told)
    return ended.code


def _completion(options: argparse.Namespace) -> int:
    print(script(parser(), options.shell), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
