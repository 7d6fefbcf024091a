"""Broadcasts as a folder of Markdown files with the front matter that Semaphore reads.

A site that keeps its broadcasts in a Git repository for Semaphore keeps them for this service too.
Where Semaphore loses something (an unquoted time's hours, the last of a set, struck text, the files
beside a bad one), this module reads what the author wrote. Where Semaphore's result depends on the
moment of reading (a rule without a start, a date without a year), the schedule is fixed or the file
refused: every replica and every restart must compute the same schedule.

Nothing here touches the database: the caller stores the broadcasts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from dateutil import parser as dateutil_parser

from .frontmatter import FrontMatterError, files_of, read_file, split
from .recurrence import MAX_COUNT, MAX_INTERVAL, Rule, RuleError, make_rule, place, zone
from .schedules import MAX_DURATION, Schedule

__all__ = ["BroadcastDirectory", "BroadcastFile", "parse_broadcast", "schedule_of"]

CATEGORIES = ("info", "notice", "outage")

#: Fields of the schedule. They are stored as written; the schedule is computed from them again.
SCHEDULE_FIELDS = ("timezone", "defer", "expire", "ttl", "rules")
FIELDS = (*SCHEDULE_FIELDS, "summary", "category", "enabled", "important", "env")
#: Similarity from which an unknown name counts as a known one misspelt: `expires`, `timezon`.
MISSPELT = 0.8
#: The names that the API and the rules have for fields of the front matter.
MEANT = {"start": "defer", "starts": "defer", "end": "expire", "ends": "expire"}

MAX_SUMMARY = 4096
MAX_BODY = 32 * 1024
MAX_RULES = 50
MAX_UNKNOWN = 50

#: The start of a rule that gives none.
_FIRST = datetime(2000, 1, 1)

_DAYS = {
    "sunday": "SU",
    "monday": "MO",
    "tuesday": "TU",
    "wednesday": "WE",
    "thursday": "TH",
    "friday": "FR",
    "saturday": "SA",
}
_PARTS = {
    "by_set_position": "BYSETPOS",
    "by_month": "BYMONTH",
    "by_month_day": "BYMONTHDAY",
    "by_year_day": "BYYEARDAY",
    "by_week": "BYWEEKNO",
    "by_hour": "BYHOUR",
    "by_minute": "BYMINUTE",
    "by_second": "BYSECOND",
}
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_SPAN = re.compile(
    r"(\d{1,6})\s*(w(?:eeks?)?|d(?:ays?)?|h(?:ours?|rs?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)\s*"
)


_RULE_FIELDS = {
    *("timezone", "date", "exclude", "freq", "start", "end", "count", "interval"),
    *("week_start", "by_weekday", *_PARTS),
}


class BroadcastFileError(ValueError):
    """A file that is not valid; the message says which field is wrong, and why."""


@dataclass(frozen=True, kw_only=True)
class BroadcastFile:
    """A broadcast that a file describes.

    Parameters
    ----------
    id
        The file's path in the folder.
    summary
        Inline Markdown.
    body
        Markdown, or nothing.
    category
        ``info``, ``notice`` or ``outage``.
    enabled
        Whether it is shown at all.
    important
        Whether it also goes to other channels if it stays unread.
    environments
        Where it is shown; ``None`` for everywhere.
    when
        The fields of the front matter that `schedule_of` reads, as JSON values.
    ignored
        The names of unknown fields of the front matter.
    """

    id: str
    summary: str
    body: str | None
    category: str
    enabled: bool
    important: bool
    environments: tuple[str, ...] | None
    when: dict[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()

    @property
    def schedule(self) -> Schedule:
        """The times at which it is shown."""
        return schedule_of(self.when)

    def is_for(self, environment: str | None) -> bool:
        """Tell whether it is shown in an environment.

        Parameters
        ----------
        environment
            The service's own; ``None`` if it has none: then only broadcasts for every
            environment are shown.

        Returns
        -------
        bool
            Whether it is shown there.
        """
        return self.environments is None or environment in self.environments


def parse_broadcast(id: str, text: str) -> BroadcastFile:
    """Read one file.

    Parameters
    ----------
    id
        What to call it.
    text
        Its content.

    Returns
    -------
    BroadcastFile
        The broadcast.

    Raises
    ------
    FrontMatterError, BroadcastFileError
        If the file is not valid.
    """
    fields, body = split(text)
    ignored = _unknown(fields)
    summary = fields.get("summary")
    if summary is None:
        # The first paragraph is the summary, as in a commit message.
        summary, _, body = body.partition("\n\n")
        summary = " ".join(summary.split())
    if not isinstance(summary, str) or not summary.strip():
        raise BroadcastFileError("summary: there is none, and no text to take it from")
    if len(summary) > MAX_SUMMARY or len(body) > MAX_BODY:
        raise BroadcastFileError(
            f"its summary has at most {MAX_SUMMARY} characters and its text {MAX_BODY}"
        )
    category = fields.get("category") or "notice"
    if category not in CATEGORIES:
        raise BroadcastFileError(f"category: it must be one of {', '.join(CATEGORIES)}")
    when = {name: fields[name] for name in SCHEDULE_FIELDS if fields.get(name) is not None}
    schedule_of(when)
    return BroadcastFile(
        id=id,
        summary=summary.strip(),
        body=body.strip("\n") or None,
        category=category,
        enabled=_truth(fields, "enabled", True),
        important=_truth(fields, "important", False),
        environments=_environments(fields.get("env")),
        when=when,
        ignored=ignored,
    )


def _unknown(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of unknown fields; refuse those that seem to be misspelt.

    A site may keep more in its files than Semaphore reads. But a broadcast whose `defer` is
    misspelt would be shown at once, and a rule that lost a condition would mean other days.
    """
    unknown = [name[:40] for name in fields if name not in FIELDS]
    if len(unknown) > MAX_UNKNOWN:
        raise BroadcastFileError(f"more than {MAX_UNKNOWN} of its fields are not known")
    for name in unknown:
        near = get_close_matches(name.lower(), FIELDS, 1, MISSPELT)
        meant = MEANT.get(name) or (near[0] if near else None)
        if meant is not None:
            raise BroadcastFileError(f"{name}: there is no such field; is it {meant}?")
    rules = fields.get("rules")
    for number, rule in enumerate(rules if isinstance(rules, list) else (), 1):
        for name in rule if isinstance(rule, dict) else ():
            if name not in _RULE_FIELDS:
                raise BroadcastFileError(
                    f"rules, number {number}: {str(name)[:40]}: there is no such field"
                )
    return tuple(unknown)


def schedule_of(when: Mapping[str, Any]) -> Schedule:
    """Compute a schedule from the fields of a front matter.

    Parameters
    ----------
    when
        ``timezone``, ``defer``, ``expire``, ``ttl`` and ``rules``.

    Returns
    -------
    Schedule
        The schedule.

    Raises
    ------
    BroadcastFileError
        If a field is wrong, or two fields exclude each other.
    """
    in_zone = _zone(when.get("timezone", "UTC"), "timezone")
    start = _moment(when.get("defer"), "defer", in_zone)
    end = _moment(when.get("expire"), "expire", in_zone)
    ttl = _span(when["ttl"]) if "ttl" in when else None
    rules = when.get("rules")
    if rules is not None:
        if start is not None or end is not None:
            raise BroadcastFileError("rules: it does not go with defer or expire")
        if ttl is None:
            raise BroadcastFileError("rules: it needs ttl, which says how long each lasts")
        return _recurring(rules, ttl, in_zone)
    if ttl is not None and end is not None:
        raise BroadcastFileError("ttl: it does not go with expire")
    if ttl is not None and start is None:
        raise BroadcastFileError("ttl: it needs defer or rules, which say from when")
    if start is not None and ttl is not None:
        end = start + ttl
    if start is not None and end is not None and end <= start:
        raise BroadcastFileError("expire: it is not after defer")
    return Schedule(start=start, end=end, zone=in_zone)


class BroadcastDirectory:
    """The folder as the service uses it. A file that is not valid is logged once, and left out.

    Parameters
    ----------
    directory
        The folder.
    environment
        The service's own name among the environments that files name.
    """

    def __init__(self, directory: Path, *, environment: str | None = None) -> None:
        self._directory = directory
        self._environment = environment
        self._log = structlog.get_logger("jupyterhub_notify.broadcast_files")
        #: The problem of each bad file. A file is logged again only if its problem changes.
        self.problems: dict[str, str] = {}
        self._ignored: set[tuple[str, str]] = set()

    def read(self) -> list[BroadcastFile] | None:
        """Read every file.

        Returns
        -------
        list of BroadcastFile or None
            The broadcasts for this environment; ``None`` if the folder cannot be read now: then
            the broadcasts of the last reading should stay.
        """
        try:
            paths = files_of(self._directory)
        except OSError as error:
            self._note({"": f"the folder cannot be read: {error.strerror or error}"})
            return None
        found, problems = [], {}
        ignored: set[tuple[str, str]] = set()
        for path in paths:
            id = path.relative_to(self._directory).as_posix()
            try:
                broadcast = parse_broadcast(id, read_file(path))
            except (FrontMatterError, BroadcastFileError) as error:
                problems[id] = str(error)
                continue
            ignored.update((id, name) for name in broadcast.ignored)
            if broadcast.is_for(self._environment):
                found.append(broadcast)
        self._note(problems)
        for id, name in sorted(ignored - self._ignored):
            self._log.warning("A field of a broadcast's file is ignored", file=id, field=name)
        self._ignored = ignored
        return found

    def _note(self, problems: dict[str, str]) -> None:
        for id, message in problems.items():
            if self.problems.get(id) != message:
                self._log.error("A broadcast's file is no good", file=id, error=message)
        self.problems = problems


def _truth(fields: Mapping[str, Any], name: str, default: bool) -> bool:
    value = fields.get(name, default)
    if not isinstance(value, bool):
        raise BroadcastFileError(f"{name}: it must be true or false")
    return value


def _environments(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BroadcastFileError("env: it must be a name or a list of names")
    return tuple(name.strip() for name in names)


def _zone(value: Any, name: str) -> ZoneInfo:
    if not isinstance(value, str):
        raise BroadcastFileError(f"{name}: it must be a name such as Europe/Berlin")
    try:
        # People write "America/Los Angeles".
        return zone(value.strip().replace(" ", "_"))
    except RuleError as error:
        raise BroadcastFileError(f"{name}: {error}") from None


def _moment(value: Any, name: str, in_zone: ZoneInfo) -> datetime | None:
    if value is None:
        return None
    local = _date(value, name)
    return place(local, in_zone) if local.tzinfo is None else local.astimezone(timezone.utc)


def _date(value: Any, name: str) -> datetime:
    """Read a date as people write it: "2026-12-01", "December 1, 2026 at 4am UTC"."""
    if not isinstance(value, str) or len(value) > 100:
        raise BroadcastFileError(f"{name}: it must be a date and time")
    try:
        # The parser takes missing parts from the default. If two defaults give two results, the
        # text does not name its day.
        one, other = (
            dateutil_parser.parse(
                value, fuzzy=True, yearfirst=True, default=default, tzinfos=_named_zone
            )
            for default in (datetime(2004, 2, 1), datetime(2005, 3, 2))
        )
        if one != other or not 2000 <= one.year < 2200:
            raise ValueError
    except (ValueError, OverflowError, TypeError):
        raise BroadcastFileError(
            f"{name}: {value[:40]!r} is no date and time with year, month and day"
        ) from None
    return one


def _named_zone(name: str | None, offset: int | None) -> tzinfo | None:
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    if name is None:
        return None
    if name in ("Z", "UTC", "GMT", "UT"):
        return timezone.utc
    # PST, CST and the like mean different things in different places.
    raise ValueError(name)


def _span(value: Any) -> timedelta:
    text = value.strip().lower() if isinstance(value, str) else ""
    found = [(match.start(), match.end(), match) for match in _SPAN.finditer(text)]
    joined = sum(end - start for start, end, _ in found) == len(text)
    span = timedelta()
    for _, _, match in found:
        span += timedelta(**{_UNITS[match[2][0]]: int(match[1])})
    if not text or not joined or not timedelta() < span <= MAX_DURATION:
        raise BroadcastFileError("ttl: it must be a time such as 2hr or 1 day 12 hours")
    return span


def _recurring(rules: Any, ttl: timedelta, in_zone: ZoneInfo) -> Schedule:
    if not isinstance(rules, list) or not 1 <= len(rules) <= MAX_RULES:
        raise BroadcastFileError(f"rules: it must be a list of 1 to {MAX_RULES} rules")
    recurring: dict[bool, list[Rule]] = {False: [], True: []}
    dates: dict[bool, list[datetime]] = {False: [], True: []}
    for number, rule in enumerate(rules, 1):
        if not isinstance(rule, dict):
            raise BroadcastFileError(f"rules, number {number}: it is no mapping")
        excluded = rule.get("exclude", False)
        rule_zone = in_zone
        try:
            if rule.get("timezone") is not None:
                rule_zone = _zone(rule["timezone"], "timezone")
            date = _moment(rule.get("date"), "date", rule_zone)
            if date is not None:
                if rule.get("freq") is not None:
                    raise BroadcastFileError("date: it does not go with freq")
                dates[bool(excluded)].append(date)
            else:
                recurring[bool(excluded)].append(_rule(rule, rule_zone))
        except (BroadcastFileError, RuleError) as error:
            raise BroadcastFileError(f"rules, number {number}: {error}") from None
    schedule = Schedule(
        rules=tuple(recurring[False]),
        except_rules=tuple(recurring[True]),
        dates=tuple(dates[False]),
        except_dates=frozenset(dates[True]),
        duration=ttl,
        zone=in_zone,
    )
    if not schedule.recurring:
        raise BroadcastFileError("rules: all of them exclude")
    return schedule


def _rule(rule: Mapping[str, Any], in_zone: ZoneInfo) -> Rule:
    frequency = str(rule.get("freq", "")).upper()
    if frequency not in ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"):
        raise RuleError("freq: it must be yearly, monthly, weekly, daily or hourly")
    start = _moment(rule.get("start"), "start", in_zone)
    count = rule.get("count")
    until = _moment(rule.get("end"), "end", in_zone)
    if count is not None and until is not None:
        raise RuleError("count: it does not go with end")
    if count is not None and start is None:
        raise RuleError("count: it needs start, which says from when to count")
    parts = {
        ours: [str(number) for number in _integers(rule[name], name)]
        for name, ours in _PARTS.items()
        if rule.get(name) is not None
    }
    if rule.get("by_weekday") is not None:
        parts["BYDAY"] = _weekdays(rule["by_weekday"])
    week_start = rule.get("week_start")
    return make_rule(
        start=_FIRST if start is None else start.astimezone(in_zone).replace(tzinfo=None),
        in_zone=in_zone,
        frequency=frequency,
        interval=_integer(rule.get("interval", 1), "interval", MAX_INTERVAL),
        count=None if count is None else _integer(count, "count", MAX_COUNT),
        until=until,
        week_start=None if week_start is None else _day(week_start, "week_start"),
        parts=parts,
    )


def _integer(value: Any, name: str, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise RuleError(f"{name}: it must be a whole number, 1 to {most}")
    return value


def _integers(value: Any, name: str) -> list[int]:
    values = value if isinstance(value, list) else [value]
    if not values or not all(type(number) is int for number in values):
        raise RuleError(f"{name}: it must be a list of whole numbers")
    return values


def _weekdays(value: Any) -> list[str]:
    days = value if isinstance(value, list) else [value]
    found = []
    for day in days:
        if isinstance(day, str):
            found.append(_day(day, "by_weekday"))
            continue
        if not isinstance(day, dict):
            raise RuleError("by_weekday: it must be a list of {day, index}")
        index = day.get("index")
        if index is not None and (type(index) is not int or index == 0):
            raise RuleError("by_weekday: index must be a whole number other than 0")
        found.append(f"{index or ''}{_day(day.get('day'), 'by_weekday')}")
    return found


def _day(value: Any, name: str) -> str:
    if not isinstance(value, str) or value.lower() not in _DAYS:
        raise RuleError(f"{name}: a day must be one of {', '.join(_DAYS)}")
    return _DAYS[value.lower()]
