"""What the sandbox holds: records by family, in the order in which they came.

It decides how a record is kept and found again. It never judges an input and renders no answer.
"""

import random
import uuid
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from attrs import define, evolve, field, frozen


def seeded(*parts: object) -> random.Random:
    """Make the generator that belongs to these parts: the same parts, the same choices."""
    # It makes ids and picks faults; nothing here is secret.
    return random.Random("/".join(map(str, parts)))  # noqa: S311


def _read_only(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(mapping))


def _kept(name: str, value: str) -> tuple[str, str]:
    """Return a property's value as it is compared: HubSpot keeps emails in lower case."""
    return name, value.lower() if name == "email" else value


@frozen
class Record:
    """One record as it is held, its values exactly as they were sent.

    `fields` are the plain fields beside `properties` (those of a marketing event, for example).
    `made_by` and `changed_by` are numbers of requests; 0 means put in place by hand. Times are
    seconds of the sandbox's clock.
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
    """The records of one family.

    `guids` says how ids are made (a GUID, or the next number), and `unique` names properties by
    whose values records are found.
    """

    guids: bool
    unique: tuple[str, ...]
    next_number: int
    _records: dict[str, Record] = field(factory=dict[str, Record], init=False)
    _owners: dict[tuple[str, str], str] = field(factory=dict[tuple[str, str], str], init=False)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def __len__(self) -> int:
        return len(self._records)

    def get(self, record_id: str) -> Record | None:
        """Return the record of this id, or None."""
        return self._records.get(record_id)

    def new_id(self, rng: random.Random) -> str:
        """Make an id that no record has."""
        while True:
            self.next_number += 1
            guid = uuid.UUID(int=rng.getrandbits(128), version=4) if self.guids else None
            record_id = str(guid or self.next_number)
            if record_id not in self._records:
                return record_id

    def owner(self, name: str, value: str) -> str | None:
        """Return the id of the record that has this value of a unique property."""
        return self._owners.get(_kept(name, value))

    def find(self, name: str, value: str) -> Record | None:
        """Return the record that has this value of any property, or None."""
        if name not in self.unique:
            self.unique = (*self.unique, name)
            for record in self:
                self._note(name, record)
        return self._records.get(self.owner(name, value) or "")

    def _note(self, name: str, record: Record) -> None:
        if value := record.properties.get(name):
            self._owners[_kept(name, value)] = record.id

    def put(self, record: Record) -> Record:
        """Keep `record` in place of what its id named before."""
        before = self._records.get(record.id)
        for name in self.unique:
            if before and (old := before.properties.get(name)):
                self._owners.pop(_kept(name, old), None)
            self._note(name, record)
        self._records[record.id] = record
        return record

    def change(self, record: Record, **changes: Any) -> Record:
        """Keep a changed copy of `record` and return it."""
        return self.put(evolve(record, **changes))
