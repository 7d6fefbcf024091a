"""Fills the composer: from a run-book's address, a template, or a broadcast to duplicate."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..models.broadcasts import AdminBroadcast
from ..models.recipients import SavedTemplate
from ..services.content import Rendered

__all__ = ["Draft", "draft_of_broadcast", "draft_of_fields", "draft_of_template", "names_in"]

TYPES = ("info", "success", "warning", "error", "in-progress", "default")
WHEN = ("now", "later", "repeating", "maintenance")
TRUE = ("1", "true", "yes", "on")
MOST_NAMES = 10_000


@dataclass(kw_only=True)
class Draft:
    """The fields of the composer, by the names of its inputs."""

    message: str = ""
    details: str = ""
    type: str = "info"
    to: str = "running"
    groups: Sequence[str] = ()
    users: Sequence[str] = ()
    when: str = "now"
    starts: str = ""
    ends: str = ""
    timezone: str = ""
    banner: bool = False
    inbox: bool = True
    dismissable: bool = True
    must_accept: bool = False
    important: bool = False
    auto_close: str = ""
    expires: str = ""
    dismiss_button: bool = False
    actions: Sequence[Mapping[str, str]] = field(default_factory=list)
    choices: Sequence[str] = ()
    reply_text: bool = False

    @property
    def users_text(self) -> str:
        """The users, as text for their field."""
        return names_text(self.users)

    @property
    def more(self) -> bool:
        """Return whether an option is set that the composer folds away."""
        return bool(
            self.banner
            or not self.inbox
            or not self.dismissable
            or self.must_accept
            or self.important
            or self.auto_close
            or self.dismiss_button
            or self.actions
            or self.choices
            or self.reply_text
        )


#: Separators between the names of a pasted list; the last two are invisible.
BETWEEN = r"\s,;\u200b\ufeff"
#: A name, or one in quotes that contains a separator.
NAME = re.compile(rf'"([^"]+)"(?=[{BETWEEN}]|$)|([^{BETWEEN}]+)')


def names_in(text: str) -> list[str]:
    """Return the names of a pasted list, each once."""
    found = (quoted.strip() or plain for quoted, plain in NAME.findall(text))
    return list(dict.fromkeys(name for name in found if name))[:MOST_NAMES]


def names_text(names: Sequence[str]) -> str:
    """Return names as text that `names_in` can read."""
    return ", ".join(f'"{name}"' if re.search(f"[{BETWEEN}]", name) else name for name in names)


def choices_in(text: str) -> list[str]:
    """Split a text at its commas into choices."""
    return [choice for choice in (part.strip() for part in text.split(",")) if choice]


def draft_of_fields(fields: Mapping[str, list[str]], *, form: bool) -> Draft:
    """Return a draft from the composer's own fields, or from the query of a run-book's address.

    Parameters
    ----------
    fields
        The values by name; `body` and `summary` are other names of the details and the message.
    form
        Whether the fields come from the form, which leaves out boxes that are not ticked.
    """

    def text(*names: str) -> str:
        return next((fields[name][0] for name in names if fields.get(name)), "")

    def ticked(name: str, default: bool) -> bool:
        if name in fields:
            return text(name).lower() in TRUE
        return False if form else default

    def one_of(name: str, values: Sequence[str], default: str) -> str:
        return text(name) if text(name) in values else default

    groups = [name for value in fields.get("groups", []) for name in choices_in(value)]
    # `group` holds one name each: names of a directory's groups may contain commas.
    groups += fields.get("group", [])
    users = names_in(" ".join([*fields.get("users", []), *fields.get("user", [])]))
    guess = "groups" if groups else "users" if users else "running"
    draft = Draft(
        message=text("message", "summary"),
        details=text("details", "body"),
        type=one_of("type", TYPES, "info"),
        to=one_of("to", ("running", "all", "groups", "users"), guess),
        groups=groups,
        users=users,
        when=one_of("when", WHEN, "later" if text("starts") else "now"),
        starts=text("starts"),
        ends=text("ends"),
        timezone=text("timezone"),
        banner=ticked("banner", False),
        inbox=ticked("inbox", True),
        dismissable=ticked("dismissable", True),
        must_accept=ticked("must_accept", False),
        important=ticked("important", False),
        auto_close=text("auto_close"),
        expires=text("expires"),
        dismiss_button=ticked("dismiss_button", False),
        choices=choices_in(text("choices")),
        reply_text=ticked("reply_text", False),
    )
    labels, urls = fields.get("action_label", []), fields.get("action_url", [])
    pairs = zip(labels, [*urls, *([""] * len(labels))], strict=False)
    draft.actions = [{"label": label, "url": url} for label, url in pairs if label.strip()]
    return draft


def draft_of_broadcast(one: AdminBroadcast | SavedTemplate) -> Draft:
    """Return a draft from a broadcast or a saved template, to be sent at once."""
    links = [a for a in one.actions if a.url]
    to = "users" if one.users and not one.groups else "groups"
    close: Any = one.auto_close
    return Draft(
        message=one.summary,
        details=one.body or "",
        type=one.type,
        to=to if one.audience == "named" else "running" if one.audience == "running" else "all",
        groups=one.groups,
        users=one.users,
        banner=one.banner,
        inbox=one.inbox,
        dismissable=one.dismissable,
        must_accept=one.must_accept,
        important=one.important,
        auto_close="" if close is None or close is True else str(close).lower(),
        dismiss_button=any(not a.url and not a.commandId for a in one.actions),
        actions=[{"label": a.label, "url": a.url or ""} for a in links],
        choices=one.reply.choices if one.reply else (),
        reply_text=bool(one.reply and one.reply.text),
    )


def draft_of_template(made: Rendered) -> Draft:
    """Return a draft from a template filled with its sample, for the sender to edit."""
    return Draft(
        message=made.summary,
        details=made.body or "",
        type=made.type or "info",
        banner=bool(made.banner),
        dismissable=made.dismissable is not False,
    )
