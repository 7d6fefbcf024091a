"""Which characters can be seen: a text of others only looks empty."""

from __future__ import annotations

import re

#: A visible character, as a regular expression for JSON Schema. White space is not visible, nor are
#: control characters, fillers, zero-width characters, variation selectors and characters that
#: change the direction of text. ``src/text/visible.ts`` shows them as escapes.
VISIBLE = (
    r"[^\s\u0000-\u001f\u007f-\u009f"
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc]"
)
#: The invisible characters beyond U+FFFF: tags, and format controls of shorthand, music and
#: hieroglyphs. ``VISIBLE`` leaves them out, since regular expressions differ in how they write
#: them.
INVISIBLE_ASTRAL = (
    "[\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)


def is_blank(text: str) -> bool:
    """Return whether a text holds no visible character."""
    return not re.search(VISIBLE, re.sub(INVISIBLE_ASTRAL, "", text))
