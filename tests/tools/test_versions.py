"""The versions of operations and fields in fragments, and the operations that come page by page."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from generation import bundle, contract_module, families_module, versions
from generation.operation_meaning import ContractError

HOME = Path(__file__).parents[2] / "openapi"
CREATE = "/crm/v3/objects/calls/batch/create"
SEARCH = "/crm/v3/objects/calls/search"
Document = dict[str, Any]


@pytest.fixture(scope="module")
def joined() -> Document:
    return bundle.join(HOME).document


@pytest.fixture
def document(joined: Document) -> Document:
    """The real bundle, to be spoilt."""
    return copy.deepcopy(joined)


def render(document: Document) -> tuple[str, str]:
    """Write both modules, or say why not."""
    return contract_module.render(document), families_module.render(document)


def listed(document: Document) -> Document:
    found: Document = document["paths"][CREATE]["post"]["x-versions"]
    return found


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda d: listed(d).pop("v3"), "no version in `x-versions` has the path"),
        (lambda d: listed(d).update({"3": "/crm/objects/3"}), "'3' is no version"),
        (lambda d: listed(d).update({"v4": "crm/v4"}), "a path begins with a slash"),
        (lambda d: listed(d).update({"v4": "/crm/v4/{type}"}), "other names in braces"),
        (lambda d: listed(d)["2026-09"].update(status=404), "the status of a success"),
        (lambda d: listed(d)["2026-09"].update(strict="yes"), "write true or false"),
        (lambda d: listed(d)["2026-09"].update(statuss=201), "did you mean status"),
        (
            lambda d: listed(d).update({"v4": "/crm/objects/2026-03/calls/batch/read"}),
            "is the path of",
        ),
        (
            lambda d: d["components"]["schemas"]["CallInput"]["properties"]["properties"].update(
                {"x-versions": ["2026-3"]}
            ),
            "the nearest is 2026-03",
        ),
        (
            lambda d: d["components"]["schemas"]["CallInput"].update({"x-versions": ["v3"]}),
            "an operation or a field",
        ),
    ],
)
def test_a_mistake_is_refused(document: Document, spoil: Any, words: str) -> None:
    """With its place and what to do."""
    spoil(document)
    with pytest.raises(ContractError) as caught:
        render(document)
    assert words in caught.value.text


def test_a_version_has_its_own_description(joined: Document) -> None:
    """Paths are those of the version, and fields that it lacks are not there."""
    newest, older = (versions.document_in(joined, name) for name in ("2026-09", "2026-03"))
    assert all("/2026-09" in path for path in newest["paths"])
    assert len(newest["paths"]) == len(joined["paths"])
    fields = [one["components"]["schemas"]["CustomPropertyInput"] for one in (newest, older)]
    assert ["maskedSubstrings" in one["properties"] for one in fields] == [False, True]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda s: s["CallSearch"]["properties"].pop("after"), "has no argument `after`"),
        (lambda s: s["CallSearch"]["properties"]["limit"].pop("maximum"), "has no `maximum`"),
        (lambda s: s["CallPage"]["properties"].pop("paging"), "its end could not be known"),
        (lambda s: s["CallPage"]["properties"].pop("results"), "has no list `results`"),
    ],
)
def test_pages_without_an_end_are_refused(document: Document, spoil: Any, words: str) -> None:
    """Nothing is accepted that could end short."""
    spoil(document["components"]["schemas"])
    with pytest.raises(ContractError) as caught:
        render(document)
    assert words in caught.value.text


def test_another_list_is_a_fragment_and_no_line_of_python(document: Document) -> None:
    """Its first word says that it comes page by page; a family of its own gets the method."""
    operation = copy.deepcopy(document["paths"][SEARCH]["post"])
    operation |= {"operationId": "search_notes", "tags": ["notes"]}
    operation["x-versions"] = {"v3": "/crm/v3/objects/notes/search"}
    document["paths"]["/crm/v3/objects/notes/search"] = {"post": operation}
    contract, families = render(document)
    assert "'search_notes': Listing(" in contract
    assert "class AsyncNotes(_AsyncFamily):" in families
