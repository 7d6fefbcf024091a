"""Write ``src/wire.ts``, ``docs/openapi.json`` and the enumerations in ``schema/``.

They come from ``jupyterlab_notify.models`` and ``jupyterlab_notify.limits``.

Run by ``make types``; with ``--check`` it writes nothing and fails when a file is out of
date, which is what the tests call.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

import jupyterlab_notify
from jupyterlab_notify import limits, models
from jupyterlab_notify.visible import VISIBLE

ROOT = Path(__file__).resolve().parent.parent
WIRE_TS = ROOT / "src" / "wire.ts"
OPENAPI = ROOT / "docs" / "openapi.json"
SCHEMAS = ROOT / "schema"

TYPES = list(limits.NOTIFICATION_TYPES)

REQUESTS = (
    models.IngestMessage,
    models.StateChange,
    models.BulkChange,
    models.QuietChange,
    models.ChannelsChange,
    models.Answer,
    models.WelcomeIds,
    models.WelcomeDismissal,
)
ANSWERS = (
    models.Receipt,
    models.ErrorAnswer,
    models.NotificationDetail,
    models.Notification,
    models.Page,
    models.Changed,
    models.Status,
    models.Quiet,
    models.Channels,
    models.Welcome,
    models.WelcomeVersion,
    models.SnapshotFrame,
    models.ChangesFrame,
    models.PongFrame,
    models.AliveFrame,
)

#: The limits under their names in TypeScript.
LIMITS_TS = {
    "message": limits.MAX_MESSAGE,
    "bodyBytes": limits.MAX_BODY_BYTES,
    "requestBytes": limits.MAX_REQUEST_BYTES,
    "key": limits.MAX_KEY,
    "source": limits.MAX_SOURCE,
    "actions": limits.MAX_ACTIONS,
    "answer": limits.MAX_ANSWER,
    "label": limits.MAX_LABEL,
    "caption": limits.MAX_CAPTION,
    "commandId": limits.MAX_COMMAND,
    "url": limits.MAX_URL,
    "ids": limits.MAX_IDS,
    "page": limits.MAX_PAGE,
    "depth": limits.MAX_DEPTH,
    "timerMs": limits.MAX_TIMER_MS,
    "ttlS": limits.MAX_TTL_S,
    "minHeartbeatS": limits.MIN_HEARTBEAT_S,
    "maxHeartbeatS": limits.MAX_HEARTBEAT_S,
}


def schemas() -> dict[str, Any]:
    """Return the JSON Schema of every model, by its name.

    Fields that a sender may leave out are optional only in requests: an answer always has them.
    """
    _, requests = models_json_schema(
        [(m, "validation") for m in REQUESTS], ref_template="#/components/schemas/{model}"
    )
    _, answers = models_json_schema(
        [(m, "serialization") for m in ANSWERS], ref_template="#/components/schemas/{model}"
    )
    return {**answers["$defs"], **requests["$defs"]}


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def answer(description: str, name: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": ref(name)}},
    }


def body(name: str) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": ref(name)}}}


def message_without_key() -> dict[str, Any]:
    """Return the schema of a message whose key is in the path.

    The body may have a source too, which must be the same as in the query; a schema cannot express
    that.
    """
    schema = schemas()["IngestMessage"]
    fields = {
        name: field for name, field in schema["properties"].items() if name not in ("key", "source")
    }
    return {**schema, "properties": fields}


ERRORS = {
    "400": answer(
        "The request is wrong; the answer says where. Nothing was changed.", "ErrorAnswer"
    ),
    "403": answer("No valid token, or one without access to this server.", "ErrorAnswer"),
    "404": answer("There is no such notification.", "ErrorAnswer"),
    "409": answer("The present state does not allow it.", "ErrorAnswer"),
    "413": answer("The body is larger than 64 KiB.", "ErrorAnswer"),
    "413-image": answer(
        "The picture is larger than 2 MiB, or has more than 16 million pixels.", "ErrorAnswer"
    ),
    "415": answer("The body has a Content-Encoding.", "ErrorAnswer"),
    "415-image": answer(
        "The body is no PNG, JPEG, GIF or WebP, or has a Content-Encoding.", "ErrorAnswer"
    ),
    "429": answer("The site does not let it be done so often.", "ErrorAnswer"),
    "503": answer("Too much is waiting to be stored; try again soon.", "ErrorAnswer"),
    "503-body": answer(
        "The central service, which has the message's body, cannot be reached; or too much is "
        "waiting for the store. Try again soon.",
        "ErrorAnswer",
    ),
}


def errors(*codes: str) -> dict[str, Any]:
    return {code.partition("-")[0]: ERRORS[code] for code in codes}


def parameter(name: str, where: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": description,
        "schema": schema,
    }


ID = parameter("id", "path", "The notification's id.", {"type": "string", "minLength": 1})
KEY = parameter(
    "key",
    "path",
    "The sender's own name for it.",
    {"type": "string", "minLength": 1, "maxLength": 200},
)
SOURCE = parameter(
    "source",
    "query",
    "Whose it is; by default the name of the token's owner.",
    {"type": "string", "minLength": 1, "maxLength": 80, "pattern": VISIBLE},
)


BINARY = {"type": "string", "format": "binary"}
IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")

IMAGE = {
    "get": {
        "summary": "Fetch an image that lies beside a welcome file",
        "operationId": "welcome_image",
        "parameters": [
            parameter(
                "path",
                "path",
                "As it stands in a message's body.",
                {"type": "string", "minLength": 1},
            )
        ],
        "responses": {
            "200": {
                "description": "The image.",
                "content": {"image/*": {"schema": BINARY}},
            },
            **errors("403", "404"),
        },
    }
}
LIST_PARAMETERS = [
    parameter(
        "view",
        "query",
        "The inbox, what of it is unread, what was dismissed, or what is snoozed.",
        {
            "type": "string",
            "enum": ["inbox", "unread", "dismissed", "snoozed"],
            "default": "inbox",
        },
    ),
    parameter(
        "type",
        "query",
        "Of these types.",
        {"type": "array", "items": {"type": "string", "enum": TYPES}},
    ),
    parameter(
        "source",
        "query",
        "From a source, or by a token, whose name contains this.",
        {"type": "string", "maxLength": 80},
    ),
    parameter(
        "q",
        "query",
        "With these words in message, body, source or the name of its token.",
        {"type": "string", "maxLength": 200},
    ),
    parameter(
        "before",
        "query",
        "Below this position: the `next` of the page before.",
        {"type": "integer", "minimum": 0, "maximum": 2**53 - 1},
    ),
    parameter(
        "limit",
        "query",
        "At most so many; fewer, where their texts would take more than a megabyte.",
        {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
    ),
]


# Longer than a screen: a document, one operation after the other.
def ingest_paths() -> dict[str, Any]:
    """Return the routes for senders, under both of their names."""
    ingest = {
        "summary": "Take a notification in",
        "operationId": "ingest",
        "requestBody": body("IngestMessage"),
        "responses": {
            "200": answer("It is stored.", "Receipt"),
            **errors("400", "403", "413", "415", "429", "503"),
        },
    }
    put = {
        **ingest,
        "summary": "Take a notification in, or replace the one with this key",
        "operationId": "replace",
        "parameters": [KEY, SOURCE],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": message_without_key()}},
        },
    }
    revoke = {
        "summary": "Take a notification back",
        "operationId": "revoke",
        "parameters": [KEY, SOURCE],
        "responses": {
            "200": answer("The notification is gone from every tab.", "Receipt"),
            **errors("400", "403", "404", "429", "503"),
        },
    }
    sent = {
        "summary": "Read what became of a notification, and the user's answer",
        "operationId": "sent",
        "parameters": [
            KEY,
            SOURCE,
            parameter(
                "wait",
                "query",
                "So many seconds at most the answer is waited for.",
                {
                    "type": "integer",
                    "minimum": 0,
                    "maximum": limits.MAX_WAIT_S,
                    "default": 0,
                },
            ),
        ],
        "responses": {
            "200": answer("The notification.", "Notification"),
            **errors("400", "403", "404", "503"),
        },
    }
    put_image = {
        "summary": "Give a notification a picture in place of the one it has",
        "operationId": "set_image",
        "parameters": [KEY, SOURCE],
        "requestBody": {
            "required": True,
            "content": {media_type: {"schema": BINARY} for media_type in IMAGE_TYPES},
        },
        "responses": {
            "200": answer("It is stored.", "Receipt"),
            **errors("400", "403", "404", "413-image", "415-image", "429", "503"),
        },
    }
    delete_image = {
        "summary": "Take a notification's picture away",
        "operationId": "delete_image",
        "parameters": [KEY, SOURCE],
        "responses": {
            "200": answer("The notification has no picture now.", "Receipt"),
            **errors("400", "403", "404", "429", "503"),
        },
    }
    paths: dict[str, Any] = {}
    for prefix, suffix in (
        ("jupyterlab-notify", ""),
        ("jupyterlab-notifications-extension", "_alias"),
    ):
        for path, verbs in (
            (f"/{prefix}/ingest", {"post": ingest}),
            (f"/{prefix}/ingest/{{key}}", {"get": sent, "put": put, "delete": revoke}),
            (f"/{prefix}/ingest/{{key}}/image", {"put": put_image, "delete": delete_image}),
        ):
            paths[path] = {
                verb: {**spec, "operationId": spec["operationId"] + suffix}
                for verb, spec in verbs.items()
            }
    return paths


# Longer than a screen: a document, one operation after the other.
def notification_paths() -> dict[str, Any]:
    """Return the routes of the list, of one notification, and of all notifications together."""
    paths: dict[str, Any] = {}
    paths["/jupyterlab-notify/notifications"] = {
        "get": {
            "summary": "List notifications, the one that last asked for attention first",
            "operationId": "list",
            "parameters": LIST_PARAMETERS,
            "responses": {"200": answer("A page.", "Page"), **errors("400", "403", "503")},
        },
        "patch": {
            "summary": "Mark many read or unread, dismiss or snooze them, or bring them back",
            "operationId": "change_many",
            "requestBody": body("BulkChange"),
            "responses": {
                "200": answer("The change.", "Changed"),
                **errors("400", "403", "409", "413", "415", "503"),
            },
        },
    }
    paths["/jupyterlab-notify/notifications/{id}"] = {
        "get": {
            "summary": "Read one notification whole; a message's body is fetched if need be",
            "operationId": "get",
            "parameters": [ID],
            "responses": {
                "200": answer("The notification.", "NotificationDetail"),
                **errors("400", "403", "404", "503-body"),
            },
        },
        "patch": {
            "summary": "Mark one read or unread, dismiss or snooze it, or bring it back",
            "operationId": "change",
            "parameters": [ID],
            "requestBody": body("StateChange"),
            "responses": {
                "200": answer("The change.", "Changed"),
                **errors("400", "403", "404", "409", "413", "415", "503"),
            },
        },
    }
    paths["/jupyterlab-notify/notifications/{id}/reply"] = {
        "post": {
            "summary": "Answer one that asks for an answer",
            "operationId": "reply",
            "parameters": [ID],
            "requestBody": body("Answer"),
            "responses": {
                "200": answer("The answer is stored.", "Changed"),
                **errors("400", "403", "404", "409", "413", "415", "503"),
            },
        },
    }
    paths["/jupyterlab-notify/notifications/{id}/image/{version}"] = {
        "get": {
            "summary": "Fetch the picture of one; another picture has another URL",
            "operationId": "image",
            "parameters": [
                ID,
                parameter(
                    "version",
                    "path",
                    "The picture's `version`.",
                    {"type": "string", "minLength": 1},
                ),
            ],
            "responses": {
                "200": {
                    "description": "The picture.",
                    "content": {media_type: {"schema": BINARY} for media_type in IMAGE_TYPES},
                },
                **errors("400", "403", "404", "503"),
            },
        },
    }
    paths["/jupyterlab-notify/status"] = {
        "get": {
            "summary": "Read the state: version, store, open tabs, counts, central service",
            "operationId": "status",
            "responses": {"200": answer("The status.", "Status"), **errors("403", "503")},
        }
    }
    paths["/jupyterlab-notify/quiet"] = {
        "get": {
            "summary": "Read do not disturb and the muted sources",
            "operationId": "quiet",
            "responses": {"200": answer("The present state.", "Quiet"), **errors("403", "503")},
        },
        "patch": {
            "summary": "Turn do-not-disturb on or off, or mute a source or hear it again",
            "operationId": "change_quiet",
            "requestBody": body("QuietChange"),
            "responses": {
                "200": answer("The new state.", "Quiet"),
                **errors("400", "403", "409", "413", "415", "503"),
            },
        },
    }
    paths["/jupyterlab-notify/channels"] = {
        "get": {
            "summary": "Read how important messages that stay unread reach the user another way",
            "operationId": "channels",
            "responses": {
                "200": answer("The channels, and the user's choice.", "Channels"),
                **errors("403", "503"),
            },
        },
        "patch": {
            "summary": "Turn channels on or off, gather messages, set quiet hours",
            "operationId": "change_channels",
            "requestBody": body("ChannelsChange"),
            "responses": {
                "200": answer("The new state.", "Channels"),
                **errors("400", "403", "404", "413", "415", "503"),
            },
        },
    }
    paths["/jupyterlab-notify/activity"] = {
        "post": {
            "summary": "Count as the user's activity: they want the server to be kept running",
            "operationId": "keep_running",
            "responses": {
                "200": answer("The server is kept running.", "KeptRunning"),
                **errors("403", "429"),
            },
        }
    }
    return paths


def welcome_paths() -> dict[str, Any]:
    """Return the routes of welcome messages."""
    paths: dict[str, Any] = {}
    paths["/jupyterlab-notify/welcome"] = {
        "get": {
            "summary": "List the welcome messages that are due",
            "operationId": "welcome",
            "parameters": [
                parameter(
                    "all",
                    "query",
                    "Those that are known, due or not.",
                    {"type": "boolean", "default": False},
                )
            ],
            "responses": {"200": answer("The messages.", "Welcome"), **errors("400", "403", "503")},
        }
    }
    for name, summary, model in (
        ("seen", "Count a view of each", "WelcomeIds"),
        ("dismiss", "Never show these, or any, again until the reset", "WelcomeDismissal"),
        ("accept", "Accept those that must be accepted", "WelcomeIds"),
        ("reset", "Make every welcome message due again", None),
    ):
        paths[f"/jupyterlab-notify/welcome/{name}"] = {
            "post": {
                "summary": summary,
                "operationId": f"welcome_{name}",
                "requestBody": body(model)
                if model
                else {
                    "required": True,
                    "content": {"application/json": {"schema": {"type": "object"}}},
                },
                "responses": {
                    "200": answer("The change is stored.", "WelcomeVersion"),
                    **errors("400", "403", "413", "415", "503"),
                },
            }
        }
    paths["/jupyterlab-notify/welcome/image/{path}"] = IMAGE
    return paths


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document of this extension's HTTP interface."""
    paths = {**ingest_paths(), **notification_paths(), **welcome_paths()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "jupyterlab_notify",
            "version": jupyterlab_notify.__version__,
            "description": "Notifications for the user who works on this Jupyter server. "
            "Paths are below the server's base URL. The stream of changes is a WebSocket at "
            "`jupyterlab-notify/stream?cursor=`; its frames are `SnapshotFrame`, "
            "`ChangesFrame`, `PongFrame` and `AliveFrame`.",
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The server's token, or a JupyterHub token with access to it.",
                }
            },
            "schemas": schemas(),
        },
    }


def for_typescript(node: Any) -> Any:
    """Adapt a schema to json-schema-to-typescript.

    The titles that pydantic gives to fields would become type aliases. The tool needs two
    ``items`` for a pair. Conditions on which fields go together are left out of the types.
    """
    if isinstance(node, dict):
        together = {"anyOf", "oneOf"} if "properties" in node else set()
        found = {
            k: for_typescript(v)
            for k, v in node.items()
            if not (k == "title" and isinstance(v, str)) and k not in together
        }
        if found.get("minItems") == found.get("maxItems") == 2:
            found["items"] = [found["items"]] * 2
        return found
    if isinstance(node, list):
        return [for_typescript(v) for v in node]
    return node


def wire_ts() -> str:
    """Return the TypeScript types of the same models."""
    definitions = for_typescript(schemas())
    text = json.dumps(
        {"title": "Wire", "type": "object", "additionalProperties": False, "$defs": definitions}
    ).replace("#/components/schemas/", "#/$defs/")
    node = shutil.which("node")
    tool = ROOT / "node_modules" / "json-schema-to-typescript" / "dist" / "src" / "cli.js"
    if node is None or not tool.exists():
        sys.exit("Node and node_modules are needed: run `make setup` first.")
    ran = subprocess.run(
        [
            node,
            str(tool),
            "--unreachableDefinitions",
            "--no-additionalProperties",
            "--maxItems=-1",
            "--style.singleQuote",
            "--style.trailingComma=none",
            "--bannerComment",
            "/* Generated by `make types` from jupyterlab_notify/models.py; do not edit. */",
        ],
        input=text,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    # Remove the tool's remark on each type that it is a definition of the input.
    text = re.sub(r"\n \*\n \* This interface was referenced by [^/]*?\n \*/", "\n */", ran.stdout)
    return text.replace("export interface Wire {}\n", "") + constants_ts()


def constants_ts() -> str:
    """Return the enumerations and limits, which types alone cannot express."""

    def array(name: str, values: Iterable[str]) -> str:
        quoted = [f"'{value}'" for value in values]
        line = f"export const {name} = [{', '.join(quoted)}] as const;"
        # Wrapped as prettier does.
        if len(line) <= 80:
            return line
        lines = ",\n".join(f"  {value}" for value in quoted)
        return f"export const {name} = [\n{lines}\n] as const;"

    pairs = "".join(f"  {name}: {value},\n" for name, value in LIMITS_TS.items())
    return f"""
/**
 * The types of notifications.
 */
{array("NOTIFICATION_TYPES", limits.NOTIFICATION_TYPES)}
export type NotificationType = (typeof NOTIFICATION_TYPES)[number];

/**
 * The looks of buttons.
 */
{array("DISPLAY_TYPES", limits.DISPLAY_TYPES)}
export type DisplayType = (typeof DISPLAY_TYPES)[number];

/**
 * Limits of what the server accepts: in characters, entries, bytes (as UTF-8) or times.
 */
export const LIMITS = {{
{pairs.rstrip().rstrip(",")}
}} as const;
"""


def settings_schema(path: Path) -> str:
    """Return a schema of JupyterLab's settings with up-to-date lists of types."""

    def fill(found: re.Match[str]) -> str:
        if '"in-progress"' not in found[2]:
            return found[0]
        inside = found[1] + "  "
        values = ",\n".join(f'{inside}"{name}"' for name in TYPES)
        return f'{found[1]}"enum": [\n{values}\n{found[1]}]'

    return re.sub(r'( *)"enum": \[([^\]]*)\]', fill, path.read_text())


def schemas_with_types() -> list[Path]:
    """Return the schemas of settings that list types of notifications."""
    return [path for path in sorted(SCHEMAS.glob("*.json")) if "in-progress" in path.read_text()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if a file is out of date")
    check = parser.parse_args().check
    stale = []
    for path, text in (
        (OPENAPI, json.dumps(openapi(), indent=2, ensure_ascii=False) + "\n"),
        (WIRE_TS, wire_ts()),
        *((path, settings_schema(path)) for path in schemas_with_types()),
    ):
        if check:
            if not path.exists() or path.read_text() != text:
                stale.append(path.relative_to(ROOT))
        else:
            path.write_text(text)
    if stale:
        sys.exit(f"Out of date, run `make types`: {', '.join(map(str, stale))}")


if __name__ == "__main__":
    main()
