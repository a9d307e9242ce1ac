"""The pages do what they say: each block runs, and prints what the page shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_blocks import RUN, Block, blocks, pages
from page_session import Session, can_run, differs

PAGES = [page for page in pages() if any(True for _ in blocks(page))]
ALL = [block for page in PAGES for block in blocks(page)]


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    made = Session(tmp_path, monkeypatch)
    yield made
    made.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_runs(page: Path, session: Session) -> None:
    """From its first block to its last, in one session and one folder."""
    shown_of: Block | None = None
    for block in blocks(page):
        if block.is_output:
            assert shown_of is not None, f"{block}: nothing printed it"
            if can_run(shown_of):
                assert not differs(block.text, session.said), (
                    f"{block} shows\n{block.text}\nnot\n{session.said}"
                )
        elif not block.reason and (block.file or block.language in RUN):
            shown_of = block
            if can_run(block):
                for ran, said in session.run(block):
                    shown = None if isinstance(ran, Block) else ran.shown
                    if shown is not None:
                        assert not differs(shown, said), f"{block} shows\n{shown}\nnot\n{said}"


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_no_block_is_overlooked(page: Path) -> None:
    """A fence that is indented or made of tildes would be shown, and never run."""
    assert not re.search(r"^([ \t]+```|[ \t]*~~~)", page.read_text("utf-8"), re.MULTILINE)


def test_each_block_is_run_or_says_why_not() -> None:
    """A block that no session runs is a file, an output, or names its reason in a sentence."""
    silent = [
        f"{block}: {block.info}"
        for block in ALL
        if not (block.language in RUN or block.file or block.is_output or block.reason)
    ]
    assert silent == []
    assert all(len(block.reason.split()) > 3 for block in ALL if block.reason)
