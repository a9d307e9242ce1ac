"""Identifies records, also if the id of an input is the value of a property.

This module decides which record an input means, and which input a result or an error names. A name
that fits two inputs names neither.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from hubspot_batch._cached_property import cached_property
from hubspot_batch._json import is_map

if TYPE_CHECKING:
    from .items import EncodedInput


# An input's own id, which results and errors may repeat. When all inputs of a request have one,
# HubSpot carries out the good ones and names the others (openapi/pages/create_calls.yaml).
TRACE_ID = "objectWriteTraceId"

# The field that names a property: the input's id is its value.
ID_PROPERTY = "idProperty"

# HubSpot keeps email addresses in lower case, so two spellings are one address.
_IN_LOWER_CASE = ("email",)


def id_property_of(wire: Mapping[str, Any], of_all: str | None) -> str | None:
    """Return the property that an input's id is a value of; None if it is a record's id."""
    return wire.get(ID_PROPERTY) or of_all


def key_of(id_: str, id_property: str | None) -> str:
    """Return a key that is equal for inputs that name the same record by the same property."""
    return id_ if id_property is None else f"{_kept(id_property, id_)} ({id_property})"


def joined(values: Sequence[object]) -> str | None:
    """Return the key of a record that several values name together; None if one is missing."""
    if None in values:
        return None
    return json.dumps([str(value) for value in values])


def _kept(name: str, value: str) -> str:
    return value.lower() if name in _IN_LOWER_CASE else value


@frozen(slots=False, eq=False)
class KeyRules:
    """How the inputs of an operation name their records.

    Attributes:
        input_key: The field that holds their ids or trace ids, or several that name a record
            together; None if there is none.
        fields: The names of an input's fields.
        of_all: The property whose values all ids are; None if there is none.
        named_by_id: Whether inputs name records that exist.
        adds_trace_ids: Whether an input gets a trace id in addition to its id, if it has such a
            field.
        ids_are_values: Whether ids are property values rather than ids of records.
    """

    input_key: str | tuple[str, ...] | None
    fields: Container[str]
    of_all: str | None = None
    named_by_id: bool = True
    adds_trace_ids: bool = False
    ids_are_values: bool = False

    @cached_property
    def gives_trace_ids(self) -> bool:
        """Whether an input gets a trace id in addition to its key."""
        return self.adds_trace_ids and TRACE_ID in self.fields

    @cached_property
    def together(self) -> bool:
        """Whether several fields name a record together."""
        return isinstance(self.input_key, tuple)

    @cached_property
    def plain(self) -> bool:
        """Whether every input's key is its id or trace id, as it stands in the input."""
        other = self.of_all is not None or ID_PROPERTY in self.fields
        return not (self.together or self.ids_are_values or (self.named_by_id and other))

    def key(self, wire: object) -> str | None:
        """Return an input's key: the same for all inputs that name a record in the same way."""
        if not is_map(wire):
            return str(wire)  # an input that is only an id
        if isinstance(self.input_key, tuple):
            return joined([wire.get(name) for name in self.input_key])
        id_ = wire.get(self.input_key) if self.input_key else None
        if id_ is None or self.plain:
            return id_ if id_ is None or type(id_) is str else str(id_)
        return key_of(str(id_), id_property_of(wire, self.of_all))

    def needs_full_check(self, given: Iterable[object], models: tuple[type, ...]) -> bool:
        """Return whether an input needs more than its id looked at, or a trace id added."""
        if self.gives_trace_ids or self.together or self.of_all is not None:
            return True
        for one in given:
            if type(one) is dict:
                if ID_PROPERTY in one:
                    return True
            # Other mappings than dicts are the caller's code, and are looked at one by one.
            elif type(one) not in models or getattr(one, "id_property", None):
                return True
        return False

    def index(self, entries: Sequence[EncodedInput]) -> KeyIndex | None:
        """Return an index of inputs if their ids may be property values; None for plain keys."""
        if not isinstance(self.input_key, str) or self.plain:
            return None
        by_id = not self.ids_are_values and self.of_all is None
        if by_id and not any(ID_PROPERTY.encode() in entry.text for entry in entries):
            return None
        # Where an upsert cannot name a property, its ids can be anything.
        of_records = not self.ids_are_values or ID_PROPERTY in self.fields
        return KeyIndex(entries, self.input_key, self.of_all, of_records=of_records)


class KeyIndex:
    """The inputs of a request, by everything that its response can name them by.

    Args:
        entries: The inputs.
        input_key: The field that holds their ids.
        of_all: The property whose values all ids are; None if there is none.
        of_records: Whether an id that is the value of no property is the id of a record.
    """

    def __init__(
        self,
        entries: Sequence[EncodedInput],
        input_key: str,
        of_all: str | None,
        *,
        of_records: bool = True,
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
            id_, name = str(wire[input_key]), id_property_of(wire, of_all)
            if trace_id := wire.get(TRACE_ID):
                self._by_trace.setdefault(trace_id, set()).add(key)
            if name is not None:
                self._by_value.setdefault((name, _kept(name, id_)), set()).add(key)
            elif of_records:
                self._by_record.setdefault(id_, set()).add(key)
            for spelling in {id_, _kept(name or "", id_)}:
                self._by_id.setdefault(spelling, set()).add(key)
            # Another record can have this id, so an error may be about that one.
            names_another = not of_records if name is None else id_.isdecimal()
            if names_another:
                self._doubtful.add(id_)
            # An input can set the value that names another input's record.
            sent: Mapping[str, Any] = wire.get("properties") or {}
            for other in self._properties:
                value = sent.get(other)
                if isinstance(value, str):
                    self._by_value.setdefault((other, _kept(other, value)), set()).add(key)

    def of_result(
        self, id_: str | None, trace_id: str | None, properties: Mapping[str, Any]
    ) -> str | None:
        """Return the key of the input that a result belongs to; None if that is open."""
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
