"""The enumerations and limits of the wire, each once.

``models`` builds on them, handlers check query parameters by them, and ``make types`` writes them
into ``src/wire.ts`` and the JSON Schemas. Nothing here needs pydantic: an idle server does not
import it.
"""

from __future__ import annotations

from typing import Literal, get_args

NotificationType = Literal["default", "info", "success", "warning", "error", "in-progress"]
NOTIFICATION_TYPES: tuple[str, ...] = get_args(NotificationType)

DisplayType = Literal["default", "accent", "warn", "link"]
DISPLAY_TYPES: tuple[str, ...] = get_args(DisplayType)

#: The name of the user's own tokens, and the source of messages that are pushed with such a token
#: and name no source.
OWN_TOKEN = "Jupyter"

#: In characters.
MAX_MESSAGE = 4096
MAX_KEY = 200
MAX_SOURCE = 80
MAX_LABEL = 80
MAX_CAPTION = 200
MAX_COMMAND = 200
MAX_URL = 2048
#: In bytes, as UTF-8.
MAX_BODY_BYTES = 32 * 1024
MAX_REQUEST_BYTES = 64 * 1024
MAX_IMAGE_BYTES = 2 * 1024 * 1024
#: In pixels, of the whole picture and of one side. A browser needs four bytes for each.
MAX_IMAGE_PIXELS = 16_000_000
MAX_IMAGE_SIDE = 16_384
#: Number of pictures that may arrive at once; further senders are asked to try again later.
MAX_UPLOADS = 8
#: Characters of a notification's question, of each of the answers to choose from, and of an answer.
MAX_PROMPT = 200
MAX_CHOICE = 80
MAX_ANSWER = 4096
#: Number of answers to choose from.
MAX_CHOICES = 10
#: Time in seconds that a sender may wait for an answer in one request.
MAX_WAIT_S = 60
#: Number of a notification's buttons, and of the ids that one request names.
MAX_ACTIONS = 5
MAX_IDS = 1000
#: Number of sources that a user can mute.
MAX_MUTED = 100
#: Seconds from now at which do-not-disturb, or a snooze, may end at the latest: a year.
MAX_QUIET_S = 366 * 86_400
#: Number of notifications in a page.
MAX_PAGE = 200
#: Depth to which the JSON of ``data`` and ``args`` may nest.
MAX_DEPTH = 32
#: The longest time, in milliseconds, that a browser's timer can hold.
MAX_TIMER_MS = 2_147_483_647
#: The longest time to live, in seconds: ten years.
MAX_TTL_S = 315_360_000
#: The shortest and the longest interval of a sender's heartbeat, in seconds.
MIN_HEARTBEAT_S = 5
MAX_HEARTBEAT_S = 86_400
