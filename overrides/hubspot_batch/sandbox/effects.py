"""The four kinds of work: what a create, a read, an update and an upsert do to the records.

It decides what becomes of each input of a batch that was let in, and of the batch where one is bad.
It looks at no form, and at no request but its inputs.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from .families import Family, View
from .operations import Row
from .store import Record, Store
from .validation import Problem, conflicts, first_value_problem

Input = Mapping[str, Any]

ID_PROPERTY = "idProperty"


@frozen
class Turn:
    """What the work of one request needs to know beside its inputs.

    `id_property` is the property of which all ids are values, where they are not those of records.
    """

    number: int
    now: float
    rng: random.Random
    view: View
    trace_echo: float
    id_property: str | None = None


@frozen
class Done:
    """What came of a batch: results and item errors, or one problem that refused all of it."""

    results: Sequence[dict[str, Any]] = ()
    errors: Sequence[dict[str, Any]] = ()
    refusal: Problem | None = None


def work(row: Row, family: Family, store: Store, inputs: Sequence[Input], turn: Turn) -> Done:
    """Do what the row says to the store. `family` is the row's own, with what users added."""
    return _WORK[row.kind](row, family, store, inputs, turn)


def _create(row: Row, family: Family, store: Store, inputs: Sequence[Input], turn: Turn) -> Done:
    taken: set[tuple[str, str]] = set()
    return _each(
        *(row, inputs, turn),
        lambda one: first_value_problem(family, one) or conflicts(family, store, one, taken),
        lambda one: _made(row, family, store, one, turn),
    )


def _each(
    row: Row,
    inputs: Sequence[Input],
    turn: Turn,
    judge: Callable[[Input], Problem | None],
    do: Callable[[Input], dict[str, Any]],
) -> Done:
    """Do the good inputs where each has a trace id of its own; else all of them or none."""
    traces = [one.get(row.trace_field) for one in inputs] if row.trace_field else []
    partial = bool(traces) and all(traces) and len(set(traces)) == len(traces)
    good: list[Input] = []
    errors: list[dict[str, Any]] = []
    for one in inputs:
        problem = judge(one)
        if problem is None:
            good.append(one)
        elif partial and row.trace_field:
            errors.append(problem.item_error({row.trace_field: [one[row.trace_field]]}))
        else:
            return Done(refusal=problem)
    return Done(_ordered(row, [do(one) for one in good], turn), errors)


def _made(
    row: Row, family: Family, store: Store, one: Input, turn: Turn, record_id: str | None = None
) -> dict[str, Any]:
    record = Record(
        record_id or store.new_id(turn.rng),
        properties=one.get("properties") or {},
        fields=_plain_fields(row, one),
        custom_properties=_short_custom(one),
        associations=tuple(one.get("associations") or ()),
        trace_id=one.get(row.trace_field) if row.trace_field else None,
        made_by=turn.number,
        created_at=turn.now,
        updated_at=turn.now,
    )
    return _shown(family, store.put(record), turn)


def _shown(family: Family, record: Record, turn: Turn) -> dict[str, Any]:
    # The trace id comes back in some results only, so that nobody relies on it.
    view = evolve(turn.view, trace_id=turn.rng.random() < turn.trace_echo)
    return family.render(record, view, family)


def _found(row: Row, store: Store, one: Input, turn: Turn) -> Record | None:
    key = str(one[row.id_field])
    name = one.get(ID_PROPERTY) or turn.id_property
    return store.find(name, key) if name else store.get(key)


def _changed(row: Row, store: Store, record: Record, one: Input, turn: Turn) -> Record:
    return store.change(
        record,
        properties={**record.properties, **(one.get("properties") or {})},
        fields={**record.fields, **_plain_fields(row, one)},
        custom_properties={**record.custom_properties, **_short_custom(one)},
        trace_id=one.get(row.trace_field) if row.trace_field else record.trace_id,
        changed_by=turn.number,
        updated_at=turn.now,
    )


def _read(row: Row, family: Family, store: Store, inputs: Sequence[Input], turn: Turn) -> Done:
    # A dict keeps the first of equal ids: duplicates are dropped without a word.
    wanted = {str(one[row.id_field]): _found(row, store, one, turn) for one in inputs}
    found = {record.id: record for record in wanted.values() if record}
    shown = [family.render(record, turn.view, family) for record in found.values()]
    return Done(
        _ordered(row, shown, turn), _missing(row, [key for key, one in wanted.items() if not one])
    )


def _update(row: Row, family: Family, store: Store, inputs: Sequence[Input], turn: Turn) -> Done:
    for one in inputs:
        if problem := first_value_problem(family, one, complete=False):
            return Done(refusal=problem)
    shown: dict[str, dict[str, Any]] = {}
    missing: list[str] = []
    for one in inputs:
        key = str(one[row.id_field])
        if record := _found(row, store, one, turn):
            changed = _changed(row, store, record, one, turn)
            shown[record.id] = family.render(changed, turn.view, family)
        elif row.makes_missing:
            shown[key] = _made(row, family, store, one, turn, key)
        else:
            missing.append(key)
    return Done(_ordered(row, list(shown.values()), turn), _missing(row, missing))


def _upsert(row: Row, family: Family, store: Store, inputs: Sequence[Input], turn: Turn) -> Done:
    def whole(one: Input) -> Input:
        """What a record that is made of the input would have."""
        named = {one[ID_PROPERTY]: one[row.id_field]} if one.get(ID_PROPERTY) else {}
        return {**one, "properties": {**named, **(one.get("properties") or {})}}

    def judge(one: Input) -> Problem | None:
        there = _found(row, store, one, turn) is not None
        if not there and not one.get(ID_PROPERTY):
            return Problem(f"{family.label} {one[row.id_field]} was not found", 404)
        return first_value_problem(family, whole(one), complete=not there)

    def do(one: Input) -> dict[str, Any]:
        if record := _found(row, store, one, turn):
            changed = _changed(row, store, record, one, turn)
            return {**_shown(family, changed, turn), "new": False}
        return {**_made(row, family, store, whole(one), turn), "new": True}

    return _each(row, inputs, turn, judge, do)


_Work = Callable[[Row, Family, Store, Sequence[Input], Turn], Done]
_WORK: Mapping[str, _Work] = {
    "create": _create,
    "read": _read,
    "update": _update,
    "upsert": _upsert,
}


def _plain_fields(row: Row, one: Input) -> dict[str, Any]:
    known = (row.id_field, row.trace_field, ID_PROPERTY, "properties", "associations")
    return {name: value for name, value in one.items() if name not in (*known, "customProperties")}


def _short_custom(one: Input) -> dict[str, str]:
    # The long form of a custom property is taken and reported not to save anything.
    short = {"name", "value"}
    custom = [item for item in one.get("customProperties") or () if set(item) == short]
    return {item["name"]: item["value"] for item in custom}


def _ordered(row: Row, results: list[dict[str, Any]], turn: Turn) -> list[dict[str, Any]]:
    if row.order == "reversed":
        return results[::-1]
    turn.rng.shuffle(results)
    return results


def _missing(row: Row, ids: Sequence[str]) -> list[dict[str, Any]]:
    """One error object for all ids that were not found; HubSpot counts it as one error."""
    if not ids:
        return []
    named = list(dict.fromkeys(ids))
    problem = Problem(
        f"{row.family.label} records were not found: {', '.join(named)}",
        category="OBJECT_NOT_FOUND",
        sub_category=row.missing_code,
    )
    return [problem.item_error({row.one_missing if len(named) == 1 else "ids": named})]
