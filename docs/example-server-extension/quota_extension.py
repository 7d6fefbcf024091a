"""An example: an extension of Jupyter Server that tells the user about their quota.

``PUT /quota`` with ``{"used": 0.93}`` stands for whatever it watches; ``GET /quota`` says what
became of its notifications.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.base.handlers import APIHandler
from tornado import web

SOURCE = "quota"


class QuotaHandler(APIHandler):
    """Takes the part of the quota that is used."""

    def initialize(self, notifications: Any, happened: list[str]) -> None:
        """Take what sends notifications, and what was heard of them."""
        self.notifications = notifications
        self.happened = happened

    @web.authenticated
    async def put(self) -> None:
        """Tell the user, once however often it is asked; take it back when there is room."""
        used = self.get_json_body()["used"]
        if used < 0.9:
            await self.notifications.revoke("quota", source=SOURCE)
            self.finish({})
            return
        sent = await self.notifications.update(
            "quota",
            f"{used:.0%} of your quota is used",
            source=SOURCE,
            type="error" if used >= 1 else "warning",
            body="Delete what you no longer need, or ask for more.",
        )
        self.finish({"id": sent.id})

    @web.authenticated
    async def get(self) -> None:
        """Say what happened."""
        self.finish({"happened": self.happened})


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "quota_extension"}]


async def _start_jupyter_server_extension(serverapp: Any) -> None:
    # By now every extension is loaded, whatever their order.
    app = serverapp.web_app.settings.get("jupyterlab_notify")
    if app is None:
        serverapp.log.info("Notifications are not installed; nobody is told of their quota.")
        return
    happened: list[str] = []
    app.notifications.observe(lambda action, ids: happened.append(action))
    base = serverapp.web_app.settings["base_url"]
    parts = {"notifications": app.notifications, "happened": happened}
    serverapp.web_app.add_handlers(".*$", [(f"{base}quota", QuotaHandler, parts)])
