"""`make soak-needed` names the files for which random runs are the proof."""

from __future__ import annotations

import subprocess
from pathlib import Path

import needs_soak
import pytest
from needs_soak import HOME, PROVEN, main, needing


def test_a_change_of_the_engine_needs_the_runs_and_one_of_the_prose_does_not() -> None:
    """Only code that decides an outcome counts."""
    engine = "overrides/hubspot_batch/_engine/run.py"
    assert (
        needing(["README.md", "openapi/tools/drift.py", "overrides/hubspot_batch/cli/main.py"])
        == []
    )
    assert needing(["README.md", engine, "generated/hubspot_batch_client/py.typed"]) == [engine]


@pytest.mark.parametrize("place", PROVEN)
def test_each_place_exists(place: str) -> None:
    """A folder that was renamed would need nothing any more."""
    found = [*(HOME / place).parent.glob(f"{(HOME / place).name}*")]
    assert found


def test_an_unknown_commit_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names it."""
    assert main(["--since", "no-such-commit"]) == 2
    assert "no-such-commit" in capsys.readouterr().err


def test_a_change_that_is_not_committed_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """So does a file that git does not know yet."""
    commands = ("init", "-q"), ("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q")
    for command in commands:
        more = ("--allow-empty", "-m", "first") if "commit" in command else ()
        subprocess.run(["git", *command, *more], cwd=tmp_path, check=True)
    monkeypatch.setattr(needs_soak, "HOME", tmp_path)
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("No")
    file = tmp_path / PROVEN[0] / "new.py"
    file.parent.mkdir(parents=True)
    file.touch()
    assert main([]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Yes")
    assert f"{PROVEN[0]}new.py" in said
