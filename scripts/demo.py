"""Show what the extension does: start JupyterLab and push notifications as a hub would.

It also starts a central service without a hub, which sends a welcome message, a broadcast, a
personal message, and a message about a quota, made from a template, that disappears when its cause
does.

`make demo` runs this script. Everything that the servers write goes into a temporary directory,
which is removed at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ports import free_ports

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 90
TAB_TIMEOUT_S = 60
PROGRESS_S = 15
PROGRESS_STEPS = 30
BETWEEN_S = 1.0

#: A template for the service: a quota job sends numbers, not sentences.
QUOTA_TEMPLATE = """\
---
type: warning
schema:
  type: object
  required: [used_gb, limit_gb, folders]
  properties:
    used_gb: {type: number}
    limit_gb: {type: number}
    folders:
      type: array
      items: {type: object}
sample:
  used_gb: 46.1
  limit_gb: 50
  folders:
    - {name: scratch/run-0412, size_gb: 21.4, used: 93 days ago}
summary: Your home directory is {{ (100 * used_gb / limit_gb) | round | int }} % full
---
Your home directory holds **{{ used_gb }} of {{ limit_gb }} GB**. What takes most of it:

| Folder | Size | Last used |
| --- | ---: | --- |
{% for folder in folders -%}
| `{{ folder.name }}` | {{ folder.size_gb }} GB | {{ folder.used }} |
{% endfor %}
To see it for yourself:

```bash
du -h --max-depth=2 ~ | sort -h | tail
```
"""

QUOTA = {
    "recipient": "you",
    "key": "quota-home",
    "template": "quota",
    "data": {
        "used_gb": 46.1,
        "limit_gb": 50,
        "folders": [
            {"name": "scratch/run-0412", "size_gb": 21.4, "used": "93 days ago"},
            {"name": ".cache/huggingface", "size_gb": 11.8, "used": "yesterday"},
            {"name": "data/raw", "size_gb": 6.2, "used": "4 days ago"},
        ],
    },
    "auto_close": False,
}

MAINTENANCE = """\
From **22:00 to 23:30 UTC** the shared file system is moved to new hardware.

- Running kernels stay, but reading and writing files will pause.
- Save your notebooks before 22:00.
"""

WELCOME = {
    "aspect": "jupyterlab",
    "title": "Welcome to this server",
    "body": """\
This greeting comes from the **central service** of a platform. An image can ship one too, as a
Markdown file in `notify/welcome/` of Jupyter's data path.

- The bell in the top bar opens the center, which keeps every message.
- *Show Welcome Messages* in the Help menu brings this back.
""",
    "max_views": 5,
}

BROADCAST = {
    "summary": "The **archive** is read-only until Monday",
    "body": "New data is kept and will appear when the migration is done.",
    "type": "warning",
    "banner": True,
}

PERSONAL = {
    "recipient": "you",
    "summary": "Your request for **200 core hours** was granted",
    "body": "They can be used until the end of the month.\n\n| Queue | Hours |\n| --- | ---: |\n"
    "| `short` | 50 |\n| `long` | 150 |",
}

NOTIFICATIONS: list[dict[str, Any]] = [
    {
        "message": "Welcome back. Two people shared a notebook with you since Friday.",
        "type": "default",
        "source": "sharing",
    },
    {
        "message": "A new image is available: Python 3.13, PyTorch 2.9",
        "type": "info",
        "source": "images",
        "actions": [
            {
                "label": "What is new",
                "caption": "Opens Python's own list of changes",
                "url": "https://docs.python.org/3/whatsnew/3.13.html",
            }
        ],
    },
    {
        "message": "Job 48213 finished in 2 h 14 min: all 96 frames are reduced",
        "type": "success",
        "source": "batch queue",
        "actions": [
            {
                "label": "Show files",
                "caption": "Shows or hides the file browser",
                "displayType": "accent",
                "commandId": "filebrowser:toggle-main",
            }
        ],
    },
    {
        "message": "Job 48214 failed: out of memory after 11 min",
        "type": "error",
        "source": "batch queue",
        "body": "The job asked for 16 GB and reached 16.4 GB. Ask for more with `--mem 24G`.",
        "autoClose": False,
    },
    {
        "message": "Maintenance tonight from 22:00 to 23:30 UTC",
        "type": "warning",
        "source": "operations",
        "body": MAINTENANCE,
        "banner": True,
        # The banner is enough, so there is no toast.
        "autoClose": 0,
        "ttl": 6 * 3600,
    },
]


# All requests go to this machine, so never through a proxy.
open_here = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class Server:
    """The demonstration's JupyterLab, with requests to its server.

    Parameters
    ----------
    process
        The running `jupyter lab`.
    url
        Its base address, ending in a slash.
    token
        The token that it was started with.
    """

    def __init__(self, process: subprocess.Popen[bytes], url: str, token: str) -> None:
        self.process = process
        self.url = url
        self._token = token

    @property
    def lab_url(self) -> str:
        """The address to open in a browser."""
        return f"{self.url}lab?token={self._token}"

    def request(self, path: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
        """Get `path`, or post `payload` to it, and return the JSON of the answer."""
        request = urllib.request.Request(
            self.url + path,
            data=None if payload is None else json.dumps(payload).encode(),
            headers={
                "Authorization": f"token {self._token}",
                "Content-Type": "application/json",
            },
        )
        with open_here(request, timeout=10) as response:
            answer: dict[str, Any] = json.load(response)
        return answer

    def push(self, **payload: Any) -> None:
        """Send one notification and print that."""
        answer = self.request("jupyterlab-notify/ingest", payload)
        progress = f" {payload['progress']:4.0%}" if "progress" in payload else ""
        print(f"  {payload['type']:<11}{progress} {payload['message']}  (tabs: {answer['tabs']})")


class Central:
    """The central service, with its publishers' requests.

    Parameters
    ----------
    process
        The running `jupyterhub-notify serve`.
    url
        Its base address.
    admin
        A token that may do everything.
    user
        The token of the user whose server asks the service.
    """

    def __init__(self, process: subprocess.Popen[bytes], url: str, admin: str, user: str) -> None:
        self.process = process
        self.url = url
        self.user = user
        self._admin = admin

    def tell(self, method: str, path: str, value: Any) -> None:
        """Send an administrator's request."""
        request = urllib.request.Request(
            self.url + path,
            data=json.dumps(value).encode(),
            method=method,
            headers={
                "Authorization": f"Bearer {self._admin}",
                "Content-Type": "application/json",
            },
        )
        open_here(request, timeout=60).close()

    def list_quotas(self, *quotas: dict[str, Any]) -> None:
        """Reconcile the quota job's notifications with these."""
        self.tell("PUT", "/v1/services/quota/notifications", list(quotas))


@contextmanager
def running_central(folder: Path) -> Iterator[Central]:
    """Start a central service, give it messages to send, and stop it at the end."""
    templates = folder / "templates"
    templates.mkdir(parents=True)
    (templates / "quota.md").write_text(QUOTA_TEMPLATE)
    environment = {**os.environ, "JUPYTERHUB_NOTIFY_TEMPLATES": str(templates)}
    command = (sys.executable, "-m", "jupyterhub_notify")

    def run(*words: str) -> str:
        said = subprocess.run(
            [*command, *words, "--json"], cwd=folder, env=environment, capture_output=True
        )
        if said.returncode:
            sys.exit(f"The central service cannot be set up: {said.stderr.decode()}")
        return str(json.loads(said.stdout)["token"])

    admin, user = run("init"), run("token", "create", "you", "--user")
    (port,) = free_ports(1)
    log = folder / "service.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "serve", "--port", str(port)],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    central = Central(process, f"http://127.0.0.1:{port}", admin, user)
    try:
        wait_for_central(central, log)
        central.tell("POST", "/v1/admin/welcome", WELCOME)
        central.tell("POST", "/v1/admin/broadcasts", BROADCAST)
        central.tell("POST", "/v1/services/allocations/notifications", PERSONAL)
        yield central
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_central(central: Central, log: Path) -> None:
    """Return when the central service answers; exit with the end of its log if it does not."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and central.process.poll() is None:
        try:
            open_here(f"{central.url}/health/ready", timeout=10).close()
            return
        except OSError:
            time.sleep(0.1)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
    sys.exit(f"{tail}\n\nThe central service did not start.")


@contextmanager
def running_server(port: int, folder: Path, central: Central) -> Iterator[Server]:
    """Start `jupyter lab` with everything that it writes under `folder`, and stop it at the end."""
    token = secrets.token_urlsafe(24)
    notebooks = folder / "notebooks"
    notebooks.mkdir()
    (notebooks / "results.csv").write_text("frame,seeing\n1,0.81\n2,0.79\n")
    (folder / "config").mkdir()
    (folder / "config" / "jupyter_server_config.json").write_text(
        json.dumps(
            {
                "NotifyApp": {
                    "central_url": central.url,
                    "central_name": "science platform",
                    "central_token_variable": "DEMO_CENTRAL_TOKEN",
                }
            }
        )
    )
    # JupyterLab would ask about its news in a notification among ours.
    settings = folder / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    environment = {
        **os.environ,
        "DEMO_CENTRAL_TOKEN": central.user,
        "NO_PROXY": ",".join(filter(None, (os.environ.get("NO_PROXY"), "127.0.0.1"))),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        # In the environment, since other users of the machine can read a command line.
        "JUPYTER_TOKEN": token,
    }
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        f"--ServerApp.root_dir={notebooks}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    log = folder / "server.log"
    with log.open("wb") as output:
        # In a session of its own, so that Ctrl-C reaches only this script, which then stops the
        # server cleanly.
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    server = Server(process, f"http://127.0.0.1:{port}/", token)
    try:
        wait_for_start(server, log)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_start(server: Server, log: Path) -> None:
    """Return when the extension answers.

    Raises
    ------
    SystemExit
        If the server ends, or does not answer in time; the end of its log is printed.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    reason = "no answer in time"
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            reason = f"it ended with status {server.process.returncode}"
            break
        try:
            server.request("jupyterlab-notify/status")
            return
        except urllib.error.HTTPError as error:
            reason = f"GET jupyterlab-notify/status answers {error.code}"
            break
        except (OSError, ValueError):
            time.sleep(0.2)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
    sys.exit(f"{tail}\n\nJupyterLab with the extension did not start: {reason}")


def wait_for_tab(server: Server) -> None:
    """Return when a tab is open, or after a minute without one."""
    print(f"Waiting up to {TAB_TIMEOUT_S} s for a tab to open ...", flush=True)
    deadline = time.monotonic() + TAB_TIMEOUT_S
    while time.monotonic() < deadline:
        if server.request("jupyterlab-notify/status")["tabs"]:
            # The tab has just connected: let it draw itself first.
            time.sleep(2)
            return
        time.sleep(0.5)
    print("No tab yet. The notifications are kept, and will be there when one opens.")


def push_all(server: Server, central: Central) -> None:
    """Push every kind of notification, and one whose progress runs to its end."""
    central.list_quotas(QUOTA)
    print("Pushing:")
    for notification in NOTIFICATIONS:
        server.push(**notification)
        time.sleep(BETWEEN_S)
    running = {"key": "demo-job-48215", "source": "batch queue"}
    for step in range(PROGRESS_STEPS + 1):
        server.push(
            **running,
            message="Job 48215: stacking 120 frames",
            type="in-progress",
            progress=step / PROGRESS_STEPS,
            autoClose=False,
        )
        time.sleep(PROGRESS_S / PROGRESS_STEPS)
    server.push(**running, message="Job 48215: 120 frames stacked", type="success")
    central.list_quotas()
    print("  The quota job finds room again: its message is gone.", flush=True)


def has_display() -> bool:
    """Return whether a browser can open a window here."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def interrupt(signum: int, frame: object) -> None:
    """Handle a signal to end like Ctrl-C, so that the server is stopped cleanly."""
    raise KeyboardInterrupt


def main() -> None:
    """Run the demonstration."""
    parser = argparse.ArgumentParser(description="Start JupyterLab and push a few notifications.")
    parser.add_argument("--port", type=int, help="the server's port (default: a free one)")
    parser.add_argument("--no-browser", action="store_true", help="print the URL, open nothing")
    parser.add_argument(
        "--once", action="store_true", help="push at once, then stop: wait for no tab, no Ctrl-C"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, interrupt)

    with tempfile.TemporaryDirectory(prefix="notify-demo-", ignore_cleanup_errors=True) as folder:
        try:
            print("Starting JupyterLab ...", flush=True)
            with (
                running_central(Path(folder) / "central") as central,
                running_server(options.port or free_ports(1)[0], Path(folder), central) as server,
            ):
                print(f"\n    {server.lab_url}\n", flush=True)
                if not options.once:
                    if not options.no_browser and has_display():
                        webbrowser.open(server.lab_url)
                    wait_for_tab(server)
                push_all(server, central)
                if not options.once:
                    print("All pushed. Ctrl-C stops the server.", flush=True)
                    server.process.wait()
        except KeyboardInterrupt:
            print("\nStopped.")


if __name__ == "__main__":
    main()
