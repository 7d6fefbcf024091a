"""Other ways to reach a user who has not read an important message: mail, and what Apprise knows.

`settings` reads ``channels.yaml``; `channel` says what a channel is, `mail` (with `addresses`) and
`apprise` are the two; `timing` knows quiet hours and digests; `spreading` queues messages to many,
whom `audience` finds; `sender` sends what `unread` says is still unread. A channel more is a class
more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .settings import ChannelsError, ChannelSettings

if TYPE_CHECKING:
    from ..hubapi import HubApi
    from .channel import Channel

__all__ = ["make_channels"]


def make_channels(settings: ChannelSettings, hub_api: HubApi | None = None) -> list[Channel]:
    """Make a site's channels.

    Parameters
    ----------
    settings
        What ``channels.yaml`` says.
    hub_api
        The API of the hub, where there is one.

    Returns
    -------
    list of Channel
        One for each.

    Raises
    ------
    ChannelsError
        If they need a hub and there is none.
    """
    # Imported here: only who sends mail needs its library.
    made: list[Channel] = []
    if settings.mail is not None:
        from .addresses import Addresses, HubAddresses
        from .mail import MailChannel

        field, hub = settings.mail.address_from_auth_state, None
        if field is not None:
            if hub_api is None:
                raise ChannelsError("mail.address_from_auth_state: this service has no hub")
            hub = HubAddresses(hub_api, field)
        made.append(MailChannel(settings.mail, Addresses(settings.mail, hub)))
    if settings.apprise:
        from .apprise import AppriseChannel

        made.extend(AppriseChannel(one) for one in settings.apprise)
    return made
