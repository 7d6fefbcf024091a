"""A lab without an event stream finds by polling what has changed under the same id."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ...support.polling_proxy import polling_proxy
from ...support.servers import Server, wait_for
from ...support.service import Service, lab_beside, row_of

NOTIFICATIONS = "/v1/services/admin/notifications"


def lab_of_nublado(
    mounts: Path, url: str, service: Service, make_server: Callable[..., Server]
) -> Server:
    """Start a lab as in an image of the Rubin Science Platform: Nublado's files say all of it."""
    (mounts / "discovery").mkdir()
    found = {"services": {"internal": {"semaphore": {"url": url}}}}
    (mounts / "discovery" / "v1.json").write_text(json.dumps(found))
    (mounts / "secrets").mkdir()
    (mounts / "secrets" / "token").write_text(service.user)
    return make_server(
        config={"NotifyApp": {"central_url": "nublado", "central_interval": 0.2}},
        env={"NUBLADO_RUNTIME_MOUNTS_DIR": str(mounts)},
    )


@pytest.mark.parametrize("etags", [True, False], ids=["etags", "as-semaphore"])
def test_what_a_sender_changes_is_changed_in_the_tab(
    tmp_path: Path, make_server: Callable[..., Server], service: Service, etags: bool
) -> None:
    with polling_proxy(service.url, etags=etags) as url:
        if etags:
            server = lab_beside(service, make_server, url=url, interval_s=0.2)
        else:
            server = lab_of_nublado(tmp_path, url, service, make_server)
        with server.websocket() as tab:
            service.send("Quota at 80 %", key="quota", body="Delete *something*.")
            service.send("Stays", key="stays")
            row = row_of(tab, "Quota at 80 %")
            row_of(tab, "Stays")
            assert not server.status()["central"]["events"]
            # The same key says something else, in the same place.
            service.send("Quota at 90 %", key="quota", body="Delete *more*.", type="warning")
            changed = row_of(tab, "Quota at 90 %", read=False)
            assert (changed["id"], changed["type"]) == (row["id"], "warning")
            assert server.detail(row["id"])["body"] == "Delete *more*."
            # A change that the list does not show.
            service.ask("PATCH", f"{NOTIFICATIONS}/quota", {"body": "Delete *all*."})
            wait_for(lambda: server.detail(row["id"])["body"] == "Delete *all*.", "the body")
            assert server.page()["counts"]["inbox"] == 2
            if etags:
                # A service that says that something has changed is asked for read messages too.
                server.change(row["id"], read=True)
                wait_for(lambda: "Quota at 90 %" not in service.unread(), "the service to know")
                service.ask("PATCH", f"{NOTIFICATIONS}/quota", {"summary": "Quota at 95 %"})
                row_of(tab, "Quota at 95 %", read=True)
        for key in ("quota", "stays"):
            service.ask("DELETE", f"{NOTIFICATIONS}/{key}")
