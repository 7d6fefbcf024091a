"""Other ways to reach a user who has not read an important message: mail, and what Apprise knows.

`settings` reads ``channels.yaml``; `channel` says what a channel is, `mail` and `apprise` are the
two; `timing` knows quiet hours and digests; `sender` sends. A channel more is a class more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .settings import ChannelSettings

if TYPE_CHECKING:
    from .channel import Channel

__all__ = ["make_channels"]


def make_channels(settings: ChannelSettings) -> list[Channel]:
    """Make a site's channels.

    Parameters
    ----------
    settings
        What ``channels.yaml`` says.

    Returns
    -------
    list of Channel
        One for each.
    """
    # Imported here: only who sends mail needs its library.
    made: list[Channel] = []
    if settings.mail is not None:
        from .mail import MailChannel

        made.append(MailChannel(settings.mail))
    if settings.apprise:
        from .apprise import AppriseChannel

        made.extend(AppriseChannel(one) for one in settings.apprise)
    return made
