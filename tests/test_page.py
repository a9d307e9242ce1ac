"""A captured page: every form of it states the same facts, and half a page states none."""

from __future__ import annotations

import copy
import itertools
from functools import cache
from pathlib import Path
from typing import Any

import page
import pages
import pytest
import yaml
from attrs import asdict, evolve
from description import UnreadableError
from facts import Facts
from hypothesis import assume, given, settings
from hypothesis import strategies as st

HOME = Path(__file__).parents[1] / "openapi"
OPERATIONS = tuple(sorted(path.stem for path in HOME.glob("pages/*.yaml")))
# Captures of HubSpot's own pages are HubSpot's, so they are no part of the project; where they lie
# beside it, they are read too.
CAPTURED = tuple(sorted((HOME.parents[1] / "shared" / "pages").glob("*.txt")))

FIELDS = {
    "completedAt": "string<date-time>, required",
    "results": "object[], required",
    "startedAt": "string<date-time>, required",
    "status": "enum<string>, required",
    "errors": "object[]",
    "links": "object",
    "numErrors": "integer<int32>",
    "requestedAt": "string<date-time>",
}


@cache
def _kept(operation: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((HOME / "pages" / f"{operation}.yaml").read_text("utf-8"))
    return data


def kept(operation: str, **more: Any) -> dict[str, Any]:
    """The facts of an operation as they are kept, in full where a form can show more."""
    return {**copy.deepcopy(_kept(operation)), "scopes": None, "fields": None, **more}


def stated(facts: Facts, *, listed: bool) -> dict[str, Any]:
    """What was read, in the form of the file."""
    shown = {
        name: getattr(facts, name)
        for name in ("method", "path", "limit", "order_of_results", "enums", "request", "response")
    }
    shown["scopes"] = None if facts.scopes is None else [*facts.scopes]
    if listed:
        for name in ("query", "fields"):
            given = getattr(facts, name) or {}
            shown[name] = {
                key: f"{fact.type}, required" if fact.required else fact.type
                for key, fact in given.items()
            }
    return shown


def expected(facts: dict[str, Any], *, listed: bool) -> dict[str, Any]:
    names = ["method", "path", "limit", "order_of_results", "enums", "request", "response"]
    wanted = {name: facts[name] for name in (*names, "scopes")}
    if listed:
        wanted |= {"query": facts["query"] or {}, "fields": facts["fields"]}
    return wanted


FORMS = st.builds(
    pages.Form,
    language=st.sampled_from(pages.LANGUAGES),
    described=st.sampled_from(["before", "between", "after"]),
    **{
        name: st.booleans()
        for name in (
            *("twice", "indented", "glued", "split_path", "heading", "samples", "listed"),
            *("markdown", "windows"),
        )
    },
)


@settings(max_examples=300)
@given(
    form=FORMS,
    operation=st.sampled_from(OPERATIONS),
    limit=st.none() | st.integers(1, 5000),
    order=st.sampled_from([None, "not guaranteed"]),
    scopes=st.none() | st.just(["crm.objects.contacts.write", "oauth.more"]),
)
def test_every_form_states_the_same(
    form: pages.Form, operation: str, limit: int | None, order: str | None, scopes: list[str] | None
) -> None:
    """Language, order, glue, samples, Markdown: the facts are those that were put in."""
    facts = kept(operation, limit=limit, order_of_results=order, scopes=scopes, fields=FIELDS)
    facts["query"] = {"endDate": "string", "names": "string[], required"}
    read = page.read(pages.render(facts, form), "page.txt")
    assert stated(read, listed=form.listed) == expected(facts, listed=form.listed)
    assert (read.fields is None) == (not form.listed)


def without_prose(facts: Facts) -> dict[str, Any]:
    return asdict(evolve(facts, sources=()))


WHOLE = {
    f"{operation}, {name}": pages.render(
        kept(operation, fields=FIELDS, query={"a": "string"}), form
    )
    for operation in OPERATIONS
    for name, form in {
        "glued": pages.Form(),
        "whole": pages.Form(glued=False, listed=True, indented=True, split_path=True),
        "described first": pages.Form(described="before", twice=False),
        "Markdown": pages.Form(markdown=True, glued=False, described="before"),
    }.items()
} | {path.name: path.read_text("utf-8") for path in CAPTURED}


@pytest.mark.many
@pytest.mark.parametrize("name", WHOLE)
def test_half_a_page_states_nothing(name: str) -> None:
    """Cut off anywhere, it is refused, or has lost nothing but words at its end."""
    text = WHOLE[name]
    whole = without_prose(page.read(text, "page.txt"))
    refused = 0
    for cut in itertools.chain(range(0, len(text), 7), range(len(text) - 40, len(text))):
        try:
            half = page.read(text[:cut], "page.txt")
        except UnreadableError:
            refused += 1
        else:
            assert without_prose(half) == whole, text[cut - 60 : cut]
    assert refused > 20


@given(operation=st.sampled_from(OPERATIONS), data=st.data())
def test_a_page_without_its_beginning(operation: str, data: st.DataObject) -> None:
    """What is left of its end is refused, or states the same."""
    text = pages.render(kept(operation), pages.Form(described="after"))
    whole = without_prose(page.read(text, "page.txt"))
    start = data.draw(st.integers(1, len(text)))
    try:
        rest = page.read(text[start:], "page.txt")
    except UnreadableError:
        return
    assert without_prose(rest) == whole


@settings(max_examples=200)
@given(text=st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_anything_else_is_refused(text: str) -> None:
    """No text at all makes it stumble."""
    assume("inputs" not in text)
    with pytest.raises(UnreadableError):
        page.read(text, "page.txt")


def test_what_was_found_is_told() -> None:
    """The sentence names what is there and what is not."""
    text = pages.render(kept("create_calls"), pages.Form(twice=False))
    cut = text[: text.index('"completedAt"') - 2]
    with pytest.raises(UnreadableError) as caught:
        page.read(cut, "calls.txt")
    assert str(caught.value) == (
        "calls.txt: this is not a whole page of a batch endpoint. Found: the operation, an example "
        "of the request (with `inputs`). Missing: an example of the response (with `results`). "
        "Capture the page again, from its top to its end."
    )


def test_a_page_of_two_operations_is_refused() -> None:
    """One page is about one operation."""
    texts = [pages.render(kept(name), pages.Form()) for name in OPERATIONS[:2]]
    with pytest.raises(UnreadableError, match="speaks of several operations"):
        page.read("\n".join(texts), "page.txt")


def test_two_limits_are_refused() -> None:
    """Which one holds is not guessed."""
    texts = [pages.render(kept("create_calls", limit=limit), pages.Form()) for limit in (50, 100)]
    with pytest.raises(UnreadableError, match="names two limits, 50 and 100"):
        page.read("\n".join(texts), "page.txt")


def test_examples_that_contradict_each_other_are_refused() -> None:
    """A field cannot be a text and a number."""
    facts = kept("create_calls")
    other = copy.deepcopy(facts)
    other["response"]["numErrors"] = "<string>"
    texts = [pages.render(one, pages.Form(twice=False)) for one in (facts, other)]
    with pytest.raises(UnreadableError, match="contradict each other"):
        page.read("\n".join(texts), "page.txt")


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_the_language_is_told(language: str) -> None:
    """By its small words."""
    facts = kept("create_campaigns", fields=FIELDS)
    read = page.read(pages.render(facts, pages.Form(language=language, listed=True)), "p")
    assert read.sources[0].language == language


@pytest.mark.skipif(not CAPTURED, reason="the captured pages are not beside the project")
@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.name)
def test_the_captured_pages_state_what_is_kept(path: Path) -> None:
    """What was read off HubSpot's pages once is read off them still."""
    read = page.read(path.read_text("utf-8"), path.name)
    (facts,) = (_kept(name) for name in OPERATIONS if _kept(name)["path"] == read.path)
    assert stated(read, listed=False) == expected(facts, listed=False)
    (source,) = (one for one in facts["source"] if one["page"] == path.name)
    assert [*read.sources[0].prose] == source["prose"]
    assert read.sources[0].language == source["language"]
