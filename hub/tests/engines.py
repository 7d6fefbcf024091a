"""Real engines for tests: Prometheus with Alertmanager and an exporter, and InfluxDB 1."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from .ports import free_ports


def program(*names: str) -> str:
    """Return the path of a program; without it the test is skipped, except in CI."""
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    message = f"This needs {names[0]}, of Debian's packages prometheus, -alertmanager, influxdb"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@dataclass
class Process:
    """A program that runs until it is stopped, and that can be started again."""

    arguments: list[str]
    ready: str
    log: Path
    process: asyncio.subprocess.Process | None = None
    environment: dict[str, str] = field(default_factory=dict)

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.arguments,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        async with aiohttp.ClientSession() as session:
            while True:
                assert self.process.returncode is None, self.log.read_text()[-2000:]
                try:
                    async with session.get(self.ready) as answer:
                        if answer.status < 300:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.1)

    async def stop(self, kill: bool = False) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            await self.process.wait()


@dataclass
class Exporter:
    """Exports each user's usage, as a site's exporter does."""

    values: dict[str, float] = field(default_factory=dict)
    #: True while the file server is down: an alert about no user, which inhibits users' alerts.
    down: bool = False

    async def metrics(self, request: web.Request) -> web.Response:
        lines = [
            f'home_used_percent{{username="{user}"}} {value}' for user, value in self.values.items()
        ]
        lines.append(f"home_server_down {int(self.down)}")
        return web.Response(text="\n".join(lines) + "\n")


@dataclass
class Alerting:
    """Prometheus and Alertmanager, which sends webhooks to the service."""

    exporter: Exporter
    prometheus: Process
    alertmanager: Process
    prometheus_url: str
    alertmanager_url: str

    async def silence(self, user: str) -> None:
        body = {
            "matchers": [{"name": "username", "value": user, "isRegex": False, "isEqual": True}],
            "startsAt": "2020-01-01T00:00:00Z",
            "endsAt": "2090-01-01T00:00:00Z",
            "createdBy": "test",
            "comment": "test",
        }
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.alertmanager_url}/api/v2/silences", json=body) as answer,
        ):
            assert answer.status == 200, await answer.text()


PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{directory}/rules.yml]
alerting:
  alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]}}]
scrape_configs:
  - job_name: home
    static_configs: [{{targets: ["127.0.0.1:{exporter}"]}}]
"""
# A scrape that takes longer than a second, as on a busy machine, fails. If not for the last value,
# the alert would be over then, and the next one would be another.
RULES = """
groups:
  - name: home
    rules:
      - alert: HomeNearlyFull
        expr: last_over_time(home_used_percent[20s]) > 90
        labels: {severity: warning}
        annotations:
          summary: "You use {{ $value }} % of your home directory"
          description: "Delete what you no longer need."
          banner: "true"
      - alert: FileServerDown
        expr: last_over_time(home_server_down[20s]) > 0
        labels: {severity: critical}
"""
ALERTMANAGER = """
route: {{receiver: lab, group_by: [alertname], group_wait: 0s, group_interval: 1s,
         repeat_interval: 2s}}
inhibit_rules:
  - source_matchers: [alertname = FileServerDown]
    target_matchers: [alertname = HomeNearlyFull]
receivers:
  - name: lab
    webhook_configs:
      - url: {url}/v1/alerts/alertmanager
        send_resolved: true
        http_config: {{authorization: {{credentials: "{token}"}}}}
"""


@asynccontextmanager
async def alerting(directory: Path, url: str, token: str) -> AsyncIterator[Alerting]:
    """Run Prometheus and Alertmanager until the block ends."""
    prometheus, alertmanager = program("prometheus"), program("prometheus-alertmanager")
    names = ("prometheus", "alertmanager", "exporter")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    directory.joinpath("rules.yml").write_text(RULES)
    directory.joinpath("prometheus.yml").write_text(PROMETHEUS.format(directory=directory, **ports))
    directory.joinpath("alertmanager.yml").write_text(ALERTMANAGER.format(url=url, token=token))
    exporter = Exporter()
    app = web.Application()
    app.router.add_get("/metrics", exporter.metrics)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", ports["exporter"]).start()
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    running = Alerting(
        exporter=exporter,
        prometheus=Process(
            [
                prometheus,
                f"--config.file={directory}/prometheus.yml",
                f"--storage.tsdb.path={directory}/data",
                f"--web.listen-address=127.0.0.1:{ports['prometheus']}",
                # Prometheus repeats for a while that an alert is over; make that short.
                "--rules.alert.resend-delay=1s",
            ],
            f"{urls['prometheus']}/-/ready",
            directory / "prometheus.log",
        ),
        alertmanager=Process(
            [
                alertmanager,
                f"--config.file={directory}/alertmanager.yml",
                f"--storage.path={directory}/alertmanager",
                f"--web.listen-address=127.0.0.1:{ports['alertmanager']}",
                "--cluster.listen-address=",
            ],
            f"{urls['alertmanager']}/-/ready",
            directory / "alertmanager.log",
        ),
        prometheus_url=urls["prometheus"],
        alertmanager_url=urls["alertmanager"],
    )
    try:
        await running.alertmanager.start()
        await running.prometheus.start()
        yield running
    finally:
        await running.prometheus.stop()
        await running.alertmanager.stop()
        await runner.cleanup()


@asynccontextmanager
async def influxdb(directory: Path) -> AsyncIterator[str]:
    """Run InfluxDB 1 with a database named metrics until the block ends; give its URL."""
    http, backup = free_ports(2)
    url = f"http://127.0.0.1:{http}"
    process = Process(
        [program("influxd"), "run", "-config", ""],
        f"{url}/ping",
        directory / "influxdb.log",
        environment={
            "INFLUXDB_REPORTING_DISABLED": "true",
            "INFLUXDB_BIND_ADDRESS": f"127.0.0.1:{backup}",
            "INFLUXDB_HTTP_BIND_ADDRESS": f"127.0.0.1:{http}",
            "INFLUXDB_META_DIR": str(directory / "meta"),
            "INFLUXDB_DATA_DIR": str(directory / "data"),
            "INFLUXDB_DATA_WAL_DIR": str(directory / "wal"),
            "HOME": str(directory),
        },
    )
    try:
        await process.start()
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{url}/query", data={"q": "CREATE DATABASE metrics"}) as answer,
        ):
            assert answer.status == 200, await answer.text()
        yield url
    finally:
        await process.stop()


async def write_points(url: str, lines: list[str]) -> None:
    """Write points in InfluxDB's line protocol."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/write?db=metrics", data="\n".join(lines)) as answer,
    ):
        assert answer.status == 204, await answer.text()
