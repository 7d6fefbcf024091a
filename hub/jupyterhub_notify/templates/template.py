"""One template: a Markdown file whose front matter describes its notification.

```
---
type: warning
banner: true
summary: You use {{ percent }} % of your home directory
schema:
  type: object
  required: [percent]
  properties: {percent: {type: number}}
sample: {percent: 93}
---
Delete what you no longer need, or ask for more.
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Template as JinjaTemplate
from jinja2 import TemplateError as JinjaError
from jinja2 import TemplateSyntaxError

from ..frontmatter import FrontMatterError, split
from . import sandbox
from .schema import (
    BoundedValidator,
    SchemaLimitError,
    check_patterns,
    require_plain,
    validator_of,
)

__all__ = ["DataError", "Filled", "Template", "TemplateError"]

TYPES = ("default", "info", "success", "warning", "error", "in-progress")
FIELDS = {"type", "banner", "dismissable", "summary", "schema", "sample", "description"}
MAX_SUMMARY = 4096
MAX_BODY = 32 * 1024
#: Maximum length of a template itself: 100 KiB of expressions take a second to compile.
MAX_TEXT = 64 * 1024


class TemplateError(ValueError):
    """A template that is not valid; the message says where and why."""


class DataError(ValueError):
    """Data that do not fit a template.

    Parameters
    ----------
    message
        What is wrong.
    path
        The place in the data.
    """

    def __init__(self, message: str, path: list[str | int]) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True)
class Filled:
    """The texts of a filled template.

    Parameters
    ----------
    summary
        Inline Markdown.
    body
        Markdown, or nothing.
    """

    summary: str
    body: str | None


class Template:
    """A valid template.

    Parameters
    ----------
    name
        The file's path in the directory, without ``.md``.
    text
        The file's content.

    Raises
    ------
    TemplateError
        If the template is not valid.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        try:
            fields, body = split(text)
        except FrontMatterError as error:
            raise TemplateError(str(error)) from None
        unknown = sorted(set(fields) - FIELDS)
        if unknown:
            raise TemplateError(f"{unknown[0]}: there is no such field in the front matter")
        self.type = _one_of(fields, "type", TYPES)
        self.banner = _boolean(fields, "banner")
        self.dismissable = _boolean(fields, "dismissable")
        self.sample = fields.get("sample", {})
        if not isinstance(self.sample, dict):
            raise TemplateError("sample: it is no mapping")
        try:
            require_plain(self.sample)
        except SchemaLimitError as error:
            raise TemplateError(f"sample: {error}") from None
        summary = fields.get("summary")
        if not isinstance(summary, str) or not summary.strip():
            raise TemplateError("summary: a template needs one")
        environment = sandbox.environment()
        self._summary = _compile(environment, summary, "summary", 0)
        lines_before = text[: text.rindex(body)].count("\n")
        self._body = _compile(environment, body, "body", lines_before) if body else None
        self._validator = _validator(fields.get("schema", {}))

    def check(self, data: Mapping[str, Any]) -> None:
        """Refuse data that do not fit.

        Parameters
        ----------
        data
            The data that a service sent.

        Raises
        ------
        DataError
            If the data do not fit the schema, or the template cannot be filled with them.
        """
        from referencing.exceptions import Unresolvable

        try:
            error = self._validator.best_error(data)
        except SchemaLimitError as failure:
            raise DataError(str(failure), []) from None
        except (Unresolvable, RecursionError) as failure:
            raise DataError(f"the template's schema is no good: {failure}", []) from None
        if error is not None:
            # The values may be private to a user: the message names the place and the rule, and
            # quotes little.
            raise DataError(_shortened(error.message), list(error.absolute_path))
        self.fill(data)

    def fill(self, data: Mapping[str, Any]) -> Filled:
        """Render the template with data.

        Parameters
        ----------
        data
            Plain values.

        Returns
        -------
        Filled
            The summary and the body.

        Raises
        ------
        DataError
            If it cannot be filled with these data.
        """
        summary = " ".join(_render(self._summary, data).split())
        body = _render(self._body, data).strip("\n") if self._body is not None else ""
        if not summary:
            raise DataError("the summary is empty with these data", [])
        if len(summary) > MAX_SUMMARY:
            raise DataError(f"the summary has more than {MAX_SUMMARY} characters", [])
        if len(body) > MAX_BODY:
            raise DataError(f"the body has more than {MAX_BODY} characters", [])
        return Filled(summary, body or None)


def _one_of(fields: Mapping[str, Any], name: str, values: tuple[str, ...]) -> str | None:
    value = fields.get(name)
    if value is not None and value not in values:
        raise TemplateError(f"{name}: it must be one of {', '.join(values)}")
    return value


def _boolean(fields: Mapping[str, Any], name: str) -> bool | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise TemplateError(f"{name}: it must be true or false")
    return value


def _compile(environment: Any, text: str, place: str, lines_before: int) -> JinjaTemplate:
    if len(text) > MAX_TEXT:
        raise TemplateError(f"{place}: it has more than {MAX_TEXT // 1024} KiB")
    try:
        return sandbox.compile_text(environment, text)
    except TemplateSyntaxError as error:
        line = f", line {error.lineno + lines_before}" if lines_before else ""
        raise TemplateError(f"{place}{line}: {error.message}") from None
    except (JinjaError, sandbox.TemplateLimitError, RecursionError, ValueError) as error:
        raise TemplateError(f"{place}: {error}") from None


def _validator(schema: Any) -> BoundedValidator:
    # Imported late, as in `validator_of`.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    if not isinstance(schema, (dict, bool)):
        raise TemplateError("schema: it is no JSON Schema")
    try:
        require_plain(schema)
        check_patterns(schema)
        Draft202012Validator.check_schema(schema)
    except SchemaLimitError as error:
        raise TemplateError(f"schema: {error}") from None
    except RecursionError:
        raise TemplateError("schema: it is nested too deeply") from None
    except SchemaError as error:
        place = "/".join(map(str, error.absolute_path))
        raise TemplateError(f"schema{place and f', at {place}'}: {error.message}") from None
    return validator_of(schema)


def _render(template: JinjaTemplate, data: Mapping[str, Any]) -> str:
    try:
        return sandbox.render(template, data)
    except (JinjaError, sandbox.TemplateLimitError) as error:
        raise DataError(f"the template cannot be filled: {error}", []) from None
    except (TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
        message = f"the template cannot be filled: {_shortened(str(error))}"
        raise DataError(message, []) from None


def _shortened(message: str) -> str:
    return message if len(message) <= 200 else f"{message[:197]}..."
