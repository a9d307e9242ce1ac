"""Looking up whose value one can be, against comparing everything with everything."""

from __future__ import annotations

import html
import json
import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from hubspot_batch._matching.by_properties import _PropertyIndex, match_by_properties
from hubspot_batch._matching.items import EncodedInput
from hubspot_batch._matching.match import Results
from hubspot_batch._matching.value_forms import (
    forms_of_sent,
    forms_of_stored,
    instant_of,
    letters_and_digits,
    letters_and_digits_ascii,
)
from hubspot_batch.sandbox.clock import parse_datetime
from hypothesis import example, given, settings
from hypothesis import strategies as st

Properties = Mapping[str, Any]

SENT = ("A", "a", " A", "\uff21", "B", "", " ", "5", "5.0", "05", "6", "-5", "inf", "nan", "-nan")
SENT += ("\u0665", "A&amp;B", "A & B", "A B", "AB", "ABC", "<b>A</b>", "5.25", "\u201cA\u201d", "-")
TIMES = ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-01", "1767225600000")
TIMES += ("2026-01-01 00:00:00Z", "2026-01-0100:00:00z", "2026-01-02", "9" * 30, "01/02/2026")
TIMES += ("2026-01-01T00:00:00.000400Z", "2026-01-01T00:00:00.4Z")
STORED = (*SENT, *TIMES, None, 5, 5.0, True, 1, ("A",))
NAMES = ("n", "m", "o")


def becomes(sent: object, stored: object) -> bool:
    """Whether a server can have stored one as the other, cut ends aside."""
    return sent == stored or bool(forms_of_sent(sent) & forms_of_stored(stored))


def or_cut(sent: object, stored: object, longest: int) -> bool:
    """The same, where no result has a longer text than this one."""
    if becomes(sent, stored) or not isinstance(sent, str) or not isinstance(stored, str):
        return becomes(sent, stored)
    rest = sent[len(stored) :]
    lost = len(rest) - len(rest.lstrip()) if sent.startswith(stored) else 2
    at_the_limit = max(len(stored), len(stored.encode())) + lost >= longest
    return (
        at_the_limit
        and letters_and_digits(stored) != ""
        and letters_and_digits(sent).startswith(letters_and_digits(stored))
    )


@given(
    inputs=st.lists(
        st.dictionaries(st.sampled_from(NAMES), st.sampled_from((*SENT, *TIMES))), max_size=6
    ),
    stored=st.dictionaries(st.sampled_from((*NAMES, "x")), st.sampled_from(STORED)),
    longest=st.sampled_from([0, 2, 1000]),
)
def test_looking_up_is_as_good_as_comparing(
    inputs: list[Properties], stored: Properties, longest: int
) -> None:
    """The same inputs are found, and the same are not set apart from them."""
    others = dict.fromkeys(NAMES, "x" * longest)
    index = _PropertyIndex(inputs, [stored, others])
    numbers = range(len(inputs))

    def repeats(sent: Properties) -> bool:
        common = sent.keys() & stored.keys()
        return bool(common) and all(becomes(sent[name], stored[name]) for name in common)

    def limit(name: str) -> int:
        mine = stored[name]
        return max(longest, len(mine) if isinstance(mine, str) else 0)

    def set_apart(sent: Properties, other: Properties) -> bool:
        common = sent.keys() & stored.keys() & other.keys()
        return any(not or_cut(other[name], stored[name], limit(name)) for name in common)

    wanted = {
        n: {m for m in numbers if m == n or not set_apart(inputs[n], inputs[m])}
        for n in numbers
        if repeats(inputs[n])
    }
    assert dict(index.candidates(stored)) == wanted
    possible = [
        n
        for n in numbers
        if not (common := inputs[n].keys() & stored.keys())
        or any(or_cut(inputs[n][name], stored[name], limit(name)) for name in common)
    ]
    assert [n for n in numbers if index.may_belong_to(stored, n)] == possible


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2026-01-31T09:30:00.123456Z", "2026-01-31T09:30:00.123Z"),
        ("2026-01-31T09:30:00.123500Z", "2026-01-31T09:30:00.124Z"),
        ("2026-01-31T09:30:00.9Z", "2026-01-31T09:30:00Z"),
        ("2026-01-31T09:30:00.9Z", "2026-01-31T09:30:01Z"),
        ("2026-01-31T09:30:00.123456Z", "1769851800123"),
        ("2026-01-31T23:30:00-05:00", "2026-01-31"),
        ("2026-01-31T23:30:00-05:00", "2026-02-01"),
        ("31.01.2026", "2026-01-31"),
        ("01/31/2026", "2026-01-31T00:00:00Z"),
        ("Tom & Jerry", "Tom &amp; Jerry"),
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("Tom &amp; Jerry", "Tom &amp;amp; Jerry"),
        ("<b>Sale</b>", "Sale"),
        ("<b>Sale</b>", "&lt;b&gt;Sale&lt;/b&gt;"),
        ("the \u201cbest\u201d \u2013 ever\u2026", 'the "best" - ever...'),
        ("it's", "it&#39;s"),
        ("it's", "it\\'s"),
        (" Spring\u00a0 sale\r\n", "Spring sale"),
        ("Sale \U0001f389", "Sale"),
        ("Caf\u00e9", "CAFE"),
        ("+1 (555) 0100", "15550100"),
        ("1,000", "1000"),
        ("3.14159", "3.14"),
        ("3.14159", "3.142"),
        ("2.5", "3"),
        ("2.5", "2"),
        ("1769852400000", "2026-01-31t09:40:00z"),
        ("  ", None),
        ("\u200b", ""),
    ],
)
def test_what_a_server_can_make_of_a_value(sent: str, stored: str | None) -> None:
    """A value that came back in another form can be this one."""
    assert becomes(sent, stored)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2026-01-31T09:30:00.123Z", "2026-01-31T09:30:00.123456Z"),
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:01Z"),
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00.5Z"),
        ("2026-01-31T09:30:00Z", "2026-01-31T10:30:00Z"),
        ("2026-01-31", "2026-01-31T10:30:00Z"),
        ("2026-01-31", "2026-02-01"),
        ("3.14", "3.14159"),
        ("3.14", "3.15"),
        ("-5", "5"),
        ("Sale", "Sales"),
        ("A", None),
        ("", "A"),
    ],
)
def test_what_no_server_makes_of_a_value(sent: str, stored: str | None) -> None:
    """Else two inputs could not be distinguished that a server keeps apart."""
    assert not becomes(sent, stored)


@pytest.mark.parametrize(
    "text", ["2026-01-31+01:00", "20260131-0500", "2026-01-31x01:00", "2026-W05-6+01:00"]
)
def test_an_offset_behind_a_date_is_no_time(text: str) -> None:
    """The standard parser reads it as one."""
    assert instant_of(text) is None
    assert parse_datetime(text) is None
    assert instant_of("2026-01-31T01:00Z") == parse_datetime("2026-01-31T01:00Z") is not None


@given(st.text())
def test_the_short_way_to_a_plain_text_is_as_good(text: str) -> None:
    """It is taken for ASCII texts without HTML."""
    text = text.encode("ascii", "ignore").decode().replace("&", "").replace("<", "")
    assert letters_and_digits_ascii(text) == letters_and_digits(text)


def _to_milliseconds(text: str) -> str:
    moment = instant_of(text)
    if moment is None:
        return text
    return (moment - timedelta(microseconds=moment.microsecond % 1000)).isoformat(
        "T", "milliseconds"
    )


SERVERS: dict[str, Callable[[str], str | None]] = {
    "as it was": lambda text: text,
    "milliseconds": _to_milliseconds,
    "escapes": html.escape,
    "unescapes": html.unescape,
    "trims": str.strip,
    "lower case": str.lower,
    "cuts at 5": lambda text: text[:5],
    "cuts at 12": lambda text: text[:12],
    "cuts and trims": lambda text: text[:6].strip(),
    "empty is null": lambda text: text or None,
    "straight quotes": lambda text: text.replace("\u201c", '"').replace("\u201d", '"'),
}
TEXTS = ("Sale", "sale", "Sale ", "Sales", "Sales of May", "Sales of May 2", "Tom & Jerry")
TEXTS += ("Tom &amp; Jerry", "Tom &amp;amp; Jerry", "\u201cSale\u201d", '"Sale"', "", "number 1")
TEXTS += ("number 17", "2026-01-31T09:30:00.123456Z", "2026-01-31T09:30:00.123Z")


@settings(max_examples=500)
@example(
    inputs=[{"hs_name": "Sales"}, {"hs_name": "Sales of May"}, {"hs_name": "number 17"}],
    server=SERVERS["cuts and trims"],
    drops=False,
    refused=set(),
    lost=set(),
    named_by="hs_name",
    seed=43,
)
@given(
    inputs=st.lists(
        st.dictionaries(st.sampled_from(("hs_name", "m")), st.sampled_from(TEXTS)), max_size=6
    ),
    server=st.sampled_from([*SERVERS.values()]),
    drops=st.booleans(),
    refused=st.sets(st.integers(0, 5)),
    lost=st.sets(st.integers(0, 5)),
    named_by=st.sampled_from([None, "hs_name"]),
    seed=st.integers(0, 99),
)
def test_no_result_is_given_to_the_input_of_another(
    inputs: list[dict[str, str]],
    server: Callable[[str], str | None],
    drops: bool,
    refused: set[int],
    lost: set[int],
    named_by: str | None,
    seed: int,
) -> None:
    """No result is given to another input, whatever a server changes, refuses and leaves out."""
    entries = [
        EncodedInput(n, None, json.dumps({"properties": one}).encode(), None)
        for n, one in enumerate(inputs)
    ]
    done = [n for n in range(len(inputs)) if n not in refused]
    said = [n for n in done if n not in lost]
    random.Random(seed).shuffle(said)

    def stored(n: int) -> dict[str, str | None]:
        texts = {name: server(text) for name, text in inputs[n].items()}
        return {name: text for name, text in texts.items() if text or not drops}

    results = Results(said, [str(n) for n in said], [None] * len(said), stored)
    numbers = range(len(said))
    # A refused input that no error names leaves the count open.
    complete = not refused and not lost
    found = match_by_properties(
        entries, range(len(inputs)), results, numbers, complete=complete, named_by=named_by
    ).done
    for position, result in found.items():
        # Of inputs that are the same, any stands for the others.
        twins = [n for n, one in enumerate(inputs) if one == inputs[position]]
        assert sum(n in found for n in twins) <= sum(n in done for n in twins), "it was refused"
        assert result is None or result in twins, "a record of another input"


@pytest.mark.parametrize("count", [2, 3, 50])
@pytest.mark.parametrize("nameless", [{}, {"hs_notes": "no name"}, {"hs_notes": "all have it"}])
def test_an_input_without_a_name_spoils_no_other(count: int, nameless: dict[str, str]) -> None:
    """No server gives it the very name of another input."""
    inputs = [{"hs_name": f"Spring, part {n}", "hs_notes": "all have it"} for n in range(count - 1)]
    inputs.append(nameless)
    entries = [
        EncodedInput(n, None, json.dumps({"properties": one}).encode(), None)
        for n, one in enumerate(inputs)
    ]
    said = range(count - 1)
    results = Results(said, [str(n) for n in said], [None] * len(said), inputs.__getitem__)
    found = match_by_properties(
        entries, range(count), results, said, complete=False, named_by="hs_name"
    )
    assert found.done == {n: n for n in said}
    assert found.left == []


def test_a_record_that_was_made_twice_is_of_no_other_input() -> None:
    """The two inputs have a property in common, and so the second record seems to fit both."""
    inputs = [{"hs_name": "A", "m": "same"}, {"hs_name": "B", "m": "same"}]
    entries = [
        EncodedInput(n, None, json.dumps({"properties": one}).encode(), None)
        for n, one in enumerate(inputs)
    ]
    results = Results(["r", "s"], ["1", "2"], [None, None], lambda _: inputs[0])
    found = match_by_properties(entries, range(2), results, range(2), complete=True)
    assert found.done == {0: "r"}
    assert found.left == [1]
