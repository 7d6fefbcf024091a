"""Jinja2's sandbox with bounds on loops, intermediate values, output and time.

Templates are a site's own, but their data come from services, and a mistake in a template must not
stop the service. A template sees plain JSON values only, and no other Python objects.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import (
    StrictUndefined,
    Template,
    TemplateSyntaxError,
    Undefined,
    nodes,
    pass_environment,
)
from jinja2.filters import do_round
from jinja2.sandbox import ImmutableSandboxedEnvironment

__all__ = ["TemplateLimitError", "compile_text", "environment", "render"]

#: Maximum number of rounds of all loops of one rendering together.
MAX_ROUNDS = 2000
MAX_OUTPUT = 64 * 1024
#: Maximum length of an intermediate value.
MAX_VALUE = 64 * 1024
TIME_LIMIT_S = 0.25
MAX_RANGE = 1000
MAX_PLACES = 15

_FILTERS = {
    *("abs", "capitalize", "default", "d", "e", "escape", "filesizeformat", "first", "float"),
    *("format", "int", "join", "last", "length", "count", "lower", "max", "min", "replace"),
    *("sort", "title", "trim", "truncate", "unique", "upper", "items", "reverse"),
}
_TESTS = {
    *("boolean", "defined", "undefined", "divisibleby", "eq", "equalto", "==", "even", "odd"),
    *("false", "true", "ge", ">=", "gt", "greaterthan", ">", "in", "le", "<=", "lt", "<"),
    *("lessthan", "mapping", "ne", "!=", "none", "number", "string", "sequence", "integer"),
    *("float", "iterable", "lower", "upper"),
}
#: Constructs that join, repeat or hide text: each could double a value with each line.
_FORBIDDEN = (
    nodes.AssignBlock,
    nodes.CallBlock,
    nodes.Concat,
    nodes.Extends,
    nodes.FilterBlock,
    nodes.FromImport,
    nodes.Import,
    nodes.Include,
    nodes.Macro,
)


class TemplateLimitError(Exception):
    """The rendering exceeds a limit or uses something forbidden; the message says what."""


class Bounds:
    """The time and the rounds of loops that one rendering has left."""

    def __init__(self) -> None:
        self._rounds = 0
        self._deadline = time.thread_time() + TIME_LIMIT_S

    def step(self) -> None:
        """Count one round of a loop."""
        self._rounds += 1
        if self._rounds > MAX_ROUNDS:
            raise TemplateLimitError(f"its loops take more than {MAX_ROUNDS} rounds")
        self.look()

    def look(self) -> None:
        """Stop a rendering that takes too long."""
        if time.thread_time() > self._deadline:
            raise TemplateLimitError(f"it takes more than {TIME_LIMIT_S} s")


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset(["*", "**", "+", "%"])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Compute, unless the result would be too large."""
        if operator == "**":
            raise TemplateLimitError("** is not allowed")
        numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
        if operator == "*" and not numbers:
            raise TemplateLimitError("only numbers can be multiplied")
        if operator == "%" and not numbers:
            raise TemplateLimitError("% is for numbers only")
        result = super().call_binop(context, operator, left, right)
        if isinstance(result, int) and abs(result) > 10**30:
            raise TemplateLimitError("a number becomes too large")
        if isinstance(result, (str, list, tuple)) and len(result) > MAX_VALUE:
            raise TemplateLimitError("a value becomes too long")
        return result

    def call(self, context: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call `range` only, and no methods: a template should use filters instead."""
        if obj is not _range:
            raise TemplateLimitError("nothing but range() can be called: use a filter")
        return super().call(context, obj, *args, **kwargs)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a mapping's entry or an attribute of a loop, never a method."""
        if isinstance(obj, Mapping):
            return self.getitem(obj, attribute)
        if type(obj).__name__ == "LoopContext" and attribute in _LOOP:
            return super().getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an entry of a mapping or a list, never an attribute."""
        try:
            return obj[argument]
        except (TypeError, LookupError, AttributeError):
            return self.undefined(obj=obj, name=argument)


_LOOP = {"index", "index0", "revindex", "revindex0", "first", "last", "length"}


def _range(*arguments: int) -> range:
    numbers = range(*arguments)
    if len(numbers) > MAX_RANGE:
        raise TemplateLimitError(f"range() gives at most {MAX_RANGE} numbers")
    return numbers


class _Counted:
    """The values of a loop, which counts its rounds."""

    def __init__(self, value: Any, bounds: Bounds) -> None:
        self._values = list(value)
        self._bounds = bounds

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        for value in self._values:
            self._bounds.step()
            yield value


def environment() -> _Environment:
    """Make the sandbox.

    Returns
    -------
    Environment
        The environment, with a short list of filters and tests.
    """
    made = _Environment(
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_scalar,
    )
    made.filters = {name: made.filters[name] for name in _FILTERS}
    made.filters["format"] = _format
    made.filters["replace"] = _replace
    made.filters["join"] = _join
    made.filters["round"] = _round
    made.filters["sum"] = _sum
    made.filters["text"] = _as_text
    made.filters["__counted"] = _Counted
    made.tests = {name: made.tests[name] for name in _TESTS}
    made.globals.clear()
    made.globals["range"] = _range
    return made


def compile_text(made: _Environment, text: str) -> Template:
    """Compile a template.

    Parameters
    ----------
    made
        The sandbox.
    text
        The template.

    Returns
    -------
    Template
        The compiled template, whose loops are counted.

    Raises
    ------
    jinja2.TemplateSyntaxError
        If the template is not valid, or uses something forbidden.
    """
    try:
        tree = made.parse(text)
        _require_allowed(tree)
        tree.set_environment(made)
        return Template.from_code(made, made.compile(tree), dict(made.globals))
    except SyntaxError as error:
        # Python refuses the code that Jinja2 generates, such as for more than twenty nested loops.
        raise TemplateSyntaxError(str(error.msg), 1) from None


def _require_allowed(tree: nodes.Template) -> None:
    """Refuse forbidden constructs, and make each loop count its rounds."""
    for statement in tree.find_all(_FORBIDDEN):
        name = type(statement).__name__.lower()
        raise TemplateSyntaxError(f"{name} is not allowed", statement.lineno)
    for literal in tree.find_all((nodes.List, nodes.Dict, nodes.Tuple)):
        _require_constants(literal)
    own = [(one.name, one.lineno) for one in tree.find_all(nodes.Name)]
    own += [(one.name, one.lineno) for one in tree.find_all(nodes.Filter)]
    for name, line in own:
        if name.startswith("__"):
            raise TemplateSyntaxError(f"{name[:40]} is not allowed", line)
    for loop in tree.find_all(nodes.For):
        if loop.recursive:
            raise TemplateSyntaxError("a recursive loop is not allowed", loop.lineno)
        bounds = nodes.Name("__bounds", "load", lineno=loop.lineno)
        loop.iter = nodes.Filter(
            loop.iter, "__counted", [bounds], [], None, None, lineno=loop.lineno
        )


def _require_constants(literal: nodes.Literal) -> None:
    """Refuse a list of variables: nested lists could become larger than the memory."""
    if isinstance(literal, nodes.Tuple) and literal.ctx == "store":
        return
    for item in literal.find_all(nodes.Name):
        raise TemplateSyntaxError("a list or mapping has constants only", item.lineno)


def render(template: Template, data: Mapping[str, Any]) -> str:
    """Render a template within the bounds.

    Parameters
    ----------
    template
        A template from `compile_text`.
    data
        Plain values.

    Returns
    -------
    str
        The text.

    Raises
    ------
    TemplateLimitError
        If it exceeds a limit.
    jinja2.TemplateError
        If it fails, such as because the data lack a name that it uses.
    """
    bounds = Bounds()
    parts: list[str] = []
    length = 0
    for part in template.generate({**data, "__bounds": bounds}):
        length += len(part)
        if length > MAX_OUTPUT:
            raise TemplateLimitError(f"it writes more than {MAX_OUTPUT // 1024} KiB")
        bounds.look()
        parts.append(part)
    return "".join(parts)


def _scalar(value: Any) -> str:
    """Turn a value into text; `None` becomes an empty text."""
    if value is None:
        return ""
    if isinstance(value, (str, int, float)):
        return _short(str(value))
    if isinstance(value, (list, tuple, dict)):
        raise TemplateLimitError("a list or mapping cannot be written: use join, or a loop")
    if isinstance(value, Undefined):
        # This raises an error that says what is missing.
        return str(value)
    raise TemplateLimitError("only text and numbers can be written")


def _short(text: str) -> str:
    if len(text) > MAX_VALUE:
        raise TemplateLimitError("a value becomes too long")
    return text


def _as_text(value: Any) -> str:
    """Escape Markdown in a value, for values of unknown origin."""
    return re.sub(r"([\\`*_{}\[\]<>()#+.!|~&:@-])", r"\\\1", " ".join(_scalar(value).split()))


def _format(value: Any, *arguments: Any) -> str:
    """Format with ``%``; width and precision have at most two digits."""
    pattern = _scalar(value)
    if not re.fullmatch(r"(?:[^%]|%%|%[-+ 0#]*\d{0,2}(?:\.\d{1,2})?[sdfgex])*", pattern):
        raise TemplateLimitError("a format may be such as %.1f only")
    formatted = pattern % tuple(
        argument if isinstance(argument, (int, float)) else _scalar(argument)
        for argument in arguments
    )
    return _short(formatted)


def _replace(value: Any, old: str, new: str) -> str:
    text = _scalar(value)
    if len(text) + text.count(old) * len(new) > MAX_VALUE:
        raise TemplateLimitError("a value becomes too long")
    return text.replace(old, new)


def _join(values: Any, separator: str = "") -> str:
    texts = [_scalar(value) for value in values]
    if sum(map(len, texts)) + len(separator) * len(texts) > MAX_VALUE:
        raise TemplateLimitError("a value becomes too long")
    return separator.join(texts)


def _round(value: Any, precision: int = 0, method: Any = "common") -> int | float:
    """Round a number to a bounded number of places."""
    if not isinstance(value, (int, float)) or not isinstance(precision, int):
        raise TemplateLimitError("only a number can be rounded")
    if not 0 <= precision <= MAX_PLACES:
        raise TemplateLimitError(f"round() takes 0 to {MAX_PLACES} places")
    return do_round(value, precision, method)


@pass_environment
def _sum(made: _Environment, values: Any, attribute: str | None = None) -> int | float:
    """Add up numbers, or the numbers under a name in each mapping."""
    numbers = list(values)
    if attribute is not None:
        numbers = [made.getitem(item, attribute) for item in numbers]
    if not all(isinstance(number, (int, float)) for number in numbers):
        raise TemplateLimitError("only numbers can be added up")
    total: int | float = sum(numbers)
    return total
