"""``…/welcome``: the messages shown on start, and changes of their state."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..exceptions import BadRequest, NotFound
from ..validation import validate
from .base import BodyHandler, ImageHandler, with_errors


class WelcomeHandler(BodyHandler):
    """The welcome messages."""

    @web.authenticated
    @authorized
    @with_errors
    async def get(self) -> None:
        """Answer with ``models.Welcome``."""
        every = self.query_argument("all", 5)
        if every not in (None, "true", "false"):
            raise BadRequest("The query parameter all must be true or false.")
        self.answer(await self.manager.welcome(every=every == "true"))


class WelcomeSeenHandler(BodyHandler):
    """Counting of views."""

    @web.authenticated
    @authorized
    @with_errors
    async def post(self) -> None:
        """Answer with ``models.WelcomeVersion``."""
        from ..models import WelcomeIds

        seen: WelcomeIds = validate(WelcomeIds, self.json())
        self.answer(await self.manager.record_views(seen.ids))


class WelcomeDismissHandler(BodyHandler):
    """Dismissal for good."""

    @web.authenticated
    @authorized
    @with_errors
    async def post(self) -> None:
        """Answer with ``models.WelcomeVersion``."""
        from ..models import WelcomeDismissal

        dismissal: WelcomeDismissal = validate(WelcomeDismissal, self.json())
        self.answer(await self.manager.dismiss_welcome(dismissal.ids))


class WelcomeAcceptHandler(BodyHandler):
    """Acceptance of what must be accepted."""

    @web.authenticated
    @authorized
    @with_errors
    async def post(self) -> None:
        """Answer with ``models.WelcomeVersion``."""
        from ..models import WelcomeIds

        accepted: WelcomeIds = validate(WelcomeIds, self.json())
        self.answer(await self.manager.accept_welcome(accepted.ids))


class WelcomeResetHandler(BodyHandler):
    """Reset to the state of a new user."""

    @web.authenticated
    @authorized
    @with_errors
    async def post(self) -> None:
        """Answer with ``models.WelcomeVersion``."""
        self.json()
        self.answer(await self.manager.reset_welcome())


class WelcomeImageHandler(ImageHandler):
    """The images in the folders of welcome files."""

    @web.authenticated
    @authorized
    @with_errors
    async def get(self, name: str) -> None:
        """Answer with the image."""
        found = await self.manager.find_image(name)
        if found is None:
            raise NotFound("There is no such image beside a welcome message.")
        image, media_type = found
        self.finish_image(image, media_type, "max-age=60")
