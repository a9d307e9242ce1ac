"""Makes the bundle and the generated package anew, or checks that they are what would be made.

Decides the steps and their order: bundle, generate, finish, format, copy, import, exchange. A
failure at any step leaves generated/ and openapi/openapi.yaml as they were. Never edits what the
generator wrote beyond a header and formatting: what is wrong there is mended in a fragment or in
a template. Handwritten modules (openapi/runtime) are copied in whole, whatever the generator wrote
under their names.

Exit status: 0 done (or nothing differs), 1 a step failed, `--check` found a difference or the face
does not fit what was written, 2 the fragments are wrong, 130 interrupted.
"""

import argparse
import gc
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import bundle
import contract
import described
import generator
import methods
import swap
import trial
from attrs import frozen
from generator import StepError
from sources import SourceError, shown

_TRIAL = Path(__file__).with_name("trial.py")
_UNFIT = "The face does not fit the new client yet: see overrides/hubspot_batch/operations.py."
# The first line of a handwritten module. In the copy another line takes its place, so both files
# have the same line numbers, and what coverage measures in the copy can be told of the original.
HANDWRITTEN = (
    f'# Handwritten; "make regenerate" copies this module into generated/{swap.PACKAGE}.\n'
)
_COPIED = '# Copied from openapi/runtime/{}; "make regenerate" writes it, do not edit.\n'


@frozen
class Project:
    """Where things stand in a project."""

    home: Path

    @property
    def openapi(self) -> Path:
        return self.home / "openapi"

    @property
    def bundle(self) -> Path:
        return self.openapi / swap.BUNDLE

    @property
    def runtime(self) -> list[Path]:
        """The handwritten modules of the generated package."""
        return sorted((self.openapi / "runtime").glob("*.py"))

    @property
    def generated(self) -> Path:
        return self.home / "generated"

    @property
    def package(self) -> Path:
        return self.generated / swap.PACKAGE

    @property
    def face(self) -> Path:
        """The package that people import, and that is written by hand."""
        return self.home / "overrides" / "hubspot_batch"


def regenerate(project: Project, tool: generator.Generator) -> tuple[str, str]:
    """Make the bundle and the package anew.

    Returns a sentence that says what was done, and why the face does not fit what was made, if
    it does not.
    """
    with swap.workplace(project.generated) as work:
        make(project, tool, work)
        unfit = _import(work, project.face)
        package, text = work / swap.PACKAGE, work / swap.BUNDLE
        count = len(swap.files(package))
        names = f"{shown(project.package)} ({count} files) and {shown(project.bundle)}"
        same = project.bundle.is_file() and project.bundle.read_bytes() == text.read_bytes()
        if same and not [*swap.differences(package, project.package)]:
            return f"{names} were up to date.", unfit
        swap.exchange(work, project.bundle)
    return f"{names} are written.", unfit


def check(project: Project, tool: generator.Generator) -> list[str]:
    """Make everything elsewhere; one sentence for each difference from what stands here."""
    says = {
        "missing": "is missing; run `make regenerate`.",
        "edited": "is not what the fragments and templates give; run `make regenerate`.",
        "extra": "belongs to nothing that is generated; delete it or run `make regenerate`.",
    }
    found: list[str] = []
    with tempfile.TemporaryDirectory(prefix="regenerate-") as folder:
        work = Path(folder).resolve()
        make(project, tool, work)
        _import(work)
        originals = {path.name: path for path in project.runtime}
        for name, what in swap.differences(work / swap.PACKAGE, project.package):
            sentence = says[what]
            if what == "edited" and name in originals:
                original = shown(originals[name])
                sentence = f"differs from {original}; edit only that, then run `make regenerate`."
            found.append(f"{shown(project.package / name)} {sentence}")
        if not project.bundle.is_file():
            found.append(f"{shown(project.bundle)} {says['missing']}")
        elif project.bundle.read_bytes() != (work / swap.BUNDLE).read_bytes():
            found.append(f"{shown(project.bundle)} {says['edited']}")
    present = swap.files(project.generated)
    beside = {name.partition("/")[0] for name in present} - {swap.PACKAGE}
    for name in sorted(beside):
        path = project.generated / name
        slash = "/" if path.is_dir() else ""
        found.append(f"{shown(path)}{slash} does not belong in generated/; delete it.")
    return found


def make(project: Project, tool: generator.Generator, work: Path) -> None:
    """Make the bundle and the package in the empty folder `work`.

    Raises SourceError for wrong fragments, StepError for any other step.
    """
    joined = bundle.join(project.openapi)
    package = work / swap.PACKAGE
    # The generator takes a sixth of its time to read YAML, and none to read JSON. The bundle says
    # the same: tests/test_bundle.py has it that any text of `sources.dump` reads back as its data.
    description = work / "openapi.json"
    description.write_text(json.dumps(joined.document), encoding="ascii")
    with tool.generating(project.home, description, package) as generated:
        # The validator takes nearly as long as the generator, and is done beside it. What it
        # finds comes first: what the generator makes of a bundle that is not valid means nothing.
        (work / swap.BUNDLE).write_bytes(joined.text.encode())
        bundle.validate(joined)
        try:
            written = {
                "contract.py": contract.render(joined.document),
                "families.py": methods.render(joined.document),
            }
        except described.ContractError as error:
            raise SourceError([joined.problem(error.pointer, error.text)]) from error
        generated()
    (package / "py.typed").write_bytes(b"")
    for name, text in written.items():
        (package / name).write_bytes(text.encode())
    tool.format(package)
    for path in sorted(package.rglob("*.py")):
        path.write_bytes(tool.header.encode() + path.read_bytes())
    for path in project.runtime:
        (package / path.name).write_bytes(_copied(path))


def _copied(path: Path) -> bytes:
    """Return a handwritten module with the first line that says where it was copied from."""
    first = HANDWRITTEN.encode()
    text = path.read_bytes()
    if not text.startswith(first):
        wanted = HANDWRITTEN.strip()
        raise StepError("copy", f"the first line of {shown(path)} is not the comment\n{wanted}")
    return _COPIED.format(path.name).encode() + text.removeprefix(first)


def _import(work: Path, face: Path | None = None) -> str:
    """Import all of the new package, and the face if it is there; returns why that does not fit.

    Both in one interpreter, since most of the time goes into what they import alike.
    """
    command: list[str | Path] = [sys.executable, "-I", "-B", "-X", "utf8", _TRIAL, swap.PACKAGE]
    if face is not None and face.is_dir():
        command += [face.parent, face.name]
    lines = generator.run("import", command, work).splitlines()
    unfit = "".join(line for line in lines if line.startswith(trial.UNFIT))
    here = work.resolve()
    return unfit.replace(str(here), str(here.parent))  # where the package is when this is read


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the status is described at the top of this file."""
    parser = argparse.ArgumentParser(
        description="Make the generated client anew from the fragments.",
        epilog="Exit status: 0 done, 1 a step failed, --check found a difference or the face does "
        "not fit what was written, 2 the fragments are wrong.",
    )
    home = Path(__file__).resolve().parents[2]
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    parser.add_argument("--generator", type=Path, help="the generator's executable")
    parser.add_argument("--project", type=Path, default=home, help="the project's folder")
    options = parser.parse_args(arguments)
    project = Project(options.project.absolute())
    untouched = "generated/ and openapi/openapi.yaml are as they were."
    try:
        tool = generator.find(project.home, options.generator)
        if not options.check:
            done, unfit = regenerate(project, tool)
            print(done, flush=True)
            if unfit:
                # The client stands; to make the face fit is the next step of whoever changed it.
                print(f"{unfit.removeprefix(trial.UNFIT)}\n{_UNFIT}", file=sys.stderr)
                return 1
        elif found := check(project, tool):
            print("\n".join(found), file=sys.stderr)
            return 1
        else:
            print("The generated client is what the fragments and templates give.")
    except SourceError as error:
        bundle.report(error)
        return 2
    except StepError as error:
        print(f"{error}\n{untouched}", file=sys.stderr)
        return 1
    except swap.BusyError:
        sentence = "Another `make regenerate` is at work; wait for it and run this again."
        print(sentence, file=sys.stderr)
        return 1
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        print(f"The step write failed: {what}.\n{untouched}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"Interrupted; {untouched}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    # The process is short, and what it imports is all it makes: to look for garbage in that, now
    # and when it ends, would take a fifth of its time.
    gc.disable()
    status = main()
    gc.freeze()
    sys.exit(status)
