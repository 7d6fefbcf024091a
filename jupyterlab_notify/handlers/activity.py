"""``…/activity``: the user asks for the server to be kept running."""

from __future__ import annotations

import time
from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..exceptions import TooSoon
from .base import BodyHandler, with_errors

#: The name of the application setting that holds the interval, in seconds.
INTERVAL_SETTING = "jupyterlab_notify_keep_running_interval"
_LAST_SETTING = "jupyterlab_notify_kept_running"


class ActivityHandler(BodyHandler):
    """The only request of ours that counts as user activity, because the user asked for it."""

    _track_activity = True

    @web.authenticated
    @authorized
    @with_errors
    async def post(self) -> None:
        """Record activity, which the server reports to a hub like any other."""
        interval_s = float(self.settings.get(INTERVAL_SETTING, 0))
        last = self.settings.get(_LAST_SETTING)
        left_s = 0.0 if last is None else last + interval_s - time.monotonic()
        if left_s > 0:
            self._track_activity = False
            minutes = max(1, round(left_s / 60))
            raise TooSoon(
                "This server was kept running a moment ago; it may be again in "
                f"{minutes} {'minute' if minutes == 1 else 'minutes'}.",
                left_s,
            )
        self.settings[_LAST_SETTING] = time.monotonic()
        self.set_status(HTTPStatus.OK)
        self.answer({"success": True})
