"""Identity without a hub: a trusted proxy's header, a file of tokens, and kept look-ups."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from jupyterhub_notify.identity.caller import (
    ANONYMOUS,
    Caller,
    IdentityProvider,
    IdentityUnavailable,
    Unauthenticated,
)
from jupyterhub_notify.identity.lookup import TokenLookup
from jupyterhub_notify.identity.proxy import ProxyIdentity
from jupyterhub_notify.identity.settings import IdentitySettings, make_identity
from jupyterhub_notify.identity.token_file import TokenFile, TokenFileError, TokenFileIdentity


def request(
    *headers: tuple[str, str], peer: str | None = "10.0.0.1", path: str = "/v1/me"
) -> Request:
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": b"",
            "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in headers],
            "client": (peer, 1) if peer is not None else None,
        }
    )


def bearer(token: str) -> Request:
    return request(("Authorization", f"Bearer {token}"))


USER = "X-Auth-Request-User"
GROUPS = "X-Auth-Request-Groups"


# --- A trusted proxy


async def test_a_user_of_the_trusted_proxy_is_who_its_header_says() -> None:
    identity = ProxyIdentity(["10.0.0.0/8"], admins=["root"], admin_groups=["ops"])
    ada = await identity.identify(request((USER, "ada"), (GROUPS, "staff, *,astro")))
    assert (ada.name, ada.kind, ada.groups) == ("ada", "user", {"staff", "astro"})
    assert not ada.admin
    assert not ada.publish_as
    assert (await identity.identify(request((USER, "root")))).admin
    assert (await identity.identify(request((USER, "eve"), (GROUPS, "ops")))).admin


@pytest.mark.parametrize("peer", ["11.0.0.1", "127.0.0.1", "::1", "not an address", None])
async def test_the_header_of_anyone_else_is_ignored(peer: str | None) -> None:
    identity = ProxyIdentity(["10.0.0.0/8"], admins=["root"])
    assert await identity.identify(request((USER, "root"), peer=peer)) is ANONYMOUS


async def test_a_forwarded_address_makes_nobody_the_trusted_proxy() -> None:
    identity = ProxyIdentity(["10.0.0.0/8"], admins=["root"])
    forged = request((USER, "root"), ("X-Forwarded-For", "10.0.0.1"), peer="192.0.2.1")
    assert await identity.identify(forged) is ANONYMOUS


async def test_an_ipv4_peer_of_an_ipv6_socket_is_the_same_peer() -> None:
    identity = ProxyIdentity(["10.0.0.1"])
    assert (await identity.identify(request((USER, "ada"), peer="::ffff:10.0.0.1"))).name == "ada"


@pytest.mark.parametrize("names", [("ada", "root"), ("",), ("a\x00b",), ("x" * 300,)])
async def test_a_header_that_names_not_one_user_is_refused(names: tuple[str, ...]) -> None:
    identity = ProxyIdentity(["10.0.0.1"])
    with pytest.raises(Unauthenticated):
        await identity.identify(request(*((USER, name) for name in names)))


@pytest.mark.parametrize(
    ("path", "admin", "publishes"),
    [
        ("/v1/admin/broadcasts", True, True),
        ("/v1/administrators", False, False),
        ("/v1/services/bot-quota/notifications", False, True),
        ("/v1/notifications/messages", False, False),
    ],
)
async def test_behind_a_proxy_that_checks_routes_the_route_says_what_one_may(
    path: str, admin: bool, publishes: bool
) -> None:
    identity = ProxyIdentity(["10.0.0.1"], routes_are_checked=True)
    caller = await identity.identify(request((USER, "bot-quota"), path=path))
    assert caller.kind == "service"
    assert caller.admin is admin
    assert caller.may_publish_as("bot-quota") is publishes
    assert caller.may_publish_as("bot-other") is admin
    unchecked = ProxyIdentity(["10.0.0.1"])
    caller = await unchecked.identify(request((USER, "bot-quota"), path=path))
    assert not caller.admin
    assert not caller.publish_as


# --- A file of tokens


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "tokens.json")


async def test_a_created_token_is_known_by_its_hash_alone(file: TokenFile) -> None:
    token = file.create("quota", publish_as=["quota"], send_groups=["staff"])
    assert token not in file.path.read_text()
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    caller = await TokenFileIdentity(file).identify(bearer(token))
    assert caller == Caller(
        name="quota",
        kind="service",
        publish_as=frozenset({"quota"}),
        send_groups=frozenset({"staff"}),
        method="token-file",
    )


async def test_the_file_is_read_again_when_it_changes(file: TokenFile) -> None:
    identity = TokenFileIdentity(file)
    first = file.create("one")
    assert (await identity.identify(bearer(first))).name == "one"
    second = file.create("two")
    assert (await identity.identify(bearer(second))).name == "two"
    assert file.remove("one") == 1
    with pytest.raises(Unauthenticated):
        await identity.identify(bearer(first))


async def test_an_expired_token_is_known_no_more(file: TokenFile) -> None:
    token = file.create("old", expires=datetime.now(timezone.utc) - timedelta(seconds=1))
    with pytest.raises(Unauthenticated, match="expired"):
        await TokenFileIdentity(file).identify(bearer(token))


async def test_no_credentials_are_nobody_and_wrong_ones_are_refused(file: TokenFile) -> None:
    file.create("one")
    identity = TokenFileIdentity(file)
    assert await identity.identify(request()) is ANONYMOUS
    for header in ["Bearer wrong", "Bearer", "Basic eDp5", "Bearer a b", "Bearer \xe9", ""]:
        with pytest.raises(Unauthenticated):
            await identity.identify(request(("Authorization", header)))
    twice = request(("Authorization", "Bearer a"), ("Authorization", "Bearer b"))
    with pytest.raises(Unauthenticated):
        await identity.identify(twice)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.write_text("{"), "not understood"),
        (lambda path: path.write_text('{"tokens": [{"name": "x"}]}'), r"tokens\.0\.sha256"),
        (lambda path: path.chmod(0o666), "0600"),
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: (path.unlink(), os.mkfifo(path, 0o600)), "no token file"),
        (lambda path: (path.unlink(), path.mkdir()), "no token file"),
    ],
)
async def test_a_spoilt_file_knows_nobody_until_it_is_mended(
    file: TokenFile, spoil: Callable[[Path], Any], reason: str
) -> None:
    token = file.create("one")
    identity = TokenFileIdentity(file)
    await identity.identify(bearer(token))
    content = file.path.read_text()
    spoil(file.path)
    with pytest.raises(IdentityUnavailable) as answer:
        await identity.identify(bearer(token))
    assert str(file.path) not in str(answer.value)
    with pytest.raises(TokenFileError, match=reason):
        file.read()
    if file.path.is_dir():
        file.path.rmdir()
    else:
        file.path.unlink(missing_ok=True)
    file.path.write_text(content)
    file.path.chmod(0o600)
    assert (await identity.identify(bearer(token))).name == "one"


def test_commands_at_the_same_time_lose_no_token(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    path = tmp_path / "tokens.json"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: TokenFile(path).create(f"n{n}"), range(40)))
    assert {entry.name for entry in TokenFile(path).read()} == {f"n{n}" for n in range(40)}


# --- Which provider


async def test_the_token_file_is_what_a_service_without_a_hub_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JUPYTERHUB_API_TOKEN", raising=False)
    token = TokenFile(Path("jupyterhub-notify-tokens.json")).create("one")
    assert (await make_identity().identify(bearer(token))).name == "one"


async def test_a_proxy_and_a_token_file_work_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_NOTIFY_IDENTITY", "token-file, proxy")
    monkeypatch.setenv("JUPYTERHUB_NOTIFY_PROXY_PEERS", "10.0.0.1")
    monkeypatch.setenv("JUPYTERHUB_NOTIFY_TOKENS", str(tmp_path / "t.json"))
    token = TokenFile(tmp_path / "t.json").create("quota")
    identity: IdentityProvider = make_identity()
    assert (await identity.identify(bearer(token))).name == "quota"
    assert (await identity.identify(request((USER, "ada")))).name == "ada"
    assert await identity.identify(request()) is ANONYMOUS
    with pytest.raises(Unauthenticated):
        await identity.identify(bearer("somebody-elses"))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("IDENTITY", "hub,ldap", "ldap"),
        ("PROXY_PEERS", "10.0.0.0/33", "10.0.0.0/33"),
        ("HUB_LOOKUPS", "0", "greater than or equal to 1"),
    ],
)
def test_a_wrong_setting_is_said_with_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(f"JUPYTERHUB_NOTIFY_{name}", value)
    with pytest.raises(ValueError, match=says):
        IdentitySettings()


def test_a_proxy_without_peers_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_NOTIFY_IDENTITY", "proxy")
    with pytest.raises(ValueError, match="JUPYTERHUB_NOTIFY_PROXY_PEERS"):
        make_identity()


# --- Look-ups


class Registry:
    """Knows tokens that begin with ``good``; counts lookups, and answers when a test lets it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.now = 0
        self.most = 0
        self.answering = asyncio.Event()
        self.answering.set()
        self.broken = False

    async def ask(self, token: str) -> str | None:
        self.asked.append(token)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self.answering.wait()
            await asyncio.sleep(0)
            if self.broken:
                raise IdentityUnavailable("The Hub does not say who asks; try again.")
        finally:
            self.now -= 1
        return f"owner of {token}" if token.startswith("good") else None


async def test_requests_at_the_same_time_with_one_token_ask_once() -> None:
    registry = Registry()
    registry.answering.clear()
    lookup = TokenLookup(registry.ask)
    waiting = [asyncio.create_task(lookup.get("good")) for _ in range(1000)]
    await asyncio.sleep(0)
    # One that goes away leaves the question to the others.
    waiting[0].cancel()
    registry.answering.set()
    answers = await asyncio.gather(*waiting[1:])
    assert set(answers) == {"owner of good"}
    assert registry.asked == ["good"]


async def test_no_more_tokens_are_looked_up_at_once_than_allowed() -> None:
    registry = Registry()
    lookup = TokenLookup(registry.ask, at_once=7)
    await asyncio.gather(*(lookup.get(f"good{n}") for n in range(1000)))
    assert len(registry.asked) == 1000
    assert registry.most == 7


async def test_whoever_would_wait_too_long_is_told_to_come_again() -> None:
    registry = Registry()
    registry.answering.clear()
    lookup = TokenLookup(registry.ask, at_once=1, waiting=1)
    waiting = [asyncio.create_task(lookup.get(f"good{n}")) for n in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(IdentityUnavailable) as answer:
        await lookup.get("good2")
    assert answer.value.retry_after_s
    registry.answering.set()
    assert await asyncio.gather(*waiting) == ["owner of good0", "owner of good1"]


async def test_an_answer_is_kept_until_it_is_too_old() -> None:
    registry = Registry()
    now = 0.0
    lookup = TokenLookup(registry.ask, max_age_s=300, clock=lambda: now)
    for moment, asked in [(0.0, 1), (299.0, 1), (301.0, 2)]:
        now = moment
        assert await lookup.get("good") == "owner of good"
        assert len(registry.asked) == asked


async def test_after_a_logout_a_login_is_asked_for_anew() -> None:
    registry = Registry()
    lookup = TokenLookup(registry.ask)
    await lookup.get("good", session="one")
    await lookup.get("good", session="one")
    await lookup.get("good", session="two")
    assert len(registry.asked) == 2


async def test_made_up_tokens_drive_no_real_one_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyterhub_notify.identity.lookup.KEPT_UNKNOWN", 10)
    registry = Registry()
    lookup = TokenLookup(registry.ask)
    await lookup.get("good")
    for n in range(100):
        assert await lookup.get(f"bad{n}") is None
    asked = len(registry.asked)
    await lookup.get("good")
    await lookup.get("bad99")
    assert len(registry.asked) == asked
    await lookup.get("bad0")
    assert len(registry.asked) == asked + 1


async def test_silence_is_no_answer_and_is_not_kept() -> None:
    registry = Registry()
    registry.broken = True
    lookup = TokenLookup(registry.ask)
    with pytest.raises(IdentityUnavailable):
        await lookup.get("good")
    registry.broken = False
    assert await lookup.get("good") == "owner of good"


def test_the_written_file_is_json_that_a_site_may_write_itself(file: TokenFile) -> None:
    file.create("quota", publish_as=["quota"])
    entry = json.loads(file.path.read_text())["tokens"][0]
    assert set(entry) == {"name", "sha256", "publish_as", "created"}
