"""``…/ingest/…/image``, ``…/image/…``: pictures of notifications, from senders and to tabs."""

from __future__ import annotations

import time

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..exceptions import Busy, TooLarge
from ..limits import MAX_IMAGE_BYTES, MAX_UPLOADS
from ..manager import NotificationManager
from ..rate_limit import RateLimit
from .base import ImageHandler, with_errors
from .ingest import _Ingest

#: Seconds that a picture may take to arrive while others wait for its place.
UPLOAD_S = 10.0


class Uploads:
    """The pictures that are arriving, which take memory until they are stored."""

    def __init__(self) -> None:
        #: When each began, in monotonic seconds, the earliest first.
        self._began: dict[IngestPictureHandler, float] = {}

    def take_place(self, upload: IngestPictureHandler) -> bool:
        """Return whether a picture may arrive; one that takes too long makes room for it."""
        now = time.monotonic()
        if len(self._began) >= MAX_UPLOADS:
            slowest = next(iter(self._began))
            if now - self._began[slowest] < UPLOAD_S:
                return False
            slowest.refuse()
        self._began[upload] = now
        return True

    def leave(self, upload: IngestPictureHandler) -> None:
        """Make room for another."""
        self._began.pop(upload, None)


class IngestPictureHandler(_Ingest):
    """Set or remove a message's picture."""

    max_body = MAX_IMAGE_BYTES
    _is_known = False
    _is_refused = False

    def initialize(  # type: ignore[override]  # the other handlers count no uploads
        self, manager: NotificationManager, rate_limit: RateLimit, uploads: Uploads
    ) -> None:
        """Take the manager, the limit and the counter from the route."""
        super().initialize(manager, rate_limit)
        self._uploads = uploads

    def data_received(self, chunk: bytes) -> None:
        """Keep the body as it arrives, unless too many other pictures are arriving."""
        if not self._is_known:
            self._is_known = True
            self._is_refused = not self._uploads.take_place(self)
        super().data_received(chunk)
        if self._is_refused:
            self._body = b""

    def refuse(self) -> None:
        """Give the place to another picture, and forget what has arrived."""
        self._is_refused = True
        self._body = b""
        self._uploads.leave(self)

    def on_finish(self) -> None:
        """Make room for another."""
        self._uploads.leave(self)
        super().on_finish()

    def on_connection_close(self) -> None:
        """Make room for another."""
        self._uploads.leave(self)
        super().on_connection_close()

    def too_large(self) -> TooLarge:
        """Return the error for a picture of too many bytes."""
        from ..pictures import too_many_bytes

        return too_many_bytes()

    @web.authenticated
    @authorized
    @with_errors
    async def put(self, name: str) -> None:
        """Answer with ``models.Receipt`` once the picture is committed."""
        self.count()
        source = self.named_message(name)
        if self._is_refused:
            raise Busy("Too many pictures arrive at once; try again in a few seconds.")
        self.receipt(await self.manager.set_picture(name, source or self.source(), self.body()))

    @web.authenticated
    @authorized
    @with_errors
    async def delete(self, name: str) -> None:
        """Remove the picture; answer with ``models.Receipt``."""
        self.count()
        source = self.named_message(name)
        self.receipt(await self.manager.set_picture(name, source or self.source(), None))


class PictureHandler(ImageHandler):
    """The picture of one notification."""

    @web.authenticated
    @authorized
    @with_errors
    async def get(self, id_: str, version: str) -> None:
        """Answer with the picture, which never changes under the same URL."""
        data, media_type = await self.manager.picture(id_, version)
        self.finish_image(data, media_type, "max-age=31536000, immutable")
