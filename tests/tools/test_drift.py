"""The command: what HubSpot says otherwise, in words and as JSON, and how it ends."""

from __future__ import annotations

import copy
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import captures
import command_line
import drift
import published_descriptions as published
import pytest
import yaml
from comparison import deviations
from comparison.compare_descriptions import ComparisonResult, compare_operation
from comparison.compare_with_fragments import read_fragments, unexpected
from page_facts import CAPTURED, FIELDS, OPERATIONS, kept
from pages import facts, reader
from rewritten_descriptions import SAME

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "openapi" / "tools" / "drift.py"
Json = dict[str, Any]
Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command; returns status, what it printed (findings, with --json) and its errors."""

    def command(*arguments: object) -> tuple[int, Any, str]:
        status = drift.main([*map(str, arguments)])
        out, err = capsys.readouterr()
        return status, json.loads(out) if "--json" in arguments and out else out, err

    return command


def spec(tmp_path: Path, document: Json, name: str = "published.json") -> Path:
    path = tmp_path / name
    text = json.dumps(document) if name.endswith(".json") else yaml.safe_dump(document)
    path.write_text(text, encoding="utf-8")
    return path


def captured(tmp_path: Path, operation: str, form: captures.Form, **more: Any) -> Path:
    path = tmp_path / "page.txt"
    path.write_text(captures.render({**kept(operation, fields=FIELDS), **more}, form), "utf-8")
    return path


# ---------------------------------------------------------------- nothing new


@pytest.mark.parametrize("product", published.PRODUCTS)
@pytest.mark.parametrize("name", ["published.json", "published.yaml"])
def test_what_is_published_is_nothing_new(
    product: str, name: str, tmp_path: Path, run: Run
) -> None:
    """All deviations hold: no finding, and the operations of other products are named."""
    path = spec(tmp_path, published.description(product), name)
    assert run("--spec", path, "--json") == (0, [], "")
    status, out, _ = run("--spec", path)
    assert status == 0
    assert out.endswith(f"Nothing new between the fragments and {path}.\n")
    assert "not described in" in out


@pytest.mark.parametrize("version", published.VERSIONS)
@pytest.mark.parametrize(
    ("product", "gone", "there"),
    [
        ("calls", "search_calls", "/{callId}"),
        ("calls", "search_calls", ""),
        ("campaigns", "list_campaigns", "/{campaignGuid}"),
    ],
)
def test_a_search_or_list_that_goes_is_told(
    tmp_path: Path, run: Run, product: str, gone: str, there: str, version: str
) -> None:
    """It is removed where the description has the single records, and not where it has batches."""
    document = published.description(product, version)
    path = published.path_of(product, version, there)
    document["paths"][path] = {"get": {"operationId": f"get-{path}", "responses": {"200": {}}}}
    status, found, _ = run("--spec", spec(tmp_path, document), "--json")
    assert status == 1
    assert [(one["operation"], one["severity"], one["kind"]) for one in found] == [
        (gone, "breaking", "operation")
    ]


@pytest.mark.parametrize("product", published.PRODUCTS)
@pytest.mark.parametrize("how", SAME)
def test_what_is_published_otherwise_written_is_nothing_new(
    product: str, how: str, tmp_path: Path, run: Run
) -> None:
    """References or not, other names, other spellings: all deviations hold."""
    document = SAME[how](copy.deepcopy(published.description(product)))
    assert run("--spec", spec(tmp_path, document), "--json") == (0, [], "")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("language", captures.LANGUAGES)
def test_a_page_that_says_the_same_is_nothing_new(
    operation: str, language: str, tmp_path: Path, run: Run
) -> None:
    """In any language, as text or with its fields listed."""
    for form in (captures.Form(language), captures.Form(language, listed=True, glued=False)):
        path = captured(tmp_path, operation, form)
        status, found, err = run("--page", path, "--json")
        assert (status, found, err) == (0, [], "")


@pytest.mark.skipif(not CAPTURED, reason="the captured pages are not beside the project")
@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.name)
def test_the_captured_pages_are_nothing_new(path: Path, run: Run, tmp_path: Path) -> None:
    """As they are, and re-wrapped."""
    assert run("--page", path, "--json") == (0, [], "")
    text = path.read_text("utf-8")
    start = text.rindex("}") + 1
    wrapped = tmp_path / path.name
    if "\n\n" not in text[start:]:  # lines of a list of fields are no running text
        words = text[start:].replace("\nShow", " Show").split(" ")
        wrapped.write_text(text[:start] + "\n".join(words), "utf-8")
        assert run("--page", wrapped, "--json") == (0, [], "")


def test_our_own_bundle_is_nothing_new(run: Run) -> None:
    """As a description, and as both sides."""
    bundle = ROOT / "openapi" / "openapi.yaml"
    assert run("--spec", bundle, "--json") == (0, [], "")
    assert run("--old", bundle, "--new", bundle, "--json") == (0, [], "")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_fragments_say_what_the_kept_facts_say(operation: str) -> None:
    """Field by field and both ways, except for the deviations."""
    fragments = read_fragments(ROOT / "openapi")
    kept_facts = facts.read(ROOT / "openapi" / "pages" / f"{operation}.yaml")
    description = kept_facts.description()
    (one,) = (one for one in fragments.description.operations if one.id == operation)
    compared = ComparisonResult([], {})
    sides = (fragments.description, description)
    found = description.operations[0]
    compare_operation(one, found, *sides, operation, compared)
    assert unexpected(compared, fragments, "page") == []
    assert facts.to_yaml(kept_facts) == (
        (ROOT / "openapi" / "pages" / f"{operation}.yaml").read_text("utf-8")
    )


# ---------------------------------------------------------------- what is new


def test_a_lower_limit_on_a_page(tmp_path: Path, run: Run) -> None:
    """The contract's keys, the fragment and the line to edit."""
    path = captured(tmp_path, "create_campaigns", captures.Form(), limit=25)
    status, (found,), _ = run("--page", path, "--json")
    assert status == 1
    line = next(
        number
        for number, text in enumerate(
            (ROOT / "openapi/fragments/campaigns.yaml").read_text("utf-8").splitlines(), 1
        )
        if "maxItems: 50" in text
    )
    assert found == {
        "operation": "create_campaigns",
        "pointer": "/request/properties/inputs/maxItems",
        "kind": "limit",
        "severity": "breaking",
        "was": 50,
        "now": 25,
        "direction": "request",
        "why": "The server may refuse what it accepted before.",
        "file": "openapi/fragments/campaigns.yaml",
        "line": line,
    }
    status, out, _ = run("--page", path)
    assert status == 1
    assert out == (
        "create_campaigns\n"
        "  BREAKING  limit  /request/properties/inputs/maxItems\n"
        "            was 50\n"
        "            is  25\n"
        "            The server may refuse what it accepted before.\n"
        f"            edit openapi/fragments/campaigns.yaml:{line}\n"
        "\n"
        f"Between the fragments and {path}: 1 breaking.\n"
    )


def _one_more(facts: Json) -> None:
    facts["request"]["inputs"][0]["color"] = "<string>"


def _one_less(facts: Json) -> None:
    del facts["response"]["requestedAt"]
    del facts["fields"]["requestedAt"]


def _retyped(facts: Json) -> None:
    facts["response"]["results"][0]["businessUnits"][0]["id"] = "<string>"


def _unmoment(facts: Json) -> None:
    facts["response"]["results"][0]["createdAt"] = "<string>"


def _value_in(facts: Json) -> None:
    facts["enums"]["status"] = ["CANCELED", "COMPLETE", "PAUSED", "PENDING", "PROCESSING"]


def _value_out(facts: Json) -> None:
    facts["enums"]["status"] = ["CANCELED", "COMPLETE", "PENDING"]


def _moved(facts: Json) -> None:
    facts["path"] = "/marketing/campaigns/2027-03/batch/read"


def _query_in(facts: Json) -> None:
    facts["query"]["locale"] = "string"


def _query_needed(facts: Json) -> None:
    facts["query"]["locale"] = "string, required"


def _query_out(facts: Json) -> None:
    del facts["query"]["endDate"]


def _query_retyped(facts: Json) -> None:
    facts["query"]["properties"] = "string"


def _other_scope(facts: Json) -> None:
    facts["scopes"] = ["marketing.campaigns.all"]


def _not_required(facts: Json) -> None:
    facts["fields"]["completedAt"] = "string<date-time>"


def _come_round(facts: Json) -> None:
    facts["limit"] = 40


PAGE_CHANGES: dict[str, tuple[Callable[[Json], None], str, str, str]] = {
    "field in a request": (_one_more, "field", "request", "additive"),
    "field gone from an answer": (_one_less, "field", "response", "breaking"),
    "another type": (_retyped, "type", "response", "breaking"),
    "no moment any more": (_unmoment, "format", "response", "breaking"),
    "value in": (_value_in, "enum", "response", "additive"),
    "value out": (_value_out, "enum", "response", "additive"),
    "path": (_moved, "path", "operation", "breaking"),
    "parameter in": (_query_in, "parameter", "request", "additive"),
    "parameter needed": (_query_needed, "parameter", "request", "breaking"),
    "parameter out": (_query_out, "parameter", "request", "breaking"),
    "parameter retyped": (_query_retyped, "type", "request", "breaking"),
    "scope": (_other_scope, "scopes", "operation", "breaking"),
    "not required": (_not_required, "required", "response", "breaking"),
    "a limit where none was": (_come_round, "limit", "request", "breaking"),
}


@pytest.mark.parametrize("what", PAGE_CHANGES)
def test_what_changes_on_a_page_is_told(what: str, tmp_path: Path, run: Run) -> None:
    """One change of what a page states is one finding."""
    change, kind, direction, severity = PAGE_CHANGES[what]
    stated = kept("read_campaigns", fields=copy.deepcopy(FIELDS))
    change(stated)
    form = captures.Form(listed=True, glued=False, indented=True)
    path = tmp_path / "page.txt"
    path.write_text(captures.render(stated, form), "utf-8")
    status, found, err = run("--page", path, "--json")
    told = [(one["kind"], one["direction"], one["severity"]) for one in found]
    assert (status, err) == (1, "")
    assert told == [(kind, direction, severity)]
    assert all(one["operation"] == "read_campaigns" for one in found)


def _schema(document: Json, name: str) -> Json:
    return document["components"]["schemas"][name]["properties"]  # type: ignore[no-any-return]


SPEC_CHANGES: dict[str, tuple[str, Callable[[Json], object], str, str, str]] = {
    "closed enumeration opens": (
        "campaigns",
        lambda d: [
            _schema(d, f"BatchResponsePublicCampaign{more}").update(
                status={
                    "anyOf": [
                        _schema(d, "BatchResponsePublicCampaign")["status"],
                        {"type": "string"},
                    ]
                }
            )
            for more in ("", "WithErrors")
        ],
        "create_campaigns",
        "deviation",
        "additive",
    ),
    "an error's code comes round": (
        "calls",
        lambda d: _schema(d, "Error").update(errorType={"type": "string", "nullable": True}),
        "create_calls",
        "deviation",
        "additive",
    ),
    "sub-category comes half the way": (
        "calls",
        lambda d: _schema(d, "StandardError").update(subCategory={"type": "string"}),
        "create_calls",
        "type",
        "additive",
    ),
    "a success code changes": (
        "calls",
        lambda d: (
            answers := d["paths"]["/crm/v3/objects/calls/batch/create"]["post"]["responses"]
        ).update({"200": answers.pop("201")}),
        "create_calls",
        "status",
        "additive",
    ),
    "a new required field": (
        "calls",
        lambda d: d["components"]["schemas"]["SimplePublicObjectInput"].update(
            required=["associations", "properties", "objectWriteTraceId"]
        ),
        "create_calls",
        "required",
        "breaking",
    ),
    "a limit in a sentence": (
        "campaigns",
        lambda d: d["paths"]["/marketing/v3/campaigns/batch/create"]["post"].update(
            description="Up to 25 inputs in a batch."
        ),
        "create_campaigns",
        "limit",
        "breaking",
    ),
    "an operation is gone": (
        "campaigns",
        lambda d: d["paths"].pop("/marketing/v3/campaigns/batch/read"),
        "read_campaigns",
        "operation",
        "breaking",
    ),
    "no word of the limit": (
        "campaigns",
        lambda d: d["paths"]["/marketing/v3/campaigns/batch/create"]["post"].pop("description"),
        "",
        "",
        "",
    ),
    "a limit where none was": (
        "marketing-events",
        lambda d: d["components"]["schemas"]["BatchInputEventUpdate"]["properties"][
            "inputs"
        ].update(maxItems=500),
        "update_marketing_events",
        "limit",
        "additive",
    ),
    "the limit that we took": (
        "marketing-events",
        lambda d: d["components"]["schemas"]["BatchInputEventUpdate"]["properties"][
            "inputs"
        ].update(maxItems=100),
        "update_marketing_events",
        "deviation",
        "additive",
    ),
    "other words": (
        "campaigns",
        lambda d: d["components"]["schemas"]["PublicAsset"].update(description="An asset."),
        "",
        "",
        "",
    ),
}


@pytest.mark.parametrize("what", SPEC_CHANGES)
def test_what_changes_in_a_description_is_told(what: str, tmp_path: Path, run: Run) -> None:
    """Changes, and deviations that have had their day; wording of others tells nothing."""
    product, change, operation, kind, severity = SPEC_CHANGES[what]
    document = copy.deepcopy(published.description(product))
    change(document)
    status, found, _ = run("--spec", spec(tmp_path, document), "--json")
    told = {(one["operation"], one["kind"], one["severity"]) for one in found}
    # Operations that share a schema change with it, in the same way.
    assert {one for one in told if one[0] == operation} == (
        {(operation, kind, severity)} if kind else set()
    )
    assert {one[1:] for one in told} == ({(kind, severity)} if kind else set())
    assert status == bool(kind)


def test_a_deviation_that_changed_again_is_named(tmp_path: Path, run: Run) -> None:
    """The noted difference is shown beside the present one."""
    document = copy.deepcopy(published.description("calls"))
    _schema(document, "StandardError").update(subCategory={"type": "string"})
    _, every, _ = run("--spec", spec(tmp_path, document), "--json")
    (found,) = (one for one in every if one["operation"] == "create_calls")
    assert "The deviation sub-category was noted when HubSpot said 'object'." in found["why"]


def test_a_newer_version_differs_in_its_paths(tmp_path: Path, run: Run) -> None:
    """The operations are found at any version; where several are described, at ours."""
    newer = published.description("campaigns", "2027-03")
    status, found, _ = run("--spec", spec(tmp_path, newer), "--json")
    assert status == 1
    assert {(one["operation"], one["kind"], one["now"]) for one in found} == {
        ("create_campaigns", "path", "/marketing/campaigns/2027-03/batch/create"),
        ("read_campaigns", "path", "/marketing/campaigns/2027-03/batch/read"),
        ("update_campaigns", "path", "/marketing/campaigns/2027-03/batch/update"),
        ("archive_campaigns", "path", "/marketing/campaigns/2027-03/batch/archive"),
    }
    assert {one["file"] for one in found} == {"openapi/fragments/campaigns.yaml"}
    both = copy.deepcopy(published.description("campaigns"))
    both["paths"] |= newer["paths"]
    assert run("--spec", spec(tmp_path, both), "--json")[0] == 0


@pytest.mark.parametrize("version", published.VERSIONS)
@pytest.mark.parametrize("product", published.PRODUCTS)
def test_a_file_is_compared_with_its_version(
    tmp_path: Path, run: Run, product: str, version: str
) -> None:
    """The paths of that version are no news, nor is what it lacks; what differs from it is."""
    document = published.description(product, version)
    assert run("--spec", spec(tmp_path, document), "--json")[:2] == (0, [])
    path = published.path_of(product, version, "/batch/update")
    document["paths"][path]["post"]["security"] = [{"oauth2": ["other.scope"]}]
    status, (found,), _ = run("--spec", spec(tmp_path, document), "--json")
    assert (status, found["kind"]) == (1, "scopes")
    fragment = ROOT / found["file"]
    line = fragment.read_text("utf-8").splitlines()[found["line"] - 1]
    assert line.strip() == "security:"


def test_a_field_of_older_versions_is_missed_only_there(tmp_path: Path, run: Run) -> None:
    """Masked substrings went with 2026-09, so they are news there, and their end is in 2026-03."""
    older = published.description("marketing-events", "2026-03")
    newest = published.description("marketing-events", "2026-09")
    values = [one["components"]["schemas"]["PropertyValue"] for one in (older, newest)]
    values[1]["properties"]["maskedSubstrings"] = values[0]["properties"].pop("maskedSubstrings")
    values[0]["required"].remove("maskedSubstrings")
    for document, now in ((older, None), (newest, "object")):
        status, found, _ = run("--spec", spec(tmp_path, document), "--json")
        told = {(one["kind"], one["pointer"].rpartition("/")[2], one["now"]) for one in found}
        assert (status, told) == (1, {("field", "maskedSubstrings", now)})


def test_a_changed_copy_of_our_bundle(tmp_path: Path, run: Run) -> None:
    """There, wording counts, and nothing is expected to deviate."""
    text = (ROOT / "openapi" / "openapi.yaml").read_text("utf-8")
    path = tmp_path / "bundle.yaml"
    path.write_text(text.replace("A kind of connection. ", "A sort of connection. "), "utf-8")
    for sides in (("--spec", path), ("--old", ROOT / "openapi" / "openapi.yaml", "--new", path)):
        status, (found,), _ = run(*sides, "--json")
        assert (status, found["operation"], found["severity"]) == (1, "create_calls", "wording")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what the command reads."""
    home = tmp_path / "openapi"
    for folder in ("fragments", "pages"):
        (home / folder).mkdir(parents=True)
        for path in (ROOT / "openapi" / folder).glob("*.yaml"):
            (home / folder / path.name).write_bytes(path.read_bytes())
    for name in ("root.yaml", deviations.NAME):
        (home / name).write_bytes((ROOT / "openapi" / name).read_bytes())
    monkeypatch.setattr(command_line, "PROJECT", tmp_path)
    return home


def on_record(home: Path, operation: str, form: captures.Form, **more: Any) -> str:
    """A page whose facts are kept."""
    text = captures.render(kept(operation, **more), form)
    read = facts.Facts(**{**_attributes(reader.read(text, "page.txt")), "operation": operation})
    (home / "pages" / f"{operation}.yaml").write_text(facts.to_yaml(read), "utf-8")
    return text


def test_other_words_on_a_page(tmp_path: Path, run: Run, home: Path) -> None:
    """A sentence that was not there, in a language of which something is on record."""
    text = on_record(home, "create_calls", captures.Form())
    changed = tmp_path / "page.txt"
    changed.write_text(text.replace("This makes", "What it does, it makes"), "utf-8")
    status, (found,), _ = run("--page", changed, "--json")
    assert (status, found["kind"], found["severity"]) == (1, "wording", "wording")
    assert "What it does, it makes or changes many records" in found["now"]
    # The same words, broken at other places, and other figures are no other words.
    changed.write_text(text.replace(" makes or changes", "\nmakes  or\nchanges"), "utf-8")
    assert run("--page", changed, "--json") == (0, [], "")


def _attributes(read: facts.Facts) -> Json:
    return {name: getattr(read, name) for name in facts.Facts.__slots__ if name[:2] != "__"}


LIMIT = "The maximum number of records in a batch request is 50. "


def test_a_limit_that_is_taken_out(tmp_path: Path, run: Run, home: Path) -> None:
    """Where just its sentence is gone, that is a change of words; the server may be as it was."""
    text = on_record(home, "create_campaigns", captures.Form(glued=False))
    assert LIMIT in text
    path = tmp_path / "page.txt"
    path.write_text(text.replace(LIMIT, ""), "utf-8")
    status, (found,), _ = run("--page", path, "--json")
    assert (status, found["kind"], found["severity"]) == (1, "wording", "wording")
    assert "no longer says how many inputs a request may have" in found["why"]


@pytest.mark.parametrize("words", ["It takes fewer than twenty-six of them. ", None])
def test_a_limit_that_is_not_found(words: str | None, tmp_path: Path, run: Run, home: Path) -> None:
    """Said in another way, or cut out with what stands around it, it is no change."""
    text = on_record(home, "create_campaigns", captures.Form(glued=False))
    start, end = text.index("This makes"), text.index(LIMIT) + len(LIMIT)
    changed = text.replace(LIMIT, words) if words else text[:start] + text[end:]
    path = tmp_path / "page.txt"
    path.write_text(changed, "utf-8")
    status, out, err = run("--page", path, "--json")
    assert (status, out) == (2, "")
    assert "says no more of the most inputs of a request" in err


def _without_results(facts: Json) -> None:
    facts["response"]["results"] = []


def _without_partial(facts: Json) -> None:
    for side in ("response", "fields"):
        del facts[side]["errors"], facts[side]["numErrors"]


def _without_type(facts: Json) -> None:
    del facts["fields"]["numErrors"]


def _without_query(facts: Json) -> None:
    facts["query"] = {}


def _without_marks(facts: Json) -> None:
    facts["fields"] = {name: kind.partition(",")[0] for name, kind in facts["fields"].items()}


def _without_values(facts: Json) -> None:
    facts["enums"] = {}
    facts["response"]["status"] = "<string>"


LOST: dict[str, tuple[Callable[[Json], None], str]] = {
    "results": (_without_results, "what is in `results` of the response"),
    "partial": (_without_partial, "`errors`, which stand in the example of a partial success"),
    "type": (_without_type, "the type of `numErrors`"),
    "query": (_without_query, "the query parameters"),
    "marks": (_without_marks, "what is required"),
    "values": (_without_values, "the values of `status`"),
}


@pytest.mark.parametrize("what", LOST)
def test_what_a_page_lacks_is_not_lost_in_silence(
    what: str, tmp_path: Path, run: Run, home: Path
) -> None:
    """Nor taken for a change: it may have been captured without it."""
    form = captures.Form(listed=True, glued=False, indented=True)
    on_record(home, "read_campaigns", form, fields=FIELDS)
    stated = kept("read_campaigns", fields=copy.deepcopy(FIELDS))
    change, words = LOST[what]
    change(stated)
    path = tmp_path / "page.txt"
    path.write_text(captures.render(stated, form), "utf-8")
    status, out, err = run("--page", path, "--json")
    assert (status, out) == (2, "")
    assert words in err


@pytest.mark.parametrize(
    ("key", "value"),
    [("source", []), ("enums", None), ("enums", {"status": 1}), ("response", 5), ("request", {})],
)
def test_damaged_facts_end_in_a_sentence(
    key: str, value: Any, tmp_path: Path, run: Run, home: Path
) -> None:
    """Facts are data that people edit."""
    path = home / "pages" / "create_calls.yaml"
    path.write_text(yaml.safe_dump({**kept("create_calls"), key: value}), "utf-8")
    page_path = captured(tmp_path, "create_calls", captures.Form())
    status, _, err = run("--page", page_path)
    assert status == 2
    assert "these are no facts of a page" in err


# ---------------------------------------------------------------- two versions


def test_two_revisions_of_the_bundle(run: Run) -> None:
    """A git revision stands for its bundle; a file may be compared with one."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git repository")
    assert run("--old", "HEAD", "--new", "HEAD", "--json") == (0, [], "")
    text = "HEAD:openapi/openapi.yaml"
    assert run("--old", text, "--new", ROOT / "openapi" / "openapi.yaml", "--json")[0] in (0, 1)
    status, _, err = run("--old", "no-such-thing", "--new", "HEAD")
    assert status == 2
    assert "neither a file nor a git revision" in err


def test_two_published_descriptions(tmp_path: Path, run: Run) -> None:
    """Only our operations are looked at; wording is distinguished."""
    old = copy.deepcopy(published.description("campaigns"))
    new = copy.deepcopy(old)
    new["components"]["schemas"]["PublicAsset"]["properties"]["name"]["description"] = "A name."
    new["paths"].pop("/marketing/v3/campaigns/{id}/other0")
    paths = (spec(tmp_path, old, "old.json"), spec(tmp_path, new, "new.json"))
    status, found, _ = run("--old", paths[0], "--new", paths[1], "--json")
    told = {(one["operation"], one["severity"]) for one in found}
    assert (status, told) == (1, {("read_campaigns", "wording")})


# ---------------------------------------------------------------- Markdown


def markdown(document: Json, *, closed: bool = True) -> str:
    block = yaml.safe_dump(document, sort_keys=False)
    return (
        "> ## Index\n> Every page.\n\n# Create campaigns\n\n> Makes campaigns.\n\n"
        "export const A = () => {\n  return <b>{1}</b>;\n};\n\n<A />\n\n## OpenAPI\n\n"
        f"````yaml post /marketing/v3/campaigns/batch/create\n{block}"
        + ("````\n" if closed else "")
    )


def test_a_description_in_a_markdown_page(tmp_path: Path, run: Run) -> None:
    """It is of one operation, and the others of its family are not gone."""
    document = copy.deepcopy(published.description("campaigns", others=0))
    del document["paths"]["/marketing/v3/campaigns/batch/read"]
    path = tmp_path / "page.md"
    path.write_text(markdown(document), "utf-8")
    for option in ("--page", "--spec"):
        assert run(option, path, "--json") == (0, [], "")
    path.write_text(markdown(document, closed=False), "utf-8")
    for option in ("--page", "--spec"):
        status, out, err = run(option, path)
        assert (status, out) == (2, "")
        assert "has no end; the page is cut off" in err


# ---------------------------------------------------------------- what cannot be read


def bomb() -> str:
    lines = ["openapi: 3.0.1", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    return "\n".join([*lines, "paths: *a9"])


def doubling() -> str:
    document = copy.deepcopy(published.description("calls"))
    schemas = document["components"]["schemas"]
    for step in range(60):
        inner = {"$ref": f"#/components/schemas/S{step + 1}"}
        schemas[f"S{step}"] = {"allOf": [inner, inner]}
    schemas["S60"] = {"type": "string"}
    schemas["SimplePublicObject"]["properties"]["id"] = {"$ref": "#/components/schemas/S0"}
    return json.dumps(document)


WHOLE = json.dumps(published.description("calls"))
UNREADABLE: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "the file is empty"),
    "cut off": (WHOLE[: len(WHOLE) // 2], "it may be cut off"),
    "cut off after its head": (
        WHOLE[: WHOLE.index('"paths"')] + '"paths": {}}',
        "it describes no paths",
    ),
    "a page of text": ("Some words about calls.", "this is no API description"),
    "HTML": ("<!DOCTYPE html><html></html>", "this is no API description"),
    "a list": ("[]", "this is no API description"),
    "Swagger": ('{"swagger": "2.0", "paths": {}}', "Swagger 2.0"),
    "OpenAPI 2": ('{"openapi": "2.0", "paths": {"/a": {}}}', "versions 3.x are read"),
    "picture": (b"\x89PNG\r\n\x1a\n\0\0\0", "this is not"),
    "Latin-1": (b'{"openapi": "\xe9"}', "not UTF-8"),
    "zeros": (b"\0" * 1000, "this is not text"),
    "another product": (
        WHOLE.replace("/crm/v3/objects/calls", "/crm/v3/objects/notes"),
        "it describes none of our operations",
    ),
    "YAML bomb": (bomb(), "this is too large"),
    "YAML of many nodes": (
        "openapi: 3.0.1\npaths: [" + "a," * 6_000_000 + "]",
        "this is too large",
    ),
    "YAML that is none": ("openapi: 3.0.1\npaths: [", "this is not YAML"),
    "doubling": (doubling(), "too large once"),
    "nested too deeply": ('{"openapi": ' + "[" * 5000, "not JSON"),
    "nested too deeply, as YAML": ("openapi: 3.0.1\npaths: " + "[" * 5000, "nested too deeply"),
    "paths that are a list": ('{"openapi": "3.0.1", "paths": [1]}', "it describes no paths"),
    "an operation that is none": (
        WHOLE.replace('"requestBody": {', '"requestBody": 7, "other": {', 1),
        "this is no body",
    ),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_cannot_be_read_ends_in_a_sentence(what: str, tmp_path: Path) -> None:
    """Status 2, one line that names the file, within a minute and 2 GiB of memory."""
    content, words = UNREADABLE[what]
    path = tmp_path / "given"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = limited("--spec", str(path))
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert str(path) in done.stderr
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def limited(*arguments: str) -> subprocess.CompletedProcess[str]:
    def bounds() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, 2 * 2**30))

    return subprocess.run(
        [sys.executable, "-W", "error", TOOL, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=bounds,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("option", "most"), [("--spec", 64), ("--page", 2)])
def test_a_file_without_an_end_is_not_read(option: str, most: int, tmp_path: Path) -> None:
    """200 MB of blanks are refused by their size."""
    path = tmp_path / "large"
    with path.open("wb") as stream:
        stream.truncate(200 * 2**20)
    done = limited(option, str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"more than {most} MiB" in done.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (WHOLE, "give it as --spec"),
        ("openapi: 3.0.1\npaths: {}", "give it as --spec"),
        ("# A bundle.\n# Of ours.\nopenapi: 3.1.0\npaths: {}", "give it as --spec"),
        ("Some words.", "Missing: the operation"),
        (
            captures.render(
                {**kept("create_calls"), "path": "/crm/v3/objects/notes/batch/create"},
                captures.Form(),
            ),
            "POST /crm/v3/objects/notes/batch/create, which no fragment describes",
        ),
        ("{" * 100_000, "Missing: the operation"),
        ('{"inputs": ' + "[" * 100_000, "page"),
    ],
)
def test_a_page_that_is_none_ends_in_a_sentence(content: str, words: str, tmp_path: Path) -> None:
    """An API description, other words, another operation, brackets without end."""
    path = tmp_path / "page.txt"
    path.write_text(content, "utf-8")
    done = limited("--page", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_page_of_the_findings(tmp_path: Path, run: Run) -> None:
    """`--html` writes what is printed; where that cannot be, it is told."""
    given = captured(tmp_path, "create_campaigns", captures.Form(), limit=25)
    target = tmp_path / "report.html"
    status, (found,), _ = run("--page", given, "--json", "--html", target)
    assert status == 1
    assert found["why"] in target.read_text("utf-8")
    status, out, err = run("--page", given, "--html", tmp_path / "none" / "report.html")
    assert (status, out) == (2, "")
    assert "cannot be written" in err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--spec", "a", "--page", "b"],
        ["--old", "a"],
        ["--new", "a"],
        ["--spec", "a", "--old", "a", "--new", "b"],
    ],
)
def test_wrong_use(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One thing at a time."""
    with pytest.raises(SystemExit) as caught:
        drift.main(arguments)
    assert caught.value.code == 2
    assert "give --spec FILE" in capsys.readouterr().err


def test_a_missing_file(run: Run, tmp_path: Path) -> None:
    """Is named, with the reason."""
    for option in ("--spec", "--page"):
        status, out, err = run(option, tmp_path / "none")
        assert (status, out) == (2, "")
        reason = "cannot be read (No such file or directory); look at its path."
        assert err == f"{tmp_path / 'none'}: {reason}\n"


# ---------------------------------------------------------------- bounds, streams, revisions


ENDLESS = {
    "blank lines": ("--spec", "x" + "\n" * 500_000 + "y"),
    "fences": ("--spec", "```\n```\n" * 500_000),
    "a method and blanks": ("--page", "POST" + " " * 200_000 + "x"),
    "blank lines in a page": ("--page", "```\n" + "\n" * 300_000 + "x"),
    "tags without an end": ("--page", "```\n" + "<A\n" * 200_000),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_what_is_searched_for_is_searched_once(what: str, tmp_path: Path) -> None:
    """Text in which each place could be the beginning ends in a sentence, in time."""
    option, text = ENDLESS[what]
    path = tmp_path / "given"
    path.write_text(text, "utf-8")
    done = limited(option, str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def test_what_is_deep_or_long_ends_in_a_sentence(tmp_path: Path, run: Run) -> None:
    """References that go on and on; and a number with more digits than Python converts."""
    document = copy.deepcopy(published.description("calls"))
    schemas = document["components"]["schemas"]
    for step in range(400):
        following = {"$ref": f"#/components/schemas/S{step + 1}"}
        schemas[f"S{step}"] = {"type": "object", "properties": {"a": following}}
    schemas["S400"] = {"type": "string"}
    schemas["SimplePublicObject"]["properties"]["url"] = {"$ref": "#/components/schemas/S0"}
    path = spec(tmp_path, document)
    status, out, err = run("--old", path, "--new", path)
    assert (status, out) == (2, "")
    assert "nested too deeply" in err
    document = copy.deepcopy(published.description("calls"))
    (item,) = (item for name, item in document["paths"].items() if name.endswith("batch/create"))
    item["post"]["description"] = f"Up to {'1' * 5000} inputs."
    assert run("--spec", spec(tmp_path, document), "--json") == (0, [], "")


def test_of_two_files_the_one_that_is_wrong_is_named(tmp_path: Path, run: Run) -> None:
    """Whichever side it is."""
    wrong, right = tmp_path / "wrong.json", spec(tmp_path, published.description("calls"))
    wrong.write_text(doubling(), "utf-8")
    for sides in (("--old", wrong, "--new", right), ("--old", right, "--new", wrong)):
        status, out, err = run(*sides)
        assert (status, out) == (2, "")
        assert err.startswith(f"{wrong}: ")


def test_a_stream_that_is_not_utf8_holds_what_it_can(tmp_path: Path) -> None:
    """In words with escapes, and as JSON that is none the less JSON."""
    document = copy.deepcopy(published.description("calls"))
    _schema(document, "SimplePublicObject")["na\u00efve"] = {"type": "string"}
    path = spec(tmp_path, document)
    for more in ((), ("--json",)):
        done = subprocess.run(
            [sys.executable, TOOL, "--spec", path, *more],
            env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (1, "")
        if more:
            assert json.loads(done.stdout)[0]["pointer"].endswith("/na\u00efve")


def test_who_reads_may_stop_early(tmp_path: Path) -> None:
    """A closed pipe is no error, and no other status."""
    document = copy.deepcopy(published.description("calls"))
    _schema(document, "SimplePublicObject")["more"] = {"type": "string"}
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as stream:
        done = subprocess.run(
            [sys.executable, TOOL, "--spec", spec(tmp_path, document)],
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=stream,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "")


def test_what_is_neither_a_file_nor_a_revision(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder, a name that no file can have, and a machine without git."""
    for given in (tmp_path, "a" * 5000):
        status, out, err = run("--old", given, "--new", "HEAD")
        assert (status, out) == (2, "")
        assert "neither a file nor a git revision" in err
    assert run("--old", "", "--new", "HEAD")[:2] == (2, "")
    monkeypatch.setenv("PATH", str(tmp_path))
    status, _, err = run("--old", "HEAD", "--new", "HEAD")
    assert status == 2
    assert "git is not installed" in err


def test_another_repository_of_the_caller_is_not_asked(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook has GIT_DIR set; revisions are ours nevertheless."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git repository")
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    assert run("--old", "HEAD", "--new", "HEAD", "--json") == (0, [], "")
