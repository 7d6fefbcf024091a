"""Where a redirect of the central service may lead, since the token goes with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ..support.asking_service import failure_at

BASE = "/services/notify"
#: With a base path; each is tried as the location of a redirect.
WITHIN = (
    "/services/notify",
    "/services/notify/",
    "/services/notify/v2/broadcasts",
    "/services/notify/v1/broadcasts/?page=1&next=/services/other/",
    "/services/notify/a/../v1/broadcasts",
    "/services/../services/notify/v1",
    "/services/n%6Ftify/v1",
    "/services/notify/a%20b",
    "/services/notify/caf%C3%A9",
    "/services/notify/v1#/../..",
    "broadcasts/",
    "./broadcasts",
    "../v2/broadcasts",
    "?again",
    "{origin}/services/notify/v1",
    "//{netloc}/services/notify/v1",
)
ELSEWHERE = (
    "/services/other/",
    "/services/other/v1/broadcasts",
    "/services/",
    "/services",
    "/",
    "/hub/api/user",
    "/hub/login?next=/services/notify/",
    "/user/eve/files/services/notify",
    "/services/notify2/",
    "/services/notify-old",
    "/services/Notify/",
    "/SERVICES/notify/",
    "/services/notify/../other/",
    "/services/notify/v1/../../other/",
    "/services/notify/%2e%2e/other/",
    "/services/notify/%2E./other/",
    "/services/notify/.%2e/other/",
    "/services/notify/%252e%252e/other/",
    "/services/notify/..%2fother/",
    "/services/notify/x%2f..%2f..%2fother/",
    "/services/notify/..%5cother/",
    "/services/notify/..\\other/",
    "/services/notify/..;/other/",
    "/services/notify/..%3b/other/",
    "/services/notify/..;x=1/other/",
    "/services/notify/..%00/other/",
    # Encoded over and over; to decode all of it would take as long as its square.
    "/services/notify/%2525252541",
    f"/services/notify/%{'25' * 15_000}41",
    # Wide letters, and dots and slashes in more bytes than UTF-8 allows.
    "/services/notify/\uff0e\uff0e/other/",
    "/services/notify/%ef%bc%8e%ef%bc%8e/other/",
    "/services/notify/%e2%80%a5/other/",
    "/services/notify/..%ef%bc%8fother/",
    "/services/notify/%c0%ae%c0%ae/other/",
    "/services/notify/..%c0%afother/",
    "/services/notify/%e0%80%ae%e0%80%ae/other/",
    "/services/notify/%ff/other/",
    "/services/notify%2f..%2fother/",
    "/services/notify;/v1",
    "/services//notify/",
    "/services/notify//../../other",
    "/%73ervices/other/",
    "../../../other/",
    "{origin}/services/other/",
    "//{netloc}/services/other/",
    "https://{netloc}/services/notify/",
    "http://user:word@{netloc}/services/notify/v1",
    "//example.org/services/notify/",
    "http://127.0.0.1:1/services/notify/",
)


class Service:
    """A service that redirects its first request, and notes what comes to which path."""

    def __init__(self) -> None:
        self.location = ""
        self.port = 0
        #: The path of each request, and whether it had the token.
        self.asked: list[tuple[str, bool]] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append((head.split()[1], "Bearer token" in head))
        if len(self.asked) == 1:
            answer = f"307 Temporary Redirect\r\nLocation: {self.location}\r\nContent-Length: 0"
            body = ""
        else:
            answer, body = "200 OK\r\nContent-Type: application/json\r\nContent-Length: 2", "[]"
        writer.write(f"HTTP/1.1 {answer}\r\nConnection: close\r\n\r\n{body}".encode())
        writer.close()


@asynccontextmanager
async def serving() -> AsyncIterator[Service]:
    service = Service()
    server = await asyncio.start_server(service.answer, "127.0.0.1", 0)
    service.port = server.sockets[0].getsockname()[1]
    try:
        yield service
    finally:
        server.close()


async def ask(service: Service, location: str, base: str = BASE) -> str | None:
    """Ask a service that redirects to a location; return what went wrong."""
    netloc = f"127.0.0.1:{service.port}"
    service.location = location.format(origin=f"http://{netloc}", netloc=netloc)
    return await failure_at(f"http://{netloc}{base}", token=lambda: "token")


@pytest.mark.parametrize("location", WITHIN)
async def test_a_redirect_within_the_path_is_followed(location: str) -> None:
    async with serving() as service:
        assert await ask(service, location) is None
        assert len(service.asked) == 2


@pytest.mark.parametrize("location", ELSEWHERE)
async def test_a_redirect_out_of_the_path_gets_no_token(location: str) -> None:
    async with serving() as service:
        said = await ask(service, location)
        assert said is not None and said.startswith("The central service redirects to a")
        assert said.endswith("configure the URL that it redirects to, if that is right.")
        assert len(service.asked) == 1


@pytest.mark.parametrize("location", ["/", "/v2/broadcasts", "/services/other/"])
async def test_a_service_without_a_path_has_the_whole_origin(location: str) -> None:
    async with serving() as service:
        assert await ask(service, location, "") is None
        assert len(service.asked) == 2
