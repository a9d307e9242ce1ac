"""The fast codec of the generated client says what Python's own says."""

from __future__ import annotations

import datetime as dt
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any

import attrs
import httpx
import pytest
from hubspot_batch_client import _responses
from hubspot_batch_client.models import ApiError, Association, AssociationTarget, BatchStatus, Call
from hubspot_batch_client.types import UNSET, Timestamp, as_datetime, read_json, to_bytes, to_json
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Struct


@attrs.define
class Foreign:
    """An attrs class that is no model."""

    a: int = 1


class Odd(Struct):
    """A value that one library knows and the others do not."""

    a: int = 1


class Plain(Enum):
    """A word that is no text."""

    A = "a"


def plainly(body: Any) -> Any:
    """Return a body as Python's own codec writes it, or the kind of error that it raises."""
    try:
        return json.loads(json.dumps(to_json(body), ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError) as error:
        return type(error)


def quickly(body: Any) -> Any:
    """The same as the generated client writes it."""
    try:
        return json.loads(to_bytes(body))
    except (TypeError, ValueError, RecursionError) as error:
        return type(error)


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(st.characters(codec=None), max_size=5),
    st.sampled_from(["null", "\ud800", "\x7f", "\u2028", BatchStatus.COMPLETE, Plain.A, UNSET]),
    st.datetimes(timezones=st.sampled_from([None, dt.UTC])),
    st.dates(),
    st.uuids(),
    st.sampled_from([as_datetime("2026-01-31 9:30 Z"), as_datetime("2026-01-31T09:30:00.000Z")]),
    st.sampled_from([b"x", Decimal(1), {1, 2}, Foreign(), Odd(), object(), dt.time(9), 1j]),
)
KEYS = st.one_of(st.text(max_size=3), st.sampled_from([1, None, True, 1.5, "\ud800", (1,)]))
BODIES = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        st.lists(parts, max_size=3),
        st.tuples(parts, parts),
        st.dictionaries(KEYS, parts, max_size=3),
        st.dictionaries(st.text(max_size=3), parts, max_size=3).map(MappingProxyType),
        st.builds(AssociationTarget, id=parts),
        st.builds(
            Association,
            to=parts,
            types=parts,
            additional_properties=st.dictionaries(st.text(max_size=3), parts, max_size=2),
        ),
        st.builds(
            Call, id=parts, properties=parts, created_at=parts, updated_at=parts, archived=parts
        ),
    ),
    max_leaves=8,
)


@given(body=BODIES)
@example(body={"a": float("nan")})
@example(body=[2**64, -(2**63) - 1])
def test_bodies_are_written_alike(body: Any) -> None:
    """The same document, or an error of the same kind."""
    assert quickly(body) == plainly(body)


def test_a_body_that_holds_itself_is_refused_alike() -> None:
    """Both codecs come to an end."""
    body: dict[str, Any] = {}
    body["a"] = [body]
    assert issubclass(quickly(body), (ValueError, RecursionError))


def read_plainly(content: bytes) -> Any:
    """Return what Python's own parser reads, None where it reads nothing."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def alike(one: Any, other: Any) -> bool:
    """Equal, of the same types all the way down, and with numbers that are none alike."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(alike(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return one == other or (one != one and other != other)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(), parts, max_size=3),
    max_leaves=8,
)


def damaged(value: Any, ascii_: bool, at: int, cut: int, put: bytes) -> bytes:
    """The text of a value, with something cut out of it and something put in."""
    text = json.dumps(value, ensure_ascii=ascii_).encode("utf-8", "surrogatepass")
    at %= len(text) + 1
    return text[:at] + put + text[at + cut :]


CONTENTS = st.builds(
    damaged,
    JSON,
    st.booleans(),
    st.integers(0, 60),
    st.integers(0, 2),
    st.sampled_from([b"", b"", b",", b"1", b"e9", b"-", b'"', b"\\ud800", b"\xff", b"NaN", b" "]),
)


@given(content=st.one_of(st.binary(max_size=12), CONTENTS))
@example(content=b"[1e999, -1e999, NaN, -0, -0.0, 1E5, 0.1e-400]")
@example(content=b"[123456789012345678901234567890, -9223372036854775809, 18446744073709551616]")
@example(content=b'["\\ud800", "\xed\xa0\x80"]')
@example(content=b'\xef\xbb\xbf{"a": 1, "a": 2}')
@example(content='{"a": 1}'.encode("utf-16"))
@example(content=b"[" * 100_000)
def test_answers_are_read_alike(content: bytes) -> None:
    """The same values of the same types, whatever came."""
    assert alike(read_json(httpx.Response(200, content=content)), read_plainly(content))


@given(moment=st.datetimes(timezones=st.sampled_from([dt.UTC, None])), digits=st.integers(0, 6))
@example(moment=dt.datetime(2026, 1, 31, tzinfo=dt.UTC), digits=3)
def test_a_timestamp_goes_out_as_it_came(moment: dt.datetime, digits: int) -> None:
    """However many digits it has, and whether or not it was read before."""
    text = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    text += f".{moment.microsecond:06}"[: digits + 1] if digits else ""
    text += "" if moment.tzinfo is None else "Z"
    for _ in range(2):
        read = as_datetime(text)
        assert isinstance(read, dt.datetime)
        assert to_json(read) == text
        assert json.loads(to_bytes([read])) == [text]


def test_what_was_kept_of_a_long_text_is_let_go() -> None:
    """Only texts that are about as long as a timestamp are remembered."""
    text = "31 January 2026 09:30 UTC" + " " * 100
    assert as_datetime(text) == dt.datetime(2026, 1, 31, 9, 30, tzinfo=dt.UTC)
    assert isinstance(as_datetime(text), Timestamp)
    assert as_datetime(text) is not as_datetime(text)


def test_one_thread_at_a_time_looks_at_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form that one thread looks at, and another finds half done, would end the process."""
    inside: list[object] = []
    most = 0

    class Slow:
        def __init__(self, form: object) -> None:
            nonlocal most
            inside.append(form)
            most = max(most, len(inside))
            threading.Event().wait(0.01)
            inside.remove(form)

        def decode(self, content: bytes) -> object:
            raise NotImplementedError

    monkeypatch.setattr("msgspec.json.Decoder", Slow)
    _responses._find.cache_clear()
    try:
        with ThreadPoolExecutor(4) as threads:
            assert (
                len([*threads.map(_responses._find, [ApiError, Association, Call, ApiError])]) == 4
            )
    finally:
        _responses._find.cache_clear()
    assert most == 1
