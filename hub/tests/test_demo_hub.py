"""`make demo-hub` works as described."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import httpx
import psutil

from .hubs import ROOT
from .ports import free_ports


def test_the_demonstration_starts_publishes_and_leaves_nothing_behind() -> None:
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "scripts" / "demo_hub.py"), "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    try:
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        said = "".join(lines)
        token = re.search(r"JUPYTERHUB_NOTIFY_TOKEN=(\S+)", said)
        assert token is not None, said
        url = f"http://127.0.0.1:{port}/services/notify"
        assert f"JUPYTERHUB_NOTIFY_URL={url}" in said
        with httpx.Client(trust_env=False, timeout=30) as client:
            (broadcast,) = client.get(f"{url}/v1/broadcasts").json()
            assert "22:00" in broadcast["summary"]["gfm"]
            headers = {"Authorization": f"Bearer {token.group(1)}"}
            (sent,) = client.get(f"{url}/v1/services/demo/notifications", headers=headers).json()
            assert sent["recipient"] == "ada"
            report = client.get(f"{url}/v1/admin/doctor", headers=headers).json()
            assert report == {"ok": True, "problems": [], "servers": []}
        family = psutil.Process(process.pid).children(recursive=True)
        assert family
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    _, left = psutil.wait_procs(family, timeout=20)
    assert left == []
    assert process.returncode == 0
