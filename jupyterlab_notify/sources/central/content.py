"""Read, decompress and parse an answer within bounds.

The service may be out of order, or another program may answer in its place. Whatever it sends must
cost this server little time and memory.
"""

from __future__ import annotations

import asyncio
import codecs
import json
import math
import re
import zlib
from collections.abc import AsyncIterator
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any

from .failure import Answer, Failure, malformed, run_in_thread

if TYPE_CHECKING:
    import httpx

#: The maximum size of an answer in bytes, both compressed and decompressed.
MAX_ANSWER = 4 * 1024 * 1024
#: The most pieces that an answer may arrive in, since reading a piece costs more than its bytes.
MAX_PIECES = 50_000
#: Number of small pieces after which other tasks get a turn; they also get one after each larger
#: piece. Bytes that have already arrived would be read without letting any other task run.
TURN = 50
SMALL = 1024
#: Bytes of an unwanted answer that are read.
MAX_SKIPPED = 64 * 1024
#: The maximum number of objects and lists in an answer, of quotation marks, and of commas: small
#: values, numbers among them, take up to twenty times as much memory as their text.
MAX_CONTAINERS = 50_000
MAX_QUOTES = 400_000
MAX_COMMAS = 400_000
#: The most digits of a whole number that is read, and the depth to which lists and objects are read
#: where an answer holds more than Python parses.
MAX_DIGITS = 1000
MAX_DEPTH = 100
_BRACKET_OR_TEXT = re.compile(r'[][{}]|"(?:[^"\\]|\\.)*"', re.DOTALL)
#: Answers larger than this, in bytes, are parsed in a thread.
LARGE = 256 * 1024
#: The requested compression: one that Python can decompress in pieces.
ENCODING = "gzip"


class NoCookies(CookieJar):
    """Stores no cookies, because requests are authenticated by their token only."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Ignore all cookies."""


async def read_pieces(response: httpx.Response, most: int | None) -> AsyncIterator[bytes]:
    """Yield an answer's content as it arrives, without holding up other tasks.

    Parameters
    ----------
    response
        The answer.
    most
        The most pieces; None for a stream, which has no end.

    Raises
    ------
    Failure
        If the answer arrives in too many pieces.
    """
    pieces = 0
    async for part in response.aiter_raw():
        pieces += 1
        if most is not None and pieces > most:
            raise malformed()
        if pieces % TURN == 0 or len(part) > SMALL:
            await asyncio.sleep(0)
        yield part


async def read_content(response: httpx.Response) -> bytes:
    """Return the decompressed content of an answer.

    Raises
    ------
    Failure
        If the content is too large, or compressed in another way than requested.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        inflate = None
    elif encoding == ENCODING:
        inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    else:
        raise malformed()
    content, received = bytearray(), 0
    async for part in read_pieces(response, MAX_PIECES):
        received += len(part)
        if inflate is not None:
            try:
                part = inflate.decompress(part, MAX_ANSWER + 1 - len(content))
            except zlib.error:
                raise malformed() from None
        content += part
        if len(content) > MAX_ANSWER or received > MAX_ANSWER:
            raise Failure("The central service's answer is too large.")
    if inflate is not None and received and (not inflate.eof or inflate.unused_data):
        raise malformed()
    return bytes(content)


async def read_text(response: httpx.Response) -> AsyncIterator[str]:
    """Return the text of a stream in pieces; it was requested without compression."""
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise malformed()
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    async for part in read_pieces(response, None):
        yield decoder.decode(part)


async def skip_content(response: httpx.Response) -> None:
    """Read an unwanted answer if it is short, so that the connection can be used again."""
    received = 0
    async for part in read_pieces(response, MAX_PIECES):
        received += len(part)
        if received > MAX_SKIPPED:
            return


async def parse_json(answer: Answer) -> Any:
    """Parse the JSON of an answer, in a thread if it is large.

    Raises
    ------
    Failure
        If the JSON is invalid or holds too many values, or no thread can start.
    """
    content = answer.content
    if len(content) > LARGE:
        return await run_in_thread(lambda: load(content))
    return load(content)


def load(content: bytes) -> Any:
    """Parse JSON.

    Raises
    ------
    Failure
        If the JSON is invalid or holds too many values.
    """
    if (
        content.count(b"{") + content.count(b"[") > MAX_CONTAINERS
        or content.count(b'"') > MAX_QUOTES
        or content.count(b",") > MAX_COMMAS
    ):
        raise malformed()
    try:
        return json.loads(content)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise malformed() from None
    except (ValueError, RecursionError):
        return _load_odd(content)


def _load_odd(content: bytes) -> Any:
    """Parse JSON without the numbers and depths that Python does not parse.

    One entry with such a value must not hide the others.
    """
    try:
        text = content.decode(json.detect_encoding(content), "surrogatepass")
        return json.loads(_cut_depths(text), parse_int=_parse_int)
    except (ValueError, RecursionError):
        raise malformed() from None


def _parse_int(digits: str) -> float:
    """Parse a whole number; one that is too long is infinite, as too large a fraction is."""
    return int(digits) if len(digits) <= MAX_DIGITS else math.inf


def _cut_depths(text: str) -> str:
    """Replace what is nested too deeply in JSON by ``null``."""
    kept: list[str] = []
    depth = start = 0
    for found in _BRACKET_OR_TEXT.finditer(text):
        if found[0] in ("[", "{"):
            depth += 1
            if depth == MAX_DEPTH + 1:
                kept += text[start : found.start()], "null"
        elif found[0] in ("]", "}"):
            depth -= 1
            if depth == MAX_DEPTH:
                start = found.end()
    if depth <= MAX_DEPTH:
        kept.append(text[start:])
    return "".join(kept)
