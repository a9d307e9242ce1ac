"""Which tests of an earlier commit are public, and how they meet the code of today."""

from __future__ import annotations

import subprocess
from pathlib import Path

import previous_release
import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("import hubspot_batch", True),
        ("from hubspot_batch.sandbox import Sandbox", True),
        ("from hubspot_batch_client.models import Call", True),
        ("from hubspot_batch._engine.run import Run", False),
        ("import hubspot_batch._json", False),
        ("from hubspot_batch.options import _HOST", False),
        ("from good import x", True),
        ("from bad import x", False),
    ],
)
def test_a_public_test_uses_public_names(tmp_path: Path, text: str, public: bool) -> None:
    """Helpers count too, because they can hold the same promise."""
    (tmp_path / "support").mkdir()
    (tmp_path / "support" / "good.py").write_text("import hubspot_batch")
    (tmp_path / "support" / "bad.py").write_text("def f():\n    import hubspot_batch._json\n")
    test = tmp_path / "test_it.py"
    test.write_text(text)
    assert previous_release.is_public(test, tmp_path) is public


@pytest.mark.once
def test_tests_of_a_commit_meet_the_code_of_today(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that fails is seen, unless it is named with a reason."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs the history")
    home = tmp_path / "repository"
    (home / "tests" / "client").mkdir(parents=True)
    test = home / "tests" / "client" / "test_x.py"
    test.write_text(
        "from hubspot_batch import __version__\n\ndef test_x():\n    assert __version__ == 'old'\n"
    )
    (home / "README.md").touch()
    (home / "tests" / "client" / "test_y.py").write_text("import hubspot_batch._json")
    for name in previous_release.NEW:
        (home / name).symlink_to(ROOT / name)
    git = ["git", "-c", "user.name=N", "-c", "user.email=n@example.com", "-C", str(home)]
    for command in (["init", "-q"], ["add", "tests", "README.md"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], check=True)
    monkeypatch.setattr(previous_release, "ROOT", home)
    assert previous_release.main([]) == 0  # nothing was released
    assert previous_release.main(["--since", "nothing"]) == 2
    assert previous_release.main(["--since", "HEAD"]) == 1
    reasons = {"tests/client/test_x.py::test_x": "the version has changed"}
    monkeypatch.setattr(previous_release, "meant", lambda: reasons)
    test.with_name("test_z.py").write_text("def test_z():\n    pass\n")
    subprocess.run([*git, "add", "tests"], check=True)
    subprocess.run([*git, "commit", "-qm", "z"], check=True)
    assert previous_release.main(["--since", "HEAD"]) == 0
