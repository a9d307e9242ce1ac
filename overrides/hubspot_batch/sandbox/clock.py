"""A clock that only moves when told, and the API's way of writing a moment.

It decides how seconds become text and which texts are moments. It never reads the machine's clock.
"""

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
        return self._now

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass; any number of threads may do so at the same time."""
        with self._lock:
            self._now += seconds

    def __repr__(self) -> str:
        return f"FakeClock({self._now!r})"


def to_text(seconds: float) -> str:
    """Write seconds since 1970 as the API does: UTC, milliseconds, a final Z."""
    moment = _EPOCH + timedelta(milliseconds=round(seconds * 1000))
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(text: str) -> datetime | None:
    """Read an ISO 8601 moment or whole epoch milliseconds; None when the text is neither.

    A moment without an offset counts as UTC.
    """
    try:
        if text.lstrip("-").isdigit() and len(text) > 8:
            return _EPOCH + timedelta(milliseconds=int(text))
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_date(text: str) -> bool:
    """Say whether `text` is a day written YYYY-MM-DD."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
