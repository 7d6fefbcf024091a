"""The checks of ``make attack`` can fail: each is given what it looks for."""

from __future__ import annotations

import base64
from urllib.parse import quote

import httpx
import pytest

from ..attack.service import BASE, Service
from ..attack.watch import seen_tokens

TOKEN = "sesame open/the+service"
#: Each is how a client may let a token slip to another host.
LEAKS: dict[str, dict[str, dict[str, str]]] = {
    "a header": {"headers": {"Authorization": f"Bearer {TOKEN}"}},
    "another header": {"headers": {"X-Forwarded-Token": TOKEN}},
    "a cookie": {"headers": {"Cookie": f"token={quote(TOKEN)}"}},
    "the query": {"params": {"token": TOKEN}},
    "a password": {
        "headers": {"Authorization": "Basic " + base64.b64encode(f"ada:{TOKEN}".encode()).decode()}
    },
    "the referrer": {"headers": {"Referer": f"http://h/lab?token={quote(TOKEN, safe='')}"}},
}


@pytest.mark.parametrize("how", LEAKS)
def test_a_token_that_is_sent_elsewhere_is_seen(how: str) -> None:
    service = Service()
    elsewhere = service.url.removesuffix(BASE) + "/elsewhere"
    httpx.get(elsewhere, params={"cursor": "1_1"}, trust_env=False)
    assert seen_tokens([TOKEN], service.elsewhere) == 0
    httpx.get(elsewhere, trust_env=False, **LEAKS[how])  # type: ignore[arg-type]  # one of two
    assert len(service.elsewhere) == 2
    assert seen_tokens([TOKEN], service.elsewhere) == 1
    assert seen_tokens(["another", TOKEN], service.elsewhere, []) == 1
    service.shutdown()
    service.server_close()


def test_a_token_in_the_log_is_seen() -> None:
    assert seen_tokens([TOKEN], [], ["GET /x\n" + f"GET /api?token={quote(TOKEN)}"]) == 1
    assert seen_tokens([TOKEN], [], ["GET /x"]) == 0


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("after", ["", "q", "qr", "qrs"])
def test_a_token_in_base64_is_seen_wherever_it_begins_and_ends(before: str, after: str) -> None:
    sent = before + base64.b64encode(f"ada:{TOKEN}".encode()).decode().rstrip("=")
    assert seen_tokens([TOKEN], [], [f"GET /{sent}"]) == 1
    assert seen_tokens([TOKEN], [], [f"GET /{'A' * 17}{after}"]) == 0
