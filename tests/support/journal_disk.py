"""A disk under journals that fails, or a process that dies, at a chosen moment.

A moment is a number of steps: statements of SQLite, and requests. What a process leaves behind that
is killed there is the journal's files at that moment; nothing that happens later counts.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from hubspot_batch.journal import sqlite as journal_module
from hubspot_batch.sandbox import SandboxTransport

FULL, BROKEN = "database or disk is full", "disk I/O error"


class Killed(BaseException):
    """A process would have ended here."""


class Disk:
    """The files that journals are written to.

    Attributes:
        steps: Steps left until something happens; None for never.
        how: `full` (it fails from then on), `once` (one statement fails), `late` (a commit fails
            that is carried out) or `killed`.
        happened: Whether it has happened.
    """

    def __init__(self) -> None:
        self.steps: int | None = None
        self.how = "full"
        self.happened = False
        self.folder: Path | None = None

    def arm(self, steps: int, how: str, folder: Path | None = None) -> None:
        """Let something happen after some steps; `folder` holds the journal that is killed."""
        self.steps, self.how, self.happened, self.folder = steps, how, False, folder

    def calm(self) -> None:
        """Let nothing happen."""
        self.steps, self.happened = None, False

    def step(self, statement: str) -> None:
        """Count a step, before it is done."""
        if self.happened:
            if self.how == "killed":
                raise Killed if statement == "request" else sqlite3.OperationalError(BROKEN)
            if self.how == "full" and statement != "request":
                raise sqlite3.OperationalError(FULL)
            return
        if self.steps is None or not self._is_due(statement):
            return
        self.happened = True
        if self.how == "killed":
            self._keep()
            raise Killed
        raise sqlite3.OperationalError(FULL if self.how == "full" else BROKEN)

    def _is_due(self, statement: str) -> bool:
        assert self.steps is not None
        if self.how != "killed" and statement == "request":
            return False
        if self.how == "late" and statement != "COMMIT":
            return False
        self.steps -= 1
        return self.steps < 0

    def _keep(self) -> None:
        assert self.folder is not None
        kept = self.folder / "kept"
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir()
        for path in self.folder.glob("journal.sqlite*"):
            shutil.copy(path, kept)

    def revive(self) -> None:
        """Put back the files that the killed process has left."""
        assert self.folder is not None
        for path in self.folder.glob("journal.sqlite*"):
            path.unlink()
        for path in (self.folder / "kept").iterdir():
            shutil.copy(path, self.folder)
        self.calm()


def use(disk: Disk, patch: pytest.MonkeyPatch) -> None:
    """Let all journals be on a disk."""

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
            if disk.how == "late" and sql == "COMMIT":
                done = super().execute(sql, *arguments)
                disk.step(sql)
                return done
            disk.step(sql)
            return super().execute(sql, *arguments)

        def executemany(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
            disk.step(sql)
            return super().executemany(sql, *arguments)

    def connect(*arguments: Any, **named: Any) -> sqlite3.Connection:
        return sqlite3.connect(*arguments, factory=Connection, **named)

    patch.setattr(
        journal_module, "sqlite3", SimpleNamespace(**{**vars(sqlite3), "connect": connect})
    )


class Wire(SandboxTransport):
    """The way to a sandbox; a process that is killed sends nothing more."""

    disk: Disk

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Hand on a request, if the process lives."""
        self.disk.step("request")
        response = super().handle_request(request)
        self.disk.step("request")
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hand on a request, if the process lives."""
        self.disk.step("request")
        response = await super().handle_async_request(request)
        self.disk.step("request")
        return response
