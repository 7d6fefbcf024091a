"""The pages at `/services/notify/`: the composer, the history and results, and a user's inbox.

The pages change messages through the API. What they show comes from the same services and is
rendered here, so that the browser needs no second renderer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode
from zoneinfo import available_timezones

from fastapi import APIRouter, FastAPI, Query, Request, Response
from pydantic import ValidationError
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from ..config import Settings
from ..errors import NoHub, NotFound, ServiceError
from ..identity.caller import Caller, IdentityError, IdentityProvider
from ..identity.settings import hub_of
from ..models.broadcasts import AdminBroadcast
from ..models.common import Text
from ..models.recipients import ChooseRecipients, Directory
from ..models.stored import StoredBroadcast
from ..pages.alerts import channels_of, problems_of, states_of
from ..pages.forms import Draft, draft_of_broadcast, draft_of_fields, draft_of_template
from ..pages.inbox import View, items_of
from ..pages.outcomes import FAILED, LOOKS
from ..pages.templating import CONTENT_SECURITY_POLICY, HUB_STATIC, STATIC, hub_url
from ..pages.templating import make_environment as _make_environment
from ..parts import Parts
from ..recurrence import zone
from ..rendering import plain_text, render_block, render_inline
from ..schedules import parse_moment
from ..schema import now
from ..services.maintenance import phases_of
from ..services.site_files import FileProblem
from ..visible import visible_html
from .dependencies import PartsOf

__all__ = ["add_pages", "router", "wants_page"]

router = APIRouter(include_in_schema=False)

#: Rows of a page of the history, of the results, of the inbox, and of the alerts.
ROWS = 50
DELIVERIES = 100
INBOX = 100
STATES = 500
#: Number of messages that a search in the inbox looks at.
SEARCHED = 2000

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class Static(StaticFiles):
    """Static files, which a browser has to revalidate: they change with the service."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Return a file, or 304 if it has not changed."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file; one with a version in its address may be cached without revalidation."""
        response = await super().get_response(path, scope)
        if scope["query_string"].startswith(b"v="):
            response.headers["Cache-Control"] = "public, max-age=604800"
        return response


def add_pages(app: FastAPI, settings: Settings, identity: IdentityProvider) -> None:
    """Add the pages and their static files to an application."""
    of_hub = hub_of(identity) is not None
    environment = _make_environment(site_directories=settings.page_templates, hub=of_hub)
    environment.filters["plain"] = lambda text: plain_text(text, block=False)
    app.state.pages = Pages(settings, environment, of_hub=of_hub and HUB_STATIC is not None)
    app.include_router(router)
    app.mount("/static", Static(directory=STATIC), name="static")
    if of_hub and HUB_STATIC is not None:
        app.mount("/hub-static", Static(directory=HUB_STATIC), name="hub-static")


class Pages:
    """Renders a page for its reader.

    Parameters
    ----------
    settings
        The site's settings.
    environment
        The environment of the templates.
    of_hub
        Whether the templates extend JupyterHub's page.
    """

    def __init__(self, settings: Settings, environment: Any, *, of_hub: bool) -> None:
        self._environment = environment
        self._of_hub = of_hub
        self.service_url = settings.prefix.rstrip("/") + "/"
        self._hub_url = hub_url(settings.prefix)

    def page(
        self,
        request: Request,
        template: str,
        caller: Caller | None,
        *,
        status: int = 200,
        **values: Any,
    ) -> Response:
        """Return a whole page."""
        user = None if caller is None else SimpleNamespace(name=caller.name, spawner=None)
        context = {
            "base_url": self._hub_url,
            "logo_url": self._hub_url,
            "login_url": f"{self._hub_url}login",
            "logout_url": f"{self._hub_url}logout",
            "prefix": self._hub_url.removesuffix("hub/"),
            "parsed_scopes": ["admin-ui"] if caller is not None and caller.admin else [],
            "services": [],
            "no_spawner_check": True,
            "static_url": self._static_url,
            "service_url": self.service_url,
            "hub": self._of_hub,
            "user": user,
            "tabs": _tabs(caller),
            "tab": "",
            "problems_of_files": _problems_of_files(request, caller, values.get("tab", "")),
            "xsrf_token": request.app.state.identity.xsrf_token(request) if caller else "",
            **values,
        }
        return self._answer(template, context, status)

    def fragment(self, template: str, **values: Any) -> Response:
        """Return a part of a page."""
        return self._answer(template, values, 200)

    def _answer(self, template: str, context: dict[str, Any], status: int) -> Response:
        text = self._environment.get_template(template).render(context)
        return HTMLResponse(visible_html(text), status, headers=HEADERS)

    def _static_url(self, path: str, include_version: bool = True) -> str:
        file = Path(HUB_STATIC or STATIC) / path
        version = f"?v={int(file.stat().st_mtime)}" if include_version and file.exists() else ""
        return f"{self.service_url}hub-static/{path}{version}"


def _problems_of_files(request: Request, caller: Caller | None, tab: str) -> list[FileProblem]:
    """Return the problems of the site's files, for an administrator; none in the inbox."""
    if caller is None or not caller.admin or tab in ("", "inbox"):
        return []
    parts: Parts = request.app.state.parts
    return parts.files.problems()


def _tabs(caller: Caller | None) -> Sequence[tuple[str, str, str]]:
    if caller is None:
        return ()
    inbox = [("inbox", "Inbox", "inbox")] if caller.kind == "user" else []
    if not _may_send(caller):
        return inbox
    tabs = [*inbox, ("compose", "Compose", ""), ("history", "History", "history")]
    if caller.admin:
        tabs.append(("alerts", "Alerts", "alerts"))
    return [*tabs, ("templates", "Templates", "templates")]


def _may_send(caller: Caller) -> bool:
    return caller.admin or bool(caller.send_groups)


def wants_page(request: Request) -> bool:
    """Return whether a browser asks for a page, rather than a client for the API."""
    return "text/html" in request.headers.get("accept", "")


class _Turned(Exception):
    """Raised to answer with something other than the requested page."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


async def _reader(request: Request, *, sender: bool = False) -> Caller:
    """Return the caller of a page; redirect a browser that is not logged in to the login."""
    pages: Pages = request.app.state.pages
    identity: IdentityProvider = request.app.state.identity
    try:
        caller = await identity.identify(request)
    except IdentityError as error:
        raise _Turned(_sentence(pages, request, error.status, str(error))) from None
    if caller.is_anonymous:
        login = identity.login_url(request)
        if login is None or "hx-request" in request.headers:
            text = "This page needs a login, and this service has none: ask with a token instead."
            raise _Turned(_sentence(pages, request, 401, text))
        raise _Turned(RedirectResponse(login, 302, headers={"Cache-Control": "no-store"}))
    if sender and not _may_send(caller):
        text = "You may not send broadcasts. Your own messages are in the inbox."
        raise _Turned(_sentence(pages, request, 403, text, caller))
    return caller


def _sentence(
    pages: Pages, request: Request, status: int, text: str, caller: Caller | None = None
) -> Response:
    title = {401: "Log in", 403: "Not for you", 404: "Not found"}.get(status, "Not now")
    return pages.page(
        request, "notify/sentence.html", caller, status=status, title=title, sentence=text
    )


async def _unread(parts: Parts, caller: Caller) -> int:
    return await parts.overview.unread(caller) if caller.kind == "user" else 0


# --- Compose


async def front(request: Request, parts: Parts) -> Response:
    """Return the composer to those who may send, and the inbox to everybody else."""
    try:
        caller = await _reader(request)
        if not _may_send(caller):
            return await _inbox(request, parts, caller, "", "")
        return await _compose(request, parts, caller)
    except _Turned as turned:
        return turned.response


async def _compose(request: Request, parts: Parts, caller: Caller) -> Response:
    pages: Pages = request.app.state.pages
    fields: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        fields.setdefault(name, []).append(value)
    draft = draft_of_fields(fields, form=False)
    if duplicate := request.query_params.get("duplicate"):
        try:
            stored, counts = await parts.broadcasting.one(caller, duplicate)
        except ServiceError as error:
            return _sentence(pages, request, error.status, str(error), caller)
        draft = draft_of_broadcast(parts.broadcast_views.admin(stored, counts))
    chosen = request.query_params.get("template")
    if chosen in parts.content.names:
        draft = draft_of_template(parts.content.sample(chosen))
    saved = await parts.saved_templates.listed(caller)
    saved_name = request.query_params.get("saved")
    draft = next((draft_of_broadcast(one) for one in saved if one.name == saved_name), draft)
    everyone = caller.may_send_to_everyone()
    if not everyone and draft.to in ("running", "all"):
        draft.to = "groups"
    return pages.page(
        request,
        "notify/compose.html",
        caller,
        title="Compose",
        tab="compose",
        unread=await _unread(parts, caller),
        values=draft,
        may_send_to_everyone=everyone,
        groups=await _groups(parts, caller, draft.groups),
        zones=sorted(available_timezones()),
        templates=parts.content.names,
        chosen=chosen,
        saved=[one.name for one in saved],
        chosen_saved=saved_name,
        message_hint=parts.settings.message_hint,
        undo_s=parts.settings.undo_s,
        maintenance=True,
        channels=parts.channels.names,
        leads=_in_words(parts.settings.maintenance_leads_min or [0]),
    )


async def _groups(
    parts: Parts, caller: Caller, chosen: Sequence[str]
) -> list[tuple[str, int | None]]:
    try:
        found = await parts.recipients.found(caller, "", 1)
    except ServiceError:
        found = Directory(users=[], groups=[])
    if found.groups:
        known: dict[str, int | None] = {group.name: group.members for group in found.groups}
        # Keep chosen groups that have no members: the sender sees that, rather than a choice that
        # has disappeared.
        missing = {name: None for name in chosen if caller.may_send_to_group(name)}
        return list({**missing, **known}.items())
    # Without a hub's answer only the groups named in the sender's scopes are known.
    return [(name, None) for name in sorted(caller.send_groups - {"*"})]


async def _form(request: Request) -> Draft:
    text = (await request.body()).decode(errors="replace")
    return draft_of_fields(parse_qs(text, keep_blank_values=True), form=True)


@router.post("/fragments/preview")
async def preview(request: Request) -> Response:
    """Render the draft as the lab would show it."""
    try:
        caller = await _reader(request, sender=True)
    except _Turned as turned:
        return turned.response
    draft = await _form(request)
    pages: Pages = request.app.state.pages
    actions = [action["label"] for action in draft.actions]
    return pages.fragment(
        "notify/preview.html",
        type=draft.type,
        summary_text=plain_text(draft.message, block=False),
        summary=render_inline(draft.message),
        body=render_block(draft.details) if draft.details.strip() else None,
        sender=caller.name,
        banner=draft.banner,
        inbox=draft.inbox,
        dismissable=draft.dismissable,
        must_accept=draft.must_accept,
        actions=actions + (["Dismiss"] if draft.dismiss_button else []),
        choices=draft.choices,
        reply_text=draft.reply_text,
        countdown=_countdown(draft),
    )


def _countdown(draft: Draft) -> str | None:
    """Return the countdown that the banner of a maintenance would show, as the script writes it."""
    if draft.when != "maintenance":
        return None
    try:
        begins = parse_moment(draft.starts, "start", zone(draft.timezone or "UTC"))
    except ValueError:
        return None
    minutes = int((begins - now()).total_seconds() // 60) + 1
    if minutes <= 0:
        return None
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return f"in {hours // 24} days"
    return f"in {hours} h {rest} min" if hours else f"in {rest} min"


@router.post("/fragments/recipients")
async def recipients(request: Request, parts: PartsOf) -> Response:
    """Show whom the chosen recipients reach."""
    try:
        caller = await _reader(request, sender=True)
    except _Turned as turned:
        return turned.response
    draft = await _form(request)
    pages: Pages = request.app.state.pages
    named = draft.to in ("groups", "users")
    values: dict[str, Any] = {"found": None, "error": None, "audience": draft.to}
    try:
        chosen = ChooseRecipients(
            audience="named" if named else draft.to,
            groups=draft.groups if draft.to == "groups" else [],
            users=draft.users if draft.to == "users" else [],
        )
        values["found"] = await parts.recipients.reached(caller, chosen)
    except ValidationError:
        values["error"] = "One of these is no name."
    except ServiceError as error:
        if not isinstance(error, NoHub) and error.status != 503:
            values["error"] = str(error)
    return pages.fragment("notify/recipients.html", **values)


# --- History and results


Offset = Annotated[int, Query(ge=0, le=10_000_000)]


@router.get("/history")
async def history(request: Request, parts: PartsOf, q: Text = "", offset: Offset = 0) -> Response:
    """List the broadcasts that were sent."""
    pages: Pages = request.app.state.pages
    try:
        caller = await _reader(request, sender=True)
        found, total = await parts.broadcasting.listed(
            caller, limit=ROWS, offset=offset, words=q.strip()
        )
    except _Turned as turned:
        return turned.response
    return pages.page(
        request,
        "notify/history.html",
        caller,
        title="History",
        tab="history",
        unread=await _unread(parts, caller),
        items=[parts.broadcast_views.admin(stored, counts) for stored, counts in found],
        q=q,
        **_pager(request, offset, ROWS, len(found), total),
    )


@router.get("/history/{id}")
async def results(
    request: Request,
    parts: PartsOf,
    id: str,
    outcome: Text = "",
    user: Text = "",
    offset: Offset = 0,
) -> Response:
    """Show the results of a broadcast."""
    pages: Pages = request.app.state.pages
    try:
        caller = await _reader(request, sender=True)
        stored, counts = await parts.broadcasting.one(caller, id)
        known = outcome if outcome in {look.name for look in LOOKS} else None
        rows, total, _ = await parts.broadcasting.deliveries(
            caller, id, outcome=known, user=user.strip(), limit=DELIVERIES, offset=offset
        )
    except _Turned as turned:
        return turned.response
    except NotFound as error:
        return _sentence(pages, request, 404, str(error), caller)
    one = parts.broadcast_views.admin(stored, counts)
    return pages.page(
        request,
        "notify/results.html",
        caller,
        title=plain_text(one.summary, block=False)[:60],
        tab="history",
        unread=await _unread(parts, caller),
        one=one,
        held=_is_held(one),
        notices=_notices(stored),
        failed=sum(one.counts.get(name, 0) for name in FAILED),
        summary=render_inline(one.summary),
        body=render_block(one.body) if one.body else None,
        counts_only=parts.settings.receipts == "counts",
        tones={look.name: look.tone for look in LOOKS},
        rows=rows,
        total_rows=total,
        outcome=known or "",
        user_query=user,
        csv_query=urlencode(
            {"format": "csv", "user": user, **({"outcome": known} if known else {})}
        ),
        **_pager(request, offset, DELIVERIES, len(rows), total),
    )


def _is_held(one: AdminBroadcast) -> bool:
    """Return whether its sender may still undo it."""
    return one.revoked is None and one.held_until is not None and now() < one.held_until


#: The names of a maintenance's notices in the results.
_NOTICES = {"announced": "announced", "begun": "begins", "over": "is over"}


def _notices(stored: StoredBroadcast) -> list[dict[str, Any]]:
    """Return the notices of a maintenance, and which one is shown."""
    return [
        {
            "label": _NOTICES[phase.kind],
            "start": max(phase.start, stored.created),
            "now": stored.is_shown and stored.occurrence == phase.start,
        }
        for phase in phases_of(stored.schedule)
        # Notices that had ended before the broadcast was sent are never shown.
        if phase.end > stored.created
    ]


def _in_words(minutes: Sequence[int]) -> str:
    """Return a site's lead times in words: *a week, a day and an hour*."""
    units = ((10_080, "week"), (1440, "day"), (60, "hour"), (1, "minute"))
    words = []
    for one in sorted(minutes, reverse=True):
        size, unit = next((size, unit) for size, unit in units if one % size == 0)
        count = one // size
        article = "an" if unit == "hour" else "a"
        words.append(f"{article} {unit}" if count == 1 else f"{count} {unit}s")
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _pager(request: Request, offset: int, limit: int, shown: int, total: int) -> dict[str, Any]:
    def link(at: int) -> str:
        pairs = [
            (name, value)
            for name, value in request.query_params.multi_items()
            if name != "offset" and value
        ]
        return "?" + urlencode([*pairs, *([("offset", str(at))] if at else [])])

    return {
        "previous": link(max(0, offset - limit)) if offset else None,
        "following": link(offset + limit) if offset + shown < total else None,
        "first": offset + 1 if shown else 0,
        "last": offset + shown,
        "total": total,
        "query": link(offset),
    }


# --- Templates and alerts


@router.get("/templates")
async def templates(request: Request, parts: PartsOf) -> Response:
    """List the templates that a broadcast can start from."""
    pages: Pages = request.app.state.pages
    try:
        caller = await _reader(request, sender=True)
    except _Turned as turned:
        return turned.response
    return pages.page(
        request,
        "notify/templates.html",
        caller,
        title="Templates",
        tab="templates",
        unread=await _unread(parts, caller),
        saved=await parts.saved_templates.listed(caller),
        admin=caller.admin,
        files=[(name, parts.content.sample(name)) for name in parts.content.names],
    )


@router.get("/alerts")
async def alerts(request: Request, parts: PartsOf) -> Response:
    """Show the state of alerts, rules and channels, to an administrator."""
    pages: Pages = request.app.state.pages
    try:
        caller = await _reader(request)
        if not caller.admin:
            text = "Alerts and rules are shown to administrators."
            raise _Turned(_sentence(pages, request, 403, text, caller))
        overview = await parts.alert_overview.get(caller)
        sends = await parts.channels.summary(caller)
    except _Turned as turned:
        return turned.response
    return pages.page(
        request,
        "notify/alerts.html",
        caller,
        title="Alerts",
        tab="alerts",
        unread=await _unread(parts, caller),
        states=states_of(overview.rules)[:STATES],
        total_states=len(overview.rules),
        problems=problems_of(overview.problems),
        channels=channels_of(parts.channels.names, sends),
        has_rules=parts.rules is not None,
    )


# --- Inbox


@router.get("/inbox")
async def inbox(
    request: Request, parts: PartsOf, view: View = "", q: Text = "", all: bool = False
) -> Response:
    """Show the user's own messages."""
    try:
        caller = await _reader(request)
        return await _inbox(request, parts, caller, view, q.strip(), all_=all)
    except _Turned as turned:
        return turned.response


async def _inbox(
    request: Request,
    parts: Parts,
    caller: Caller,
    view: View,
    words: str,
    *,
    all_: bool = False,
) -> Response:
    pages: Pages = request.app.state.pages
    if caller.kind != "user":
        text = "A service has no inbox."
        return _sentence(pages, request, 403, text, caller)
    searched = bool(words) or all_ or view == "done"
    seen = await parts.overview.of(caller, aspect=None, limit=SEARCHED if searched else INBOX)
    items = items_of(seen.messages, seen.broadcasts, view=view, words=words)
    left = not searched and seen.total > len(seen.messages)
    pairs = {"view": view, "q": words}
    query = urlencode({name: value for name, value in pairs.items() if value})
    unread = items_of(seen.messages, seen.broadcasts, view="unread", words="")
    return pages.page(
        request,
        "notify/inbox.html",
        caller,
        title="Inbox",
        tab="inbox",
        unread=max(len(unread), seen.unread),
        items=items,
        view=view,
        q=words,
        query=f"?{query}",
        cursor=seen.cursor,
        channels=await parts.channels.get(caller),
        zones=sorted(available_timezones()),
        more=f"{pages.service_url}inbox?all=true&view={view}" if left else None,
    )
