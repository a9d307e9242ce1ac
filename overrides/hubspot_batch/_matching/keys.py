"""Names records, also where the id of an input is a value of one of their properties.

This module decides which record an input means, and which input's record a result or an error
speaks of. What could be said of two of them is said of none.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import frozen

from .items import Entries

if TYPE_CHECKING:
    from hubspot_batch._engine.chunk import Chunk

# An input's own name, which results and errors may repeat. When all inputs of a request carry one
# of their own, the server carries out what it can, and names what it refuses
# (openapi/pages/create_calls.yaml).
TRACE_ID = "objectWriteTraceId"

# What says of which property an input's id is a value.
ID_PROPERTY = "idProperty"

# HubSpot keeps email addresses in lower case, so two spellings are one address.
_IN_LOWER_CASE = ("email",)


def id_property_of(wire: Mapping[str, Any], of_all: str | None) -> str | None:
    """Return the property of which an input's id is a value; None where it is a record's id."""
    return wire.get(ID_PROPERTY) or of_all


def key_of(id_: str, id_property: str | None) -> str:
    """Return what is the same for all inputs that mean the same record by the same property."""
    return id_ if id_property is None else f"{_kept(id_property, id_)} ({id_property})"


def _kept(name: str, value: str) -> str:
    return value.lower() if name in _IN_LOWER_CASE else value


@frozen(slots=False, eq=False)
class Naming:
    """How the inputs of an operation name their records.

    Args:
        input_key: The field that holds their ids, or their own names; None where there is none.
        kind: What the operation does.
        fields: The names of an input's fields.
        of_all: The property of which all ids are values, if they are of one.
    """

    _input_key: str | None
    _kind: str
    _fields: Container[str]
    _of_all: str | None

    @cached_property
    def gives_trace_ids(self) -> bool:
        """Whether an input gets a trace id beside its key."""
        return self._kind == "upsert" and TRACE_ID in self._fields

    @cached_property
    def _by_property(self) -> bool:
        """Whether an id can be something else than the id of a record."""
        other = self._of_all is not None or ID_PROPERTY in self._fields
        return self._kind == "upsert" or (self._kind != "create" and other)

    def key(self, wire: Mapping[str, Any]) -> str | None:
        """Return what is the same for all inputs that name the same record in the same way."""
        id_ = wire.get(self._input_key) if self._input_key else None
        if id_ is None or not self._by_property:
            return id_
        return key_of(id_, id_property_of(wire, self._of_all))

    def needs_a_close_look(self, given: Iterable[object], model: type) -> bool:
        """Return whether more than the id of an input may have to be looked at, or be added."""
        if self.gives_trace_ids or self._of_all is not None:
            return True
        if not self._by_property:
            return False
        for one in given:
            if type(one) is dict:
                if ID_PROPERTY in one:
                    return True
            # Other mappings than dicts are the caller's code, and are looked at one by one.
            elif type(one) is not model or getattr(one, "id_property", None):
                return True
        return False

    def names(self, chunk: Chunk) -> Names | None:
        """Return what tells inputs apart; None where their keys are all there is to it."""
        if self._input_key is None or not self._by_property:
            return None
        upserts = self._kind == "upsert"
        if not upserts and self._of_all is None and ID_PROPERTY.encode() not in chunk.array:
            return None
        # Where an upsert says of no property what its ids are, they are anything.
        of_records = not upserts or ID_PROPERTY in self._fields
        return Names(chunk.entries, self._input_key, self._of_all, of_records=of_records)


class Names:
    """What tells the inputs of a request apart in its answer.

    Args:
        entries: The inputs.
        input_key: The field that holds their ids.
        of_all: The property of which all ids are values, if they are of one.
        of_records: Whether an id that is the value of no property is the id of a record.
    """

    def __init__(
        self, entries: Entries, input_key: str, of_all: str | None, *, of_records: bool = True
    ) -> None:
        self._by_trace: dict[str, set[str]] = {}
        self._by_id: dict[str, set[str]] = {}
        self._doubtful: set[str] = set()
        self._by_record: dict[str, set[str]] = {}
        self._by_value: dict[tuple[str, str], set[str]] = {}
        wires = [(entry.key, entry.wire) for entry in entries if entry.key is not None]
        asked = {id_property_of(wire, of_all) for _, wire in wires}
        self._properties = [name for name in asked if name is not None]
        for key, wire in wires:
            id_, name = wire[input_key], id_property_of(wire, of_all)
            if trace_id := wire.get(TRACE_ID):
                self._by_trace.setdefault(trace_id, set()).add(key)
            if name is not None:
                self._by_value.setdefault((name, _kept(name, id_)), set()).add(key)
            elif of_records:
                self._by_record.setdefault(id_, set()).add(key)
            for spelling in {id_, _kept(name or "", id_)}:
                self._by_id.setdefault(spelling, set()).add(key)
            # Another record can have this id, and be what an error speaks of.
            if id_.isdecimal() if name is not None else not of_records:
                self._doubtful.add(id_)
            # An input can give its record the value by which another one names its own.
            sent: Mapping[str, Any] = wire.get("properties") or {}
            for other in self._properties:
                value = sent.get(other)
                if isinstance(value, str):
                    self._by_value.setdefault((other, _kept(other, value)), set()).add(key)

    def of_result(
        self, id_: str | None, trace_id: str | None, properties: Mapping[str, Any]
    ) -> str | None:
        """Return the key of the inputs whose record a result is; None where nobody can say."""
        if trace_id is not None and len(traced := self._by_trace.get(trace_id, ())) == 1:
            return _only(traced)
        found = {*self._by_record.get(id_ or "", ())}
        for name in self._properties:
            if isinstance(value := properties.get(name), str):
                found |= self._by_value.get((name, _kept(name, value)), set())
        return _only(found)

    def of_error(self, ids: Iterable[str], trace_ids: Iterable[str]) -> frozenset[str]:
        """Return the keys of the inputs that an error lists."""
        named = [self._by_trace.get(trace_id, ()) for trace_id in trace_ids]
        named += [self._by_id.get(id_, ()) for id_ in ids if id_ not in self._doubtful]
        return frozenset(key for keys in named if (key := _only(keys)) is not None)


def _only(keys: Iterable[str]) -> str | None:
    found = [*keys]
    return found[0] if len(found) == 1 else None
