"""Fills the sandbox's account before the demo, and checks its records afterwards.

This module decides whether the outcomes match the records in the sandbox.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from attrs import frozen

from hubspot_batch.jobs.summary import RowDone
from hubspot_batch.sandbox import Record, Sandbox, add_examples

from .examples import account_events

Records: TypeAlias = Mapping[str, Record]
_Rows: TypeAlias = Sequence[tuple[Any, RowDone]]


@frozen
class Loaded:
    """A file that was loaded.

    Attributes:
        operation: The operation, as the command line calls it.
        rows: The input of each row, and what became of it.
        records: The records that were read, by id.
    """

    operation: str
    rows: _Rows
    records: Mapping[str, Any]


@frozen
class Account:
    """The records of a sandbox at one moment, by family and id."""

    campaigns: Records
    marketing_events: Records
    calls: Records


def fill_account(sandbox: Sandbox) -> None:
    """Put the sandbox's own examples in place, and the events that the example files know."""
    add_examples(sandbox)
    for id_, name, start in account_events():
        sandbox.add_marketing_event(name, record_id=id_, fields={"startDateTime": start})


def look(sandbox: Sandbox) -> Account:
    """Return what a sandbox holds now."""
    return Account(
        **{
            family: {record.id: record for record in sandbox.records(family)}
            for family in ("campaigns", "marketing_events", "calls")
        }
    )


def disagreements(before: Account, after: Account, loaded: Iterable[Loaded]) -> list[str]:
    """Return every point on which the outcomes and the account differ, as sentences."""
    found: list[str] = []
    for file in loaded:
        match file.operation:
            case "campaigns create":
                found += _created("campaign", before.campaigns, after.campaigns, file.rows)
            case "calls create":
                found += _created("call", before.calls, after.calls, file.rows)
            case "campaigns read":
                found += _read(after.campaigns, file)
            case _:
                found += _updated(before.marketing_events, after.marketing_events, file.rows)
    return found


def _inputs(rows: _Rows, status: str) -> Counter[str]:
    return Counter(_content(given) for given, done in rows if done.status == status)


def _content(given: Mapping[str, Any]) -> str:
    """Return a text that two inputs, or an input and its record, share when they say the same."""
    content = [given["properties"], list(given.get("associations", ()))]
    return json.dumps(content, sort_keys=True, ensure_ascii=False)


def _content_of(record: Record) -> str:
    return _content(
        {"properties": dict(record.properties), "associations": list(record.associations)}
    )


def _created(what: str, before: Records, after: Records, rows: _Rows) -> list[str]:
    held = Counter(_content_of(record) for id_, record in after.items() if id_ not in before)
    said = _inputs(rows, "succeeded")
    maybe = _inputs(rows, "unknown")
    found = [f"A {what} that succeeded is not there: {text}." for text in said - held]
    found += [
        f"A {what} is there twice, or although it did not succeed: {text}."
        for text in held - said - maybe
    ]
    for given, done in rows:
        if done.id is not None:
            record = after.get(done.id)
            if record is None or _content_of(record) != _content(given):
                found.append(f"The id {done.id} belongs to another {what}, or to none.")
    return found


def _read(after: Records, file: Loaded) -> list[str]:
    found: list[str] = []
    for given, done in file.rows:
        record = after.get(given) if isinstance(given, str) else None
        if done.status == "succeeded":
            name = record.properties["hs_name"] if record else None
            result = file.records.get(given)
            if not record or not result or result["properties"].get("hs_name") != name:
                found.append(f"The campaign {given} is not what was read.")
        elif record and "not found" in (done.message or ""):
            found.append(f"The campaign {given} was not found, but is there.")
    return found


def _updated(before: Records, after: Records, rows: _Rows) -> list[str]:
    """Repeat the updates that succeeded, one after another, and compare."""
    expected = {id_: (dict(r.fields), dict(r.custom_properties)) for id_, r in before.items()}
    unsure = {given["objectId"] for given, done in rows if done.status == "unknown"}
    found: list[str] = []
    for given, done in rows:
        if done.status != "succeeded":
            continue
        values = dict(given)
        id_, custom = values.pop("objectId"), values.pop("customProperties", ())
        if id_ not in expected:
            found.append(f"The event {id_} was updated, but is not there.")
            continue
        fields, properties = expected[id_]
        fields.update(values)
        properties.update({item["name"]: item["value"] for item in custom})
    for id_ in sorted((expected.keys() | after.keys()) - unsure):
        record = after.get(id_)
        held = (dict(record.fields), dict(record.custom_properties)) if record else None
        if held != expected.get(id_):
            found.append(f"The event {id_} does not hold what the updates that succeeded say.")
    return found
