"""A search or a list: its arguments, checked, and the request for one page.

This module decides which arguments HubSpot takes, and how a search goes on after the last result
that HubSpot shows.

HubSpot: https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hubspot_batch._lookup.endpoints import CHARACTERS_AT_MOST
from hubspot_batch._operations.call import checked_arguments
from hubspot_batch._operations.listings import LISTINGS, Listing, name_of
from hubspot_batch._operations.problems import InvalidInputError
from hubspot_batch._operations.validation import InputValidator
from hubspot_batch._operations.versions import located
from hubspot_batch.errors import ConfigurationError

_GROUPS, _FILTERS, _FILTERS_IN_ALL = 5, 6, 18
_ID = "hs_object_id"


class Position(NamedTuple):
    """Where a page begins.

    Attributes:
        after: What names the page; None for the first one of its query.
        last_id: The id after which a query begins; None for the first query.
    """

    after: str | None = None
    last_id: str | None = None


class Query(NamedTuple):
    """A search or a list.

    Attributes:
        listing: Its operation.
        query: Its arguments in the address.
        body: Its arguments in the body; None if it has no body.
    """

    listing: Listing
    query: Mapping[str, Any]
    body: Mapping[str, Any] | None

    @property
    def name(self) -> str:
        """Its name in messages, as users write it: `calls.search`."""
        return name_of(self.listing)

    @property
    def by_id(self) -> bool:
        """Whether its results come in the order of their ids, so another query can go on."""
        return self.body is not None and not self.body.get("sorts")

    @property
    def goes_on(self) -> bool:
        """Whether another query can go on after the last result that a search shows."""
        if not self.by_id:
            return False
        try:
            self.arguments(Position("0" * 20, "9" * 20))
        except ConfigurationError:
            return False
        return True

    def arguments(self, at: Position) -> dict[str, Any]:
        """Return the arguments of the generated function for a page.

        Raises:
            ConfigurationError: HubSpot does not take a search of this size.
        """
        limit = self.listing.limit
        if self.body is None:
            return {**self.query, "limit": limit, **({"after": at.after} if at.after else {})}
        body: dict[str, Any] = {**self.body, "limit": limit}
        if self.by_id and self.listing.kind == "search":
            body["sorts"] = [{"propertyName": _ID, "direction": "ASCENDING"}]
        if at.after:
            body["after"] = at.after
        if at.last_id is not None:
            more = {"propertyName": _ID, "operator": "GT", "value": at.last_id}
            groups: Sequence[Mapping[str, Any]] = body.get("filterGroups") or [{"filters": []}]
            body["filterGroups"] = [{"filters": [*one["filters"], more]} for one in groups]
        text = _written(body)
        _check_size(self.name, body, text)
        return {**self.query, "body": text}


def _written(body: dict[str, Any]) -> bytes:
    import json  # noqa: PLC0415 - few programs search

    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _check_size(name: str, body: Mapping[str, Any], text: bytes) -> None:
    characters = len(text.decode())
    if characters > CHARACTERS_AT_MOST:
        raise ConfigurationError(
            f"{name} must be shorter: as JSON, it has {characters:,} characters, and HubSpot "
            f"accepts {CHARACTERS_AT_MOST:,}. Ask for fewer values or properties at a time."
        )
    filters = [len(group["filters"]) for group in body.get("filterGroups", ())]
    for what, count, most in (
        ("groups of filters", len(filters), _GROUPS),
        ("filters in one group", max(filters, default=0), _FILTERS),
        ("filters", sum(filters), _FILTERS_IN_ALL),
        ("sorts", len(body.get("sorts", ())), 1),
    ):
        if count > most:
            raise ConfigurationError(f"{name} must have at most {most} {what}; got {count}.")


def query_of(operation: str, version: str | None, given: Mapping[str, Any]) -> Query:
    """Return a search or a list, with its arguments checked.

    Args:
        operation: The operation's id.
        version: The version of the API; None for the default.
        given: The arguments, by their names in Python; None where one is left out.

    Raises:
        ConfigurationError: An argument is not valid, or the operation is not in that version.
    """
    listing = LISTINGS[operation]
    located(listing, version)
    arguments = checked_arguments(listing, given)
    query = {
        one.keyword: arguments[one.keyword]
        for one in listing.arguments
        if one.place == "query" and one.keyword in arguments
    }
    body: dict[str, Any] | None = None
    if listing.body_schema is not None:
        body = {
            one.name: arguments[one.keyword]
            for one in listing.arguments
            if one.place == "body" and one.keyword in arguments
        }
        body = _checked_body(name_of(listing), listing.body_schema, body)
    found = Query(listing, query, body)
    found.arguments(Position())
    return found


def _checked_body(name: str, schema: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Return a body in the types of JSON."""
    # A list may be any iterable.
    kept: dict[str, Any] = {n: one for n, one in body.items() if isinstance(one, str | Mapping)}
    listed: dict[str, Any] = {n: one if n in kept else [*one] for n, one in body.items()}
    validator = InputValidator(schema, None)
    wire, problems = validator.convert(listed, more_names=False)
    try:
        if problems:
            raise InvalidInputError(problems)
        validator.write(wire, more_names=False)
    except InvalidInputError as error:
        raise ConfigurationError(f"{name} is not valid: {error}") from None
    return wire
