"""The facts that are kept of a page, beside those of the operation's other pages."""

from __future__ import annotations

import shutil
from pathlib import Path

import captures
import command_line
import pytest
import save_page
from page_facts import kept
from pages import facts

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder of fragments, which the command works in."""
    made = tmp_path / "openapi"
    for folder in ("fragments", "pages"):
        shutil.copytree(ROOT / "openapi" / folder, made / folder)
    shutil.copy(ROOT / "openapi" / "root.yaml", made)
    monkeypatch.setattr(command_line, "PROJECT", tmp_path)
    return made


def page_of(
    home: Path, form: captures.Form, operation: str = "create_campaigns", **more: object
) -> Path:
    path = home.parent / "page of it.txt"
    path.write_text(captures.render({**kept(operation), **more}, form), "utf-8")
    return path


def test_facts_are_kept_and_other_pages_stay(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The new page is a source beside the others, and its facts count; fragments stay."""
    before = facts.read(home / "pages" / "create_campaigns.yaml")
    fragments = {path: path.read_bytes() for path in home.glob("fragments/*")}
    path = page_of(home, captures.Form(), limit=25)
    assert save_page.main([str(path)]) == 0
    after = facts.read(home / "pages" / "create_campaigns.yaml")
    assert (before.limit, after.limit) == (50, 25)
    assert [one.page for one in after.sources] == [*(one.page for one in before.sources), path.name]
    assert after.sources[-1].captured
    assert {path: path.read_bytes() for path in home.glob("fragments/*")} == fragments
    assert "git diff" in capsys.readouterr().out
    # Kept again, it is the same source.
    assert save_page.main([str(path)]) == 0
    assert facts.read(home / "pages" / "create_campaigns.yaml") == after


def test_a_limit_that_was_taken_out_is_not_kept(home: Path) -> None:
    """Of a page of which all but that sentence is on record; of another it may be half a page."""
    assert save_page.main([str(page_of(home, captures.Form()))]) == 0
    assert save_page.main([str(page_of(home, captures.Form(), limit=None))]) == 0
    assert facts.read(home / "pages" / "create_campaigns.yaml").limit is None


def test_half_a_page_is_not_kept(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written, and the reason is told."""
    target = home / "pages" / "create_campaigns.yaml"
    before = target.read_bytes()
    for path in (page_of(home, captures.Form("German"), limit=None), home / "none.txt"):
        assert save_page.main([str(path)]) == 2
        assert path.name in capsys.readouterr().err
    assert target.read_bytes() == before


def test_an_operation_that_is_new_needs_a_name(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It becomes the name of the file."""
    path = page_of(home, captures.Form(), path="/crm/v3/objects/notes/batch/create")
    assert save_page.main([str(path)]) == 2
    assert "name its operation" in capsys.readouterr().err
    assert save_page.main([str(path), "--operation", "create_notes"]) == 0
    assert facts.read(home / "pages" / "create_notes.yaml").operation == "create_notes"
    with pytest.raises(SystemExit) as caught:
        save_page.main([str(path), "--operation", "CreateNotes"])
    assert caught.value.code == 2
