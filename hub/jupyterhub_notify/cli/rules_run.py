"""``rules run``: run the rules once, where the service does not run them itself."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from .exit import CommandError
from .local import add_database_argument, settings_of
from .rules_check import read

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("file", nargs="?", type=Path, help="which (JUPYTERHUB_NOTIFY_RULES)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_database_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Run them; 1 if an engine did not answer."""
    settings = settings_of(database=options.database, rules=options.file)
    read(settings.rules)
    done = asyncio.run(_run(settings))
    states = {
        rule: {user: state.to_json() for user, state in users.items()}
        for rule, users in done.states.items()
    }
    if options.json:
        print(json.dumps({"mine": done.mine, "failures": done.failures, "states": states}))
    elif not done.mine:
        print("Another replica is running the rules")
    for rule, users in states.items() if not options.json else ():
        for user, state in users.items():
            value = f"{state.get('value', 0):g}"
            print(f"{rule}: {user} at {value}, level {state['level']}, action {state['action']}")
    if done.failures:
        rule, reason = next(iter(done.failures.items()))
        raise CommandError(f"{rule}: {reason}")
    return 0


async def _run(settings: Any) -> Any:
    from ..errors import ServiceError
    from ..factory import build

    parts = build(settings)
    assert parts.rules is not None
    parts.writer.start()
    try:
        done = await parts.rules.run()
        await parts.rules.release()
        return done
    except ServiceError as error:
        raise CommandError(str(error)) from None
    finally:
        await parts.writer.stop()
        await parts.database.close()
