"""The notes of a release: what changed, the version it asks for, and where that is written."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import release_notes
from attrs import frozen
from comparison.findings import Severity
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from releases import changelog
from releases.changelog import MARK, Note
from releases.version import is_honest, smallest

TOOLS = Path(__file__).resolve().parents[2] / "openapi" / "tools"

# ---------------------------------------------------------------- a small project with a history

FILES = {
    "CHANGELOG.md": "# Changelog\n\n## 0.1.0 - 2026-01-01\n\nThe first version.\n",
    "openapi/openapi.yaml": """\
openapi: 3.1.0
info: {title: T, version: '1'}
paths:
  /calls:
    post:
      operationId: create_calls
      description: Creates calls.
      tags: [calls]
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/CallBatchInput'}
      responses:
        2XX:
          description: Done.
          content:
            application/json:
              schema: {type: object, properties: {id: {type: string}}}
components:
  schemas:
    CallBatchInput:
      type: object
      required: [inputs]
      properties:
        inputs:
          type: array
          maxItems: 50
          items: {type: object, properties: {title: {type: string}}}
""",
    "overrides/hubspot_batch/version.py": '__version__ = "0.1.0"\n',
    "overrides/hubspot_batch/__init__.py": """\
from hubspot_batch_client import Client
from .client import HubSpotBatch
from .values import Outcome, Status, StopError, find, result_of
from .version import __version__

__all__ = ["Client", "HubSpotBatch", "Lazy", "Outcome", "Status", "StopError"]
__all__ += ["__version__", "find", "result_of"]


def __getattr__(name):
    ...
""",
    "overrides/hubspot_batch/client.py": """\
from ._families import Calls, Workers

SECONDS = 60


class HubSpotBatch:
    def __init__(self, token: str | None = None, *, timeout: float = SECONDS) -> None:
        self.calls = Calls(Workers())
        self._workers = 8

    def __repr__(self) -> str:
        return "HubSpotBatch()"

    def close(self) -> None:
        _log("closed")


def _log(text: str) -> None:
    print(text)
""",
    "overrides/hubspot_batch/_families.py": """\
class Workers:
    pass


class Calls:
    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def create(self, inputs: list[str], *, size: int | None = None) -> list[str]:
        return inputs
""",
    "overrides/hubspot_batch/values.py": """\
from enum import StrEnum
from typing import overload

from attrs import field, frozen


class BaseError(Exception):
    pass


class StopError(BaseError, ValueError):
    pass


class Status(StrEnum):
    DONE = "done"
    LOST = "lost"


@frozen
class Outcome:
    index: int
    status: Status
    error: str | None = None
    notes: list[str] = field(factory=list, kw_only=True)
    _seen: bool = field(default=False, init=False)


def result_of(error: BaseException, depth: int = 3) -> Outcome | None:
    return None


@overload
def find(it: int) -> int: ...
@overload
def find(it: str) -> str: ...
def find(it):
    return it
""",
    "overrides/hubspot_batch/testing.py": """\
import pytest


@pytest.fixture
def sandbox(tmp_path):
    return tmp_path
""",
    "generated/hubspot_batch_client/__init__.py": """\
from .client import Client
__all__ = ("Client",)
""",
    "generated/hubspot_batch_client/client.py": "class Client:\n    pass\n",
    "generated/hubspot_batch_client/errors.py": "class OddError(Exception):\n    pass\n",
    "generated/hubspot_batch_client/types.py": """\
class Model:
    def to_dict(self) -> dict[str, object]:
        return {}

def as_model(value):
    return value

__all__ = ["Model", "as_model"]
""",
    "generated/hubspot_batch_client/models/__init__.py": """\
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .call import Call

__all__ = ("Call",)
""",
    "generated/hubspot_batch_client/models/call.py": """\
from attrs import define, field
from ..types import Model


@define
class Call(Model):
    id: str
    title: str | None = None
    _more: dict | None = field(default=None, kw_only=True, alias="additional_properties")

    def _private(self) -> None:
        pass
""",
    "generated/hubspot_batch_client/api/__init__.py": "",
    "generated/hubspot_batch_client/api/calls/__init__.py": "",
    "generated/hubspot_batch_client/api/calls/create_calls.py": """\
from ...models.call import Call


def _kwargs(body):
    return body


def sync(*, client: object, body: Call) -> Call | None:
    return _kwargs(body)
""",
}
VALUES = "overrides/hubspot_batch/values.py"
CLIENT = "overrides/hubspot_batch/client.py"
TESTING = "overrides/hubspot_batch/testing.py"
FAMILIES = "overrides/hubspot_batch/_families.py"
INIT = "overrides/hubspot_batch/__init__.py"
CALL = "generated/hubspot_batch_client/models/call.py"
MODELS = "generated/hubspot_batch_client/models/__init__.py"
ENDPOINT = "generated/hubspot_batch_client/api/calls/create_calls.py"
TYPES = "generated/hubspot_batch_client/types.py"
BUNDLE = "openapi/openapi.yaml"
BROKEN = "paths: {/calls: {post: {operationId: create_calls, requestBody: {$ref: '#/nowhere'}}}}"
VERSION = "overrides/hubspot_batch/version.py"


@frozen
class Place:
    """A project in a folder, and what is done to it."""

    home: Path

    def git(self, *arguments: str) -> str:
        """Run git without the settings of this machine."""
        who = ("user.name=A", "user.email=a@example.com", "commit.gpgsign=false")
        settings = [part for one in who for part in ("-c", one)]
        return subprocess.run(
            ["git", *settings, *arguments],
            cwd=self.home,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def read(self, name: str = "CHANGELOG.md") -> str:
        return (self.home / name).read_text(encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = self.read(name)
        assert old in text
        self.write({name: text.replace(old, new)})

    def commit(self, message: str = "Change") -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)

    def tag(self, version: str) -> None:
        self.git("tag", f"v{version}")

    def version(self, version: str) -> None:
        self.write({VERSION: f'__version__ = "{version}"\n'})


@frozen
class Said:
    """The output of a run of the command."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


Run = Callable[..., Said]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture(scope="module")
def _released(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("released"))
    place.write(FILES)
    place.git("init", "--quiet", "--initial-branch", "main")
    place.commit()
    place.tag("0.1.0")
    return place


@pytest.fixture
def place(_released: Place, tmp_path: Path) -> Place:
    """A clean work tree of the release 0.1.0."""
    home = tmp_path / "project"
    shutil.copytree(_released.home, home)
    return Place(home)


@pytest.fixture
def run(place: Place, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command on the project."""

    def runs(*arguments: str) -> Said:
        capsys.readouterr()
        status = release_notes.main([*arguments, "--project", str(place.home)])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Said(status, said.out, said.err)

    return runs


# ---------------------------------------------------------------- what is found

BREAKING, ADDITIVE, WORDING, NOTHING = "0.2.0", "0.1.1", "0.1.1", "0.1.0"
ANNOTATED = "error: str | None = None"

CHANGES = {
    # The description.
    "a lower limit": (BUNDLE, "maxItems: 50", "maxItems: 25", BREAKING, "`create_calls`: "),
    "a field of an answer is gone": (
        BUNDLE,
        "{id: {type: string}}",
        "{}",
        BREAKING,
        "create_calls",
    ),
    "a new optional field": (
        BUNDLE,
        "{title: {type: string}}",
        "{title: {type: string}, note: {type: string}}",
        ADDITIVE,
        "`create_calls`: ",
    ),
    "other words": (BUNDLE, "Creates calls.", "Makes calls.", WORDING, "worded differently in one"),
    # Functions.
    "a function is gone": (
        INIT,
        ', "result_of"]',
        "]",
        BREAKING,
        "`hubspot_batch.result_of` is gone.",
    ),
    "a function is new": (
        INIT,
        '"find"',
        '"find", "more"',
        ADDITIVE,
        "`hubspot_batch.more` is new.",
    ),
    "a lazily exported name is gone": (
        INIT,
        ' "Lazy",',
        "",
        BREAKING,
        "`hubspot_batch.Lazy` is gone.",
    ),
    "an argument is gone": (
        VALUES,
        ", depth: int = 3",
        "",
        BREAKING,
        "the argument `depth` is gone.",
    ),
    "an argument is renamed": (VALUES, "depth: int", "deep: int", BREAKING, "`depth` is gone."),
    "an argument becomes required": (
        VALUES,
        "int = 3",
        "int",
        BREAKING,
        "`depth` is required now.",
    ),
    "a required argument is new": (
        VALUES,
        "error: BaseException,",
        "error: BaseException, kind: str,",
        BREAKING,
        "`kind` is new, and required.",
    ),
    "another default": (VALUES, "int = 3", "int = 4", BREAKING, "is `4` by default, it was `3`."),
    "another value of a default's constant": (
        CLIENT,
        "SECONDS = 60",
        "SECONDS = 30",
        BREAKING,
        "is `30` by default, it was `60`.",
    ),
    "a default's constant is renamed": (CLIENT, "SECONDS", "_LONGEST", NOTHING, ""),
    "an optional argument is new": (
        VALUES,
        "int = 3",
        "int = 3, more: bool = False",
        ADDITIVE,
        "the argument `more` is new.",
    ),
    "an argument in between": (
        VALUES,
        "depth: int = 3",
        "more: bool = False, depth: int = 3",
        BREAKING,
        "the argument `depth` has another place",
    ),
    "an argument by name only": (VALUES, "depth: int", "*, depth: int", BREAKING, "keyword-only"),
    "an argument takes less": (VALUES, "BaseException", "OSError", BREAKING, "`OSError`, it was"),
    "an argument takes more": (
        VALUES,
        "error: BaseException",
        "error: BaseException | str",
        ADDITIVE,
        "is `BaseException | str`, it was `BaseException`.",
    ),
    "another result": (
        VALUES,
        "Outcome | None:",
        "list | None:",
        BREAKING,
        "returns `list | None`",
    ),
    "a narrower result": (VALUES, "-> Outcome | None", "-> Outcome", ADDITIVE, "returns `Outcome`"),
    "asynchronous": (VALUES, "def result_of", "async def result_of", BREAKING, "now asynchronous"),
    "an overload is gone": (
        VALUES,
        "@overload\ndef find(it: int) -> int: ...\n",
        "",
        BREAKING,
        "one of its forms",
    ),
    "an endpoint is renamed": (
        ENDPOINT,
        "def sync(",
        "def call(",
        BREAKING,
        "create_calls.sync` is",
    ),
    # Classes.
    "a field is gone": (VALUES, f"    {ANNOTATED}\n", "", BREAKING, "Outcome.error` is gone."),
    "an optional field is new": (
        VALUES,
        ANNOTATED,
        f"{ANNOTATED}\n    more: int = 0",
        ADDITIVE,
        "Outcome.more` is new.",
    ),
    "a required field is new": (
        VALUES,
        "    status: Status\n",
        "    status: Status\n    must: int\n",
        BREAKING,
        "`must` is new, and required.",
    ),
    "a field becomes required": (
        VALUES,
        "None = None\n    notes",
        "None\n    notes",
        BREAKING,
        "required",
    ),
    "fields change places": (
        VALUES,
        "    index: int\n    status: Status\n",
        "    status: Status\n    index: int\n",
        BREAKING,
        "the arguments `index`, `status` have another place",
    ),
    "another default of a field": (
        VALUES,
        "= None\n    n",
        "= ''\n    n",
        BREAKING,
        "`''` by default",
    ),
    "another factory": (VALUES, "factory=list", "factory=tuple", BREAKING, "`tuple()` by default"),
    "a field is no argument any more": (
        VALUES,
        "factory=list, kw_only=True",
        "factory=list, init=False",
        BREAKING,
        "the argument `notes` is gone.",
    ),
    "a field of another type": (
        VALUES,
        "index: int",
        "index: str",
        BREAKING,
        "`str`, it was `int`.",
    ),
    "a member is gone": (VALUES, '    LOST = "lost"\n', "", BREAKING, "Status.LOST` is gone."),
    "a member has another value": (VALUES, '"lost"', '"gone"', BREAKING, "it was `'lost'`."),
    "a base is gone": (
        VALUES,
        "(BaseError, ValueError)",
        "(BaseError)",
        BREAKING,
        "longer a `ValueError`",
    ),
    "another base": (VALUES, "(BaseError, ", "(Exception, ", BREAKING, "longer a `BaseError`"),
    "a method is gone": (
        CLIENT,
        "def close",
        "def _close",
        BREAKING,
        "HubSpotBatch.close` is gone.",
    ),
    "a method is a property": (
        CLIENT,
        "    def close",
        "    @property\n    def close",
        BREAKING,
        "HubSpotBatch.close` is now of the kind attribute, it was function.",
    ),
    "what hangs on the client": (
        FAMILIES,
        "size: int",
        "pieces: int",
        BREAKING,
        "calls.create`: the",
    ),
    "what hangs on the client moves": (
        CLIENT,
        "self.calls = Calls(Workers())",
        "self.calls: Calls = _made()",
        NOTHING,
        "",
    ),
    # Models.
    "a model is renamed": (MODELS, '("Call",)', '("Call2",)', BREAKING, "models.Call` is gone."),
    "a model's field is gone": (
        CALL,
        "    title: str | None = None\n",
        "",
        BREAKING,
        "Call.title` is",
    ),
    "a model's method is gone": (
        TYPES,
        "def to_dict",
        "def _to_dict",
        BREAKING,
        "Model.to_dict` is",
    ),
    "a model's field can be more": (CALL, "id: str", "id: str | None", ADDITIVE, "`str | None`"),
    "a fixture is gone": (TESTING, "def sandbox", "def box", BREAKING, "testing.sandbox` is gone."),
    # Private names.
    "what a fixture asks for": (TESTING, "tmp_path", "tmp_path_factory", NOTHING, ""),
    "a private function": (CLIENT, "def _log(text: str)", "def _log()", NOTHING, ""),
    "a private method": (CALL, "def _private(self)", "def _other(self, x)", NOTHING, ""),
    "a repr": (CLIENT, "__repr__", "_repr", NOTHING, ""),
    "a constructor that is ours to call": (FAMILIES, "(self, workers: ", "(self, w: ", NOTHING, ""),
    "what models are made with": (TYPES, "def as_model(value)", "def as_model(v, w)", NOTHING, ""),
    "a private field": (VALUES, "_seen: bool", "_noticed: bool", NOTHING, ""),
    "a union in another order": (VALUES, "Outcome | None", "None | Outcome", NOTHING, ""),
}


@pytest.mark.parametrize(("name", "old", "new", "least", "sentence"), CHANGES.values(), ids=CHANGES)
def test_a_change_forces_a_version(
    name: str, old: str, new: str, least: str, sentence: str, place: Place, run: Run
) -> None:
    """Each kind of change is found, marked if it breaks something, and forces its version."""
    place.edit(name, old, new)
    said = run()
    assert said.status == 0, said.text
    lines = [line for line in place.read().splitlines() if line.startswith("- ")]
    assert bool(lines) == (least != NOTHING)
    assert any(line.startswith(f"- {MARK}") for line in lines) == (least == BREAKING)
    assert not sentence or [line for line in lines if sentence in line], lines
    checked = run("--check")
    if least == NOTHING:
        assert (checked.status, "is honest" in checked.out) == (0, True), checked.text
        return
    assert (checked.status, checked.out) == (1, "")
    assert "The version 0.1.0 is too small: since v0.1.0, " in checked.err
    assert f"Raise it in {VERSION} to {least} at least." in checked.err
    place.version(least)
    assert run("--check").status == 0


def test_one_line_for_many_classes(place: Place, run: Run) -> None:
    """A change that many classes share is told once; that of a base is told of the base."""
    names = [f"M{n}" for n in range(6)]
    model = "@define\nclass {}(Model):\n    id: str = ''\n"
    place.write({CALL: FILES[CALL] + "".join(map(model.format, names))})
    place.edit(MODELS, "import Call", f"import Call, {', '.join(names)}")
    place.edit(MODELS, '("Call",)', f"('Call', {', '.join(map(repr, names))})")
    place.commit()
    place.tag("0.1.1")
    place.edit(CALL, "id: str = ''", "id: str = 'x'")
    place.edit(TYPES, "def to_dict", "def _to_dict")
    run()
    lines = [line for line in place.read().splitlines() if line.startswith("- ")]
    assert len(lines) == 2
    assert "The same is true of 5 other classes." in lines[0]
    assert "`hubspot_batch_client.types.Model.to_dict` is gone." in lines[1]


# ---------------------------------------------------------------- the history


class TestHistory:
    def test_the_release_itself(self, place: Place, run: Run) -> None:
        """Of the tagged commit nothing is asked."""
        said = run("--check")
        assert (said.status, said.err) == (0, "")
        assert said.out == "The version 0.1.0 is honest: since v0.1.0, nothing public changed.\n"

    def test_a_version_that_has_its_tag(self, place: Place, run: Run) -> None:
        """With `--tagged`, the release before it counts, so a tag does not hide a small version."""
        place.edit("openapi/openapi.yaml", "maxItems: 50", "maxItems: 40")
        place.version("0.1.1")
        place.commit()
        place.tag("0.1.1")
        assert "nothing public changed" in run("--check").out
        said = run("--check", "--tagged")
        assert (said.status, said.out) == (1, "")
        assert "The version 0.1.1 is too small: since v0.1.0, something breaks" in said.err
        place.version("0.2.0")
        place.commit()
        place.tag("0.2.0")
        place.git("tag", "--delete", "v0.1.1")
        assert run("--check", "--tagged").status == 0

    def test_nothing_is_imported_in_vain(self, place: Place) -> None:
        """Where nothing changed, what compares is not even imported."""
        script = (
            "import sys, release_notes; release_notes.main(sys.argv[1:]); "
            "print(*({'griffe', 'comparison.compare_descriptions'} & {*sys.modules}))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, "--check", "--project", place.home],
            cwd=TOOLS,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.endswith("changed.\n\n")

    def test_no_tag(self, place: Place, run: Run) -> None:
        """Before the first release everything is new, and any version honest."""
        place.git("tag", "--delete", "v0.1.0")
        place.tag("1.0.0rc1")
        place.git("tag", "other")
        said = run("--check")
        assert (said.status, "so 0.1.0 is honest" in said.out) == (0, True)
        assert run().status == 0
        assert "Everything is new" in place.read()

    def test_no_commit(self, place: Place, run: Run) -> None:
        """A repository without a commit has no release."""
        shutil.rmtree(place.home / ".git")
        place.git("init", "--quiet")
        assert "Nothing was released before" in run("--check").out

    def test_no_git(self, place: Place, run: Run) -> None:
        """Unpacked sources pass the check, which says what it cannot know; nothing is written."""
        shutil.rmtree(place.home / ".git")
        said = run("--check")
        assert (said.status, said.out) == (0, "")
        assert "this is not a git repository" in said.err
        assert run().status == 2
        assert place.read() == FILES["CHANGELOG.md"]

    def test_no_git_program(
        self, place: Place, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Without git the check says so, and passes."""
        monkeypatch.setenv("PATH", str(tmp_path))
        said = run("--check")
        assert (said.status, "git is not installed" in said.err) == (0, True)

    def test_a_repository_around(self, place: Place, run: Run) -> None:
        """A repository that the project lies in somewhere is not asked."""
        (place.home / ".git").rename(place.home.parent / ".git")
        assert "not a git repository" in run("--check").err

    def test_shallow(
        self, place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A shallow clone that does not reach a release passes and says so; another compares."""
        place.edit(BUNDLE, "maxItems: 50", "maxItems: 25")
        place.commit()
        place.git("clone", "--quiet", "--depth", "1", place.home.as_uri(), str(tmp_path / "one"))
        assert release_notes.main(["--check", "--project", str(tmp_path / "one")]) == 0
        assert "git fetch --unshallow --tags" in capsys.readouterr().err
        place.git("clone", "--quiet", "--depth", "2", place.home.as_uri(), str(tmp_path / "two"))
        assert release_notes.main(["--check", "--project", str(tmp_path / "two")]) == 1

    def test_a_tag_elsewhere(self, place: Place, run: Run) -> None:
        """Only releases that the commit descends from count, and of those the highest."""
        place.git("checkout", "--quiet", "-b", "other")
        place.commit("Elsewhere")  # else two commits of one second would be the same
        place.tag("3.0.0")
        place.git("checkout", "--quiet", "main")
        place.commit()
        assert "since v0.1.0" in run("--check").out
        place.version("0.10.0")
        place.commit()
        place.tag("0.9.0")
        place.tag("0.10.0")
        assert "since v0.10.0" in run("--check").out

    def test_the_work_tree_counts(self, place: Place, run: Run) -> None:
        """Changes that are not committed are compared, and files that git does not know."""
        place.write({"generated/hubspot_batch_client/models/more.py": "class More: ..."})
        place.edit(MODELS, "import Call", "import Call\n    from .more import More")
        place.edit(MODELS, '("Call",)', '("Call", "More")')
        assert "models.More` is new" in run("--check").err
        before = place.git("status", "--porcelain")
        run("--check")
        assert place.git("status", "--porcelain") == before
        assert place.git("worktree", "list").count("\n") == 1

    def test_another_repository_is_set(
        self, place: Place, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """A hook's own repository is not taken for this one."""
        monkeypatch.setenv("GIT_DIR", str(tmp_path))
        assert "since v0.1.0" in run("--check").out

    def test_settings_do_not_matter(
        self, place: Place, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """How the user wants git to look does not matter."""
        settings = tmp_path / "settings"
        settings.write_text("[column]\nui = always\n[color]\nui = always\n[core]\npager = false\n")
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
        place.edit(BUNDLE, "maxItems: 50", "maxItems: 25")
        assert run("--check").status == 1


class TestUnreadable:
    @pytest.mark.parametrize(
        ("name", "text", "sentence"),
        [
            (BUNDLE, "a: [", "the description of v0.1.1 cannot be read (line"),
            (BUNDLE, "a: 1", "the description of v0.1.1 cannot be read (its `paths`"),
            (CALL, "class (", "of v0.1.1, generated/hubspot_batch_client/models/call.py cannot"),
            (INIT, None, "of v0.1.1, the package hubspot_batch is not there"),
            (BUNDLE, None, "`git archive` failed"),
        ],
    )
    def test_the_old_side(
        self, name: str, text: str | None, sentence: str, place: Place, run: Run
    ) -> None:
        """A release that cannot be read is a sentence, and nothing is written."""
        kept = place.read(name)
        if text is None:
            (place.home / name).unlink()
        else:
            place.write({name: text})
        place.commit()
        place.tag("0.1.1")
        place.write({name: kept})
        for arguments in (["--check"], []):
            said = run(*arguments)
            assert (said.status, said.out) == (2, "")
            assert sentence in said.err
        assert place.read() == FILES["CHANGELOG.md"]

    @pytest.mark.parametrize(
        ("name", "text", "sentence"),
        [
            (BUNDLE, "paths: {a: 1}", "the description cannot be read (its `paths`"),
            (BUNDLE, BROKEN, "cannot be compared"),
            (CALL, "class (", "generated/hubspot_batch_client/models/call.py cannot be read"),
            (VERSION, "version = 1", "version.py does not say the version"),
            (VERSION, "__version__ = 'one'", "version.py does not say the version"),
        ],
    )
    def test_this_side(self, name: str, text: str, sentence: str, place: Place, run: Run) -> None:
        """A work tree that cannot be read is refused as well."""
        place.write({name: text})
        said = run("--check")
        assert (said.status, said.out) == (2, "")
        assert sentence in said.err


# ---------------------------------------------------------------- the version

NUMBERS = st.integers(0, 20)
VERSIONS = st.builds("{}.{}.{}".format, NUMBERS, NUMBERS, NUMBERS).map(Version)
NOTES = st.lists(st.builds(Note, st.sampled_from(Severity), st.just("x")))


class TestVersion:
    @given(VERSIONS, NOTES, NOTES)
    def test_more_changes_ask_for_more(
        self, last: Version, some: list[Note], more: list[Note]
    ) -> None:
        """The smallest version grows with what changed, and is never below the last one."""
        least = smallest(last, some)
        assert last <= least <= smallest(last, [*some, *more])
        assert (least == last) == (not some)
        assert is_honest(least, least, last)
        assert not some or not is_honest(last, least, last)

    @pytest.mark.parametrize(
        ("last", "breaking", "additive", "wording"),
        [
            ("0.1.2", "0.2.0", "0.1.3", "0.1.3"),
            ("0.0.3", "0.1.0", "0.0.4", "0.0.4"),
            ("1.2.3", "2.0.0", "1.3.0", "1.2.4"),
        ],
    )
    def test_rule(self, last: str, breaking: str, additive: str, wording: str) -> None:
        """Semantic versioning, one place further right before 1.0.0."""
        asked = [smallest(Version(last), [Note(one, "")]) for one in Severity]
        assert asked == [Version(each) for each in (breaking, additive, wording)]

    @pytest.mark.parametrize(
        ("present", "status"),
        [
            ("0.1.0", 1),
            ("0.1.9", 1),
            ("0.2.0.dev1", 0),
            ("0.2.0rc1", 0),
            ("0.2.0", 0),
            ("0.10.0", 0),
            ("1.0.0", 0),
            ("0.1.0.post1", 1),
        ],
    )
    def test_present_version(self, present: str, status: int, place: Place, run: Run) -> None:
        """A version on the way to one that will do will do."""
        place.edit(BUNDLE, "maxItems: 50", "maxItems: 25")
        place.version(present)
        assert run("--check").status == status

    @pytest.mark.parametrize(("present", "status"), [("0.1.0.dev1", 1), ("0.0.9", 1), ("0.1.0", 0)])
    def test_not_below_the_release(self, present: str, status: int, place: Place, run: Run) -> None:
        """A version below the last release is too small, though nothing changed."""
        place.version(present)
        assert run("--check").status == status


# ---------------------------------------------------------------- what is written

WRITTEN = f"""\
# Changelog

## Unreleased

{changelog.BEGIN}

### API

- {MARK}`create_calls`: a request takes 25 inputs at most, and took 50 before.

{changelog.END}

## 0.1.0 - 2026-01-01

The first version.
"""


class TestWriting:
    def test_twice(self, place: Place, run: Run) -> None:
        """A second run writes nothing, and what is not so any more goes."""
        place.edit(BUNDLE, "maxItems: 50", "maxItems: 25")
        said = run()
        assert "CHANGELOG.md is written: 1 breaking, 0 additive, 0 wording." in said.out
        assert "to 0.2.0 at least" in said.out
        first = place.read()
        assert "25" in first
        assert first.startswith(WRITTEN[: WRITTEN.index("- ")])
        assert first.endswith(WRITTEN[WRITTEN.index(changelog.END) :])
        assert "CHANGELOG.md was up to date" in run().out
        assert place.read() == first
        place.edit(BUNDLE, "maxItems: 25", "maxItems: 50")
        run()
        assert "Nothing that is public has changed since 0.1.0." in place.read()

    @pytest.mark.parametrize(
        "damaged",
        [
            [changelog.BEGIN],
            [changelog.END],
            [changelog.END, changelog.BEGIN],
            [changelog.BEGIN, changelog.BEGIN, changelog.END],
            [changelog.BEGIN, "## 0.2.1", changelog.END],
        ],
    )
    def test_damaged_markers(self, damaged: list[str], place: Place, run: Run) -> None:
        """Markers that are not one pair are named by their lines, and nothing is written."""
        text = "\n".join(["# Changelog", "", "## Unreleased", *damaged, "## 0.1.0", ""])
        place.write({"CHANGELOG.md": text})
        said = run()
        assert (said.status, said.out) == (2, "")
        assert "CHANGELOG.md: a heading is followed by one" in said.err
        assert "line 4" in said.err
        assert place.read() == text

    def test_no_changelog(self, place: Place, run: Run) -> None:
        """A changelog that is not there, or is not text, is a sentence."""
        (place.home / "CHANGELOG.md").write_bytes(b"\xff")
        assert "CHANGELOG.md: it is not UTF-8; nothing was written." in run().err
        (place.home / "CHANGELOG.md").unlink()
        assert (run().status, run("--check").status) == (2, 0)

    def test_line_ends(self, place: Place, run: Run) -> None:
        """A file with the line ends of Windows keeps them."""
        path = place.home / "CHANGELOG.md"
        path.write_bytes(FILES["CHANGELOG.md"].replace("\n", "\r\n").encode())
        run()
        assert path.read_bytes().count(b"\n") == path.read_bytes().count(b"\r\n") > 5
