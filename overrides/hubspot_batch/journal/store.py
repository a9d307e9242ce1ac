"""The record that a journal keeps of each input, and the interface of a journal's storage.

This module decides how runs recognise an input: by the digest of the text that is sent, and by its
number among equal inputs. Its position does not count, because rows of a file move.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple, Protocol


class Status(StrEnum):
    """The state of an input in a journal: the status of its outcome, or that it has none."""

    INTENDED = "intended"
    """A request with it may have been sent; no outcome is known."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"


FINAL = (Status.SUCCEEDED, Status.FAILED)
"""The statuses that a later run does not send again by itself."""


def digest_of(text: bytes) -> bytes:
    """Return the digest of what is sent."""
    return blake2b(text, digest_size=16).digest()


class Identity(NamedTuple):
    """The identity of an input in a journal.

    Attributes:
        digest: The digest of what is sent, without a trace id that we added.
        ordinal: Its number among the equal inputs of a run, from 0.
    """

    digest: bytes
    ordinal: int


class Recorded(NamedTuple):
    """The record of an input in a journal.

    Attributes:
        status: Its state.
        result: The JSON text of its result; None if it has none.
        error: The JSON text of its error; None if it has none.
        number: Orders inputs by when they were last intended; None before it is recorded.
        in_other_run: Whether it is intended by another run that lives.
        sent: When its last request was intended, in seconds since 1970; None in journals of older
            versions.
        given_up: When that request was given up; None where it was not, or had an answer.
        marks: The values that find its record, as JSON text; None without any.
        evidence: What a success rests on; None if it is no success, or is not recorded.
    """

    status: Status
    result: bytes | None = None
    error: bytes | None = None
    number: int | None = None
    in_other_run: bool = False
    sent: float | None = None
    given_up: float | None = None
    marks: str | None = None
    evidence: str | None = None


class Inspection(NamedTuple):
    """The content of a journal that is only looked into.

    Attributes:
        head: What the runs of its job have in common.
        counts: How many inputs it records with each status.
    """

    head: dict[str, str]
    counts: dict[str, int]


class TakenError(Exception):
    """Another run has begun with an input since it was looked up. Nothing was written."""


class Store(Protocol):
    """An open journal. No other run can open it until it is closed, unless workers share it.

    Its methods are called by several threads, one at a time. Each except `close` raises
    JournalError if the storage fails; then nothing of its data is written.

    Attributes:
        fresh: Whether it had no inputs when it was opened.
    """

    fresh: bool

    def count(self, digests: Sequence[bytes]) -> list[int]:
        """Return how often each digest was counted before in this run, and count it."""
        ...

    def find(self, identities: Sequence[Identity]) -> Mapping[Identity, Recorded]:
        """Return what other runs recorded of inputs; other inputs are missing."""
        ...

    def last_numbers(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """Return the numbers that keys were marked with in this run."""
        ...

    def note_numbers(self, numbers: Mapping[bytes, int]) -> None:
        """Mark keys with numbers until the end of this run."""
        ...

    def wait(self) -> None:
        """Wait a moment for another run to settle its inputs (`in_other_run`)."""
        ...

    def intend(
        self,
        identities: Sequence[Identity],
        seen: Sequence[int | None] | None = None,
        *,
        sent: float,
        marks: Sequence[str | None],
    ) -> None:
        """Record durably that a request with these inputs is about to be sent.

        Args:
            identities: The inputs.
            seen: The number that `find` gave for each, None for what it did not find; if left out,
                it does not matter whether another run sends them too.
            sent: The time, in seconds since 1970.
            marks: By which values the record of each is found, as JSON text.

        Raises:
            TakenError: Another run has intended one of them since.
        """
        ...

    def settle(self, records: Sequence[tuple[Identity, Recorded]]) -> None:
        """Record durably the outcomes of inputs that are recorded as intended."""
        ...

    def resolve(self, records: Sequence[tuple[Identity, Recorded]]) -> None:
        """Record durably the results of look-ups."""
        ...

    def close(self) -> None:
        """Close it. It may be closed again."""
        ...
