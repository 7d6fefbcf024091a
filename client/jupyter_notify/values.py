"""Convert the values that programs use (numpy, torch, pandas, ``pathlib``, …) to JSON.

None of those libraries is imported: their values are recognized by the methods that they share.
An ambiguous value raises ``BadUsage`` at once, in the caller.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import functools
import math
import numbers
import os
import re
import uuid
from collections import UserList, UserString, deque
from collections.abc import Callable, ItemsView, KeysView, Mapping, ValuesView
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, cast

from .decoding import encodable
from .errors import BadUsage, SendError

F = TypeVar("F", bound=Callable[..., Any])

#: Depth to which the server lets the JSON of ``data`` and ``args`` nest.
MAX_DEPTH = 32
#: Number of values that ``data`` or ``args`` can hold at most: written as JSON, each has two bytes
#: at least, and the server accepts 64 KiB. More are refused before they are converted.
MAX_VALUES = 32 * 1024
#: Whole numbers of this size or more are refused: a browser reads numbers hardly larger as
#: infinity.
TOO_LARGE = 10**308
#: Number of digits of the largest whole number below ``TOO_LARGE``.
MAX_DIGITS = 308

#: Invisible characters by the server's definition: white space, control characters, fillers,
#: zero-width characters, variation selectors, and characters that change the direction of text. A
#: text of nothing else is blank.
INVISIBLE = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc"
    r"\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff]+"
)

#: The types that become a JSON list.
SEQUENCES = (
    *(list, tuple, set, frozenset, deque, range, UserList),
    *(KeysView, ValuesView, ItemsView),
)

#: The units of numpy's lengths of time, each as seconds and the number that they are divided by.
UNITS = {
    "W": (604_800, 1),
    "D": (86_400, 1),
    "h": (3600, 1),
    "m": (60, 1),
    "s": (1, 1),
    **{unit: (1, 1000**n) for n, unit in enumerate(("ms", "us", "ns", "ps", "fs", "as"), 1)},
}
#: The number with which numpy writes a length of time that is missing.
NOT_A_TIME = -(2**63)

#: The kinds of numpy's values that are no numbers, although numpy converts them: truth values,
#: texts, bytes and records.
NO_NUMBERS = ("b", "S", "U", "V")

TRUE = ("true", "yes", "on", "1")
FALSE = ("false", "no", "off", "0")


def raising_bad_usage(function: F) -> F:
    """Make a function raise only ``BadUsage``, whatever its arguments' methods raise."""

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except SendError:
            raise
        except Exception as error:
            if error.__traceback__ is not None and error.__traceback__.tb_next is None:
                # The call itself was wrong, for example by an argument that does not exist.
                raise
            raise BadUsage(
                f"An argument cannot be used: it raised {type(error).__name__}."
            ) from None

    return cast("F", call)


def to_text(value: object, name: str) -> str:
    """Return a value's text, which UTF-8 can encode.

    Parameters
    ----------
    value
        Any object.
    name
        The argument's name, for the error.

    Raises
    ------
    BadUsage
        If the value cannot be converted to text.
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            raise BadUsage(f"The {name} must be text; these bytes are not UTF-8.") from None
    if isinstance(value, enum.Enum) and isinstance(value, str):
        # Its str() is one of two texts, depending on Python's version.
        value = value.value
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
        if isinstance(value, bytes):
            value = os.fsdecode(value)
    try:
        text = str(value)
    except Exception as error:
        raise BadUsage(
            f"The {name} cannot be converted to text: {type(value).__name__} raised "
            f"{type(error).__name__}."
        ) from None
    return encodable(text)


def is_blank(text: str) -> bool:
    """Return whether a text holds no visible character."""
    # A match at the beginning ends at the first visible character, however long the text is.
    start = INVISIBLE.match(text)
    return len(text) == (start.end() if start else 0)


def to_number(
    value: Any,
    name: str,
    least: float = 0.0,
    most: float = math.inf,
    of_time: bool = True,
) -> float:
    """Convert a number of any library, an array with one element, or a text to a number.

    Parameters
    ----------
    value
        The number; a ``timedelta`` counts in seconds.
    name
        The argument's name, for the error.
    least, most
        The bounds.
    of_time
        Whether a length of time is a number.

    Raises
    ------
    BadUsage
        If the value is not a number or is out of bounds.
    """
    number = None if is_duration(value) and not of_time else _number(value)
    if number is None:
        raise BadUsage(f"The {name} must be a number, not {_shown(value)}.")
    if not (least <= number <= most and is_finite(number)):
        if most == math.inf:
            rule = "not be negative" if least == 0 else f"be {least:g} or more"
            raise BadUsage(f"The {name} must {rule}, but it is {_shown(value)}.")
        raise BadUsage(f"The {name} must be from {least:g} to {most:g}, not {_shown(value)}.")
    return number


def plain_number(value: Any) -> int | float | None:
    """Convert a value to an int or a float; None if it is not a finite number."""
    number = _number(value)
    return number if number is not None and is_finite(number) else None


def is_finite(number: int | float) -> bool:
    """Return whether a number is finite for a browser, too."""
    return abs(number) < TOO_LARGE if isinstance(number, int) else math.isfinite(number)


def is_duration(value: Any) -> bool:
    """Return whether a value is a ``timedelta``, or an array of them, which has its own unit."""
    try:
        is_numpys = getattr(getattr(value, "dtype", None), "kind", "") == "m"
        return is_numpys or hasattr(value, "total_seconds")
    except Exception:
        # The value is a proxy for an object that does not exist.
        return False


def _number(value: Any) -> int | float | None:
    if isinstance(value, enum.Enum) and not isinstance(value, numbers.Number):
        value = value.value
    # Python's bool is an int, but nobody means a number by it.
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return None
    if type(value) in (int, float):
        return value  # type: ignore[no-any-return]  # its type was just checked
    try:
        seconds = getattr(value, "total_seconds", None)
        if callable(seconds):
            return float(seconds())
        if type(value).__name__ == "timedelta64":
            # numpy's item() would give a timedelta or a number of nanoseconds.
            return _number(_seconds(value))
        if _numpy_kind(value) in NO_NUMBERS:
            return None
        if isinstance(value, (str, bytes, dict)):
            return float(value) if isinstance(value, str) else None
        if isinstance(value, numbers.Complex) and not isinstance(value, numbers.Real):
            # numpy would leave out the imaginary part.
            return None
        elements = getattr(value, "numel", None)
        if callable(elements) and elements() == 1:
            # A tensor of torch. Converting one that is part of a gradient would warn.
            return _number(value.item())
        is_array = _is_masked(value) or bool(getattr(value, "shape", None))
        if getattr(value, "size", None) == 1 and is_array:
            # An array with one element, which numpy no longer converts to a float.
            one = _only(value)
            return None if isinstance(one, (str, bytes)) else _number(one)
        if isinstance(value, numbers.Integral):
            return int(value)
        if not hasattr(value, "__float__"):
            return None
        return float(value)
    except Exception:
        # For example an array of several numbers, a tensor without a value, any other text.
        return None


def _is_masked(value: Any) -> bool:
    """Return whether elements of an array may be masked."""
    return getattr(value, "mask", False) is not False


def _only(value: Any) -> Any:
    """Return the only element of an array or a tensor; None if it is masked."""
    # Only ``tolist`` shows whether the element is masked.
    one = value.tolist() if _is_masked(value) else value.item()
    while isinstance(one, list):
        (one,) = one
    return one


def _seconds(value: Any) -> Any:
    """Return numpy's lengths of time in seconds, with None in place of missing ones.

    Raises
    ------
    KeyError
        If the unit is months or years, which have no length in seconds.
    """
    # Such as "<m8[25s]", or "<m8" without a unit.
    number, unit = re.findall(r"\[(\d*)(\w+)\]|$", value.dtype.str)[0]
    seconds, parts = UNITS[unit or "s"]

    def convert(count: Any) -> Any:
        if isinstance(count, list):
            return [convert(one) for one in count]
        if count in (None, NOT_A_TIME):
            return None
        return count * seconds * int(number or 1) / parts

    return convert(value.astype("int64").tolist())


def to_bool(value: Any, name: str) -> bool:
    """Convert a library's truth value, 0 or 1, or a text such as "yes" to a bool.

    Raises
    ------
    BadUsage
        If the value is ambiguous.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.strip().lower()
        if word in TRUE or word in FALSE:
            return word in TRUE
    elif type(value).__name__ in ("bool_", "bool"):
        return bool(value)
    elif not is_duration(value):
        number = _number(value)
        if number is None and hasattr(value, "item"):
            # An array or a tensor that holds one truth value.
            try:
                one = _only(value)
                number = int(one) if isinstance(one, bool) else None
            except Exception:
                number = None
        if number in (0, 1):
            return bool(number)
    raise BadUsage(f"{name} must be True or False, not {_shown(value)}.")


def to_json(value: Any, name: str) -> Any:
    """Convert a value to JSON's types.

    Parameters
    ----------
    value
        Numbers, texts, times, paths, mappings and sequences, of Python or of a library.
    name
        The argument's name, for the error.

    Raises
    ------
    BadUsage
        If JSON cannot hold it.
    """
    try:
        return _Conversion(name).convert(value, 1)
    except BadUsage:
        raise
    except Exception as error:
        # The methods of any object may fail.
        raise BadUsage(
            f"The {name} cannot be written as JSON: converting it raised {type(error).__name__}."
        ) from None


class _Conversion:
    """One conversion to JSON's types, which counts the values.

    Parameters
    ----------
    name
        The argument's name, for the error.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._left = MAX_VALUES

    def convert(self, value: Any, depth: int) -> Any:
        """Convert a value that is nested as deep as ``depth``."""
        if depth > MAX_DEPTH:
            raise BadUsage(f"The {self._name} nests deeper than {MAX_DEPTH} levels.")
        self._check(1)
        self._left -= 1
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, enum.Enum):
            return self.convert(value.value, depth)
        if isinstance(value, (str, UserString)):
            return encodable(str(value))
        if isinstance(value, (int, float)):
            return _json_number(value, self._name)
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, SEQUENCES):
            return [self.convert(one, depth + 1) for one in value]
        return self._object(value, depth)

    def _check(self, values: int) -> None:
        if values > self._left:
            raise BadUsage(
                f"The {self._name} holds too many values: at most {MAX_VALUES:,} can be sent."
            )

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        made = {
            _json_key(key, self._name): self.convert(one, depth + 1) for key, one in value.items()
        }
        if len(made) < len(value):
            raise BadUsage(
                f"The {self._name} cannot be written as JSON: two keys are the same as text."
            )
        return made

    def _object(self, value: Any, depth: int) -> Any:
        """Convert an object by its type, or by a method that libraries share."""
        if isinstance(getattr(value, "size", None), int):
            # An array, which makes a list of everything that it holds.
            self._check(value.size)
        if _numpy_kind(value) == "M":
            # ``tolist`` of an array of times may give integers, in nanoseconds or another unit.
            return _json_of_texts(value.astype(str).tolist())
        if _numpy_kind(value) == "m" and "[" in str(value.dtype):
            return _seconds(value)
        if type(value).__name__ in ("NaTType", "NAType"):
            # The missing values of pandas.
            return None
        if isinstance(value, (dt.datetime, dt.date, dt.time)):
            return value.isoformat()
        if isinstance(value, dt.timedelta):
            return value.total_seconds()
        if isinstance(value, (os.PathLike, uuid.UUID)):
            return to_text(value, self._name)
        if isinstance(value, decimal.Decimal):
            # Only whole numbers that JSON can hold are converted exactly: with a large exponent,
            # that would take minutes.
            exact = value.is_finite() and value.adjusted() < MAX_DIGITS
            exact = exact and value == value.to_integral_value()
            return _json_number(int(value) if exact else float(value), self._name)
        if is_dataclass(value) and not isinstance(value, type):
            return {
                each.name: self.convert(getattr(value, each.name), depth + 1)
                for each in fields(value)
            }
        for convert in () if isinstance(value, memoryview) else ("tolist", "item"):
            method = getattr(value, convert, None)
            if callable(method):
                try:
                    made = method()
                except Exception:
                    continue
                if type(made) is not type(value):
                    return self.convert(made, depth)
        number = None if isinstance(value, (bytes, bytearray)) else _number(value)
        if number is not None:
            return _json_number(number, self._name)
        raise BadUsage(
            f"The {self._name} cannot be written as JSON: it holds a value of the type "
            f"{type(value).__name__}."
        )


def _numpy_kind(value: Any) -> str:
    """Return numpy's code for the kind of a scalar or an array; empty for other objects."""
    numpy = type(value).__module__.partition(".")[0] == "numpy"
    return getattr(getattr(value, "dtype", None), "kind", "") if numpy else ""


def _json_of_texts(value: Any) -> Any:
    """Return numpy's texts of times, with None in place of missing times."""
    if isinstance(value, list):
        return [_json_of_texts(one) for one in value]
    return None if value in ("NaT", None) else value


def _json_number(value: int | float, name: str) -> int | float:
    if isinstance(value, int):
        if abs(value) >= TOO_LARGE:
            raise BadUsage(f"The {name} cannot be written as JSON: it holds too large a number.")
        return int(value)
    if not math.isfinite(value):
        raise BadUsage(f"The {name} cannot be written as JSON: it holds {float(value)}.")
    return float(value)


def _json_key(key: Any, name: str) -> str:
    if isinstance(key, enum.Enum):
        key = key.value
    if isinstance(key, (str, os.PathLike, uuid.UUID)):
        return to_text(key, name)
    if key is None or isinstance(key, bool):
        # Python's json module writes the same.
        return {None: "null", True: "true", False: "false"}[key]
    if isinstance(key, (dt.datetime, dt.date)):
        return key.isoformat()
    if _numpy_kind(key) == "M":
        return str(key)
    number = plain_number(key)
    if number is None:
        raise BadUsage(
            f"The {name} cannot be written as JSON: a key is of the type {type(key).__name__}."
        )
    return str(number)


def _shown(value: Any) -> str:
    """Return a value's representation for an error: in one line, and short."""
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__}"
    text = " ".join(encodable(text).split())
    return text if len(text) <= 80 else text[:79] + "…"
