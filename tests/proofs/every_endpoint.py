"""The command behind `make every-endpoint`: all batch operations of a description, tried in a copy.

It decides what counts: an operation works, is refused with a reason, or breaks. It drafts the
fragment of each one in a copy of the project, makes the client there, and tries each operation with
tests/support/endpoint_trials.py.

Exit status: 0 nothing breaks, 1 something breaks, 2 the description cannot be read.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import field, frozen

# As a command it finds the tools and the helpers of the tests as pytest does.
sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).parents[2] / "openapi" / "tools"))

from comparison.compare_with_fragments import read_fragments
from comparison.description import DescribedOperation, Description, UnreadableError, read
from comparison.schema_forms import SchemaError
from drafting.draft import RefusedError, Written, draft, source_of
from drafting.published_batch import PublishedBatch
from published_samples import sample

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
_NOT_COPIED = shutil.ignore_patterns("tools", "__pycache__")
_INPUTS = 3


@frozen
class Tally:
    """The operations by title: those that work, are refused or break, with the reasons."""

    works: list[str] = field(factory=list)
    refused: dict[str, str] = field(factory=dict)
    breaks: dict[str, list[str]] = field(factory=dict)

    def lines(self) -> Iterator[str]:
        """Yield the report."""
        yield from (f"works    {title}" for title in self.works)
        yield from (f"refused  {title}: {reason}" for title, reason in self.refused.items())
        for title, reasons in self.breaks.items():
            yield f"BREAKS   {title}"
            yield from (f"         {reason}" for reason in reasons)
        counts = len(self.works), len(self.refused), len(self.breaks)
        yield "{} work, {} are refused, {} break.".format(*counts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit statuses are listed at the top of this file."""
    command = argparse.ArgumentParser(description="Try all batch operations of a description.")
    command.add_argument("spec", type=Path, metavar="FILE", help="a published API description")
    path: Path = command.parse_args(arguments).spec
    try:
        given, source = read(path), source_of(path)
    except (UnreadableError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="every-endpoint-") as folder:
        tally = try_all(given, source, Path(folder).resolve() / "project")
    print("\n".join(tally.lines()))
    return 1 if tally.breaks else 0


def try_all(given: Description, source: str, home: Path) -> Tally:
    """Draft the fragments of all batch operations in the folder `home`, and try them."""
    shutil.copytree(ROOT / "openapi", home / "openapi", ignore=_NOT_COPIED)
    for name in ("generator-config.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, home / name)
    (home / "overrides").symlink_to(ROOT / "overrides")
    tally = Tally()
    cases: list[Json] = []
    for operation in newest(given):
        one = PublishedBatch(operation, given)
        try:
            if not one.items:  # it is no batch
                continue
            made = draft(home / "openapi", given, operation, source)
            id_ = made.draft.id if isinstance(made, Written) else _known(home, operation.signature)
            cases.append(case_of(one, id_))
        except (RefusedError, SchemaError) as error:
            tally.refused[operation.title] = str(error).removeprefix(
                f"{given.name}: {operation.title}: "
            )
    if not cases:
        return tally
    if problem := _regenerate(home):
        tally.breaks["make regenerate"] = problem.splitlines()
        return tally
    for title, reasons in _tried(home, cases).items():
        if reasons:
            tally.breaks[title] = reasons
        else:
            tally.works.append(title)
    return tally


def newest(given: Description) -> list[DescribedOperation]:
    """Return the operations of a description, each in its newest version."""
    found: dict[tuple[object, ...], DescribedOperation] = {}
    for one in sorted(given.operations, key=lambda one: one.version):
        found[one.method, *one.signature] = one
    return [one for one in given.operations if one in found.values()]


def case_of(one: PublishedBatch, id_: str) -> Json:
    """Return an operation with inputs and a result, as endpoint_trials.py reads it."""
    reader = one.side.reader
    made = [sample(reader, one.items, f"mark{n}", whole=n != 1) for n in range(_INPUTS)]
    beside = sample(reader, ((_without_inputs(one), ()),), "beside")
    query = {p.key[1]: sample(reader, p.schema, "query") for p in one.parameters}
    query |= {
        name: sample(reader, parameter.schema, "named") if parameter else "named"
        for name, parameter in one.in_path.items()
    }
    result = sample(reader, one.results, "mark0") if one.results else {}
    objects = [given if isinstance(given, dict) else {} for given in made]
    for given in objects:
        if "idProperty" in given:
            given["idProperty"] = "email"
    keyed = "objectWriteTraceId" in result and all("objectWriteTraceId" in one for one in objects)
    named = "properties" in result and all("idProperty" in one for one in objects)
    alike = "properties" in result and all("properties" in one for one in objects)
    by_id = not any("idProperty" in one for one in objects)
    repeats = {"create": keyed or alike, "upsert": keyed or named}
    responses = [code for code in one.operation.raw["responses"] if str(code)[0] == "2"]
    return {
        "title": one.operation.title,
        "id": id_,
        "kind": one.kind,
        "inputs": made,
        "result": result,
        "answers": bool(one.results),
        "results": one.results_name or "results",
        "beside": {**beside, **query},
        "success": str(min(responses, key=_usual, default="200")).replace("XX", "00"),
        "keyed": keyed or one.kind not in ("create", "action"),
        "repeats": repeats.get(one.kind, by_id or named),
    }


def _usual(code: object) -> tuple[bool, str]:
    return str(code) == "207", str(code)


def _without_inputs(one: PublishedBatch) -> Json:
    body = one.body
    fields = body.fields if body else {}
    found = {name: parts[0][0] for name, parts in fields.items() if name != "inputs"}
    return {"type": "object", "properties": found}


def _known(home: Path, signature: tuple[str, ...]) -> str:
    known = read_fragments(home / "openapi").description.operations
    return next(one.id for one in known if one.signature == signature)


def _regenerate(home: Path) -> str:
    """Make the client of the copy; return what was said if that fails."""
    default = ROOT / ".venv" / "generator" / "bin" / "openapi-python-client"
    generator = os.environ.get("HUBSPOT_BATCH_GENERATOR", str(default))
    tool = ROOT / "openapi" / "tools" / "regenerate.py"
    command = [sys.executable, tool, "--project", str(home), "--generator", generator]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=home)
    return done.stdout + done.stderr if done.returncode else ""


def _tried(home: Path, cases: list[Json]) -> dict[str, list[str]]:
    """Try the cases with the client of the copy."""
    file = home / "cases.json"
    file.write_text(json.dumps(cases), "utf-8")
    paths = (home / "generated", ROOT / "overrides", ROOT / "tests" / "support", ROOT / "tests")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    program = ROOT / "tests" / "support" / "endpoint_trials.py"
    command = [sys.executable, "-W", "error", program, file]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        return {"the trials": done.stderr.splitlines()[-5:]}
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    sys.exit(main())
