"""The templates for CI: they run goals that there are, and publish what another job has built."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml", reason="the tools are missing")

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "ci"
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TEMPLATES = ("gitlab-ci.yml", "github-release.yml")


def jobs(name: str) -> dict[str, dict[str, Any]]:
    """The jobs of a template, by name."""
    document = yaml.safe_load((FOLDER / name).read_text("utf-8"))
    found: dict[str, dict[str, Any]] = document.get("jobs") or {
        key: job for key, job in document.items() if isinstance(job, dict) and "script" in job
    }
    return found


def commands(job: dict[str, Any]) -> Iterator[str]:
    """The commands of a job."""
    yield from job.get("script", ())
    yield from (step["run"] for step in job.get("steps", ()) if "run" in step)


@pytest.mark.parametrize("name", TEMPLATES)
def test_build_and_publish_are_two_jobs(name: str) -> None:
    """The second gets the files of the first, and builds nothing."""
    found = jobs(name)
    assert [*found] == ["test", "build", "publish"]
    assert [*commands(found["test"])] == [".ci/run"]
    if (ROOT / ".git").exists():  # a source distribution has no settings of CI
        assert (ROOT / ".ci" / "run").stat().st_mode & 0o100
    assert [*commands(found["build"])] == ["make build"]
    assert [*commands(found["publish"])] == ['make publish INDEX_URL="$INDEX_URL"']
    assert "build" in found["publish"]["needs"]
    assert "dist/" in (FOLDER / name).read_text("utf-8")


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_whole_history_is_there(name: str) -> None:
    """A shallow clone holds no earlier release to compare the version with."""
    text = (FOLDER / name).read_text("utf-8")
    assert 'GIT_DEPTH: "0"' in text or text.count("fetch-depth: 0") == text.count("checkout@")


@pytest.mark.parametrize("name", [*TEMPLATES, "../publish.md"])
def test_goals_and_variables_are_those_of_the_makefile(name: str) -> None:
    """Also in comments and on the page that describes a release."""
    text = (FOLDER / name).resolve().read_text("utf-8")
    for goal in re.findall(r"\bmake ([a-z][a-z-]+)", text):
        assert re.search(rf"^{goal}:", MAKEFILE, re.MULTILINE), goal
    for variable in re.findall(r"\b(?:GO|ATTESTATIONS)(?==1)", text):
        assert f"$({variable}:" in MAKEFILE


@pytest.mark.parametrize("name", TEMPLATES)
def test_only_the_last_job_sees_the_password(name: str) -> None:
    """And none is written down."""
    text = (FOLDER / name).read_text("utf-8")
    assert not re.search(r"(?i)TWINE_PASSWORD\s*[:=]\s*(?!\$\{\{ secrets\.)\S", text)
    for job in ("test", "build"):
        assert "secrets." not in str(jobs(name)[job])
