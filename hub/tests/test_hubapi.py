"""The Hub's answers are read to their end, however many pieces they arrive in."""

from __future__ import annotations

import asyncio
import json

from aiohttp import web

from jupyterhub_notify.hubapi import HubApi


async def test_a_list_that_comes_in_pieces_is_read_to_its_end() -> None:
    users = [{"name": f"user{index}", "groups": ["x" * 100]} for index in range(50)]
    seen = asyncio.Event()

    async def listed(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        body = json.dumps({"items": users, "_pagination": {"next": None}}).encode()
        await answer.write(body[:1000])
        # The rest comes only when the reader may have had the beginning.
        await asyncio.wait_for(seen.wait(), 30)
        await answer.write(body[1000:])
        return answer

    app = web.Application()
    app.router.add_get("/hub/api/users", listed)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    api = HubApi(f"http://127.0.0.1:{port}/hub/api", "token")
    try:
        asyncio.get_running_loop().call_later(0.2, seen.set)
        assert [one async for one in api.entries("/users")] == users
    finally:
        await api.close()
        await runner.cleanup()
