"""Answers that were changed on their way: parts dropped, retyped, nested, doubled, swapped.

The sandbox does its work and answers; then its answer is changed at random places of any depth.
This module decides how. `evidence` has the changes that no client could see through: they are not
tried. It judges nothing.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, evolve, frozen
from evidence import ORIGIN, STRANGER, Facts
from hubspot_batch.sandbox import SandboxRequest, SandboxResponse

_DEEP = "a place for very deep nesting"
_ODD: tuple[Any, ...] = (
    *("", "null", "\ud800", "\x00", " ", "0", "-1", "undefined", _DEEP),
    *(0, -1, 1, 2, 10**30, 1.5, -0.0, float("nan"), float("inf"), True, False, None),
    *([], {}, [[]], [None], {"": None}, ["x"]),
)


@frozen
class _Place:
    """Where a value stands in a document."""

    holder: Any
    key: Any

    @property
    def value(self) -> Any:
        return self.holder[self.key]

    def put(self, value: Any) -> None:
        self.holder[self.key] = value


def places_of(holder: Any) -> list[_Place]:
    """Return all places in a document, at any depth, but not those of origins."""
    found, left = list[_Place](), [holder]
    while left and len(found) < 5_000:
        one = left.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one))
        for key in keys:
            if key == ORIGIN:
                continue
            found.append(_Place(one, key))
            if isinstance(one[key], dict | list):
                left.append(one[key])
    return found


def _drop(rng: random.Random, place: _Place, places: list[_Place]) -> None:
    del place.holder[place.key]


def _retype(rng: random.Random, place: _Place, places: list[_Place]) -> None:
    value = place.value
    forms: list[Callable[[Any], Any]] = [str, repr, lambda one: [one], bool]
    if isinstance(value, str):
        forms += [list, lambda one: {one: one}, len, str.casefold, str.strip, str.swapcase]
        forms += [lambda one: f" {one} ", lambda one: int(one) if one.isdecimal() else 7]
        forms += [lambda one: float(one) if one.isdecimal() else 0.5, json.dumps]
    elif isinstance(value, dict):
        forms += [lambda one: list(one.values()), list, lambda one: [*one.items()]]
    elif isinstance(value, list):
        forms += [lambda one: {str(n): each for n, each in enumerate(one)}]
        forms += [lambda one: one[0] if one else None, lambda one: one[::-1]]
    elif isinstance(value, int | float):
        forms += [lambda one: -one, lambda one: one * 10, lambda one: one / 3]
    try:
        place.put(rng.choice(forms)(value))
    except (OverflowError, ValueError):  # of a number that is none
        place.put(None)


def _truncate(rng: random.Random, place: _Place, places: list[_Place]) -> None:
    value = place.value
    if isinstance(value, dict):
        kept = rng.randrange(len(value) + 1)
        gone = [key for key in list(value)[kept:] if key != ORIGIN]
        for key in gone:
            del value[key]
    elif isinstance(value, str | list):
        place.put(value[: rng.randrange(len(value) + 1)])
    elif isinstance(value, int):
        place.put(value // 10)


def _nest(rng: random.Random, place: _Place, places: list[_Place]) -> None:
    value = place.value
    for _ in range(rng.choice((1, 1, 2, 40))):
        value = [value] if rng.random() < 0.5 else {rng.choice(("value", "id", "results")): value}
    place.put(value)


def _swell(rng: random.Random, place: _Place, places: list[_Place]) -> None:
    value = place.value
    if isinstance(value, str):
        # Done again and again, it would be more than the memory holds.
        place.put(value * min(rng.choice((2, 3, 2_000)), 5_000_000 // (len(value) + 1) + 1))
    elif isinstance(value, list):
        place.put([copy.deepcopy(one) for _ in range(rng.choice((2, 3, 30))) for one in value])
    elif isinstance(value, dict):
        value |= {f"new{n}": copy.copy(rng.choice(_ODD)) for n in range(rng.choice((1, 3, 200)))}
    else:
        place.put(10 ** rng.choice((20, 300, 4_000)))


def _double(rng: random.Random, place: _Place, places: list[_Place]) -> None:
    twin = copy.deepcopy(place.value)
    if isinstance(place.holder, list):
        place.holder.insert(rng.randrange(len(place.holder) + 1), twin)
    else:
        names = [each.key for each in places if isinstance(each.key, str)]
        place.holder[rng.choice(names) if names else "again"] = twin


def _swap(rng: random.Random, place: _Place, places: list[_Place]) -> None:
    other = rng.choice(places)
    if _holds(place.value, other.holder) or _holds(other.value, place.holder):
        return
    mine, others = place.value, other.value
    place.put(others)
    other.put(mine)


def _holds(value: Any, part: Any) -> bool:
    """Return whether a value holds a part of the document, or is it."""
    if value is part:
        return True
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_holds(one, part) for one in parts)


def _null(rng: random.Random, place: _Place, places: list[_Place]) -> None:
    place.put(None)


def _make_odd(rng: random.Random, place: _Place, places: list[_Place]) -> None:
    place.put(copy.copy(rng.choice(_ODD)))


def _rename(rng: random.Random, place: _Place, places: list[_Place]) -> None:
    if isinstance(place.holder, dict):
        value = place.holder.pop(place.key)
        name = str(place.key)
        place.holder[rng.choice((name.upper(), name + " ", "", "id", "name", "status"))] = value


def _shuffle(rng: random.Random, place: _Place, places: list[_Place]) -> None:
    if isinstance(place.value, list):
        rng.shuffle(place.value)


def _everywhere(rng: random.Random, place: _Place, places: list[_Place]) -> None:
    """Do away with a field, or change its spelling, wherever it stands."""
    change = rng.choice(("drop", "null", "casefold", "strip"))
    for each in places:
        if each.key != place.key or not isinstance(each.holder, dict):
            continue
        if each.key not in each.holder:
            continue
        if change == "drop":
            del each.holder[each.key]
        elif change == "null":
            each.put(None)
        elif isinstance(each.value, str):
            each.put(getattr(str, change)(each.value))


CHANGES: Mapping[str, Callable[[random.Random, _Place, list[_Place]], None]] = {
    "drop": _drop,
    "null": _null,
    "retype": _retype,
    "truncate": _truncate,
    "nest": _nest,
    "swell": _swell,
    "double": _double,
    "swap": _swap,
    "odd": _make_odd,
    "rename": _rename,
    "shuffle": _shuffle,
    "everywhere": _everywhere,
}


def _double_nameless(document: dict[str, Any], rng: random.Random) -> None:
    again = [copy.deepcopy(one) for one in document["results"] if rng.random() < 0.5]
    for one in again:
        if rng.random() < 0.7:
            one.pop("objectWriteTraceId", None)
    document["results"] += again


def _two_names(document: dict[str, Any], rng: random.Random) -> None:
    named = [one for one in document["results"] if one.get("objectWriteTraceId")]
    if len(named) > 1:
        one, other = rng.sample(named, 2)
        twin = {**one, "objectWriteTraceId": other["objectWriteTraceId"]}
        document["results"].insert(rng.randrange(len(document["results"]) + 1), twin)


def _forget_names(document: dict[str, Any], rng: random.Random) -> None:
    for one in document["results"]:
        if rng.random() < 0.6:
            one.pop("objectWriteTraceId", None)


def _forget_values(document: dict[str, Any], rng: random.Random) -> None:
    for one in document["results"]:
        kept = {k: v for k, v in (one.get("properties") or {}).items() if rng.random() < 0.6}
        one["properties"] = rng.choice([kept, {}, None])


def _forget_results(document: dict[str, Any], rng: random.Random) -> None:
    document["results"] = [one for one in document["results"] if rng.random() < 0.6]


def _blur_errors(document: dict[str, Any], rng: random.Random) -> None:
    for error in document.get("errors") or ():
        error.pop("context", None)


def _forget_errors(document: dict[str, Any], rng: random.Random) -> None:
    document.pop("errors", None)
    if rng.random() < 0.7:
        document.pop("numErrors", None)


def _stranger(document: dict[str, Any], rng: random.Random) -> None:
    """Add a record of no input: by its values, or where the answer has refused somebody."""
    names = ("hs_name", "hs_call_title")
    strange = dict.fromkeys(names, "a stranger") if rng.random() < 0.5 else {}
    one = {"id": "4711", "objectId": "4711", "properties": strange, ORIGIN: STRANGER}
    document["results"].append(one)
    if not strange:
        document["numErrors"] = len(document.get("errors") or ()) + 1


# What a server of another version could leave out; the later ones rely on less.
RECIPES: Mapping[str, Callable[[dict[str, Any], random.Random], None]] = {
    "double without a name": _double_nameless,
    "double under another name": _two_names,
    "forget results": _forget_results,
    "forget names": _forget_names,
    "forget values": _forget_values,
    "blur errors": _blur_errors,
    "forget errors": _forget_errors,
    "add a stranger": _stranger,
}


def mutated(
    rng: random.Random, answer: SandboxResponse, facts: Facts
) -> tuple[SandboxResponse, list[str]]:
    """Return an answer with some of its parts changed, and the names of the changes."""
    done: list[str] = []
    answer = _restructured(rng, answer, facts, done)
    if rng.random() < 0.15:
        body, name = garbled(rng, answer.body)
        if not _is_forged(facts, body):
            answer = evolve(answer, body=body)
            done.append(name)
    if rng.random() < 0.25:
        header, value = rng.choice(_HEADERS)
        answer = evolve(answer, headers={**answer.headers, header: value})
        done.append(f"header {header}")
    if 200 <= answer.status < 300 and rng.random() < 0.1:
        # What may have been done stays so under a code that says that it may have been.
        codes = (200, 201, 202, 203, 206, 207, 226, 299, 500, 504)
        answer = evolve(answer, status=rng.choice(codes))
        done.append("status")
    return answer, done


def _restructured(
    rng: random.Random, answer: SandboxResponse, facts: Facts, done: list[str]
) -> SandboxResponse:
    try:
        document = answer.document()
    except ValueError:
        return answer
    recipes = [name for name in RECIPES if rng.random() < 0.35] if rng.random() < 0.5 else []
    if not isinstance(document, dict) or not isinstance(document.get("results"), list):
        recipes = []
    changes = rng.choices(list(CHANGES), k=rng.choice((0, 1) if recipes else (1, 1, 2, 3, 6)))
    root = [document]
    for name in (*recipes, *changes):
        changed = copy.deepcopy(root)
        if name in RECIPES:
            RECIPES[name](changed[0], rng)
        elif places := places_of(changed):
            CHANGES[name](rng, rng.choice(places), places)
        if not changed:
            return evolve(answer, body=b"")
        if not facts.forged(changed[0]):
            root = changed
            done.append(name)
    text = json.dumps(root[0], ensure_ascii=rng.random() < 0.5)
    depth = rng.choice((50, 100_000))
    text = text.replace(json.dumps(_DEEP), "[" * depth + "]" * depth)
    return evolve(answer, body=text.encode(errors="surrogatepass"))


def _is_forged(facts: Facts, body: bytes) -> bool:
    try:
        return facts.forged(json.loads(body))
    except (ValueError, RecursionError):
        return False


def garbled(rng: random.Random, body: bytes) -> tuple[bytes, str]:
    at = rng.randrange(len(body) + 1)
    text = body.decode(errors="replace")
    forms: dict[str, Callable[[], bytes]] = {
        "cut": lambda: body[:at],
        "hole": lambda: body[:at] + body[at + rng.randrange(1, 9) :],
        "byte": lambda: body[:at] + bytes([rng.randrange(256)]) + body[at + 1 :],
        "twice": lambda: body * 2,
        "mark": lambda: b"\xef\xbb\xbf" + body,
        "utf-16": lambda: text.encode("utf-16"),
        "latin-1": lambda: text.encode("latin-1", errors="replace"),
        "first": lambda: body.replace(b"{", b'{"results": null, "errors": 5, ', 1),
        "last": lambda: body[:-1] + b', "results": [], "errors": []}',
        "empty": lambda: b"",
        "page": lambda: b"<html>" + body + b"</html>",
        "digits": lambda: body.replace(b":", b":" + b"9" * 5_000, 1),
    }
    name = rng.choice(list(forms))
    return forms[name](), f"body {name}"


_HEADERS: tuple[tuple[str, str], ...] = (
    *(("Content-Type", one) for one in ("", "text/html", "application/json; charset=utf-9", ";;")),
    *(("Content-Encoding", one) for one in ("gzip", "deflate", "br", "identity", "zstd, gzip")),
    *(("Content-Length", one) for one in ("0", "-1", "many", "99999999")),
    *(("Retry-After", one) for one in ("", "0", "-5", "1e400", "nan", "9" * 400, "2.5", "soon")),
    ("Retry-After", "Mon, 05 Jan 2026 09:00:30 GMT"),
    ("Retry-After", "Mon, 99 Jan 2026 09:00:30 GMT"),
    *(
        (f"X-HubSpot-RateLimit-{name}", one)
        for name in ("Max", "Remaining", "Interval-Milliseconds", "Daily", "Daily-Remaining")
        for one in ("", "0", "-1", "1", "1e9", "nan", "many", "9" * 400)
    ),
    ("X-HubSpot-Correlation-Id", ""),
    ("X-HubSpot-Correlation-Id", "x" * 5_000),
    ("Location", "https://elsewhere.invalid/"),
    ("Set-Cookie", "a=b; Domain=elsewhere.invalid"),
)


@define
class Mutator:
    """Changes each answer that goes through it, for one run.

    `whose` returns the origin of a result by its id; `facts_of` what was true of a request.
    """

    rng: random.Random
    facts_of: Callable[[SandboxRequest, SandboxResponse], Facts]
    whose: Callable[[str], str]
    changes: set[str]
    share: float = 0.8

    def __call__(self, request: SandboxRequest, answer: SandboxResponse) -> SandboxResponse:
        """Return the answer as it arrives."""
        answer = self._signed(answer)
        if self.rng.random() > self.share:
            return answer
        answer, done = mutated(self.rng, answer, self.facts_of(request, answer))
        self.changes.update(done)
        return answer

    def _signed(self, answer: SandboxResponse) -> SandboxResponse:
        try:
            document = answer.document()
        except ValueError:
            return answer
        if not isinstance(document, dict) or "results" not in document:
            return answer
        for result in document["results"]:
            result[ORIGIN] = self.whose(str(result.get("id", result.get("objectId"))))
        return answer.with_json(document)
