"""The client reads answers recorded from the real service as they were meant."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from datetime import datetime, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from traitlets.traitlets import TraitError

from jupyterlab_notify.app import NotifyApp
from jupyterlab_notify.sources.central.client import CentralClient
from jupyterlab_notify.sources.central.failure import Answer, Failure, parse_retry_after
from jupyterlab_notify.sources.central.parsing import (
    parse_next_cursor,
    parse_time_ms,
    shorten,
)
from jupyterlab_notify.sources.central.paths import default_name
from jupyterlab_notify.sources.central.schedule import Backoff
from jupyterlab_notify.sources.central.token import token_reader
from jupyterlab_notify.sources.central.transport import Transport
from jupyterlab_notify.sources.nublado import nublado_url

from ..support import central as service

SAMPLES = json.loads(Path(__file__).with_name("semaphore-2.0.0-samples.json").read_text())
URL = "https://data.example.com/semaphore"


class RecordedTransport(Transport):
    """A transport that answers from the record."""

    def __init__(self, number: int) -> None:
        super().__init__(URL, token=lambda: "x", timeout_s=1)
        self.sample = SAMPLES[number]
        self.asked = ""
        self.sent: Any = None

    async def ask(
        self,
        method: str,
        path: str,
        params: dict[str, str] | None,
        headers: dict[str, str],
        content: bytes | None,
        *,
        anonymous: bool = False,
        unauthenticated: bool = False,
    ) -> Answer:
        self.asked = f"{method} {path}" + (f"?{urlencode(params)}" if params else "")
        self.sent = content and json.loads(content)
        body = self.sample["body"]
        return Answer(
            self.sample["status"],
            self.sample["headers"],
            b"" if body is None else json.dumps(body).encode(),
        )


class Recorded(CentralClient):
    """A client that is answered from the record."""

    def __init__(self, number: int) -> None:
        self.recorded = RecordedTransport(number)
        super().__init__(self.recorded)


async def test_the_recorded_pages_are_understood() -> None:
    client = Recorded(0)
    page = await client.messages(unread=False, limit=2)
    assert page is not None
    assert client.recorded.asked == client.recorded.sample["request"]
    assert (page.cursor, page.total, page.etag) == ("1795318157_4", 6, None)
    first, second = page.items
    assert (first.remote, first.read, first.message) == ("6", False, "Disk quota at 50%")
    assert first.created_ms - second.created_ms == 2000
    page = await Recorded(1).messages(unread=True)
    assert page is not None and page.cursor is None and page.total is None
    assert page.items[0].message == "**Quota** <img src=x onerror=alert(1)>"
    page = await Recorded(5).messages(unread=False)
    assert page is not None and page.items[0].read


async def test_the_recorded_message_is_its_markdown_and_never_its_html() -> None:
    client = Recorded(2)
    read, body = await client.message("7")
    assert client.recorded.asked == client.recorded.sample["request"]
    assert not read
    assert body == client.recorded.sample["body"]["body"]["gfm"]
    with pytest.raises(Failure) as caught:
        await Recorded(3).message("7")
    assert caught.value.status == 404


async def test_the_recorded_changes_are_what_is_sent() -> None:
    for number, what, ids in ((4, "read", ["7", "999"]), (6, "unread", ["7"])):
        client = Recorded(number)
        await client.mark(what, ids)
        assert client.recorded.asked == client.recorded.sample["request"]
        assert client.recorded.sent == client.recorded.sample["request_body"]
    with pytest.raises(Failure) as caught:
        await Recorded(7).mark("read", ["7"])
    assert caught.value.permanent


async def test_the_recorded_lack_of_a_welcome_part_is_noticed() -> None:
    listed = await Recorded(8).broadcasts()
    assert listed is not None and listed.items == ()
    with pytest.raises(Failure) as caught:
        await Recorded(9).welcome("jupyterlab")
    assert caught.value.missing and not caught.value.permanent
    for status, missing in ((405, True), (501, True), (400, False), (500, False), (503, False)):
        client = Recorded(9)
        client.recorded.sample = {"status": status, "headers": {}, "body": None}
        with pytest.raises(Failure) as caught:
            await client.welcome("jupyterlab")
        assert caught.value.missing is missing


def test_it_backs_off_up_to_ten_minutes_and_not_all_labs_ask_at_once() -> None:
    backoff = Backoff(NotifyApp().central_interval)
    for failures, least_s in enumerate((48, 96, 192, 384, 600, 600, 600, 600), start=1):
        waits = {backoff.delay_s(failures) for _ in range(50)}
        assert least_s <= min(waits) <= max(waits) <= min(1.5 * least_s, 600)
        assert len(waits) > 1 or least_s == 600
    assert backoff.delay_s(10_000) == 600


@pytest.mark.parametrize(
    "body",
    [
        *(None, {}, "x", 3, [None], [[]], [{}], [{"id": "1"}], [{"id": None, "summary": {}}]),
        [{"id": "1", "created": "now", "read": None, "summary": {"gfm": "x"}}],
        [{"id": "1", "created": "2026-01-01T00:00:00Z", "read": 1, "summary": {"gfm": "x"}}],
        [{"id": "1", "created": "2026-01-01T00:00:00Z", "read": None, "summary": {"gfm": 1}}],
        [{"id": "1", "created": "2026-01-01T00:00:00Z", "read": None, "summary": None}],
        [{"id": "\ud800", "created": "2026-01-01T00:00:00Z", "read": None, "summary": "x"}],
        [{"id": "x" * 201, "created": "2026-01-01T00:00:00Z", "read": None, "summary": "x"}],
    ],
    ids=repr,
)
async def test_nonsense_is_a_failure_and_nothing_else(body: Any) -> None:
    client = Recorded(0)
    client.recorded.sample = {"status": 200, "headers": {}, "body": body}
    with pytest.raises(Failure, match="cannot be understood"):
        await client.messages(unread=True)


def test_long_texts_are_cut_at_a_word() -> None:
    assert shorten("a" * 10, 10) == "a" * 10
    assert shorten("words " * 1000, 4096) == ("words " * 682).rstrip() + "…"
    assert len(shorten("x" * 5000, 4096)) == 4096


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("120", 120), (" 1 ", 1), ("", None), ("soon", None), ("-1", None), ("9" * 30, 3600)),
        *(("86400", 3600), ("9" * 101, None), ("Mon, 01 Jan " + "9" * 20 + " 00:00:00 GMT", None)),
        *(("Mon, 01 Jan 9999 23:59:59 -2359", 3600), ("Mon, 01 Jan 0001 00:00:00 +2359", 0)),
        *(("Mon, 01 Jan 2030 00:00:00 +9999999999", None), ("Mon, 99 Jan 2030", None), ("٣", None)),
    ],
)
def test_retry_after_is_understood(text: str, seconds: float | None) -> None:
    assert parse_retry_after(text) == seconds


def test_retry_after_may_be_a_date() -> None:
    then = datetime.fromtimestamp(time.time() + 60, timezone.utc)
    seconds = parse_retry_after(format_datetime(then, usegmt=True))
    assert seconds is not None and 55 < seconds < 65
    assert parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("2026-06-12T17:10:32-00:00", 1_781_284_232_000),
        ("2026-06-12T17:10:32Z", 1_781_284_232_000),
        ("2026-06-12T19:10:32.5+02:00", 1_781_284_232_500),
        ("2026-06-12T17:10:32.123456789Z", 1_781_284_232_123),
    ],
)
def test_every_spelling_of_a_time_is_understood(text: str, milliseconds: int) -> None:
    assert parse_time_ms(text) == milliseconds


def test_the_token_is_found_in_the_documented_order_and_afresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    mounted = tmp_path / "mounts" / "secrets" / "token"
    mounted.parent.mkdir(parents=True)
    for name in ("MINE", "NUBLADO_RUNTIME_MOUNTS_DIR", "JUPYTERHUB_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JUPYTERLAB_NOTIFY_CENTRAL_URL", "https://hub.example/services/notify/")
    read = token_reader(str(file), "MINE", "https://hub.example/services/notify")
    assert read() is None
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "hub")
    assert read() == "hub"
    monkeypatch.setenv("NUBLADO_RUNTIME_MOUNTS_DIR", str(tmp_path / "mounts"))
    assert read() == "hub"
    mounted.write_text("mounted\n")
    assert read() == "mounted"
    monkeypatch.setenv("MINE", "variable")
    assert read() == "variable"
    file.write_text(" file \n")
    assert read() == "file"
    file.write_text("renewed")
    assert read() == "renewed"
    # A token is text that a header can hold.
    for wrong in ("", "two words", "line\nbreak", "ümlaut", "\udcff"):
        file.write_bytes(wrong.encode("utf-8", "surrogateescape"))
        assert read() == "variable"


@pytest.mark.parametrize(
    ("url", "goes"),
    [
        ("https://hub.example/services/notify", True),
        ("https://hub.example:443/services/notify/", True),
        ("https://hub.example/services/notify-other", False),
        ("https://hub.example/services", False),
        ("http://hub.example/services/notify", False),
        ("https://elsewhere.example/services/notify", False),
        ("http://10.0.0.1:8081/hub/api", True),
        ("http://10.0.0.1:8082/hub/api", False),
        ("https://data.example.com/semaphore", False),
        ("HTTPS://HUB.EXAMPLE/services/notify?a=b#c", True),
        ("https://hub.example:0/services/notify", False),
        ("https://hub.example./services/notify", False),
        ("https://hub.example@elsewhere.example/services/notify", False),
        ("https://hub.example\\@elsewhere.example/services/notify", False),
        ("https://hub.example/services/notify/../../user/mallory", False),
        ("https://hub.example/services/notify/%2e%2E/%2E./user/mallory", False),
        ("https://hub.example/services/notify/..%2f../user/mallory", False),
        ("https://hub.example/services/notify/..\\..\\user\\mallory", False),
        ("https://hub.example/services/notify/%252e%252e/%25252e%25252e/user/mallory", False),
        ("https://hub.example/services/notify/%2525252525252e/user/mallory", False),
        ("https://hub.example/services/notify/..;/..;x=y/user/mallory", False),
        ("https://hub.example/services/notify/%2e%2e%3bx/user/mallory", False),
        ("https://hub.example/services/notify/.%00./user/mallory", False),
        ("https://hub.example/services/notify/.%7f./user/mallory", False),
        ("https://hub.example/services/notify/.%e2%80%8b./user/mallory", False),
        ("https://hub.example/services/notify/\uff0e\uff0e/user/mallory", False),
        ("https://hub.example/services/notify/%e2%80%a5/user/mallory", False),
        ("https://hub.example/services/notify/..%ef%bc%8fuser/mallory", False),
        ("https://hub.example/services/notify/%c0%ae%c0%ae/user/mallory", False),
        ("https://hub.example/services/notify/%ff/user/mallory", False),
        ("https://hub.example/services/notify/caf%c3%a9", True),
        ("https://hub.example/services/notify/v2;x", True),
        ("https://hub.example.evil.example/services/notify", False),
        ("http://10.0.0.1:8081/hub/apix", False),
        ("http://10.0.0.1:8081//hub/api", False),
        ("http://0x0a000001:8081/hub/api", False),
        ("//10.0.0.1:8081/hub/api", False),
    ],
)
def test_the_hubs_token_goes_to_the_hub_and_to_the_service_that_its_spawner_names(
    monkeypatch: pytest.MonkeyPatch, url: str, goes: bool
) -> None:
    monkeypatch.delenv("NUBLADO_RUNTIME_MOUNTS_DIR", raising=False)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "hub")
    monkeypatch.setenv("JUPYTERHUB_API_URL", "http://10.0.0.1:8081/hub/api")
    monkeypatch.setenv("JUPYTERLAB_NOTIFY_CENTRAL_URL", "https://hub.example/services/notify/")
    assert token_reader("", "", url)() == ("hub" if goes else None)
    # Unless the site says otherwise.
    assert token_reader("", "JUPYTERHUB_API_TOKEN", url)() == "hub"
    monkeypatch.delenv("JUPYTERHUB_API_URL")
    monkeypatch.delenv("JUPYTERLAB_NOTIFY_CENTRAL_URL")
    assert token_reader("", "", url)() is None


@pytest.mark.parametrize("kind", ["fifo", "endless", "large", "folder", "loop"])
def test_a_file_that_is_no_tokens_neither_hangs_nor_fills_memory(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "token"
    if kind == "fifo":
        os.mkfifo(file)
    elif kind == "endless":
        file.symlink_to("/dev/zero")
    elif kind == "large":
        file.touch()
        os.truncate(file, 2**36)
    elif kind == "folder":
        file.mkdir()
    else:
        file.symlink_to(file)
    assert token_reader(str(file), "", "https://elsewhere.example")() is None


def test_the_service_that_the_spawner_names_is_the_hubs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERLAB_NOTIFY_CENTRAL_URL", "http://127.0.0.1:8092/services/notify/")
    assert default_name("http://127.0.0.1:8092/services/notify") == "JupyterHub"
    assert default_name("https://data.example.com/semaphore") == "data.example.com"
    monkeypatch.delenv("JUPYTERLAB_NOTIFY_CENTRAL_URL")
    assert default_name("https://data.example.com/semaphore") == "data.example.com"
    assert default_name("") == ""


@pytest.mark.parametrize(
    ("content", "url"),
    [
        ('{"services": {"internal": {"semaphore": {"url": "https://x/s"}}}}', "https://x/s"),
        ('{"services": {"data": {"semaphore": {"dp1": {"url": "https://x/s"}}}}}', "https://x/s"),
        ('{"services": {"data": {"tap": {"dp1": {"url": "https://x/tap"}}}}}', None),
        ('{"services": {"internal": {"semaphore": {"url": 1}}}}', None),
        ('{"services": []}', None),
        ("[" * 100_000, None),
        ("", None),
        (None, None),
    ],
)
def test_semaphore_is_found_where_nublado_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, url: str | None
) -> None:
    monkeypatch.setenv("NUBLADO_RUNTIME_MOUNTS_DIR", str(tmp_path))
    if content is not None:
        (tmp_path / "discovery").mkdir()
        (tmp_path / "discovery" / "v1.json").write_text(content)
    assert nublado_url() == url


@pytest.mark.parametrize(
    "url",
    [
        *("data.example.com", "ftp://example.com", "https://", "https://user:secret@example.com"),
        *("https://example.com/?token=secret", "https://example.com/#x", "https://example.com:x"),
    ],
)
def test_a_url_that_cannot_be_asked_is_refused_without_telling_its_secret(url: str) -> None:
    with pytest.raises(TraitError) as caught:
        NotifyApp(central_url=url)
    assert str(caught.value).endswith(".")
    assert "secret" not in str(caught.value)


def test_a_url_may_end_in_a_slash() -> None:
    assert NotifyApp(central_url=f"{URL}/").central_url == URL


@pytest.mark.parametrize(
    ("etag", "kept"),
    [('W/"a-1"', 'W/"a-1"'), ('"ü"', None), ('"a\x7f"', None), ("x" * 501, None), ("", None)],
)
async def test_a_tag_that_no_request_can_carry_is_none(etag: str, kept: str | None) -> None:
    client = Recorded(8)
    client.recorded.sample = {**client.recorded.sample, "headers": {"etag": etag}}
    listed = await client.broadcasts()
    assert listed is not None and listed.etag == kept


async def test_requests_at_once_share_a_connection_and_are_not_cut_off(tmp_path: Path) -> None:
    central = service.Central(tmp_path).start()
    transport = Transport(central.url, token=lambda: "x", timeout_s=5)
    client = CentralClient(transport)
    made = []
    connect = transport._connect

    def slowly() -> Any:
        time.sleep(0.1)
        made.append(connect())
        return made[-1]

    transport._connect = slowly  # type: ignore[method-assign]  # counts, and gives a race its time
    try:
        central.fault("slow", seconds=0.3)
        asked = [asyncio.ensure_future(client.broadcasts()) for _ in range(3)]
        await asyncio.sleep(0.25)
        await client.close_idle()
        assert all(listed is not None for listed in await asyncio.gather(*asked))
        assert len(made) == 1
        await client.close_idle()
        assert made[0].is_closed
    finally:
        await client.close()
        central.stop()


async def test_a_token_on_a_file_system_that_hangs_is_asked_for_once() -> None:
    hangs, reads = threading.Event(), []

    def token() -> str:
        reads.append(1)
        hangs.wait(5)
        return "x"

    client = CentralClient(Transport(URL, token=token, timeout_s=0.1))
    for _ in range(3):
        with pytest.raises(Failure, match="did not answer"):
            await client.messages(unread=True)
    assert len(reads) == 1
    hangs.set()


@pytest.mark.parametrize(
    ("link", "cursor"),
    [
        ("", None),
        ('<https://elsewhere/x?cursor=5>; rel="next"', "5"),
        ('<x?cursor=1>; rel="prev", <x?limit=2&cursor=a%2Fb>; rel="next"', "a/b"),
        ('<x?cursor=1>; rel="prev"', None),
    ],
)
def test_only_the_cursor_of_a_link_to_the_next_page_is_taken(link: str, cursor: str | None) -> None:
    assert parse_next_cursor(Answer(200, {"link": link}, b"")) == cursor


@pytest.mark.parametrize(
    "link",
    ["<" * 60_000, '<x>; rel="next"', f'<x?cursor={"c" * 501}>; rel="next"', "<x?cursor=ü>"],
    ids=["long", "without", "long cursor", "not ASCII"],
)
def test_a_link_that_is_too_long_or_says_nothing_is_a_failure(link: str) -> None:
    with pytest.raises(Failure, match="cannot be understood"):
        parse_next_cursor(Answer(200, {"link": link}, b""))
