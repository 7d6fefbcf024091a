"""The choice of the identity provider, by the environment: ``JUPYTERHUB_NOTIFY_<NAME>``."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from .caller import ANONYMOUS, Caller, IdentityProvider, Unauthenticated
from .credentials import bearer_token
from .proxy import ProxyIdentity
from .token_file import TokenFile, TokenFileIdentity

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.routing import BaseRoute

    from .hub import HubAdapter

__all__ = ["IdentitySettings", "hub_of", "make_identity"]

PROVIDERS = ("hub", "proxy", "token-file")


class IdentitySettings(BaseSettings):
    """The settings of a site; lists are words with commas between."""

    model_config = SettingsConfigDict(
        env_prefix="JUPYTERHUB_NOTIFY_", env_ignore_empty=True, extra="ignore"
    )

    identity: Annotated[
        str,
        Field(
            title="Identity",
            description="Sources of callers' names: 'hub', 'proxy', 'token-file', or several with"
            " commas between; by default the hub where JUPYTERHUB_API_TOKEN is set, else the token"
            " file",
        ),
    ] = ""
    tokens: Annotated[Path, Field(title="Token file", description="The file of hashed tokens")] = (
        Path("jupyterhub-notify-tokens.json")
    )
    hub_lookups: Annotated[
        int,
        Field(title="Look-ups", description="Tokens that are looked up at the Hub at a time", ge=1),
    ] = 10
    cache_max_age: Annotated[
        float,
        Field(
            title="Kept look-ups",
            description="Seconds for which the Hub's answer about a token is kept",
            ge=0,
        ),
    ] = 300
    proxy_peers: Annotated[
        str,
        Field(
            title="Trusted proxies",
            description="Addresses and networks whose user header is believed",
        ),
    ] = ""
    proxy_user_header: Annotated[
        str, Field(title="User header", description="The header with the user's name")
    ] = "X-Auth-Request-User"
    proxy_groups_header: Annotated[
        str, Field(title="Groups header", description="The header with the user's groups")
    ] = "X-Auth-Request-Groups"
    proxy_admins: Annotated[
        str, Field(title="Administrators", description="Users of the proxy's who administer")
    ] = ""
    proxy_admin_groups: Annotated[
        str, Field(title="Administrators' groups", description="Groups whose users administer")
    ] = ""
    proxy_checks_routes: Annotated[
        bool,
        Field(
            title="The proxy checks routes",
            description="Whoever the proxy lets through to /v1/admin administers, and to"
            " /v1/services publishes under their own name, as behind Gafaelfawr",
        ),
    ] = False

    @field_validator("identity")
    @classmethod
    def _known(cls, value: str) -> str:
        for word in _words(value):
            if word not in PROVIDERS:
                raise ValueError(f"must be of {', '.join(PROVIDERS)}, not {word!r}")
        return value

    @field_validator("proxy_peers")
    @classmethod
    def _networks(cls, value: str) -> str:
        for word in _words(value):
            ipaddress.ip_network(word, strict=False)
        return value

    def providers(self) -> list[str]:
        """Return the providers' names, in the order in which they are asked."""
        chosen = _words(self.identity)
        if chosen:
            # The hub comes last: tokens of the token file are recognised by their prefix, and the
            # Hub is asked about all others.
            return sorted(set(chosen), key=("proxy", "token-file", "hub").index)
        return ["hub" if os.environ.get("JUPYTERHUB_API_TOKEN") else "token-file"]


def _words(value: str) -> list[str]:
    return [word for word in (part.strip() for part in value.split(",")) if word]


def make_identity(settings: IdentitySettings | None = None) -> IdentityProvider:
    """Return the provider that the settings choose.

    Raises
    ------
    ValueError
        If a setting that a chosen provider needs is missing.
    """
    settings = settings or IdentitySettings()
    names = settings.providers()
    providers = [_make(name, settings, alone=len(names) == 1) for name in names]
    return providers[0] if len(providers) == 1 else FirstOf(providers)


def hub_of(identity: IdentityProvider) -> HubAdapter | None:
    """Return the Hub that a provider asks; None if it asks no hub."""
    providers = identity.providers if isinstance(identity, FirstOf) else [identity]
    return next((p.hub for p in providers if hasattr(p, "hub")), None)


def _make(name: str, settings: IdentitySettings, *, alone: bool) -> IdentityProvider:
    if name == "token-file":
        return TokenFileIdentity(TokenFile(settings.tokens), only_ours=not alone)
    if name == "proxy":
        if not _words(settings.proxy_peers):
            raise ValueError(
                "Identities of a proxy need JUPYTERHUB_NOTIFY_PROXY_PEERS: the addresses that the "
                "proxy asks from."
            )
        return ProxyIdentity(
            _words(settings.proxy_peers),
            user_header=settings.proxy_user_header,
            groups_header=settings.proxy_groups_header,
            admins=_words(settings.proxy_admins),
            admin_groups=_words(settings.proxy_admin_groups),
            routes_are_checked=settings.proxy_checks_routes,
        )
    try:
        from .hub import HubAdapter
        from .jupyterhub import JupyterHubIdentity
    except ImportError as error:
        raise ValueError(
            f"Identities of a hub need the package jupyterhub ({error.name} is missing): "
            "pip install 'jupyterhub-notify-center[hub]'."
        ) from None
    if not os.environ.get("JUPYTERHUB_API_TOKEN"):
        raise ValueError("Identities of a hub need JUPYTERHUB_API_TOKEN, the service's token.")
    return JupyterHubIdentity(
        HubAdapter(), at_once=settings.hub_lookups, max_age_s=settings.cache_max_age
    )


class FirstOf:
    """Asks several providers in turn; the first that knows the caller answers.

    Parameters
    ----------
    providers
        The providers; pages use the login of the first that has one.
    """

    def __init__(self, providers: Sequence[IdentityProvider]) -> None:
        self.providers = providers

    async def identify(self, connection: HTTPConnection) -> Caller:
        """Return the caller of this request; see `IdentityProvider.identify`."""
        for provider in self.providers:
            caller = await provider.identify(connection)
            if not caller.is_anonymous:
                return caller
        if bearer_token(connection) is not None:
            raise Unauthenticated("This token is not known.")
        return ANONYMOUS

    def login_url(self, connection: HTTPConnection) -> str | None:
        """Return the login's address of the first provider that has a login."""
        urls = (provider.login_url(connection) for provider in self.providers)
        return next((url for url in urls if url is not None), None)

    def xsrf_token(self, connection: HTTPConnection) -> str:
        """Return the XSRF token of the first provider that has one."""
        tokens = (provider.xsrf_token(connection) for provider in self.providers)
        return next((token for token in tokens if token), "")

    def routes(self) -> Sequence[BaseRoute]:
        """Return the routes of all providers."""
        return [route for provider in self.providers for route in provider.routes()]

    async def start(self) -> None:
        """Start all providers."""
        for provider in self.providers:
            await provider.start()

    async def stop(self) -> None:
        """Stop all providers."""
        for provider in self.providers:
            await provider.stop()
