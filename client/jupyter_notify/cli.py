"""The ``jupyter notify`` command: send, list, watch, read, dismiss, revoke, run.

Exit codes: 0 for success; 1 if there is no server or it refused; 2 for a wrong command line.
``run`` exits with the code of the command that it ran.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

from ._version import __version__
from .body_file import read_body
from .completion import SHELLS, script
from .connection import Client, id_in, image_path, ingest_path, malformed, rows_in
from .decoding import encodable
from .discovery import TOKEN_VARIABLE, URL_VARIABLE, Target, find
from .errors import BadUsage, Refused, SendError
from .message import TYPES, compose, duration, shorten
from .printing import forgive_encodings, line, print_json, printable
from .run import CompletedCommand, describe_failure, end_by_interrupt, guard_closed_streams, run
from .terminal_text import fenced

VIEWS = ("inbox", "unread", "done", "dismissed", "snoozed")

#: Time in seconds for which a message is retried while the server asks to wait.
MAX_WAIT_S = 60.0

#: A server's answer as JSON.
Answer = dict[str, Any]


class _Parser(argparse.ArgumentParser):
    """Reports a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        raise BadUsage(f"{message} (see {self.prog} --help)")


# Longer than a screen: one statement per argument.
def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    where = _Parser(add_help=False)
    group = where.add_argument_group("choosing the server (by default it is found)")
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
    body.add_argument(
        "--body-file", metavar="FILE", help="a file with the longer text; - is standard input"
    )
    send.add_argument(
        "--plain", action="store_true", help="the body is program output, not Markdown"
    )
    send.add_argument("--key", help="replace the notification that has this key")
    send.add_argument("--progress", type=_fraction, metavar="0…1", help="the fraction done")
    send.add_argument(
        "--action",
        action="append",
        default=[],
        metavar="LABEL=COMMAND?NAME=VALUE",
        help="a button that runs a JupyterLab command or opens a URL",
    )
    send.add_argument("--link", metavar="[LABEL=]URL", help="a button that opens a page")
    send.add_argument(
        "--image", metavar="FILE", help="a picture: PNG, JPEG, GIF or WebP; - is standard input"
    )
    send.add_argument("--ttl", type=_seconds, metavar="SECONDS", help="hide it after this time")
    toast = send.add_mutually_exclusive_group()
    toast.add_argument("--no-toast", action="store_true", help="show it in the center only")
    toast.add_argument("--persistent", action="store_true", help="keep its toast until closed")
    send.add_argument("--markdown", action="store_true", help="the summary is Markdown")
    send.add_argument("--banner", action="store_true", help="show it across the top as well")
    send.add_argument("--source", help="the sender's name")

    list_ = command("list", _list, "list notifications, newest first")
    list_.add_argument("--view", choices=VIEWS, default="inbox", help="which list")
    list_.add_argument("--type", choices=TYPES, action="append", help="only this type")
    list_.add_argument("--search", metavar="WORDS", help="only those that contain these words")
    list_.add_argument("--limit", type=_count, default=20, metavar="N", help="how many at most")

    watch = command("watch", _watch, "print notifications as they arrive, until Ctrl-C")
    watch.add_argument("--all", action="store_true", help="print the present ones first")

    for name, call, help_ in (
        ("read", _read, "mark as read"),
        ("close", _close, "take out of toasts and banner; it stays in the inbox"),
        ("done", _done, "mark as done, out of the inbox"),
        ("dismiss", _done, "the same as done"),
    ):
        one = command(name, call, help_)
        one.add_argument("which", nargs="*", metavar="ID", help="the id or the key")
        one.add_argument("--all", action="store_true", help="everything in the inbox")
        one.add_argument("--undo", action="store_true", help="undo it")

    revoke = command("revoke", _revoke, "revoke, as the sender does")
    revoke.add_argument("which", nargs="+", metavar="ID", help="the id or the key")
    revoke.add_argument("--source", help="the sender's name, if it was sent with one")

    run = command("run", _run, "run a command and notify when it ends")
    run.add_argument("--title", help="the title; by default the command itself")
    run.add_argument("--key", help="replace the notification that has this key")
    run.add_argument(
        "--after",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="stay silent if it succeeds sooner",
    )
    run.add_argument("--quiet", action="store_true", help="notify only if it fails")
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="the command")

    completion = commands.add_parser("completion", help="print a shell's completion script")
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
    guard_closed_streams()
    forgive_encodings()
    arguments = list(sys.argv[1:] if argv is None else argv)
    # Looked up before parsing, so that a mistake on the command line is reported as JSON, too.
    as_json = "--json" in arguments[: arguments.index("--") if "--" in arguments else None]
    options = argparse.Namespace()
    try:
        parser().parse_args(arguments, options)
        if not hasattr(options, "call"):
            raise BadUsage("Say what to do: send, list, watch, … (see jupyter notify --help)")
        code: int = options.call(options)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except SendError as error:
        _say(str(error))
        if as_json:
            print_json({"success": False, "message": str(error)})
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has closed it.
        _close_output()
        return 0
    except OSError as error:
        if error.filename is not None:
            raise
        # The disk that our output goes to is full.
        _close_output()
        _say(f"The output could not be written: {(error.strerror or str(error)).lower()}.")
        return 1
    finally:
        if hasattr(options, "client"):
            options.client.close()


def _close_output() -> None:
    """Write what remains of our output nowhere; Python would print an error when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _say(text: str) -> None:
    """Print a line to standard error."""
    if sys.stderr is not None:
        print(f"jupyter notify: {printable(text)}", file=sys.stderr, flush=True)


def _target(options: argparse.Namespace) -> Target:
    return find(options.url, options.token_file)


def _client(options: argparse.Namespace) -> Client:
    """Return a client, which is closed in the end."""
    client = options.client = Client(_target(options))
    return client


# The commands


def _send(options: argparse.Namespace) -> int:
    message = compose(
        options.message,
        type=options.type,
        body=_body(options),
        plain=options.plain,
        strict=True,
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
    picture = _picture(options)
    client = _client(options)
    receipt = _send_with_retries(client, "POST", "/ingest", message)
    id_ = id_in(client.target, receipt)
    if picture is not None:
        receipt = _send_with_retries(client, "PUT", image_path(id_, options.source), picture)
    if options.json:
        print_json(receipt)
    else:
        print(printable(id_))
    return 0


def _body(options: argparse.Namespace) -> str | None:
    if options.body_file is None:
        body: str | None = options.body
        return body
    return read_body(options.body_file, options.plain)


def _picture(options: argparse.Namespace) -> bytes | None:
    if options.image is None:
        return None
    if options.image == options.body_file == "-":
        raise BadUsage("Only one of body and image can be read from standard input.")
    from .pictures import to_picture

    return to_picture(options.image)


def _send_with_retries(
    client: Client, method: str, path: str, value: dict[str, Any] | bytes
) -> Answer:
    """Send something; if the server asks to wait, wait and send it again."""
    end = time.monotonic() + MAX_WAIT_S
    while True:
        try:
            return client.request(method, path, value)
        except Refused as error:
            wait_s = error.retry_after_s
            if not error.temporary or wait_s is None or time.monotonic() + wait_s > end:
                raise
            client.close()
            time.sleep(max(wait_s, 0.1))


def _page(client: Client, limit: int, **query: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    before: int | None = None
    while len(rows) < limit:
        parameters = {**query, "limit": min(200, limit - len(rows)), "before": before}
        text = urlencode({k: v for k, v in parameters.items() if v is not None}, doseq=True)
        page = client.request("GET", f"/notifications?{text}")
        found = rows_in(client.target, page)
        rows += found
        before = page.get("next")
        if before is None or not found:
            break
    return rows[:limit]


def _list(options: argparse.Namespace) -> int:
    client = _client(options)
    view = "dismissed" if options.view == "done" else options.view
    search = None if options.search is None else encodable(options.search)
    rows = _page(client, options.limit, view=view, type=options.type, q=search)
    if options.json:
        print_json(rows)
    else:
        try:
            lines = [line(row) for row in rows]
        except ValueError:
            raise malformed(client.target) from None
        for one in lines:
            print(one)
    return 0


def _watch(options: argparse.Namespace) -> int:
    import asyncio

    try:
        from .stream import Follower
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "tornado":
            raise
        raise SendError(
            "jupyter notify watch needs Tornado, which is not installed here: "
            "pip install 'jupyter-notify-client[watch]'."
        ) from None

    positions: dict[str, int] = {}

    def show(row: dict[str, Any], known: bool) -> None:
        moved = positions.get(row["id"]) != row["position"]
        if len(positions) > 10_000:
            positions.clear()
        positions[row["id"]] = row["position"]
        if known and not options.all:
            return
        if options.json:
            print_json(row)
        elif moved and not (row["revoked"] or row["expired"] or row["dismissed"]):
            # Steps of progress and the user's actions are printed as JSON only, for programs.
            print(line(row), flush=True)

    asyncio.run(Follower(lambda: _target(options), show, _say).follow())
    return 0


def _read(options: argparse.Namespace) -> int:
    return _change(options, {"read": not options.undo})


def _close(options: argparse.Namespace) -> int:
    return _change(options, {"closed": not options.undo})


def _done(options: argparse.Namespace) -> int:
    return _change(options, {"dismissed": not options.undo})


def _change(options: argparse.Namespace, state: dict[str, bool]) -> int:
    if bool(options.which) == options.all:
        raise BadUsage("Say which notifications: give ids or keys, or --all.")
    client = _client(options)
    if options.all:
        answers = [client.request("PATCH", "/notifications", {**state, "all": True})]
    else:
        answers = [_change_one(client, which, state) for which in options.which]
    changed = sum(_changed(client, answer) for answer in answers)
    if options.json:
        print_json({"changed": changed})
    return 0


def _changed(client: Client, answer: Answer) -> int:
    changed = answer.get("changed")
    if not isinstance(changed, int):
        raise malformed(client.target)
    return changed


def _change_one(client: Client, which: str, state: dict[str, bool]) -> Answer:
    try:
        return client.request("PATCH", f"/notifications/{quote(encodable(which), safe='')}", state)
    except Refused as error:
        if error.status != 404:
            raise
        key = encodable(which)
        for view in ("inbox", "dismissed"):
            ids = [row["id"] for row in _page(client, 1000, view=view) if row["key"] == key]
            if ids:
                return client.request("PATCH", "/notifications", {**state, "ids": ids})
        raise


def _revoke(options: argparse.Namespace) -> int:
    client = _client(options)
    answers = [
        client.request("DELETE", ingest_path(which, options.source)) for which in options.which
    ]
    revoked = [id_in(client.target, answer) for answer in answers]
    if options.json:
        print_json({"revoked": revoked})
    return 0


def _run(options: argparse.Namespace) -> int:
    from .reporter import CommandReporter

    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise BadUsage("Say what to run: jupyter notify run -- COMMAND.")
    title = shorten(printable(options.title or shlex.join(command)), 200)
    warned: set[str] = set()

    def warn(error: SendError, consequence: str) -> None:
        if str(error) not in warned:
            warned.add(str(error))
            _say(f"{error} {consequence}")

    reporter = CommandReporter(lambda: _target(options), title, options.key, warn)
    began = time.monotonic()
    completed = run(command, reporter.start)
    took_s = time.monotonic() - began
    if completed.problem:
        _say(f"{command[0]}: {completed.problem}")
    if completed.lost:
        _say(f"The output could not be written: {completed.lost}.")
    message = None
    if completed.code or not (options.quiet or took_s < options.after):
        message = _final_message(title, completed, took_s)
    receipt = reporter.end(message)
    if options.json:
        result = {"exit_code": completed.code, "seconds": round(took_s, 3), "receipt": receipt}
        print_json(result)
    if completed.ended_by == signal.SIGINT:
        end_by_interrupt()
    return completed.code


def _final_message(title: str, completed: CompletedCommand, took_s: float) -> dict[str, Any]:
    if completed.problem:
        text = f"{title}: {completed.problem}"
    elif completed.lost and completed.code == 1:
        text = f"{title}: its output could not be written: {completed.lost}"
    elif completed.code:
        text = f"{title}: {describe_failure(completed.code)} after {duration(took_s)}"
    else:
        text = f"{title}: done in {duration(took_s)}"
    return compose(
        text,
        type="error" if completed.code else "success",
        body=fenced(completed.tail) if completed.code and completed.tail else None,
    )


def _completion(options: argparse.Namespace) -> int:
    print(script(parser(), options.shell), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
