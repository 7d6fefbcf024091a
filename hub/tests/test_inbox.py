"""The user's inbox page."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from jupyterhub_notify.models.broadcasts import Broadcast
from jupyterhub_notify.pages.inbox import items_of

from .support import Service

NOW = datetime(2026, 12, 1, 12, tzinfo=timezone.utc)


def broadcast(summary: str, **ages_h: float) -> Broadcast:
    """Return a broadcast with the ages of its moments, in hours."""
    text = {"gfm": summary, "html": summary}
    moments: dict[str, Any] = {
        name: NOW - timedelta(hours=hours) for name, hours in {"created": 96, **ages_h}.items()
    }
    fields = {"active": True, "enabled": True, "stale": False, "category": "info"}
    return Broadcast.model_validate(
        {"id": summary, "summary": text, "body": None, **fields, **moments}
    )


@pytest.mark.parametrize(
    ("moments", "age_h"),
    [
        ({"created": 1, "starts": 21}, 1),  # a maintenance whose first notice was due already
        ({"created": 30, "starts": 1}, 1),  # its next notice, or what begins later
        ({"created": 90, "starts": 1, "updated": 50}, 1),  # what recurs and was changed before
        ({"created": 90, "starts": 80, "updated": 1}, 1),
        ({"created": 1}, 1),
    ],
)
def test_a_broadcast_stands_where_it_came_last(moments: dict[str, float], age_h: float) -> None:
    others = [broadcast("older", created=2, starts=2), broadcast("newer", created=0.5, starts=0.5)]
    items = items_of([], [*others, broadcast("this", **moments)], view="", words="")
    assert [item.title for item in items] == ["newer", "this", "older"]
    assert items[1].created == NOW - timedelta(hours=age_h)


async def test_a_maintenance_that_is_announced_at_once_is_on_top(service: Service) -> None:
    begins = datetime.now(timezone.utc) + timedelta(hours=3)
    upkeep = {
        "maintenance": True,
        "leads_min": [1440, 60],
        "starts": begins.isoformat(),
        "ends": (begins + timedelta(hours=1)).isoformat(),
    }
    for fields in ({"summary": "First"}, {"summary": "Upkeep", **upkeep}):
        answer = await service.as_("admin").post("/v1/admin/broadcasts", json=fields)
        assert answer.status_code == 200, answer.text
    page = await service.as_("alice").get("/inbox", headers={"Accept": "text/html"})
    titles = re.findall(r'jn-item-title">.*?<bdi>(.*?)</bdi>', page.text)
    assert titles == ["Upkeep", "First"]


async def test_an_opened_row_repeats_its_title_only_where_it_has_more_to_say(
    service: Service,
) -> None:
    for summary in ("Plain <b>", "To [be read](https://example.org)"):
        answer = await service.as_("admin").post("/v1/admin/broadcasts", json={"summary": summary})
        assert answer.status_code == 200, answer.text
    page = await service.as_("alice").get("/inbox", headers={"Accept": "text/html"})
    repeated = re.findall(r"<p><b>(.*?)</b></p>", page.text)
    assert repeated == ['To <a href="https://example.org">be read</a>']


async def test_a_closed_row_shows_the_words_of_its_body(service: Service) -> None:
    body = "| from | to |\n|---|---|\n| 22:00 | 22:40 |\n\n- Save [your work](https://example.org)"
    fields = {"summary": "Upkeep", "body": body}
    answer = await service.as_("admin").post("/v1/admin/broadcasts", json=fields)
    assert answer.status_code == 200, answer.text
    page = await service.as_("alice").get("/inbox", headers={"Accept": "text/html"})
    excerpts = re.findall(r'jn-excerpt"><bdi>(.*?)</bdi>', page.text)
    assert excerpts == ["from to 22:00 22:40 Save your work"]
