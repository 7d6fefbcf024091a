"""Makes characters visible that are not drawn, or that change the order of others.

A reader must see what the sender wrote. The lab does the same in its pages; this module does it in
the service's pages, its mail and other channels, and its log.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["is_blank", "visible", "visible_html"]

#: Control characters other than tabs and line ends, characters that reorder others or are not
#: drawn, and halves of surrogate pairs, with which a page could not be sent.
HIDDEN = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160"
    "\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d159"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
#: The first combining mark; a text with only lower characters has none.
MARKS_FROM = "\u0300"
#: Maximum number of marks on one letter; thousands would cover the text around it.
MOST_MARKS = 8

# Properties of Unicode as ranges, since `re` does not know them.
#: Characters that may be emoji.
PICTOGRAPHIC = (
    "a9 ae 203c 2049 2122 2139 2194-2199 21a9-21aa 231a-231b 2328 23cf 23e9-23f3 23f8-23fa "
    "24c2 25aa-25ab 25b6 25c0 25fb-25fe 2600-2604 260e 2611 2614-2615 2618 261d 2620 "
    "2622-2623 2626 262a 262e-262f 2638-263a 2640 2642 2648-2653 265f-2660 2663 2665-2666 "
    "2668 267b 267e-267f 2692-2697 2699 269b-269c 26a0-26a1 26a7 26aa-26ab 26b0-26b1 "
    "26bd-26be 26c4-26c5 26c8 26ce-26cf 26d1 26d3-26d4 26e9-26ea 26f0-26f5 26f7-26fa 26fd "
    "2702 2705 2708-270d 270f 2712 2714 2716 271d 2721 2728 2733-2734 2744 2747 274c 274e "
    "2753-2755 2757 2763-2764 2795-2797 27a1 27b0 27bf 2934-2935 2b05-2b07 2b1b-2b1c 2b50 "
    "2b55 3030 303d 3297 3299 1f004 1f02c-1f02f 1f094-1f09f 1f0af-1f0b0 1f0c0 1f0cf-1f0d0 "
    "1f0f6-1f0ff 1f170-1f171 1f17e-1f17f 1f18e 1f191-1f19a 1f1ae-1f1e5 1f201-1f20f 1f21a "
    "1f22f 1f232-1f23a 1f23c-1f23f 1f249-1f25f 1f266-1f321 1f324-1f393 1f396-1f397 "
    "1f399-1f39b 1f39e-1f3f0 1f3f3-1f3f5 1f3f7-1f3fa 1f400-1f4fd 1f4ff-1f53d 1f549-1f54e "
    "1f550-1f567 1f56f-1f570 1f573-1f57a 1f587 1f58a-1f58d 1f590 1f595-1f596 1f5a4-1f5a5 "
    "1f5a8 1f5b1-1f5b2 1f5bc 1f5c2-1f5c4 1f5d1-1f5d3 1f5dc-1f5de 1f5e1 1f5e3 1f5e8 1f5ef "
    "1f5f3 1f5fa-1f64f 1f680-1f6c5 1f6cb-1f6d2 1f6d5-1f6e5 1f6e9 1f6eb-1f6f0 1f6f3-1f6ff "
    "1f7da-1f7ff 1f80c-1f80f 1f848-1f84f 1f85a-1f85f 1f888-1f88f 1f8ae-1f8af 1f8bc-1f8bf "
    "1f8c2-1f8cf 1f8d9-1f8ff 1f90c-1f93a 1f93c-1f945 1f947-1f9ff 1fa58-1fa5f 1fa6e-1faff "
    "1fc00-1fffd"
)
#: Ideographs, which have variants.
IDEOGRAPH = (
    "3400-4dbf 4e00-9fff fa0e-fa0f fa11 fa13-fa14 fa1f fa21 fa23-fa24 fa27-fa29 20000-2a6df "
    "2a700-2ee5d 30000-33479"
)
#: Letters of cursive scripts.
CURSIVE = (
    "600-604 606-60b 60d-61a 61d-61e 620-63f 641-64a 656-66f 671-6dc 6de-74f 750-77f 7c0-7ff "
    "860-891 897-8e1 8e3-8ff 1800-180a 1810-18aa fb50-fdff fe70-fefc 10e60-10eff 11660-1166c "
    "1ee00-1eef1"
)
#: Letters of scripts without spaces between words.
UNPARTED = (
    "e01-e3a e40-e5b e81-edf 1000-109f 1780-17b3 17b6-17f9 19e0-19ff a9e0-a9fe aa60-aa7f "
    "116d0-116e3"
)
#: Signs that join letters in Brahmic scripts.
VIRAMA = "94d 9cd a4d acd b4d bcd c4d ccd d4d dca 1039 17d2"

#: Characters for which Unicode lists variants, and the selectors of these variants.
VARIANTS = (
    (PICTOGRAPHIC + " 1f3fb-1f3ff", "fe0e-fe0f"),
    (IDEOGRAPH, "fe00-fe02 e0100-e01ef"),
    ("1820-1878 1880-18aa", "180b-180d 180f"),
    ("3001-3002 ff01 ff0c ff0e ff1a-ff1b ff1f 2018-2019 201c-201d", "fe00-fe01"),
    ("210b 2110 2112 211b 212c 2130-2131 2133 1d49c-1d4b5", "fe00-fe01"),
    (
        "2205 2229-222a 2268-2269 2272-2273 228a-228b 2293-2295 2297 229c 22da-22db 2a3c-2a3d "
        "2a9d-2a9e 2aac-2aad 2acb-2acc",
        "fe00",
    ),
    (
        "1000 1002 1004 1010-1011 1015 1019-101a 101c-101d 1022 1031 1075 1078 107a 1080 aa60-aa66 "
        "aa6b-aa6c aa6f aa7a a856 a85c a85e-a860 a868 10ac5-10ac6 10ad6-10ad7 10ae1",
        "fe00",
    ),
)


def _characters(ranges: str) -> str:
    """Return ranges in the form of a pattern's brackets."""
    return "".join(
        "-".join(f"\\U{int(end, 16):08x}" for end in part.split("-")) for part in ranges.split()
    )


@lru_cache
def _marks() -> str:
    """Return all combining marks, in the form of a pattern's brackets."""
    ranges: list[list[int]] = []
    for code in (*range(0x300, 0x20000), *range(0xE0100, 0xE01F0)):
        if unicodedata.category(chr(code)).startswith("M"):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


@lru_cache
def _stacked() -> re.Pattern[str]:
    mark = f"(?:[{_marks()}][\\u200c\\u200d]?)"
    return re.compile(f"({mark}{{{MOST_MARKS}}}){mark}+")


@lru_cache
def _belongs() -> re.Pattern[str]:
    """Return the pattern of places where hidden characters belong to a visible one."""
    pictographic, virama = _characters(PICTOGRAPHIC), _characters(VIRAMA)
    cursive, unparted = _characters(CURSIVE), _characters(UNPARTED)
    letter, marks = r"[^\W\d_]", _marks()
    alone = f"(?![{marks}]*[\ufe00-\ufe0f\U000e0100-\U000e01ef])"
    variants = "|".join(
        f"[{_characters(signs)}][{_characters(selectors)}]" for signs, selectors in VARIANTS
    )
    # Checked first, since it fails in most places.
    before = "(?=.[\u180b-\u180f\u200b-\u200d\ufe00-\ufe0f\U000e0000-\U000e01ef])"
    places = "|".join(
        [
            # Joined emoji, keycaps, and the flags of regions.
            f"[{pictographic}\U0001f3fb-\U0001f3ff]\ufe0f?\u200d(?=[{pictographic}])",
            f"(?:{variants}|[#*0-9][\ufe0e\ufe0f](?=\u20e3)){alone}",
            "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f",
            # Joined or separated letters, in scripts that have these.
            f"[{cursive}][\u200c\u200d](?=[{cursive}])",
            f"(?<=[{marks}])[{virama}][\u200c\u200d]",
            f"(?<={letter})[{virama}][\u200c\u200d]",
            f"{letter}[\u200c\u200d](?=[{virama}])",
            # Places where a line may break, in scripts without spaces.
            f"[{unparted}]\u200b(?=[{unparted}])",
        ]
    )
    return re.compile(f"{before}(?:{places})", re.DOTALL)


def visible(text: str) -> str:
    """Write hidden characters as escapes, and limit the marks on a letter.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    str
        The text, in which a hidden character is written as a backslash, `u` and its code.
    """
    if text.isascii() and text.isprintable():
        return text
    if max(text) >= MARKS_FROM:
        text = _stacked().sub(r"\1…", text)
    if not HIDDEN.search(text):
        return text
    parts, at = [], 0
    for found in _belongs().finditer(text):
        parts += [_escape(text[at : found.start()]), found[0]]
        at = found.end()
    return "".join([*parts, _escape(text[at:])])


def is_blank(text: str) -> bool:
    """Return whether a text has no visible characters."""
    return not HIDDEN.sub("", text).strip()


#: A tag, or an element whose text is not shown or can be edited.
_TAGS = re.compile(
    r"(<(textarea|script|style)\b.*?</\2>|<!--.*?-->|<[^>]*>)", re.DOTALL | re.IGNORECASE
)
#: Attributes that are shown or read aloud.
_SHOWN = re.compile(r"""(?<=\s)(title|alt|aria-label|placeholder)=("[^"]*"|'[^']*')""")


def visible_html(html: str) -> str:
    """Make hidden characters visible in a page's texts and in the attributes that are shown.

    Parameters
    ----------
    html
        HTML in which texts are escaped.

    Returns
    -------
    str
        The same HTML. Texts that can be edited or sent back stay unchanged.
    """
    if html.isascii() and not HIDDEN.search(html):
        return html
    parts, at = [], 0
    for tag in _TAGS.finditer(html):
        shown = tag[0] if tag[2] else _SHOWN.sub(lambda found: visible(found[0]), tag[0])
        parts += [visible(html[at : tag.start()]), shown]
        at = tag.end()
    return "".join([*parts, visible(html[at:])])


def _escape(text: str) -> str:
    def write(found: re.Match[str]) -> str:
        code = f"{ord(found[0]):04x}"
        return f"\\u{{{code}}}" if len(code) > 4 else f"\\u{code}"

    return HIDDEN.sub(write, text)
