"""The journal that a caller names, with what to do about earlier runs.

This module decides which journals belong to another job: those with another head. The head is what
all runs of a job have in common; the token is not part of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from attrs import field, frozen

from hubspot_batch.errors import ConfigurationError, JournalError

if TYPE_CHECKING:
    from .store import Inspection, Store

_RETRY = ("failed", "not_sent", "unknown")
_FORMS = '"failed", "not_sent" or "unknown", or a list of them'


def _as_path(given: Any) -> str:
    if isinstance(given, str | os.PathLike):
        path = cast("str | bytes", os.fspath(given))
        if isinstance(path, str) and path:
            return path
    raise ConfigurationError(f"journal must be the path of a file, or a Journal; got {given!r}.")


def _as_statuses(given: Any) -> frozenset[str]:
    try:
        names: list[object] = [given] if isinstance(given, str) else [*given]
    except TypeError:
        names = [given]
    found = frozenset(str(name).replace("-", "_") for name in names)
    if not found <= {*_RETRY}:
        raise ConfigurationError(f"retry must be {_FORMS}; got {given!r}.")
    return found


@frozen
class Journal:
    """A file that records what a job is about to send and each outcome, so that it can be resumed.

    The first run makes the file. A later call with the same journal sends what is new or was not
    sent; inputs that succeeded or failed have their outcome from the journal. A create that may
    have been done is `unknown` and not sent again; other operations are repeated, because that is
    harmless. Inputs are compared by content: an edited input is a new one.

    The file holds the results of the job, and so personal data, but never the token. One run can
    use it at a time. It must be on a local disk (SQLite's write-ahead log does not work on network
    file systems).

    Args:
        path: The file; its folder must exist.
        retry: Statuses of earlier runs that are sent again: `failed` and `unknown`. Inputs that
            were not sent always are.
        may_create_twice: Needed to send creates again that are `unknown`. Look them up in HubSpot
            first: those that were done are created again.
        restart: Forget what the journal says, and send everything again.
        account: The id of the HubSpot account, if known; another one is refused later.
        mapping: A digest of how the inputs were made; another one is refused later.
        source_size: The size in bytes of the file that the inputs come from, for the record.
        source_digest: A digest of that file, for the record.
        command: The command that runs the job, for the record.
        sends: Whether anything is sent. If not, the outcomes come only from the journal and from
            look-ups.

    Raises:
        ConfigurationError: An argument is wrong.
    """

    path: str = field(converter=_as_path)
    retry: frozenset[str] = field(default=frozenset(), converter=_as_statuses, kw_only=True)
    may_create_twice: bool = field(default=False, kw_only=True)
    restart: bool = field(default=False, kw_only=True)
    account: str | None = field(default=None, kw_only=True)
    mapping: str | None = field(default=None, kw_only=True)
    source_size: int | None = field(default=None, kw_only=True)
    source_digest: str | None = field(default=None, kw_only=True)
    command: str | None = field(default=None, kw_only=True)
    sends: bool = field(default=True, kw_only=True)

    @classmethod
    def of(cls, given: Journal | str | os.PathLike[str] | None) -> Journal | None:
        """Return the journal that an argument names; None if it names none."""
        return given if given is None or isinstance(given, Journal) else cls(given)

    def exists(self) -> bool:
        """Return whether a run has begun with it, as far as the file's size tells."""
        try:
            return Path(self.path).stat().st_size > 0
        except OSError:
            return False

    def head(self) -> dict[str, str]:
        """Return the head of the file: `operation`, `arguments`, `base_url` and others, as text.

        Raises:
            JournalError: There is no such journal, or it cannot be read.
        """
        return self._inspect(counts=False).head

    def counts(self) -> dict[str, int]:
        """Return how many inputs the file records with each status, `intended` included.

        Raises:
            JournalError: There is no such journal, or it cannot be read.
        """
        return self._inspect(counts=True).counts

    def begun(self) -> dict[str, str] | None:
        """Return the head of the file; None if no run has begun with it.

        Raises:
            JournalError: It cannot be read, or a run has it.
        """
        found = self._look(counts=False) if self.exists() else None
        return None if found is None else found.head

    def _look(self, *, counts: bool) -> Inspection | None:
        from .sqlite import look  # noqa: PLC0415 - most programs have no journal

        return look(self.path, counts=counts)

    def _inspect(self, *, counts: bool) -> Inspection:
        if (found := self._look(counts=counts)) is None:
            raise JournalError(f"The journal {self.path} is empty; no run has begun with it.")
        return found

    def open(self, job: Mapping[str, str]) -> Store:
        """Open the journal for a run, which alone has it until it is closed.

        Args:
            job: What the run adds to the head: `operation`, `arguments`, `base_url`.

        Raises:
            ConfigurationError: The journal belongs to another job.
            JournalError: It cannot be opened, or another run has it.
        """
        from .sqlite import SqliteStore  # noqa: PLC0415 - most programs have no journal

        return SqliteStore(self.path, self._head(job), restart=self.restart)

    def _head(self, job: Mapping[str, str]) -> dict[str, str]:
        own = {
            "account": self.account,
            "mapping": self.mapping,
            "source_size": self.source_size,
            "source_digest": self.source_digest,
            "command": self.command,
        }
        return {**job, **{name: str(value) for name, value in own.items() if value is not None}}


_COMPARED = {
    "operation": "the operation",
    "arguments": "the arguments",
    "base_url": "the base URL",
    "account": "the account",
    "mapping": "the mapping",
}


_RESTARTS = " Journal(path, restart=True) forgets that job."


def check_head(
    path: str, recorded: Mapping[str, str], head: Mapping[str, str], *, restarts: bool = True
) -> None:
    """Refuse a journal that belongs to another job.

    Args:
        path: The journal's path.
        recorded: The head in the journal.
        head: The head of the run. What one of the two leaves out is not compared.
        restarts: Whether a run can restart it.

    Raises:
        ConfigurationError: They differ; the message says where.
    """
    differences = [
        f"{words} was {recorded[name]} and is now {head[name]}"
        for name, words in _COMPARED.items()
        if name in recorded and name in head and recorded[name] != head[name]
    ]
    if differences:
        raise ConfigurationError(
            f"The journal {path} belongs to another job: {'; '.join(differences)}. Use another "
            "journal for this job, or call it as before to resume that one."
            + (_RESTARTS if restarts else "")
        )
