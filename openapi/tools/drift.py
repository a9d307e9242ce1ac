"""What HubSpot's documentation says otherwise than our fragments, and what two versions differ in.

Decides what is compared with what, in which words that is told, and the exit status: 0 nothing
new, 1 something changed, 2 a file cannot be read. Never changes a file but the report asked for.
"""

import argparse
import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from attrs import evolve, frozen
from comparison import compare_descriptions, deviations, text_report
from comparison.compare_descriptions import Compared
from comparison.description import (
    MOST_OF_PAGE,
    Description,
    Operation,
    UnreadableError,
    from_yaml,
    read,
    read_page,
    text_of,
)
from comparison.findings import Finding, Severity, ordered
from comparison.schema_forms import SchemaError
from comparison.text_report import Report, listed
from generation import bundle
from generation.yaml_source import Pointer, SourceError, shown
from pages import facts, history, reader
from releases import git_history

HOME = Path(__file__).resolve().parents[1]


@frozen
class Ours:
    """The fragments as a description, and where each part of it stands."""

    description: Description
    bundle: bundle.Bundle
    home: Path

    def place(self, pointer: Pointer) -> tuple[str, int]:
        """The fragment and the line in which something of the bundle stands."""
        if pointer[:1] == ("paths",) and len(pointer) == 2:  # a path is where its methods are
            origin = next(one for at, one in self.bundle.origins.items() if at[:2] == pointer)
            return origin.file, origin.line(pointer)
        problem = self.bundle.problem(pointer, "")
        return problem.file, problem.line


def ours(home: Path = HOME) -> Ours:
    """Read the fragments.

    Raises:
        SourceError: They cannot be joined.
    """
    joined = bundle.join(home)
    return Ours(Description(joined.document, "the fragments"), joined, home)


def of_spec(path: Path, here: Ours) -> Report:
    """Compare a published description with the fragments.

    Raises:
        UnreadableError, SchemaError: It cannot be read, or describes nothing of ours.
    """
    return _of_description(read(path), here)


def _of_description(given: Description, here: Ours) -> Report:
    compared = Compared([], {})
    lacking: list[str] = []
    covered = 0
    for one in here.description.operations:
        found = given.find(one)
        if found is not None:
            covered += 1
            sides = (here.description, given)
            compare_descriptions.operation(one, found, *sides, one.id, compared, place=here.place)
        elif given.covers(one):
            compare_descriptions.lone(
                one, None, here.description, given, compared, place=here.place
            )
        else:
            lacking.append(one.id)
    if not covered:
        known = ", ".join(one.title for one in here.description.operations)
        raise UnreadableError(
            f"{given.name}: it describes none of our operations ({known}) at any version; "
            "give the description of another product."
        )
    verb = "is" if len(lacking) == 1 else "are"
    notes = [f"{listed(lacking)} {verb} not described in {given.name}."] if lacking else []
    findings = news(compared, here, "description")
    return Report(findings, "the fragments", given.name, tuple(notes))


def news(compared: Compared, here: Ours, seen: deviations.Seen) -> list[Finding]:
    """Return what is new of it. Wording tells something only between texts of one author.

    Raises:
        UnreadableError: The deviations cannot be read.
    """
    told = [one for one in compared.findings if one.severity is not Severity.WORDING]
    same = sum(one.kind == "wording" for agreed in compared.agreed.values() for one in agreed)
    if same > len(compared.findings) - len(told):
        return ordered(compared.findings)  # made from our bundle: there nothing deviates
    known = deviations.read(here.home / deviations.NAME)
    return deviations.apply(known, evolve(compared, findings=told), seen)


def of_page(path: Path, here: Ours) -> Report:
    """Compare a captured page with the fragments.

    Raises:
        UnreadableError, SchemaError: It cannot be read whole, or is about no operation of ours.
    """
    name = shown(path)
    text = text_of(path, name, most=MOST_OF_PAGE)
    if given := read_page(text, name):
        return _of_description(given, here)
    stated = reader.read(text, name)
    description = stated.description()
    found = description.operations[0]
    one = next((one for one in here.description.operations if description.find(one)), None)
    if one is None:
        known = ", ".join(one.title for one in here.description.operations)
        raise UnreadableError(
            f"{name}: this page is about {found.title}, which no fragment describes "
            f"(they describe {known})."
        )
    kept_at = here.home / "pages" / f"{one.id}.yaml"
    kept = facts.read(kept_at) if kept_at.exists() else None
    words = history.compared(text, stated, kept) if kept else None
    if kept and words:
        history.whole(stated, kept, words, name)
    compared = Compared([], {})
    compare_descriptions.operation(
        one, found, here.description, description, one.id, compared, place=here.place
    )
    findings = news(compared, here, "page")
    findings += history.wording(one.id, words) if words else []
    return Report(ordered(findings), "the fragments", name)


def of_two(old: str, new: str, here: Ours) -> Report:
    """Compare two descriptions or bundles: files, or git revisions of the bundle.

    Raises:
        UnreadableError, SchemaError: One of them cannot be read.
    """
    sides = [_side(given) for given in (old, new)]
    known = here.description.operations
    try:
        compared = compare_descriptions.descriptions(sides[0], sides[1], known)
    except SchemaError:
        for side in sides:  # which of them it is, shows where one is compared with itself
            _compared_with_itself(side, known)
        raise
    if not compared.agreed and not compared.findings:
        raise UnreadableError(f"{old} and {new}: neither describes an operation that we know.")
    return Report(compared.findings, old, new)


def _compared_with_itself(side: Description, known: Sequence[Operation]) -> None:
    try:
        compare_descriptions.descriptions(side, side, known)
    except SchemaError as error:
        raise UnreadableError(f"{side.name}: {error}") from None


def _side(given: str) -> Description:
    path = Path(given)
    with contextlib.suppress(OSError):  # no file can have such a name
        if path.exists() and not (given and path.is_dir()):  # to git, no revision is the index
            return read(path)
    revision = given if ":" in given else f"{given}:openapi/openapi.yaml"
    try:
        text = git_history.text_of(HOME.parent, revision)
    except (git_history.UnknownHistoryError, git_history.BrokenHistoryError) as error:
        raise UnreadableError(
            f"{given}: this is neither a file nor a git revision that has openapi/openapi.yaml "
            f"({error}); give a path, a tag, a branch or a commit."
        ) from None
    return from_yaml(text.decode("utf-8", "replace"), given)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the status is described at the top of this file."""
    parser = argparse.ArgumentParser(
        description="Compare HubSpot's documentation with the fragments, or two descriptions.",
        epilog="Exit status: 0 nothing new, 1 something changed, 2 a file cannot be read.",
    )
    parser.add_argument("--spec", type=Path, metavar="FILE", help="a published API description")
    parser.add_argument("--page", type=Path, metavar="FILE", help="a captured documentation page")
    parser.add_argument("--old", metavar="FILE", help="a description, or a git revision of ours")
    parser.add_argument("--new", metavar="FILE", help="what to compare it with")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write them as a page, too")
    options = parser.parse_args(arguments)
    two = (options.old is not None) + (options.new is not None)
    if (options.spec is not None) + (options.page is not None) + two / 2 != 1:
        parser.error(
            "give --spec FILE, or --page FILE, or --old FILE and --new FILE "
            "(to make: SPEC=, PAGE=, OLD= and NEW=)"
        )
    try:
        here = ours(HOME)
        if options.spec:
            report = of_spec(options.spec, here)
        elif options.page:
            report = of_page(options.page, here)
        else:
            report = of_two(options.old, options.new, here)
        if options.html:
            _write_page(options.html, report)
    except (UnreadableError, SourceError) as error:
        print(text_report.printable(str(error)), file=sys.stderr)
        return 2
    except SchemaError as error:
        where = options.spec or options.page or options.new
        print(text_report.printable(f"{where}: {error}"), file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{options.html}: cannot be written ({error.strerror}).", file=sys.stderr)
        return 2
    if options.json:
        text_report.tell(json.dumps([one.json() for one in report.findings], indent=2))
    else:
        text_report.tell(text_report.as_text(report))
    return 1 if report.findings else 0


def _write_page(path: Path, report: Report) -> None:
    from comparison.html_report import render  # noqa: PLC0415 - what it is made with is not always needed

    page = render(report.findings, old=report.old, new=report.new, notes=report.notes)
    bundle.write(path, page)


if __name__ == "__main__":
    sys.exit(main())
