"""``jupyter notify run``: it tells how a command ended, and leaves the command as it is."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_notify.terminal_text import last_lines

from ..support.sending import (
    Api,
    Shell,
    find,
    one_line,
    outside,
    run,
    running,
    wait_for_message,
)
from ..support.servers import Server, wait_for
from .test_cli import NOTIFY

#: Tells which of its standard streams are open.
STREAMS = """
import os, sys
def state(number):
    try:
        os.fstat(number)
    except OSError:
        return "closed"
    return "terminal" if os.isatty(number) else "open"
open(sys.argv[1], "w").write(" ".join(map(state, range(3))))
"""


@pytest.fixture(scope="module")
def shell(server: Server) -> Shell:
    return Shell(server)


def bash(
    server: Server, script: str, cwd: Path, timeout_s: float = 30
) -> subprocess.CompletedProcess[str]:
    """Run a script of a shell in which ``$RUN`` is our command."""
    return run(
        "bash", "-c", script, env=outside(server, RUN=f"{NOTIFY} run"), cwd=cwd, timeout_s=timeout_s
    )


def test_run_is_the_command_and_tells_how_it_ended(shell: Shell, server: Server) -> None:
    script = "read line; echo out $line; for n in $(seq 30); do echo err $n >&2; done; exit 3"
    ran = shell("run", "--title", "Failing", "--", "bash", "-c", script, input="in\n")
    assert ran.returncode == 3
    assert ran.stdout == "out in\n"
    assert ran.stderr.splitlines() == [f"err {n}" for n in range(1, 31)]
    row = find(server, "Failing: failed with exit code 3 after ")
    assert row is not None and row["type"] == "error"
    body = server.detail(row["id"])["body"].splitlines()
    assert (body[0], body[-1]) == ("```", "```")
    assert body[-2] == "err 30"
    assert len(body) == 22


def test_run_tells_of_a_success_only_if_that_is_wanted(shell: Shell, server: Server) -> None:
    told = shell.json("run", "--title", "Fine", "--", "true")
    assert told["exit_code"] == 0
    assert server.detail(told["receipt"]["notification_id"])["type"] == "success"
    for option in (("--quiet",), ("--after", "60")):
        told = shell.json("run", "--title", "Unsaid", *option, "--", "true")
        assert (told["exit_code"], told["receipt"]) == (0, None)
    assert find(server, "Unsaid") is None


@pytest.mark.parametrize(
    ("command", "code", "text"),
    [
        (("no-such-command",), 127, "no-such-command: command not found"),
        (("",), 127, "'': command not found"),
        (("/etc/passwd",), 126, "/etc/passwd: permission denied"),
        (("bash", "-c", "kill -9 $$"), 137, "ended by SIGKILL after"),
        (("--", "exit"), 127, "-- exit: command not found"),
    ],
)
def test_run_ends_as_a_shell_would(
    shell: Shell, server: Server, command: tuple[str, ...], code: int, text: str
) -> None:
    ran = shell("run", "--", *command)
    assert ran.returncode == code
    assert "Traceback" not in ran.stderr
    assert find(server, text)


#: Runs our command where the system allows so many more threads at once, and no more.
FEW_THREADS = """
import sys, threading
left, start = int(sys.argv.pop(1)), threading.Thread.start
def count(self):
    global left
    if left == 0:
        raise RuntimeError("can't start new thread")
    left -= 1
    start(self)
threading.Thread.start = count
from jupyter_notify.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize("threads", [0, 1, 4])
def test_run_runs_the_command_where_no_thread_can_be_started(server: Server, threads: int) -> None:
    script = "read line; echo out $line; seq 100000 | tail -n 1 >&2; exit 3"
    title = f"With {threads} threads"
    ran = run(
        *(sys.executable, "-c", FEW_THREADS, str(threads)),
        *("run", "--title", title, "--", "bash", "-c", script),
        env=outside(server),
        cwd=server.root_dir,
        input="in\n",
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (3, "out in\n", "100000\n")
    assert find(server, f"{title}: failed with exit code 3")


@pytest.mark.parametrize("files", [9, 11, 20])
def test_run_runs_the_command_where_few_files_can_be_opened(
    server: Server, tmp_path: Path, files: int
) -> None:
    script = f"ulimit -n {files}; $RUN --title 'With {files} files' -- sh -c 'echo out; exit 3'"
    ran = bash(server, script, tmp_path)
    assert (ran.returncode, ran.stdout) == (3, "out\n"), ran.stderr


def test_run_shows_what_takes_long_and_passes_a_signal_on(server: Server) -> None:
    script = "trap 'echo told; exit 7' TERM; while :; do sleep 0.05; done"
    command = (NOTIFY, "run", "--title", "Long", "--", "bash", "-c", script)
    with running(*command, env=outside(server), cwd=server.root_dir) as process:
        assert wait_for_message(server, "Long: running")["type"] == "in-progress"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 7
    row = find(server, "Long: failed with exit code 7")
    assert row is not None
    assert "told" in server.detail(row["id"])["body"]
    assert find(server, "Long: running") is None


def test_run_tells_a_server_that_was_restarted_elsewhere(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    server, end = make_server(), tmp_path / "end"
    script = f"until test -e {shlex.quote(str(end))}; do sleep 0.05; done"
    command = (NOTIFY, "run", "--title", "Outlives", "--", "bash", "-c", script)
    with running(*command, env=outside(server), cwd=server.root_dir) as process:
        assert wait_for_message(server, "Outlives: running")
        server.stop()
        before, server.port = server.port, 0
        server.start()
        assert server.port != before
        end.touch()
        assert process.wait(15) == 0
    assert find(server, "Outlives: done in ")


def test_run_without_a_server_is_the_command_all_the_same(server: Server, tmp_path: Path) -> None:
    ran = Shell(server, JUPYTER_RUNTIME_DIR=str(tmp_path))("run", "--", "bash", "-c", "exit 4")
    assert ran.returncode == 4
    assert "The command runs anyway." in one_line(ran)


def test_in_a_terminal_run_gives_the_command_one(server: Server) -> None:
    with Api(server.url, server.token).terminal() as terminal:
        python = f"{sys.executable} -m jupyter_notify.cli"
        # Ask the terminal itself for its size: programs may use COLUMNS, which a plain shell leaves
        # as it was when the terminal was opened.
        code, shown = terminal.run(
            f"stty rows 33 cols 91; {python} run --title Tty --"
            " bash -c 'stty size <&1; test -t 0 -a -t 1'"
        )
        assert code == 0, shown
        assert "33 91\r\n" in shown
        code, shown = terminal.run(f"{python} run --title Tty -- no-such-command")
        assert code == 127
        assert "no-such-command: command not found" in shown
        # In the background it may not touch the terminal.
        code, shown = terminal.run(f"{python} run --title Behind -- bash -c 'exit 5' & wait $!")
        assert code == 5, shown
        # A signal that is to end us ends the command, and the terminal is no longer raw. The naps
        # are short: a shell that forks for a nap just then may run its trap only after the nap.
        asks = "kill -TERM $PPID; for ((nap = 0; nap < 200; nap++)); do sleep 0.1; done"
        for title, script, expected in (
            ("Asked", f"echo begun; trap 'exit 7' TERM; {asks}", 7),
            ("Silent", asks, 143),
        ):
            command = f"{python} run --title {title} -- bash -c {shlex.quote(script)}"
            code, shown = terminal.run(f"{command}; ended=$?; stty -a; (exit $ended)")
            assert code == expected, shown
            assert re.search(r"[^-]icanon", shown) and re.search(r"[^-]echo\b", shown), shown
    assert find(server, "Tty: done in ")
    assert find(server, "Behind: failed with exit code 5 ")
    assert find(server, "Asked: failed with exit code 7 ")
    assert find(server, "Silent: ended by SIGTERM ")


def test_the_last_lines_are_those_that_a_terminal_would_show() -> None:
    printed = b"\x1b[31mred\x1b[0m\r\n 10 %\r 99 %\r100 %\n\x1b]0;title\x07\xff\x00end\n\n\n"
    assert last_lines(printed, 20) == "red\n100 %\nÿend"


# It leaves the command as it is


def test_a_reader_that_leaves_ends_the_command_by_sigpipe(server: Server, tmp_path: Path) -> None:
    script = (
        "$RUN --title Piped -- bash -c 'while echo line; do :; done' | head -1;"
        " echo ${PIPESTATUS[0]}"
    )
    ran = bash(server, script, tmp_path)
    assert (ran.stdout, ran.stderr) == ("line\n141\n", "")
    assert find(server, "Piped: ended by SIGPIPE")


def test_two_streams_to_one_place_keep_their_order(server: Server, tmp_path: Path) -> None:
    lines = "for n in $(seq 200); do echo out $n; echo err $n >&2; done"
    for target in ("2>&1", "> both 2>&1; cat both"):
        ran = bash(server, f"$RUN -- bash -c '{lines}' {target}", tmp_path)
        expected = [f"{kind} {n}" for n in range(1, 201) for kind in ("out", "err")]
        assert ran.stdout.splitlines() == expected


def test_what_is_redirected_stays_redirected(server: Server, tmp_path: Path) -> None:
    ran = bash(server, "$RUN -- bash -c 'echo out; echo err >&2' 2> errors", tmp_path)
    assert (ran.stdout, ran.stderr) == ("out\n", "")
    assert (tmp_path / "errors").read_text() == "err\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_closed_to_the_command(
    server: Server, tmp_path: Path, closed: str
) -> None:
    (tmp_path / "streams.py").write_text(STREAMS)
    command = f"{sys.executable} streams.py"
    ran = bash(server, f"$RUN --title Closed -- {command} ours {closed}; echo $?", tmp_path)
    assert ran.stdout == "0\n", ran.stderr
    bash(server, f"{command} bare {closed}", tmp_path)
    assert (tmp_path / "ours").read_text() == (tmp_path / "bare").read_text()
    assert find(server, "Closed: done in ")


@pytest.mark.parametrize("target", ["> shown", "> >(cat > shown)", "> shown 2>&1"])
def test_what_is_left_in_the_background_lives_and_writes_on(
    server: Server, tmp_path: Path, target: str
) -> None:
    later = "until test -e go; do sleep 0.02; done; echo later; echo written > done"
    # The process it leaves has our error output open as well: the test would wait for it.
    script = f"exec 2> errors; $RUN -- bash -c '({later}) & echo now' {target}; echo $?"
    assert bash(server, script, tmp_path).stdout == "0\n"
    shown = tmp_path / "shown"
    wait_for(lambda: shown.exists() and shown.read_text() == "now\n", "what was written at once")
    (tmp_path / "go").touch()
    wait_for(lambda: shown.read_text() == "now\nlater\n", "what was written later")
    wait_for((tmp_path / "done").exists, "its end")


def test_a_server_that_hangs_delays_neither_the_command_nor_its_end(
    server: Server, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hung:
        env = {
            **outside(server, JUPYTER_NOTIFY_TOKEN="t"),
            "JUPYTER_NOTIFY_URL": f"http://127.0.0.1:{hung.getsockname()[1]}/",
        }
        ran = run(NOTIFY, "run", "--", "bash", "-c", "exit 3", env=env, cwd=tmp_path, timeout_s=9)
    assert ran.returncode == 3
    assert "does not answer" in one_line(ran)


def test_what_nohup_lets_a_command_ignore_it_goes_on_ignoring(
    server: Server, tmp_path: Path
) -> None:
    script = "trap '' HUP; $RUN -- bash -c 'kill -HUP $$; echo lives'"
    ran = bash(server, script, tmp_path)
    assert (ran.returncode, ran.stdout) == (0, "lives\n")


def test_a_terminal_stays_one_and_what_is_redirected_does_not_become_one(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "streams.py").write_text(STREAMS)
    states = {}
    with Api(server.url, server.token).terminal() as terminal:
        terminal.run(f"cd {shlex.quote(str(tmp_path))}")
        for redirected in ("", "2> errors", "< streams.py", "> out", "> out 2>&1", "<&-", "2>&-"):
            command = f"{sys.executable} streams.py"
            code, shown = terminal.run(f"{command} bare {redirected}")
            assert code == 0, shown
            code, shown = terminal.run(f"{NOTIFY} run -- {command} ours {redirected}")
            assert code == 0, shown
            states[redirected] = [(tmp_path / name).read_text() for name in ("bare", "ours")]
    assert {name: ours for name, (_, ours) in states.items()} == {
        name: bare for name, (bare, _) in states.items()
    }


def test_in_a_terminal_the_background_lives_and_writes_on(server: Server, tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = f"(until test -e {go}; do sleep 0.02; done; echo la''ter) & echo n''ow"
    with Api(server.url, server.token).terminal() as terminal:
        code, shown = terminal.run(f"{NOTIFY} run --title Left -- bash -c {shlex.quote(script)}")
        assert code == 0, shown
        assert "now\r\n" in shown
        assert "later" not in shown
        go.touch()
        terminal.read_until("later\r\n")
    assert find(server, "Left: done in ")


def test_ctrl_z_stops_it_and_it_goes_on_behind_and_in_front(server: Server, tmp_path: Path) -> None:
    ready, go = tmp_path / "ready", tmp_path / "go"
    script = (
        f"touch {ready}; until test -e {go}; do sleep 0.02; done; echo went''on;"
        " read answer; echo got: $answer; exit 6"
    )
    with Api(server.url, server.token).terminal() as terminal:
        terminal.type("set -m; stty -tostop\r")
        terminal.type(f"{NOTIFY} run --title Paused -- bash -c {shlex.quote(script)}\r")
        wait_for(ready.exists, "the command")
        terminal.type("\x1a")
        terminal.read_until("Stopped")
        # Input typed meanwhile is the shell's.
        terminal.type("bg; echo the sh''ells; touch " + f"{go}\r")
        shown = terminal.read_until("the shells")
        if "wenton" not in shown:
            terminal.read_until("wenton")
        terminal.type("{ fg\r}; echo e''nded-$?-\r")
        terminal.type("typed ahead\r")
        shown = terminal.read_until("ended-6-")
        assert "got: typed ahead" in shown, shown
        _, shown = terminal.run("stty -a")
        assert re.search(r"[^-]icanon", shown) and re.search(r"[^-]echo\b", shown), shown
    assert find(server, "Paused: failed with exit code 6")


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"echo plain; exit 3\n", 3, b"plain\n"),
        ("# \u00fc\necho $0 $1\n".encode(), 0, b"script a\n"),
        (b"", 0, b""),
        (b"#!/bin/sh\necho $1\n", 0, b"a\n"),
        (b"\x7fELF\0nonsense", 126, b""),
        (b"\xa7\r\r\n\0", 126, b""),
    ],
    ids=["without its shell", "not ASCII", "empty", "with its shell", "no program", "bytecode"],
)
def test_a_script_that_names_no_shell_runs_as_under_one(
    server: Server, tmp_path: Path, content: bytes, code: int, said: bytes
) -> None:
    script = tmp_path / "script"
    script.write_bytes(content)
    script.chmod(0o755)
    ran = bash(server, "$RUN -- ./script a | sed s,.*/script,script,", tmp_path)
    assert ran.stdout.encode() == said
    ran = bash(server, "$RUN -- ./script a > /dev/null", tmp_path)
    assert ran.returncode == code


def test_what_else_is_open_is_the_commands_too(server: Server, tmp_path: Path) -> None:
    ran = bash(server, "$RUN -- cat <(echo substituted) /dev/fd/5 5< <(echo five)", tmp_path)
    assert (ran.returncode, ran.stdout) == (0, "substituted\nfive\n")


def test_an_output_that_cannot_be_written_is_a_failure(server: Server, tmp_path: Path) -> None:
    ran = bash(server, "$RUN -- sh -c 'echo lost; exit 0' > /dev/full", tmp_path)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "The output could not be written: no space left on device." in ran.stderr
    ran = bash(server, "$RUN -- sh -c 'echo lost; exit 4' > /dev/full", tmp_path)
    assert ran.returncode == 4


def test_the_command_gets_the_environment_that_it_would_have(
    server: Server, tmp_path: Path
) -> None:
    bare = "env -u LC_ALL -u LC_CTYPE -u LANG"
    for locale in ("", "LC_CTYPE=C.UTF-8", "LANG=C", "LC_ALL=C"):
        ran = bash(
            server,
            f"{bare} {locale} env | grep -v '^_=' | sort > a; "
            f"{bare} {locale} $RUN -- env | grep -v '^_=' | sort > b; cmp a b",
            tmp_path,
        )
        assert ran.returncode == 0, (locale, ran.stdout)


@pytest.mark.parametrize(
    "name",
    [
        *("INT", "QUIT", "TERM", "HUP", "USR1", "USR2"),
        *("ALRM", "XCPU", "PROF", "RTMIN", "RTMAX-1"),
    ],
)
def test_a_signal_that_no_keyboard_sent_reaches_the_command_even_at_once(
    server: Server, tmp_path: Path, name: str
) -> None:
    # The command itself sends the signal to its parent, at the earliest possible moment.
    wait = "for _ in {1..400}; do sleep 0.05; done"
    (tmp_path / "script").write_text(
        f"trap 'echo got it; exit 7' {name}; kill -{name} $PPID; {wait}"
    )
    # A shell's background, in which the tests may run, ignores two of them.
    ran = bash(server, "setsid -w env --default-signal $RUN -- bash script", tmp_path)
    assert (ran.returncode, ran.stdout) == (7, "got it\n")


def state(pid: int) -> str:
    """Return the letter of a process's state; T means stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_what_stops_run_alone_stops_the_command_until_it_goes_on(
    server: Server, tmp_path: Path
) -> None:
    script = "echo $$ > new; mv new pid; until test -e go; do sleep 0.02; done; exit 6"
    (tmp_path / "script").write_text(script)
    ran = subprocess.Popen(
        [NOTIFY, "run", "--", "bash", "script"],
        cwd=tmp_path,
        env=outside(server),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        # A group of its own in our session, where somebody may continue it.
        preexec_fn=os.setpgrp,
    )
    try:
        wait_for((tmp_path / "pid").exists, "the command")
        command = int((tmp_path / "pid").read_text())
        for _ in range(2):
            os.kill(ran.pid, signal.SIGTSTP)
            wait_for(lambda: state(ran.pid) == state(command) == "T", "both to stop")
            os.kill(ran.pid, signal.SIGCONT)
            wait_for(lambda: "T" not in (state(ran.pid), state(command)), "both to go on")
        (tmp_path / "go").touch()
        assert ran.wait(20) == 6
    finally:
        ran.kill()
        ran.wait()


def test_in_a_terminal_what_stops_run_alone_stops_the_command(
    server: Server, tmp_path: Path
) -> None:
    pid, go = tmp_path / "pid", tmp_path / "go"
    # The command's parent leads the new terminal's session, and is a child of ours.
    script = (
        f"cut -d' ' -f4 /proc/$PPID/stat > {pid}.new; mv {pid}.new {pid}; "
        f"until test -e {go}; do sleep 0.02; done; exit 6"
    )
    with Api(server.url, server.token).terminal() as terminal:
        terminal.type("set -m\r")
        terminal.type(f"{NOTIFY} run -- bash -c {shlex.quote(script)}\r")
        wait_for(pid.exists, "the command")
        os.kill(int(pid.read_text()), signal.SIGTSTP)
        terminal.read_until("Stopped")
        _, shown = terminal.run("stty -a")
        assert re.search(r"[^-]icanon", shown) and re.search(r"[^-]echo\b", shown), shown
        go.touch()
        terminal.type("{ fg\r}; echo e''nded-$?-\r")
        terminal.read_until("ended-6-")


def test_ctrl_z_is_the_commands_from_its_first_moment_on(server: Server, tmp_path: Path) -> None:
    # The key arrives when the command runs, but we have not got past starting it.
    (tmp_path / "start.py").write_text(
        "import select, sys\n"
        "from jupyter_notify.copying import Tail\n"
        "from jupyter_notify.terminal import run_in_terminal\n"
        "started = lambda: select.select([0], [], [])\n"
        "sys.exit(run_in_terminal(sys.argv[1:], Tail(), started))\n"
    )
    script = "echo $$ > new; mv new pid; until test -e go; do sleep 0.02; done; exit 6"
    with Api(server.url, server.token).terminal() as terminal:
        terminal.type(f"set -m; cd {shlex.quote(str(tmp_path))}\r")
        terminal.type(f"{sys.executable} start.py bash -c {shlex.quote(script)}\r")
        wait_for((tmp_path / "pid").exists, "the command")
        terminal.type("\x1a")
        terminal.read_until("Stopped")
        assert state(int((tmp_path / "pid").read_text())) == "T"
        (tmp_path / "go").touch()
        terminal.type("{ fg\r}; echo e''nded-$?-\r")
        terminal.read_until("ended-6-")


def test_a_background_command_whose_terminal_is_gone_has_read_all(
    server: Server, tmp_path: Path
) -> None:
    ready, left, ended = (tmp_path / name for name in ("ready", "left", "ended"))
    script = f"touch {ready}; cat; touch {ended}"
    with Api(server.url, server.token).terminal() as terminal:
        terminal.type("set -m\r")
        # The command outlives its shell, as under nohup, but keeps its input.
        begin = f"trap '' HUP; exec {NOTIFY} run -- bash -c {shlex.quote(script)}"
        terminal.type(f"({begin})\r")
        wait_for(ready.exists, "the command")
        terminal.type("\x1a")
        terminal.read_until("Stopped")
        terminal.type(f"bg; disown -a; touch {left}\r")
        wait_for(left.exists, "it to go on in the background")
        assert not ended.exists()
    wait_for(ended.exists, "the end of what is typed")
