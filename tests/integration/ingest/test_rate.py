"""A caller that floods is told when to go on, and nothing of what it was told is lost."""

from __future__ import annotations

from collections.abc import Callable

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
