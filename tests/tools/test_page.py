"""A captured page: every form of it states the same facts, and half a page states none."""

from __future__ import annotations

import contextlib
import copy
import itertools
import time
from pathlib import Path
from typing import Any

import captures
import pytest
from attrs import asdict, evolve
from comparison.description import UnreadableError
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from page_facts import CAPTURED, FIELDS, OPERATIONS, facts_of, kept
from pages import reader
from pages.facts import Facts


def stated(facts: Facts, *, listed: bool) -> dict[str, Any]:
    """Return what was read, in the form of the file."""
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
    captures.Form,
    language=st.sampled_from(captures.LANGUAGES),
    described=st.sampled_from(["before", "between", "after"]),
    **{
        name: st.booleans()
        for name in (
            *("twice", "indented", "glued", "split_path", "heading", "samples", "listed"),
            *("markdown", "windows", "short_call", "spaced", "buttons", "expanded"),
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
    form: captures.Form,
    operation: str,
    limit: int | None,
    order: str | None,
    scopes: list[str] | None,
) -> None:
    """Language, order, glue, samples, Markdown: the facts are those that were put in."""
    facts = kept(operation, limit=limit, order_of_results=order, scopes=scopes, fields=FIELDS)
    facts["query"] = {"endDate": "string", "names": "string[], required"}
    read = reader.read(captures.render(facts, form), "page.txt")
    assert stated(read, listed=form.listed) == expected(facts, listed=form.listed)
    assert (read.fields is None) == (not form.listed)


def without_prose(facts: Facts) -> dict[str, Any]:
    return asdict(evolve(facts, sources=()))


WHOLE = {
    f"{operation}, {name}": captures.render(
        kept(operation, fields=FIELDS, query={"a": "string"}), form
    )
    for operation in OPERATIONS
    for name, form in {
        "glued": captures.Form(),
        "whole": captures.Form(glued=False, listed=True, indented=True, split_path=True),
        "described first": captures.Form(described="before", twice=False),
        "Markdown": captures.Form(markdown=True, glued=False, described="before"),
    }.items()
} | {path.name: path.read_text("utf-8") for path in CAPTURED}


@pytest.mark.many
@pytest.mark.parametrize("name", WHOLE)
def test_half_a_page_states_nothing(name: str) -> None:
    """Cut off anywhere, it is refused, or has lost nothing but words at its end."""
    text = WHOLE[name]
    whole = without_prose(reader.read(text, "page.txt"))
    refused = 0
    for cut in itertools.chain(range(0, len(text), 7), range(len(text) - 40, len(text))):
        try:
            half = reader.read(text[:cut], "page.txt")
        except UnreadableError:
            refused += 1
        else:
            assert without_prose(half) == whole, text[cut - 60 : cut]
    assert refused > 20


@given(operation=st.sampled_from(OPERATIONS), data=st.data())
def test_a_page_without_its_beginning(operation: str, data: st.DataObject) -> None:
    """The rest of such a page is refused, or states the same."""
    text = captures.render(kept(operation), captures.Form(described="after"))
    whole = without_prose(reader.read(text, "page.txt"))
    start = data.draw(st.integers(1, len(text)))
    try:
        rest = reader.read(text[start:], "page.txt")
    except UnreadableError:
        return
    assert without_prose(rest) == whole


@settings(max_examples=200)
@given(text=st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_anything_else_is_refused(text: str) -> None:
    """No text at all makes it stumble."""
    assume("inputs" not in text)
    with pytest.raises(UnreadableError):
        reader.read(text, "page.txt")


def test_what_was_found_is_told() -> None:
    """The sentence names what is there and what is not."""
    text = captures.render(kept("create_calls"), captures.Form(twice=False))
    cut = text[: text.index('"completedAt"') - 2]
    with pytest.raises(UnreadableError) as caught:
        reader.read(cut, "calls.txt")
    assert str(caught.value) == (
        "calls.txt: this is not a whole page of a batch endpoint. Found: the operation, an example "
        "of the request (with `inputs`). Missing: an example of the response (with `results`). "
        "Capture the page again, from its top to its end."
    )


def test_a_page_of_two_operations_is_refused() -> None:
    """One page is about one operation."""
    texts = [captures.render(kept(name), captures.Form()) for name in OPERATIONS[:2]]
    with pytest.raises(UnreadableError, match="speaks of several operations"):
        reader.read("\n".join(texts), "page.txt")


def test_two_limits_are_refused() -> None:
    """Which one holds is not guessed."""
    texts = [
        captures.render(kept("create_calls", limit=limit), captures.Form()) for limit in (50, 100)
    ]
    with pytest.raises(UnreadableError, match="names two limits, 50 and 100"):
        reader.read("\n".join(texts), "page.txt")


def test_a_request_that_runs_into_the_response_is_refused() -> None:
    """Where the end of one and the beginning of the other were cut out."""
    facts = kept("create_calls")
    facts["request"] |= facts["response"]
    with pytest.raises(UnreadableError, match="holds `completedAt` of a response"):
        reader.read(captures.render(facts, captures.Form()), "page.txt")


def test_examples_that_contradict_each_other_are_refused() -> None:
    """A field cannot be a text and a number."""
    facts = kept("create_calls")
    other = copy.deepcopy(facts)
    other["response"]["numErrors"] = "<string>"
    texts = [captures.render(one, captures.Form(twice=False)) for one in (facts, other)]
    with pytest.raises(UnreadableError, match="contradict each other"):
        reader.read("\n".join(texts), "page.txt")


@pytest.mark.parametrize("language", captures.LANGUAGES)
def test_the_language_is_told(language: str) -> None:
    """By its small words."""
    facts = kept("create_campaigns", fields=FIELDS)
    read = reader.read(captures.render(facts, captures.Form(language=language, listed=True)), "p")
    assert read.sources[0].language == language


def altered(operation: str, old: str, new: str, **more: Any) -> str:
    """A page in which something stands otherwise."""
    text = captures.render(kept(operation, **more), captures.Form(glued=False))
    assert old in text
    return text.replace(old, new)


VALUES = "CANCELED, COMPLETE, PENDING, PROCESSING"


@pytest.mark.parametrize(
    "shown",
    [
        "CANCELED,COMPLETE,PENDING,PROCESSING ",
        "CANCELED, COMPLETE,\nPENDING, PROCESSING ",
        "CANCELED,\n\nCOMPLETE,\n\nPENDING,\n\nPROCESSING\n",
        "CANCELED, COMPLETE, PENDING, PROCESSING",
    ],
)
def test_a_list_of_values_is_read_to_its_end(shown: str) -> None:
    """However it is set, and with the text that follows glued to it."""
    read = reader.read(altered("create_calls", f"{VALUES} Show", f"{shown}Show"), "page.txt")
    assert read.enums == {"status": VALUES.split(", ")}


@pytest.mark.parametrize(
    "sentence",
    [
        "It is one of: CANCELED, COMPLETE, PENDING, PROCESSING, QUEUED.",
        "It is one of `CANCELED`, `COMPLETE`, `PENDING`, `PROCESSING` and `QUEUED`.",
        "Es gibt die Werte CANCELED, COMPLETE oder QUEUED.",
        "Les valeurs sont \u00ab CANCELED \u00bb, \u00ab QUEUED \u00bb.",
        "Los valores: CANCELED / QUEUED y COMPLETE.",
        "Either CANCELED or QUEUED. ",
    ],
)
@pytest.mark.parametrize("listed", [True, False])
def test_a_value_that_only_a_sentence_names(sentence: str, listed: bool) -> None:
    """It counts beside those of the list, whichever form the page has."""
    form = captures.Form(listed=listed, glued=False)
    text = captures.render(kept("read_campaigns", fields=FIELDS), form)
    line = captures.field_sentence("English", "status")
    assert line in text
    read = reader.read(text.replace(line, f"{line} {sentence}"), "page.txt")
    assert read.enums == {"status": [*VALUES.split(", "), "QUEUED"]}


@pytest.mark.parametrize(
    "lines",
    [
        "CANCELED,\nCOMPLETE,\nPENDING,\nPROCESSING, QUEUED",
        "CANCELED, COMPLETE,\nPENDING, PROCESSING, QUEUED",
        "CANCELED, COMPLETE, PENDING, PROCESSING, QUEUED",
        "CANCELED,COMPLETE,\n\nPENDING,\nPROCESSING,QUEUED",
    ],
)
def test_several_values_may_stand_on_a_line(lines: str) -> None:
    """However the lines of a list are broken, it has all of its values."""
    form = captures.Form(listed=True, glued=False)
    text = captures.render(kept("read_campaigns", fields=FIELDS), form)
    usual = VALUES.replace(", ", ",\n")
    assert usual in text
    read = reader.read(text.replace(usual, lines), "page.txt")
    assert read.enums == {"status": [*VALUES.split(", "), "QUEUED"]}


@pytest.mark.parametrize("name", ["listed", "glued"])
def test_a_list_without_the_value_of_the_example_is_refused(name: str) -> None:
    """Its beginning is cut off."""
    form = captures.Form(listed=name == "listed", glued=False)
    text = captures.render(kept("read_campaigns", fields=FIELDS), form)
    with pytest.raises(UnreadableError, match="status"):
        reader.read(text.replace("CANCELED,", ""), "page.txt")


def test_variables_named_curl_begin_no_sample() -> None:
    """The text between them and the next response counts as words."""
    text = altered("create_campaigns", "\n\nThis makes", "\n\n$curl = curl_init();\n\nThis makes")
    assert reader.read(text, "page.txt").limit == 50


def test_a_call_without_its_response_ends_before_the_words() -> None:
    """Where the first response is cut out, the sentences after it stay."""
    facts = kept("create_campaigns")
    text = captures.render(facts, captures.Form(glued=False))
    start, end = text.index('{\n"completedAt"'), text.index("This makes")
    assert reader.read(text[:start] + text[end:], "page.txt").limit == 50


def test_copies_of_which_each_has_more_are_refused() -> None:
    """One of them is damaged."""
    facts = kept("create_calls")
    other = copy.deepcopy(facts)
    other["response"]["numFailures"] = other["response"].pop("numErrors")
    texts = [captures.render(one, captures.Form(twice=False)) for one in (facts, other)]
    with pytest.raises(UnreadableError, match="each has fields that the other lacks"):
        reader.read("\n".join(texts), "page.txt")


def test_an_example_with_a_field_twice_is_refused() -> None:
    """Something in its middle is cut out."""
    text = altered("create_calls", '"numErrors"', '"status": "x",\n"numErrors"')
    with pytest.raises(UnreadableError, match="a field stands in it twice"):
        reader.read(text, "page.txt")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"numErrors": 123', f'"numErrors": {"9" * 5000}'),
        ('"links": {}', '"links": ' + '{"a":' * 400 + "1" + "}" * 400),
        ("--request POST", "--request FETCH"),
        ("Was this page helpful?", "Last modified on March 99, 2026"),
        ("Was this page helpful?", f"A batch has at most {'9' * 5000} inputs."),
    ],
)
def test_a_page_with_one_strange_thing(old: str, new: str) -> None:
    """It is refused, or the thing is no fact; nothing stumbles."""
    read = None
    with contextlib.suppress(UnreadableError):
        read = reader.read(altered("create_calls", old, new), "page.txt")
    if read:
        assert (read.limit, read.method, read.sources[0].modified) == (None, "POST", None)


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "POST" + " " * 50,
            "{",
            '{"',
            '{"a":x',
            "A, ",
            "A,\n",
            "A, \n",
            "\n\n<A",
            "export const\n",
        ),
        *("curl https:\n", "```\n", "```\n<A ", "```\nimport a\n", " ", "\n", "/a", "max ", "9 "),
    ],
)
def test_a_long_page_takes_its_time_and_no_more(piece: str) -> None:
    """No pattern looks at the same text again and again: that would take minutes, not a second."""
    text = captures.render(kept("create_calls"), captures.Form())
    begun = time.process_time()
    for content in (text + piece * (300_000 // len(piece)), piece * (300_000 // len(piece))):
        with contextlib.suppress(UnreadableError):
            reader.read(content, "page.txt")
    assert time.process_time() - begun < 60


LIMITS = {
    "Each request can include no more than 25 records.": 25,
    "Up to 25 items.": 25,
    "A request cannot exceed 25 inputs.": 25,
    "You can make up to 1,000 of them at once.": 1000,
    "Un lot ne peut pas dépasser 25 fiches.": 25,
    "Au maximum 1\u202f000 éléments.": 1000,
    "Ein Batch ist auf 25 Elemente beschränkt.": 25,
    "Bis zu 1.000 Elemente.": 1000,
    "El lote no puede superar los 25 registros.": 25,
    "Hasta 25 elementos.": 25,
    "Up to 65,536 characters.": None,
    "It was made with 12 others.": None,
}


@pytest.mark.parametrize("sentence", LIMITS)
def test_a_limit_in_other_words(sentence: str) -> None:
    """In every language, and with the figures that are written there."""
    text = altered("create_calls", "This makes", f"{sentence} This makes")
    assert reader.read(text, "page.txt").limit == LIMITS[sentence]


@pytest.mark.skipif(not CAPTURED, reason="the captured pages are not beside the project")
@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.name)
def test_the_captured_pages_state_what_is_kept(path: Path) -> None:
    """The facts that were read off HubSpot's pages once are read off them still."""
    read = reader.read(path.read_text("utf-8"), path.name)
    (facts,) = (facts_of(name) for name in OPERATIONS if facts_of(name)["path"] == read.path)
    assert stated(read, listed=False) == expected(facts, listed=False)
    (source,) = (one for one in facts["source"] if one["page"] == path.name)
    assert [*read.sources[0].prose] == source["prose"]
    assert read.sources[0].language == source["language"]
