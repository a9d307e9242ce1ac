"""Looking up whose value one can be, against comparing everything with everything."""

from __future__ import annotations

import unicodedata
from typing import Any

from hubspot_batch._matching.by_properties import _instant, _PropertyIndex, repeats
from hypothesis import given
from hypothesis import strategies as st

Properties = dict[str, Any]

SENT = ("A", "a", " A", "\uff21", "B", "", " ", "5", "5.0", "05", "6", "-5", "inf", "nan", "-nan")
SENT += ("\u0665",)
TIMES = ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-01", "1767225600000")
TIMES += ("2026-01-01 00:00:00Z", "2026-01-0100:00:00z", "2026-01-02", "9" * 30)
STORED = (*SENT, *TIMES, None, 5, 5.0, True, 1, ("A",))
NAMES = ("n", "m", "o")


def same(stored: object, sent: object) -> bool:
    """When two values are the same, as plainly as it can be put."""
    if stored == sent or (stored is None and sent == ""):
        return True
    one, other = _instant(sent), _instant(stored)
    return one is not None and one == other


def plain(value: object) -> object:
    """A value without case, blanks, and forms of numbers."""
    if not isinstance(value, str):
        return value
    text = "".join(unicodedata.normalize("NFKC", value).casefold().split())
    try:
        return text if text.lstrip("+-") in ("inf", "nan") else float(text)
    except ValueError:
        return text


def alike(one: object, other: object) -> bool:
    """Whether a server could have made one of the other."""
    return same(one, other) or same(other, one) or plain(one) == plain(other)


def sets_apart(stored: Properties, sent: Properties, other: Properties) -> bool:
    """Whether a result that repeats one input cannot be that of another."""
    return any(
        name in stored and same(stored[name], value) and not alike(value, other[name])
        for name, value in sent.items()
        if name in other
    )


def contradicts(stored: Properties, sent: Properties) -> bool:
    """Whether all that a result could have repeated has other values."""
    common = stored.keys() & sent.keys()
    return bool(common) and not any(alike(stored[name], sent[name]) for name in common)


@given(
    inputs=st.lists(
        st.dictionaries(st.sampled_from(NAMES), st.sampled_from((*SENT, *TIMES))), max_size=6
    ),
    stored=st.dictionaries(st.sampled_from((*NAMES, "x")), st.sampled_from(STORED)),
)
def test_looking_up_is_as_good_as_comparing(inputs: list[Properties], stored: Properties) -> None:
    """The same inputs are found, and the same are not set apart from them."""
    index = _PropertyIndex(inputs)
    numbers = range(len(inputs))
    wanted = {
        n: {m for m in numbers if m == n or not sets_apart(stored, inputs[n], inputs[m])}
        for n in numbers
        if repeats(stored, inputs[n])
    }
    assert dict(index.candidates(stored)) == wanted
    possible = [n for n in numbers if not contradicts(stored, inputs[n])]
    assert [n for n in numbers if index.may_be(stored, n)] == possible
