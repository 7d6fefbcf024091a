"""The server's half of ``make attack``: every hostile input against one server, and its figures."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ..support.servers import NAMESPACE, Server, wait_for
from ..support.welcome import folder
from . import ingest, pictures
from .service import ANSWERS, EVENTS, RAW, REDIRECTS, RETRY_AFTER, Service
from .watch import Figures, Watch, seen_tokens

TOKEN = "sesame-open-the-hostile-service"
INTERVAL_S = 0.1
#: Time in seconds for which each answer of the service is tried; it is asked again within a second.
TRY_S = 1.5
#: Time in seconds for which each stream of events is read.
STREAM_S = 0.5
#: Time in seconds after which all attacks are over, even if every wait is in vain.
LIMIT_S = 240
GROWN_MIB = 64
#: Seconds of a blocked event loop that cannot be explained by a busy machine. The promise is 0.5 s,
#: but a busy machine alone may exceed that.
BLOCKED_S = float(os.environ.get("NOTIFY_EVENT_LOOP_MS") or 5000) / 1000

WELCOME = {
    "ticks": "---\nid: ticks\ntitle: T\n---\n" + "`" * 32_000,
    "views": f"---\nid: views\ntitle: T\nmax_views: 1{':1' * 9000}\n---\nBody",
    "views2": f"---\nid: views2\ntitle: T\nmax_views: {'9' * 9000}\n---\nBody",
    "open": "---\nid: open\n" + "x" * 20_000,
    "deep": "---\nid: " + "[" * 9000 + "\n---\nBody",
    "anchors": "---\na: &a [x, x]\n"
    + "".join(f"a{n}: &a{n} [*a{n - 1 if n else ''}, *a{n - 1 if n else ''}]\n" for n in range(20))
    + "---\nBody",
    "object": "---\nid: !!python/object/apply:os.system [exit]\n---\nBody",
    "nul": "---\nid: n\x00\ntitle: T\n---\nBody",
    "date": "---\nid: 2026-99-99\ntitle: 1e999\nupdated: 9999999\n---\nBody",
    "\x1b[2J\u202ename": "---\nid: odd\ntitle: T\nwrong: x\n---\nBody",
    "unseen": "---\nid: unseen\ntitle: \u3164\u200b\n---\n\u2800",
    "images": "---\nid: images\ntitle: T\n---\n" + "![x](../../logout.png)\n" * 9000,
    "empty": "",
    "large": "---\nid: large\ntitle: T\n---\n" + "x" * 4_000_000,
}


def warm_up(server: Server, service: Service) -> str:
    """Make the server import all that it needs, which must not count as growth; return an id."""
    kept = server.ingest("Kept", source="harmless", body="b")["notification_id"]
    (folder(server) / "first.md").write_text("---\nid: first\ntitle: First\n---\n\nShown.\n")
    with server.websocket():
        server.request("GET", f"/{NAMESPACE}/welcome")
        wait_for(lambda: service.asked >= 9, "three passes")
    return str(kept)


def welcome_files(server: Server, watch: Watch, figures: Figures) -> None:
    """Give the server bad files beside a good file, which must be shown."""
    where = folder(server)
    (where / "good.md").write_text("---\nid: good\ntitle: Good\n---\n\nShown.\n")
    for name, content in WELCOME.items():
        watch.trying = f"welcome file {name!r}"
        (where / f"{name}.md").write_text(content)
        figures.answered(watch.trying, server.request("GET", f"/{NAMESPACE}/welcome"))
    (where / "binary.md").write_bytes(bytes(range(256)) * 100)
    (where / "loop.md").symlink_to("loop.md")
    (where / "zeros.md").symlink_to("/dev/zero")
    # Only root can open it, and it has no end.
    (where / "messages.md").symlink_to("/proc/kmsg")
    os.mkfifo(where / "pipe.md")
    (where / "folder.md").mkdir()
    watch.trying = "welcome files that are none"
    figures.inputs += 5
    answer = server.request("GET", f"/{NAMESPACE}/welcome")
    figures.answered(watch.trying, answer)
    if "good" not in answer.text:
        figures.lost.append("the good welcome file")


def central(server: Server, service: Service, watch: Watch, figures: Figures) -> None:
    """Let the service give each hostile answer for as long as two or three requests take."""
    for kind in (*ANSWERS, *RAW, *REDIRECTS):
        watch.trying = f"central service: {kind}"
        if isinstance(kind, int):
            service.kind, service.redirect = "calm", kind
        elif isinstance(kind, str):
            service.kind = kind
        # The service is asked while a tab is open, and at once by a new one. What comes over this
        # connection is not read, so that it does not last.
        with server.websocket():
            before, end = service.asked, time.monotonic() + TRY_S
            # A whole pass asks for three lists.
            while service.asked < before + 4 and time.monotonic() < end:
                time.sleep(0.05)
            figures.answered(watch.trying, server.request("GET", f"/{NAMESPACE}/status"))
            if service.asked == before:
                figures.missed.append(watch.trying)
    service.kind, service.redirect = "calm", 0


def retry_after(make: Any, service: Service, figures: Figures) -> None:
    """Send each odd ``Retry-After`` to a server of its own, since that server pauses then."""
    for value in RETRY_AFTER:
        service.retry_after, before = value, service.asked
        server = make()
        try:
            server.start()
            with server.websocket():
                end = time.monotonic() + TRY_S
                while service.asked == before and time.monotonic() < end:
                    time.sleep(0.05)
                what = f"Retry-After: {value[:40]}"
                figures.answered(what, server.request("GET", f"/{NAMESPACE}/status"))
                if service.asked == before:
                    figures.missed.append(what)
        finally:
            server.stop()
            server.client.close()
    service.retry_after = ""


def events(make: Any, service: Service, figures: Figures) -> list[Watch]:
    """Send each kind of event to a server of its own; return the measurements of each."""
    watched = []
    for kind in EVENTS:
        service.events, before = kind, service.followed
        server = make()
        try:
            server.start()
            server.ingest("Imports what is needed", source="harmless")
            with Watch(server) as watch, server.websocket():
                watch.trying = what = f"events: {kind}"
                end = time.monotonic() + TRY_S
                while service.followed == before and time.monotonic() < end:
                    time.sleep(0.05)
                if service.followed == before:
                    figures.missed.append(what)
                # Some streams never end. Their effect shows within this time.
                time.sleep(STREAM_S)
                figures.answered(what, server.request("GET", f"/{NAMESPACE}/status"))
                watched.append(watch)
                watch.grown_mib_at_end = watch.grown_mib
        finally:
            server.stop()
            server.client.close()
    service.events = ""
    return watched


def give_up(*_: object) -> None:
    raise TimeoutError(f"Not all was tried within {LIMIT_S} s")


# Longer than a screen: the attacks one after the other, on one server.
def main() -> int:
    """Try all of it; return 1 if a promise was broken."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LIMIT_S)
    began, figures, service = time.monotonic(), Figures(), Service()
    with tempfile.TemporaryDirectory() as directory:

        def make() -> Server:
            settings = {
                "central_url": service.url,
                "central_interval": INTERVAL_S,
                "central_timeout": 1.0,
                "central_token_variable": "CENTRAL_TOKEN",
                "ingest_rate": 0,
            }
            return Server(
                Path(tempfile.mkdtemp(dir=directory)),
                config={"NotifyApp": settings},
                env={"CENTRAL_TOKEN": TOKEN},
            )

        server = make()
        try:
            server.start()
            kept = warm_up(server, service)
            with Watch(server) as watch:
                ingest.attack(server, watch, figures)
                pictures.attack(server, watch, figures)
                welcome_files(server, watch, figures)
                central(server, service, watch, figures)
                if server.request("GET", f"/{NAMESPACE}/notifications/{kept}").status_code != 200:
                    figures.lost.append("the first message")
                grown_mib = watch.grown_mib
            log = server.log
        finally:
            server.stop()
            server.client.close()
        retry_after(make, service, figures)
        watched = [watch, *events(make, service, figures)]
    seen = seen_tokens((TOKEN, server.token), service.elsewhere, [log])
    watch = max(watched, key=lambda one: one.longest_s)
    grown_mib = max(grown_mib, *(one.grown_mib_at_end for one in watched))
    unanswered = sum(one.unanswered for one in watched)
    took_s, longest_ms = time.monotonic() - began, watch.longest_s * 1000
    print(
        f"Hostile inputs to the server: {figures.inputs} tried in {took_s:.0f} s, "
        f"{len(figures.failed)} answered 5xx, {unanswered} of the questions for the status "
        f"unanswered, longest block of the event loop {longest_ms:.0f} ms (during "
        f"{watch.during}), memory {grown_mib:.0f} MiB more, tokens seen elsewhere {seen}, "
        f"lost {len(figures.lost)}"
    )
    for what in (
        *figures.failed,
        *(f"lost: {what}" for what in figures.lost),
        *(f"not asked for in time: {what}" for what in figures.missed),
    ):
        print(f"  {what}")
    bad = figures.failed or figures.lost or unanswered or seen
    return int(bool(bad) or grown_mib > GROWN_MIB or watch.longest_s > BLOCKED_S)


if __name__ == "__main__":
    sys.exit(main())
