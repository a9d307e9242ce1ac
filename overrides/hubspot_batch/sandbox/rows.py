"""What each batch operation does, as one row of data, and the four ways to do it.

A row names its family, its kind of work, its success code and how a batch with bad inputs ends.
Paths, scopes, limits and the form of an input come from the contract and are not repeated here.
A new operation on records like these is a new row.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from attrs import evolve, field, frozen

from .families import CALLS, CAMPAIGNS, MARKETING_EVENTS, Family, View
from .store import Record, Store
from .verdicts import Problem, conflicts, first_value_problem

Input = Mapping[str, Any]


@frozen
class Row:
    """What one operation does.

    - `success`: the status when nothing went wrong; with item errors it is 207.
    - `order`: how the results come back. HubSpot promises no order for campaigns and documents
      none for the rest, so no client may lean on the order of its inputs.
    - `id_field`: names the record in an input of a read or an update.
    - `trace_field`: a unique value of it in every input makes a create settle each input by
      itself; without it the batch is all or nothing (HubSpot, calls batch create).
    - `makes_missing`: an update makes the records that it does not find, under the ids it got.
    - `select`, `dates`: names of the query parameters that choose properties, and that bring the
      metrics of the assets when all of them are there.
    - `one_missing`: the key of `context` when exactly one id was not found; `missing_code`: the
      `subCategory` of that error.
    """

    operation: str
    family: Family
    kind: Literal["create", "read", "update"]
    success: int
    order: Literal["shuffled", "reversed"] = "shuffled"
    id_field: str = "id"
    trace_field: str | None = None
    makes_missing: bool = False
    one_missing: str = "ids"
    missing_code: str | None = None
    select: str | None = None
    dates: tuple[str, ...] = ()
    view: View = field(factory=View)


ROWS: Mapping[str, Row] = {
    row.operation: row
    for row in (
        Row("create_campaigns", CAMPAIGNS, "create", 201),
        Row(
            "read_campaigns",
            CAMPAIGNS,
            "read",
            200,
            one_missing="id",
            missing_code="CampaignApiError.INVALID_REQUEST",
            select="properties",
            dates=("startDate", "endDate"),
            view=View(assets=True),
        ),
        Row(
            "update_marketing_events",
            MARKETING_EVENTS,
            "update",
            200,
            order="reversed",
            id_field="objectId",
        ),
        Row("create_calls", CALLS, "create", 201, trace_field="objectWriteTraceId"),
    )
}


@frozen
class Turn:
    """What the work of one request needs to know beside its inputs."""

    number: int
    now: float
    rng: random.Random
    view: View
    trace_echo: float


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
    traces = [one.get(row.trace_field) for one in inputs] if row.trace_field else []
    partial = bool(traces) and all(traces) and len(set(traces)) == len(traces)
    good: list[Input] = []
    errors: list[dict[str, Any]] = []
    taken: set[tuple[str, str]] = set()
    for one in inputs:
        problem = first_value_problem(family, one) or conflicts(family, store, one, taken)
        if problem is None:
            good.append(one)
        elif partial and row.trace_field:
            errors.append(problem.item_error({row.trace_field: [one[row.trace_field]]}))
        else:
            return Done(refusal=problem)
    return Done(_ordered(row, [_made(row, family, store, one, turn) for one in good], turn), errors)


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
    # The trace id comes back in some results only, so that nobody relies on it.
    view = evolve(turn.view, trace_id=turn.rng.random() < turn.trace_echo)
    return family.render(store.put(record), view, family)


def _read(row: Row, family: Family, store: Store, inputs: Sequence[Input], turn: Turn) -> Done:
    # A dict keeps the first of equal ids: duplicates are dropped without a word.
    wanted = dict.fromkeys(str(one[row.id_field]) for one in inputs)
    found = {key: record for key in wanted if (record := store.get(key))}
    shown = [family.render(record, turn.view, family) for record in found.values()]
    return Done(
        _ordered(row, shown, turn), _missing(row, [key for key in wanted if key not in found])
    )


def _update(row: Row, family: Family, store: Store, inputs: Sequence[Input], turn: Turn) -> Done:
    for one in inputs:
        if problem := first_value_problem(family, one, complete=False):
            return Done(refusal=problem)
    shown: dict[str, dict[str, Any]] = {}
    missing: list[str] = []
    for one in inputs:
        key = str(one[row.id_field])
        if record := store.get(key):
            changed = store.change(
                record,
                properties={**record.properties, **(one.get("properties") or {})},
                fields={**record.fields, **_plain_fields(row, one)},
                custom_properties={**record.custom_properties, **_short_custom(one)},
                changed_by=turn.number,
                updated_at=turn.now,
            )
            shown[key] = family.render(changed, turn.view, family)
        elif row.makes_missing:
            shown[key] = _made(row, family, store, one, turn, key)
        else:
            missing.append(key)
    return Done(_ordered(row, list(shown.values()), turn), _missing(row, missing))


_Work = Callable[[Row, Family, Store, Sequence[Input], Turn], Done]
_WORK: Mapping[str, _Work] = {"create": _create, "read": _read, "update": _update}


def _plain_fields(row: Row, one: Input) -> dict[str, Any]:
    known = (row.id_field, row.trace_field, "properties", "associations", "customProperties")
    return {name: value for name, value in one.items() if name not in known}


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
