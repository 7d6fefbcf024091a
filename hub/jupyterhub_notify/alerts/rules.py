"""``rules.yaml``: the queries, the thresholds with their messages, and the actions.

Every field is described here, and the error for a bad file says where. Header values may name
environment variables, ``Bearer ${PROMETHEUS_TOKEN}``, so that no secret is in the file.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from ..errors import Invalid
from ..models.common import Type
from ..plain_reasons import plain_reason
from ..templates import sandbox

__all__ = [
    "Action",
    "CheckTemplate",
    "Influx",
    "Prometheus",
    "Request",
    "Rule",
    "Rules",
    "RulesError",
    "expanded",
    "read_rules",
]

#: Takes the name of a template and data; raises `Invalid` if they do not fit together.
CheckTemplate = Callable[[str, dict[str, Any]], None]

MAX_FILE = 1024 * 1024

_VARIABLE = re.compile(r"\$\{(\w+)\}")
#: The names of headers that HTTP allows, and the characters that a value must not have.
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SPAN = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,4})m)?(?:(\d{1,6})s)?")


class RulesError(ValueError):
    """A file that is not valid; the message says where, and why."""


def _span(value: Any) -> Any:
    """Read a duration as Prometheus writes it: 90s, 5m, 1h30m, 2d. A number means seconds."""
    if not isinstance(value, str):
        return value
    match = _SPAN.fullmatch(value.strip())
    if match is None or not value.strip():
        raise ValueError("must be a time such as 90s, 5m or 1h30m")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _address(value: str) -> str:
    """Refuse a text that is no address of an HTTP server."""
    if not value.isprintable() or " " in value:
        # `urlsplit` would silently drop a line end.
        raise ValueError("must be an address without spaces and line ends")
    try:
        parts = urlsplit(value)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return value
    except ValueError:
        pass
    raise ValueError("must be an address such as http://prometheus:9090")


def expanded(headers: dict[str, str]) -> dict[str, str]:
    """Fill in the environment variables that headers name.

    Parameters
    ----------
    headers
        The headers; their values may contain ``${NAME}``.

    Returns
    -------
    dict
        The headers; a variable that is not set is empty.
    """
    return {
        name: _VARIABLE.sub(lambda match: os.environ.get(match[1], ""), value)
        for name, value in headers.items()
    }


def _sendable(headers: dict[str, str]) -> dict[str, str]:
    """Refuse headers that cannot be sent, when the file is read and not at each call."""
    for name, value in headers.items():
        if not _HEADER.fullmatch(name):
            raise ValueError(f"{name[:40]!r} cannot be the name of a header")
        if _CONTROL.search(value):
            raise ValueError(f"the value of {name} must be one line, without control characters")
        if _CONTROL.search(expanded({name: value})[name]):
            variables = ", ".join(_VARIABLE.findall(value))
            raise ValueError(f"the value of {name} must be one line, and {variables} has more")
    return headers


def _json(value: Any) -> Any:
    """Refuse a body that is no JSON, such as a date that is not in quotes."""
    try:
        json.dumps(value, allow_nan=False)
    except TypeError as error:
        kind = str(error).partition("type ")[2].partition(" ")[0] or "of this kind"
        raise ValueError(f"cannot be sent as JSON: put a {kind} in quotes") from None
    except (ValueError, RecursionError):
        raise ValueError("cannot be sent as JSON: a number in it is not finite") from None
    return value


Url = Annotated[str, AfterValidator(_address)]
Headers = Annotated[dict[str, str], AfterValidator(_sendable)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Engine(_Strict):
    url: Annotated[Url, Field(description="Address of its HTTP API")]
    headers: Annotated[Headers, Field(description="Sent with each query")] = {}


class Prometheus(_Engine):
    """An engine that speaks PromQL over Prometheus' HTTP API."""


class Influx(_Engine):
    """An InfluxDB that speaks InfluxQL: version 1, or 2 and 3 with their compatible API."""

    database: Annotated[str, Field(description="Name of the database", min_length=1)]


class Threshold(_Strict):
    """Values from which on, and until which, a user is told."""

    above: Annotated[float, Field(description="It begins above this", allow_inf_nan=False)]
    clear_below: Annotated[
        float | None,
        Field(description="It is over below this; by default the same", allow_inf_nan=False),
    ] = None
    hold: Annotated[
        timedelta, Field(description="Time that the value must be above before it begins")
    ] = timedelta(0)
    type: Annotated[Type, Field(description="Of the notification")] = "warning"
    banner: Annotated[bool, Field(description="True to show it across the top")] = False

    _read_hold = field_validator("hold", mode="before")(_span)

    @property
    def over_below(self) -> float:
        """The value below which the threshold is off."""
        return self.above if self.clear_below is None else self.clear_below

    @model_validator(mode="after")
    def _in_order(self) -> Threshold:
        if self.over_below > self.above:
            raise ValueError("clear_below must not be higher than above")
        if not timedelta(0) <= self.hold <= timedelta(days=30):
            raise ValueError("hold must be between 0 and 30 days")
        return self


class Request(_Strict):
    """An HTTP call. ``{user}`` and ``{value}`` are filled in; ``$each_user`` stands for all."""

    method: Annotated[
        Literal["GET", "POST", "PUT", "PATCH", "DELETE"], Field(description="Method of the call")
    ] = "POST"
    url: Annotated[Url, Field(description="Address that is called")]
    headers: Annotated[Headers, Field(description="Sent with it")] = {}
    body: Annotated[Any, AfterValidator(_json), Field(description="Sent as JSON")] = None


class Action(_Strict):
    """An HTTP call when a threshold begins, and another when it is over."""

    at: Annotated[int, Field(description="Number of the threshold, from 1", ge=1)] = 1
    begin: Annotated[Request, Field(description="Called when it begins")]
    end: Annotated[Request, Field(description="Called when it is over")]


class Rule(_Strict):
    """One rule."""

    name: Annotated[
        str,
        Field(description="Names it for ever: states are kept by it", pattern=r"^[\w.-]{1,60}$"),
    ]
    prometheus: Annotated[Prometheus | None, Field(description="The engine that is asked")] = None
    influxdb: Annotated[Influx | None, Field(description="Or this one")] = None
    query: Annotated[
        str, Field(description="Gives one value a user", min_length=1, max_length=10_000)
    ]
    user_label: Annotated[
        str, Field(description="The label or tag that is the user's name", min_length=1)
    ] = "username"
    every: Annotated[timedelta, Field(description="Interval at which it is asked")] = timedelta(
        minutes=1
    )
    absent_after: Annotated[
        timedelta, Field(description="A user of whom it says nothing for so long is normal again")
    ] = timedelta(0)
    thresholds: Annotated[
        list[Threshold], Field(description="From the lowest to the highest", min_length=1)
    ]
    summary: Annotated[str | None, Field(description="A template of the message's summary")] = None
    body: Annotated[str | None, Field(description="A template of its body")] = None
    template: Annotated[
        str | None, Field(description="Or the name of a template of the service's directory")
    ] = None
    important: Annotated[
        bool, Field(description="True if it goes to mail and the like while it stays unread")
    ] = False
    action: Annotated[Action | None, Field(description="Action that begins and ends with it")] = (
        None
    )
    dry_run: Annotated[
        bool, Field(description="True if it only records: nobody is told, nothing is called")
    ] = False

    _read_spans = field_validator("every", "absent_after", mode="before")(_span)

    @model_validator(mode="after")
    def _complete(self) -> Rule:
        if (self.prometheus is None) == (self.influxdb is None):
            raise ValueError("give either prometheus or influxdb")
        if (self.summary is None) == (self.template is None):
            raise ValueError("give either summary or template")
        if self.body is not None and self.summary is None:
            raise ValueError("body goes with summary")
        if not timedelta(seconds=1) <= self.every <= timedelta(days=1):
            raise ValueError("every must be between a second and a day")
        if not timedelta(0) <= self.absent_after <= timedelta(days=30):
            raise ValueError("absent_after must be between 0 and 30 days")
        bounds = [threshold.above for threshold in self.thresholds]
        if bounds != sorted(set(bounds)):
            raise ValueError("thresholds must rise")
        if self.action is not None and self.action.at > len(self.thresholds):
            raise ValueError("action.at names a threshold that is not there")
        for field, text in (("summary", self.summary), ("body", self.body)):
            if text is not None:
                _try(field, text)
        return self


class Rules(_Strict):
    """The file."""

    rules: Annotated[list[Rule], Field(description="The rules")]

    @model_validator(mode="after")
    def _once(self) -> Rules:
        names = [rule.name for rule in self.rules]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the name {name} is there twice")
        return self


#: A sample of the values that fill a message's template, for checks.
SAMPLE = {
    "user": "alice",
    "value": 93.4,
    "threshold": 90.0,
    "level": 1,
    "since": "2026-11-28T10:00:00Z",
    "rule": "example",
    "acting": False,
}


#: Errors that the expressions of a template may raise.
FAULTS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)


def _try(field: str, text: str) -> None:
    from jinja2 import TemplateError

    try:
        template = sandbox.compile_text(sandbox.environment(), text)
        rendered = sandbox.render(template, SAMPLE)
    except (TemplateError, sandbox.TemplateLimitError, *FAULTS) as error:
        raise ValueError(f"{field}: {error}") from None
    if not rendered.strip():
        raise ValueError(f"{field} must not be blank")


def read_rules(path: Path, check_template: CheckTemplate | None = None) -> Rules:
    """Read a file of rules.

    Parameters
    ----------
    path
        The file.
    check_template
        Refuses a template that does not exist, or does not fit the data of a rule.

    Returns
    -------
    Rules
        The rules.

    Raises
    ------
    RulesError
        If the file is not valid.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
        if len(content) > MAX_FILE:
            raise RulesError("it is larger than 1 MiB")
        data = yaml.safe_load(content.decode())
    except RulesError:
        raise
    except OSError as error:
        raise RulesError(f"it cannot be read: {error.strerror}") from None
    # For a date that does not exist YAML raises ValueError.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = "" if mark is None else f", line {mark.line + 1}"
        raise RulesError(f"it is no YAML{place}") from None
    try:
        rules = Rules.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        loc = list(first["loc"])
        if len(loc) > 1 and loc[0] == "rules" and isinstance(loc[1], int):
            try:
                loc[1] = str(data["rules"][loc[1]]["name"])
            except (LookupError, TypeError):
                loc[1] = f"number {int(loc[1]) + 1}"
        place = ".".join(map(str, loc)) or "the file"
        raise RulesError(f"{place}: {plain_reason(first)}") from None
    for rule in rules.rules:
        if rule.template is not None and check_template is not None:
            try:
                check_template(rule.template, SAMPLE)
            except Invalid as error:
                raise RulesError(f"rules.{rule.name}.template: {error}") from None
    return rules
