"""How values of Python become what HubSpot stores."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections import UserDict
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest
from hubspot_batch._operations.values import (
    NO_VALUE,
    flag,
    id_text,
    property_text,
    time_text,
    whole_number,
)
from hubspot_batch_client.types import UNSET
from hypothesis import given
from hypothesis import strategies as st

NEW_YORK = dt.timezone(dt.timedelta(hours=-5))


class Text(str):
    """A text of the caller's own kind."""

    __slots__ = ()

    def __str__(self) -> str:
        return "something else"


class Status(Enum):
    """Options, as people keep them."""

    DONE = "COMPLETED"
    LEVEL = 5
    NONE = None


class Word(StrEnum):
    """Options that are texts."""

    DONE = "COMPLETED"


class Level(IntEnum):
    """Options that are numbers."""

    HIGH = 3


class Scalar:
    """A scalar of numpy, as far as one can tell without numpy."""

    def __init__(self, value: object, kind: str = "O", text: str | None = None) -> None:
        self.value, self.text = value, text
        self.dtype, self.ndim = SimpleNamespace(kind=kind), 0

    def item(self) -> object:
        return self.value

    def __str__(self) -> str:
        return self.text or str(self.value)


class NA:
    """The missing value of pandas: all that is computed with it is missing too."""

    def __eq__(self, other: object) -> Any:
        return self

    def __ne__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = None  # type: ignore[assignment]


class NaT(dt.datetime):
    """The missing time of pandas, which is a datetime and not equal to itself."""

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class Moment:
    """A time of another library that is no datetime, such as arrow's."""

    def __init__(self, text: str) -> None:
        self.text = text

    def isoformat(self) -> str:
        return self.text


class Whole:
    """A whole number of another library."""

    def __index__(self) -> int:
        return 7


class Masked:
    """A value whose comparison fails."""

    def __ne__(self, other: object) -> bool:
        raise OSError("gone")

    __hash__ = None  # type: ignore[assignment]


WRITTEN: list[tuple[object, str]] = [
    *(("", ""), ("text", "text"), (Text("own"), "own"), ("5 ", "5 ")),
    *((5, "5"), (-1, "-1"), (10**40, "1" + "0" * 40), (True, "true"), (False, "false")),
    *((5.0, "5"), (-0.0, "0"), (0.1, "0.1"), (1e-7, "0.0000001"), (-2.5, "-2.5")),
    *((1e16, "1" + "0" * 16), (4.47700900123e11, "447700900123"), (1e22, "1" + "0" * 22)),
    *((Decimal("3E+5"), "300000"), (Decimal("1.50"), "1.50"), (Decimal("1E-9"), "0.000000001")),
    *((Decimal("-0"), "0"), (Decimal(7), "7")),
    (dt.datetime(2026, 1, 31, 9, 30, tzinfo=dt.UTC), "2026-01-31T09:30:00Z"),
    (dt.datetime(2026, 1, 31, 9, 30, tzinfo=NEW_YORK), "2026-01-31T14:30:00Z"),
    (dt.datetime(2026, 1, 31, 9, 30, 0, 250_000, tzinfo=dt.UTC), "2026-01-31T09:30:00.250Z"),
    (dt.date(2026, 1, 31), "2026-01-31"),
    *((Status.DONE, "COMPLETED"), (Status.LEVEL, "5"), (Word.DONE, "COMPLETED"), (Level.HIGH, "3")),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    *((["a", "b"], "a;b"), (("a",), "a"), ({"b", "a"}, "a;b"), (frozenset("a"), "a")),
    *(([Status.DONE, "x"], "COMPLETED;x"), ([1, 2], "1;2")),
    *((Scalar(5, "i"), "5"), (Scalar(True, "b"), "true"), (Scalar("x", "U"), "x")),
    (Scalar(0.10000000149011612, "f", "0.1"), "0.1"),
    (Scalar(dt.date(2026, 1, 31), "M"), "2026-01-31"),
    (Moment("2026-01-31T09:30:00-05:00"), "2026-01-31T14:30:00Z"),
    (Moment("2026-01-31"), "2026-01-31"),
    (Whole(), "7"),
]


@pytest.mark.parametrize(("value", "text"), WRITTEN)
def test_a_value_is_written_as_hubspot_has_it(value: object, text: str) -> None:
    """In plain text of type str."""
    written = property_text(value)
    assert (type(written), written) == (str, text)


MISSING = [
    *(None, UNSET, math.nan, Decimal("NaN"), Decimal("sNaN"), NA(), NaT(1, 1, 1), Status.NONE),
    *(Scalar(None), Scalar(math.nan), SimpleNamespace(as_py=lambda: None)),
]


@pytest.mark.parametrize("value", MISSING, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("convert", [property_text, id_text, whole_number, flag, time_text])
def test_there_is_no_value_where_the_source_has_none(convert: Any, value: object) -> None:
    """Wherever it stands; so nothing is stored for it."""
    assert convert(value) is NO_VALUE


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (dt.datetime(2026, 1, 31, 9, 30), 'without a zone; if it is in UTC, write "2026-01-31T09'),
        (dt.datetime(2026, 1, 31), 'if only the date is meant, write "2026-01-31"'),
        (Scalar(dt.datetime(2026, 1, 31, 9), "M"), "without a zone"),
        (
            dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=1))),
            "outside of the years",
        ),
        *((math.inf, "must be finite"), (Decimal("-Infinity"), "must be finite")),
        *((b"x", "bytes; decode"), (bytearray(b"x"), "bytes"), (memoryview(b"x"), "bytes")),
        *(({"a": 1}, "a map"), (UserDict(a=1), "a map"), (dt.time(9, 30), "without a date")),
        (dt.timedelta(minutes=1.5), 'in milliseconds, write "90000"'),
        *((10**2000, "more than 1000 digits"), (Decimal("1E+999999999"), "more than 1000 digits")),
        *((Fraction(1, 2), "write it as text"), (1j, "write it as text"), (object(), "as text")),
        *((range(2), "write it as text"), (iter("ab"), "write it as text"), (Masked(), "as text")),
        *(([], 'to clear the property, write ""'), (set(), "has no items")),
        *((["a;b"], '";" separates'), ([None], "empty item"), ([""], "empty item")),
        *(([["a"]], "must be one value"), ([b"x"], "bytes"), ([math.nan], "empty item")),
        ("\ud800", "cannot be written as JSON"),
    ],
)
def test_what_hubspot_has_no_text_for_is_refused(value: object, words: str) -> None:
    """With what to do."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - see the next line
        property_text(value)
    assert words in str(caught.value)


@given(
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)
)
def test_a_number_is_written_without_an_exponent_and_means_the_same(
    value: float | Decimal,
) -> None:
    """For every finite number."""
    text = property_text(value)
    assert isinstance(text, str)
    assert {*text} <= {*"-.0123456789"}
    assert type(value)(text) == value


@given(st.datetimes(timezones=st.timezones() | st.just(dt.UTC), min_value=dt.datetime(2, 1, 1)))
def test_a_time_is_written_in_utc_and_means_the_same(value: dt.datetime) -> None:
    """A time is written in UTC, from any zone."""
    text = property_text(value)
    assert isinstance(text, str)
    assert text.endswith("Z")
    assert dt.datetime.fromisoformat(text) == value.astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *(("a", "a"), (5, "5"), (330000000101.0, "330000000101"), (Decimal("20261.0"), "20261")),
        *((Scalar(5, "i"), "5"), (uuid.UUID(int=1), str(uuid.UUID(int=1))), (Whole(), "7")),
        (2.0**53 - 1, "9007199254740991"),
    ],
)
def test_an_id_may_be_a_whole_number(value: object, text: str) -> None:
    """Also a float, which pandas makes of a column with gaps."""
    assert id_text(value) == text


@pytest.mark.parametrize(
    "value",
    [1.5, True, math.inf, 2.0**53, -(2.0**60), dt.date(2026, 1, 31), ["1"], {}, b"1", object()],
)
def test_what_can_be_no_id_is_refused(value: object) -> None:
    """Also a float of so many digits that it may have been another number."""
    with pytest.raises(ValueError, match=r"^is "):
        id_text(value)


def test_flags_and_whole_numbers_are_told_from_texts() -> None:
    """The value that is written in their place is named."""
    assert (flag(True), flag(Scalar(False, "b"))) == (True, False)
    assert (whole_number(194.0), whole_number(Scalar(194, "i"))) == (194, 194)
    for value, advice in (("true", "True"), ("FALSE", "False"), (1, "True"), (0.0, None)):
        with pytest.raises(ValueError, match=f"write {advice}" if advice else "boolean"):
            flag(value)
    for value, advice in (
        ("194", "write 194$"),
        (1.5, "whole"),
        (True, "integer"),
        ([], "integer"),
    ):
        with pytest.raises(ValueError, match=advice):
            whole_number(value)
    with pytest.raises(ValueError, match=r"in milliseconds, write 1769851800000$"):
        whole_number(dt.datetime(2026, 1, 31, 9, 30, tzinfo=dt.UTC))


def test_a_time_field_takes_times_only() -> None:
    """A number can be seconds or milliseconds, and a date has no time."""
    noon = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
    assert time_text(noon) == "2026-01-31T12:00:00Z"
    assert time_text("soon") == "soon"
    for value, advice in (
        (int(noon.timestamp()), 'epoch seconds, write "2026-01-31T12:00:00Z"'),
        (noon.timestamp() * 1000, 'epoch milliseconds, write "2026-01-31T12:00:00Z"'),
        (noon.date(), 'write "2026-01-31T00:00:00Z"'),
        (5, "must be a time$"),
        (math.inf, "must be a time$"),
        (True, "such as 2026-01-31T09:30:00Z"),
        (noon.replace(tzinfo=None), 'in UTC, write "2026-01-31T12:00:00Z"$'),
    ):
        with pytest.raises(ValueError, match=advice):
            time_text(value)


# ---------------------------------------------------------------- the libraries themselves


def test_scalars_of_numpy_are_their_python_counterparts() -> None:
    """None of them is known by its name."""
    np = pytest.importorskip("numpy")
    for value, text in (
        *((np.int64(5), "5"), (np.uint8(5), "5"), (np.float64(5), "5"), (np.bool_(True), "true")),
        (np.bool_(False), "false"),
        *((np.float32(0.1), "0.1"), (np.float16(2.5), "2.5"), (np.longdouble(0.5), "0.5")),
        *((np.str_("x"), "x"), (np.datetime64("2026-01-31"), "2026-01-31")),
        *((np.array(5), "5"), (np.array(["a", "b"]), "a;b"), (np.float32(1e16), "1" + "0" * 16)),
    ):
        assert property_text(value) == text
    nat = np.datetime64("NaT")
    masked = (np.ma.masked, np.ma.array(5, mask=True))
    for value in (np.float32("nan"), np.float64("nan"), nat, np.timedelta64("NaT"), *masked):
        assert property_text(value) is NO_VALUE
    assert (flag(np.False_), flag(np.True_), whole_number(np.int64(0))) == (False, True, 0)
    for value in (
        *(np.datetime64("2026-01-31T09:30"), np.datetime64("2026-01-31T09:30", "ns")),
        *(np.timedelta64(5, "s"), np.timedelta64(5, "ns"), np.float32("inf"), np.bytes_(b"x")),
        *(np.array([["a"]]), np.void(b"x")),
    ):
        with pytest.raises(ValueError, match=r"^is "):
            property_text(value)
    assert id_text(np.float64(330000000101)) == "330000000101"
    assert id_text(np.float32(2**24 - 1)) == str(2**24 - 1)
    with pytest.raises(ValueError, match="lost digits"):
        id_text(np.float32(330000000101))


def test_scalars_of_pandas_are_their_python_counterparts() -> None:
    """NaT is a datetime, and NA can be compared with nothing."""
    pd = pytest.importorskip("pandas")
    time = pd.Timestamp("2026-01-31 09:30:00.123456789", tz="America/New_York")
    assert property_text(time) == "2026-01-31T14:30:00.123456Z"
    assert time_text(pd.Timestamp("2026-01-31", tz="UTC")) == "2026-01-31T00:00:00Z"
    for value in (pd.NaT, pd.NA):
        assert property_text(value) is id_text(value) is time_text(value) is NO_VALUE
    for value in (pd.Timestamp("2026-01-31"), pd.Timedelta(1), pd.Series(["a"]), pd.DataFrame()):
        with pytest.raises(ValueError, match=r"^is "):
            property_text(value)
