"""Reads models of responses into the engine's terms.

This module decides which parts of a response are results or errors, and which inputs they name.
`_matching` decides which inputs they belong to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from textwrap import shorten
from typing import Any, NamedTuple, cast

import httpx
from hubspot_batch_client import models
from hubspot_batch_client.types import UNSET, Model, as_model, to_json

from hubspot_batch._engine.chunk import BatchResponse
from hubspot_batch._json import canonical, is_map, read
from hubspot_batch._matching.by_properties import PROPERTIES, repeated_values
from hubspot_batch._matching.keys import TRACE_ID, KeyIndex, joined
from hubspot_batch._matching.match import ItemError, Results
from hubspot_batch._transport.request_state import Interpretation
from hubspot_batch._transport.retry import is_daily_limit
from hubspot_batch.outcomes import Detail, OutcomeError, freeze_context
from hubspot_batch.outcomes.remarks import raw_values

# The attribute of a result that repeats a trace id.
TRACE_IDS = "object_write_trace_id"

# The most bytes of a page that are read, and the most characters of its words that are shown.
_PAGE_AT_MOST = 20_000
_WORDS_AT_MOST = 200


class MatchKeys(NamedTuple):
    """Where results and errors name inputs.

    Attributes:
        result_key: The attribute of a result that repeats an input's key, or several that do so
            together; None if there is none.
        id_key: The attribute that holds the record's id, if that is another one.
        error_keys: The names under which an error's context lists keys.
        results: The attribute of a response that holds the results; empty if it has none.
        repeated: The fields that a result repeats, if only these match it to its input.
        results_field: The name of that attribute in JSON.
        is_id: Whether two results with the same key are the same record.
    """

    result_key: str | tuple[str, ...] | None
    id_key: str | None
    error_keys: tuple[str, ...]
    results: str = "results"
    repeated: tuple[str, ...] = PROPERTIES
    results_field: str = "results"
    is_id: bool = True


def parse_response(
    response: httpx.Response,
    read: Interpretation,
    keys: MatchKeys,
    index: KeyIndex | None,
    paths: Collection[str] = (),
) -> BatchResponse:
    """Return a response in the engine's terms.

    Args:
        response: The response.
        read: The transport's reading of it.
        keys: Where results and errors name inputs.
        index: The inputs by their keys, if their ids may be property values.
        paths: The paths of the operation; none if they are not known.
    """
    status, disposition, model = response.status_code, read.disposition, read.body
    if response.is_success and isinstance(model, Model):
        error = partial(_error_beside_results, response, model)
        values = _items_of(getattr(model, keys.results, None)) if keys.results else []
        results = _results(values, keys, index)._replace(
            texts=partial(_texts_of, response.content, keys.results_field, len(values))
        )
        errors = (*_item_errors(model, error, keys, index),)
        complete = not keys.results
        return BatchResponse(status, disposition, error, results, errors, complete=complete)
    body = model if is_map(model) else None
    daily = is_daily_limit(status, body)
    whole, foreign = _whole_error(response, body), _is_foreign(response, body, paths)
    return BatchResponse(status, disposition, lambda: whole, daily=daily, from_elsewhere=foreign)


def _is_foreign(
    response: httpx.Response, body: dict[str, Any] | None, paths: Collection[str]
) -> bool:
    """Return whether a response looks as if it came from another server than HubSpot's API.

    HubSpot's edge sends pages too, but with other statuses, and redirects nowhere.

    Args:
        response: The response.
        body: Its JSON object; None if it has none.
        paths: The paths of the operation; none if they are not known.
    """
    status = response.status_code
    if status == 404 and (body is None or not (body.get("category") or body.get("context"))):
        # HubSpot's 404s about a record can lack both. With a path of its own, base_url is wrong.
        return not (body and _is_hubspots(body) and response.request.url.path in paths)
    if any(name.startswith("x-hubspot-") for name in response.headers):
        return False
    if body is not None:
        return status == 405 and not _is_hubspots(body)
    page = "text/html" in response.headers.get("Content-Type", "")
    return bool(_target(response)) or (page and (status < 400 or status == 405))


def _is_hubspots(body: dict[str, Any]) -> bool:
    """Return whether the body of a refusal has what HubSpot's have."""
    return body.get("status") == "error" or "correlationId" in body


def _target(response: httpx.Response) -> str:
    """Return where a redirect leads, without what is asked there; empty if it is none."""
    redirects = 300 <= response.status_code < 400
    return response.headers.get("Location", "").partition("?")[0] if redirects else ""


def _results(values: list[Any], keys: MatchKeys, index: KeyIndex | None) -> Results:
    # A value that is no record has none of these attributes.
    if index is not None:
        ids, traces = _names_of(values, "id"), _names_of(values, TRACE_IDS)
        found = zip(ids, traces, map(_properties_of, values), strict=True)
        keyed = [index.of_result(*one) for one in found]
        return Results(values, ids, keyed, _repeated_by(keys))
    named: Sequence[str | None] = [None] * len(values)
    if isinstance(keys.result_key, tuple):
        named = [joined(each) for each in _together(values, keys.result_key)]
    elif keys.result_key:
        named = _names_of(values, keys.result_key)
    records = _names_of(values, keys.id_key) if keys.id_key else named
    if not keys.id_key and (keys.repeated not in (PROPERTIES, ()) or not keys.is_id):
        # Two equal results are one record.
        records = [canonical(to_json(value)).decode() for value in values]
    return Results(values, records, named, _repeated_by(keys))


def _repeated_by(keys: MatchKeys) -> Callable[[Any], Mapping[str, Any]]:
    """Return a function for the values that match a result without a key."""
    if keys.repeated in (PROPERTIES, ()):
        return _properties_of
    return partial(_fields_of, keys.repeated)


def _together(values: Iterable[object], attributes: Sequence[str]) -> Iterator[list[object]]:
    """Yield some attributes of each value; None where one is absent."""
    for value in values:
        found = [getattr(value, name, None) for name in attributes]
        yield [None if one is UNSET else one for one in found]


def _fields_of(names: tuple[str, ...], value: Any) -> Mapping[str, Any]:
    return repeated_values(value.to_dict(), names) if isinstance(value, Model) else {}


def _properties_of(value: Any) -> dict[str, Any]:
    """Return the properties of a result; normalised ones as they were sent."""
    properties = getattr(value, "properties", None)
    if not is_map(properties):
        return {}
    raw = raw_values(value)
    return {**properties, **raw} if raw else properties


def _item_errors(
    model: Any, whole: Callable[[], OutcomeError], keys: MatchKeys, index: KeyIndex | None
) -> Iterator[ItemError]:
    """Yield the errors that a success reports, with the keys of their inputs, if they name any."""
    listed, count = getattr(model, "errors", None), getattr(model, "num_errors", None)
    items = _items_of(listed)
    if not hasattr(model, "errors"):  # the description lacks `errors` here
        listed = model.additional_properties.get("errors") if "errors" in model else None
        items = [as_model(models.BatchError, one) for one in _items_of(listed)]
    for item in items:
        known = isinstance(item, models.BatchError)
        yield _item_error(item, whole(), keys, index) if known else ItemError(whole(), frozenset())
    odd = listed and not items
    more = isinstance(count, int) and count > len(items)
    if odd or more or "message" in model:
        yield ItemError(whole(), frozenset())


def _item_error(
    item: models.BatchError, whole: OutcomeError, keys: MatchKeys, index: KeyIndex | None
) -> ItemError:
    details = _details(item.errors)
    context = _with_missing(freeze_context(item.context), details)
    error = OutcomeError(
        _MISSING if _missing(details) else "refused",
        _text_of(item.message) or "HubSpot refused this input without a reason.",
        category=_text_of(item.category),
        sub_category=_text_of(item.sub_category),
        context=context,
        correlation_id=whole.correlation_id,
        status_code=whole.status_code,
        details=details,
    )
    named = frozenset(key for name in keys.error_keys for key in context.get(name, ()))
    if index is not None:
        named = index.of_error(named, context.get(TRACE_ID, ()))
    return ItemError(error, named)


def _error_beside_results(response: httpx.Response, model: Model) -> OutcomeError:
    """Return the error from a message beside the results, such as why nothing was done."""
    message = _text_of(model.additional_properties.get("message")) if "message" in model else None
    header = response.headers.get("X-HubSpot-Correlation-Id")
    words = message or "something was refused"
    status = response.status_code
    return OutcomeError("server_error", words, correlation_id=header, status_code=status)


def _whole_error(response: httpx.Response, body: dict[str, Any] | None) -> OutcomeError:
    """Return the error of the whole request, from its response."""
    status = response.status_code
    header = response.headers.get("X-HubSpot-Correlation-Id")
    kind = "refused" if 300 <= status <= 499 else "server_error"
    if body is None:
        message = f"HubSpot answered HTTP {status} with a body that is not a JSON object"
        message += f": {words}" if (words := _first_words(response.content)) else "."
        if target := _target(response):
            message = f"It is a redirect to {shorten(target, _WORDS_AT_MOST)}"
        if status == 414:
            message = (
                "The address of the request is too long for HubSpot: ask for fewer `properties` at "
                f"a time ({message})"
            )
        return OutcomeError(kind, message, correlation_id=header, status_code=status)
    error = models.ApiError.from_dict(body)
    context = dict(freeze_context(error.context))
    for detail in _items_of(error.errors):
        if isinstance(detail, models.ErrorDetail):
            context = {**freeze_context(detail.context), **context}
    details = _details(error.errors)
    if kind == "refused" and _missing(details):
        kind = _MISSING
    return OutcomeError(
        kind,
        _text_of(error.message) or f"HubSpot answered HTTP {status} without a reason.",
        category=_text_of(error.category),
        sub_category=_text_of(error.sub_category),
        context=_with_missing(context, details),
        correlation_id=_text_of(error.correlation_id) or header,
        status_code=status,
        details=details,
    )


# Where the context of a problem names the property, as recorded and as HubSpot's pages have it
# (https://developers.hubspot.com/docs/api-reference/error-handling).
_PROPERTY_KEYS = ("propertyName", "property", "name")


# What 2026-09 says of an input that lacks what the account requires
# (https://developers.hubspot.com/docs/api-reference/error-handling).
_MISSING = "missing_required_property"
_MISSING_CODES = ("MISSING_REQUIRED_PROPERTY", "MISSING_CONDITIONAL_REQUIRED_PROPERTY")


def _missing(details: Iterable[Detail]) -> tuple[str, ...]:
    """Return the names of required properties that an input lacks."""
    found = [one.property for one in details if one.code in _MISSING_CODES and one.property]
    return tuple(dict.fromkeys(found))


def _with_missing(
    context: Mapping[str, tuple[str, ...]], details: Iterable[Detail]
) -> Mapping[str, tuple[str, ...]]:
    """Return the context of an error with all properties that an input lacks."""
    missing = _missing(details)
    return {**context, _PROPERTY_KEYS[0]: missing} if missing else context


def _details(errors: object) -> tuple[Detail, ...]:
    """Return the problems that an error lists, each with the property that it names."""
    return tuple(
        [
            Detail(_property_of(one), _text_of(one.code) or _text_of(one.sub_category), message)
            for one in _items_of(errors)
            if isinstance(one, models.ErrorDetail) and (message := _text_of(one.message))
        ]
    )


def _property_of(detail: models.ErrorDetail) -> str | None:
    context = freeze_context(detail.context)
    named = next((context[key] for key in _PROPERTY_KEYS if context.get(key)), ())
    return ", ".join(named) or _text_of(getattr(detail, "in_", None))


def _first_words(body: bytes) -> str:
    """Return the first words of a page, or of another text, on one line."""
    from html import unescape  # noqa: PLC0415 - few runs meet a page

    text = body[:_PAGE_AT_MOST].decode(errors="replace")
    text = re.sub(r"(?is)<(script|style)\b.*?(</\1>|$)|<!--.*?(-->|$)|<[^>]*(>|$)", " ", text)
    printable = "".join(char if char.isprintable() else " " for char in unescape(text))
    return shorten(printable, _WORDS_AT_MOST)


def _items_of(value: object) -> list[Any]:
    """Return the items of an array."""
    # Only pyright wants the cast.
    return cast("list[Any]", value) if isinstance(value, list) else []  # type: ignore[redundant-cast]


def _text_of(value: object) -> str | None:
    """Return a text that is not empty."""
    return value if isinstance(value, str) and value else None


def _name_of(value: object) -> str | None:
    """Return an id as text; one that comes as a number is the same id."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    text = value if isinstance(value, str) else to_json(value)  # a UUID or a moment has a text
    return text if isinstance(text, str) and text else None


def _names_of(values: Iterable[object], attribute: str) -> list[str | None]:
    """Return an attribute of each value as `_name_of` does; None where a value lacks it."""
    names = [getattr(value, attribute, None) for value in values]
    if {*map(type, names)} == {str} and all(names):  # as a rule
        return names
    return [name if type(name) is str and name else _name_of(name) for name in names]


def _texts_of(body: bytes, name: str, count: int) -> Sequence[bytes] | None:
    """Return the JSON text of each result in a body; None if it is not plain to see."""
    try:
        found: list[bytes] = [*map(bytes, _splitter(name)(body).results)]
    except Exception:  # noqa: BLE001 - what only Python's parser reads, it does not split
        return None
    return found if len(found) == count else None


@cache
def _splitter(name: str) -> Callable[[bytes], Any]:
    from msgspec import Raw, defstruct  # noqa: PLC0415 - see `_json`
    from msgspec.json import Decoder  # noqa: PLC0415 - see `_json`

    split: Callable[[bytes], Any] = Decoder(
        defstruct("Body", [("results", list[Raw])], rename={"results": name})
    ).decode
    return split


def write_result(result: Any) -> bytes:
    """Return the JSON text of a result, also of an unusual one."""
    import orjson  # noqa: PLC0415 - few runs need it

    nones = 0

    def unfold(value: Any) -> Any:
        nonlocal nones
        if not isinstance(value, Model):
            return to_json(value)
        found = value._json_fields()  # pyright: ignore[reportPrivateUsage]
        values = [*found.values()]
        nones += values.count(None)
        for one in values:
            if is_map(one):
                nones += [*one.values()].count(None)
        return found

    try:
        text = orjson.dumps(result, unfold, orjson.OPT_PASSTHROUGH_DATETIME)
        # Python's parser reads infinite numbers, and orjson writes them as null. If each null
        # stands for None, there are no infinite numbers.
        if text.count(b"null") == nones:
            return text
    except (orjson.JSONEncodeError, TypeError):  # numbers of more than 64 bits, unpaired surrogates
        pass
    return _write_carefully(result)


def _write_carefully(result: Any) -> bytes:
    import orjson  # noqa: PLC0415 - few runs need it

    wire = to_json(result)
    try:
        text = orjson.dumps(wire)
        # orjson writes null for infinite numbers, which Python's parser reads.
        if read(text) == wire:
            return text
    except orjson.JSONEncodeError:  # numbers of more than 64 bits, unpaired surrogates
        pass
    return json.dumps(wire, separators=(",", ":")).encode()
