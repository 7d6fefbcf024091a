"""A lab and a central service whose clocks are five minutes apart."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ...support.central_lab import rows
from ...support.servers import Server, wait_for
from ...support.service import Service, follows, lab_beside, row_of

FIVE_MINUTES_S = 300.0
#: Less than this is the time that the test itself takes on a busy machine.
ABOUT_S = 60.0


@pytest.mark.parametrize("ahead_s", [-FIVE_MINUTES_S, FIVE_MINUTES_S], ids=["behind", "ahead"])
def test_what_is_shown_for_some_minutes_is_shown_for_as_long(
    tmp_path: Path, make_server: Callable[..., Server], ahead_s: float
) -> None:
    service = Service(tmp_path / "service", ahead_s=ahead_s)

    def there(**later: float) -> str:
        """Return a time by the service's clock."""
        present = datetime.now(timezone.utc) + timedelta(seconds=ahead_s)
        return (present + timedelta(**later)).isoformat(timespec="seconds")

    def is_about(at: str, seconds: float) -> bool:
        """Return whether a time by the lab's clock is so far from now."""
        return abs(datetime.fromisoformat(at).timestamp() - time.time() - seconds) < ABOUT_S

    try:
        service.start()
        service.broadcast("Listed", ends=there(minutes=3))
        service.send("Sent", expires=there(minutes=3))
        server = lab_beside(service, make_server)
        with server.websocket() as tab:
            follows(server)
            service.broadcast("Streamed", ends=there(minutes=3))
            maintenance = {"maintenance": True, "starts": there(hours=1), "ends": there(hours=2)}
            service.broadcast("Down for an hour", leads_min=[120], banner=True, **maintenance)
            for message in ("Listed", "Sent", "Streamed"):
                assert is_about(row_of(tab, message, read=False)["expiresAt"], 180), message
            row = row_of(tab, "Down for an hour")
            assert is_about(row["countdown"], 3600)
            # A message goes when it is over by the service's clock, whatever this machine's says.
            id_ = service.broadcast("Soon over", ends=there(minutes=3))
            row_of(tab, "Soon over")
            service.ask("PATCH", f"/v1/admin/broadcasts/{id_}", {"ends": there(seconds=2)})
            wait_for(lambda: "Soon over" not in rows(server), "its end")
    finally:
        service.stop()
