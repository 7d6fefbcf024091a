"""JSON Schema for a template's data, with bounded time: other requests wait during a check.

The draft is 2020-12, with three differences. Patterns run in an engine whose time is proportional
to the length of the text (without lookaround). Only formats with a fast check are supported. No
schema is fetched from elsewhere.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic_core import SchemaError as PatternError
from pydantic_core import SchemaValidator, core_schema

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

__all__ = [
    "BoundedValidator",
    "SchemaLimitError",
    "check_patterns",
    "require_plain",
    "validator_of",
]

#: Processor time in seconds for the data of one notification.
TIME_LIMIT_S = 0.5
#: Maximum number of values in the data of one notification, nested ones included.
MAX_VALUES = 10_000
MAX_DEPTH = 20
MAX_PATTERN = 1000
FORMATS = ("date", "date-time", "email", "ipv4", "ipv6", "uuid")
#: Keywords that are not allowed: they match patterns in their own way, without our bounds.
REFUSED = ("unevaluatedProperties", "unevaluatedItems", "$dynamicRef")
DRAFT = "https://json-schema.org/draft/2020-12/schema"

Keyword = Callable[[Any, Any, Any, Any], Any]


class SchemaLimitError(ValueError):
    """A schema or data exceed a limit or are not allowed; the message says why."""


def require_plain(value: Any) -> None:
    """Refuse data that JSON cannot represent, and too many or too deeply nested values.

    Raises
    ------
    SchemaLimitError
        If the data are refused.
    """
    count = 0
    open_ = [(value, 0)]
    while open_:
        one, depth = open_.pop()
        count += 1
        if count > MAX_VALUES:
            raise SchemaLimitError(f"there are more than {MAX_VALUES} values")
        if depth > MAX_DEPTH:
            raise SchemaLimitError(f"more than {MAX_DEPTH} levels are not allowed")
        if isinstance(one, dict):
            if not all(isinstance(key, str) for key in one):
                raise SchemaLimitError("a name in it is no text")
            open_ += [(item, depth + 1) for item in one.values()]
        elif isinstance(one, list):
            open_ += [(item, depth + 1) for item in one]
        elif isinstance(one, int) and abs(one) >= 2**63:
            raise SchemaLimitError("an integer is over 63 bits")
        elif one is not None and not isinstance(one, (str, int, float)):
            raise SchemaLimitError(f"a value is of a kind that JSON does not have: {one!r:.40}")


def check_patterns(schema: Any) -> None:
    """Refuse a schema with a pattern that cannot be run, or a keyword that is not supported.

    Raises
    ------
    SchemaLimitError
        If the schema is refused; the message names the pattern or keyword.
    """
    open_ = [schema]
    while open_:
        one = open_.pop()
        if isinstance(one, list):
            open_ += one
        if not isinstance(one, dict):
            continue
        open_ += one.values()
        for name in REFUSED:
            if name in one:
                raise SchemaLimitError(f"{name} cannot be used")
        if one.pop("$schema", DRAFT) != DRAFT:
            # From a part of a schema that names another draft on, the library would use its own
            # validator, without our bounds.
            raise SchemaLimitError(f"$schema can be {DRAFT} only")
        by_pattern = one.get("patternProperties")
        patterns = list(by_pattern) if isinstance(by_pattern, dict) else []
        if isinstance(one.get("pattern"), str):
            patterns.append(one["pattern"])
        for pattern in patterns:
            _compiled(pattern)


@lru_cache(1000)
def _compiled(pattern: str) -> SchemaValidator:
    if len(pattern) > MAX_PATTERN:
        raise SchemaLimitError(f"a pattern has more than {MAX_PATTERN} characters")
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
    except PatternError:
        raise SchemaLimitError(f"the pattern {pattern[:80]!r} cannot be used") from None


def _matches(pattern: str, text: str) -> bool:
    return _compiled(pattern).isinstance_python(text)


class _Clock:
    """The time that one check has left."""

    def __init__(self) -> None:
        self.deadline = float("inf")

    def look(self) -> None:
        if time.thread_time() > self.deadline:
            raise SchemaLimitError(f"checking them takes more than {TIME_LIMIT_S} s")


class BoundedValidator:
    """A validator whose checks take a bounded time."""

    def __init__(self, validator: Validator, clock: _Clock) -> None:
        self._validator = validator
        self._clock = clock

    def best_error(self, data: Mapping[str, Any]) -> ValidationError | None:
        """Return the most relevant error in data; `None` if they are valid.

        Raises
        ------
        SchemaLimitError
            If there are too many values, or the check takes too long.
        """
        from jsonschema.exceptions import best_match

        require_plain(data)
        self._clock.deadline = time.thread_time() + TIME_LIMIT_S
        error: ValidationError | None = best_match(self._validator.iter_errors(dict(data)))
        return error


def validator_of(schema: Any) -> BoundedValidator:
    """Make a validator of a schema that has been checked.

    Parameters
    ----------
    schema
        A JSON Schema.

    Returns
    -------
    BoundedValidator
        The validator. Its only state is its clock, so only one thread may use it at a time.
    """
    # Imported late: with the formats that a lab installs this import takes longer than all others
    # together, and only templates need it.
    from jsonschema import Draft202012Validator, FormatChecker
    from jsonschema.validators import extend
    from referencing import Registry

    clock = _Clock()

    def timed(keyword: Keyword) -> Keyword:
        def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
            clock.look()
            yield from keyword(validator, value, instance, schema) or ()

        return check

    keywords = {**Draft202012Validator.VALIDATORS, **_own_keywords()}
    checks = {name: timed(one) for name, one in keywords.items()}
    made = extend(Draft202012Validator, checks)  # type: ignore[no-untyped-call]  # jsonschema does not annotate it
    known = [name for name in FORMATS if name in FormatChecker.checkers]
    # An empty registry: a schema is never fetched from elsewhere.
    checker = FormatChecker(formats=known)
    return BoundedValidator(made(schema, registry=Registry(), format_checker=checker), clock)


def _own_keywords() -> dict[str, Keyword]:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

    additional = Draft202012Validator.VALIDATORS["additionalProperties"]

    def pattern(validator: Any, value: Any, instance: Any, _schema: Any) -> Iterator[Any]:
        if validator.is_type(instance, "string") and not _matches(value, instance):
            yield ValidationError(f"{instance!r} does not match {value!r}")

    def pattern_properties(
        validator: Any, value: Any, instance: Any, _schema: Any
    ) -> Iterator[Any]:
        if validator.is_type(instance, "object"):
            for pattern, subschema in value.items():
                for name, item in instance.items():
                    if _matches(pattern, name):
                        yield from validator.descend(item, subschema, name, pattern)

    def additional_properties(
        validator: Any, value: Any, instance: Any, schema: Any
    ) -> Iterator[Any]:
        patterns = schema.get("patternProperties", {})
        if validator.is_type(instance, "object") and patterns:
            instance = {
                name: item
                for name, item in instance.items()
                if not any(_matches(pattern, name) for pattern in patterns)
            }
            schema = {name: item for name, item in schema.items() if name != "patternProperties"}
        yield from additional(validator, value, instance, schema) or ()

    def unique_items(validator: Any, value: Any, instance: Any, _schema: Any) -> Iterator[Any]:
        if value and validator.is_type(instance, "array"):
            texts = {json.dumps(_number(item), sort_keys=True) for item in instance}
            if len(texts) < len(instance):
                yield ValidationError("it has the same item twice")

    return {
        "pattern": pattern,
        "patternProperties": pattern_properties,
        "additionalProperties": additional_properties,
        "uniqueItems": unique_items,
    }


def _number(value: Any) -> Any:
    """Return equal numbers in the same form: 1.0 becomes 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _number(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_number(item) for item in value]
    return value
