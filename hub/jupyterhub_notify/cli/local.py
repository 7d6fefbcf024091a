"""Functions shared by the verbs that work on this machine's files."""

from __future__ import annotations

import argparse
from typing import Any

from pydantic import ValidationError

from ..config import Settings
from .exit import CommandError

__all__ = ["add_database_argument", "settings_of", "token_file"]


def add_database_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the database."""
    parser.add_argument(
        "--database",
        metavar="URL",
        help="sqlite+aiosqlite:///FILE or postgresql+asyncpg://… (JUPYTERHUB_NOTIFY_DATABASE)",
    )


def settings_of(**overrides: Any) -> Settings:
    """Return the settings; those that are `None` come from the environment."""
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CommandError(f"The setting {place} is no good: {first['msg']}", 2) from None


def token_file() -> Any:
    """Return the file of tokens."""
    from ..identity.settings import IdentitySettings
    from ..identity.token_file import TokenFile

    return TokenFile(IdentitySettings().tokens)
