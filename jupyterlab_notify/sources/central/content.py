"""What an answer holds: read, decompressed and parsed within bounds.

The service may be out of order, or not what it is taken for; whatever it sends costs this server
little time and memory.
"""

from __future__ import annotations

import codecs
import json
import zlib
from collections.abc import AsyncIterator
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any

from ..threads import in_thread
from .failure import Answer, Failure, malformed

if TYPE_CHECKING:
    import httpx

#: How large an answer may be, in bytes, on the way and decompressed.
MAX_ANSWER = 4 * 1024 * 1024
#: How much of an answer is read that nobody wants to know.
MAX_SKIPPED = 64 * 1024
#: How many objects and lists an answer may hold, and how many quotation marks: small ones take
#: twenty times as much memory as text.
MAX_CONTAINERS = 50_000
MAX_QUOTES = 400_000
#: From which size on, in bytes, a thread parses an answer.
LARGE = 256 * 1024
#: The compression that is asked for: one that Python can undo piece by piece.
ENCODING = "gzip"


class NoCookies(CookieJar):
    """Keeps no cookie: requests say who asks by their token, and by nothing else."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Take none."""


async def read_content(response: httpx.Response) -> bytes:
    """Return the bytes of an answer, decompressed.

    Raises
    ------
    Failure
        If there are too many, or they are compressed in another way than was asked for.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        inflate = None
    elif encoding == ENCODING:
        inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    else:
        raise malformed()
    content, received = bytearray(), 0
    async for part in response.aiter_raw():
        received += len(part)
        if inflate is not None:
            try:
                part = inflate.decompress(part, MAX_ANSWER + 1 - len(content))
            except zlib.error:
                raise malformed() from None
        content += part
        if len(content) > MAX_ANSWER or received > MAX_ANSWER:
            raise Failure("The central service's answer has no end.")
    if inflate is not None and received and (not inflate.eof or inflate.unused_data):
        raise malformed()
    return bytes(content)


async def read_text(response: httpx.Response) -> AsyncIterator[str]:
    """Return the text of a stream, in pieces as they come; it was asked for uncompressed."""
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise malformed()
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    async for part in response.aiter_raw():
        yield decoder.decode(part)


async def skip_content(response: httpx.Response) -> None:
    """Read what nobody wants to know, as far as it is short: the connection can be used again."""
    received = 0
    async for part in response.aiter_raw():
        received += len(part)
        if received > MAX_SKIPPED:
            return


async def parse_json(answer: Answer) -> Any:
    """Return the JSON of an answer; a thread parses what is large."""
    content = answer.content
    if len(content) > LARGE:
        return await in_thread(lambda: load(content))
    return load(content)


def load(content: bytes) -> Any:
    """Return what JSON says.

    Raises
    ------
    Failure
        If it is none, or holds too much.
    """
    if content.count(b'"') > MAX_QUOTES or (
        content.count(b"{") + content.count(b"[") > MAX_CONTAINERS
    ):
        raise malformed()
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise malformed() from None
