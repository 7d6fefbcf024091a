"""``%notify`` and ``%%notify`` in IPython: notify when the cell is done.

A cell that starts with ``%%notify`` is run like one that starts with ``%notify``, so its display,
its errors and its `await` work as in any other cell. The text is plain: quotes, question marks,
backslashes, braces and dollars have no special meaning. A mistake in the options is printed, and
the cell runs anyway.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import tokenize
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from .endings import INTERRUPTED, is_interrupt, is_plain_exit
from .errors import SendError
from .message import MAX_MESSAGE, MAX_SOURCE, compose, describe, duration, shorten
from .send_queue import with_key

#: During a shorter cell the user has hardly gone away, so it is not reported.
AFTER_S = 10.0
#: The longest notebook's name in a title, in characters: more of it would leave a toast no room.
MAX_NAME = 60
#: The JupyterLab command that the button runs.
GO_TO_CELL = "jupyterlab-notify:go-to-cell"

#: The variable in which the server gives a notebook's path to its kernel, and the one that VS Code
#: sets in the kernel's namespace: there, the server knows the notebook by another name.
SESSION = "JPY_SESSION_NAME"
VSCODE_PATH = "__vsc_ipynb_file__"
#: What the server calls a console, and a notebook whose path was not known when its kernel started.
#: Neither is a name to show.
UUID = "[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}"
CONSOLE = re.compile(rf"console-\d+-{UUID}")

NAME = "notify"
#: Ends of a line that goes on in the next one.
CONTINUES = (" \\", "\t\\")
#: Ends of a line as an editor counts them. IPython also splits cells at some other characters,
#: which a text may hold.
LINE_ENDS = ("\n", "\r")

#: A line that runs a command of the system.
COMMAND = re.compile(r"^[ \t]*!", re.MULTILINE)

USE = "Use %notify [--after SECONDS] [TEXT]."


@dataclass(frozen=True)
class Request:
    """A request to report on a cell.

    Parameters
    ----------
    text
        The title; by default the notebook's name.
    after_s
        A cell that takes less time is reported only if it fails.
    """

    text: str = ""
    after_s: float = AFTER_S


@dataclass(frozen=True)
class _Line:
    """The parsed line of a magic."""

    request: Request
    every_cell: bool = False
    off: bool = False
    mistake: str = ""


def parse(line: str) -> _Line:
    """Parse the line of a magic: options first, then the text.

    Parameters
    ----------
    line
        What follows ``%notify``. An unknown option is part of the text.
    """
    rest = line.strip()
    after_s, every_cell, off, mistake = AFTER_S, False, False, ""
    while rest:
        word, remaining = _first_word(rest)
        option, equals, value = word.partition("=")
        if word == "--":
            rest = remaining
            break
        if option == "--after":
            if not equals:
                value, remaining = _first_word(remaining)
            seconds = _seconds(value)
            if seconds is None:
                mistake = f"%notify: --after must be a number of seconds, not {value!r}. {USE}"
            else:
                after_s = seconds
        elif word == "--every-cell":
            every_cell = True
        elif word == "--off":
            off = True
        else:
            break
        rest = remaining
    return _Line(Request(rest, after_s), every_cell, off, mistake)


def _first_word(text: str) -> tuple[str, str]:
    """Return a text's first word and the rest, whatever white space is between them."""
    words = text.split(None, 1)
    return (words or [""])[0], words[1] if len(words) > 1 else ""


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


@dataclass
class _Running:
    """A running cell, and its request, if there is one."""

    info: Any
    began: float
    request: Request | None


class _Cells(threading.local):
    """The cells that run in a thread: a cell may run others, and a kernel's subshells run theirs.

    The last one is the innermost.
    """

    def __init__(self) -> None:
        self.running: list[_Running] = []
        #: The request for the next cell.
        self.next: Request | None = None


class CellReporter:
    """Reports on the cells of one IPython shell."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._cells = _Cells()
        self._loaded = monotonic()
        self._every: Request | None = None

    def magic(self, line: str, cell: str | None = None) -> None:
        """Notify when this cell is done, if it takes long or fails.

        Write ``%notify [--after SECONDS] [TEXT]`` anywhere in a cell, or ``%%notify`` with the
        same arguments as its first line. ``--every-cell`` reports on every cell from now on, and
        ``--off`` ends that. By default, a cell that takes less than ten seconds is reported only
        if it fails.
        """
        parsed = parse(line)
        if parsed.mistake:
            print(f"UsageError: {parsed.mistake}", file=sys.stderr)
        if parsed.off:
            self._every = None
            self._ask(None)
        elif parsed.every_cell:
            self._every = parsed.request
        elif cell is not None:
            self._cells.next = parsed.request
        else:
            self._ask(parsed.request)
        if cell is not None:
            # Other code has called the magic with a cell's source.
            self._shell.run_cell(cell).raise_error()

    # IPython's own decorator sets this: braces and dollars in the text name no variables.
    magic._ipython_magic_no_var_expand = True  # type: ignore[attr-defined]  # IPython asks for it

    def _ask(self, request: Request | None) -> None:
        """Keep a request for the innermost running cell; for the next cell if none runs."""
        cells = self._cells
        if cells.running:
            cells.running[-1].request = request
        else:
            cells.next = request

    def before(self, info: Any) -> None:
        """Note when a cell begins."""
        cells = self._cells
        cells.running.append(_Running(info, monotonic(), cells.next))
        cells.next = None

    def _ended(self, info: Any) -> _Running | None:
        """Return a cell that ran, and forget it and the cells it ran; None for a blank cell."""
        cells = self._cells
        cell = _raw_cell(info)
        last_first = list(enumerate(cells.running))[::-1]
        found = [number for number, one in last_first if one.info is info]
        # An error that IPython fails to show makes it describe the cell anew.
        found += [number for number, one in last_first if cell and _raw_cell(one.info) == cell]
        if found:
            one = cells.running[found[0]]
            del cells.running[found[0] :]
            return one
        if not cell.strip():
            return None
        # This cell has loaded the extension, so it began before anything was noted.
        request, cells.next = cells.next, None
        return _Running(info, self._loaded, request)

    def after(self, result: Any) -> None:
        """Report on a cell that is done, if that was requested."""
        ended = self._ended(result.info)
        if ended is None:
            return
        request = ended.request
        if request is None and not self._cells.running:
            request = self._every
        if request is None and result.error_before_exec is not None:
            # A cell with a syntax error was not run at all, so its magic was not run either.
            request = _wanted(_raw_cell(result.info))
        if request is None:
            return
        took_s = monotonic() - ended.began
        error = result.error_before_exec or result.error_in_exec
        failed = error is not None and not is_plain_exit(error)
        interrupted = (
            is_interrupt(error) if failed else self._is_command_interrupted(_raw_cell(result.info))
        )
        if not failed and not interrupted and took_s < request.after_s:
            return
        session = _session(self._shell)
        notebook = Path(session).name
        name = request.text or _short(notebook) or "The cell"
        took = duration(took_s)
        if interrupted:
            type_, text = "warning", f"{name}: interrupted after {took}"
        elif not failed:
            type_, text = "success", f"{name}: done in {took}"
        else:
            type_, text = "error", f"{name}: failed after {took}: {describe(error)}"
        from .api import notify

        try:
            message = compose(
                shorten(text, MAX_MESSAGE),
                type=type_,
                actions=self._buttons(session),
                source=shorten(notebook, MAX_SOURCE) or None,
            )
            notify.queue.submit(with_key(message))
        except SendError:
            # A failure to send must not disturb the cell.
            return

    def _is_command_interrupted(self, cell: str) -> bool:
        """Return whether an interrupt ended a cell's last command (``!make``), not the cell."""
        code = getattr(self._shell, "user_ns", {}).get("_exit_code")
        return COMMAND.search(cell) is not None and isinstance(code, int) and code in INTERRUPTED

    def _buttons(self, session: str) -> list[dict[str, Any]]:
        cell_id = None if CONSOLE.fullmatch(_given_name()) else self._cell_id()
        args = {"path": _path(session), "cellId": cell_id}
        if not any(args.values()):
            # There is no notebook: this is a console, or IPython in a terminal.
            return []
        return [{"label": "Go to cell", "commandId": GO_TO_CELL, "args": args}]

    def _cell_id(self) -> str | None:
        """Return the id of the running cell, which JupyterLab sends with its request."""
        parent: dict[str, Any] = getattr(self._shell, "get_parent", dict)() or {}
        id_ = parent.get("metadata", {}).get("cellId")
        return id_ if isinstance(id_, str) else None

    def transform(self, lines: list[str]) -> list[str]:
        """Replace ``%%notify`` in the first line by a call; the other lines may be any cell.

        Comments may stand above it.
        """
        first = next((i for i, line in enumerate(lines) if _is_code(line)), None)
        if first is None:
            return lines
        end = _end_of_line(lines, first)
        name, text = _first_word("".join(lines[first:end]).strip())
        if name != f"%%{NAME}":
            return lines
        rest = lines[end:]
        begin = next((i for i, line in enumerate(rest) if line.strip()), len(rest))
        # The blank lines stay, so that errors name the right line.
        return [*lines[:first], call(text), *["\n"] * begin, *self._transform_below(rest[begin:])]

    def _transform_below(self, lines: list[str]) -> list[str]:
        """Transform the lines below ``%%notify`` as IPython does with those of a whole cell."""
        from IPython.core import inputtransformer2

        cleanup: list[Callable[[list[str]], list[str]]] = [
            inputtransformer2.leading_indent,
            inputtransformer2.classic_prompt,
            inputtransformer2.ipython_prompt,
        ]
        for one in cleanup:
            lines = one(lines)
        # Another cell magic must be in the first of the lines. It may be ``%%notify`` again.
        rest = self.transform(lines)
        if rest is lines:
            cell_magic: Callable[[list[str]], list[str]] = inputtransformer2.cell_magic
            rest = cell_magic(lines)
        if len(rest) == 1 and rest is lines:
            # A cell of one line may be a magic without its percent sign, such as `pip install`.
            code: str = self._shell.transform_cell(rest[0])
            rest = code.splitlines(keepends=True)
        return rest


def _raw_cell(info: Any) -> str:
    """Return a cell as the user wrote it."""
    return getattr(info, "raw_cell", None) or ""


def _is_code(line: str) -> bool:
    """Return whether a line is neither blank nor a comment."""
    text = line.strip()
    return bool(text) and not text.startswith("#")


def _end_of_line(lines: list[str], begin: int) -> int:
    """Return the index at which the next line begins, as an editor counts lines."""
    end = begin + 1
    while end < len(lines) and not lines[end - 1].endswith(LINE_ENDS):
        end += 1
    return end


def _wanted(cell: str) -> Request | None:
    """Return the request of a cell that could not be run: ``%%notify``, or a ``%notify`` line."""
    for number, line in enumerate(filter(_is_code, re.split(r"\r\n|\r|\n", cell))):
        name, text = _first_word(line)
        if name == f"%{NAME}" or (name == f"%%{NAME}" and number == 0):
            parsed = parse(text)
            return None if parsed.off else parsed.request
    return None


def call(text: str) -> str:
    """Return the line of Python that ``%notify`` with a text stands for."""
    return f"get_ipython().run_line_magic({NAME!r}, {text.strip()!r})\n"


def line_transformer() -> Any:
    """Return the class with which IPython replaces a ``%notify`` line by a call.

    IPython's own class would take a question mark at the end of the line for a request for help.
    """
    from IPython.core.inputtransformer2 import EscapedCommand

    class NotifyLine(EscapedCommand):
        priority = 0

        @classmethod
        def find(cls, tokens_by_line: Any) -> Any:
            """Return where the first such line begins."""
            for line in tokens_by_line:
                at = 0
                while at < len(line) and line[at].type in (tokenize.INDENT, tokenize.DEDENT):
                    at += 1
                words = [token.string for token in line[at : at + 3]]
                # `%notify?` asks for help.
                if words[:2] == ["%", NAME] and words[2:] != ["?"]:
                    return cls(line[at].start)
            return None

        def transform(self, lines: list[str]) -> list[str]:
            """Replace the line, and the lines that a backslash continues it with."""
            number, column = self.start_line, self.start_col
            end = _end_of_line(lines, number)
            whole = "".join(lines[number:end])
            indent, rest = whole[:column], whole[column:]
            # Only a backslash after a blank continues the line: a Windows path may end with one.
            while rest.rstrip("\r\n").endswith(CONTINUES) and end < len(lines):
                begin, end = end, _end_of_line(lines, end)
                rest = rest.rstrip("\r\n")[:-1] + "".join(lines[begin:end]).strip() + "\n"
            text = rest.strip()[len(NAME) + 1 :]
            return [*lines[:number], indent + call(text), *lines[end:]]

    return NotifyLine


def _session(shell: Any) -> str:
    """Return the notebook's path as its editor or server gave it to the kernel; empty if none."""
    given = getattr(shell, "user_ns", {}).get(VSCODE_PATH)
    if isinstance(given, str):
        return given
    name = _given_name()
    nameless = CONSOLE.fullmatch(name) or re.fullmatch(UUID, name)
    return "" if nameless else os.environ.get(SESSION, "")


def _given_name() -> str:
    """Return the end of the path that the server gave to the kernel."""
    return Path(os.environ.get(SESSION, "")).name


def _short(name: str) -> str:
    """Return a notebook's name, shortened for a title."""
    if len(name) > MAX_NAME:
        # Numbers and dates are often at its end.
        half = MAX_NAME // 2
        name = f"{name[:half]}…{name[1 - half :]}"
    return name


def _path(session: str) -> str | None:
    """Return the notebook's path as JupyterLab uses it, relative to the server's directory."""
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


@dataclass(frozen=True)
class _Loaded:
    """The magics and observers of a shell, and the extensions that have loaded them.

    ``jupyter_notify`` and ``jupyterlab_notify`` offer the same magics. They stay until both
    extensions are unloaded.
    """

    reporter: CellReporter
    line: Any
    extensions: set[str]


#: The loaded extensions, by the shell's ``id``, which stays unique because the reporter keeps the
#: shell alive.
_loaded: dict[int, _Loaded] = {}


def load(shell: Any, extension: str = "jupyter_notify") -> None:
    """Register the magics in a shell.

    Parameters
    ----------
    shell
        The IPython shell.
    extension
        The extension that the user loads.
    """
    found = _loaded.get(id(shell))
    if found is not None:
        found.extensions.add(extension)
        return
    reporter, line = CellReporter(shell), line_transformer()
    _loaded[id(shell)] = _Loaded(reporter, line, {extension})
    shell.register_magic_function(reporter.magic, "line_cell", NAME)
    shell.input_transformers_cleanup.append(reporter.transform)
    shell.input_transformer_manager.token_transformers.append(line)
    shell.events.register("pre_run_cell", reporter.before)
    shell.events.register("post_run_cell", reporter.after)


def unload(shell: Any, extension: str = "jupyter_notify") -> None:
    """Remove the magics from a shell, unless another extension has loaded them too."""
    found = _loaded.get(id(shell))
    if found is None or extension not in found.extensions:
        return
    found.extensions.remove(extension)
    if found.extensions:
        return
    del _loaded[id(shell)]
    reporter, line = found.reporter, found.line
    shell.input_transformers_cleanup.remove(reporter.transform)
    shell.input_transformer_manager.token_transformers.remove(line)
    shell.events.unregister("pre_run_cell", reporter.before)
    shell.events.unregister("post_run_cell", reporter.after)
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop(NAME, None)
