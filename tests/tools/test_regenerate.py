"""The way from fragments to the generated package: all of it, or nothing."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import regenerate
from generation import atomic_swap, generator, pipeline

HERE = Path(__file__).parents[2]
SCRIPT = HERE / "openapi" / "tools" / "regenerate.py"

# Stands in for the generator where the pipeline around it is tested; PLAN is a piece of Python.
# The shell starts it, since a path with a space cannot stand in a first line like #!python.
FAKE = """\
#!/bin/sh
'''exec' "{python}" -IS "$0" "$@"
' '''
import os, signal, sys, time
from pathlib import Path
out = Path(sys.argv[sys.argv.index("--output-path") + 1])
def write(name, text):
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
write("__init__.py", "import os\\nfrom .models import Thing\\n__all__ = ('Thing',)\\n")
write("models/__init__.py", "class Thing: pass\\n")
write("api/__init__.py", "")
{plan}
"""


CALLS = "openapi/fragments/calls.yaml"
SMALL = """\
paths:
  /calls:
    post:
      operationId: create_calls
      tags: [calls]
      x-source: create_calls
      requestBody:
        content:
          application/json:
            schema:
              $ref: '#/components/schemas/CallInputs'
      responses:
        2XX:
          description: It went well.
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Calls'
components:
  schemas:
    Calls:
      x-source: create_calls
      properties:
        results:
          type: array
          items:
            $ref: '#/components/schemas/CallInput'
    CallInputs:
      x-source: create_calls
      properties:
        inputs:
          type: array
          items:
            $ref: '#/components/schemas/CallInput'
    CallInput:
      x-source: create_calls
      properties:
        objectWriteTraceId:
          type: string
"""


def real_generator() -> Path:
    """The generator that the tests run: `make setup` installs it."""
    named = os.environ.get("HUBSPOT_BATCH_GENERATOR")
    path = Path(named) if named else HERE / ".venv" / "generator" / "bin" / generator.NAME
    if not path.is_file():
        pytest.fail(f"there is no generator at {path}; run `make setup`", pytrace=False)
    return path


class Project:
    """A copy of the project's description, with room for what is made of it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.tool = real_generator()
        self.package = home / "generated" / atomic_swap.PACKAGE
        if home.exists():
            return
        home.mkdir(parents=True)
        for name in ("pyproject.toml", generator.CONFIGURATION):
            shutil.copy(HERE / name, home)
        for name in ("fragments", "pages", "runtime", "templates"):
            shutil.copytree(HERE / "openapi" / name, home / "openapi" / name)
        shutil.copy(HERE / "openapi" / "root.yaml", home / "openapi")

    def run(self, *arguments: str) -> int:
        return regenerate.main(
            ["--project", str(self.home), "--generator", str(self.tool), *arguments]
        )

    def plan(self, plan: str) -> None:
        """Let a stand-in generate, which does `plan` in the end."""
        environment = self.home / "environment"
        tools = real_generator().resolve().parent
        (environment / "bin").mkdir(parents=True, exist_ok=True)
        self.tool = environment / "bin" / generator.NAME
        self.tool.write_text(FAKE.format(python=sys.executable, plan=plan))
        self.tool.chmod(0o755)
        ruff = environment / "bin" / "ruff"
        if not ruff.exists():
            ruff.symlink_to(tools / "ruff")
        pinned = generator.find_generator(HERE, real_generator()).version
        self.version(pinned)

    def version(self, version: str) -> None:
        folder = self.home / "environment" / "lib" / "python3.11" / "site-packages"
        shutil.rmtree(folder, ignore_errors=True)
        metadata = folder / f"openapi_python_client-{version}.dist-info" / "METADATA"
        metadata.parent.mkdir(parents=True)
        metadata.write_text(f"Metadata-Version: 2.4\nName: {generator.NAME}\nVersion: {version}\n")

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.home / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def state(self) -> dict[str, bytes | None]:
        """Every file and folder that a run may change."""
        found: dict[str, bytes | None] = {}
        paths = [self.home / "generated", *(self.home / "generated").rglob("*")]
        for path in [*paths, *(self.home / "openapi").glob("*")]:
            if path.exists():
                name = path.relative_to(self.home).as_posix()
                found[name] = path.read_bytes() if path.is_file() else None
        return found


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that the real generator has been run in; no test changes it."""
    project = Project(tmp_path_factory.mktemp("made") / "project")
    assert project.run() == 0
    return project


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of one operation that a stand-in for the generator has been run in."""
    project = Project(tmp_path_factory.mktemp("small") / "project")
    shutil.rmtree(project.home / "openapi" / "runtime")
    for path in (project.home / "openapi" / "fragments").iterdir():
        path.unlink()
    (project.home / CALLS).write_text(SMALL)
    project.plan("")
    assert project.run() == 0
    return project


@pytest.fixture
def project(small: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of the small project, in the current folder."""
    shutil.copytree(small.home, tmp_path / "project", symlinks=True)
    project = Project(tmp_path / "project")
    monkeypatch.chdir(project.home)
    project.plan("")
    return project


def modules(package: Path) -> Iterator[Path]:
    yield from sorted(package.rglob("*.py"))


def test_every_module_says_who_writes_it(made: Project) -> None:
    """The first line names the source and the command, and the generator where it took part."""
    found = [*modules(made.package)]
    assert len(found) > 20
    copied = {path.name for path in (HERE / "openapi" / "runtime").glob("*.py")}
    assert copied >= {"__init__.py", "client.py", "types.py"}
    for path in found:
        first = path.read_text().splitlines()[0]
        if path.parent == made.package and path.name in copied:
            source = f"openapi/runtime/{path.name}"
            says = f'# Copied from {source}; "make regenerate" writes it, do not edit.'
            assert first == says
            continue
        assert re.fullmatch(
            rf"# Generated by {generator.NAME} [\d.]+ from openapi/openapi\.yaml; "
            r'"make regenerate" writes it, do not edit\.',
            first,
        )


def test_the_package_is_typed_and_has_its_table(made: Project) -> None:
    """py.typed and contract.py are part of it; compiled files and caches are not."""
    names = {path.name for path in made.package.iterdir()}
    assert {"__init__.py", "api", "client.py", "contract.py", "families.py", "models"} <= names
    assert "py.typed" in names
    assert (made.package / "py.typed").read_bytes() == b""
    kinds = {path.suffix for path in made.package.rglob("*") if path.is_file()}
    assert kinds == {".py", ".typed"}
    assert not [*made.package.rglob("__pycache__")]
    assert sorted(path.name for path in (made.home / "generated").iterdir()) == [
        atomic_swap.PACKAGE
    ]


def test_the_output_names_no_place_and_no_time(made: Project) -> None:
    """Nothing of the machine gets in, so that the next machine writes the same bytes."""
    for name, content in made.state().items():
        assert str(made.home).encode() not in (content or b""), name


def test_the_output_is_formatted(made: Project) -> None:
    """The formatter would leave every module as it is, header included."""
    ruff = real_generator().resolve().parent / "ruff"
    command = [ruff, "format", "--check", "--isolated", "--no-cache"]
    subprocess.run(
        [*command, "--config", "line-length=100", "--target-version", "py311", made.package],
        check=True,
        capture_output=True,
    )


def test_a_second_run_elsewhere_gives_the_same_bytes(
    made: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` makes everything again in another folder, agrees, and leaves nothing."""
    before = made.state()
    assert made.run("--check") == 0
    out, err = capsys.readouterr()
    assert out == "The generated client is what the fragments and templates give.\n"
    assert err == ""
    assert made.state() == before


def test_a_new_field_arrives_and_a_warning_stops(
    tmp_path: Path, made: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """A field added to a fragment is in model and table; what the generator drops is an error."""
    project = Project(tmp_path / "project")
    shutil.copytree(made.home / "generated", project.home / "generated")
    field = "        objectWriteTraceId:\n          type: string\n"
    project.edit(CALLS, field, "        brandNew:\n          type: string\n" + field)
    assert project.run() == 0
    assert "brand_new" in (project.package / "models" / "call_input.py").read_text()
    assert '"brandNew": {"type": "string"}' in (project.package / "contract.py").read_text()
    assert "brandNew" in (project.home / "openapi" / "openapi.yaml").read_text()
    before = project.state()
    capsys.readouterr()
    odd = "        {}: {{type: string, enum: [{}]}}\n"  # two classes of one name
    project.edit(CALLS, field, odd.format("fooBar", "A") + odd.format("foo_bar", "B") + field)
    assert project.run() == 2
    told = capsys.readouterr().err
    lines = (project.home / CALLS).read_text().splitlines()
    line = lines.index("    CallInput:") + 1
    assert told.startswith(
        f"{project.home / CALLS}:{line}: the generator cannot make `CallInput` ("
    )
    assert "conflicting enums named CallInputFooBar with incompatible values); change it." in told
    assert project.state() == before


def test_a_run_without_changes_touches_nothing(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files that are up to date keep even their times."""
    before = project.package.stat()  # its access time may change
    capsys.readouterr()
    assert project.run() == 0
    assert capsys.readouterr().out == (
        "generated/hubspot_batch_client (6 files) and openapi/openapi.yaml were up to date.\n"
    )
    after = project.package.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_the_new_package_takes_the_place_of_the_old(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """Changed, new and dropped modules all follow; compiled files of the old do not stay."""
    stale = project.package / "__pycache__" / "gone.cpython-311.pyc"
    stale.parent.mkdir()
    stale.write_bytes(b"stale")
    project.plan("write('models/__init__.py', 'class Thing: size = 1')\nwrite('more.py', '')")
    capsys.readouterr()
    assert project.run() == 0
    assert "(7 files) and openapi/openapi.yaml are written." in capsys.readouterr().out
    names = {path.relative_to(project.package).as_posix() for path in modules(project.package)}
    assert names == {
        "__init__.py",
        "api/__init__.py",
        "contract.py",
        "families.py",
        "models/__init__.py",
        "more.py",
    }
    assert not stale.exists()
    assert (project.package / "more.py").read_text().count("\n") == 1
    project.plan("")
    assert project.run() == 0
    assert not (project.package / "more.py").exists()


def test_formatting_does_not_depend_on_the_project(project: Project) -> None:
    """Neither the project's own settings for ruff nor a .gitignore change the output."""
    before = project.state()
    shutil.rmtree(project.package)
    settings = '\n[tool.ruff]\nline-length = 40\nexclude = ["*"]\nextend-exclude = ["*"]\n'
    (project.home / "generated" / "ruff.toml").write_text("line-length = 30\nexclude = ['*']\n")
    pyproject = project.home / "pyproject.toml"
    text = pyproject.read_text().partition("[tool.")[0]
    pyproject.write_text(text + settings)
    (project.home / ".gitignore").write_text("generated\n*.py\n.regenerate\n")
    (project.home / ".git").mkdir()
    assert project.run() == 0
    (project.home / "generated" / "ruff.toml").unlink()
    assert project.state() == before


MADE_BADLY: dict[str, tuple[str, str, str]] = {
    "warning": (
        "print('WARNING parsing POST /things', file=sys.stderr); sys.exit(1)",
        "generate",
        "status 1 and printed:\nWARNING parsing POST /things\n",
    ),
    "silence": ("sys.exit(3)", "generate", "status 3 and printed:\n(nothing)\n"),
    "traceback": (
        "print('Generating')\n"
        "print('Traceback (most recent call last):\\n  File \"x.py\", line 1, in <module>\\n'\n"
        "      '    run()\\n  File \"openapi/templates/model.py.jinja\", line 4, in template\\n'\n"
        "      'jinja2.exceptions.UndefinedError: no such thing')\n"
        "sys.exit(1)",
        "generate",
        'printed:\nGenerating\nFile "openapi/templates/model.py.jinja", line 4, in template\n'
        "jinja2.exceptions.UndefinedError: no such thing\n",
    ),
    "nothing": (
        "import shutil; shutil.rmtree(out)",
        "generate",
        "ended well and wrote no package.\n",
    ),
    "no Python": ("write('models/broken.py', 'class :\\n')", "format", "broken.py:1:"),
    "missing module": (
        "write('models/broken.py', 'from ..gone import x\\n__all__ = (\"x\",)\\n')",
        "import",
        "hubspot_batch_client/models/broken.py: ModuleNotFoundError: No module named",
    ),
    "failing module": (
        "write('api/broken.py', 'x: int = 1 / 0\\n')",
        "import",
        "hubspot_batch_client/api/broken.py: ZeroDivisionError: division by zero\n",
    ),
    "warning of a module": (
        "write('api/broken.py', 'import warnings\\nwarnings.warn(\"old\", DeprecationWarning)\\n')",
        "import",
        "hubspot_batch_client/api/broken.py: DeprecationWarning: old\n",
    ),
    "warning of the compiler": (
        "write('api/broken.py', 'x = 1\\nassert (x, \"always true\")\\n')",
        "import",
        "hubspot_batch_client/api/broken.py: SyntaxError: assertion is always true",
    ),
}


@pytest.mark.parametrize("name", MADE_BADLY)
def test_a_bad_output_changes_nothing(
    project: Project, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """The old package stays, and the step is named, for any fault of the new one."""
    plan, step, expected = MADE_BADLY[name]
    before = project.state()
    project.plan(plan)
    for arguments in ([], ["--check"]):
        capsys.readouterr()
        assert project.run(*arguments) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(f"The step {step} failed: ")
        assert expected in err
        assert err.endswith("\ngenerated/ and openapi/openapi.yaml are as they were.\n")
        assert "Traceback" not in err
        assert project.state() == before


@pytest.mark.parametrize("plan", ["sys.exit(1)", "time.sleep(3600)"], ids=["failed", "at work"])
def test_what_is_wrong_with_the_bundle_comes_first(
    project: Project, capsys: pytest.CaptureFixture[str], plan: str
) -> None:
    """The generator runs beside the validator; it is not waited for, nor is it heard."""
    before = project.state()
    project.edit(CALLS, "          type: array\n", "          type: heap\n")
    project.plan(plan)
    for arguments in ([], ["--check"]):
        capsys.readouterr()
        assert project.run(*arguments) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("openapi/fragments/calls.yaml:")
        assert "not valid OpenAPI at " in err
        assert "step" not in err
        assert project.state() == before


MISFITS: dict[str, tuple[str, str]] = {
    "fits": ("print('noise')\nfrom hubspot_batch_client.models import New\n", ""),
    "asks for what is gone": (
        "from hubspot_batch_client.models import Gone\n",
        "ImportError: cannot import name 'Gone' from 'hubspot_batch_client.models' (",
    ),
    "ends the process": ("import sys\nsys.exit('one\\nand tw\u00f6')\n", "and tw\u00f6\n"),
    "is no Python": ("class:\n", "SyntaxError: invalid syntax\n"),
}


@pytest.mark.parametrize("name", MISFITS)
def test_overrides_that_do_not_fit_are_told(
    project: Project, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Handwritten code is tried with the new package, which stands in either case."""
    text, expected = MISFITS[name]
    make_client = project.home / "overrides" / "hubspot_batch" / "__init__.py"
    make_client.parent.mkdir(parents=True)
    make_client.write_text(text, encoding="utf-8")
    project.plan("write('models/__init__.py', 'class Thing: pass\\nclass New: pass\\n')")
    for done in ("are written.", "were up to date."):
        capsys.readouterr()
        assert project.run() == (1 if expected else 0)
        out, err = capsys.readouterr()
        assert out.endswith(f" and openapi/openapi.yaml {done}\n")
        assert expected in err
        assert ".regenerate" not in err
        advice = ": see overrides/hubspot_batch/_operations/registry.py.\n"
        assert err.count("\n") == (2 if expected else 0)
        assert err.endswith(advice if expected else "")
    assert project.run("--check") == 0
    assert capsys.readouterr().err == ""
    assert not [*project.package.rglob("__pycache__")]


SPOILT: dict[str, tuple[Callable[[Project], object], int, str]] = {
    "fragment": (
        lambda project: project.edit(CALLS, "x-source: create", "x-s: c"),
        2,
        "openapi/fragments/calls.yaml:",
    ),
    "input that the table cannot hold": (
        lambda project: project.edit(
            CALLS,
            "        objectWriteTraceId:\n          type: string\n",
            "        objectWriteTraceId:\n          type: string\n          if: {}\n",
        ),
        2,
        ": `if` has no place in the contract; say it with other keywords.\n",
    ),
    "generator that is missing": (
        lambda project: project.tool.unlink(),
        1,
        f"The step generator failed: environment/bin/{generator.NAME} does not exist; "
        "run `make setup`.\n",
    ),
    "formatter that is missing": (
        lambda project: (project.tool.parent / "ruff").unlink(),
        1,
        "The step generator failed: environment/bin/ruff does not exist; run `make setup`.\n",
    ),
    "generator of another version": (
        lambda project: project.version("0.1.0"),
        1,
        " has version 0.1.0, pyproject.toml pins ",
    ),
    "generator of no version": (
        lambda project: shutil.rmtree(project.home / "environment" / "lib"),
        1,
        " has version unknown, pyproject.toml pins ",
    ),
    "generator that cannot be run": (
        lambda project: project.tool.chmod(0o644),
        1,
        "The step generate failed: cannot run ",
    ),
    "pin that is missing": (
        lambda project: project.edit("pyproject.toml", f"{generator.NAME}==", "other=="),
        1,
        "The step generator failed: pyproject.toml does not pin the generator; write ",
    ),
    "group that is missing": (
        lambda project: (project.home / "pyproject.toml").write_text(""),
        1,
        "The step generator failed: pyproject.toml does not pin the generator; write ",
    ),
    "project file that is broken": (
        lambda project: (project.home / "pyproject.toml").write_text("[[["),
        1,
        "The step generator failed: pyproject.toml cannot be read (",
    ),
    "hooks": (
        lambda project: project.edit(generator.CONFIGURATION, "post_hooks: []", ""),
        1,
        "The step generate failed: generator-config.yaml:3: `post_hooks` is not []; write that",
    ),
    "configuration that is missing": (
        lambda project: (project.home / generator.CONFIGURATION).unlink(),
        1,
        "The step generate failed: generator-config.yaml:1: cannot read this file",
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_bad_start_changes_nothing(
    project: Project, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """A slip in the sources or the set-up is told in a sentence, and the old package stays."""
    spoil, status, expected = SPOILT[name]
    before = project.state()
    spoil(project)
    capsys.readouterr()
    assert project.run() == status
    out, err = capsys.readouterr()
    assert out == ""
    assert expected in err
    assert "Traceback" not in err
    assert project.state() == before


def test_the_first_run_that_fails_leaves_no_folder(project: Project) -> None:
    """Where there was nothing, there is nothing after a failure."""
    shutil.rmtree(project.home / "generated")
    (project.home / "openapi" / "openapi.yaml").unlink()
    before = project.state()
    project.plan("sys.exit(1)")
    assert project.run() == 1
    assert project.state() == before


def test_the_generator_of_the_project_is_the_default(tmp_path: Path) -> None:
    """Without --generator the one that `make setup` installs is taken."""
    shutil.copy(HERE / "pyproject.toml", tmp_path)
    with pytest.raises(generator.StepError, match=r"\.venv/generator/.*run `make setup`"):
        generator.find_generator(tmp_path)


def test_a_link_to_the_generator_is_followed(project: Project) -> None:
    """An executable that is linked from elsewhere is used with the formatter of its own place."""
    link = project.home / "linked"
    link.symlink_to(project.tool)
    tool = generator.find_generator(project.home, link)
    assert tool.ruff == project.tool.parent.resolve() / "ruff"


@pytest.mark.parametrize("first", [False, True], ids=["exchange", "first time"])
@pytest.mark.parametrize("failing", ["rename", "replace"])
@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), KeyboardInterrupt()])
def test_an_exchange_that_fails_is_taken_back(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    first: bool,
    failing: str,
    error: BaseException,
) -> None:
    """When a move fails or is interrupted, what was moved before it goes back."""
    if first:
        shutil.rmtree(project.home / "generated")
    before = project.state()
    project.plan("write('more.py', '')")
    move = getattr(Path, failing)

    def fail(path: Path, target: Path) -> None:
        wanted = atomic_swap.PACKAGE if failing == "rename" else atomic_swap.BUNDLE
        if path.parent.name == ".regenerate" and path.name == wanted:
            monkeypatch.undo()
            monkeypatch.chdir(project.home)
            raise error
        move(path, target)

    monkeypatch.setattr(Path, failing, fail)
    assert project.run() == (130 if isinstance(error, KeyboardInterrupt) else 1)
    assert project.state() == before


def test_a_place_that_cannot_be_written_is_told(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder where the bundle should be makes the write fail, and nothing else."""
    bundle = project.home / "openapi" / "openapi.yaml"
    bundle.unlink()
    (bundle / "something").mkdir(parents=True)
    before = project.state()
    assert project.run() == 1
    assert capsys.readouterr().err.startswith("The step write failed: ")
    assert project.state() == before


def command(project: Project) -> list[str]:
    return [
        sys.executable,
        str(SCRIPT),
        *("--project", str(project.home), "--generator", str(project.tool)),
    ]


def test_an_interruption_leaves_the_old_state(project: Project) -> None:
    """Ctrl-C while the generator works: status 130, one sentence, no litter."""
    before = project.state()
    project.plan("os.kill(os.getppid(), signal.SIGINT); time.sleep(30)")
    done = subprocess.run(command(project), capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stdout == ""
    assert done.stderr == ("Interrupted; generated/ and openapi/openapi.yaml are as they were.\n")
    assert project.state() == before


def test_what_a_killed_run_left_is_cleaned_by_the_next(project: Project) -> None:
    """Without a chance to clean up the old state still stands, and the next run is as any other."""
    before = project.state()
    project.plan("os.kill(os.getppid(), signal.SIGKILL)")
    done = subprocess.run(command(project), capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert (project.home / "generated" / ".regenerate").is_dir()
    left = {name: content for name, content in project.state().items() if ".regen" not in name}
    assert left == before
    project.plan("")
    assert project.run() == 0
    assert project.state() == before


@pytest.mark.parametrize("moved", [1, 2], ids=["old moved away", "new moved in"])
def test_a_run_killed_between_its_moves_is_taken_back(project: Project, moved: int) -> None:
    """The next run brings the old package back first, even if it fails itself afterwards."""
    before = project.state()
    work = project.home / "generated" / ".regenerate"
    work.mkdir()
    (work / atomic_swap.BUNDLE).write_text("new")
    project.package.rename(work / "old")
    if moved == 2:
        project.package.mkdir()
        (project.package / "new.py").write_text("")
    project.plan("sys.exit(1)")
    assert project.run() == 1
    assert project.state() == before


def test_a_run_killed_after_its_moves_counts(project: Project) -> None:
    """When the bundle has moved too the new state stands, and only litter is left to clean."""
    before = project.state()
    work = project.home / "generated" / ".regenerate"
    (work / "old").mkdir(parents=True)
    (work / "old" / "old.py").write_text("")
    project.plan("sys.exit(1)")
    assert project.run() == 1
    assert project.state() == before


def test_litter_that_is_no_folder_is_cleaned(project: Project) -> None:
    """A file in the way of the work folder does not stop a run."""
    (project.home / "generated" / ".regenerate").write_text("")
    assert project.run() == 0
    assert not (project.home / "generated" / ".regenerate").exists()


def test_two_runs_at_once(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """The second says that the first is at work, and disturbs nothing."""
    capsys.readouterr()
    with atomic_swap.workspace(project.home / "generated") as work:
        (work / "file").write_text("")
        assert project.run() == 1
        assert (work / "file").exists()
    assert capsys.readouterr().err == (
        "Another `make regenerate` is at work; wait for it and run this again.\n"
    )


def _link(project: Project, name: str, target: Path) -> None:
    (project.package / name).symlink_to(target)


DRIFT: dict[str, tuple[Callable[[Project], object], list[str]]] = {
    "edited": (
        lambda project: (project.package / "models" / "__init__.py").write_text("x = 1\n"),
        ["generated/hubspot_batch_client/models/__init__.py is not what the fragments and"],
    ),
    "missing": (
        lambda project: (project.package / "py.typed").unlink(),
        ["generated/hubspot_batch_client/py.typed is missing; run `make regenerate`."],
    ),
    "extra": (
        lambda project: (project.package / "models" / "old.py").write_text(""),
        ["generated/hubspot_batch_client/models/old.py belongs to nothing that is generated;"],
    ),
    "line ends": (
        lambda project: (project.package / "contract.py").write_bytes(
            (project.package / "contract.py").read_bytes().replace(b"\n", b"\r\n")
        ),
        ["generated/hubspot_batch_client/contract.py is not what the fragments and templates"],
    ),
    "no package": (
        lambda project: shutil.rmtree(project.package),
        [
            "generated/hubspot_batch_client/__init__.py is missing",
            "generated/hubspot_batch_client/api/__init__.py is missing",
            "generated/hubspot_batch_client/contract.py is missing",
            "generated/hubspot_batch_client/families.py is missing",
            "generated/hubspot_batch_client/models/__init__.py is missing",
            "generated/hubspot_batch_client/py.typed is missing",
        ],
    ),
    "bundle edited": (
        lambda project: project.edit("openapi/openapi.yaml", "title:", "title: not"),
        ["openapi/openapi.yaml is not what the fragments and templates give"],
    ),
    "bundle missing": (
        lambda project: (project.home / "openapi" / "openapi.yaml").unlink(),
        ["openapi/openapi.yaml is missing; run `make regenerate`."],
    ),
    "beside the package": (
        lambda project: [
            (project.home / "generated" / "note.txt").write_text(""),
            (project.home / "generated" / "other" / "inner").mkdir(parents=True),
            (project.home / "generated" / "other" / "inner" / "a.py").write_text(""),
        ],
        [
            "generated/note.txt does not belong in generated/; delete it.",
            "generated/other/ does not belong in generated/; delete it.",
        ],
    ),
    "folder for a file": (
        lambda project: [
            (project.package / "py.typed").unlink(),
            (project.package / "py.typed").mkdir(),
            (project.package / "py.typed" / "a").write_text(""),
        ],
        [
            "generated/hubspot_batch_client/py.typed is missing",
            "generated/hubspot_batch_client/py.typed/a belongs to nothing that is generated",
        ],
    ),
    "link to a folder": (
        lambda project: _link(project, "linked", project.package / "models"),
        ["generated/hubspot_batch_client/linked belongs to nothing that is generated"],
    ),
    "link for a file": (
        lambda project: [
            (project.package / "py.typed").unlink(),
            _link(project, "py.typed", project.package / "api" / "__init__.py"),
        ],
        ["generated/hubspot_batch_client/py.typed is not what the fragments and templates give"],
    ),
    "all at once": (
        lambda project: [
            (project.package / "__init__.py").unlink(),
            (project.package / "contract.py").write_text(""),
            (project.package / "zebra.py").write_text(""),
        ],
        [
            "generated/hubspot_batch_client/__init__.py is missing",
            "generated/hubspot_batch_client/contract.py is not",
            "generated/hubspot_batch_client/zebra.py belongs to nothing",
        ],
    ),
    "compiled files": (
        lambda project: [
            (project.package / "__pycache__").mkdir(),
            (project.package / "__pycache__" / "old.cpython-311.pyc").write_bytes(b""),
            (project.package / "lone.pyc").write_bytes(b""),
            (project.home / "generated" / "other" / "__pycache__").mkdir(parents=True),
            (project.home / "generated" / "other" / "__pycache__" / "a.pyc").write_bytes(b""),
        ],
        [],
    ),
}


@pytest.mark.parametrize("name", DRIFT)
def test_check_looks_both_ways(
    project: Project, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Each edited, missing and extra file is named on a line of its own; nothing is changed."""
    spoil, expected = DRIFT[name]
    spoil(project)
    before = project.state()
    capsys.readouterr()
    assert project.run("--check") == (1 if expected else 0)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(expected)
    for line, start in zip(lines, expected, strict=True):
        assert line.startswith(start)
    assert project.state() == before


@pytest.fixture
def own(project: Project) -> Path:
    """A handwritten module of the small project, which has been copied."""
    path = project.home / "openapi" / "runtime" / "own.py"
    path.parent.mkdir()
    path.write_text(f"{pipeline.HANDWRITTEN}\nx = 'kept as  it is'\n")
    assert project.run() == 0
    return path


def test_a_handwritten_module_is_copied(project: Project, own: Path) -> None:
    """It replaces what the generator wrote, byte for byte, apart from the first line."""
    project.plan("write('own.py', 'raise ImportError\\n')")
    assert project.run() == 0
    copy = project.package / "own.py"
    first, rest = copy.read_bytes().split(b"\n", 1)
    assert b"openapi/runtime/own.py" in first
    assert rest == own.read_bytes().split(b"\n", 1)[1]


EDIT = "differs from openapi/runtime/own.py; edit only that, then run `make regenerate`."
COPIES: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "edited copy": (lambda own, copy: copy.write_text(copy.read_text() + "y = 1\n"), EDIT),
    "edited original": (lambda own, copy: own.write_text(own.read_text() + "y = 1\n"), EDIT),
    "missing copy": (lambda own, copy: copy.unlink(), "is missing; run `make regenerate`."),
    "missing original": (
        lambda own, copy: own.unlink(),
        "belongs to nothing that is generated; delete it or run `make regenerate`.",
    ),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_and_its_original_are_compared(
    project: Project, own: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Whichever of them is edited or missing, the check fails, and regenerating makes it pass."""
    spoil, expected = COPIES[name]
    assert project.run("--check") == 0
    spoil(own, project.package / "own.py")
    capsys.readouterr()
    assert project.run("--check") == 1
    assert capsys.readouterr().err == f"generated/hubspot_batch_client/own.py {expected}\n"
    assert project.run() == 0
    assert project.run("--check") == 0


def test_a_handwritten_module_says_that_it_is_copied(
    project: Project, own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without its first line nothing is copied, since the copy has a line in that place."""
    own.write_text("x = 1\n")
    before = project.state()
    capsys.readouterr()
    assert project.run() == 1
    assert capsys.readouterr().err.startswith(
        "The step copy failed: the first line of openapi/runtime/own.py is not the comment\n# Hand"
    )
    assert project.state() == before


def test_a_module_that_was_not_copied_stops_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The generator's own client, which shows tokens, does not silently replace ours."""
    project = Project(tmp_path / "project")
    (project.home / "openapi" / "runtime" / "client.py").unlink()
    assert project.run() == 1
    assert "ImportError: openapi/runtime/client.py is missing" in capsys.readouterr().err
