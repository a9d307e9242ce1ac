"""A clock that moves only when a test advances it, and the API's formats of dates and times.

The module decides how a time becomes text and which texts are dates and times. It does not read the
machine's clock.
"""

import re
import threading
from datetime import UTC, date, datetime, timedelta

EXAMPLE_START = datetime(2026, 1, 5, 9, tzinfo=UTC).timestamp()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FakeClock:
    """A clock for tests: call it for the seconds since 1970, `advance` it to let time pass."""

    def __init__(self, start: float = EXAMPLE_START) -> None:
        self._now = start
        self._lock = threading.Lock()

    def __call__(self) -> float:
        """Return the seconds since 1970."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass. Any number of threads may call this at the same time."""
        with self._lock:
            self._now += seconds

    def __repr__(self) -> str:
        return f"FakeClock({self._now!r})"


def format_datetime(seconds: float) -> str:
    """Format seconds since 1970 as the API does: UTC, milliseconds, a final Z."""
    value = _EPOCH + timedelta(milliseconds=round(seconds * 1000))
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# `fromisoformat` takes any sign between date and time: it reads 2026-01-31+01:00 as one o'clock.
_ISO_DATE = re.compile(r"\d{4}-?(?:\d\d-?\d\d|W\d\d(?:-?\d)?)(?:[Tt ]|$)", re.ASCII)


def parse_datetime(text: str) -> datetime | None:
    """Parse an ISO 8601 date-time or whole epoch milliseconds; None if `text` is neither.

    A date-time without an offset is taken as UTC.
    """
    try:
        if text.lstrip("-").isdigit() and len(text) > 8:
            return _EPOCH + timedelta(milliseconds=int(text))
        if not _ISO_DATE.match(text):
            return None
        value = datetime.fromisoformat(text)
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_date(text: str) -> bool:
    """Return True if `text` is a date in the form YYYY-MM-DD."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
