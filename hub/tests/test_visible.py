"""What a reader sees is what the sender wrote: pages, mail and banners show hidden characters."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator

import pytest

from jupyterhub_notify.rendering import render_block, render_inline
from jupyterhub_notify.visible import HIDDEN, is_blank, visible, visible_html

from .mailing import Clock, MailServer, sender_of, settings_of
from .support import Databases, Service, Tokens, running

#: Texts with characters that nobody sees, or that turn others.
HOSTILE = [
    *("a\u202egnp.exe", "\u2066a\u2069", "a\u200bb\u200cc", "a\u3164b", "a\u2800b", "a\u034fb"),
    *("a\u00adb", "a\ufe0fb", "v1\ufe0f.0\ufe0e", "#\ufe0f1", "\u0645\u200ca", "\u0e20\u200ba"),
    *("a\U000e0041b", "a\U000e0100b", "\U0001d159b", "a\u0007b", "a\u2028b", "a\u180eb"),
    # A selector after a sign that has no such variant, and a second one.
    *("a\ufe00b", "+\ufe00", "\u845b\U000e0100\U000e0101", "\u2229\ufe01", "\u0915\ufe00"),
]
#: Texts in which they belong to what is seen.
HONEST = [
    *(
        "plain text\nof two lines",
        "👩\u200d🚀 👍🏽 ❤\ufe0f ✌🏽\ufe0f",
        "🏳\ufe0f\u200d🌈",
        "1\ufe0f\u20e3",
    ),
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    *("می\u200cخواهم", "क्\u200dष", "അവന്\u200d.", "র\u200d্যাব", "ภาษา\u200bไทย", "שלום עולם"),
    # Variants that Unicode has: of ideographs, of signs, of Mongolian letters.
    *("葛\U000e0100城", "\u8fbb\U000e0101", "\u4fae\ufe00", "\u2229\ufe00", "\u3002\ufe01"),
    *("\u1820\u180b", "\u1000\ufe00", "\u212c\ufe00", "↔\ufe0e", "葛\U000e0100🏽\u200d🚀"),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hidden_characters_are_written_as_escapes(text: str) -> None:
    shown = visible(text)
    assert "\\u" in shown
    assert len(HIDDEN.findall(shown)) < len(HIDDEN.findall(text))
    assert visible(shown) == shown


@pytest.mark.parametrize("text", HONEST)
def test_what_belongs_to_a_sign_that_is_seen_stays(text: str) -> None:
    assert visible(text) == text


def test_thousands_of_marks_upon_a_letter_are_few() -> None:
    assert visible("a" + "\u0301" * 4000 + "b") == "a" + "\u0301" * 8 + "…b"


def test_a_text_of_nothing_else_is_blank() -> None:
    assert is_blank("\u3164 \u2800\u202e\U000e0041")
    assert not is_blank("\u3164a")


@pytest.mark.parametrize(
    "unit", ["\u00e9\u200c", "\u202e", "क्\u200d", "葛\U000e0100\U000e0101", "<\u202e"]
)
def test_it_costs_little(unit: str) -> None:
    text = (unit * 32_768)[:32_768]
    visible("é\u202e")
    begun = time.thread_time()
    visible_html(text)
    assert time.thread_time() - begun < 1


def test_pages_keep_what_is_edited_or_sent_back() -> None:
    page = '<a title="x\u202ey" href="?\u202e">a\u3164</a><textarea>\u202e</textarea>'
    assert visible_html(page) == (
        '<a title="x\\u202ey" href="?\u202e">a\\u3164</a><textarea>\u202e</textarea>'
    )


@pytest.mark.parametrize(
    "written", ["a\u202eb", "a&#x202e;b", "`a\u202eb`", "[a\u202eb](https://x.org)"]
)
def test_what_the_api_has_rendered_is_visible(written: str) -> None:
    # The hub's own pages show it, by a script.
    for rendered in (render_inline(written), render_block(written)):
        assert "a\\u202eb" in rendered


@pytest.fixture
def sqlite(databases: Databases) -> str:
    """The URL of an empty database."""
    return databases.fresh("sqlite")


@pytest.fixture
async def service(sqlite: str, tokens: Tokens) -> AsyncIterator[Service]:
    async with running(sqlite, tokens) as service:
        yield service


def shown_of(page: str) -> str:
    """Return a page without what somebody edits, addresses and other values."""
    page = re.sub(r"<textarea.*?</textarea>", "", page, flags=re.DOTALL)
    return re.sub(r'\b(?:href|value|data-[\w-]+)="[^"]*"', "", page)


async def test_every_page_shows_them(service: Service) -> None:
    odd = "x\u202ey\u3164z\U000e0041"
    admin = service.as_("admin")
    body = {
        "summary": f"Said {odd}",
        "body": f"Text {odd}\n\n![{odd}](https://example.org/p.png '{odd}')",
        "audience": "named",
        "users": ["alice", f"bob{odd}"],
        "actions": [{"label": odd, "url": "https://example.org"}],
        "reply": {"prompt": odd, "choices": [odd]},
    }
    made = await admin.post("/v1/admin/broadcasts", json=body)
    assert made.status_code == 200, made.text
    name = made.json()["id"]
    await service.send("alice", f"Quota {odd}", body=odd)
    paths = ["admin history", f"admin history/{name}", "alice inbox", f"admin ?duplicate={name}"]
    for who, path in (one.split(" ") for one in paths):
        answer = await service.as_(who).get(f"/{path}", headers={"Accept": "text/html"})
        assert answer.status_code == 200
        assert not HIDDEN.search(shown_of(answer.text)), path
        assert "\\u202ey\\u3164z\\u{e0041}" in answer.text or path.startswith("?")
    previewed = await admin.post(
        "/fragments/preview", data={"message": odd, "details": odd}, headers={"Accept": "text/html"}
    )
    assert not HIDDEN.search(shown_of(previewed.text))


async def test_a_mail_shows_them_too(service: Service, mail: MailServer) -> None:
    clock = Clock()
    sender = sender_of(service, settings_of(mail.port), clock)
    await service.send("alice", "Pay\u202egnp.exe\u3164", body="a\u034fb", important=True)
    clock.go(minutes=16)
    await sender.look(wait=True)
    [letter] = mail.mails
    assert letter["Subject"] == "Pay\\u202egnp.exe\\u3164"
    for kind in ("plain", "html"):
        part = letter.get_body((kind,)).get_content()
        assert "a\\u034fb" in part and not HIDDEN.search(part.replace("\r", ""))


async def test_a_message_of_nothing_else_is_refused(service: Service) -> None:
    answer = await service.as_("quota").post(
        "/v1/services/quota/notifications", json={"recipient": "alice", "summary": "\u3164\u2800"}
    )
    assert answer.status_code == 422
