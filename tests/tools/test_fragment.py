"""A fragment from a published description: what it says, where it goes, and what is refused."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import fragment
import made_up_operations as made_up
import published_descriptions as published
import pytest
import yaml
from comparison.compare_with_fragments import read_fragments
from drafting import names
from generation import bundle
from generation.pipeline import written_modules
from thoroughness import FACTOR

ROOT = Path(__file__).parents[2]
OPENAPI = ROOT / "openapi"
Json = dict[str, Any]
Run = Callable[..., tuple[int, str, str]]
BATCH = "/crm/v3/objects/contacts/batch"
NOON = 1_780_000_000  # 2026-05-28


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what is written by hand about the API, in the current folder."""
    skipped = shutil.ignore_patterns("tools", "templates", "runtime")
    shutil.copytree(OPENAPI, tmp_path / "openapi", ignore=skipped)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "openapi"


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in the copy; returns its status, what it printed and its errors."""

    def command(*arguments: str) -> tuple[int, str, str]:
        status = fragment.main([*arguments, "--project", str(home.parent)])
        return status, *capsys.readouterr()

    return command


def save(document: Json, name: str = "contacts.json") -> str:
    """Write a description as a file of a known day."""
    Path(name).write_text(json.dumps(document), "utf-8")
    os.utime(name, (NOON, NOON))
    return name


def contacts() -> Json:
    """Describe contacts as they are published: create, read, update, upsert and archive."""
    document = published.description("calls")
    schemas = document["components"]["schemas"]
    ref, text, many = published._ref, published._text, published._list
    schemas["SimplePublicObjectId"] = published._object(["id"], id=text())
    schemas["BatchReadInput"] = published._object(
        ["inputs", "properties", "propertiesWithHistory"],
        inputs=many(ref("SimplePublicObjectId")),
        properties=many({"type": "string"}),
        propertiesWithHistory=many({"type": "string"}),
        idProperty=text(),
    )
    write = {
        "id": text(),
        "idProperty": text(),
        "objectWriteTraceId": text(),
        "properties": published._map({"type": "string"}),
    }
    schemas["Upsert"] = published._object(["id", "properties"], **write)
    schemas["BatchUpsert"] = published._object(["inputs"], inputs=many(ref("Upsert")))
    result = schemas["SimplePublicObject"]
    schemas["Upserted"] = {
        **result,
        "properties": {**result["properties"], "new": {"type": "boolean"}},
        "required": [*result["required"], "new"],
    }
    for end in ("", "WithErrors"):
        schemas[f"BatchUpserted{end}"] = published._frame("Upserted", errors=bool(end))
    scope = ["crm.objects.contacts.write"]
    usual = "BatchResponseSimplePublicObject"
    for verb, body, answer, success in (
        ("create", "BatchInputSimplePublicObjectInput", usual, "201"),
        ("read", "BatchReadInput", usual, "200"),
        ("update", "BatchUpsert", usual, "200"),
        ("upsert", "BatchUpsert", "BatchUpserted", "200"),
        ("archive", "BatchReadInput", usual, "204"),
    ):
        path = f"{BATCH}/{verb}"
        operation = published._operation(path, body, answer, success, scope)
        operation["description"] = f"{made_up.COPIED} in {verb}."
        document["paths"][path] = {"post": operation}
    return document


def written(home: Path, name: str = "contacts") -> Json:
    """A fragment, as data."""
    document: Json = yaml.safe_load((home / "fragments" / f"{name}.yaml").read_text("utf-8"))
    return document


# ---------------------------------------------------------------- the form of the house


def test_a_fragment_has_the_names_and_references_of_the_house(home: Path, run: Run) -> None:
    """Short names, shared schemas referred to, optional fields nullable, and our own words."""
    status, printed, _ = run("--spec", save(contacts()), "--operation", f"POST {BATCH}/create")
    assert status == 0
    assert "openapi/fragments/contacts.yaml: create_contacts is written" in printed
    assert "names no limit" in printed
    document = written(home)
    operation = document["paths"][f"{BATCH}/create"]["post"]
    assert operation["operationId"] == "create_contacts"
    assert operation["tags"] == ["contacts"]
    assert operation["summary"] == "Create a contact for each input."
    assert operation["x-source"] == "contacts.json of 2026-05-28"
    assert operation["security"] == [{"bearer": ["crm.objects.contacts.write"]}]
    schemas = document["components"]["schemas"]
    assert [*schemas] == [
        *("ContactInput", "ContactBatchInput", "ContactWarning", "Contact", "ContactBatch")
    ]
    fields = schemas["ContactInput"]["properties"]
    assert fields["properties"] == {"$ref": "#/components/schemas/Properties"}
    assert fields["associations"]["items"] == {"$ref": "#/components/schemas/Association"}
    result = schemas["Contact"]["properties"]
    assert result["properties"] == {"$ref": "#/components/schemas/StoredProperties"}
    assert result["archivedAt"]["type"] == ["string", "null"]
    assert result["createdAt"]["type"] == "string"
    assert schemas["ContactBatch"]["allOf"][0] == {"$ref": "#/components/schemas/BatchSummary"}
    assert all("x-source" in schema for schema in schemas.values())
    assert made_up.COPIED not in (home / "fragments" / "contacts.yaml").read_text("utf-8")


def test_a_family_becomes_one_file(home: Path, run: Run) -> None:
    """Each operation is added behind the others; what the file had, with its comments, stays."""
    name = save(contacts())
    file = home / "fragments" / "contacts.yaml"
    run("--spec", name, "--operation", f"POST {BATCH}/create")
    mine = file.read_text("utf-8").replace("# Contacts.", "# Contacts, and a note of mine.")
    file.write_text(mine, "utf-8")
    for verb in ("read", "update", "upsert"):
        status, _, error = run("--spec", name, "--operation", f"POST {BATCH}/{verb}")
        assert (status, error) == (0, "")
    text = file.read_text("utf-8")
    assert text.startswith("# Contacts, and a note of mine.\npaths:\n")
    document = written(home)
    assert [*document["paths"]] == [
        *(f"{BATCH}/{v}" for v in ("create", "read", "update", "upsert"))
    ]
    before = yaml.safe_load(mine)
    assert before["components"]["schemas"].items() <= document["components"]["schemas"].items()
    schemas = document["components"]["schemas"]
    assert schemas["UpsertedContact"]["allOf"][0] == {"$ref": "#/components/schemas/Contact"}
    assert [*schemas["UpsertedContact"]["allOf"][1]["properties"]] == ["new"]
    assert {"ContactReadInput", "ContactUpdate", "ContactUpsert", "UpsertedContactBatch"} <= {
        *schemas
    }
    assert "ReadContact" not in schemas  # the same result has one schema
    bundle.build(home)


def test_more_of_a_family_of_ours_goes_into_its_file(home: Path, run: Run) -> None:
    """The file of campaigns gets another operation; its comments and schemas stay as they are."""
    document = published.description("campaigns")
    path = "/marketing/v3/campaigns/batch/upsert"
    scope = ["marketing.campaigns.write"]
    names = ("BatchInputPublicCampaignUpdate", "BatchResponsePublicCampaign")
    document["paths"][path] = {"post": published._operation(path, *names, "200", scope)}
    before = (home / "fragments" / "campaigns.yaml").read_text("utf-8")
    status, _, error = run("--spec", save(document), "--operation", f"POST {path}")
    assert (status, error) == (0, "")
    after = (home / "fragments" / "campaigns.yaml").read_text("utf-8")
    lines = iter(after.splitlines())
    assert all(line in lines for line in before.splitlines())  # in the same order
    answer = written(home, "campaigns")["paths"][path]["post"]["responses"]["2XX"]
    schema = answer["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/CampaignBatch"}


def test_a_name_that_is_like_a_known_family_is_added_to_the_root(home: Path, run: Run) -> None:
    """The bundle would take it for a misspelt tag."""
    document = contacts()
    path = "/crm/v3/extensions/campaign/batch/read"
    document["paths"][path] = document["paths"].pop(f"{BATCH}/read")
    before = (home / "root.yaml").read_text("utf-8")
    status, _, error = run("--spec", save(document), "--operation", f"POST {path}")
    assert (status, error) == (0, "")
    after = (home / "root.yaml").read_text("utf-8")
    added = "  - name: campaign\n    description: Campaign.\n"
    assert after.replace(added, "") == before != after


def test_two_families_of_one_name_are_kept_apart(home: Path, run: Run) -> None:
    """The second one has more of its path in its name."""
    document = contacts()
    other = "/cms/v3/blogs/contacts/batch/read"
    document["paths"][other] = document["paths"][f"{BATCH}/read"]
    name = save(document)
    run("--spec", name, "--operation", f"POST {BATCH}/read")
    assert run("--spec", name, "--operation", f"POST {other}")[0] == 0
    (operation,) = written(home, "blogs-contacts")["paths"].values()
    assert operation["post"]["operationId"] == "read_blogs_contacts"
    bundle.build(home)


# ---------------------------------------------------------------- a second time


def test_a_second_time_the_drift_is_shown(home: Path, run: Run) -> None:
    """Nothing new for the same file; a newer one, also of another version, says what changed."""
    document = contacts()
    command = ("--operation", f"POST {BATCH}/update", "--spec")
    run(*command, save(document))
    text = (home / "fragments" / "contacts.yaml").read_text("utf-8")
    status, printed, _ = run(*command, save(document))
    assert (status, printed.strip()) == (0, "Nothing new between the fragments and contacts.json.")
    schema = document["components"]["schemas"]["Upsert"]
    schema["properties"]["colour"] = published._text()
    schema["required"].append("colour")
    newer = f"{BATCH.replace('v3/objects', 'objects/2027-03')}/update"
    document["paths"] = {newer: document["paths"][f"{BATCH}/update"]}
    status, printed, _ = run("--spec", save(document, "new.json"), "--operation", f"POST {newer}")
    assert status == 1
    assert "BREAKING  field  /request/properties/inputs/items/properties/colour" in printed
    assert "edit openapi/fragments/contacts.yaml:" in printed
    assert (home / "fragments" / "contacts.yaml").read_text("utf-8") == text


def test_the_list_says_what_can_be_done(run: Run) -> None:
    """Each operation of a file is ours already, can be written, or is refused with the reason."""
    name = save(contacts())
    run("--spec", name, "--operation", f"POST {BATCH}/create")
    status, printed, _ = run("--spec", name, "--list")
    said = dict(re.findall(r"^(\w+ /\S+)\n  (.*)$", printed, re.MULTILINE))
    assert status == 0
    assert said["POST /crm/v3/objects/calls/batch/create"] == "is create_calls already"
    assert said[f"POST {BATCH}/create"] == "is create_contacts already"
    assert said[f"POST {BATCH}/read"] == "can be written"
    assert said[f"POST {BATCH}/archive"] == "can be written"
    assert said["GET /crm/v3/objects/calls/{id}/other0"].startswith("is refused: it is no batch")


# ---------------------------------------------------------------- what cannot be used


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (f"POST {BATCH}/creat", f"did you mean POST {BATCH}/create?"),
        ("what", "LIST=1 shows what it has."),
    ],
)
def test_an_unknown_operation_is_told(run: Run, wanted: str, said: str) -> None:
    """With the nearest one, if there is one."""
    status, _, error = run("--spec", save(contacts()), "--operation", wanted)
    assert (status, said in error) == (2, True)


def test_an_operation_can_be_named_as_it_is_published(run: Run) -> None:
    """Its published id is enough, too."""
    assert run("--spec", save(contacts()), "--operation", f"post-{BATCH}/read")[0] == 0


@pytest.mark.parametrize("arguments", [[], ["--spec", "x"], ["--list"], ["--operation", "x"]])
def test_arguments_are_explained(run: Run, arguments: list[str]) -> None:
    """A file, and an operation or the list."""
    with pytest.raises(SystemExit, match="2"):
        run(*arguments)


def test_a_broken_file_is_told(home: Path, run: Run) -> None:
    """An unreadable description, a missing one, and fragments that are broken already."""
    Path("cut.json").write_text('{"openapi": "3.0.1", "paths": {', "utf-8")
    assert "this is not JSON" in run("--spec", "cut.json", "--list")[2]
    assert "cannot be read" in run("--spec", "missing.json", "--list")[2]
    document = contacts()
    document["components"]["schemas"].pop("SimplePublicObjectId")
    status, _, error = run("--spec", save(document), "--operation", f"POST {BATCH}/read")
    assert (status, "leads nowhere" in error) == (2, True)
    (home / "fragments" / "calls.yaml").write_text("paths: 5\n", "utf-8")
    assert run("--spec", save(contacts()), "--operation", f"POST {BATCH}/read")[0] == 2


def test_what_the_bundle_refuses_is_not_written(home: Path, run: Run) -> None:
    """A field that would hide a method of the model, with the line that it would have."""
    document = contacts()
    fields = document["components"]["schemas"]["SimplePublicObject"]["properties"]
    fields["toDict"] = published._text()
    before = sorted(path.name for path in home.rglob("*"))
    status, _, error = run("--spec", save(document), "--operation", f"POST {BATCH}/read")
    assert status == 2
    assert "nothing was written" in error
    assert re.search(r"^openapi/fragments/contacts.yaml:\d+: .* toDict ", error, re.MULTILINE)
    assert sorted(path.name for path in home.rglob("*")) == before


def test_what_has_no_place_in_a_fragment_is_told(home: Path, run: Run) -> None:
    """Unknown formats, patterns that are none, values without names, defaults that are no value."""
    document = contacts()
    document["components"]["schemas"]["Upsert"]["properties"] |= {
        "price": published._text(format="decimal"),
        "code": published._text(pattern="("),
        "size": published._text(enum=["m", "M"]),
        "parts": {**published._list({"type": "string"}), "default": []},
    }
    status, printed, _ = run("--spec", save(document), "--operation", f"POST {BATCH}/update")
    assert status == 0
    assert "ContactUpdate.price: the format 'decimal' is left out." in printed
    assert "ContactUpdate.code: the rule `pattern` is left out." in printed
    assert "ContactUpdate.size: its values are left out" in printed
    assert "ContactUpdate.parts: the default [] is left out." in printed
    assert "It differs from the description at /request/properties/inputs/items" in printed
    bundle.build(home)


def test_a_result_may_hold_itself(home: Path, run: Run) -> None:
    """Also within a part of it, and for several operations of a family."""
    document = contacts()
    schemas = document["components"]["schemas"]
    node = {"children": published._list(published._ref("PublicNode")), "name": published._text()}
    schemas["PublicNode"] = published._object(["name"], **node)
    for name in ("SimplePublicObject", "Upserted"):
        schemas[name]["properties"]["tree"] = published._ref("PublicNode")
    name = save(document)
    for verb in ("read", "update", "upsert"):
        assert run("--spec", name, "--operation", f"POST {BATCH}/{verb}")[0] == 0
    made = written(home)["components"]["schemas"]
    assert "Node" in made
    bundle.build(home)


@pytest.mark.parametrize("odd", made_up.ODD)
@pytest.mark.parametrize("seed", range(3))
def test_what_the_client_cannot_do_is_refused(home: Path, run: Run, odd: str, seed: int) -> None:
    """With the reason, and without a file."""
    document, title = made_up.operation(seed, odd)
    before = sorted(path.name for path in home.rglob("*"))
    status, _, error = run("--spec", save(document), "--operation", title)
    assert status == 2
    assert made_up.ODD[odd] in error
    assert sorted(path.name for path in home.rglob("*")) == before


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"m": {"type": "array", "items": {"$ref": "#/components/schemas/Loop"}}},
            "list of itself",
        ),
        ({"m": {"$ref": "#/components/schemas/Maps"}}, "the schema Maps holds itself"),
        ({"m": {"$ref": "#/components/schemas/Alone"}}, "refers only to itself"),
        ({"m": {"$ref": "https://example.com/other.json#/M"}}, "leads out of this file"),
    ],
)
def test_what_has_no_end_is_refused(home: Path, run: Run, fields: Json, said: str) -> None:
    """A list or map of itself, and references that lead to nothing in the file."""
    document = contacts()
    reference = {"$ref": "#/components/schemas/Loop"}
    document["components"]["schemas"] |= {
        "Loop": {"type": "array", "items": reference},
        "Maps": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Maps"}},
        "Alone": {"$ref": "#/components/schemas/Alone"},
    }
    document["components"]["schemas"]["SimplePublicObject"]["properties"] |= fields
    before = sorted(path.name for path in home.rglob("*"))
    status, _, error = run("--spec", save(document), "--operation", f"POST {BATCH}/read")
    assert (status, said in error) == (2, True)
    assert sorted(path.name for path in home.rglob("*")) == before


@pytest.mark.parametrize(
    ("place", "name", "said"),
    [
        ("path", "inputs", "a method cannot take `inputs`"),
        ("path", "größe", "`größe` is no name in a path"),
        ("query", "client", "a method cannot take `client`"),
    ],
)
def test_an_argument_that_cannot_be_is_told_with_its_line(
    run: Run, place: str, name: str, said: str
) -> None:
    """The line of the fragment, and not that of the root."""
    document = contacts()
    path = f"{BATCH.replace('contacts', f'{{{name}}}/contacts' if place == 'path' else 'contacts')}"
    operation = document["paths"].pop(f"{BATCH}/read")["post"]
    one = {"name": name, "in": place, "required": True, "schema": {"type": "string"}}
    document["paths"][f"{path}/read"] = {"post": {**operation, "parameters": [one]}}
    status, _, error = run("--spec", save(document), "--operation", f"POST {path}/read")
    assert (status, said in error) == (2, True)
    assert re.search(r"^openapi/fragments/contacts.yaml:\d+: ", error, re.MULTILINE)


def test_a_method_and_a_family_have_names_that_python_allows(home: Path, run: Run) -> None:
    """A verb that is a word of Python's own is refused, and such a family gets a longer name."""
    document = contacts()
    operation = document["paths"][f"{BATCH}/read"]
    document["paths"] |= {f"{BATCH}/import": operation, "/crm/v3/class/batch/read": operation}
    name = save(document)
    status, _, error = run("--spec", name, "--operation", f"POST {BATCH}/import")
    assert (status, "would be called `import`" in error) == (2, True)
    assert run("--spec", name, "--operation", "POST /crm/v3/class/batch/read")[0] == 0
    (made,) = written(home, "crm-class")["paths"].values()
    assert made["post"]["operationId"] == "read_crm_class"


def test_values_of_several_types_and_odd_defaults_are_told(home: Path, run: Run) -> None:
    """An enumeration without a type, and a default that is no value of its field."""
    document = contacts()
    document["components"]["schemas"]["Upsert"]["properties"] |= {
        "mixed": {"enum": ["a", 1]},
        "count": {"type": "integer", "default": "5"},
        "day": published._text(format="date", default="today"),
    }
    status, printed, _ = run("--spec", save(document), "--operation", f"POST {BATCH}/update")
    assert status == 0
    assert "ContactUpdate.count: the default '5' is left out." in printed
    assert "ContactUpdate.day: the default 'today' is left out." in printed
    bundle.build(home)


@pytest.mark.parametrize("name", ["contacts.json", "contacts.yaml"])
@pytest.mark.parametrize("broken", [False, True])
def test_a_refusal_names_the_line_of_the_operation(run: Run, name: str, broken: bool) -> None:
    """In the description, where the operation is read."""
    document = contacts()
    path = f"{BATCH}/read"
    if broken:
        document["components"]["schemas"].pop("SimplePublicObjectId")
    else:
        document["paths"][path]["post"]["responses"] = {"204": {"description": "Done."}}
    write = yaml.safe_dump if name.endswith(".yaml") else partial(json.dumps, indent=2)
    text = write(document)
    Path(name).write_text(text, "utf-8")
    line = next(n for n, one in enumerate(text.splitlines(), 1) if f"{path}" in one)
    status, _, error = run("--spec", name, "--operation", f"POST {path}")
    assert status == 2
    assert error.startswith(f"{name}:{line}: ")


def test_an_action_says_that_it_is_one(home: Path, run: Run) -> None:
    """Nothing says that another verb may be repeated, so the author is told."""
    document = contacts()
    document["paths"][f"{BATCH}/clone-all"] = document["paths"][f"{BATCH}/update"]
    status, printed, _ = run("--spec", save(document), "--operation", f"POST {BATCH}/clone-all")
    assert status == 0
    assert "never sent twice (`x-kind: action`)" in printed
    (made,) = written(home)["paths"].values()
    assert made["post"]["operationId"] == "clone_all_contacts"
    assert made["post"]["x-kind"] == "action"


# ---------------------------------------------------------------- any operation


@pytest.mark.many
@pytest.mark.parametrize("seed", range(25 * FACTOR))
def test_any_operation_is_accepted_or_refused(home: Path, run: Run, seed: int) -> None:
    """A new fragment is bundled, copies no sentence, and has no drift from its description."""
    document, title = made_up.operation(seed)
    status, printed, error = run("--spec", save(document), "--operation", title)
    assert (status, error) == (0, "")
    assert "differs from the description" not in printed
    joined = bundle.build(home)
    assert written_modules(joined)
    new = [one for one in read_fragments(home).description.operations if one.title == title]
    assert len(new) == 1
    text = Path(joined.problem(new[0].at, "").file).read_text("utf-8")
    assert made_up.COPIED not in text
    assert max(map(len, text.splitlines())) <= 100
    assert run("--spec", "contacts.json", "--operation", title)[0] == 0


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("many", "one"),
    [
        *(("contacts", "contact"), ("companies", "company"), ("addresses", "address")),
        *(("statuses", "status"), ("taxes", "tax"), ("series", "series"), ("business", "business")),
        *(("branches", "branch"), ("properties", "property"), ("ties", "tie"), ("cases", "case")),
    ],
)
def test_a_record_is_one_of_its_family(many: str, one: str) -> None:
    """The singular, which schemas are named after."""
    assert names.singular(many) == one
