"""What answers in the central service's place: each is one sentence in words, in bounded time."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from jupyterlab_notify.sources.central import CentralClient, Transport
from jupyterlab_notify.sources.central.failure import Failure

from ..support.asking_service import failure_at

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
NO_TLS = "what listens there does not speak TLS"
NO_HTTP = "its answer is cut short, or is not HTTP"


@asynccontextmanager
async def answering(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve one answer; yield the URL without its scheme."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield f"://127.0.0.1:{server.sockets[0].getsockname()[1]}/semaphore"
    finally:
        server.close()


def after_some_bytes(content: bytes) -> Answer:
    """Return an answer to the first bytes of a request or of a TLS handshake."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(content)
        await writer.drain()

    return answer


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", NO_TLS),
        (b"SSH-2.0-OpenSSH_9.6\r\n", NO_TLS),
        (b"", "it closes the connection during the TLS handshake"),
        (b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76", "it closes the connection during the TLS"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "TLS fails: handshake failure"),
        (b"\x15\x03\x03\x00\x02\x02\x46", "TLS fails: protocol version"),
        (b"\x15\x03\x03\x00\x02\x02\x70", "TLS fails: unrecognized name"),
    ],
    ids=["HTTP", "SSH", "closed", "cut short", "no cipher", "too old", "unknown name"],
)
async def test_a_failing_tls_handshake_is_said_in_words(content: bytes, why: str) -> None:
    async with answering(after_some_bytes(content)) as address:
        said = await failure_at(f"https{address}", token=lambda: "x")
    assert said is not None and f"cannot be reached ({why}" in said
    assert "_ssl" not in said and "[" not in said


async def test_a_certificate_for_another_name_is_one_sentence(tmp_path: Path) -> None:
    authority, bundle = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("elsewhere.example").configure_cert(context)
    async with answering(after_some_bytes(HEAD), context) as address:
        said = await failure_at(f"https{address}", token=lambda: "x", ca_bundle=str(bundle))
    assert said == (
        "The central service cannot be reached (its certificate is not trusted: IP address "
        "mismatch, certificate is not valid for '127.0.0.1')."
    )


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"[]", HEAD[:30], b"SSH-2.0-OpenSSH_9.6\r\n"),
        *(HEAD + b"Content-Length: 9\r\n\r\n[", HEAD + b"Content-Length: -1\r\n\r\n[]"),
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n",
    ],
    ids=["nothing", "no head", "half a head", "SSH", "half a body", "a negative length", "no end"],
)
async def test_what_is_no_whole_http_answer_is_said_in_words(content: bytes) -> None:
    async with answering(after_some_bytes(content)) as address:
        said = await failure_at(f"http{address}", token=lambda: "x")
    assert said == f"The central service cannot be reached ({NO_HTTP})."


async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer that the answer is still to come, for as long as anybody reads."""
    await reader.readuntil(b"\r\n\r\n")
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)
        await writer.drain()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with a header that grows by a byte at a time."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("answer", [flood, drip])
async def test_a_stream_whose_head_never_ends_is_given_up(answer: Answer) -> None:
    async with answering(answer) as address:
        client = CentralClient(Transport(f"http{address}", token=lambda: "x", timeout_s=0.3))

        async def follow() -> None:
            async with client.events(None, 60.0) as pieces:
                async for _ in pieces:
                    break

        with pytest.raises(Failure, match=r"^The central service did not answer within 0\.3 s\.$"):
            await asyncio.wait_for(follow(), 10)
        await client.close()


async def test_a_stream_may_be_silent_for_longer_than_an_answer_may_take() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\n")
        await asyncio.sleep(1.0)
        writer.write(b": later\n\n")
        await asyncio.sleep(60)

    async with answering(answer) as address:
        client = CentralClient(Transport(f"http{address}", token=lambda: "x", timeout_s=0.3))
        heard = ""
        with pytest.raises(Failure, match="has fallen silent"):
            async with client.events(None, 2.0) as pieces:
                async for text in pieces:
                    heard += text
        assert heard == ": hello\n\n: later\n\n"
        await client.close()
