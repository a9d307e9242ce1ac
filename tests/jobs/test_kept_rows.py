"""Rows are read and mapped once, and a full disk costs only the time to read them again."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hubspot_batch.files import InvalidRow, Mapping, Row, open_table
from hubspot_batch.jobs import Work
from hubspot_batch.jobs.kept_rows import KeptRows
from job_files import call_rows, write_calls

ROWS: list[tuple[Row, Any]] = [
    *((Row(at, [f"{at}", dt.date(2026, 5, at)]), {"id": at}) for at in range(2, 29)),
    (Row(30, ["x"], "it has 1 cell"), InvalidRow(30, [("", "it has 1 cell")])),
    *((Row(at, [None]), f"{at}") for at in range(31, 400)),
]


def test_what_is_kept_is_what_was_read() -> None:
    """Also values of Python and rows without an input, and by two passes at a time."""
    with closing(KeptRows()) as kept:
        assert [*kept.keep(iter(ROWS))] == ROWS
        assert kept.complete
        first = iter(kept)
        begun = [*islice(first, 150)]
        assert [*kept] == ROWS
        assert [*begun, *first] == ROWS


def test_a_pass_that_is_left_keeps_nothing() -> None:
    """The next one begins again."""
    with closing(KeptRows()) as kept:
        assert len([*islice(kept.keep(iter(ROWS)), 5)]) == 5
        assert not kept.complete
        assert [*kept.keep(iter(ROWS))] == ROWS
        assert [*kept] == ROWS


class _Strange:
    def __reduce__(self) -> Any:
        raise TypeError


@pytest.mark.parametrize("how", ["much", "strange", "full", "nowhere"])
def test_what_cannot_be_kept_is_yielded_all_the_same(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too much of it, a cell of a strange class, a full disk, or no folder for such files."""
    rows = [*ROWS, (Row(401, [_Strange()]), {})] if how == "strange" else ROWS
    if how == "full":
        monkeypatch.setattr(tempfile, "TemporaryFile", _full)
    if how == "nowhere":
        monkeypatch.setattr(tempfile, "TemporaryFile", _refuse)
    with closing(KeptRows(1000 if how == "much" else 1 << 20)) as kept:
        assert len([*kept.keep(iter(rows))]) == len(rows)
        assert not kept.complete
        assert [*kept] == []


def _full(**_: Any) -> Any:
    return Path("/dev/full").open("w+b")


def _refuse(**_: Any) -> Any:
    raise FileNotFoundError(2, "No usable temporary directory found")


def test_a_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second pass does not open it, so it sends what the first has seen."""
    path = write_calls(tmp_path, call_rows(250))
    options = ["When=hs_timestamp", "Title=hs_call_title"]
    mapping = Mapping.from_options(operation="calls create", map=options)
    with closing(KeptRows()) as kept:
        work = Work("create_calls", open_table(path), mapping, kept=kept)
        first = [*work.rows()]
        path.unlink()
        assert [*work.rows()] == first
        assert len(first) == 250


def test_the_space_is_given_back() -> None:
    """A file without a name is gone when it is closed."""
    kept = KeptRows()
    rows: Iterator[Any] = kept.keep(iter(ROWS))
    assert len([*rows]) == len(ROWS)
    kept.close()
    assert [*kept] == []
