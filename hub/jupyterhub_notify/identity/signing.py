"""Signs values that leave the service in a cookie or header and must come back unchanged."""

from __future__ import annotations

import base64
import hashlib
import hmac

__all__ = ["Signer"]


class Signer:
    """Signs values with a secret that all replicas share.

    Parameters
    ----------
    secret
        The secret; the service's token at the Hub, which every replica has.
    """

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"jupyterhub-notify\0" + secret.encode()).digest()

    def digest(self, purpose: str, value: str) -> str:
        """Return the signature of a value, for one purpose."""
        message = f"{purpose}\0{value}".encode("utf-8", "replace")
        signature = hmac.new(self._key, message, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(signature).decode().rstrip("=")

    def sign(self, purpose: str, value: str) -> str:
        """Return a value with its signature, in the characters that a cookie may have."""
        encoded = base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")
        return f"{encoded}.{self.digest(purpose, value)}"

    def value(self, purpose: str, signed: str) -> str | None:
        """Return the value that was signed for this purpose, or None if it was not."""
        encoded, _, signature = signed.partition(".")
        try:
            value = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
        except ValueError:
            return None
        return value if self.same(self.digest(purpose, value), signature) else None

    @staticmethod
    def same(one: str, other: str) -> bool:
        """Return whether two strings are equal; the time does not reveal where they differ."""
        return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))
