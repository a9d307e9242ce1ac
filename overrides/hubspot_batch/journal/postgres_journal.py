"""A journal that workers on several machines share, as a caller names it.

This module decides which settings it takes: no `restart`, because a worker that restarts a job
would let the others create everything again.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from attrs import Attribute, field, frozen

from hubspot_batch.errors import ConfigurationError, JournalError

from .options import Journal

if TYPE_CHECKING:
    from .store import Inspection, Store


def _check_lease(_one: Any, _attribute: Attribute[Any], value: Any) -> None:
    if type(value) not in (int, float) or not 0 < value < math.inf:
        raise ConfigurationError(f"lease must be more than 0 seconds; got {value!r}.")


@contextmanager
def _naming_the_extra() -> Generator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            'A journal on Postgres needs psycopg: pip install "hubspot-batch[postgres]".'
        ) from error


@frozen
class PostgresJournal(Journal):
    """A journal in a database of Postgres, which several workers use at the same time.

    It does what `Journal` does, for workers on any number of machines. A worker that gets inputs
    which another one has sent answers them from the journal. If the other one is sending them
    now, it waits for their outcomes. If that one died, a create that it may have sent is `unknown`.
    So a queue or an engine can run a task twice, and nothing is created twice.

    Equal inputs are counted for each run. So two tasks with equal inputs that are to be created
    twice need keys of their own, or inputs with different `objectWriteTraceId`.

    It needs psycopg (extra `postgres`), and a session of its own in the database: a pooler such as
    PgBouncer must not be in transaction mode. The tables `hubspot_batch_*` are made if the user may
    do so. They hold the results of the job, and so personal data, but never the token.

    Args:
        path: The key of the journal: a name that all workers of one job use, and no other job.
        conninfo: How libpq connects, as text or an address; what it leaves out comes from the
            environment (`PGHOST`, `PGPASSWORD`, ...). It is in no message and no `repr`.
        lease: Seconds to wait for a worker that is alive but silent, for example because its
            machine is suspended. After that, the inputs that it may have sent are `unknown`. While
            its session lives, no look-up says that they were not sent.
        retry: As for `Journal`, as are the other arguments.

    Raises:
        ConfigurationError: An argument is wrong.
    """

    conninfo: str = field(default="", kw_only=True, repr=False)
    lease: float = field(default=300.0, kw_only=True, validator=_check_lease)

    def __attrs_post_init__(self) -> None:
        if self.restart:
            raise ConfigurationError(
                "restart must be False for a journal that workers share: each of them would "
                "restart it. Use another key to send everything again."
            )

    def exists(self) -> bool:
        """Return whether a run has begun with it; True if the database cannot be reached."""
        try:
            return self._look(counts=False) is not None
        except JournalError:
            return True  # it may have, and then what it sent must not be called unsent

    def _look(self, *, counts: bool) -> Inspection | None:  # noqa: ARG002 - it counts quickly
        with _naming_the_extra():
            from .postgres import look  # noqa: PLC0415 - most programs have no journal

        return look(self.path, self.conninfo)

    def open(self, job: Mapping[str, str]) -> Store:
        """Open the journal for a run.

        Args:
            job: What the run adds to the head: `operation`, `arguments`, `base_url`.

        Raises:
            ConfigurationError: The journal belongs to another job.
            JournalError: The database cannot be used.
        """
        with _naming_the_extra():
            from .postgres import PostgresStore  # noqa: PLC0415 - most programs have no journal

        return PostgresStore(self.path, self.conninfo, self._head(job), self.lease)
