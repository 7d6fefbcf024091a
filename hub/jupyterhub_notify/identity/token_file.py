"""A file of hashed tokens, for a service without a hub; the command line writes it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .caller import ANONYMOUS, ANY, Caller, IdentityUnavailable, Unauthenticated
from .credentials import bearer_token

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.routing import BaseRoute

__all__ = ["PREFIX", "TokenEntry", "TokenFile", "TokenFileError", "TokenFileIdentity"]

#: The prefix of our own tokens: secret scanners find it, and it tells them from the Hub's tokens.
PREFIX = "jhn_"

#: Maximum size of the file in bytes; a larger one is not a token file.
LARGEST = 4 * 1024 * 1024

Name = Annotated[str, Field(min_length=1, max_length=200)]


class TokenFileError(Exception):
    """The file cannot be read or written; `str()` is one sentence."""


class TokenEntry(BaseModel):
    """A token: its hash, its owner and its permissions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    kind: Literal["user", "service"] = "service"
    groups: tuple[Name, ...] = ()
    admin: bool = False
    publish_as: tuple[Name, ...] = ()
    send_groups: tuple[Name, ...] = ()
    created: datetime
    expires: datetime | None = None

    def caller(self, now: datetime) -> Caller | None:
        """Return the token's owner; None once it has expired."""
        if self.expires is not None and _aware(self.expires) <= now:
            return None
        return Caller(
            name=self.name,
            kind=self.kind,
            groups=frozenset(self.groups) - {ANY},
            admin=self.admin,
            publish_as=frozenset({ANY} if self.admin else self.publish_as),
            send_groups=frozenset({ANY} if self.admin else self.send_groups),
            method="token-file",
        )


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    tokens: list[TokenEntry] = []


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


def _hash(token: str) -> str:
    # A slow hash is not needed: a token has 256 random bits, which cannot be guessed.
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


class TokenFile:
    """The file; the command line changes it, and the service reads it.

    Parameters
    ----------
    path
        The path of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[TokenEntry]:
        """Return the tokens.

        Raises
        ------
        TokenFileError
            If the file cannot be read, can be written by others, or is not valid.
        """
        try:
            # O_NONBLOCK: a pipe in the file's place must not hang the service.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise TokenFileError(
                f"The token file {self.path} cannot be read: {error.strerror}."
            ) from None
        try:
            self._check(os.fstat(descriptor))
            with open(descriptor, "rb", closefd=False) as file:
                content = file.read(LARGEST)
        finally:
            os.close(descriptor)
        try:
            return _Content.model_validate_json(content).tokens
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the file"
            raise TokenFileError(
                f"The token file {self.path} is not understood: {where}: {first['msg']}."
            ) from None

    def _check(self, about: os.stat_result) -> None:
        if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST:
            raise TokenFileError(f"{self.path} is no token file.")
        if about.st_mode & 0o022:
            raise TokenFileError(
                f"The token file {self.path} can be written by others: set its mode to 0600."
            )

    def create(
        self,
        name: str,
        *,
        kind: Literal["user", "service"] = "service",
        groups: Sequence[str] = (),
        admin: bool = False,
        publish_as: Sequence[str] = (),
        send_groups: Sequence[str] = (),
        expires: datetime | None = None,
    ) -> str:
        """Add a token and return it: only its hash is kept, so it is never shown again.

        Raises
        ------
        TokenFileError
            If the file cannot be read or written, or a value is not valid.
        """
        token = PREFIX + secrets.token_urlsafe(32)
        try:
            entry = TokenEntry(
                name=name,
                sha256=_hash(token),
                kind=kind,
                groups=tuple(groups),
                admin=admin,
                publish_as=tuple(publish_as),
                send_groups=tuple(send_groups),
                created=datetime.now(timezone.utc).replace(microsecond=0),
                expires=expires,
            )
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            raise TokenFileError(f"{first['loc'][0]}: {first['msg']}.") from None
        with self._alone():
            entries = self.read() if self.path.exists() else []
            self._write([*entries, entry])
        return token

    def remove(self, name: str) -> int:
        """Remove the tokens of a name; return how many there were."""
        with self._alone():
            entries = self.read()
            left = [entry for entry in entries if entry.name != name]
            if len(left) < len(entries):
                self._write(left)
        return len(entries) - len(left)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other commands from changing the file meanwhile."""
        try:
            lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise TokenFileError(
                f"The token file {self.path} cannot be written: {error.strerror}."
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _write(self, entries: list[TokenEntry]) -> None:
        content = _Content(tokens=entries).model_dump(mode="json", exclude_defaults=True)
        text = json.dumps({"version": 1, **content}, indent=2) + "\n"
        try:
            # The file is replaced as a whole, with mode 0600 from the start.
            descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".tokens-")
            try:
                with open(descriptor, "w") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, self.path)
            except BaseException:
                os.unlink(temporary)
                raise
        except OSError as error:
            raise TokenFileError(
                f"The token file {self.path} cannot be written: {error.strerror}."
            ) from None


class TokenFileIdentity:
    """Knows the tokens of a file, which is read again when it changes.

    Parameters
    ----------
    file
        The file.
    only_ours
        Whether tokens without our prefix are left to another provider.
    """

    def __init__(self, file: TokenFile, *, only_ours: bool = False) -> None:
        self._file = file
        self._only_ours = only_ours
        self._log = structlog.get_logger("jupyterhub_notify.identity")
        self._seen: tuple[int, ...] | None = None
        self._entries: dict[str, TokenEntry] = {}
        self._problem: str | None = None

    async def identify(self, connection: HTTPConnection) -> Caller:
        """Return the caller of this request; see `IdentityProvider.identify`."""
        token = bearer_token(connection)
        if token is None or (self._only_ours and not token.startswith(PREFIX)):
            return ANONYMOUS
        self._look()
        if self._problem is not None:
            # The reason names a path of this machine, so it goes to the log only.
            raise IdentityUnavailable("The service cannot read its token file.", retry_after_s=60)
        entry = self._entries.get(_hash(token))
        caller = entry.caller(datetime.now(timezone.utc)) if entry is not None else None
        if caller is None:
            raise Unauthenticated("This token is not known: it is wrong, expired or removed.")
        return caller

    def login_url(self, connection: HTTPConnection) -> str | None:
        """Return None: there is no login without a hub."""
        del connection
        return None

    def xsrf_token(self, connection: HTTPConnection) -> str:
        """Return an empty string: there is no login without a hub."""
        del connection
        return ""

    def routes(self) -> Sequence[BaseRoute]:
        """Return no routes: there is no login without a hub."""
        return []

    async def start(self) -> None:
        """Read the file, so that a problem with it is logged at the start."""
        self._look()

    async def stop(self) -> None:
        """Do nothing."""

    def _look(self) -> None:
        """Read the file if it has changed since it was last read."""
        try:
            about = os.stat(self._file.path)
            seen: tuple[int, ...] = (about.st_ino, about.st_mtime_ns, about.st_size, about.st_mode)
        except OSError:
            seen = ()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            entries = self._file.read()
        except TokenFileError as error:
            # Do not go on with the earlier tokens: some may have been removed from the file.
            self._entries = {}
            self._problem = str(error)
            self._log.error("The token file cannot be used; no token is known.", reason=str(error))
        else:
            self._entries = {entry.sha256: entry for entry in entries}
            self._problem = None
