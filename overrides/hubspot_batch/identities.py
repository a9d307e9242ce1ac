"""Names records, also where the id of an input is a value of one of their properties.

This module decides which record an input means, and which input's record a result or an error
speaks of. What could be said of two of them is said of none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .evidence import Entries

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


class Names:
    """What tells the inputs of a request apart in its answer.

    Args:
        entries: The inputs.
        input_key: The field that holds their ids.
        of_all: The property of which all ids are values, if they are of one.
    """

    def __init__(self, entries: Entries, input_key: str, of_all: str | None) -> None:
        self._by_trace: dict[str, set[str]] = {}
        self._by_id: dict[str, set[str]] = {}
        self._by_record: dict[str, set[str]] = {}
        self._by_value: dict[tuple[str, str], set[str]] = {}
        wires = [(entry.key, entry.wire) for entry in entries if entry.key is not None]
        asked = {id_property_of(wire, of_all) for _, wire in wires}
        self._properties = [name for name in asked if name is not None]
        for key, wire in wires:
            id_, name = wire[input_key], id_property_of(wire, of_all)
            for spelling in {id_, _kept(name or "", id_)}:
                self._by_id.setdefault(spelling, set()).add(key)
            if trace_id := wire.get(TRACE_ID):
                self._by_trace.setdefault(trace_id, set()).add(key)
            if name is None:
                self._by_record.setdefault(id_, set()).add(key)
            else:
                self._by_value.setdefault((name, _kept(name, id_)), set()).add(key)
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
        named += [self._by_id.get(id_, ()) for id_ in ids]
        return frozenset(key for keys in named if (key := _only(keys)) is not None)


def _only(keys: Iterable[str]) -> str | None:
    found = [*keys]
    return found[0] if len(found) == 1 else None
