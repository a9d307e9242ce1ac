"""The files of a build between build and publish; attestations; the bill of materials."""

from __future__ import annotations

import json
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from attesting import attest
from packaging.version import Version
from releases import built, checks, distributions, git_history, sbom
from releases.attestations import SUFFIX, attestations_for
from releases.package_index import ReleaseRefusedError

ROOT = Path(__file__).parents[2]
NAME, VERSION = distributions.named_version()
WHEEL, SDIST = f"hubspot_batch-{VERSION}-py3-none-any.whl", f"hubspot_batch-{VERSION}.tar.gz"
INDEX = httpx.URL("https://index.example/")


def pack(sdist: Path, *names: str) -> None:
    """Make a source distribution of empty files."""
    with tarfile.open(sdist, "w:gz") as made:
        for name in names:
            made.addfile(tarfile.TarInfo(f"hubspot_batch-{VERSION}/{name}"))


def refused(action: Callable[[], object]) -> str:
    with pytest.raises(ReleaseRefusedError) as caught:
        action()
    return str(caught.value)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a build that was tried; the steps of it are stand-ins."""

    def build(into: Path, *, tagged: bool) -> tuple[Path, ...]:
        wheel, sdist = into / WHEEL, into / SDIST
        with zipfile.ZipFile(wheel, "w") as made:
            made.writestr(f"x.dist-info/sboms/hubspot_batch-{VERSION}.cdx.json", "{}")
        pack(sdist, "README.md", "PKG-INFO")
        return wheel, sdist

    monkeypatch.setattr(distributions, "build", build)
    monkeypatch.setattr(checks, "check_wheel", lambda wheel, version, environment: None)
    into = tmp_path / "dist"
    into.mkdir()
    built.make(into, {})
    return into


def test_what_lies_beside_the_files(folder: Path) -> None:
    """Digests that sha256sum checks, and the bill of materials that the wheel has."""
    assert {one.name for one in folder.iterdir()} == {
        *(WHEEL, SDIST, "SHA256SUMS", "build.json", f"hubspot_batch-{VERSION}.cdx.json"),
    }
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.count(b": OK") == 3
    found = built.find(folder)
    assert [file.name for file in found.files] == [WHEEL, SDIST]
    assert found.version == VERSION


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda at: (at / WHEEL).write_bytes(b"another"),
            f"{WHEEL} was changed since it was tried",
        ),
        (lambda at: (at / SDIST).unlink(), f"{SDIST} is missing since it was tried"),
        (lambda at: (at / "SHA256SUMS").write_text("x"), "SHA256SUMS does not belong"),
        (lambda at: (at / "SHA256SUMS").unlink(), "SHA256SUMS does not belong"),
        (lambda at: (at / "build.json").unlink(), "holds no build that was tried"),
        (lambda at: (at / "build.json").write_text("[]"), "is damaged"),
        (lambda at: (at / "build.json").write_text("{"), "is damaged"),
        (
            lambda at: (at / "hubspot_batch-9.tar.gz").touch(),
            "hubspot_batch-9.tar.gz was not tried",
        ),
        (
            lambda at: (at / "build.json").write_text(
                (at / "build.json").read_text().replace(str(VERSION), "9.9", 1)
            ),
            "holds the version 9.9, and this tree is",
        ),
    ],
)
def test_what_happens_in_between(folder: Path, change: Callable[[Path], Any], words: str) -> None:
    """Each change is found, and says what to do."""
    change(folder)
    said = refused(lambda: built.find(folder))
    assert words in said
    assert "Run `make build`" in said


def test_a_wheel_that_does_not_work_leaves_no_record(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where an earlier build left one."""

    def refuse(*_: object) -> None:
        raise ReleaseRefusedError("it cannot be imported")

    monkeypatch.setattr(checks, "check_wheel", refuse)
    assert "cannot be imported" in refused(lambda: built.make(folder, {}))
    assert "no build that was tried" in refused(lambda: built.find(folder))


@pytest.mark.parametrize(
    ("heading", "fits"),
    [
        ("## 0.3.0 - 2026-11-30", True),
        ("## [0.3.0] - 2026-11-30", True),
        ("## 0.3.0 (2026-11-30)", False),
        ("## 0.3.0 - unreleased", False),
        ("## 0.3.0", False),
        ("## 0.3.01 - 2026-11-30", False),
        ("## 0.2.0 - 2026-11-30", False),
        ("# Changelog", False),
    ],
)
def test_the_changelog_names_the_version(tmp_path: Path, heading: str, fits: bool) -> None:
    """With the day of the release, below the first heading."""
    text = f"# Changelog\n\n{heading}\n\n## 0.3.0 - 2025-01-01\n" if fits else f"{heading}\n"
    (tmp_path / "CHANGELOG.md").write_text(text)
    if fits:
        checks.check_changelog(tmp_path, Version("0.3.0"))
        return
    said = refused(lambda: checks.check_changelog(tmp_path, Version("0.3.0")))
    assert "must be '## 0.3.0 - YYYY-MM-DD'" in said
    (tmp_path / "CHANGELOG.md").unlink()
    assert "cannot be read" in refused(lambda: checks.check_changelog(tmp_path, Version("0.3.0")))


# ---------------------------------------------------------------- attestations


def test_attestations_go_where_they_are_taken(folder: Path) -> None:
    """Elsewhere, and where there are none, a sentence says so."""
    files = built.find(folder).files
    assert attestations_for(files, INDEX, taken=False) == (
        (),
        "Attestations: none were sent to https://index.example/. If it takes them (PEP 740), say "
        "so with ATTESTATIONS=1. SHA256SUMS has the digests of the files.",
    )
    assert "none lie beside the files" in attestations_for(files, INDEX, taken=True).sentence
    made = [attest(file) for file in files]
    assert built.find(folder).files == files  # they may come after the build
    found = attestations_for(files, INDEX, taken=True)
    assert found == (tuple(made), "Attestations: 2 were sent.")
    found = attestations_for(files, INDEX, taken=False)
    assert found.files == ()
    assert "Those beside the files stay there." in found.sentence


def test_attestations_that_are_wrong(folder: Path) -> None:
    """One that is missing, damaged or about another file stops the upload."""
    files = built.find(folder).files
    made = attest(files[0])
    said = refused(lambda: attestations_for(files, INDEX, taken=True))
    assert f"{SDIST}{SUFFIX} is missing" in said
    attest(files[1], digest="0" * 64)
    assert "about another file" in refused(lambda: attestations_for(files, INDEX, taken=True))
    made.write_text("{}")
    assert "is no attestation" in refused(lambda: attestations_for(files, INDEX, taken=True))


# ---------------------------------------------------------------- the bill of materials


def test_the_bill_names_what_is_installed() -> None:
    """Each dependency, and theirs, once, with the locked version; and who needs whom."""
    text = sbom.render(ROOT, "1.2.3")
    assert text == sbom.render(ROOT, "1.2.3")
    document = json.loads(text)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"]["purl"] == "pkg:pypi/hubspot-batch@1.2.3"
    lock = sbom.read_lock((ROOT / sbom.LOCK).read_text("utf-8"))
    names = [one["name"] for one in document["components"]]
    assert names == sorted({*names})
    assert {"httpx", "httpcore", "h11", "anyio", "idna", "orjson"} <= {*names}
    assert not {"pytest", "ruff", "pyarrow", "rich"} & {*names}
    assert all(lock[one["name"]].version == one["version"] for one in document["components"])
    needs = {one["ref"]: one["dependsOn"] for one in document["dependencies"]}
    refs = {one["bom-ref"] for one in document["components"]}
    assert needs.keys() == refs | {"pkg:pypi/hubspot-batch@1.2.3"}
    assert {one for under in needs.values() for one in under} == refs
    assert document["serialNumber"] != json.loads(sbom.render(ROOT, "1.2.4"))["serialNumber"]


def test_a_dependency_that_is_not_locked(tmp_path: Path) -> None:
    """It would be left out in silence."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    (tmp_path / "pyproject.toml").write_text(text.replace('"attrs>=', '"not-there>='), "utf-8")
    (tmp_path / "tests" / "requirements").mkdir(parents=True)
    (tmp_path / sbom.LOCK).write_bytes((ROOT / sbom.LOCK).read_bytes())
    with pytest.raises(ValueError, match="does not hold not-there; run `make lock`"):
        sbom.render(tmp_path, "1")


# ---------------------------------------------------------------- two builds


def test_a_file_that_the_commit_does_not_have(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git may be told to ignore it in places that no other clone has, so it is refused."""

    def build(into: Path, *, tagged: bool) -> tuple[Path, ...]:
        pack(into / SDIST, "README.md", "PKG-INFO", "overrides/hubspot_batch/a.swp")
        return (into / SDIST,)

    monkeypatch.setattr(distributions, "build", build)
    monkeypatch.setattr(git_history, "tracked", lambda home: {"README.md"})
    monkeypatch.setattr(git_history, "clean_commit", lambda home: "a" * 40)
    said = refused(lambda: built.make(folder, {}))
    assert "overrides/hubspot_batch/a.swp" in said
    assert "README.md" not in said
    assert not (folder / "build.json").exists()
    monkeypatch.setattr(git_history, "clean_commit", lambda home: None)
    built.make(folder, {})


def test_the_files_of_a_commit(tmp_path: Path) -> None:
    """Those that git knows, whatever lies beside them."""
    for name in ("a b.txt", "\u00e9.txt", "ignored.swp"):
        (tmp_path / name).touch()
    for command in (["init", "--quiet"], ["add", "a b.txt", "\u00e9.txt"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    assert git_history.tracked(tmp_path) == {"a b.txt", "\u00e9.txt"}


@pytest.mark.parametrize("differs", [False, True])
def test_a_second_build_gives_the_same(
    folder: Path, differs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made of a clone in another folder."""
    files = built.find(folder).files

    def build_both(home: Path, into: Path) -> None:
        assert home.is_dir()
        into.mkdir()
        for file in files:
            (into / file.name).write_bytes(file.read_bytes() + b"x" * differs)

    monkeypatch.setattr(distributions, "build_both", build_both)
    monkeypatch.setattr(git_history, "clone", lambda home, into: into.mkdir())
    record = json.loads((folder / "build.json").read_text())
    (folder / "build.json").write_text(json.dumps({**record, "commit": "a" * 40}))
    if differs:
        assert "differs from the one that a clone" in refused(
            lambda: built.compare_with_clone(folder)
        )
    else:
        assert "gave the same bytes" in built.compare_with_clone(folder)
