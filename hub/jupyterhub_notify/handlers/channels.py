"""Routes of the channels: a user's choice, and the link that turns one off."""

from __future__ import annotations

import html
from typing import Annotated

from fastapi import APIRouter, Query, Response

from ..channels.service import ChannelChoices, ChannelSummary, ChooseChannels
from .dependencies import CallerOf, PartsOf

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["channels"])

TokenQuery = Annotated[
    str, Query(title="Token", description="As the link has it", min_length=1, max_length=100)
]
NameQuery = Annotated[
    str, Query(title="Channel", description="The channel's name", min_length=1, max_length=40)
]

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Messages</title>
<meta name="viewport" content="width=device-width"></head>
<body><main><p>{text}</p>{form}</main></body></html>
"""


@router.get("/channels", summary="The channels, and what the user has chosen")
async def get_channels(caller: CallerOf, parts: PartsOf) -> ChannelChoices:
    """Show by which other ways important messages come that stay unread."""
    return await parts.channels.get(caller)


@router.patch("/channels", summary="Choose")
async def choose(body: ChooseChannels, caller: CallerOf, parts: PartsOf) -> ChannelChoices:
    """Turn channels on and off, gather messages, set quiet hours."""
    return await parts.channels.choose(caller, body)


@router.get("/admin/channels", summary="What became of what was sent")
async def summary(caller: CallerOf, parts: PartsOf) -> list[ChannelSummary]:
    """Show by channel how many messages were sent, wait, or failed and why."""
    return await parts.channels.summary(caller)


@router.get("/channels/unsubscribe", summary="Ask before a channel is turned off")
async def ask(token: TokenQuery, channel: NameQuery) -> Response:
    """Show a button: a program that looks at a mail's links must not turn anything off."""
    name = html.escape(channel)
    form = '<form method="post"><button type="submit">No more of these</button></form>'
    text = f"Important messages that you have not read come to you by {name}."
    return _page(text, form)


@router.post("/channels/unsubscribe", summary="Turn a channel off")
async def unsubscribe(token: TokenQuery, channel: NameQuery, parts: PartsOf) -> Response:
    """Turn a channel off, with one click and without a login, as RFC 8058 describes it."""
    await parts.channels.unsubscribe(token, channel)
    return _page("No more of these will come. You still see all messages in JupyterLab.", "")


def _page(text: str, form: str) -> Response:
    return Response(
        _PAGE.format(text=text, form=form),
        media_type="text/html",
        headers={
            "Content-Security-Policy": "default-src 'none'; form-action 'self'",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        },
    )
