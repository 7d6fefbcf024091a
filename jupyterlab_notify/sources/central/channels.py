"""The user's choice of the service's other channels, such as mail: read and changed there.

Nothing is stored here. The service is asked when the user opens the settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...exceptions import BadRequest
from .failure import Failure
from .session import CentralSession

if TYPE_CHECKING:
    from ...models import ChannelsChange

#: The service's names for the fields of ``models.ChannelsChange``.
FIELDS = {
    "on": "on",
    "digest": "digest",
    "quietFrom": "quiet_from",
    "quietUntil": "quiet_until",
    "timezone": "timezone",
}


class ChannelChoices:
    """Asks the service on the user's behalf.

    Parameters
    ----------
    session
        The service, with the user's token.
    """

    def __init__(self, session: CentralSession) -> None:
        self._session = session

    async def ask(self, change: ChannelsChange | None) -> dict[str, Any] | None:
        """Return the user's channels in the shape of ``models.Channels``; None if there are none.

        Parameters
        ----------
        change
            What to change first; None changes nothing.

        Raises
        ------
        BadRequest
            If the service does not accept the change.
        Unavailable
            If the service does not answer now.
        """
        session = self._session
        session.check_not_paused()
        try:
            await session.learn_features()
            if not session.has("channels"):
                return None
            channels, notice = await session.client.channels(
                None if change is None else _named(change)
            )
        except Failure as failure:
            if failure.status == 422:
                raise BadRequest(
                    "The central service does not know such a channel or time zone."
                ) from None
            raise session.unavailable(failure) from None
        session.notices["channels"] = notice
        return channels


def _named(change: ChannelsChange) -> dict[str, Any]:
    return {FIELDS[name]: getattr(change, name) for name in change.model_fields_set}
