"""Fills the sandbox's account before the demo, and checks its records afterwards.

This module decides whether the outcomes match the records in the sandbox.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen

from hubspot_batch.outcomes import Outcome, OutcomeStatus
from hubspot_batch.sandbox import Record, Sandbox, add_examples

from .forms import ACCOUNT_EVENTS
from .rows import read_example

if TYPE_CHECKING:
    # The sandbox of the command line holds the same account, and needs no tables for it.
    from .tables import Section

Records: TypeAlias = Mapping[str, Record]
_Outcomes: TypeAlias = Sequence[Outcome[Any]]


@frozen
class Account:
    """The records of a sandbox at one moment, by family and id."""

    campaigns: Records
    marketing_events: Records
    calls: Records


def fill_account(sandbox: Sandbox) -> None:
    """Put the sandbox's own examples in place, and the events that the example files know."""
    add_examples(sandbox)
    for row in read_example(ACCOUNT_EVENTS).rows:
        if isinstance(row.input, Mapping):
            fields = {name: row.input[name] for name in ("startDateTime",) if name in row.input}
            sandbox.add_marketing_event(row.label, record_id=row.input["objectId"], fields=fields)


def look(sandbox: Sandbox) -> Account:
    """Return what a sandbox holds now."""
    return Account(
        **{
            family: {record.id: record for record in sandbox.records(family)}
            for family in ("campaigns", "marketing_events", "calls")
        }
    )


def disagreements(before: Account, after: Account, sections: Iterable[Section]) -> list[str]:
    """Return every point on which the outcomes and the account differ, as sentences."""
    found: list[str] = []
    for section in sections:
        outcomes = [entry.outcome for entry in section.entries if entry.outcome is not None]
        match section.operation:
            case "campaigns create":
                found += _created("campaign", before.campaigns, after.campaigns, outcomes)
            case "calls create":
                found += _created("call", before.calls, after.calls, outcomes)
            case "campaigns read":
                found += _read(after.campaigns, outcomes)
            case _:
                found += _updated(before.marketing_events, after.marketing_events, outcomes)
    return found


def _inputs(outcomes: _Outcomes, status: OutcomeStatus) -> Counter[str]:
    return Counter(_content(o.input) for o in outcomes if o.status is status)


def _content(given: Mapping[str, Any]) -> str:
    """Return a text that two inputs, or an input and its record, share when they say the same."""
    content = [given["properties"], list(given.get("associations", ()))]
    return json.dumps(content, sort_keys=True, ensure_ascii=False)


def _content_of(record: Record) -> str:
    return _content(
        {"properties": dict(record.properties), "associations": list(record.associations)}
    )


def _created(what: str, before: Records, after: Records, outcomes: _Outcomes) -> list[str]:
    held = Counter(_content_of(record) for id_, record in after.items() if id_ not in before)
    said = _inputs(outcomes, OutcomeStatus.SUCCEEDED)
    maybe = _inputs(outcomes, OutcomeStatus.UNKNOWN)
    found = [f"A {what} that succeeded is not there: {text}." for text in said - held]
    found += [
        f"A {what} is there twice, or although it did not succeed: {text}."
        for text in held - said - maybe
    ]
    for outcome in outcomes:
        if outcome.result is not None:
            record = after.get(outcome.result.id)
            if record is None or _content_of(record) != _content(outcome.input):
                found.append(f"The id {outcome.result.id} belongs to another {what}, or to none.")
    return found


def _read(after: Records, outcomes: _Outcomes) -> list[str]:
    found: list[str] = []
    for outcome in outcomes:
        record = after.get(outcome.input)
        if outcome.status is OutcomeStatus.SUCCEEDED:
            name = record.properties["hs_name"] if record else None
            result = outcome.result
            if not record or not result or result.properties.get("hs_name") != name:
                found.append(f"The campaign {outcome.input} is not what was read.")
        elif record and outcome.error and outcome.error.category == "OBJECT_NOT_FOUND":
            found.append(f"The campaign {outcome.input} was not found, but is there.")
    return found


def _updated(before: Records, after: Records, outcomes: _Outcomes) -> list[str]:
    """Repeat the updates that succeeded, one after another, and compare."""
    expected = {id_: (dict(r.fields), dict(r.custom_properties)) for id_, r in before.items()}
    unsure = {
        outcome.input.get("objectId")
        for outcome in outcomes
        if outcome.status is OutcomeStatus.UNKNOWN
    }
    found: list[str] = []
    for outcome in outcomes:
        if outcome.status is not OutcomeStatus.SUCCEEDED:
            continue
        given = dict(outcome.input)
        id_, custom = given.pop("objectId"), given.pop("customProperties")
        if id_ not in expected:
            found.append(f"The event {id_} was updated, but is not there.")
            continue
        fields, properties = expected[id_]
        fields.update(given)
        properties.update({item["name"]: item["value"] for item in custom})
    for id_ in sorted((expected.keys() | after.keys()) - unsure):
        record = after.get(id_)
        held = (dict(record.fields), dict(record.custom_properties)) if record else None
        if held != expected.get(id_):
            found.append(f"The event {id_} does not hold what the updates that succeeded say.")
    return found
