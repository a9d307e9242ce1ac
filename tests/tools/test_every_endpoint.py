"""All batch operations of a description, tried in a copy: what works, is refused and breaks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import every_endpoint
import made_up_operations as made_up
import published_descriptions as published
import pytest
from comparison.description import Description

ROOT = Path(__file__).parents[2]
COMMAND = ROOT / "tests" / "proofs" / "every_endpoint.py"
Json = dict[str, Any]


def together(seeds: range, odd: tuple[str, ...] = ()) -> Json:
    """One description with the made-up operations of many seeds, and some that are refused."""
    document = published.description("calls")
    schemas = document["components"]["schemas"]
    forms = [(seed, name) for seed, name in enumerate(made_up.FORMS)]
    for seed, name in [*((seed, "") for seed in seeds), *forms, *enumerate(odd, len(seeds))]:
        made, title = made_up.operation(seed, name)
        # Each operation has schemas of its own.
        mine = f"Thing{seed}x{name.title().replace(' ', '')}"
        one = json.loads(json.dumps(made).replace("Thing", mine))
        path = title.partition(" ")[2]
        document["paths"].setdefault(path, one["paths"][path])
        schemas |= {
            key: part for key, part in one["components"]["schemas"].items() if key not in schemas
        }
    return document


@pytest.mark.once
def test_every_operation_of_a_description_works_or_is_refused(tmp_path: Path) -> None:
    """The command says how many, and nothing breaks."""
    spec = tmp_path / "made up.json"
    spec.write_text(json.dumps(together(range(14), tuple(made_up.ODD))), "utf-8")
    done = subprocess.run(
        [sys.executable, COMMAND, spec], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *lines, last = done.stdout.splitlines()
    works = [line for line in lines if line.startswith("works ")]
    refused = [line for line in lines if line.startswith("refused ")]
    assert last == f"{len(works)} work, {len(refused)} are refused, 0 break."
    told = [line for line in lines if line.startswith(("works ", "refused ", "BREAKS "))]
    assert len(works) + len(refused) == len(told)
    assert len(works) > 20
    assert len(refused) > 4
    assert any("{objectType}" in line for line in works)
    assert any("nothing in its results says" in line for line in refused)


def test_what_breaks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that answers otherwise than it is described: its results have no id."""
    document, title = made_up.operation(5)  # a read
    usual = every_endpoint.case_of

    def broken(*given: Any) -> Json:
        case = usual(*given)
        return {**case, "result": {}} if case["title"] == title else case

    monkeypatch.setattr(every_endpoint, "case_of", broken)
    spec = tmp_path / "read.json"
    spec.write_text(json.dumps(document), "utf-8")
    assert "/batch/read" in title
    tally = every_endpoint.try_all(
        Description(document, "read.json"), "x of 2026-01-01", tmp_path / "p"
    )
    assert [*tally.breaks] == [title]
    verbs = ("create", "read", "update", "upsert", "archive")
    calls = [f"POST /crm/v3/objects/calls/batch/{verb}" for verb in verbs]
    assert sorted(tally.works) == sorted(calls)
    assert [*tally.lines()][-1] == "5 work, 0 are refused, 1 break."
    monkeypatch.setattr(every_endpoint, "try_all", lambda *_: tally)
    assert every_endpoint.main([os.fspath(spec)]) == 1


def test_an_unreadable_description_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the reason, as by the other commands."""
    assert every_endpoint.main([str(tmp_path / "missing.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_only_the_newest_version_is_tried() -> None:
    """A file may have an operation in several versions."""
    paths = {f"/crm/objects/{v}/x/batch/read": {"post": {}} for v in ("2026-03", "2026-09")}
    paths["/crm/v3/objects/x/batch/read"] = {"post": {}}
    given = Description({"openapi": "3.0.1", "paths": paths})
    (one,) = every_endpoint.newest(given)
    assert one.path == "/crm/objects/2026-09/x/batch/read"
