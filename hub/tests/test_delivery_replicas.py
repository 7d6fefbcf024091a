"""Two replicas push at a real hub, and events in the middle of pushes lose and repeat nothing.

A process dies, a broadcast is changed or revoked, while pushes to many are under way. One hub
serves the module.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest

from .hubs import BIN, Hub, running, wait_for
from .kinds import Servers, site
from .ports import free_ports
from .push_stand_in import StandIns, stand_ins
from .support import Databases

pytestmark = pytest.mark.timeout(400)

#: Users whose servers are stand-ins, and users with real servers of this and the older extension.
SLOW = [f"slow{index}" for index in range(14)]
OLDER = [f"older{index}" for index in range(4)]
REAL = {"pat": "plain", "ola": "older"}
EVERYONE = [*SLOW, *OLDER, *REAL]
#: Seconds until a stand-in answers, for which a push is under way.
DELAY_S = 0.5
LEASE_S = 8

STAND_IN = """
class Mixed(__import__("jupyterhub.spawner").spawner.SimpleLocalProcessSpawner):
    @property
    def elsewhere(self):
        return self.user.name.startswith(("slow", "older"))

    async def start(self):
        return ("127.0.0.1", {port}) if self.elsewhere else await super().start()

    async def poll(self):
        return (None if self.server else 0) if self.elsewhere else await super().poll()

    async def stop(self, now=False):
        if not self.elsewhere:
            await super().stop(now)

c.JupyterHub.spawner_class = Mixed
c.JupyterHub.concurrent_spawn_limit = 0
"""
TOKEN = secrets.token_hex(16)


class Replica:
    """``jupyterhub-notify serve`` beside another on one database."""

    def __init__(self, hub: Hub, database: str, port: int, name: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._log = hub.directory / f"{name}.log"
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("JUPYTER")},
            "JUPYTERHUB_API_TOKEN": TOKEN,
            "JUPYTERHUB_API_URL": f"http://127.0.0.1:{hub.hub_port}/hub/api",
            "JUPYTERHUB_BASE_URL": "/",
            "JUPYTERHUB_SERVICE_PREFIX": "/services/notify/",
            "JUPYTERHUB_NOTIFY_DATABASE": database,
            "JUPYTERHUB_NOTIFY_PROXY_URL": hub.url,
            "JUPYTERHUB_NOTIFY_PUSH_GRACE_S": "0",
            "JUPYTERHUB_NOTIFY_PUSH_AT_ONCE": "2",
            # No server hangs here, and the machine may be busy.
            "JUPYTERHUB_NOTIFY_PUSH_TIMEOUT_S": "30",
            "JUPYTERHUB_NOTIFY_PUSH_LEASE_S": str(LEASE_S),
        }
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(BIN / "jupyterhub-notify"), "serve", "--port", str(port)],
                env=environment,
                cwd=hub.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def ready(self) -> bool:
        assert self.process.poll() is None, self.log
        try:
            return httpx.get(f"{self.url}/health/ready", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def has_pushed(self, since: int) -> bool:
        """Return whether it has logged the outcome of a push."""
        return "- SUCCESS" in self.log[since:]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        self.process.wait(30)


@dataclass
class Site:
    """A hub whose users' servers all run, and the replica that its proxy leads to."""

    servers: Servers
    stand_ins: StandIns
    database: str
    steady: Replica
    #: The name by which the steady replica's claims are known.
    owner: str = ""

    def messages(self, user: str) -> list[str]:
        """Return the messages of a user's server; the older extension returns each only once."""
        if user == "pat":
            return [one["message"] for one in self.servers.notifications("pat")]
        if user == "ola":
            kept = self.servers.asked("ola", "jupyterlab-notifications-extension/notifications")
            return [one["message"] for one in kept["notifications"]]
        return self.stand_ins.messages(user)

    def claims(self) -> dict[str, set[str]]:
        """Return whose deliveries each process has claimed."""

        async def read() -> list[Any]:
            connection = await asyncpg.connect(self.database.replace("+asyncpg", ""))
            try:
                statement = (
                    "SELECT leased_by, user_name FROM deliveries WHERE leased_by IS NOT NULL"
                )
                return list(await connection.fetch(statement))
            finally:
                await connection.close()

        found: dict[str, set[str]] = {}
        for owner, user in asyncio.run(read()):
            found.setdefault(owner, set()).add(user)
        return found

    def send(self, text: str, **fields: Any) -> str:
        body = {"summary": text, **(fields or {"audience": "running"})}
        return str(self.servers.admin("POST", "/broadcasts", body)["id"])

    def rows(self, id_: str) -> list[dict[str, Any]]:
        return list(self.servers.admin("GET", f"/broadcasts/{id_}/deliveries"))

    def wait_for_end(self, id_: str, users: list[str]) -> None:
        """Wait until each of these users has exactly one known outcome."""

        def ended() -> bool:
            rows = self.rows(id_)
            waiting = [one for one in rows if one["outcome"] == "waiting"]
            return len(rows) >= len(users) and not waiting and not self.claims()

        wait_for(ended, "the end of all pushes", 90)
        assert sorted(one["user"] for one in self.rows(id_)) == sorted(users)


@contextmanager
def replica(hub: Hub, database: str, port: int, name: str) -> Iterator[Replica]:
    """Run a replica until the block ends."""
    made = Replica(hub, database, port, name)
    try:
        wait_for(made.ready, "a replica's start")
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[Site]:
    port, stand_in_port = free_ports(2)
    hub = Hub(
        tmp_path_factory.mktemp("hub"),
        site=site(REAL) + STAND_IN.format(port=stand_in_port),
        configure=f'url="http://127.0.0.1:{port}", api_token={TOKEN!r}',
    )
    database = databases.fresh("postgresql")
    with (
        stand_ins(stand_in_port, DELAY_S) as kept,
        replica(hub, database, port, "steady") as steady,
        running(hub),
    ):
        hub.add_user("root")
        place = Site(Servers(hub), kept, database, steady)
        place.servers.start(*EVERYONE)
        # It is claimed until it is answered.
        kept.answers.clear()
        id_ = place.send("First", users=["slow0"])
        wait_for(lambda: bool(place.claims()), "a claim")
        (place.owner,) = place.claims()
        kept.answers.set()
        place.wait_for_end(id_, ["slow0"])
        yield place


def test_one_of_two_is_killed_in_the_middle_and_each_server_has_it_once(place: Site) -> None:
    text = "One of two is killed"
    place.stand_ins.delay_s = 1
    (port,) = free_ports(1)
    with replica(place.servers.hub, place.database, port, "killed") as other:
        before = len(place.steady.log)
        id_ = place.send(text)
        wait_for(lambda: other.has_pushed(0), "a push by the other")
        other.process.kill()
        other.process.wait(30)
    claims = place.claims()
    claims.pop(place.owner, None)
    # It was in the middle: what it had claimed is nobody's until its lease ends.
    (left,) = claims.values()
    place.stand_ins.delay_s = DELAY_S
    place.wait_for_end(id_, EVERYONE)
    assert place.steady.has_pushed(before)
    outcomes = {one["user"]: one for one in place.rows(id_)}
    for user in (*SLOW, "pat"):
        assert place.messages(user).count(text) == 1
        assert outcomes[user]["outcome"] == "stored"
    for user in (*OLDER, "ola"):
        found = outcomes[user]["outcome"]
        if found == "stored":
            assert place.messages(user).count(text) == 1
        else:
            # The older route knows no keys: what may have arrived is not sent again.
            assert (found, user in left) == ("not-responding", True)
            assert place.messages(user).count(text) <= 1


def test_what_may_have_reached_the_older_extension_is_not_sent_again(place: Site) -> None:
    text = "Once or not at all"
    hub, stand_ins = place.servers.hub, place.stand_ins
    (port,) = free_ports(1)
    headers = {"Authorization": f"Bearer {hub.token('root')}"}
    with replica(hub, place.database, port, "killed-too") as other:
        # The other one has all of it to do.
        place.steady.process.send_signal(signal.SIGSTOP)
        stand_ins.answers.clear()
        try:
            url = f"{other.url}/services/notify/v1/admin/broadcasts"
            body = {"summary": text, "users": ["older0"]}
            answer = httpx.post(url, json=body, headers=headers, trust_env=False, timeout=30)
            assert answer.status_code == 200, answer.text
            wait_for(lambda: text in place.messages("older0"), "the push")
            other.process.kill()
            other.process.wait(30)
        finally:
            stand_ins.answers.set()
            place.steady.process.send_signal(signal.SIGCONT)
    id_ = answer.json()["id"]
    place.wait_for_end(id_, ["older0"])
    (row,) = place.rows(id_)
    assert row["outcome"] == "not-responding"
    assert "may have arrived" in row["reason"]
    assert place.messages("older0").count(text) == 1
    # An administrator who asks for it has it sent.
    place.servers.admin("POST", f"/broadcasts/{id_}/retry")
    place.servers.become(id_, {"older0": "stored"})


def test_a_change_in_the_middle_reaches_who_had_the_text_before_it(place: Site) -> None:
    before, after = "At eight", "At nine"
    begun = len(place.steady.log)
    id_ = place.send(before)
    wait_for(lambda: place.steady.has_pushed(begun), "a push")
    place.servers.admin("PATCH", f"/broadcasts/{id_}", {"summary": after})
    users = (*SLOW, "pat")
    wait_for(lambda: all(after in place.messages(user) for user in users), "the change", 60)
    place.wait_for_end(id_, EVERYONE)
    for user in users:
        assert before not in place.messages(user)
        assert place.messages(user).count(after) == 1
    # The older extension has no keys: it keeps what it was sent.
    for user in (*OLDER, "ola"):
        assert len({before, after}.intersection(place.messages(user))) == 1


def test_a_revocation_in_the_middle_leaves_it_nowhere(place: Site) -> None:
    text = "Taken back"
    begun = len(place.steady.log)
    # Long enough for what follows to come in the middle.
    place.stand_ins.delay_s = 2
    id_ = place.send(text, users=[*SLOW, "pat"])
    wait_for(lambda: place.steady.has_pushed(begun), "a push")
    # Some are under way, whatever the moment.
    assert place.claims()
    place.servers.admin("DELETE", f"/broadcasts/{id_}")

    def nowhere() -> bool:
        return not any(text in place.messages(user) for user in (*SLOW, "pat"))

    place.wait_for_end(id_, [*SLOW, "pat"])
    wait_for(nowhere, "its end")
    counts = Counter(one["outcome"] for one in place.rows(id_))
    # Some users had it before its end; the others never will.
    assert set(counts) == {"stored", "expired"}
