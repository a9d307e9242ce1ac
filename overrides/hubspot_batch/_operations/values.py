"""Turns one Python value into HubSpot's form: the text of a property, an id, a flag.

This module decides how a Python value is written, and which values mean that there is none. It
recognises values of numpy, pandas and the like by their methods, so it imports none of them. A
ValueError says what is wrong with a value, and what to write in its place.
"""

from __future__ import annotations

import datetime as dt
import reprlib
from collections import UserList, UserString, deque
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal, TypeAlias, cast
from uuid import UUID

from hubspot_batch_client.types import UNSET

from .dates import read_datetime, utc_text


class _NoValue(Enum):
    NO_VALUE = "no value"


NO_VALUE: Final = _NoValue.NO_VALUE
"""What None, NaN, NaT and NA mean: the property is left out. An empty text clears one instead."""

NoValue: TypeAlias = Literal[_NoValue.NO_VALUE]

# A longer number is a mistake, and writing it could take all memory.
_DIGITS = 1000


def property_text(value: object, *, several: bool = True) -> str | NoValue:
    """Return the text that HubSpot stores for the value of a property; NO_VALUE if it is none.

    Numbers are written in plain notation, times in UTC, dates as YYYY-MM-DD, and several texts with
    ";" between them
    (https://developers.hubspot.com/docs/faq/how-do-i-set-multiple-values-for-checkbox-properties).

    Args:
        value: The value: a text, a bool, a number, an aware datetime, a date, an Enum, a UUID, or a
            list, tuple or set of texts that is not empty. An empty text clears the property.
        several: Whether there may be several texts.

    Raises:
        ValueError: HubSpot has no text for it; the message says what to write.
    """
    found = simplify(value)
    if found is NO_VALUE:
        return NO_VALUE
    if isinstance(found, str):
        return sendable(found)
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int):
        return _digits(found)
    if is_real(found):
        return _plain(found)
    if isinstance(found, dt.datetime):
        return _moment(found)
    if isinstance(found, dt.date | UUID):
        return str(found)
    if several and isinstance(found, list):
        return _joined(cast("list[object]", found))
    raise ValueError(_refusal(found))


def id_text(value: object) -> str | NoValue:
    """Return the text of an id, which may be given as a whole number; NO_VALUE if it is none.

    Raises:
        ValueError: It can be no id, or has lost digits.
    """
    found = simplify(value)
    if found is NO_VALUE:
        return NO_VALUE
    if isinstance(found, str):
        return sendable(found)
    if isinstance(found, UUID):
        return str(found)
    if isinstance(found, bool) or not (isinstance(found, int) or is_real(found)):
        raise ValueError(f"is {shown(value)}, but an id is text or a whole number")
    number = whole_number(found)
    return NO_VALUE if number is NO_VALUE else _digits(number)


def whole_number(value: object) -> int | NoValue:
    """Return a whole number, which may be given as a float; NO_VALUE if it is none.

    Raises:
        ValueError: It is something else, or a float that cannot hold all its digits.
    """
    found = simplify(value)
    if found is NO_VALUE:
        return NO_VALUE
    if isinstance(found, bool):
        raise ValueError(f"is {found}, but must be of type integer")
    if isinstance(found, int):
        return _bounded(found)
    if isinstance(found, dt.datetime) and found.utcoffset() is not None:
        number = (found - _EPOCH) // dt.timedelta(milliseconds=1)
        raise ValueError(f"is a time, but must be of type integer; in milliseconds, write {number}")
    if isinstance(found, str) and found.isascii() and found.strip().isdigit():
        raise ValueError(f"is {shown(found)}, but must be of type integer; write {int(found)}")
    if not is_real(found):
        raise ValueError(f"is {shown(value)}, but must be of type integer")
    real: Any = found
    exact = _exact(real)
    if exact.is_infinite() or exact.adjusted() > _DIGITS or exact != exact.to_integral_value():
        raise ValueError(f"is {real}, but must be a whole number")
    # Neighbouring whole numbers of many digits share one float, so the float may stand for any of
    # them.
    kind = cast("Callable[[int], object]", type(real))
    number = int(real)
    if not isinstance(real, Decimal) and (kind(number + 1) == real or kind(number - 1) == real):
        raise ValueError(f"is {real}, a float that has lost digits; give it as text or int")
    return number


def flag(value: object) -> bool | NoValue:
    """Return a bool; NO_VALUE if it is none.

    Raises:
        ValueError: It is something else.
    """
    found = simplify(value)
    if found is NO_VALUE or isinstance(found, bool):
        return found
    word = found.lower() if isinstance(found, str) else shown(found)
    meant = {"true": True, "1": True, "false": False, "0": False}.get(word)
    advice = "" if meant is None else f"; write {meant}"
    raise ValueError(f"is {shown(value)}, but must be of type boolean{advice}")


def time_text(value: object) -> str | NoValue:
    """Return a time as a field of type date-time has it; NO_VALUE if it is none.

    Text is not changed, and not checked here.

    Raises:
        ValueError: It is no time with a zone.
    """
    found = simplify(value)
    if found is NO_VALUE:
        return NO_VALUE
    if isinstance(found, str):
        return sendable(found)
    if isinstance(found, dt.datetime):
        return utc_text(found)
    if isinstance(found, dt.date):
        raise ValueError(
            f"is {found}, a date without a time; if its first moment in UTC is meant, "
            f'write "{found}T00:00:00Z"'
        )
    if is_real(found) or (isinstance(found, int) and not isinstance(found, bool)):
        raise ValueError(f"is {shown(found)}, but must be a time{_epoch_advice(found)}")
    raise ValueError(f"is {shown(value)}, but must be a time, such as 2026-01-31T09:30:00Z")


def time_advice(text: str) -> str:
    """Return what to write in place of a text that a field of type date-time does not take."""
    try:
        read = read_datetime(text, zone=None)
        if read.utcoffset() is not None:
            return f'write "{utc_text(read)}"'
        return f'it names no zone; if it is in UTC, write "{utc_text(read.replace(tzinfo=dt.UTC))}"'
    except ValueError:
        return "write a time with a zone, such as 2026-01-31T09:30:00Z"


_BYTES = (bytes, bytearray, memoryview)
_KNOWN = (int, float, dt.date, UUID, Mapping, dt.time, dt.timedelta, type, *_BYTES)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def epoch_time(number: float) -> str | None:
    """Return the time that a number of epoch seconds or milliseconds means; None if it is neither.

    The number counts as seconds or milliseconds if that gives a time between the years 1973 and
    5138.
    """
    for least, unit in ((10**11, 1000), (10**8, 1)):
        if least <= number < least * 1000:
            return utc_text(_EPOCH + dt.timedelta(milliseconds=float(number) * 1000 / unit))
    return None


def _epoch_advice(number: Any) -> str:
    text = epoch_time(number)
    unit = "milliseconds" if text and number >= 10**11 else "seconds"
    return f'; if it is in epoch {unit}, write "{text}"' if text else ""


def simplify(value: Any) -> object:
    """Return a value as one of Python's own types: NO_VALUE if it is none, a list for several.

    Numbers of other kinds than Python's float, and values of unknown types, stay as they are.
    """
    if isinstance(value, bool) or type(value) is str:
        return value
    if value is None or value is UNSET:
        return NO_VALUE
    if isinstance(value, Enum):
        return simplify(value.value)
    if isinstance(value, int):  # none is missing, also if it is not equal to itself
        return value
    # A class of the caller's own can have words and comparisons of its own.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Decimal):
        return NO_VALUE if value.is_nan() else Decimal(value)
    if is_missing(value):
        return NO_VALUE
    if isinstance(value, _KNOWN):
        return cast("object", value)
    return _several(value)


def _several(value: Any) -> object:
    """Return several values as a list."""
    if isinstance(value, UserString):
        return str(value)
    if isinstance(value, list | tuple | UserList | deque):
        return [*cast("list[object]", value)]
    if isinstance(value, AbstractSet):
        return sorted(cast("AbstractSet[object]", value), key=str)
    return _foreign(value)


def _foreign(value: Any) -> object:
    """Return a value of another library as one of Python's own types."""
    kind: object = getattr(getattr(value, "dtype", None), "kind", None)
    if kind == "f" or hasattr(value, "keys"):
        return value if getattr(value, "ndim", 0) == 0 else _listed(value)
    if getattr(value, "ndim", 0):
        return _listed(value)
    for name in ("item", "as_py"):  # numpy and its like; pyarrow
        method = getattr(value, name, None)
        if callable(method):
            item: Any = method()
            if kind in ("M", "m") and isinstance(item, int):  # a time in nanoseconds
                item = value.astype({"M": "datetime64[us]", "m": "timedelta64[us]"}[kind]).item()
            return value if item is value else simplify(item)
    if callable(method := getattr(value, "isoformat", None)):
        text = str(method())
        return dt.date.fromisoformat(text) if len(text) == 10 else dt.datetime.fromisoformat(text)
    return value.__index__() if hasattr(value, "__index__") else value


def _listed(value: Any) -> object:
    if hasattr(value, "keys") or value.ndim != 1 or not hasattr(value, "tolist"):
        return value
    listed: object = value.tolist()
    return listed


def is_missing(value: Any) -> bool:
    """Return whether a value is NaN, NaT or NA: these are not equal to themselves."""
    try:
        differs: Any = value != value
        equal: Any = value == value
        # NA and numpy's masked values give the same for both comparisons: that it is missing too.
        if differs is equal and not isinstance(differs, bool):
            return True
        return getattr(differs, "ndim", 0) == 0 and bool(differs)
    except Exception:  # noqa: BLE001 - the caller's code; such a value is none of these
        return False


def native(value: Any) -> Any:
    """Return a value as one of Python's own types where it has one; None if it is none."""
    try:
        found: Any = simplify(value)
    except ValueError:
        return value  # whoever reads it will say what is wrong
    if isinstance(found, Decimal) or not is_real(found):
        return None if found is NO_VALUE else found
    return float(str(found)) if found.__class__ is not float else found


def is_real(value: object) -> bool:
    """Return whether a value is a float or Decimal, or a number like these."""
    if isinstance(value, float | Decimal):
        return True
    return getattr(getattr(value, "dtype", None), "kind", None) == "f"


def _exact(number: Any) -> Decimal:
    """Return the shortest number that means a float, also one of few digits."""
    if isinstance(number, Decimal):
        return number
    return Decimal(float.__repr__(number) if isinstance(number, float) else str(number))


def _plain(number: Any) -> str:
    """Return a number without an exponent, and a whole float without a point."""
    exact = _exact(number)
    if exact.is_infinite():
        raise ValueError(f"is {number}, but a number must be finite; leave the property out")
    if max(abs(exact.adjusted()), len(exact.as_tuple().digits)) > _DIGITS:
        raise ValueError(f"is a number of more than {_DIGITS} digits; write it as text")
    if not isinstance(number, Decimal) and exact == exact.to_integral_value():
        return str(int(exact))
    return f"{exact or abs(exact):f}"


def _digits(number: int) -> str:
    return str(_bounded(number))


def _bounded(number: int) -> int:
    if abs(number) >= 10**_DIGITS:
        raise ValueError(f"is a number of more than {_DIGITS} digits; write it as text")
    return int(number)


def sendable(text: str) -> str:
    """Return a text that JSON can hold.

    Raises:
        ValueError: It cannot.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"cannot be written as JSON, because it holds half of a character at {error.start}; "
            "read the text with the right encoding"
        ) from None
    return text


def _moment(value: dt.datetime) -> str:
    try:
        return utc_text(value)
    except ValueError as error:
        # pandas has dates as times at midnight, and a property can be a date.
        midnight = value.utcoffset() is None and value.time() == dt.time()
        advice = f'; if only the date is meant, write "{value.date()}"' if midnight else ""
        raise ValueError(f"{error}{advice}") from None


def _joined(items: list[object]) -> str:
    if not items:
        # A list without items is often one that could not be filled.
        raise ValueError('has no items; to clear the property, write ""')
    texts: list[str] = []
    for item in items:
        try:
            text = property_text(item, several=False)
        except ValueError as error:
            raise ValueError(f"has an item that {error}") from None
        if text is NO_VALUE or not text:
            raise ValueError(f"has the empty item {shown(item)}; leave it out of the list")
        if ";" in text:
            raise ValueError(
                f'has the item {shown(text)}, but ";" separates items; give an item for each part'
            )
        texts.append(text)
    return ";".join(texts)


def _refusal(value: object) -> str:
    words = shown(value)
    if isinstance(value, _BYTES):
        return f"is {words}, which is bytes; decode it, such as with .decode()"
    if isinstance(value, dt.timedelta):
        number = value // dt.timedelta(milliseconds=1)
        return f'is {value}, a duration; in milliseconds, write "{number}"'
    if isinstance(value, dt.time):
        return f"is {value}, a time without a date; give a datetime with a zone"
    if isinstance(value, list):
        return f"is {words}, but must be one value; write it as text"
    if isinstance(value, Mapping) or hasattr(value, "keys"):
        return f"is {words}, a map, but must be one value; write it as text, such as JSON"
    return f"is {words}, but must be of type string; write it as text"


def shown(value: object) -> str:
    """Return a value as a message shows it, in short and on one line."""
    try:
        if isinstance(value, dt.date | dt.time | Decimal):
            return str(value)
        if isinstance(value, str):
            return _SHORT.repr(str.__str__(value))
        return _SHORT.repr(value).replace("\n", " ")
    except Exception:  # noqa: BLE001 - the caller's code, or a number too long to be written
        return f"a value of type {type(value).__name__}"


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60
