"""A caller that floods is told when to go on, and nothing of what it was told is lost."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from ...support.servers import NAMESPACE, Server


def test_a_token_that_floods_is_told_429_whatever_source_it_names(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(config={"NotifyApp": {"ingest_rate": 2}})
    answers = [
        server.request(
            "POST", f"/{NAMESPACE}/ingest", json={"message": "m", "source": f"source {n}"}
        )
        for n in range(40)
    ]
    statuses = [answer.status_code for answer in answers]
    assert 20 <= statuses.count(200) < 40 and set(statuses) == {200, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert 1 <= int(refused.headers["Retry-After"]) <= 10
    assert "too many messages" in refused.json()["message"]
    assert server.status()["counts"]["inbox"] == statuses.count(200)
    for method in ("PUT", "DELETE"):
        send = {"json": {"message": "m"}} if method == "PUT" else {}
        found = [server.request(method, f"/{NAMESPACE}/ingest/k", **send) for _ in range(40)]
        assert 429 in {answer.status_code for answer in found}


def test_a_login_counts_as_one_caller_whatever_token_it_makes_up(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(config={"NotifyApp": {"ingest_rate": 2}})
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as browser:
        browser.get("/login")
        assert browser.get("/api/status", params={"token": server.token}).is_success
        xsrf = {"X-XSRFToken": browser.cookies["_xsrf"]}
        statuses = [
            browser.post(
                f"/{NAMESPACE}/ingest",
                json={"message": "m"},
                headers={**xsrf, "Authorization": f"Bearer made-up-{n}"},
            ).status_code
            for n in range(60)
        ]
    assert set(statuses) == {200, 429}
    # The flood takes nothing from senders with valid tokens.
    assert server.ingest("m")["success"] is True
