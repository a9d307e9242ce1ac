"""The records of one family, in the order in which they were created.

The module decides how a record is kept and how it is found again.
"""

import random
import uuid
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from attrs import define, evolve, field, frozen


def seeded_random(*parts: object) -> random.Random:
    """Make the random generator of these parts: equal parts give equal choices."""
    # It makes ids and picks faults; nothing here is secret.
    return random.Random("/".join(map(str, parts)))  # noqa: S311


def _read_only(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(mapping))


def _index_key(name: str, value: str) -> tuple[str, str]:
    """Return the key under which a property's value is found: emails compare in lower case."""
    return name, value.lower() if name == "email" else value


@frozen
class Record:
    """One record as it is stored, its values exactly as they were sent.

    `fields` are the fields beside `properties` (those of a marketing event, for example).
    `made_by` and `changed_by` are numbers of requests; 0 stands for the `add_...` methods of the
    sandbox. Times are seconds of the sandbox's clock.
    """

    id: str
    properties: Mapping[str, str | None] = field(factory=dict[str, Any], converter=_read_only)
    fields: Mapping[str, Any] = field(factory=dict[str, Any], converter=_read_only)
    custom_properties: Mapping[str, str] = field(factory=dict[str, Any], converter=_read_only)
    associations: tuple[Mapping[str, Any], ...] = ()
    trace_id: str | None = None
    assets: Mapping[str, Any] = field(factory=dict[str, Any], converter=_read_only)
    made_by: int = 0
    changed_by: int | None = None
    created_at: float = 0.0
    updated_at: float = 0.0


@define
class Store:
    """The records of one family, found by id and by the values of properties.

    - `guids`: ids are GUIDs; otherwise each id is the next number after `last_number`.
    - `indexed`: names of the properties that find records.
    """

    guids: bool
    indexed: tuple[str, ...]
    last_number: int
    _records: dict[str, Record] = field(factory=dict[str, Record], init=False)
    _index: dict[tuple[str, str], str] = field(factory=dict[tuple[str, str], str], init=False)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def __len__(self) -> int:
        return len(self._records)

    def get(self, record_id: str) -> Record | None:
        """Return the record with this id, or None."""
        return self._records.get(record_id)

    def new_id(self, rng: random.Random) -> str:
        """Make an id that no record has."""
        while True:
            self.last_number += 1
            guid = uuid.UUID(int=rng.getrandbits(128), version=4) if self.guids else None
            record_id = str(guid or self.last_number)
            if record_id not in self._records:
                return record_id

    def find_id(self, name: str, value: str) -> str | None:
        """Return the id of the record that has this value of an indexed property, or None."""
        return self._index.get(_index_key(name, value))

    def find(self, name: str, value: str) -> Record | None:
        """Return the record that has this value of any property, or None."""
        if name not in self.indexed:
            self.indexed = (*self.indexed, name)
            for record in self:
                self._add_to_index(name, record)
        return self._records.get(self.find_id(name, value) or "")

    def _add_to_index(self, name: str, record: Record) -> None:
        if value := record.properties.get(name):
            self._index[_index_key(name, value)] = record.id

    def put(self, record: Record) -> Record:
        """Store `record`, in place of an earlier one with its id, and return it."""
        before = self._records.get(record.id)
        for name in self.indexed:
            if before and (old := before.properties.get(name)):
                self._index.pop(_index_key(name, old), None)
            self._add_to_index(name, record)
        self._records[record.id] = record
        return record

    def remove(self, record_id: str) -> None:
        """Remove the record with this id, if there is one."""
        record = self._records.pop(record_id, None)
        for name in self.indexed if record else ():
            if record and (value := record.properties.get(name)):
                self._index.pop(_index_key(name, value), None)

    def update(self, record: Record, **changes: Any) -> Record:
        """Store a changed copy of `record` and return it."""
        return self.put(evolve(record, **changes))
