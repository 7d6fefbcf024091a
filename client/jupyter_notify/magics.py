"""``%notify`` and ``%%notify`` in IPython: tell when the cell is done.

A cell that begins with ``%%notify`` is run as a cell that begins with ``%notify``: so its
display, its errors and its `await` are those of any other cell.
"""

from __future__ import annotations

import argparse
import os
import shlex
import time
from pathlib import Path
from typing import Any, NoReturn

from .errors import BadUsage, SendError
from .message import MAX_MESSAGE, compose, describe, duration, shorten
from .send_queue import with_key

#: A cell that took less has nobody waiting for it who has gone away.
AFTER_S = 10.0
#: The command of JupyterLab that the button runs.
GO_TO_CELL = "jupyterlab-notify:go-to-cell"

NAME = "notify"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadUsage(f"%notify: {message}. Use %notify [--after SECONDS] [TEXT].")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise SystemExit(status)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="%notify", description="Tell when the cell is done.", add_help=False)
    parser.add_argument("--after", type=float, default=AFTER_S, metavar="SECONDS")
    parser.add_argument("--every-cell", action="store_true")
    parser.add_argument("--off", action="store_true")
    parser.add_argument("text", nargs="*")
    return parser


class Watch:
    """What is told about the cells of one IPython shell."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._began = time.monotonic()
        self._cell: argparse.Namespace | None = None
        self._every: argparse.Namespace | None = None

    def magic(self, line: str, cell: str | None = None) -> None:
        """Tell when this cell is done, if it takes long or fails.

        ``%notify [--after SECONDS] [TEXT]`` anywhere in a cell, or ``%%notify`` with the same
        as its first line. ``--every-cell`` does so for each cell from now on, ``--off`` ends
        that. By default a cell that takes less than ten seconds and does not fail is passed
        over.
        """
        try:
            try:
                words = shlex.split(line)
            except ValueError as error:
                raise BadUsage(f"%notify: {error}.") from None
            options = _parser().parse_args(words)
            if not 0 <= options.after < float("inf"):
                raise BadUsage("%notify: --after must be a number of seconds, 0 or more.")
        except BadUsage as error:
            from IPython.core.error import UsageError

            # IPython shows this one as a single line.
            raise UsageError(str(error)) from None
        if options.off:
            self._every = self._cell = None
        elif options.every_cell:
            self._every = options
        else:
            self._cell = options
        if cell is not None:
            # Called by other code, not by a cell of its own.
            self._shell.run_cell(cell).raise_error()

    def before(self, info: Any) -> None:
        """Note when a cell begins."""
        self._began = time.monotonic()

    def after(self, result: Any) -> None:
        """Tell of a cell that is done, if that was asked for."""
        options, self._cell = self._cell or self._every, None
        if options is None:
            return
        took_s = time.monotonic() - self._began
        error = result.error_before_exec or result.error_in_exec
        if error is None and took_s < options.after:
            return
        name = " ".join(options.text) or _name()
        if error is None:
            type_, text = "success", f"{name}: done in {duration(took_s)}"
        elif isinstance(error, KeyboardInterrupt):
            type_, text = "warning", f"{name}: interrupted after {duration(took_s)}"
        else:
            type_, text = "error", f"{name}: failed after {duration(took_s)}: {describe(error)}"
        from .api import notify

        try:
            message = compose(shorten(text, MAX_MESSAGE), type=type_, actions=self._buttons())
            notify.queue.submit(with_key(message))
        except SendError:
            # The cell is what matters, and it is done.
            return

    def _buttons(self) -> list[dict[str, Any]]:
        args = {"path": _path(), "cellId": self._cell_id()}
        if not any(args.values()):
            # No notebook: IPython in a terminal.
            return []
        return [{"label": "Go to cell", "commandId": GO_TO_CELL, "args": args}]

    def _cell_id(self) -> str | None:
        """Return the id of the cell that runs, which JupyterLab gives with its request."""
        parent: dict[str, Any] = getattr(self._shell, "get_parent", dict)() or {}
        id_ = parent.get("metadata", {}).get("cellId")
        return id_ if isinstance(id_, str) else None

    def transform(self, lines: list[str]) -> list[str]:
        """Make ``%notify`` of a first line ``%%notify``; the rest may be any cell."""
        first = next((i for i, line in enumerate(lines) if line.strip()), None)
        if first is None or lines[first].split(maxsplit=1)[0] != f"%%{NAME}":
            return lines
        from IPython.core import inputtransformer2

        rest: list[str] = inputtransformer2.cell_magic(lines[first + 1 :])  # type: ignore[no-untyped-call]  # IPython's own
        return [*lines[:first], lines[first].lstrip()[1:], *rest]


def _session() -> str:
    """Return the notebook's path as its server has given it."""
    return os.environ.get("JPY_SESSION_NAME", "")


def _name() -> str:
    return Path(_session()).name or "The cell"


def _path() -> str | None:
    """Return the notebook's path as JupyterLab calls it: relative to the server's directory."""
    session = _session()
    if not session:
        return None
    if not os.path.isabs(session):
        return session
    from .discovery import find

    try:
        root = find().root_dir
        return None if root is None else Path(session).relative_to(root).as_posix()
    except (SendError, ValueError):
        return None


_watches: dict[int, Watch] = {}


def load(shell: Any) -> None:
    """Offer the magics in a shell."""
    watch = _watches.setdefault(id(shell), Watch(shell))
    shell.register_magic_function(watch.magic, "line_cell", NAME)
    if watch.transform not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(watch.transform)
        shell.events.register("pre_run_cell", watch.before)
        shell.events.register("post_run_cell", watch.after)


def unload(shell: Any) -> None:
    """Take them back."""
    watch = _watches.pop(id(shell), None)
    if watch is None:
        return
    shell.input_transformers_cleanup.remove(watch.transform)
    shell.events.unregister("pre_run_cell", watch.before)
    shell.events.unregister("post_run_cell", watch.after)
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop(NAME, None)
