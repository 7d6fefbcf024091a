"""``notify``: what a notebook or a script calls.

A background thread sends, so nothing here waits for the server or fails because of it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from . import fork
from .errors import BadUsage
from .message import compose
from .pictures import picture_of
from .progress import Progress, track
from .send_queue import PendingNotification, SendQueue, import_all, with_key
from .values import to_text

if TYPE_CHECKING:
    from datetime import timedelta

    from typing_extensions import Unpack

    from .discovery import Target
    from .options import Number, Options, ProgressOptions, QuestionOptions
    from .tqdm import tqdm as Tqdm

T = TypeVar("T")


class Notify:
    """Sends notifications to the JupyterLab that this program runs in.

    Without a JupyterLab it logs a single warning, and the program goes on. A wrong option raises
    ``BadUsage``, a ``ValueError``, at once.
    """

    def __init__(self) -> None:
        self._url: str | None = None
        self._token_file: str | os.PathLike[str] | None = None
        self._queue: SendQueue | None = None
        self._lock = threading.Lock()
        fork.register(self)

    def __call__(self, message: object, **options: Unpack[Options]) -> PendingNotification:
        """Send a notification, and return at once.

        Parameters
        ----------
        message
            The summary; any object, which is converted with ``str``.
        options
            See ``Options``.

        Returns
        -------
        PendingNotification
            An object with the result, once the background thread has sent the notification.
        """
        fields, picture = _with_picture(options)
        return self.queue.submit(with_key(compose(message, **fields)), picture)

    async def asend(self, message: object, **options: Unpack[Options]) -> str | None:
        """Send a notification and wait until it is stored, without blocking the event loop.

        Returns
        -------
        str or None
            The notification's id; None if there is no server to send it to, which is logged once.
        """
        import asyncio

        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        sent = self(message, **options)

        def wake() -> None:
            # The event loop may have closed while the message was being sent.
            if not loop.is_closed():
                loop.call_soon_threadsafe(done.set)

        sent._when_done(wake)
        await done.wait()
        return sent.id

    def ask(
        self,
        message: object,
        choices: Iterable[object] = (),
        *,
        text: bool | None = None,
        prompt: object = None,
        timeout: Number | timedelta | None = None,
        **options: Unpack[QuestionOptions],
    ) -> str | None:
        """Ask the user something, and wait for the answer.

        Parameters
        ----------
        message
            The question; anything that has a text.
        choices
            Answers to choose from, each a button.
        text
            Whether an answer can be written; by default where there are no choices.
        prompt
            A text above the answers, if the message itself is not the question.
        timeout
            How many seconds to wait, or a ``timedelta``; by default as long as it takes.
        options
            See ``QuestionOptions``. A question stays in sight unless an option says otherwise.

        Returns
        -------
        str or None
            The answer. None if the user dismisses the question, if it is revoked, if nobody
            answers in time (the question then vanishes), or if it cannot be sent, which is logged
            as a warning.
        """
        import_all()
        with fork.importing():
            from .asking import ask

        fields, picture = _with_picture(options)
        return ask(
            self._find,
            message,
            choices,
            text=text,
            prompt=prompt,
            timeout=timeout,
            picture=picture,
            **fields,
        )

    def progress(
        self, title: object, total: float | None = None, **options: Unpack[ProgressOptions]
    ) -> Progress:
        """Return a progress notification, for use in a ``with`` statement.

        Parameters
        ----------
        title
            The title.
        total
            How much there is to do, if that is known.
        options
            See ``ProgressOptions``.
        """
        return Progress(self.queue, title, total, **options)

    def track(
        self,
        iterable: Iterable[T],
        title: object = "Progress",
        total: float | None = None,
        **options: Unpack[ProgressOptions],
    ) -> Iterator[T]:
        """Iterate over ``iterable`` and show the progress of the loop.

        Parameters
        ----------
        iterable
            The items.
        title
            The title.
        total
            The number of items; by default ``len(iterable)``, if it has one.
        options
            See ``ProgressOptions``.
        """
        return track(self.queue, iterable, title, total, **options)

    @property
    def tqdm(self) -> type[Tqdm]:
        """The class of ``jupyter_notify.tqdm``, imported on first use."""
        with fork.importing():
            from .tqdm import tqdm

        return tqdm

    def revoke(self, id_or_key: object, source: str | None = None) -> PendingNotification:
        """Revoke a notification.

        Parameters
        ----------
        id_or_key
            Its id or its key.
        source
            Its source, if it was sent with one.
        """
        which = to_text(id_or_key, "id or key")
        if not which:
            raise BadUsage("Give the id or the key of the notification to revoke.")
        return self.queue.revoke(which, source)

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Wait until everything is sent; return False if that takes longer than the timeout."""
        return self.queue.flush(timeout_s)

    def configure(
        self,
        url: str | None = None,
        token_file: str | os.PathLike[str] | None = None,
    ) -> None:
        """Send to a given server instead of the one that discovery finds.

        Parameters
        ----------
        url
            The server's base URL.
        token_file
            A file that holds its token; by default the token is in ``JUPYTER_NOTIFY_TOKEN``.
        """
        if url is not None:
            import_all()
            from .discovery import find

            # A wrong URL must raise here: in the background thread nobody would notice.
            find(url, token_file)
        with self._lock:
            before, self._queue = self._queue, None
            self._url, self._token_file = url, token_file
        if before is not None:
            before.close()

    @property
    def queue(self) -> SendQueue:
        """The queue and the background thread of this process."""
        with self._lock:
            if self._queue is None:
                self._queue = SendQueue(self._find)
            return self._queue

    def before_fork(self) -> None:
        """Do nothing: the lock is never held for long."""

    def after_fork_in_parent(self) -> None:
        """Do nothing."""

    def after_fork_in_child(self) -> None:
        """Create a new lock: another thread of the parent may have held this one."""
        self._lock = threading.Lock()

    def _find(self) -> Target:
        from .discovery import find

        return find(self._url, self._token_file)


def _with_picture(options: Mapping[str, Any]) -> tuple[dict[str, Any], bytes | None]:
    """Return the options of a message without its picture, and the picture's bytes.

    A picture that cannot be drawn or is too large is left out, with a warning.
    """
    fields = dict(options)
    image = fields.pop("image", None)
    if image is None:
        return fields, None
    return fields, picture_of(image)


notify = Notify()
