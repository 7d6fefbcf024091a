"""``jupyter notify``: what it sends, prints and ends with."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ..support.sending import Shell, find, one_line, outside, run, running
from ..support.servers import Server, wait_for

NOTIFY = Path(sys.executable).with_name("jupyter-notify")


@pytest.fixture(scope="module")
def shell(server: Server) -> Shell:
    return Shell(server)


# send


def test_every_option_of_send_reaches_the_server(shell: Shell, server: Server) -> None:
    receipt = shell.json(
        *("send", "All *options*", "--type", "in-progress", "--body", "**b**", "--key", "all"),
        *("--progress", "0.25", "--ttl", "600", "--persistent", "--markdown", "--banner"),
        *("--action", "Go=notebook:run?line:=5&name=a%26b", "--action", "See=https://a.example"),
        *("--link", "Docs=https://b.example/?x=y", "--source", "ci"),
    )
    assert receipt["success"] is True
    row = server.detail(receipt["notification_id"])
    assert row["message"] == "All *options*"
    assert (row["type"], row["progress"], row["key"]) == ("in-progress", 0.25, "all")
    assert (row["body"], row["markdown"], row["banner"]) == ("**b**", True, True)
    assert (row["autoClose"], row["source"]) == (False, "ci")
    assert row["expiresAt"]
    given = [{k: v for k, v in action.items() if v is not None} for action in row["actions"]]
    assert given == [
        {"label": "Go", "commandId": "notebook:run", "args": {"line": 5, "name": "a&b"}},
        {"label": "See", "url": "https://a.example"},
        {"label": "Docs", "url": "https://b.example/?x=y"},
    ]


def test_send_prints_the_id_and_takes_a_body_from_its_input(shell: Shell, server: Server) -> None:
    ran = shell("send", "Piped", "--body-file", "-", "--no-toast", input="from a pipe ✓")
    assert (ran.returncode, ran.stderr) == (0, "")
    row = server.detail(ran.stdout.strip())
    assert row["body"] == "from a pipe ✓"
    assert row["autoClose"] == 0


def body_of(server: Server, ran: subprocess.CompletedProcess[str]) -> str:
    """Return the body of what a command has just sent."""
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
    body = server.detail(ran.stdout.strip())["body"]
    assert isinstance(body, str)
    return body


def test_a_long_input_is_read_to_its_end_which_is_kept(shell: Shell, server: Server) -> None:
    script = f"seq 200000 | {NOTIFY} send Long --body-file -; echo ${{PIPESTATUS[0]}} >&2"
    ran = run("bash", "-c", script, env=shell.env, cwd=server.root_dir)
    # The command reads its input to the end, so the writer does not get SIGPIPE.
    assert ran.stderr == "0\n"
    body = server.detail(ran.stdout.strip())["body"]
    assert body.startswith("*Shortened: this is the end of it.*\n\n1")
    assert body.endswith("199999\n200000\n")
    assert 32_000 < len(body.encode()) <= 32 * 1024


def test_a_body_is_read_in_whatever_encoding_it_is(
    shell: Shell, server: Server, tmp_path: Path
) -> None:
    text = "Größe: 5 m², façade"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"):
        (tmp_path / "body").write_bytes(text.encode(encoding))
        assert body_of(server, shell("send", "Body", "--body-file", tmp_path / "body")) == text
    (tmp_path / "body").write_bytes("✓ fine, ".encode() + b"\xff\x00 broken")
    broken = body_of(server, shell("send", "Body", "--body-file", tmp_path / "body"))
    assert broken.startswith("✓ fine, �")
    assert body_of(server, shell("send", "Body", "--body-file", "/dev/stdin", input="in")) == "in"


def test_plain_output_is_kept_as_it_is(shell: Shell, server: Server) -> None:
    said = "\x1b[31m<stdin>:1:\x1b[0m #include <vector>\n  <module>\n```\n 10 %\r 99 %\r100 %\n"
    ran = shell("send", "Plain", "--plain", "--body-file", "-", input=said)
    kept = "<stdin>:1: #include <vector>\n  <module>\n```\n100 %"
    assert body_of(server, ran) == f"~~~\n{kept}\n~~~"
    ran = shell("send", "Plain", "--plain", "--body", "*not bold*")
    assert body_of(server, ran) == "```\n*not bold*\n```"
    body = body_of(
        server, shell("send", "Plain", "--plain", "--body-file", "-", input="ü\n" * 60_000)
    )
    assert body.startswith("*Shortened: this is the end of it.*\n\n```\nü\n")
    assert len(body.encode()) <= 32 * 1024


@pytest.mark.parametrize("command", ["send Full", "list --json", "list"])
def test_an_output_that_cannot_be_written_is_told_in_a_line(
    shell: Shell, server: Server, command: str
) -> None:
    shell("send", "Something to list")
    script = f"{NOTIFY} {command} > /dev/full"
    ran = run("bash", "-c", script, env=shell.env, cwd=server.root_dir)
    assert ran.returncode == 1
    assert one_line(ran).endswith("The output could not be written: no space left on device.")


@pytest.mark.parametrize("argument", ["Grüße ✓".encode(), b"caf\xe9"], ids=ascii)
def test_an_argument_is_text_whatever_the_locale_has_made_of_it(
    shell: Shell, server: Server, argument: bytes
) -> None:
    strict = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}

    def call(*arguments: str | bytes) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [NOTIFY, *arguments], env={**shell.env, **strict}, capture_output=True
        )

    sent = call("send", argument, "--key", argument, "--source", argument)
    assert sent.returncode == 0, sent.stderr
    row = server.detail(sent.stdout.decode().strip())
    text = "café" if argument == b"caf\xe9" else argument.decode()
    assert (row["message"], row["key"], row["source"]) == (text,) * 3
    for command in (
        ("list", "--search", argument),
        ("read", argument),
        ("revoke", argument, "--source", argument),
    ):
        ran = call(*command)
        assert (ran.returncode, ran.stderr) == (0, b""), ran.stderr
    gone = call("revoke", b"\xff")
    assert gone.returncode == 1 and b"Traceback" not in gone.stderr


@pytest.mark.parametrize(
    "encoding",
    [
        *("cp1252", "latin-1", "ascii", "utf-8", "utf-16", "utf-7", "shift_jis", "koi8-r"),
        *("ascii:strict", "ascii:surrogateescape", "cp1252:strict", "utf-16:surrogateescape"),
        *("cp1252:xmlcharrefreplace", "utf-8:strict"),
    ],
)
def test_no_encoding_of_the_terminal_is_an_error(
    shell: Shell, server: Server, encoding: str
) -> None:
    server.ingest("Encoded ✓ ü", source="encoder")
    for arguments in (
        ("list", "--search", "Encoded", "--limit", "1"),
        ("send", "--help"),
        ("sned ✓",),
    ):
        ran = subprocess.run(
            [NOTIFY, *arguments],
            env={**shell.env, "PYTHONIOENCODING": encoding},
            capture_output=True,
            timeout=30,
        )
        assert ran.returncode == (2 if arguments == ("sned ✓",) else 0), ran.stderr
        assert b"Traceback" not in ran.stderr
        name = encoding.partition(":")[0]
        said = ran.stdout.decode(name)
        if arguments[0] == "list":
            assert said[0] == ("●".encode(name, "replace").decode(name).replace("?", "*"))
            assert said.endswith("Encoded ✓ ü\n".encode(name, "replace").decode(name))


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_error(shell: Shell, server: Server, closed: str) -> None:
    title = f"Closed {closed}"
    script = f"{NOTIFY} send '{title}' {closed}"
    ran = run("bash", "-c", script, env=shell.env, cwd=server.root_dir)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert find(server, title)
    script = f"{NOTIFY} send x --body-file - <&-"
    ran = run("bash", "-c", script, env=shell.env, cwd=server.root_dir)
    assert ran.returncode == 2
    assert "it is closed" in one_line(ran)


@pytest.mark.parametrize("arguments", [("send", "x"), ("list",), ("send", "x", "--type", "no")])
def test_nothing_is_left_open(shell: Shell, arguments: tuple[str, ...]) -> None:
    ran = shell(*arguments, PYTHONDEVMODE="1")
    assert "ResourceWarning" not in ran.stderr


# Wrong use


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("sned", "x"),
        ("send",),
        ("send", ""),
        ("send", "x", "--type", "sucess"),
        ("send", "x", "--progress", "2"),
        ("send", "x", "--progress", "nan"),
        ("send", "x", "--ttl", "soon"),
        ("send", "x", "--body", "b", "--body-file", "f"),
        ("send", "x", "--body-file", "missing.md"),
        ("send", "x", "--body-file", "/dev/zero"),
        ("send", "x", "--no-toast", "--persistent"),
        ("send", "x", "--action", "no command"),
        ("send", "x", "--action", "Docs=example.org"),
        ("send", "x", "--ttl", "1e12"),
        ("send", "x", "--body", "b" * 40_000),
        ("send", "x", "--action", "a=b?c"),
        ("send", "x", "--action", "a=b?c:={"),
        ("send", "x", "--link", "javascript:alert(1)"),
        ("send", "x" * 5000),
        ("send", "x", "--key", "k" * 300),
        ("send", "x", "--url", "not a url"),
        ("send", "x", "--url", "http://[::1"),
        ("send", "x", "--token-file", "missing"),
        ("list", "--limit", "0"),
        ("list", "--view", "all"),
        ("read",),
        ("read", "x", "--all"),
        ("dismiss",),
        ("revoke",),
        ("run",),
        ("run", "--"),
        ("run", "--after", "x", "--", "true"),
        ("completion", "tcsh"),
    ],
    ids=" ".join,
)
def test_wrong_use_is_one_line_and_exit_code_2(
    shell: Shell, server: Server, arguments: tuple[str, ...]
) -> None:
    before = server.page()["cursor"]
    ran = shell(*arguments)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert one_line(ran).startswith("jupyter notify: ")
    assert server.page()["cursor"] == before


def test_what_is_wrong_is_json_too_if_that_was_asked_for(shell: Shell) -> None:
    ran = shell("send", "x", "--type", "sucess", "--json")
    assert ran.returncode == 2
    assert json.loads(ran.stdout) == {
        "success": False,
        "message": one_line(ran).removeprefix("jupyter notify: "),
    }


def test_help_shows_every_command(shell: Shell) -> None:
    ran = shell("--help")
    assert ran.returncode == 0
    for command in (
        "send",
        "list",
        "watch",
        "read",
        "close",
        "done",
        "revoke",
        "run",
        "completion",
    ):
        assert f"\n    {command}" in ran.stdout
        helped = shell(command, "--help")
        assert (helped.returncode, helped.stderr) == (0, "")


# list, read, dismiss, revoke


def test_state_is_changed_by_id_and_by_key(shell: Shell, server: Server) -> None:
    id_ = shell("send", "Stateful", "--key", "some/key ü").stdout.strip()
    assert shell.json("read", "some/key ü") == {"changed": 1}
    assert server.detail(id_)["read"]
    assert shell.json("read", id_, "--undo") == {"changed": 1}
    assert server.detail(id_)["read"] is None
    assert shell.json("close", "some/key ü") == {"changed": 1}
    (row,) = [row for row in shell.json("list") if row["id"] == id_]
    assert row["closed"] is not None and row["read"] is not None
    # A script of an earlier version still says dismiss.
    for done in ("done", "dismiss"):
        assert shell.json(done, "some/key ü") == {"changed": 1}
        assert id_ in [row["id"] for row in shell.json("list", "--view", "done")]
        assert shell.json(done, "some/key ü", "--undo") == {"changed": 1}
    assert shell.json("revoke", "some/key ü") == {"revoked": [id_]}
    for command in ("read", "dismiss", "revoke"):
        ran = shell(command, "some/key ü")
        assert ran.returncode == 1
        assert "some/key ü" in one_line(ran)


def test_list_pages_filters_and_shows_no_control_characters(shell: Shell, server: Server) -> None:
    for number in range(3):
        server.ingest(f"Listed \x1b]0;title\x07 {number}\nsecond", type="warning", source="lister")
    rows = shell.json("list", "--limit", "2", "--type", "warning", "--search", "Listed")
    assert [row["message"][-8] for row in rows] == ["2", "1"]
    shown = shell("list", "--search", "Listed", "--limit", "1").stdout
    assert shown.endswith("warning      Listed  ]0;title  2 second\n")
    assert shown.count("\n") == 1


def test_a_list_that_nobody_reads_on_is_no_error(server: Server) -> None:
    ran = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {NOTIFY} list --json | head -c 1"],
        env=outside(server),
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert ran.stderr == ""


# watch


def test_watch_goes_on_where_it_was_when_the_server_is_back(server: Server) -> None:
    own = Server(server.directory / "watched")
    own.start()
    try:
        with running(NOTIFY, "watch", "--json", env=outside(own), cwd=own.root_dir) as process:
            assert process.stdout is not None and process.stderr is not None
            wait_for(lambda: own.status()["tabs"] == 1, "its stream")
            own.ingest("before")
            assert json.loads(process.stdout.readline())["message"] == "before"
            own.stop()
            assert "Trying again." in process.stderr.readline()
            own.start()
            # Usually the command has not reconnected yet, and gets this message by its cursor.
            id_ = own.ingest("while it was away")["notification_id"]
            assert json.loads(process.stdout.readline())["id"] == id_
            assert process.stderr.readline() == "jupyter notify: Connected again.\n"
            own.change(id_, read=True)
            row = json.loads(process.stdout.readline())
            assert (row["id"], bool(row["read"])) == (id_, True)
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130
        shown = Shell(own)("list").stdout
        assert "while it was away" in shown
    finally:
        own.stop()
        own.client.close()


@pytest.mark.parametrize("command", ["watch", "list"])
def test_a_wrong_token_is_exit_code_1(shell: Shell, server: Server, command: str) -> None:
    ran = shell(command, "--url", server.url, JUPYTER_NOTIFY_TOKEN="wrong")
    assert ran.returncode == 1
    assert "does not accept the token" in one_line(ran)


# completion


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("jupyter noti", ["notify"]),
        ("jupyter notify di", ["dismiss"]),
        ("jupyter-notify re", ["read", "revoke"]),
        ("jupyter notify send x --pers", ["--persistent"]),
        ("jupyter notify send x --type succ", ["success"]),
        ("jupyter notify list --view un", ["unread"]),
        ("jupyter notify send --body-file report.", ["report.txt"]),
        ("jupyter notify completion f", ["fish"]),
        ("jupyter notify run -- report-too", ["report-tool"]),
    ],
)
def test_bash_completes(shell: Shell, tmp_path: Path, line: str, expected: list[str]) -> None:
    (tmp_path / "report.txt").touch()
    (tmp_path / "report-tool").touch(mode=0o755)
    script = shell("completion", "bash")
    assert script.returncode == 0
    words = line.split()
    asked = (
        f"{script.stdout}\nPATH=$PATH:.\nCOMP_WORDS=({' '.join(words)})\n"
        f"COMP_CWORD={len(words) - 1}\n_jupyter_notify\n"
        'printf "%s\\n" "${COMPREPLY[@]}" | sort -u\n'
    )
    ran = subprocess.run(
        ["bash", "-c", asked], env=shell.env, cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.stderr == ""
    assert ran.stdout.split() == expected


@pytest.mark.parametrize("name", ["zsh", "fish"])
def test_other_shells_take_their_script(shell: Shell, name: str) -> None:
    script = shell("completion", name)
    assert script.returncode == 0
    for word in ("send", "--persistent", "in-progress"):
        assert word.lstrip("-") in script.stdout
    if shutil.which(name) is not None:
        checked = subprocess.run([name, "-n"], input=script.stdout, text=True, capture_output=True)
        assert checked.returncode == 0, checked.stderr
