"""Mail by SMTP."""

from __future__ import annotations

import hashlib
import html
import ssl
from email.message import EmailMessage
from email.utils import formatdate

import aiosmtplib

from .addresses import Addresses
from .channel import ChannelError, Letter, NoAddress
from .settings import MailSettings

__all__ = ["MailChannel"]


class MailChannel:
    """Sends mail.

    Parameters
    ----------
    settings
        The settings of the mail server.
    addresses
        The users' addresses.
    """

    name = "mail"

    def __init__(self, settings: MailSettings, addresses: Addresses) -> None:
        self._settings = settings
        self._addresses = addresses

    def may_reach(self, user: str) -> bool:
        """Tell, without asking the Hub, whether this user may have an address."""
        return self._addresses.may_have(user)

    async def reaches(self, user: str) -> bool:
        """Tell whether this user has an address."""
        return await self._addresses.of(user) is not None

    async def send(self, letter: Letter) -> None:
        """Send one mail."""
        address = await self._addresses.of(letter.user)
        if address is None:
            raise NoAddress
        settings = self._settings
        try:
            await aiosmtplib.send(
                self._mail(letter, address),
                # Given here, so that the library takes no recipient from a header.
                recipients=[address],
                hostname=settings.host,
                port=settings.port,
                username=settings.username,
                password=settings.password,
                start_tls=settings.starttls,
                timeout=settings.timeout_s,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [refused.code for refused in error.recipients]
            permanent = all(code >= 500 for code in codes)
            raise ChannelError(
                f"the address is refused ({codes[0]})", permanent=permanent
            ) from None
        except aiosmtplib.SMTPNotSupported:
            reason = "the mail server takes no address that is not ASCII"
            raise ChannelError(reason, permanent=not address.isascii()) from None
        except aiosmtplib.SMTPResponseException as error:
            # The server's own text may quote an address or the message.
            raise ChannelError(f"the mail server answers {error.code}") from None
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as error:
            reason = f"cannot be reached: {type(error).__name__}"
            # These two errors differ only in the library's text. A mail that must be encrypted is
            # not sent otherwise.
            for name in ("STARTTLS", "AUTH"):
                if type(error) is aiosmtplib.SMTPException and name in str(error):
                    reason = f"does not offer {name}"
            raise ChannelError(f"the mail server {reason}") from None

    def _mail(self, letter: Letter, address: str) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._settings.sender
        mail["To"] = address
        # "=?" would begin an encoded word, which may hold a line end.
        mail["Subject"] = letter.title[:200].replace("=?", "= ?")
        mail["Date"] = formatdate(usegmt=True)
        # The same for every try, so that a mail server can recognise a duplicate.
        domain = self._settings.sender.rpartition("@")[2].strip("> ")
        digest = hashlib.sha256(letter.key.encode()).hexdigest()[:32]
        mail["Message-ID"] = f"<{digest}@{domain}>"
        # This header suppresses out-of-office replies.
        mail["Auto-Submitted"] = "auto-generated"
        if letter.unsubscribe:
            mail["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        mail.set_content(letter.text)
        mail.add_alternative(self._html(letter), subtype="html")
        return mail

    def _html(self, letter: Letter) -> str:
        parts = [message.html for message in letter.messages]
        if letter.inbox:
            parts.append(f'<p><a href="{html.escape(letter.inbox)}">Your messages</a></p>')
        if letter.unsubscribe:
            link = html.escape(letter.unsubscribe)
            parts.append(f'<p><a href="{link}">No more of these</a></p>')
        return "<hr>\n".join(parts)
