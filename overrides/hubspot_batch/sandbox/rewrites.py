"""The changes that servers make to the values that they store, as edits of a response.

The module decides how a value comes back. Which responses are edited is decided by the faults.
"""

import html
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from .clock import parse_datetime

_QUOTES = str.maketrans({"\u201c": '"', "\u201d": '"', "\u2018": "'", "\u2019": "'", "\u2013": "-"})
# What the server itself adds to the properties of a call or a campaign.
_OWN = ("hs_object_id", "hs_createdate", "hs_lastmodifieddate", "hs_object_source")
# A server that cuts texts cuts all of them at the same length.
_LENGTHS = (1, 2, 3, 5, 8, 40)


def _rewrite(document: dict[str, Any], change: Callable[[str], str | None]) -> None:
    for result in document["results"]:
        properties = result.get("properties", {})
        for name, value in properties.items():
            if isinstance(value, str):
                properties[name] = change(value)


def _of_texts(change: Callable[[str], str]) -> Callable[[str], str]:
    """Return a change that leaves times as they are."""
    return lambda value: value if parse_datetime(value) else change(value)


def normalization_warnings(
    sent: Mapping[str, str | None], stored: Mapping[str, str | None]
) -> list[dict[str, Any]]:
    """Return a warning for each value that comes back in another form than it was sent in."""
    return [
        {
            "category": "PROPERTY_VALUE_NORMALIZED",
            "message": f"The value of {name} was normalized.",
            "context": {"propertyName": name, "rawValue": value, "normalizedValue": stored[name]},
        }
        for name, value in sent.items()
        if value and stored.get(name) not in (None, value)
    ]


def normalize(document: dict[str, Any], rng: random.Random) -> None:
    """Write all texts of a result in a form that nothing tells from them, and say so."""
    for result in document["results"]:
        properties: dict[str, Any] = result.get("properties", {})
        raw = {
            one["context"]["propertyName"]: one["context"]["rawValue"]
            for one in result.get("warnings") or ()
        }
        texts = {name: value for name, value in properties.items() if isinstance(value, str)}
        sent = {name: text for name, text in (texts | raw).items() if name not in _OWN}
        for name in sent:
            properties[name] = f"{rng.getrandbits(40):x}"
        result["warnings"] = normalization_warnings(sent, properties)


def keep_milliseconds(document: dict[str, Any], _: random.Random) -> None:
    """Write times in UTC, with their milliseconds."""

    def change(value: str) -> str:
        moment = parse_datetime(value)
        if moment is None:
            return value
        utc = datetime.astimezone(moment, UTC)
        return utc.isoformat("T", "milliseconds").replace("+00:00", "Z")

    _rewrite(document, change)


def escape_html(document: dict[str, Any], _: random.Random) -> None:
    """Escape the characters of HTML."""
    _rewrite(document, _of_texts(html.escape))


def straighten(document: dict[str, Any], _: random.Random) -> None:
    """Cut off blanks at the ends, and write plain quotes and dashes."""
    _rewrite(document, _of_texts(lambda text: text.strip().translate(_QUOTES)))


def cut_texts(document: dict[str, Any], rng: random.Random) -> None:
    """Cut all texts at the same length."""
    length = rng.choice(_LENGTHS)
    _rewrite(document, _of_texts(lambda text: text[:length]))


def drop_empty(document: dict[str, Any], _: random.Random) -> None:
    """Leave out properties without a value."""
    for result in document["results"]:
        if properties := result.get("properties"):
            result["properties"] = {name: value for name, value in properties.items() if value}
