"""A stand-in for every user's server: it has a lab's API and asks the Hub about each token.

Users whose names begin with ``hung`` get no answer.
"""

from __future__ import annotations

import asyncio
import sys

import aiohttp
from aiohttp import web


def main(port: int, hub_api: str) -> None:
    """Serve at a port until the process is ended."""
    known: dict[str, str] = {}

    async def ingest(request: web.Request) -> web.Response:
        if request.match_info["user"].startswith("hung"):
            await asyncio.sleep(3600)
        token = request.headers["Authorization"]
        if token not in known:
            # A real server also asks once for each token.
            async with session.get(f"{hub_api}/user", headers={"Authorization": token}) as answer:
                if answer.status != 200:
                    return web.json_response({"message": "Forbidden"}, status=403)
                known[token] = (await answer.json())["name"]
        await request.json()
        return web.json_response({"success": True, "notification_id": "1", "seq": 1})

    async def anything(_request: web.Request) -> web.Response:
        return web.json_response({})

    async def start(_app: web.Application) -> None:
        nonlocal session
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    session: aiohttp.ClientSession
    app = web.Application()
    app.on_startup.append(start)
    app.router.add_put("/user/{user}/jupyterlab-notify/ingest/{key}", ingest)
    app.router.add_route("*", "/{path:.*}", anything)
    web.run_app(app, host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
