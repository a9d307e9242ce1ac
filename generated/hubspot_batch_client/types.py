# Copied from openapi/runtime/types.py; "make regenerate" writes it, do not edit.
"""What the models and endpoint functions share: UNSET, the response, and the JSON codec.

The decoders never raise and never drop anything: each converts the JSON type that it is made for
and hands on every other value as it came.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from enum import Enum
from functools import cache
from operator import methodcaller
from reprlib import recursive_repr
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar, cast
from uuid import UUID

from attrs import define, field, fields

# Who only wants models need not wait for what sends them.
if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
ModelT = TypeVar("ModelT", bound="Model")


class Unset:
    """The type of UNSET, the value of a field that is absent; false, and empty when iterated."""

    def __bool__(self) -> Literal[False]:
        return False

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> Literal[0]:
        return 0

    def __repr__(self) -> str:
        return "UNSET"

    def __copy__(self) -> Unset:
        return self

    def __deepcopy__(self, memo: object) -> Unset:
        return self

    def __reduce__(self) -> str:
        return "UNSET"


UNSET: Unset = Unset()

ABSENT: Any = UNSET
"""UNSET for `from_dict`, where an absent field may stand in for a value of any type."""


def none_if_empty(more: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return what two models are compared by: one that was asked for its dict may have made it."""
    return more or None


class Model:
    """What every model has: fields that the description lacks are kept, and read as items."""

    if not TYPE_CHECKING:  # the slot of `_more` is in each model, and type checkers miss it here
        __slots__ = ()
    __attrs_attrs__: ClassVar[Any]
    # None if there are no such fields, as in most models: an empty dict for each would make
    # reading a model half as slow again.
    _more: dict[str, Any] | None

    @property
    def additional_properties(self) -> dict[str, Any]:
        """The fields that the description lacks, as the API spells them."""
        if self._more is None:
            self._more = {}
        return self._more

    @additional_properties.setter
    def additional_properties(self, more: dict[str, Any]) -> None:
        self._more = more

    @property
    def additional_keys(self) -> list[str]:
        """The names of the fields that the description lacks, as the API spells them."""
        return list(self._more or ())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return self._more is not None and key in self._more

    @recursive_repr()
    def __repr__(self) -> str:
        parts = {each.alias: getattr(self, each.name) for each in fields(type(self))}
        if not self._more:
            del parts["additional_properties"]
        shown = [f"{name}={value!r}" for name, value in parts.items() if value is not UNSET]
        return f"{type(self).__name__}({', '.join(shown)})"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object; what is UNSET is left out, what is additional is in it."""
        return {name: to_json(value) for name, value in self._json_fields().items()}

    def _json_fields(self) -> dict[str, Any]:
        """Return the values that are there, by their names in the API, not yet as JSON."""
        raise NotImplementedError

    @classmethod
    def _forms(cls) -> list[tuple[str, str, Any]]:
        """Return the attributes, their names in the API, and what msgspec finds in JSON text."""
        raise NotImplementedError

    @classmethod
    def _take(cls, found: Iterable[Any]) -> None:
        """Put models in the places of the forms that msgspec found, in lists and in maps."""
        raise NotImplementedError


@define
class Response(Generic[T]):
    """An answer: the status as a number, since servers use some that the standard library lacks."""

    status_code: int
    content: bytes
    headers: MutableMapping[str, str] = field(repr=False)
    parsed: T | None


class Timestamp(dt.datetime):
    """A time that came in a spelling of its own, and goes out in it again.

    What is computed from one (another zone, a day later) is written in the usual spelling.
    """

    text: str = ""

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return _keep_text, (dt.datetime.combine(self.date(), self.timetz()), self.text)


def _keep_text(value: dt.datetime, text: str) -> Timestamp:
    made = Timestamp.combine(value.date(), value.timetz())
    made.text = text
    return made


def as_datetime(value: Any) -> Any:
    """Read a timestamp; what neither the standard parser nor dateutil reads stays text."""
    if not isinstance(value, str):
        return value
    read = _read_before.get(value)
    if read is None:
        read = _read_datetime(value)
        if len(value) < 64:
            if len(_read_before) >= 256:
                _read_before.clear()
            _read_before[value] = read
    return read


# The records of an answer were created and changed at the same few moments.
_read_before: dict[str, dt.datetime | str] = {}


def _read_datetime(text: str) -> dt.datetime | str:
    try:
        if _is_usual(text):
            return dt.datetime.fromisoformat(text)
        kept = Timestamp.fromisoformat(text)
    except ValueError:
        other = _read_other_datetime(text)
        return text if other is None else _keep_text(other, text)
    kept.text = text
    return kept


def _is_usual(text: str) -> bool:
    """Whether a text, if it is a timestamp, is what `_write_datetime` makes of it."""
    # Every third character from the fifth on is a sign, of which only the last one differs. Some
    # versions of Python read 24:00 as the midnight that follows.
    signs = text[4:20:3]
    if len(text) == 24:
        usual = signs == "--T::." and text[23] == "Z" and text[20:23] != "000"
    else:
        usual = signs == "--T::Z" and len(text) == 20
    return usual and text[11:13] != "24"


def _read_other_datetime(value: str) -> dt.datetime | None:
    from dateutil import parser  # noqa: PLC0415 - few texts need it

    # dateutil takes what a text lacks from a default, guesses the century of a short year, and
    # which number is the day. So a text counts as a timestamp only if it has a whole year, and
    # means the same with another default and, unless the year comes first, with the other guess.
    def read(default: dt.datetime, dayfirst: bool) -> dt.datetime:
        return parser.parse(value, default=default, dayfirst=dayfirst, tzinfos=_read_zone)

    second = dt.datetime(2004, 2, 2)  # noqa: DTZ001 - as above
    try:
        first = read(dt.datetime(2000, 1, 1), dayfirst=False)  # noqa: DTZ001 - HubSpot may name no zone
        years = [y for y in _YEARS.finditer(value) if int(y[0][:4]) == first.year]
        dayfirst = not any(value[: year.start()].strip() == "" for year in years)
        return first if years and first == read(second, dayfirst) else None
    except Exception:  # noqa: BLE001 - dateutil raises more than it says, such as decimal.InvalidOperation
        return None


# A year, by itself or with what follows when date and time are written without a sign between.
_YEARS = re.compile(r"(?<!\d)\d{4}(?:\d{4}|\d{8}|\d{10})?(?!\d)", re.ASCII)


def _read_zone(name: str | None, offset: int | None) -> dt.tzinfo | None:
    if offset is not None:
        return dt.timezone(dt.timedelta(seconds=offset))
    if name:
        raise ValueError(name)  # such as EST or IST, which stand for several zones each
    return None


def as_date(value: Any) -> Any:
    """Read a YYYY-MM-DD date; anything else stays as it came."""
    if not isinstance(value, str):
        return value
    try:
        read = dt.date.fromisoformat(value)
    except ValueError:
        return value
    return read if str(read) == value else value


def as_uuid(value: Any) -> Any:
    """Read a UUID in its usual spelling; anything else stays as it came."""
    if not isinstance(value, str):
        return value
    try:
        read = UUID(value)
    except ValueError:
        return value
    return read if str(read) == value else value


def as_enum(enum: type[Enum], value: Any) -> Any:
    """Return the member of a value; a value that is not known stays as it came."""
    try:
        return enum(value)
    except ValueError:
        return value


def as_model(model: Any, value: Any) -> Any:
    """Read a JSON object into a model; anything else stays as it came."""
    return model.from_dict(value) if isinstance(value, dict) else value


def as_list(decode: Callable[[Any], Any], value: Any) -> Any:
    """Decode the items of a list; anything else stays as it came."""
    if not isinstance(value, list):
        return value
    return [decode(item) for item in cast("Iterable[Any]", value)]


def as_models(model: Any, value: Any) -> Any:
    """Read the JSON objects of a list into models; anything else stays as it came."""
    if not isinstance(value, list):
        return value
    read = model.from_dict
    return [read(item) if isinstance(item, dict) else item for item in cast("Iterable[Any]", value)]


def as_map(decode: Callable[[Any], Any], value: Any) -> Any:
    """Decode the values of a JSON object; anything else stays as it came."""
    if not isinstance(value, dict):
        return value
    return {name: decode(item) for name, item in cast("dict[str, Any]", value).items()}


# What JSON has too; most values are of these types.
_PLAIN = frozenset({str, int, float, bool, type(None)})


def to_json(value: Any) -> Any:
    """Return the JSON form of what a model can hold."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {name: to_json(item) for name, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in cast("Iterable[Any]", value)]
    if isinstance(value, dt.datetime):
        return _write_datetime(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    to_dict = getattr(value, "to_dict", None)
    return value if to_dict is None else to_dict()


def _write_datetime(value: dt.datetime) -> str:
    if isinstance(value, Timestamp) and value.text:
        return value.text
    # HubSpot writes milliseconds and Z, so a timestamp that came from there goes out the same.
    precision = "milliseconds" if value.microsecond and value.microsecond % 1000 == 0 else "auto"
    text = value.isoformat(timespec=precision)
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def to_query(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return query parameters: what is absent is left out, a list is joined by commas.

    An empty list counts as absent: the API would take it for one empty name.
    """
    query: dict[str, Any] = {}
    for name, value in values.items():
        if value is UNSET or value is None:
            continue
        json_form: Any = to_json(value)
        if json_form == []:
            continue
        if isinstance(json_form, list):
            json_form = ",".join(map(str, cast("Iterable[Any]", json_form)))
        query[name] = json_form
    return query


# Makes a model without its values; a third quicker than to call the class, which sets the same.
if TYPE_CHECKING:

    def new(model: type[ModelT], /) -> ModelT: ...

else:
    new = object.__new__


@cache
def form_of(model: type[Model]) -> Any:
    """Return the type that msgspec finds where a JSON object has the fields of a model alone.

    It costs a quarter of a dict. What a field holds is not looked at, but where models are.
    """
    from msgspec import defstruct  # noqa: PLC0415 - only needed to read a response

    forms = model._forms()  # pyright: ignore[reportPrivateUsage] - private to users, not to us
    fields = [(attribute, form, ABSENT) for attribute, _, form in forms]
    names = {attribute: name for attribute, name, _ in forms}
    return defstruct(
        model.__name__, fields, rename=names, forbid_unknown_fields=True, gc=False, eq=False
    )


def take_one(model: type[Model], form: Any) -> Any:
    """Return the model of a form."""
    into = [form]
    model._take([into])  # pyright: ignore[reportPrivateUsage] - private to users, not to us
    return into[0]


# While msgspec looks at a type, another thread finds it half done, and the process dies of that.
# Models are parts of several answers, so one lock is for all of them.
_finding = Lock()


@cache
def _find(model: Any) -> Callable[[bytes], Any]:
    from msgspec.json import Decoder  # noqa: PLC0415 - only needed to read a response

    with _finding:
        return Decoder(form_of(model)).decode


def read_model(model: Any, response: httpx.Response) -> Any:
    """Read the body into a model; None where it is no JSON object."""
    # Taken away, since httpx's answers hold themselves, and so live on for a while.
    read_before, read = response.extensions.pop(_READ, (None, None))
    if read_before is model:
        return read
    try:
        form = _find(model)(response.content)
    except Exception:  # noqa: BLE001 - an undescribed field, an odd value, or no JSON object
        body = read_json(response)
        return model.from_dict(body) if isinstance(body, dict) else None
    return take_one(model, form)


def read_model_ahead(model: Any, response: httpx.Response) -> Any:
    """Do as `read_model`, which does not read this answer again when it is called next."""
    read = read_model(model, response)
    response.extensions[_READ] = model, read
    return read


_READ = f"{__name__}.read_model"


def to_bytes(body: Any) -> bytes:
    """Return the JSON text of a body; one that is written already stays as it is.

    Raises:
        ValueError: It holds what no JSON text can: an infinite number, half a character, itself.
    """
    if isinstance(body, bytes):
        return body
    import orjson  # noqa: PLC0415 - only needed to write a request

    # Its own spelling of timestamps differs, and a class is not written because of how it was made.
    as_we_write = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
    try:
        try:
            text = orjson.dumps(body, _FIELDS, as_we_write)
        except orjson.JSONEncodeError:  # it holds more than models and what JSON has too
            text = orjson.dumps(body, _unfold, as_we_write)
    except orjson.JSONEncodeError:  # such as numbers of more than 64 bits
        return _to_bytes_slowly(body)
    # For what no JSON text can hold it writes null, in silence.
    return _to_bytes_slowly(body) if b"null" in text else text


# For a model no function in Python is called but its own.
_FIELDS = methodcaller("_json_fields")


def _unfold(value: Any) -> Any:
    """Return what to write for a value, where orjson does not know."""
    if isinstance(value, Model):
        return value._json_fields()  # pyright: ignore[reportPrivateUsage] - as above
    json_form = to_json(value)
    if json_form is value:
        raise TypeError(type(value).__name__)
    return json_form


def _to_bytes_slowly(body: Any) -> bytes:
    text = json.dumps(to_json(body), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def read_json(response: httpx.Response) -> Any:
    """Return the body as JSON, or None where it is empty, HTML, cut off or otherwise not JSON."""
    # Read by msgspec, and not by orjson, which reads numbers of more than 64 bits without their
    # last digits. It is not needed before there is an answer.
    from msgspec.json import decode  # noqa: PLC0415 - only needed to read a response

    try:
        return decode(response.content)
    except Exception:  # noqa: BLE001 - it reads less than json: no infinite numbers, no half characters
        try:
            return json.loads(response.content)
        except (ValueError, RecursionError):
            return None


__all__ = [
    "ABSENT",
    "UNSET",
    "Model",
    "Response",
    "Timestamp",
    "Unset",
    "as_date",
    "as_datetime",
    "as_enum",
    "as_list",
    "as_map",
    "as_model",
    "as_models",
    "as_uuid",
    "form_of",
    "new",
    "none_if_empty",
    "read_json",
    "read_model",
    "read_model_ahead",
    "take_one",
    "to_bytes",
    "to_json",
    "to_query",
]
