"""Reads `jupyterhub_config.py` as the hub does, and looks for what `configure(c)` has set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..models.doctor import Problem
from .requirements import (
    ACCESS,
    BOT,
    BOT_SCOPES,
    CENTRAL_URL,
    CUSTOM_SCOPES,
    LAST_LINES,
    SERVICE,
    SERVICE_SCOPES,
    no_bot,
)

__all__ = ["ConfigFileError", "problems_of"]


class ConfigFileError(Exception):
    """The file cannot be read; `str()` is one sentence."""


def problems_of(file: Path) -> list[Problem]:
    """Return what is missing in a hub's configuration.

    The file is run, as the hub runs it.

    Raises
    ------
    ConfigFileError
        If the file cannot be run.
    """
    try:
        from traitlets.config.loader import PyFileConfigLoader
    except ImportError:
        raise ConfigFileError(
            "Reading a hub's configuration needs traitlets: run this where the hub is installed."
        ) from None
    try:
        c = PyFileConfigLoader(file.name, path=str(file.parent.resolve())).load_config()
    except Exception as error:
        raise ConfigFileError(f"{file} fails: {type(error).__name__}: {error}") from None
    return [*_service(c), *_roles(c), *_user_role(c), *_token_scopes(c), *_environment(c)]


def _problem(what: Any, problem: str) -> Problem:
    return Problem(what=what, problem=problem, remedy=LAST_LINES)


def _plain(section: Mapping[str, Any], name: str, empty: Any) -> Any:
    value = section.get(name, empty)
    return value.get_value(empty) if hasattr(value, "get_value") else value


def _service(c: Any) -> Iterator[Problem]:
    names = [s.get("name") for s in _plain(c.JupyterHub, "services", [])]
    if SERVICE not in names:
        yield _problem("service", f"c.JupyterHub.services has no service named {SERVICE!r}.")
    defined = _plain(c.JupyterHub, "custom_scopes", {})
    missing = [scope for scope in CUSTOM_SCOPES if scope not in defined]
    if missing:
        yield _problem("scopes", f"c.JupyterHub.custom_scopes lacks {', '.join(missing)}.")


def _role(c: Any, name: str) -> Mapping[str, Any] | None:
    roles = [r for r in _plain(c.JupyterHub, "load_roles", []) if r.get("name") == name]
    return roles[0] if roles else None


def _roles(c: Any) -> Iterator[Problem]:
    role = _role(c, SERVICE)
    if role is None or SERVICE not in role.get("services", ()):
        yield _problem("roles", f"c.JupyterHub.load_roles gives the service {SERVICE!r} no role.")
    else:
        missing = [s for s in SERVICE_SCOPES if s not in role.get("scopes", ())]
        if missing:
            yield _problem("scopes", f"The role {SERVICE!r} lacks {', '.join(missing)}.")
    bot = _role(c, BOT)
    if bot is None or not set(BOT_SCOPES).issubset(bot.get("scopes", ())):
        yield no_bot()
    blocked = [
        name
        for name, section in c.items()
        if name.endswith("Authenticator") and BOT in _plain(section, "blocked_users", ())
    ]
    if blocked:
        yield Problem(
            what="roles",
            problem=f"c.{blocked[0]}.blocked_users holds {BOT}: the Hub takes its roles away.",
            remedy="Take it out; nobody can log in under that name anyway.",
        )


def _user_role(c: Any) -> Iterator[Problem]:
    role = _role(c, "user")
    extra = set(_plain(c.JupyterHub, "extra_user_scopes", set()))
    given = set(role["scopes"]) if role is not None and "scopes" in role else extra
    if not given & {ACCESS, "access:services"}:
        yield _problem(
            "scopes", f"Users do not hold {ACCESS}, so that no token of their servers can."
        )


def _token_scopes(c: Any) -> Iterator[Problem]:
    for name, section in _spawners(c, "server_token_scopes"):
        scopes = _plain(section, "server_token_scopes", [])
        if callable(scopes):
            # The result depends on the server, so only look whether the function is ours, which
            # calls the site's own.
            if not str(getattr(scopes, "__module__", "")).startswith("jupyterhub_notify"):
                yield _problem("scopes", f"c.{name}.server_token_scopes is a later function.")
        elif not set(scopes) & {ACCESS, "access:services", "inherit"}:
            yield _problem("scopes", f"c.{name}.server_token_scopes lacks {ACCESS}.")


def _environment(c: Any) -> Iterator[Problem]:
    for name, section in _spawners(c, "environment"):
        if CENTRAL_URL not in _plain(section, "environment", {}):
            yield _problem("environment", f"c.{name}.environment lacks {CENTRAL_URL}.")


def _spawners(c: Any, trait: str) -> Iterator[tuple[str, Any]]:
    """Yield the section `Spawner`, and those of its subclasses that set the trait instead."""
    yield "Spawner", c.Spawner
    for name in list(c):
        if name.endswith("Spawner") and name != "Spawner" and trait in c[name]:
            yield name, c[name]
