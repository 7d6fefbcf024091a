"""The only module that uses JupyterHub's own library, and only its asynchronous calls."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import structlog
from jupyterhub.services.auth import HubOAuth
from jupyterhub.utils import make_ssl_context
from tornado.web import HTTPError

from ..hubapi import HubApi, HubUnreachable, path
from .caller import IdentityUnavailable, Unauthenticated

__all__ = ["HubAdapter", "Login"]

#: Time in seconds that the Hub may take for one answer.
TIMEOUT_S = 10.0
RETRY_AFTER_S = 5

#: Beginnings of the note of a server's token: of one that the Hub made at the server's start, or of
#: an earlier one with which the spawner resumed the server.
SERVER_NOTES = ("Server at ", "retrieved from spawner ")
#: The OAuth client of tokens that users have requested from the Hub themselves.
OWN_CLIENT = "JupyterHub"
#: The beginning of the library's message if the Hub refused.
REFUSED = "Failed to check authorization"


@dataclass(frozen=True, slots=True)
class Login:
    """A login that has begun; it is kept until the browser comes back.

    Parameters
    ----------
    url
        The address to which the browser is sent.
    verifier
        The proof that the same browser ends the login (PKCE); None if the library has no PKCE.
    """

    url: str
    verifier: str | None


class HubAdapter:
    """The Hub's part in identities: the owners of tokens, and logins.

    Parameters
    ----------
    service
        The service's name at the Hub; used for values that are missing in the environment.
    options
        Values that replace those of the environment: `api_url`, `api_token`, `base_url` and more.
    """

    def __init__(
        self, *, service: str = "notify", options: Mapping[str, Any] | None = None
    ) -> None:
        values = dict(options or {})
        if not os.environ.get("JUPYTERHUB_CLIENT_ID"):
            values.setdefault("oauth_client_id", f"service-{service}")
        if not os.environ.get("JUPYTERHUB_SERVICE_PREFIX"):
            root = (os.environ.get("JUPYTERHUB_BASE_URL") or "/").rstrip("/")
            values.setdefault("base_url", f"{root}/services/{service}/")
        if not os.environ.get("JUPYTERHUB_OAUTH_ACCESS_SCOPES"):
            values.setdefault("access_scopes", {f"access:services!service={service}"})
        self._auth = HubOAuth(**values)
        self._log = structlog.get_logger("jupyterhub_notify.identity")
        self._unreachable = False
        self.api = HubApi(self.api_url, self.api_token, trust=self._trust())
        # The library logs each failure with a traceback. `_unavailable` logs it once.
        logging.getLogger("tornado.application").setLevel(logging.CRITICAL)

    @property
    def api_url(self) -> str:
        """The address of the Hub's API, without a slash at its end."""
        return str(self._auth.api_url).rstrip("/")

    @property
    def api_token(self) -> str:
        """The service's own token."""
        return str(self._auth.api_token)

    @property
    def base_url(self) -> str:
        """The path of the service, with a slash at its end."""
        return str(self._auth.base_url)

    @property
    def cookie_name(self) -> str:
        """The name of the cookie that holds a login."""
        return str(self._auth.cookie_name)

    @property
    def cookie_path(self) -> str:
        """The path of that cookie."""
        return str(self._auth.cookie_path)

    @property
    def cookie_options(self) -> dict[str, Any]:
        """More attributes of that cookie, as the hub's administrator set them."""
        return dict(self._auth.cookie_options)

    def admits(self, scopes: set[str]) -> bool:
        """Return whether scopes let their holder reach this service."""
        return bool(self._auth.check_scopes(self._auth.access_scopes, {"scopes": scopes}))

    def _trust(self) -> ssl.SSLContext | None:
        auth = self._auth
        if not (auth.keyfile or auth.certfile):
            return None
        context: ssl.SSLContext = make_ssl_context(
            auth.keyfile, auth.certfile, cafile=auth.client_ca
        )
        return context

    async def user(self, token: str) -> dict[str, Any] | None:
        """Return the Hub's model of a token's owner with the token's scopes; None if unknown.

        Raises
        ------
        IdentityUnavailable
            If the Hub does not answer.
        """
        try:
            model = await self._asked(self._auth.user_for_token(token, use_cache=False, sync=False))
        except HTTPError:
            raise self._unavailable() from None
        return model if isinstance(model, dict) and isinstance(model.get("name"), str) else None

    async def belongs_to_a_server(self, token: str, model: Mapping[str, Any]) -> bool:
        """Return whether a user's token belongs to a server, or to a login at another service.

        A token that may administer can read its own description. It is used for that question
        itself, so that this service needs no scope to read tokens. A token with fewer scopes is
        judged by its scopes.
        """
        try:
            about = await self.api.request(
                "GET",
                path("users", str(model["name"]), "tokens", str(model.get("token_id"))),
                token=token,
            )
        except HubUnreachable:
            raise self._unavailable() from None
        if about.ok and isinstance(about.body, dict):
            note = str(about.body.get("note") or "")
            client = about.body.get("oauth_client") or OWN_CLIENT
            return note.startswith(SERVER_NOTES) or client != OWN_CLIENT
        return any(scope.startswith("access:servers!server=") for scope in model["scopes"])

    def begin_login(self, state: str) -> Login:
        """Begin a login, and return where to send the browser."""
        query = {"state": state}
        verifier = None
        if hasattr(self._auth, "generate_pkce_code_challenge"):
            verifier, challenge, method = self._auth.generate_pkce_code_challenge()
            query.update(code_challenge=challenge, code_challenge_method=method)
        url = str(self._auth.login_url)
        return Login(f"{url}{'&' if '?' in url else '?'}{urlencode(query)}", verifier)

    async def end_login(self, code: str, verifier: str | None) -> str:
        """Return the token that the Hub gives for the code of a login.

        Raises
        ------
        Unauthenticated
            If the Hub does not accept the code.
        IdentityUnavailable
            If the Hub does not answer.
        """
        # Only versions of the library with PKCE accept a verifier.
        proof = {} if verifier is None else {"code_verifier": verifier}
        try:
            return str(await self._asked(self._auth.token_for_code(code, sync=False, **proof)))
        except HTTPError:
            raise Unauthenticated("The Hub did not take this login: begin it again.") from None

    async def close(self) -> None:
        """Close the connections to the Hub."""
        await self.api.close()
        # Since JupyterHub 6 the library has an HTTP client of its own for each event loop.
        with suppress(ImportError):
            from jupyterhub.httpclient import JupyterHubHTTPClient

            await JupyterHubHTTPClient.loop_instance().close()

    async def _asked(self, question: Awaitable[Any]) -> Any:
        """Await an answer; raise `HTTPError` for a refusal, `IdentityUnavailable` for none."""
        try:
            answer = await asyncio.wait_for(question, TIMEOUT_S)
        except HTTPError as error:
            # The library's errors of a refusal and of no answer differ only in their text.
            if error.status_code == 500 and str(error.log_message).startswith(REFUSED):
                raise
            raise self._unavailable() from None
        except (OSError, asyncio.TimeoutError, ValueError, KeyError):
            raise self._unavailable() from None
        if self._unreachable:
            self._log.info("The Hub says again who asks.", api_url=self.api_url)
        self._unreachable = False
        return answer

    def _unavailable(self) -> IdentityUnavailable:
        if not self._unreachable:
            self._log.warning("The Hub does not say who asks.", api_url=self.api_url)
        self._unreachable = True
        return IdentityUnavailable(
            "The Hub does not say who asks; try again.", retry_after_s=RETRY_AFTER_S
        )
