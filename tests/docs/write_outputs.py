"""Write into a page what its blocks print: `python tests/docs/write_outputs.py docs/PAGE.md`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / name) for name in ("tests/support", "generated", "overrides")]

from page_blocks import RUN, Block, blocks  # noqa: E402
from page_session import SHOWN_URL, Session, can_run, differs  # noqa: E402


def write(page: Path) -> None:
    """Run the page, and replace each output that differs from what was printed."""
    text = page.read_text("utf-8")
    edits: list[tuple[int, int, str]] = []
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        session = Session(Path(folder), patch)
        try:
            for block in list(blocks(page)):
                edits += _edits(block, session)
        finally:
            session.close()
            patch.undo()
    for start, end, said in reversed(edits):
        text = text[:start] + said + text[end:]
    page.write_text(text, "utf-8")


def _edits(block: Block, session: Session) -> list[tuple[int, int, str]]:
    if block.is_output:
        said = session.said.replace(session.url, SHOWN_URL)
        return [(block.start, block.end, said)] if differs(block.text, said) else []
    if block.reason or not (block.file or block.language in RUN) or not can_run(block):
        return []
    made: list[str] = []
    changed = False
    for ran, said in session.run(block):
        if isinstance(ran, Block) or ran.shown is None:
            continue
        shown = said.replace(session.url, SHOWN_URL)
        changed |= differs(ran.shown, shown)
        kept = ran.shown if not differs(ran.shown, shown) else shown
        made.append(f"$ {ran.written}\n{kept}".rstrip("\n") + "\n")
    return [(block.start, block.end, "".join(made))] if changed else []


for name in sys.argv[1:]:
    write(Path(name).resolve())
