"""``warn-idle``: tell users whose servers are about to be stopped for idleness."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from datetime import datetime, timedelta, timezone

from ..client import Client, ClientError
from ..delivery.servers import HubServers, HubUserServers
from ..hubapi import HubApi, HubRefused, HubUnreachable
from ..idle import SCOPE, IdlePolicy
from ..models.notifications import Reconciled
from .exit import CommandError
from .remote import add_remote_arguments, client_of, print_json

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "--cull-after",
        type=float,
        required=True,
        metavar="SECONDS",
        help="after how long without activity servers are stopped, as the culler is told",
    )
    parser.add_argument(
        "--warn-before",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="how long before that their users are warned (600)",
    )
    parser.add_argument(
        "--every", type=float, default=60.0, metavar="SECONDS", help="how often to look (60)"
    )
    parser.add_argument("--once", action="store_true", help="look once, as from a timer")
    parser.add_argument("--hub-api", help="the Hub's API (JUPYTERHUB_API_URL)")
    add_remote_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Look for idle servers, again and again unless only one look was asked for."""
    if not 0 < options.warn_before < options.cull_after:
        raise CommandError("--warn-before must be above 0 and below --cull-after", 2)
    if options.every <= 0:
        raise CommandError("--every must be above 0", 2)
    api_url = options.hub_api or os.environ.get("JUPYTERHUB_API_URL")
    token = os.environ.get("JUPYTERHUB_API_TOKEN")
    if not api_url or not token:
        raise CommandError(
            "Which hub? Give --hub-api or set JUPYTERHUB_API_URL, and set JUPYTERHUB_API_TOKEN", 2
        )
    os.environ.setdefault("JUPYTERHUB_NOTIFY_TOKEN", token)
    client = client_of(options)
    policy = IdlePolicy(
        cull_after=timedelta(seconds=options.cull_after),
        warn_before=timedelta(seconds=options.warn_before),
    )
    if options.once:
        done = _look(policy, client, api_url, token)
        if options.json:
            print_json(done)
        return 0
    failing = False
    while True:
        try:
            _look(policy, client, api_url, token)
            failing = False
        except CommandError as error:
            # Print a failure once, since the hub or the service may just be restarting.
            if not failing:
                print(f"jupyterhub-notify warn-idle: {error}", file=sys.stderr, flush=True)
            failing = True
        time.sleep(options.every)


def _look(policy: IdlePolicy, client: Client, api_url: str, token: str) -> Reconciled:
    try:
        users = asyncio.run(_users(api_url, token))
        shown = [one for one in client.sent(limit=None) if (one.key or "").startswith(SCOPE)]
        wanted = policy.wanted(users, shown, datetime.now(timezone.utc))
        return client.reconcile(wanted, scope=SCOPE)
    except (HubUnreachable, HubRefused, ClientError) as error:
        raise CommandError(str(error)) from None


async def _users(api_url: str, token: str) -> list[HubUserServers]:
    api = HubApi(api_url, token)
    try:
        return await HubServers(api, proxy_url=None).users(running=True)
    finally:
        await api.close()
