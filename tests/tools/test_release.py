"""The release tool: when it refuses, and that it never shows a credential."""

import functools
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx
import pytest
import release
from attesting import attest
from hypothesis import given
from hypothesis import strategies as st
from releases import built, distributions, git_history, publish
from releases.package_index import ReleaseRefusedError

PASSWORD = "do-not-show-me"
ENVIRONMENT = {"TWINE_USERNAME": "someone", "TWINE_PASSWORD": PASSWORD}
INDEX = "https://index.example/team/"
NAME, VERSION = distributions.named_version()

Done = subprocess.CompletedProcess[str]
Commands = list[Sequence[str]]


def page(*names: str) -> httpx.Response:
    links = "".join(f'<a href="../../files/{name}#sha256=00">{name}</a><br>' for name in names)
    return httpx.Response(200, html=f"<html><body>{links}</body></html>")


def index(
    answer: httpx.Response | Callable[[httpx.Request], httpx.Response],
) -> httpx.MockTransport:
    return httpx.MockTransport(answer if callable(answer) else lambda request: answer)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Commands are recorded and all go well; `build` leaves two files behind."""
    return answer_commands(monkeypatch)


def answer_commands(monkeypatch: pytest.MonkeyPatch, **answers: tuple[int, str]) -> Commands:
    """Let the command that has a word of `answers` in it end with that code and output."""
    seen: Commands = []

    def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Done:
        seen.append(command)
        if "--outdir" in command:
            folder = Path(command[command.index("--outdir") + 1])
            with zipfile.ZipFile(folder / f"hubspot_batch-{VERSION}-py3-none-any.whl", "w") as made:
                info = f"hubspot_batch-{VERSION}.dist-info"
                made.writestr(f"{info}/sboms/hubspot_batch-{VERSION}.cdx.json", "{}")
            tarfile.open(folder / f"hubspot_batch-{VERSION}.tar.gz", "w:gz").close()
        if command[-1] == "--version":
            return subprocess.CompletedProcess(command, 0, f"hubspot-batch {VERSION}\n")
        for word, (code, output) in answers.items():
            if any(part == word or part.endswith(f"/{word}") for part in command):
                return subprocess.CompletedProcess(command, code, output)
        return subprocess.CompletedProcess(command, 0, "")

    monkeypatch.setattr(distributions, "run", run)
    return seen


def refusal(action: Callable[[], object]) -> ReleaseRefusedError:
    with pytest.raises(ReleaseRefusedError) as caught:
        action()
    assert PASSWORD not in str(caught.value)
    return caught.value


@given(st.dictionaries(st.sampled_from(sorted(ENVIRONMENT)), st.sampled_from(["", "x"])))
def test_credentials(environment: dict[str, str]) -> None:
    """Both parts come from the environment, and what is missing is named."""
    missing = [name for name in ENVIRONMENT if not environment.get(name)]
    if not missing:
        assert publish.credentials(environment) == ("x", "x")
        return
    error = refusal(lambda: publish.credentials(environment))
    assert all((name in str(error)) == (name in missing) for name in ENVIRONMENT)


class TestBuild:
    def test_replaces_older_files(self, tmp_path: Path, commands: Commands) -> None:
        """The folder ends with this version's two files, and keeps what is not ours."""
        for name in ("hubspot_batch-0.0.1.tar.gz", "hubspot_batch-0.0.1-py3-none-any.whl", "mine"):
            (tmp_path / name).touch()
        files = distributions.build(tmp_path)
        assert [file.name for file in files] == [
            f"hubspot_batch-{VERSION}-py3-none-any.whl",
            f"hubspot_batch-{VERSION}.tar.gz",
        ]
        assert sorted(tmp_path.iterdir()) == sorted([*files, tmp_path / "mine"])
        checks = [Path(command[1]).name for command in commands if command[-1] == "--check"]
        assert checks == ["regenerate.py", "release_notes.py"]

    @pytest.mark.parametrize(
        ("word", "sentence"),
        [
            ("regenerate.py", "make regenerate"),
            ("release_notes.py", "says too little"),
            ("--outdir", "build failed"),
            ("--strict", "could show"),
        ],
    )
    def test_refuses(
        self, word: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A step that fails ends the build with its own words, and the folder stays as it was."""
        (tmp_path / "hubspot_batch-0.0.1.tar.gz").touch()
        answer_commands(monkeypatch, **{word: (1, "its own words")})
        error = refusal(lambda: distributions.build(tmp_path))
        assert str(error).startswith("its own words\n")
        assert sentence in str(error)
        assert [file.name for file in tmp_path.iterdir()] == ["hubspot_batch-0.0.1.tar.gz"]

    @pytest.mark.parametrize(
        ("git", "expected"),
        [((0, "123\n"), {"SOURCE_DATE_EPOCH": "123"}), ((0, ""), {}), ((128, "no commits"), {})],
    )
    def test_time_is_the_commits(
        self,
        git: tuple[int, str],
        expected: dict[str, str],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The archives carry the commit's time, where there is a commit."""
        (tmp_path / ".git").touch()
        monkeypatch.setattr(distributions, "ROOT", tmp_path)
        answer_commands(monkeypatch, git=git)
        for epoch in ("7", ""):
            monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
            assert distributions.commit_time(tmp_path) == expected

    def test_time_of_a_source_distribution(self, tmp_path: Path) -> None:
        """Without a history it is the time that its files have, so the same wheel comes out."""
        info = tmp_path / "PKG-INFO"
        assert distributions.commit_time(tmp_path) == {}
        info.touch()
        os.utime(info, (1_700_000_000, 1_700_000_000))
        assert distributions.commit_time(tmp_path) == {"SOURCE_DATE_EPOCH": "1700000000"}

    def test_without_git(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A machine without git builds nevertheless."""
        (tmp_path / ".git").touch()
        monkeypatch.setattr(distributions, "ROOT", tmp_path)
        monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert distributions.commit_time(tmp_path) == {}


@pytest.mark.parametrize("text", ["", "x = 1/0", "__version__ = 'new'", "("])
def test_version_that_cannot_be_read(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken file with the version is a sentence."""
    (tmp_path / "overrides" / "hubspot_batch").mkdir(parents=True)
    (tmp_path / "overrides" / "hubspot_batch" / "version.py").write_text(text)
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'hubspot-batch'\n")
    monkeypatch.setattr(distributions, "ROOT", tmp_path)
    assert "version.py does not say the version" in str(refusal(distributions.named_version))


class TestPublish:
    def publish(self, tmp_path: Path, answer: httpx.Response, **how: bool) -> str:
        how = {"any_tree": True, **how}
        return publish.publish(INDEX, tmp_path, ENVIRONMENT, index(answer), **how)

    def test_uploads(self, tmp_path: Path, commands: Commands) -> None:
        """Both files go to the index that was named, and the next step is told."""
        built.make(tmp_path, ENVIRONMENT)
        assert commands[-1][-1] == "--version"  # the wheel is tried before there is a record
        said = self.publish(tmp_path, httpx.Response(404))
        assert f"Published {NAME} {VERSION} to {INDEX}" in said
        assert "tag the commit" in said
        assert "Attestations: none were sent" in said
        assert "--attestations" not in commands[-1]
        upload = commands[-1]
        assert upload[upload.index("--repository-url") + 1] == INDEX
        assert [Path(part).parent for part in upload[-2:]] == [tmp_path, tmp_path]
        assert PASSWORD not in repr(commands)

    def test_version_is_there(self, tmp_path: Path, commands: Commands) -> None:
        """A version that the index has is refused before anything is sent."""
        built.make(tmp_path, ENVIRONMENT)
        before = len(commands)
        error = refusal(lambda: self.publish(tmp_path, page(f"hubspot_batch-{VERSION}.tar.gz")))
        assert f"has {NAME} {VERSION} already" in str(error)
        assert len(commands) == before

    def test_a_dry_run(self, tmp_path: Path, commands: Commands) -> None:
        """Everything is checked, and nothing is sent."""
        built.make(tmp_path, ENVIRONMENT)
        before = len(commands)
        said = self.publish(tmp_path, httpx.Response(404), dry=True)
        assert said.startswith("Dry run: nothing was uploaded. hubspot_batch-")
        assert len(commands) == before
        there = page(f"hubspot_batch-{VERSION}.tar.gz")
        assert "already" in str(refusal(lambda: self.publish(tmp_path, there, dry=True)))

    def test_attestations(self, tmp_path: Path, commands: Commands) -> None:
        """They are sent with the files if the index takes them."""
        built.make(tmp_path, ENVIRONMENT)
        made = [attest(file) for file in built.find(tmp_path).files]
        said = self.publish(tmp_path, httpx.Response(404), attestations=True)
        assert "Attestations: 2 were sent." in said
        assert "--attestations" in commands[-1]
        assert [*commands[-1][-2:]] == [str(one) for one in made]
        said = self.publish(tmp_path, httpx.Response(404))
        assert "Attestations: none were sent to" in said
        assert "--attestations" not in commands[-1]

    def test_nothing_is_built(self, tmp_path: Path, commands: Commands) -> None:
        """Nothing is published that was not built and tried."""
        error = refusal(lambda: self.publish(tmp_path, httpx.Response(404)))
        assert "holds no build that was tried. Run `make build`" in str(error)
        assert commands == []

    def test_files_of_another_commit(
        self, tmp_path: Path, commands: Commands, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The commit that was built must be the one that has the tag."""
        monkeypatch.setattr(git_history, "clean_commit", lambda home: "a" * 40)
        built.make(tmp_path, ENVIRONMENT)
        monkeypatch.setattr(git_history, "clean_commit", lambda home: "b" * 40)
        monkeypatch.setattr(publish.checks, "check_tree", lambda home, version: None)
        monkeypatch.setattr(publish.checks, "check_changelog", lambda home, version: None)
        answer = httpx.Response(404)
        error = refusal(lambda: self.publish(tmp_path, answer, any_tree=False))
        assert "made of another commit. Run `make build`" in str(error)

    def test_an_index_that_is_not_asked(self, tmp_path: Path, commands: Commands) -> None:
        """A login page answers an upload with a success, so no upload is called published."""
        built.make(tmp_path, ENVIRONMENT)
        said = self.publish(tmp_path, httpx.Response(200, html="Log in"), any_index=True)
        assert "Published" not in said
        assert f"Sent {NAME} {VERSION} to {INDEX}, which does not say what it has" in said

    def test_a_list_of_devpi(self, tmp_path: Path, commands: Commands) -> None:
        """The list of devpi is below `+simple`; the address for pip is that one, too."""
        built.make(tmp_path, ENVIRONMENT)
        devpi = {"X-Devpi-Server-Version": "6.20"}
        pages = {"/team/+simple/hubspot-batch/": page("hubspot_batch-0.0.1.tar.gz")}

        def answer(request: httpx.Request) -> httpx.Response:
            return pages.get(request.url.path) or httpx.Response(404, headers=devpi)

        how = {"transport": index(answer), "any_tree": True}
        said = publish.publish(INDEX, tmp_path, ENVIRONMENT, **how)
        assert " https://index.example/team/+simple/ hubspot-batch==" in said
        pages["/team/+simple/hubspot-batch/"] = page(f"hubspot_batch-{VERSION}.tar.gz")
        for url in (INDEX, f"{INDEX}+simple/"):
            action = functools.partial(publish.publish, url, tmp_path, ENVIRONMENT, **how)
            assert f"has {NAME} {VERSION} already" in str(refusal(action))

    @pytest.mark.parametrize(
        ("output", "sentence"),
        [
            (f"ERROR HTTPError: 409 Conflict {PASSWORD}", "already, and a published version"),
            ("ERROR HTTPError: 400 Bad Request: File already exists", "already, and a published"),
            ("ERROR HTTPError: 401 Unauthorized", "refused the user name or the password (401)"),
            ("ERROR HTTPError: 403 Forbidden", "Either the user in TWINE_USERNAME may not upload"),
            (f"before\nERROR  Something\n  else {PASSWORD}", "index said: Something else ***"),
            (f"Traceback (most\n x\nOSError: {PASSWORD}\n", "The index said: OSError: ***"),
            (
                "INFO     Response from x:\n<style type='text/css'>\n a {b: c}\n</style>No room\n",
                "The index said: Response from x: No room",
            ),
        ],
    )
    def test_upload_refused(
        self, output: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An upload that the index refuses ends in a sentence."""
        answer_commands(monkeypatch, upload=(1, output))
        built.make(tmp_path, ENVIRONMENT)
        assert sentence in str(refusal(lambda: self.publish(tmp_path, httpx.Response(404))))


class TestCommandLine:
    def test_build(
        self, tmp_path: Path, commands: Commands, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The files that were made are listed."""
        assert release.main(["build", "--into", str(tmp_path)]) == 0
        listed = capsys.readouterr().out.splitlines()
        assert sorted(listed) == [str(file) for file in sorted(tmp_path.iterdir())]
        assert len(listed) == 5

    def test_release(
        self,
        tmp_path: Path,
        commands: Commands,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """It builds, compares and checks; only with --go it uploads."""
        seen: list[bool] = []

        def record(*_: object, dry: bool, **__: bool) -> str:
            seen.append(dry)
            return "done"

        monkeypatch.setattr(release, "publish", record)
        command = ["release", "--into", str(tmp_path), "--", INDEX]
        monkeypatch.delenv("TWINE_USERNAME", raising=False)
        assert release.main(command) == 2
        assert "TWINE_USERNAME" in capsys.readouterr().err
        assert commands == []  # it is refused before anything is built
        monkeypatch.setattr(release, "check_before", lambda url, environment, any_tree: None)
        monkeypatch.setattr(git_history, "clean_commit", lambda home: None)
        monkeypatch.setattr(built.git_history, "tags_at_head", lambda home: [])
        for go in ([], ["--go"]):
            command = ["release", "--into", str(tmp_path), *go, "--", INDEX]
            assert release.main(command) == 0
        assert seen == [True, False]
        assert "There was no second build" in capsys.readouterr().out

    def test_publish_without_an_index(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The missing part is named on the error stream, with the exit code of wrong use."""
        assert release.main(["publish", ""]) == 2
        assert "no index is named" in capsys.readouterr().err

    def test_publish(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The credentials are those of the process's environment."""
        seen = []

        def record(url: str, into: Path, environment: Mapping[str, str], **allowed: bool) -> str:
            seen.append((url, into, environment, allowed))
            return "done"

        monkeypatch.setattr(release, "publish", record)
        assert release.main(["publish", "--into", str(tmp_path), "--", INDEX]) == 0
        allowed = {"any_tree": False, "any_index": False, "attestations": False}
        assert seen == [(INDEX, tmp_path, os.environ, {**allowed, "dry": False})]
        options = ["--any-tree", "--any-index", "--attestations"]
        assert release.main(["publish", *options, "--", INDEX]) == 0
        assert seen[1][3] == {**dict.fromkeys(allowed, True), "dry": False}
        capsys.readouterr()
        with pytest.raises(SystemExit):
            release.main(["publish", "--help"])
        said = capsys.readouterr().out
        assert "--any-tree" in said
        assert "--any-index" in said


def test_run_keeps_both_streams() -> None:
    """A command's words are one text, in the order in which they came."""
    script = "import os, sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)"
    done = distributions.run([sys.executable, "-c", script], os.environ)
    assert (done.returncode, done.stdout) == (3, "out\nerr\n")
