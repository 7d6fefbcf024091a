"""Magics: the text of ``%notify`` and ``%%notify``, and the cell runs whatever it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from jupyter_notify import api, magics

from ..support.sending import Recorder
from .support import Directed

#: A group of exceptions, or its only one before Python 3.11.
GROUP = "getattr(__import__('builtins'), 'BaseExceptionGroup', lambda _, errors: errors[0])"


class Told:
    """A shell, and what was told of its cells."""

    def __init__(self, recorder: Recorder, notify: Directed) -> None:
        self.shell = InteractiveShell()
        self._recorder = recorder
        self._notify = notify

    def run(self, cell: str) -> tuple[Any, list[tuple[str, str]]]:
        """Run a cell; return its result, and the type and text of what was told."""
        before = len(self._recorder.requests)
        result = self.shell.run_cell(cell)
        assert self._notify.flush()
        messages = [asked.value for asked in self._recorder.requests[before:]]
        return result, [(one["type"], one["message"].split(" in ")[0]) for one in messages]


@pytest.fixture
def told(
    recorder: Recorder, to_recorder: Directed, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Told]:
    monkeypatch.setattr(api, "notify", to_recorder)
    made = Told(recorder, to_recorder)
    magics.load(made.shell)
    yield made
    magics.unload(made.shell)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("Ada's training", "Ada's training"),
        ("Is it done?", "Is it done?"),
        ("What??", "What??"),
        (r"path C:\data\new", r"path C:\data\new"),
        ("--lr=3 run", "--lr=3 run"),
        ("run --after 5 times", "run --after 5 times"),
        ("-- --off", "--off"),
        ('an "open quote', 'an "open quote'),
        ("costs $5 and {braces}", "costs $5 and {braces}"),
        ("# a comment", "# a comment"),
        ("ünïcödé ✓;", "ünïcödé ✓;"),
        ("100 % of it!", "100 % of it!"),
        ("", "The cell"),
        ("{1 + 1} of {id} and $NAME", "{1 + 1} of {id} and $NAME"),
        ("%%time it", "%%time it"),
        ("!ls", "!ls"),
        ("--offline run", "--offline run"),
        ("C:\\data\\", "C:\\data\\"),
        ("tabs\tand\u00a0spaces", "tabs\tand\u00a0spaces"),
        ('"""', '"""'),
        ("-h", "-h"),
        # IPython would end the line there, as no editor does.
        ("one\u2028two", "one\u2028two"),
        ("one\x0ctwo\x0bthree\x85four\x1cfive", "one\x0ctwo\x0bthree\x85four\x1cfive"),
    ],
)
def test_a_text_is_a_sentence(told: Told, line: str, text: str) -> None:
    for cell in (f"%%notify --after 0 {line}\n40 + 2", f"%notify --after=0 {line}\n40 + 2"):
        result, messages = told.run(cell)
        assert result.success
        assert result.result == 42
        assert messages == [("success", f"{text}: done")]


@pytest.mark.parametrize(
    "cell",
    [
        "%%notify --after soon x\n40 + 2",
        "%%notify --after\n40 + 2",
        "%%notify --after -1 x\n40 + 2",
        "%%notify --after nan x\n40 + 2",
        "%notify --after soon x\n40 + 2",
        "%%notify\n\n40 + 2",
        "\n\n%%notify x\n\n\n%%capture --no-stdout\n40 + 2",
        "if True:\n    %notify Is 'it' done?\n    x = 42\nx",
        "text = '''\n%notify Is it?\n'''\nlen(text) and 42",
        "%notify goes \\\n  on?\n40 + 2",
        "# Train\n\n# the model\n%%notify x\n40 + 2",
    ],
)
def test_the_cell_always_runs(told: Told, cell: str) -> None:
    result, messages = told.run(cell)
    assert result.success, result
    assert result.result in (42, None)
    assert messages == []


@pytest.mark.parametrize(
    "cell",
    [
        "pwd",
        "  pwd\n",
        "x = 42\nx",
        "  x = 42\n  x",
        "\n\n    x = 42\n\n    x",
        ">>> x = 42\n... x",
        "\n>>> 40 + 2",
        "In [1]: 40 + 2",
        "%%notify Again\npwd",
    ],
)
def test_a_cell_is_cleaned_up_as_without_its_line(told: Told, cell: str) -> None:
    """As IPython does it: indentation, prompts, and magics without a percent sign."""
    alone, _ = told.run(cell)
    for above in ("%%notify x\n", "# Train\n%%notify x\n", "%%notify x\n\n"):
        result, messages = told.run(above + cell)
        assert (result.success, result.result) == (True, alone.result)
        assert messages == []


@pytest.mark.parametrize(
    "cell",
    [
        "%%notify\t--after\t0\tX\n40 + 2",
        "%%notify   --after   0   X\n40 + 2",
        "\t%%notify --after=0 \t X\r\n40 + 2",
        "%notify\t--after\t0\tX\n40 + 2",
    ],
)
def test_any_white_space_parts_the_words_of_its_line(told: Told, cell: str) -> None:
    result, messages = told.run(cell)
    assert result.result == 42
    assert messages == [("success", "X: done")]


def test_an_error_that_cannot_say_why_is_told_all_the_same(told: Told) -> None:
    code = "class E(Exception):\n    def __str__(self):\n        raise ValueError\nraise E"
    result = told.run(f"%%notify --after 0 X\n{code}")[1]
    assert [type_ for type_, _ in result] == ["error"]


@pytest.mark.parametrize(
    "code",
    [
        "class E(Exception):\n    exceptions = property(lambda s: 1/0)\nraise E",
        "class E(SystemExit):\n    code = property(lambda s: 1/0)\nraise E",
        "class I(int):\n    def __eq__(s, o):\n        raise OSError\nraise SystemExit(I(0))",
        # IPython fails to show these.
        "class E(Exception):\n    __class__ = property(lambda s: 1/0)\nraise E",
        "class M(type):\n    def __getattribute__(c, name):\n        raise OSError\n"
        "class E(Exception, metaclass=M):\n    pass\nraise E",
    ],
)
def test_an_error_of_which_nothing_can_be_asked_is_told_all_the_same(told: Told, code: str) -> None:
    ((type_, text),) = told.run(f"%%notify --after 0 X\n{code}")[1]
    assert type_ == "error"
    assert text.startswith("X: failed after ")
    # Nor does it keep other cells from being reported.
    told.run("%notify --every-cell --after 0 Next")
    assert told.run("42")[1] == [("success", "Next: done")]


def test_an_errors_colours_are_left_out(told: Told) -> None:
    code = "raise ValueError('\\x1b[31mred\\x1b[0m')"
    ((_, text),) = told.run(f"%%notify --after 0 X\n{code}")[1]
    assert text.endswith("ValueError: red")


@pytest.mark.parametrize(
    ("code", "type_", "text"),
    [
        ("import sys; sys.exit(0)", "success", "X: done"),
        ("exit_code = None; raise SystemExit", "success", "X: done"),
        ("import sys; sys.exit(False)", "success", "X: done"),
        ("import sys; sys.exit(0.0)", "error", "X: failed after 0.0 s: SystemExit: 0.0"),
        ("import sys; sys.exit(2)", "error", "X: failed after 0.0 s: SystemExit: 2"),
        ("raise KeyboardInterrupt", "warning", "X: interrupted after "),
        ("import asyncio; raise asyncio.CancelledError", "warning", "X: interrupted after "),
        ("1/0", "error", "X: failed after "),
        (f"raise {GROUP}('', [KeyboardInterrupt()])", "warning", "X: interrupted after "),
        ("class E(KeyboardInterrupt): pass\nraise E", "warning", "X: interrupted after "),
        # As a cell of `%%bash` ends, and a command above which somebody has pressed Ctrl-C.
        (
            "import subprocess; subprocess.run(['sh', '-c', 'kill -INT $$'], check=True)",
            "warning",
            "X: interrupted after ",
        ),
        (
            "import subprocess; subprocess.run(['sh', '-c', 'exit 130'], check=True)",
            "warning",
            "X: interrupted after ",
        ),
        (
            "import subprocess; subprocess.run(['sh', '-c', 'exit 2'], check=True)",
            "error",
            "X: failed after ",
        ),
        ("!kill -INT $$", "warning", "X: interrupted after "),
        ("!exit 3", "success", "X: done"),
        ("_exit_code = -2", "success", "X: done"),
        ("import sys; sys.exit('')", "error", "X: failed after 0.0 s: SystemExit"),
    ],
)
def test_an_end_is_told_as_what_it_is(told: Told, code: str, type_: str, text: str) -> None:
    _, messages = told.run(f"%%notify --after 0 X\n{code}")
    ((kind, said),) = messages
    assert kind == type_
    assert said.startswith(text.split(" after ")[0])


@pytest.mark.parametrize(
    ("inner", "messages"),
    [
        ("1/0", [("success", "Outer: done")]),
        ("", [("success", "Outer: done")]),
        ("%notify --after 0 Inner", [("success", "Inner: done"), ("success", "Outer: done")]),
    ],
)
def test_a_cell_that_runs_another_is_told_by_its_own_end(
    told: Told, inner: str, messages: list[tuple[str, str]]
) -> None:
    cell = f"get_ipython().run_cell({inner!r})\n42"
    assert told.run(f"%%notify --after 0 Outer\n{cell}")[1] == messages
    # With ``--every-cell``, only cells that the user has run are reported.
    told.run("%notify --every-cell --after 0 Outer")
    assert told.run(cell)[1] == messages
    told.run("%notify --off")
    assert told.run("42")[1] == []


def test_the_last_of_several_magics_above_a_cell_counts_and_the_cell_is_as_without(
    told: Told,
) -> None:
    result, messages = told.run("%%notify One\n\n%%notify Two\n%%notify --after 0 Three\n42")
    assert result.result == 42
    assert messages == [("success", "Three: done")]


def test_the_cell_that_loads_the_extension_may_ask_at_once(
    recorder: Recorder, to_recorder: Directed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "notify", to_recorder)
    told = Told(recorder, to_recorder)
    try:
        cell = "%load_ext jupyter_notify\n%notify --after 0 Loaded\n42"
        assert told.run(cell)[1] == [("success", "Loaded: done")]
        assert told.run("42")[1] == []
        assert told.run("%notify --after 0 Next")[1] == [("success", "Next: done")]
    finally:
        magics.unload(told.shell)


@pytest.mark.parametrize("first", ["jupyter_notify", "jupyterlab_notify"])
def test_unloading_one_of_two_extensions_keeps_the_magics_of_the_other(first: str) -> None:
    shell = InteractiveShell()
    names = ["jupyter_notify", "jupyterlab_notify"]
    last = names[first == names[0]]

    def offered() -> bool:
        line, cell = ("notify" in shell.magics_manager.magics[kind] for kind in ("line", "cell"))
        assert line == cell
        return line

    for name in (*names, *names):
        shell.extension_manager.load_extension(name)
    shell.extension_manager.unload_extension(first)
    assert offered(), f"{last} is still loaded"
    shell.extension_manager.reload_extension(last)
    assert offered()
    shell.extension_manager.load_extension(first)
    shell.extension_manager.unload_extension(last)
    assert offered()
    shell.extension_manager.unload_extension(first)
    assert not offered()
    assert not [one for one in shell.input_transformers_cleanup if "notify" in repr(one).lower()]


def test_help_is_help(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    told.run("%notify?")
    assert "Notify when this cell is done" in capsys.readouterr().out


def test_an_error_names_the_line_of_the_cell(told: Told) -> None:
    result, _ = told.run("%%notify X\n\n\n1/0")
    assert result.error_in_exec.__traceback__.tb_next.tb_lineno == 4


@pytest.mark.parametrize(
    ("cell", "title"),
    [
        ("%%notify Ada's training\nfor x in\n", "Ada's training"),
        ("\n\n%%notify --after 99 Late\n1 +", "Late"),
        ("%%notify\nx = 'open", "The cell"),
        ("x = 1\n%notify In a line\n  y = 2", "In a line"),
        ("%%notify Cells\n%%time\n1 +", "Cells"),
        ("%%notify Returned\nreturn 1", "Returned"),
        ("# Train\n%%notify Commented\n1 +", "Commented"),
    ],
)
def test_a_cell_that_is_no_python_is_told_as_failed(told: Told, cell: str, title: str) -> None:
    result, messages = told.run(cell)
    assert not result.success
    ((type_, text),) = messages
    assert type_ == "error"
    assert text.startswith(f"{title}: failed after ")
    # A later cell that does not ask for it is not reported.
    assert told.run("1 +")[1] == []
    assert told.run("%notify --off\n1 +")[1] == []


def test_a_long_name_of_a_notebook_leaves_room_for_the_end(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Notify When Done shortens it: the end often has a number or a date."""
    monkeypatch.setenv("JPY_SESSION_NAME", f"work/{'a' * 100}-2026-11-28.ipynb")
    _, ((_, text),) = told.run("%%notify\n1/0")
    name, _, rest = text.partition(": ")
    assert name == f"{'a' * 30}…{'a' * 12}-2026-11-28.ipynb"
    assert len(name) == 60
    assert rest.startswith("failed after")


@pytest.mark.parametrize(
    ("session", "vscode", "name"),
    [
        ("/srv/notebooks/runs/train.ipynb", None, "train.ipynb"),
        ("train.ipynb", None, "train.ipynb"),
        ("", None, None),
        ("/srv/notebooks/train-jvsc-1c9e0c.ipynb", "/srv/notebooks/train.ipynb", "train.ipynb"),
        ("", "/srv/notebooks/train.ipynb", "train.ipynb"),
        # A console, and a notebook that had no path when its kernel started.
        ("work/console-1-34361149-e3d8-4dbc-9302-0e86431b3e8c", None, None),
        ("work/34361149-e3d8-4dbc-9302-0e86431b3e8c", None, None),
        ("console-1.ipynb", None, "console-1.ipynb"),
    ],
)
def test_the_source_is_the_notebooks_name(
    told: Told,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    session: str,
    vscode: str | None,
    name: str | None,
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", session)
    if vscode is not None:
        told.shell.user_ns["__vsc_ipynb_file__"] = vscode
    parent = {"metadata": {"cellId": "c1"}}
    monkeypatch.setattr(told.shell, "get_parent", lambda: parent, raising=False)
    _, ((_, text),) = told.run("%%notify\n1/0")
    assert text.startswith(f"{name or 'The cell'}: failed")
    sent = recorder.requests[-1].value
    assert sent.get("source") == name
    # There is no cell to go to in a console.
    assert bool(sent.get("actions")) is ("console-1-" not in session)
