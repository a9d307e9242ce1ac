"""The checks before an upload, and the words of an index that refuses one."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from packaging.version import Version
from releases import built, checks, distributions, publish
from releases.package_index import ReleaseRefusedError

VERSION = Version("0.3.0")
USER, PASSWORD = "someone", "do-not+show/me"
CREDENTIALS = {"TWINE_USERNAME": USER, "TWINE_PASSWORD": PASSWORD}
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


# ---------------------------------------------------------------- the tree


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository with one commit, tagged as the version."""
    home = tmp_path / "tree"
    home.mkdir()
    (home / "code.py").write_text("x = 1\n")
    (home / ".gitignore").write_text("dist/\n")
    git(home, "init", "--quiet")
    commit(home)
    git(home, "tag", f"v{VERSION}")
    return home


def git(home: Path, *arguments: str) -> None:
    me = ("-c", "user.name=N", "-c", "user.email=n@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *me, *arguments], cwd=home, check=True, capture_output=True)


def commit(home: Path) -> None:
    git(home, "add", "--all")
    git(home, "commit", "--quiet", "--allow-empty", "--message", "One.")


def refusal(home: Path) -> str:
    with pytest.raises(ReleaseRefusedError) as caught:
        checks.check_tree(home, VERSION)
    assert "--any-tree (make publish ANY_TREE=1)" in str(caught.value)
    return str(caught.value)


def test_the_tagged_commit_may_be_published(tree: Path) -> None:
    """Other tags, and files that git ignores, do not matter."""
    git(tree, "tag", "nightly")
    (tree / "dist").mkdir()
    (tree / "dist" / "old.whl").touch()
    checks.check_tree(tree, VERSION)


def test_changes_that_are_not_committed(tree: Path) -> None:
    """An edited, a staged, a deleted and an unknown file are each named, some by number."""
    (tree / "code.py").write_text("x = 1/0\n")
    assert "changes that are not committed (code.py). Nothing was built or" in refusal(tree)
    git(tree, "add", "--all")
    assert "(code.py)" in refusal(tree)
    (tree / "code.py").unlink()
    assert "(code.py)" in refusal(tree)
    git(tree, "checkout", "--quiet", "HEAD", "--", ".")
    (tree / "new folder").mkdir()
    for number in range(7):
        (tree / "new folder" / f"{number} .py").touch()
    git(tree, "config", "status.showUntrackedFiles", "no")
    assert "(new folder/0 .py, new folder/1 .py, " in refusal(tree)
    assert " and 2 more)" in refusal(tree)


def test_a_commit_without_the_versions_tag(tree: Path) -> None:
    """The tag of another commit, or of another version, is not enough."""
    commit(tree)
    assert "the commit has no tag v0.3.0." in refusal(tree)
    git(tree, "tag", "v0.3.1")
    assert "Tag the commit that you mean (git tag v0.3.0)" in refusal(tree)
    git(tree, "tag", "--force", "--annotate", "--message", "It.", "v0.3.0")
    checks.check_tree(tree, VERSION)


def test_a_tree_without_history(tmp_path: Path) -> None:
    """Unpacked sources are no commit; a repository further up is another project's."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "sources").mkdir()
    assert "this is not a git repository" in refusal(tmp_path / "sources")


# ---------------------------------------------------------------- the wheel


def wheel(folder: Path, version: str = str(VERSION), **modules: str) -> Path:
    """A wheel of this project's name, without dependencies, that has these modules."""
    path = folder / f"hubspot_batch-{version}-py3-none-any.whl"
    info = f"hubspot_batch-{version}.dist-info"
    files = {
        "hubspot_batch/__init__.py": "",
        "hubspot_batch/__main__.py": "raise SystemExit('not to be imported')",
        "hubspot_batch/cli.py": f"def main():\n    print('hubspot-batch {version}')\n",
        **{f"hubspot_batch/{name}.py": text for name, text in modules.items()},
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: hubspot-batch\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nhubspot-batch = hubspot_batch.cli:main\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in files))
    return path


def try_wheel(path: Path) -> None:
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PYTHONPATH": "nowhere", **CREDENTIALS}
    checks.check_wheel(path, VERSION, environment)


def test_a_wheel_that_works(tmp_path: Path) -> None:
    """Every module is imported; one that needs an extra may be left out; no password is seen."""
    curious = "import os\nassert not [name for name in os.environ if name[:5] == 'TWINE']"
    try_wheel(wheel(tmp_path, more=curious, extra="import uvicorn", plugin="import pytest"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1/0", "hubspot_batch.broken: ZeroDivisionError: division by zero"),
        ("import httpx", "hubspot_batch.broken: No module named 'httpx'"),
        ("from hubspot_batch import gone", "ImportError: cannot import name 'gone'"),
        ("x = (", "hubspot_batch.broken: SyntaxError"),
        ("raise SystemExit(0)", "hubspot_batch.broken: SystemExit"),
    ],
)
def test_a_wheel_with_a_broken_module(text: str, said: str, tmp_path: Path) -> None:
    """The module and the error are named; a package of this environment does not help out."""
    with pytest.raises(ReleaseRefusedError) as caught:
        try_wheel(wheel(tmp_path, broken=text))
    assert said in str(caught.value)
    assert "the built wheel cannot be imported; see above. Nothing was uploaded" in str(
        caught.value
    )


def test_a_wheel_of_another_version(tmp_path: Path) -> None:
    """The command of the wheel says which version it is."""
    with pytest.raises(ReleaseRefusedError, match=r"says that it is 'hubspot-batch 0.2.0'"):
        try_wheel(wheel(tmp_path, "0.2.0"))


def test_a_wheel_that_cannot_be_installed(tmp_path: Path) -> None:
    """The installer's own words are shown."""
    path = tmp_path / "hubspot_batch-0.3.0-py3-none-any.whl"
    path.write_bytes(b"no archive")
    with pytest.raises(ReleaseRefusedError, match="the built wheel cannot be installed"):
        try_wheel(path)


# ---------------------------------------------------------------- what an index says


class _Index(BaseHTTPRequestHandler):
    """An index that has no file, and answers each upload in the same way."""

    answer: ClassVar[tuple[int, str | None, str]] = (200, None, "")
    uploads: ClassVar[int] = 0

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""

    def do_POST(self) -> None:
        type(self).uploads += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        status, reason, body = self.answer
        self.send_response(status, reason)
        if status == 301:
            self.send_header("Location", "/elsewhere/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of an index on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/repository/"
        server.shutdown()


TAKEN, PERHAPS, FAILED = (
    "already, and a published version never changes",
    "Either the user",
    "failed",
)
WORDS: dict[str, tuple[int, str | None, str, str, str]] = {
    "Nexus": (
        *(400, "Repository does not allow updating assets: pypi-hosted", ""),
        *(TAKEN, "Repository does not allow updating assets: pypi-hosted"),
    ),
    "Nexus, newer": (
        *(400, "hubspot-batch/0.3.0/hubspot_batch-0.3.0-py3-none-any.whl cannot be updated", ""),
        *(TAKEN, "cannot be updated"),
    ),
    "Artifactory": (
        *(403, None, '{"errors": [{"message": "Not enough permissions to delete/overwrite x"}]}'),
        *(TAKEN, "Not enough permissions to delete/overwrite x"),
    ),
    "GitLab": (
        *(400, None, '{"message": "Validation failed: File name has already been taken"}'),
        *(TAKEN, "Validation failed: File name has already been taken"),
    ),
    "devpi": (
        409,
        "hubspot-batch 0.3.0 already exists in non volatile index",
        "",
        TAKEN,
        "volatile",
    ),
    "no word of a file": (403, "cannot modify stage", "root/index", PERHAPS, "cannot modify stage"),
    "metadata": (400, None, "Metadata-Version 2.4 is not one of 1.0, 1.1", FAILED, "is not one of"),
    "too large": (413, None, "<html><b>Too</b> large</html>", FAILED, "Too large"),
    "moved": (301, None, "", FAILED, "set /elsewhere/ as your repository URL"),
    "no password": (401, None, "Who are you?", "refused the user name or the password", "Who are"),
    "an echo": (403, None, f"Basic {BASIC} for {PASSWORD}", PERHAPS, "Basic *** for ***"),
    "a long page": (400, None, "word " * 5000, FAILED, "word..."),
}


@pytest.mark.parametrize("product", WORDS)
def test_the_words_of_an_index(product: str, address: str, tmp_path: Path) -> None:
    """An index that has the file says so in many ways; its own words are shown, no password is."""
    status, reason, body, judged, shown = WORDS[product]
    _Index.answer = status, reason, body
    environment = {**os.environ, **CREDENTIALS}
    for name in [name for name in environment if name.lower().endswith("_proxy")]:
        del environment[name]
    taken = publish.taken("hubspot-batch", VERSION, httpx.URL(address))
    with pytest.raises(ReleaseRefusedError) as caught:
        publish.upload([wheel(tmp_path)], httpx.URL(address), environment, taken)
    text = str(caught.value)
    assert judged in text
    assert "\nThe index said: " in text
    assert shown in text
    assert PASSWORD not in text
    assert BASIC not in text
    assert len(text) < 1500


def test_nothing_is_sent_that_was_not_checked(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken wheel is refused before the index sees a file."""
    made = wheel(tmp_path, broken="x = 1/0")

    def build(into: Path, *, tagged: bool) -> tuple[Path, ...]:
        return (made,)

    monkeypatch.setattr(distributions, "build", build)
    monkeypatch.setattr(distributions, "named_version", lambda: ("hubspot-batch", VERSION))
    _Index.uploads = 0
    environment = {**os.environ, **CREDENTIALS, "PIP_NO_INDEX": "1"}
    with pytest.raises(ReleaseRefusedError, match="ZeroDivisionError"):
        built.make(tmp_path, environment)
    with pytest.raises(ReleaseRefusedError, match="holds no build that was tried"):
        publish.publish(address, tmp_path, environment, any_tree=True, any_index=True)
    assert _Index.uploads == 0
