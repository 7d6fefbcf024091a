"""Tools for tests of the sender's side: a shell, a terminal and a kernel of a real server."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from websockets.sync.client import ClientConnection, connect

from .servers import ROOT, Server, clean_environment, wait_for

#: Escape sequences that colour a terminal.
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07)")


def outside(server: Server, **env: str) -> dict[str, str]:
    """Return the environment of a program that runs outside a server, on its machine."""
    return {
        **clean_environment(server.home),
        "JUPYTER_RUNTIME_DIR": str(server.runtime_dir),
        **env,
    }


def run(
    *command: str | Path,
    env: dict[str, str],
    cwd: Path | None = None,
    input: str | None = None,
    timeout_s: float = 30,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [str(part) for part in command],
        env=env,
        cwd=cwd,
        input=input,
        stdin=subprocess.DEVNULL if input is None else None,
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )


class Shell:
    """``jupyter notify`` in a shell outside of the server.

    Parameters
    ----------
    server
        The server that runs.
    env
        More environment variables.
    """

    def __init__(self, server: Server, **env: str) -> None:
        self.server = server
        self.env = outside(server, **env)

    def __call__(
        self, *arguments: str | Path, input: str | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        return run(
            Path(sys.executable).with_name("jupyter-notify"),
            *arguments,
            env={**self.env, **env},
            cwd=self.server.root_dir,
            input=input,
        )

    def json(self, command: str, *arguments: str | Path, **env: str) -> Any:
        """Return what a command prints as JSON; it must succeed."""
        ran = self(command, "--json", *arguments, **env)
        assert ran.returncode == 0, ran.stderr
        assert ran.stderr == ""
        return json.loads(ran.stdout)


def python(
    server: Server, code: str, *arguments: str, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a script outside of the server."""
    return run(
        sys.executable,
        *("-c", code, *arguments),
        env=outside(server, **env),
        cwd=server.root_dir,
    )


def find(server: Server, text: str) -> dict[str, Any] | None:
    """Return the newest notification whose summary holds a text."""
    rows = server.page(limit=200)["notifications"]
    return next((row for row in rows if text in row["message"]), None)


def wait_for_message(server: Server, text: str, timeout_s: float = 10) -> dict[str, Any]:
    """Return the newest notification whose summary holds a text, as soon as there is one."""
    return wait_for(lambda: find(server, text), f"a message {text!r}", timeout_s) or {}


def one_line(ran: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a command says about what is wrong."""
    lines = ran.stderr.splitlines()
    assert len(lines) == 1, ran.stderr
    assert "Traceback" not in ran.stderr
    return lines[0]


def blocks(language: str, heading: str) -> list[str]:
    """Return the fenced blocks of a section of the README."""
    text = (ROOT / "README.md").read_text()
    section = text.split(f"\n### {heading}\n", 1)[1].split("\n### ", 1)[0].split("\n## ", 1)[0]
    found = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found, heading
    return found


class Recorder:
    """An HTTP server that writes down what it is asked; use it in a ``with``.

    Parameters
    ----------
    status
        What it answers with.
    headers
        More headers of its answers.
    """

    def __init__(self, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.requests: list[RecordedRequest] = []
        self.status = status
        self.headers = dict(headers or {})
        self._connections: list[socket.socket] = []
        #: How long to wait before reading each request, in turn.
        self.reads_after_s: list[float] = []
        #: More fields of the answers, besides ``success``.
        self.said: dict[str, Any] | None = None
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                recorder._connections.append(self.connection)

            def answer(self) -> None:
                if recorder.reads_after_s:
                    time.sleep(recorder.reads_after_s.pop(0))
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                at = time.monotonic()
                value = json.loads(body) if body else None
                asked = RecordedRequest(at, self.command, self.path, dict(self.headers), value)
                # A test that has seen the request may set what the next one is answered with.
                status, headers = recorder.status, dict(recorder.headers)
                recorder.requests.append(asked)
                number = len(recorder.requests)
                said = {"notification_id": str(number)} if recorder.said is None else recorder.said
                content = json.dumps({"success": True, **said}).encode()
                self.send_response(status)
                for name, one in headers.items():
                    self.send_header(name, one)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = do_PATCH = answer

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Recorder:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop, with every connection."""
        self._server.shutdown()
        self._server.server_close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def most_in_a_second(self) -> int:
        """Return how many requests came in the busiest second."""
        times = [asked.at for asked in self.requests]
        return max(sum(begin <= at < begin + 1 for at in times) for begin in times)


class RecordedRequest(NamedTuple):
    """A request."""

    at: float
    method: str
    path: str
    headers: dict[str, str]
    value: Any


class Api:
    """A server's REST interface and WebSockets, as JupyterLab uses them."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token

    def call(self, method: str, path: str, value: Any = None) -> Any:
        """Return the answer to a request."""
        answer = httpx.request(
            method,
            self.url + path,
            json=value,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=30,
            trust_env=False,
        )
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    @contextmanager
    def socket(self, path: str) -> Iterator[ClientConnection]:
        """Open a WebSocket."""
        with connect(
            self.url.replace("http", "ws", 1) + path,
            additional_headers={"Authorization": f"Bearer {self.token}"},
            proxy=None,
            max_size=None,
            open_timeout=20,
        ) as connection:
            yield connection

    @contextmanager
    def terminal(self) -> Iterator[Terminal]:
        """Open a terminal, as JupyterLab does."""
        name = self.call("POST", "/api/terminals")["name"]
        try:
            with self.socket(f"/terminals/websocket/{name}") as connection:
                yield Terminal(connection)
        finally:
            self.call("DELETE", f"/api/terminals/{name}")

    @contextmanager
    def kernel(self, path: str = "train.ipynb", name: str = "python3") -> Iterator[Kernel]:
        """Open a notebook's kernel, as JupyterLab does."""
        session = self.call(
            "POST",
            "/api/sessions",
            {"path": path, "name": path, "type": "notebook", "kernel": {"name": name}},
        )
        id_ = session["kernel"]["id"]
        try:
            with self.socket(f"/api/kernels/{id_}/channels?session_id=tests") as connection:
                yield Kernel(connection, lambda: self.call("POST", f"/api/kernels/{id_}/interrupt"))
        finally:
            self.call("DELETE", f"/api/sessions/{session['id']}")


class Terminal:
    """A terminal of JupyterLab."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    def type(self, text: str) -> None:
        """Type something."""
        self._connection.send(json.dumps(["stdin", text]))

    def read_until(self, text: str, timeout_s: float = 20) -> str:
        """Return what the terminal shows, up to some text."""
        return self._read(lambda shown: text in shown, timeout_s)

    def run(self, command: str, timeout_s: float = 20) -> tuple[int, str]:
        """Type a command; return its exit code and what the terminal shows."""
        end = re.compile(rf"END-{(word := secrets.token_hex(4))}-(\d+)-")
        # One command for the shell, whose own comment may end its line; and written so that the
        # echo of what is typed is not taken for the end.
        self.type(f"{{ {command}\r}}; echo E''ND-{word}-$?-\r")
        shown = self._read(lambda shown: end.search(shown) is not None, timeout_s)
        found = end.search(shown)
        assert found is not None
        return int(found[1]), ESCAPES.sub("", shown)

    def _read(self, is_enough: Callable[[str], bool], timeout_s: float) -> str:
        shown = ""
        until = time.monotonic() + timeout_s
        while not is_enough(shown):
            try:
                text = self._connection.recv(max(0.01, until - time.monotonic()))
            except TimeoutError:
                raise AssertionError(
                    f"In {timeout_s} s the terminal showed only {shown!r}"
                ) from None
            kind, *rest = json.loads(text)
            if kind == "stdout":
                shown += rest[0]
        return shown


class Ran:
    """The result of a cell."""

    def __init__(self) -> None:
        self.status = ""
        self.text = ""
        self.error = ""


class Kernel:
    """A notebook's kernel."""

    def __init__(self, connection: ClientConnection, interrupt: Callable[[], object]) -> None:
        self._connection = connection
        #: Interrupts the cell that runs.
        self.interrupt = interrupt

    def run(
        self,
        code: str,
        cell_id: str = "cell-1",
        timeout_s: float = 30,
        on_text: Callable[[], object] | None = None,
    ) -> Ran:
        """Run a cell; return what became of it.

        ``on_text`` is called when it first prints something.
        """
        id_ = secrets.token_hex(8)
        header = {
            "msg_id": id_,
            "msg_type": "execute_request",
            "username": "",
            "session": "tests",
            "version": "5.3",
        }
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        self._connection.send(
            json.dumps(
                {
                    "header": header,
                    "parent_header": {},
                    "metadata": {"cellId": cell_id},
                    "content": content,
                    "channel": "shell",
                }
            )
        )
        ran = Ran()
        until = time.monotonic() + timeout_s
        idle = False
        while not (idle and ran.status):
            message = json.loads(self._connection.recv(max(0.01, until - time.monotonic())))
            if message.get("parent_header", {}).get("msg_id") != id_:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                ran.text += content["text"]
                if on_text is not None:
                    on_text()
                    on_text = None
            elif kind == "execute_result":
                ran.text += content["data"]["text/plain"]
            elif kind == "error":
                ran.error = f"{content['ename']}: {content['evalue']}"
            elif kind == "execute_reply":
                ran.status = content["status"]
            elif kind == "status":
                idle = content["execution_state"] == "idle"
        return ran

    def ok(self, code: str, cell_id: str = "cell-1") -> str:
        """Run a cell that must succeed; return what it printed."""
        ran = self.run(code, cell_id)
        assert ran.status == "ok", ran.error + ran.text
        return ran.text


@contextmanager
def running(
    *command: str | Path, env: dict[str, str], cwd: Path
) -> Iterator[subprocess.Popen[str]]:
    """Run a command while something else is done; it is ended afterwards."""
    with subprocess.Popen(
        [str(part) for part in command],
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
