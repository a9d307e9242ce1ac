"""The steps from fragments to the generated package, and their order.

Decides the order: bundle, generate, finish, format, copy, import, swap. A failure at any step
leaves generated/ and openapi/openapi.yaml as they were. Generated code is never edited beyond a
header and formatting: a wrong model is fixed in a fragment, a wrong form in a template. Handwritten
modules (openapi/runtime) are copied in whole, whatever the generator wrote under their names.
"""

import json
import sys
import tempfile
from pathlib import Path

from attrs import frozen

from . import atomic_swap, bundle, contract_module, families_module, generator, import_check
from .operation_meaning import ContractError
from .yaml_source import SourceError, shown

# The first line of a handwritten module. In the copy another line takes its place, so both files
# have the same line numbers, and coverage that is measured in the copy is that of the original.
HANDWRITTEN = (
    f'# Handwritten; "make regenerate" copies this module into generated/{atomic_swap.PACKAGE}.\n'
)
_COPIED = '# Copied from openapi/runtime/{}; "make regenerate" writes it, do not edit.\n'


@frozen
class Project:
    """The places of a project's files."""

    home: Path

    @property
    def openapi(self) -> Path:
        """The folder of the fragments and the tools."""
        return self.home / "openapi"

    @property
    def bundle(self) -> Path:
        """The file that joins all fragments."""
        return self.openapi / atomic_swap.BUNDLE

    @property
    def runtime(self) -> list[Path]:
        """The handwritten modules of the generated package."""
        return sorted((self.openapi / "runtime").glob("*.py"))

    @property
    def generated(self) -> Path:
        """The folder that is written by the generator."""
        return self.home / "generated"

    @property
    def package(self) -> Path:
        """The generated package."""
        return self.generated / atomic_swap.PACKAGE

    @property
    def handwritten(self) -> Path:
        """The package that users import, which stands on the generated one."""
        return self.home / "overrides" / "hubspot_batch"


def regenerate(project: Project, tool: generator.Generator) -> tuple[str, str]:
    """Make the bundle and the package, and put them in place.

    Returns a sentence about what was done, and the reason why the handwritten package does not fit
    the result, or an empty text.
    """
    with atomic_swap.workspace(project.generated) as work:
        make(project, tool, work)
        unfit = _import(work, project.handwritten)
        package, text = work / atomic_swap.PACKAGE, work / atomic_swap.BUNDLE
        count = len(atomic_swap.files_in(package))
        names = f"{shown(project.package)} ({count} files) and {shown(project.bundle)}"
        same = project.bundle.is_file() and project.bundle.read_bytes() == text.read_bytes()
        if same and not [*atomic_swap.differences(package, project.package)]:
            return f"{names} were up to date.", unfit
        atomic_swap.swap(work, project.bundle)
    return f"{names} are written.", unfit


def check(project: Project, tool: generator.Generator) -> list[str]:
    """Make everything in a temporary folder; return a sentence for each difference."""
    says = {
        "missing": "is missing; run `make regenerate`.",
        "edited": "is not what the fragments and templates give; run `make regenerate`.",
        "extra": "belongs to nothing that is generated; delete it or run `make regenerate`.",
    }
    with tempfile.TemporaryDirectory(prefix="regenerate-") as folder:
        work = Path(folder).resolve()
        make(project, tool, work)
        _import(work)
        originals = {path.name: path for path in project.runtime}
        found: list[str] = []
        for name, what in atomic_swap.differences(work / atomic_swap.PACKAGE, project.package):
            sentence = says[what]
            if what == "edited" and name in originals:
                original = shown(originals[name])
                sentence = f"differs from {original}; edit only that, then run `make regenerate`."
            found.append(f"{shown(project.package / name)} {sentence}")
        if not project.bundle.is_file():
            found.append(f"{shown(project.bundle)} {says['missing']}")
        elif project.bundle.read_bytes() != (work / atomic_swap.BUNDLE).read_bytes():
            found.append(f"{shown(project.bundle)} {says['edited']}")
    present = atomic_swap.files_in(project.generated)
    beside = {name.partition("/")[0] for name in present} - {atomic_swap.PACKAGE}
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
    package = work / atomic_swap.PACKAGE
    # Reading YAML takes a sixth of the generator's time, and reading JSON next to none. The data
    # are the same: tests/tools/test_bundle.py proves that the text of `dump` reads back.
    description = work / "openapi.json"
    description.write_text(json.dumps(joined.document), encoding="ascii")
    with tool.generating(project.home, description, package) as wait_for_package:
        # The validator takes nearly as long as the generator, so both run at once. The validator's
        # problems are reported first: a package made from an invalid bundle means nothing.
        (work / atomic_swap.BUNDLE).write_bytes(joined.text.encode())
        bundle.validate(joined)
        written = written_modules(joined)
        try:
            wait_for_package()
        except generator.StepError as error:
            raise _with_places(error, joined) from error
    (package / "py.typed").write_bytes(b"")
    for name, text in written.items():
        (package / name).write_bytes(text.encode())
    tool.format(package)
    for path in sorted(package.rglob("*.py")):
        path.write_bytes(tool.header.encode() + path.read_bytes())
    for path in project.runtime:
        (package / path.name).write_bytes(_copied(path))


def written_modules(joined: bundle.Bundle) -> dict[str, str]:
    """Return the modules that are written from a bundle without the generator, by file name.

    Raises SourceError if the bundle says something that has no place in them.
    """
    try:
        return {
            "contract.py": contract_module.render(joined.document),
            "families.py": families_module.render(joined.document),
        }
    except ContractError as error:
        raise SourceError([joined.problem(error.pointer, error.text)]) from error


def _with_places(error: generator.StepError, joined: bundle.Bundle) -> Exception:
    """Return the generator's refusal as problems of the fragments, if it names their places."""
    found = [
        joined.problem(
            at, f"the generator cannot make `{at[-1]}` ({reason.strip('. ')}); change it."
        )
        for at, reason in generator.refusals(str(error))
        if at in joined.origins
    ]
    return SourceError(found) if found else error


def _copied(path: Path) -> bytes:
    """Return a handwritten module with a first line that says where it was copied from."""
    first = HANDWRITTEN.encode()
    text = path.read_bytes()
    if not text.startswith(first):
        wanted = HANDWRITTEN.strip()
        said = f"the first line of {shown(path)} is not the comment\n{wanted}"
        raise generator.StepError("copy", said)
    return _COPIED.format(path.name).encode() + text.removeprefix(first)


def _import(work: Path, handwritten: Path | None = None) -> str:
    """Import the new package, and the handwritten one on top; return why that one does not fit.

    One interpreter imports both, because most of the time goes into their common imports.
    """
    python = (sys.executable, "-I", "-B", "-X", "utf8")
    command: list[str | Path] = [*python, import_check.__file__, atomic_swap.PACKAGE]
    if handwritten is not None and handwritten.is_dir():
        command += [handwritten.parent, handwritten.name]
    lines = generator.run_command("import", command, work).splitlines()
    unfit = "".join(line for line in lines if line.startswith(import_check.UNFIT))
    here = work.resolve()
    return unfit.replace(str(here), str(here.parent))  # the package's place after the swap
