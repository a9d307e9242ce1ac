"""The requests that look up records, and the pages that they return.

This module decides how the records of a family are requested, and which responses can be trusted.
It rejects a page without a total, a truncated page and a record without an id.

HubSpot: https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm (calls) and
https://developers.hubspot.com/docs/api-reference/marketing-campaigns-public-api-v3/guide
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx
from hubspot_batch_client.contract import OPERATIONS

from hubspot_batch._json import is_list, is_map, read_object
from hubspot_batch._matching.value_forms import instant_of

JSON: Mapping[str, str] = MappingProxyType({"Content-Type": "application/json"})
"""The headers of a request with a body."""

RESULTS_AT_MOST = 10_000
"""The results that a search shows; it refuses to go on."""

CHARACTERS_AT_MOST = 3_000
"""The characters of a search at most."""


class LookupEndpoint(NamedTuple):
    """How the records of an operation are looked up.

    Attributes:
        operation: The id of the operation that creates them.
        method_name: The method, as users write it.
        named_by: The property that every input has and that best distinguishes inputs.
        method: The method of the request.
        path_ending: What stands in the address in place of `/batch/create`.
        limit: Records on a page at most.
        searches: Whether it is a search, which has an allowance of its own.
        reads: The id of the operation that reads records by a unique property; None without one.
    """

    operation: str
    method_name: str
    named_by: str
    method: str
    path_ending: str
    limit: int
    searches: bool
    reads: str | None = None

    @property
    def path(self) -> str:
        """The path of the request."""
        return OPERATIONS[self.operation].path.removesuffix("/batch/create") + self.path_ending


LOOKUP_ENDPOINTS: Mapping[str, LookupEndpoint] = MappingProxyType(
    {
        endpoint.operation: endpoint
        for endpoint in (
            LookupEndpoint(
                *("create_calls", "calls.reconcile", "hs_timestamp", "POST", "/search", 200, True),
                reads="read_calls",
            ),
            LookupEndpoint(
                "create_campaigns", "campaigns.reconcile", "hs_name", "GET", "", 100, False
            ),
        )
    }
)


def lookup_requests() -> Iterator[tuple[str, str]]:
    """Yield method and path of the requests here; they change nothing."""
    for endpoint in LOOKUP_ENDPOINTS.values():
        yield endpoint.method, endpoint.path


class Period(NamedTuple):
    """A period, in seconds since 1970."""

    start: float
    end: float


class FoundRecord(NamedTuple):
    """A record that was found.

    Attributes:
        id: Its id.
        created: When the server created it, in seconds since 1970.
        properties: Its properties.
        json: The record as it came.
    """

    id: str
    created: float
    properties: Mapping[str, Any]
    json: Mapping[str, Any]


class Page(NamedTuple):
    """A page of records, the newest first.

    Attributes:
        records: The records.
        after: What names the next page; None if this is the last one.
    """

    records: tuple[FoundRecord, ...]
    after: str | None


def request_for(
    endpoint: LookupEndpoint,
    names: Sequence[str],
    *,
    created: Period | None,
    named: Period | None,
    after: str | None,
) -> dict[str, Any]:
    """Return the request for a page of records, the newest first.

    Args:
        endpoint: How they are looked up.
        names: The properties to return.
        created: When they were created; None for any time.
        named: The times that a search asks for in `named_by`; None for any.
        after: What names the page; None for the first one.
    """
    request: dict[str, Any] = {"method": endpoint.method, "url": endpoint.path}
    if not endpoint.searches:
        query = {"sort": "-createdAt", "limit": endpoint.limit, "properties": ",".join(names)}
        return {**request, "params": {**query, "after": after} if after else query}
    filters = [
        {
            "propertyName": name,
            "operator": "BETWEEN",
            "value": str(int(period.start * 1000)),
            "highValue": str(int(period.end * 1000) + 1),
        }
        for name, period in (("hs_createdate", created), (endpoint.named_by, named))
        if period is not None
    ]
    body: dict[str, Any] = {
        "filterGroups": [{"filters": filters}] if filters else [],
        "sorts": [{"propertyName": "hs_createdate", "direction": "DESCENDING"}],
        "properties": [*names],
        "limit": endpoint.limit,
    }
    if after:
        body["after"] = after
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return {**request, "content": text.encode(), "headers": JSON}


def search_in(
    endpoint: LookupEndpoint, name: str, values: Sequence[str], names: Sequence[str]
) -> Iterator[Callable[[str | None, float | None], dict[str, Any]]]:
    """Yield functions that return the request for a page of records with some values.

    Each search has as many values as its body can hold.

    Args:
        endpoint: How they are looked up.
        name: The property.
        values: The values, in lower case, as searches compare them.
        names: The properties to return, if there is room for them.
    """
    shown = [name, *(one for one in names if one != name)]
    if len(json.dumps(shown)) > CHARACTERS_AT_MOST // 3:
        shown = [name]
    left = [*values]
    while left:
        room = CHARACTERS_AT_MOST - len(_body_in(endpoint, name, [], shown, "9" * 6))
        part = [left.pop()]
        room -= len(json.dumps(part[0], ensure_ascii=False))
        # More than a page would take a second request.
        while (
            left
            and len(part) < endpoint.limit
            and (size := len(json.dumps(left[-1], ensure_ascii=False)) + 1) <= room
        ):
            room -= size
            part.append(left.pop())
        yield partial(_request_in, endpoint, name, part, shown)


def _request_in(
    endpoint: LookupEndpoint,
    name: str,
    values: Sequence[str],
    shown: Sequence[str],
    after: str | None,
    _before: float | None,
) -> dict[str, Any]:
    content = _body_in(endpoint, name, values, shown, after).encode()
    return {"method": endpoint.method, "url": endpoint.path, "content": content, "headers": JSON}


def _body_in(
    endpoint: LookupEndpoint,
    name: str,
    values: Sequence[str],
    shown: Sequence[str],
    after: str | None,
) -> str:
    among = {"propertyName": name, "operator": "IN", "values": values}
    body: dict[str, Any] = {
        "filterGroups": [{"filters": [among]}],
        "properties": shown,
        "limit": endpoint.limit,
    }
    if after:
        body["after"] = after
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def read_page(endpoint: LookupEndpoint, start: int, response: httpx.Response) -> Page | None:
    """Return the page that a response holds; None if it cannot be trusted.

    Args:
        endpoint: How the records are looked up.
        start: How many records stand on the pages before it.
        response: The response.
    """
    body = read_object(response.content)
    if body is None or not is_list(listed := body.get("results")):
        return None
    total = body.get("total")
    if type(total) is not int or len(listed) < min(endpoint.limit, total - start):
        return None
    records = [record_in(one) for one in listed]
    whole = tuple([one for one in records if one is not None])
    if len(whole) < len(records):
        return None
    ends = start + len(whole) >= total
    following = _after(body)
    return None if following is None and not ends else Page(whole, None if ends else following)


def has_next_page(endpoint: LookupEndpoint, start: int) -> bool:
    """Return whether there is a page after so many records."""
    return not endpoint.searches or start + endpoint.limit <= RESULTS_AT_MOST


def _after(body: Mapping[str, Any]) -> str | None:
    paging = body.get("paging")
    following = paging.get("next") if is_map(paging) else None
    after = following.get("after") if is_map(following) else None
    return None if after in (None, "") else str(after)


def record_in(record: object) -> FoundRecord | None:
    """Return the record that a response holds; None if it lacks something."""
    if not is_map(record):
        return None
    id_, properties = record.get("id"), record.get("properties")
    created = instant_of(record.get("createdAt"))
    if not isinstance(id_, str | int) or id_ == "" or not is_map(properties) or created is None:
        return None
    return FoundRecord(str(id_), created.timestamp(), properties, record)
