"""Finds records by a property that HubSpot keeps unique.

This module decides what is certain then. A record with the key belongs to the input. If HubSpot
says twice that the key is missing, the input was not done. Records are read and not searched, so
the lag of the search index does not matter. New records have been seen to appear and disappear
again, so a single read proves no absence.

HubSpot: https://developers.hubspot.com/docs/api-reference/latest/crm/objects/calls/batch/read-calls
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import httpx
from hubspot_batch_client.contract import OPERATIONS

from hubspot_batch._json import is_list, is_map, read_object

from .by_stamp import property_and_value
from .endpoints import JSON, FoundRecord, record_in
from .session import FailedError, LookupSession
from .steps import Step
from .stored import comparable_key, may_be_stored_as
from .strategy import DoubtfulInput, Findings

# Seconds between two reads that miss a record; and seconds from the end of a request to the second
# read. HubSpot's edge gives up after 100 (524), so nothing is carried out later.
LOOKS_APART, _AFTER = 30.0, 120.0
# Seconds after which a refused key that is missing will not turn up any more.
_READ_BACK = 10.0
# Clocks add up to a little less than they were told to wait.
_TOLERANCE = 0.01
_MISSING = "OBJECT_NOT_FOUND"
# After so many refusals in a row, the server's message is reported as it is.
_REFUSALS = 2


class NotUniqueError(Exception):
    """The account does not keep a property unique; the message is what HubSpot says."""


class _Response(NamedTuple):
    """The answer of a read about keys."""

    records: dict[str, FoundRecord]
    missing: frozenset[str]


class ByKey:
    """The look-up of inputs by their keys.

    Args:
        session: The requests.
        doubts: The inputs, each with a unique mark.
        matched: Returns which ids are those of records that belong to an input.
    """

    evidence = "key"

    def __init__(
        self,
        session: LookupSession,
        doubts: Sequence[DoubtfulInput],
        matched: Callable[[Iterable[str]], set[str]],
    ) -> None:
        self.doubts = doubts
        self.found = Findings({}, {}, (), {})
        self.complete_at: float | None = None
        self.failure = ""
        self._session = session
        self._matched = matched
        self._found_records: dict[tuple[str, str], FoundRecord] = {}
        # By key: when the first read began that missed it.
        self._missed: dict[tuple[str, str], float] = {}
        self._refusals = 0
        # The places of inputs that were refused for another reason: no record has their key.
        self._refused_otherwise: set[int] = set()

    @property
    def settled(self) -> bool:
        """Whether something certain is known of all."""
        return not self._left()

    def _left(self) -> list[DoubtfulInput]:
        found = self.found
        known = {*found.done, *found.disputed, *found.absent, *self._refused_otherwise}
        return [one for one in self.doubts if one.place not in known]

    def look(self, now: float) -> Generator[Step, tuple[float, Any], float]:
        """Read the records with the keys that were not found yet.

        Raises:
            FailedError: There was no response, or none that can be trusted.
            NotUniqueError: The account does not keep the property unique.
        """
        begun, silent, failure = now, False, None
        names = sorted({name for one in self.doubts for name in one.properties})
        for name, keys in self._keys():
            asked = now
            try:
                answer, now = yield from self._read(now, name, keys, names)
            except FailedError as failed:
                failure = failed
                if failed.status_code == 400:
                    continue  # this request is wrong, and not the next one
                break
            for key in keys:
                mark = name, comparable_key(key)
                if (record := answer.records.get(mark[1])) is not None:
                    self._found_records[mark] = record
                elif mark[1] in answer.missing:
                    self._note_missing(mark, asked)
                else:
                    silent = True
        self._count()
        if failure is not None:
            raise failure
        if silent:
            raise FailedError("the response does not say of each key whether it is there")
        self.complete_at = begun
        return now

    def _keys(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the keys of each request, with the property whose values they are."""
        limit = OPERATIONS[str(self._session.endpoint.reads)].limit
        by_name: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for one in self._left():
            assert one.mark is not None  # noqa: S101 - only such inputs are looked up so
            by_name[one.mark.property][comparable_key(one.mark.value)] = one.mark.value
        for name, keys in by_name.items():
            listed = [*keys.values()]
            for at in range(0, len(listed), limit):
                yield name, listed[at : at + limit]

    def _read(
        self, now: float, name: str, keys: Sequence[str], names: Sequence[str]
    ) -> Generator[Step, tuple[float, Any], tuple[_Response, float]]:
        body = {
            "inputs": [{"id": key} for key in keys],
            "idProperty": name,
            "properties": sorted({*names, name}),
            "propertiesWithHistory": [],
        }
        request = {
            "method": "POST",
            "url": OPERATIONS[str(self._session.endpoint.reads)].path,
            "content": json.dumps(body).encode(),
            "headers": JSON,
        }
        try:
            answer, now = yield from self._session.send(now, request, partial(_read_response, name))
        except FailedError as failed:
            if failed.status_code == 404 and failed.error and failed.error.category == _MISSING:
                return _Response({}, frozenset(map(comparable_key, keys))), now
            if failed.status_code == 400:
                self._refusals += 1
                words = "" if failed.error is None else failed.error.message
                about = any(one in words.lower() for one in ("unique", "idproperty", name))
                if about or self._refusals >= _REFUSALS:
                    raise NotUniqueError(words) from failed
            raise
        self._refusals = 0
        return answer, now

    def _note_missing(self, mark: tuple[str, str], asked: float) -> None:
        first = self._missed.setdefault(mark, asked)
        if asked - first >= _READ_BACK:
            same = {
                one.place for one in self.doubts if one.refused and property_and_value(one) == mark
            }
            self._refused_otherwise |= same
        if asked - first < LOOKS_APART - _TOLERANCE:
            return
        for one in self.doubts:
            if property_and_value(one) == mark and not one.refused and one.attempted is not None:
                since = asked - one.end
                if since >= _AFTER - _TOLERANCE:
                    self.found.absent[one.place] = since

    def _count(self) -> None:
        groups: defaultdict[tuple[str, str], list[DoubtfulInput]] = defaultdict(list)
        for one in self.doubts:
            groups[property_and_value(one)].append(one)
        matched = self._matched([record.id for record in self._found_records.values()])
        unclaimed: dict[str, FoundRecord] = {}
        for mark, record in self._found_records.items():
            doubts = groups[mark]
            first = doubts[0]
            own = len(doubts) == 1 and record.id not in matched
            if own and may_be_stored_as(first.properties, record.properties):
                self.found.done[first.place] = record
                continue
            self.found.disputed.update((one.place, (record,)) for one in doubts)
            if record.id not in matched:
                unclaimed[record.id] = record
        for one in self.doubts:
            if one.place in self.found.done or one.place in self.found.disputed:
                self.found.absent.pop(one.place, None)
        self.found = self.found._replace(unclaimed=tuple(unclaimed.values()))


def _read_response(name: str, response: httpx.Response) -> _Response | None:
    """Return the keys that a response found and missed; None if it cannot be trusted."""
    body = read_object(response.content)
    if body is None or not is_list(listed := body.get("results")):
        return None
    records = [record_in(one) for one in listed]
    found = {
        comparable_key(record.properties.get(name)): record
        for record in records
        if record is not None
    }
    if len(found) < len(records) or "" in found:
        return None
    errors: object = body.get("errors")
    listed_errors: list[Any] = errors if is_list(errors) else []
    missing = [id_ for error in listed_errors if is_map(error) for id_ in _missing_ids(error)]
    return _Response(found, frozenset(map(comparable_key, missing)))


def _missing_ids(error: dict[str, Any]) -> list[str]:
    """Return the ids that an error names as missing."""
    context = error.get("context")
    if error.get("category") != _MISSING or not is_map(context):
        return []
    listed = [ids if is_list(ids) else [ids] for ids in context.values()]
    return [str(id_) for ids in listed for id_ in ids]
