"""Other ways to reach a user who has not read an important message: mail, and Apprise's services.

`settings` reads ``channels.yaml``. `channel` defines what a channel is. `mail` (with `addresses`)
and `apprise` are channels; a further channel would be one more class. `timing` knows quiet hours
and digests. `spreading` queues messages to many users, whom `audience` finds. `sender` sends the
messages that are still unread, as `unread` tells.
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
        The content of ``channels.yaml``.
    hub_api
        The API of the hub, where there is one.

    Returns
    -------
    list of Channel
        The channels.

    Raises
    ------
    ChannelsError
        If a channel needs a hub and there is none.
    """
    # Imported late: only a site that sends mail needs the library for it.
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
