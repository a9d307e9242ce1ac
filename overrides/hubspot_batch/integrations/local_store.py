"""Keeps a shared allowance in a file of SQLite, for the processes of one machine.

This module decides what the file holds: one line for each key, which is the state of the rule as
JSON. Times are read from a clock that all processes of a machine share.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path

from attrs import asdict

from hubspot_batch.options import Clock

from .allowance_rule import AllowanceReply, AllowanceRequest, AllowanceState, decide
from .forks import tell_of_forks
from .shared_limiter import STORE_TIMEOUT, StoreLostError

_TABLE = "CREATE TABLE IF NOT EXISTS allowance (key TEXT PRIMARY KEY, state TEXT NOT NULL)"

# Connections of parent processes, which SQLite must neither use nor close in a forked one
# (https://www.sqlite.org/howtocorrupt.html#_carrying_an_open_database_across_a_fork_).
_OF_PARENTS: list[sqlite3.Connection] = []


class LocalStore:
    """The file, opened when it is first asked.

    Args:
        path: The file, which is made if there is none.
        key: The name of the allowance in it.
        clock: The clock; every process must pass in the same one.
    """

    def __init__(self, path: str, key: str, clock: Clock) -> None:
        self._path = Path(path).absolute()
        self._key = key
        self._clock = clock
        self._connection: sqlite3.Connection | None = None
        # Threads take turns, for the transaction belongs to the connection.
        self._lock = threading.Lock()
        tell_of_forks(self)

    def begin_in_fork(self) -> None:
        """Open the file anew."""
        self._lock = threading.Lock()
        if self._connection is not None:
            _OF_PARENTS.append(self._connection)
            self._connection = None

    def ask(self, ask: AllowanceRequest) -> AllowanceReply:
        """Answer a process, and keep what it told.

        Raises:
            StoreLostError: The file cannot be used.
        """
        with self._lock:
            try:
                return self._answer(ask)
            except (sqlite3.Error, ValueError, TypeError) as error:
                self._close()
                raise StoreLostError(f"the file {self._path} ({error})") from error

    async def aask(self, ask: AllowanceRequest) -> AllowanceReply:
        """Do as `ask`, which takes less than a switch to a thread would."""
        return self.ask(ask)

    def _answer(self, ask: AllowanceRequest) -> AllowanceReply:
        one = self._connection or self._open()
        one.execute("BEGIN IMMEDIATE")
        try:
            query = "SELECT state FROM allowance WHERE key = ?"
            row = one.execute(query, (self._key,)).fetchone()
            state = None if row is None else AllowanceState(**json.loads(row[0]))
            # Read while the file is locked, so the times of different processes are in order.
            # In the rule, 0 is no time.
            state, reply = decide(state, 1 + int(self._clock.now() * 1000), ask)
            one.execute(
                "INSERT OR REPLACE INTO allowance VALUES (?, ?)",
                (self._key, json.dumps(asdict(state))),
            )
            one.execute("COMMIT")
        except BaseException:
            if one.in_transaction:
                one.execute("ROLLBACK")
            raise
        return reply

    def _open(self) -> sqlite3.Connection:
        one = self._connection = sqlite3.connect(
            self._path, timeout=STORE_TIMEOUT, isolation_level=None, check_same_thread=False
        )
        # What is lost in a power cut is of no use after it.
        one.execute("PRAGMA synchronous = OFF")
        one.execute("PRAGMA journal_mode = MEMORY")
        one.execute(_TABLE)
        return one

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def __del__(self) -> None:
        self._close()
