"""Operations of every form that HubSpot publishes work by a fragment alone, or are refused.

The made-up ones are all combinations of a verb, a key, an answer and a path.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import made_up_shapes
import pytest
import yaml
from generation import bundle, contract_module, families_module
from generation.operation_meaning import ContractError
from test_one_edit import ROOT, Copy, run

MADE = made_up_shapes.draw(seed=7, count=10_000)
PAGE = "create_calls"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the fragments that families share."""
    folder = tmp_path_factory.mktemp("shapes") / "openapi"
    shutil.copytree(ROOT / "openapi" / "fragments", folder / "fragments")
    shutil.copytree(ROOT / "openapi" / "pages", folder / "pages")
    shutil.copy(ROOT / "openapi" / "root.yaml", folder)
    return folder


def write(folder: Path, made: list[made_up_shapes.MadeUp]) -> None:
    text = yaml.safe_dump(made_up_shapes.fragment(made, PAGE), sort_keys=False)
    (folder / "fragments" / "made-up.yaml").write_text(text, encoding="utf-8")


def test_each_form_is_taken_or_refused_with_the_reason(home: Path) -> None:
    """The reason names the operation, and is found at a line of the fragment."""
    taken = [one for one in MADE if not one.refused]
    write(home, taken)
    document = bundle.build(home).document
    contract_module.render(document)
    families_module.render(document)
    refused = [one for one in MADE if one.refused]
    write(home, refused)
    joined = bundle.join(home)
    for one in refused:
        paths = {p: item for p, item in joined.document["paths"].items() if one.tag in p.split("/")}
        with pytest.raises(ContractError) as caught:
            contract_module.render({**joined.document, "paths": paths})
        assert one.refused in caught.value.text
        assert one.id in caught.value.text
        problem = joined.problem(caught.value.pointer, caught.value.text)
        assert problem.file.endswith("made-up.yaml")
        assert problem.line > 1
    assert len(taken) >= 200
    assert refused


def test_what_is_taken_works(tmp_path: Path) -> None:
    """In a copy: created, read, lost, refused in part and as a whole, by both clients."""
    copy = Copy(tmp_path / "project")
    made = [one for one in MADE if not one.refused][:70]
    assert {one.kind for one in made} == {*made_up_shapes.KINDS}
    write(copy.home / "openapi", made)
    copy.regenerate()
    listed = tmp_path / "made_up.json"
    listed.write_text(json.dumps(made), encoding="utf-8")
    checks = ROOT / "tests" / "made_up" / "check_made_up.py"
    command = [sys.executable, "-m", "pytest", "-q", "-o", "pythonpath=", str(checks)]
    run(command, env={**os.environ, "PYTHONPATH": copy.paths, "MADE_UP": str(listed)}, cwd=ROOT)
