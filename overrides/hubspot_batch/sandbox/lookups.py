"""The search of calls and the list of campaigns, for a client that looks up its creates.

The module decides which records such a request shows, in which order, and which requests are
refused. A record is shown some time after it was created, and not in the order of creation: each
has a lag of its own.

HubSpot: https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm and
https://developers.hubspot.com/docs/api-reference/marketing-campaigns-public-api-v3/guide
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from attrs import evolve, frozen
from hubspot_batch_client.contract import LISTINGS

from .clock import parse_datetime
from .families import DATETIME, Family, View
from .input_checks import Refusal
from .operations import SandboxOperation
from .state import SandboxState
from .store import Record, seeded_random

_SEARCH_AT_MOST, _LIST_AT_MOST = 200, 100
_HITS_AT_MOST = 10_000
_BODY_AT_MOST = 3_000
_GROUPS, _FILTERS, _FILTERS_IN_ALL = 5, 6, 18
_SEARCH_FIELDS = {"filterGroups", "properties", "sorts", "limit", "after", "query"}
_SORTS = ("hs_name", "createdAt", "updatedAt")
_TIMES = ("hs_createdate", "hs_lastmodifieddate")
_ID = "hs_object_id"
# What a list shows beside the properties that a campaign can be given.
_READ_ONLY = (
    *("hs_created_by_user_id", "hs_object_id", "hs_budget_items_sum_amount"),
    *("hs_spend_items_sum_amount", "hs_business_unit_ids"),
)


@frozen
class Lookup:
    """A way to look up the records of a family.

    - `operation`: its name in the request log and in plans of faults.
    - `scopes`: those that it needs.
    - `secondly`: its requests count against the search limit, and not against the rolling window.
    """

    operation: str
    method: str
    scopes: tuple[str, ...]
    spec: SandboxOperation
    secondly: bool


_Filter: TypeAlias = Callable[[Mapping[str, Any]], bool]

SEARCH: Final = "search_calls"
LOOKUPS = (SEARCH, "list_campaigns")


def lookup_on(specs: Mapping[str, SandboxOperation], path: str) -> Lookup | None:
    """Return the way on a path, in any version of the API."""
    for name, created_by in (
        (SEARCH, "create_calls"),
        ("list_campaigns", "create_campaigns"),
    ):
        listing, spec = LISTINGS.get(name), specs.get(created_by)
        if listing and spec and any(path == one.path for one in listing.offered):
            secondly = listing.kind == "search"
            return Lookup(name, listing.method, listing.scopes, spec, secondly=secondly)
    return None


def look_up(
    state: SandboxState, way: Lookup, query: Sequence[tuple[str, str]], body: bytes, now: float
) -> dict[str, Any] | Refusal:
    """Return the page that a request asks for, or why it is refused."""
    family = state.families[way.spec.family.name]
    records = [one for one in state.stores[family.name] if _is_shown(state, family, one, now)]
    if way.operation == "list_campaigns":
        return _list(family, way.spec.view, records, query)
    building = {
        name for (kind, name), at in state.indexed_at.items() if kind == family.name and now < at
    }
    return _search(family, way.spec.view, records, body, building)


def _is_shown(state: SandboxState, family: Family, record: Record, now: float) -> bool:
    if not record.made_by:  # it was in the account before
        return True
    least, most = state.search_lag
    share = seeded_random(state.seed, "lag", family.name, record.id).random()
    return now >= record.created_at + least + (most - least) * share**3


def _list(
    family: Family, view: View, records: list[Record], query: Sequence[tuple[str, str]]
) -> dict[str, Any] | Refusal:
    given: dict[str, str] = {key: text for key, text in query if key != "properties"}
    names = [name for key, text in query if key == "properties" for name in text.split(",")]
    unknown = [name for name in names if name not in (*family.properties, *_READ_ONLY)]
    if unknown:
        return Refusal(f"Properties that cannot be read: {', '.join(unknown)}")
    sort, part = given.get("sort", "hs_name"), given.get("name", "")
    if sort.removeprefix("-") not in _SORTS:
        return Refusal(f"{sort} is no sort order")
    limit = _number(given.get("limit", "50"), 1, _LIST_AT_MOST)
    # The position is opaque: it begins with a word, so that no client counts on a number.
    start = _number(given.get("after", "at0").removeprefix("at"), 0, 10**9)
    if limit is None or start is None:
        return Refusal("limit or after is out of range")

    def order(record: Record) -> Any:
        name = str(record.properties.get("hs_name") or "")
        return {"hs_name": name, "createdAt": record.created_at}.get(
            sort.removeprefix("-"), record.updated_at
        )

    found = [one for one in records if part in str(one.properties.get("hs_name") or "")]
    found.sort(key=order, reverse=sort.startswith("-"))
    shown = evolve(view, properties=tuple(names), assets=False)
    return _page(family, shown, found, start, limit, "at")


def _search(
    family: Family, view: View, records: list[Record], body: bytes, building: set[str]
) -> dict[str, Any] | Refusal:
    asked = _read_search(body)
    if isinstance(asked, Refusal):
        return asked
    limit = _number(asked.get("limit", 10), 1, _SEARCH_AT_MOST)
    start = _number(asked.get("after") or "0", 0, 10**9)
    if limit is None or start is None:
        return Refusal("limit or after is out of range")
    if start + limit > _HITS_AT_MOST:
        return Refusal(f"A search shows at most {_HITS_AT_MOST} results")
    groups: list[list[_Filter]] = []
    for group in _objects(asked, "filterGroups"):
        tests = [_test(family, one, building) for one in group["filters"]]
        for test in tests:
            if isinstance(test, Refusal):
                return test
        groups.append([test for test in tests if not isinstance(test, Refusal)])
    chosen = tuple(asked.get("properties") or ("hs_createdate", "hs_lastmodifieddate"))
    everything = evolve(view, properties=None)

    def values(record: Record) -> dict[str, Any]:
        properties: dict[str, Any] = family.render(record, everything, family)["properties"]
        return properties

    found = [(values(one), one) for one in records]
    if groups:
        found = [
            (shown, one)
            for shown, one in found
            if any(all(test(shown) for test in group) for group in groups)
        ]
    for rule in _objects(asked, "sorts")[:1]:
        name, down = rule["propertyName"], rule.get("direction") == "DESCENDING"
        found.sort(key=lambda one: _sortable(family, name, one[0].get(name)), reverse=down)
    ordered = [record for _, record in found]
    return _page(family, evolve(view, properties=chosen), ordered, start, limit, "")


def _read_search(body: bytes) -> dict[str, Any] | Refusal:
    """Return the body of a search, or why it is refused."""
    if len(body.decode(errors="replace")) > _BODY_AT_MOST:
        return Refusal(f"A search has at most {_BODY_AT_MOST} characters")
    try:
        document: object = json.loads(body)
    except ValueError:
        document = None
    asked = cast("dict[str, Any]", document) if isinstance(document, dict) else None
    if asked is None or not asked.keys() <= _SEARCH_FIELDS:
        return Refusal("Invalid input JSON", category=None)
    filters = [len(group["filters"]) for group in _objects(asked, "filterGroups")]
    many = len(filters) > _GROUPS or max(filters, default=0) > _FILTERS
    if many or sum(filters) > _FILTERS_IN_ALL:
        return Refusal("There are too many filters")
    return asked


def _objects(asked: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return asked.get(name) or []


def _page(
    family: Family, view: View, records: list[Record], start: int, limit: int, mark: str
) -> dict[str, Any]:
    page: dict[str, Any] = {
        "total": len(records),
        "results": [family.render(one, view, family) for one in records[start : start + limit]],
    }
    if start + limit < len(records):
        page["paging"] = {"next": {"after": f"{mark}{start + limit}"}}
    return page


def _number(value: object, least: int, most: int) -> int | None:
    try:
        number = int(str(value))
    except ValueError:
        return None
    return number if least <= number <= most else None


def _is_time(family: Family, name: str) -> bool:
    return name in _TIMES or family.properties.get(name) == DATETIME


def _milliseconds(value: object) -> int | None:
    moment = parse_datetime(str(value))
    return None if moment is None else round(moment.timestamp() * 1000)


def _sortable(family: Family, name: str, value: object) -> tuple[bool, Any]:
    if value is None:
        return False, 0
    if name == _ID:
        return True, _number(value, 0, 10**20) or 0
    return True, (_milliseconds(value) or 0) if _is_time(family, name) else str(value)


def _test(family: Family, asked: Mapping[str, Any], building: set[str]) -> _Filter | Refusal:
    """Return whether a record's values pass a filter, or why the filter is refused."""
    name, operator = asked["propertyName"], asked["operator"]
    known = (*family.properties, *_TIMES, _ID)
    if name not in known:
        return Refusal(f"There is no property {name}")
    if name in building:
        return Refusal(f"The index of {name} is being built")
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        wanted = operator == "HAS_PROPERTY"
        return lambda values: (values.get(name) not in (None, "")) is wanted
    read: Callable[[object], Any] = _milliseconds if _is_time(family, name) else _plain_text
    if name == _ID:
        read = _id_number
    if operator in ("IN", "NOT_IN"):
        listed = {str(one) for one in asked.get("values") or ()}
        # Values that are given in capitals are never found.
        return lambda values: (_plain_text(values.get(name)) in listed) is (operator == "IN")
    value, high = read(asked.get("value")), read(asked.get("highValue"))
    if value is None or (operator == "BETWEEN" and high is None):
        return Refusal(f"The filter of {name} has no value that can be compared")
    compare = _COMPARED.get(operator)
    if compare is None:
        return Refusal(f"{operator} is no operator")
    absent = operator.startswith(("NEQ", "NOT_"))

    def passes(values: Mapping[str, Any]) -> bool:
        stored = values.get(name)
        return absent if stored is None else compare(read(stored), value, high)

    return passes


def _id_number(value: object) -> int | None:
    return _number(value, 0, 10**20)


def _plain_text(value: object) -> str:
    return "" if value is None else str(value).lower()


def _words(value: str) -> Iterable[str]:
    return value.split()


_COMPARED: Mapping[str, Callable[[Any, Any, Any], bool]] = {
    "EQ": lambda stored, value, _: stored == value,
    "NEQ": lambda stored, value, _: stored != value,
    "GT": lambda stored, value, _: stored > value,
    "GTE": lambda stored, value, _: stored >= value,
    "LT": lambda stored, value, _: stored < value,
    "LTE": lambda stored, value, _: stored <= value,
    "BETWEEN": lambda stored, value, high: value <= stored <= high,
    "CONTAINS_TOKEN": lambda stored, value, _: value in _words(str(stored)),
    "NOT_CONTAINS_TOKEN": lambda stored, value, _: value not in _words(str(stored)),
}
