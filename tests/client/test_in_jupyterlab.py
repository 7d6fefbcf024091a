"""From where one sends: a terminal and a kernel of a real JupyterLab, and scripts outside.

The README's lines run here, as they stand there. (A kernel under a JupyterHub: ``test_hub.py``.)
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import Iterator

import pytest

from ..support.pictures import png
from ..support.sending import (
    Api,
    Kernel,
    Terminal,
    blocks,
    find,
    outside,
    python,
    running,
    wait_for_message,
)
from ..support.servers import Server, wait_for


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a JupyterLab; `make` has something to make in its directory."""
    # A login shell would take its PATH from the machine, and not from the environment.
    shell = {"terminado_settings": {"shell_command": ["bash", "--norc"]}}
    shared = Server(tmp_path_factory.mktemp("lab"), lab=True, config={"ServerApp": shell})
    (shared.root_dir / "Makefile").write_text("all:\n\t@echo made\n")
    (shared.root_dir / "report.md").write_text("# What failed\n")
    try:
        yield shared.start()
    finally:
        shared.stop()
        shared.client.close()


@pytest.fixture(scope="module")
def terminal(lab: Server) -> Iterator[Terminal]:
    with Api(lab.url, lab.token).terminal() as opened:
        yield opened


@pytest.fixture(scope="module")
def kernel(lab: Server) -> Iterator[Kernel]:
    with Api(lab.url, lab.token).kernel("train.ipynb") as opened:
        yield opened


def test_each_line_of_the_readme_works_in_a_terminal_of_jupyterlab(
    lab: Server, terminal: Terminal
) -> None:
    (block,) = blocks("bash", "From a terminal")
    lines = block.splitlines()
    assert len(lines) > 8
    assert lines.pop().startswith("jupyter notify watch")
    for line in lines:
        code, shown = terminal.run(line)
        assert code == 0, shown
        if "--key training" in line:
            row = wait_for_message(lab, "Epoch 31 of 50")
            assert (row["type"], row["progress"]) == ("in-progress", 0.62)
        if line.startswith("jupyter notify read"):
            row = wait_for_message(lab, "Epoch 31 of 50")
            assert row["read"]
    rows = lab.page(view="dismissed", limit=200)["notifications"]
    said = {row["message"]: row for row in rows}
    assert lab.page()["counts"]["inbox"] == 0
    assert said["Deployment complete"]["type"] == "success"
    assert said["Nightly run failed"]["autoClose"] is False
    assert lab.detail(said["Nightly run failed"]["id"])["body"] == "# What failed\n"
    command, link = said["Run ended"]["actions"]
    assert command["label"] == "Open log"
    assert command["commandId"] == "filebrowser:open-path"
    assert command["args"] == {"path": "log.txt"}
    assert link["url"] == "https://example.org"
    assert said["Build ended"]["autoClose"] == 0
    assert said["Build ended"]["expiresAt"]
    assert lab.detail(said["Build ended"]["id"])["body"] == "```\nmade\n```"
    (ended,) = (text for text in said if text.startswith("make: done in "))
    assert said[ended]["type"] == "success"
    assert "Epoch 31 of 50" not in said


def test_watch_prints_what_comes_until_it_is_interrupted(lab: Server) -> None:
    (block,) = blocks("bash", "From a terminal")
    line = block.splitlines()[-1]
    with running("bash", "-c", f"exec {line}", env=outside(lab), cwd=lab.root_dir) as process:
        assert process.stdout is not None and process.stderr is not None
        wait_for(lambda: lab.status()["tabs"] == 1, "its stream")
        lab.ingest("Something\x1b[31m new", type="warning")
        shown = process.stdout.readline()
        assert re.fullmatch(r"● \w{26}   now  warning      Something \[31m new\n", shown), shown
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert process.stderr.read() == ""


def test_each_block_of_the_readme_works_in_a_real_kernel(lab: Server, kernel: Kernel) -> None:
    kernel.ok(
        "import time\nloader = [1, 2, 3, 4]\ndef train(batch):\n    time.sleep(0.02)\n"
        f"figure = {png()!r}\n"
    )
    for number, block in enumerate(blocks("python", "From Python")):
        kernel.ok(block, cell_id=f"cell-{number}")
    kernel.ok("assert notify.flush()")
    assert wait_for_message(lab, "Done")["type"] == "success"
    stored = wait_for_message(lab, "Stored")
    assert lab.detail(stored["id"])["body"] == "**All** of it"
    assert wait_for_message(lab, "Training done")["image"]["type"] == "image/png"
    assert wait_for_message(lab, "Training: done, 4 in ")["type"] == "success"
    assert wait_for_message(lab, "Copying: done, 3 in ")["message"].endswith(", c")
    assert wait_for_message(lab, "Evaluating: done, 4 in ")["type"] == "success"
    failed = wait_for_message(lab, "The disk is full")
    assert (failed["type"], failed["source"]) == ("error", "pipeline")
    told = wait_for_message(lab, "The training: done in ")
    assert told["type"] == "success"
    (button,) = told["actions"]
    assert button["commandId"] == "jupyterlab-notify:go-to-cell"
    assert button["args"] == {"path": "train.ipynb", "cellId": f"cell-{number}"}
    kernel.ok("logging.getLogger().handlers.clear()")


def test_a_cell_that_fails_says_so_and_fails_all_the_same(lab: Server, kernel: Kernel) -> None:
    kernel.ok("%load_ext jupyterlab_notify")
    ran = kernel.run("%%notify Doomed\n1 + 1\nraise ValueError('no data')", "cell-f")
    assert ran.status == "error"
    assert ran.error == "ValueError: no data"
    row = wait_for_message(lab, "Doomed: failed after ")
    assert row["message"].endswith(": ValueError: no data")
    assert row["type"] == "error"
    assert row["actions"][0]["args"]["cellId"] == "cell-f"


def test_a_quick_cell_is_passed_over_and_shows_its_value(lab: Server, kernel: Kernel) -> None:
    kernel.ok("%load_ext jupyterlab_notify")
    assert kernel.ok("%%notify Quick\n40 + 2") == "42"
    # The rest of such a cell may be another magic.
    assert "Wall time" in kernel.ok("%%notify --after 0 Timed\n%%time\nsum(range(10))")
    assert "43" in kernel.ok("%notify --after 0 A line\nimport asyncio\nawait asyncio.sleep(0)\n43")
    kernel.ok("from jupyter_notify import notify\nassert notify.flush()")
    assert find(lab, "Timed: done in")
    assert find(lab, "A line: done in")
    assert find(lab, "Quick") is None


def test_every_cell_is_told_of_until_that_is_off(lab: Server, kernel: Kernel) -> None:
    kernel.ok("%load_ext jupyterlab_notify")
    kernel.ok("%notify --after 0 --every-cell Each")
    kernel.ok("1", "cell-x")
    kernel.run("1/0", "cell-y")
    kernel.ok("%notify --off")
    kernel.ok("2", "cell-z")
    kernel.ok(
        "from jupyter_notify import notify\nassert notify.flush()\n%unload_ext jupyterlab_notify"
    )
    rows = lab.page(limit=200)["notifications"]
    told = [r["actions"][0]["args"]["cellId"] for r in rows if r["message"].startswith("Each: ")]
    assert told == ["cell-y", "cell-x", "cell-1"]
    # An earlier test has loaded the same magics by their other name.
    kernel.ok("%unload_ext jupyter_notify")
    ran = kernel.run("%notify")
    assert ran.status == "error" or "not found" in ran.text


def test_an_interrupt_is_told_as_one(lab: Server, kernel: Kernel) -> None:
    # Reloaded, since an earlier test has unloaded the same magics by their other name.
    kernel.ok("%reload_ext jupyter_notify\nimport time")
    code = "%%notify Cut short\nprint('begun', flush=True)\ntime.sleep(60)"
    ran = kernel.run(code, on_text=kernel.interrupt)
    assert ran.status == "error"
    row = wait_for_message(lab, "Cut short: interrupted after ")
    assert (row["type"], row["source"]) == ("warning", "train.ipynb")


def test_ipython_in_a_terminal_tells_without_a_button(lab: Server) -> None:
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell()\n"
        "shell.run_cell('%load_ext jupyterlab_notify')\n"
        "shell.run_cell('%notify --after 0 In IPython')\n"
    )
    ran = python(lab, code)
    assert ran.returncode == 0, ran.stderr
    row = wait_for_message(lab, "In IPython: done in ")
    assert row["actions"] == []


def test_wrong_use_of_the_magic_is_one_line(kernel: Kernel) -> None:
    kernel.ok("%load_ext jupyterlab_notify")
    ran = kernel.run("%notify --after soon")
    assert ran.status == "error" or "UsageError" in ran.text
    assert "Use %notify [--after SECONDS] [TEXT]." in ran.text + ran.error
    assert "Traceback" not in ran.text


def test_a_script_outside_reaches_the_only_server(lab: Server) -> None:
    ran = python(lab, "from jupyter_notify import notify; notify('From outside')")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert find(lab, "From outside")


def test_of_two_servers_each_hears_of_what_runs_inside_it(
    lab: Server, terminal: Terminal, kernel: Kernel
) -> None:
    # A second server needs no more than a runtime file; this test's own process stands for it.
    other = json.loads(next(lab.runtime_dir.glob("jpserver-*.json")).read_text())
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        other |= {"pid": os.getpid(), "port": port, "url": f"http://127.0.0.1:{port}/"}
        told = lab.runtime_dir / f"jpserver-{os.getpid()}.json"
        told.write_text(json.dumps(other))
        try:
            code, shown = terminal.run("jupyter notify send 'From inside'")
            assert code == 0, shown
            assert find(lab, "From inside")
            # The kernel has found its server already, so a new process must look for it.
            kernel.ok(
                "import subprocess, sys\n"
                "subprocess.run([sys.executable, '-c', 'from jupyter_notify import notify;"
                ' notify("From a child")\'], check=True)'
            )
            assert find(lab, "From a child")
        finally:
            told.unlink()
