"""The effects of a create, a read, an update and an upsert on the records of a family.

The module decides what happens to each input of a well-formed batch, and to the whole batch if one
input is bad.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from .families import Family, View
from .faults import Treatment
from .input_checks import (
    Refusal,
    id_property_problem,
    rule_problem,
    uniqueness_problem,
    value_problem,
)
from .naming import Input, fields_of, find, name_of, repeat_name, values_of
from .operations import SandboxOperation
from .rewrites import normalization_warnings
from .store import Record, Store

ID_PROPERTY = "idProperty"


@frozen
class Batch:
    """The inputs of one request, and everything that their effects depend on.

    - `family`: the spec's family, with the properties and association types that users added.
    - `id_property`: the property whose values the ids are; None if they are ids of records.
    - `enforced`: the properties that the account requires of every record.
    - `normalizes`: results say in a warning which values came back in another form.
    - `treatment`: how a fault changes the treatment of inputs; None if there is none.
    """

    inputs: Sequence[Input]
    spec: SandboxOperation
    family: Family
    store: Store
    view: View
    request_number: int
    now: float
    rng: random.Random
    trace_echo: float
    id_property: str | None = None
    enforced: Sequence[str] = ()
    normalizes: bool = False
    treatment: Treatment | None = None


@frozen
class EffectResult:
    """The results and the item errors of a batch, or the problem that refused all of it."""

    results: Sequence[dict[str, Any]] = ()
    errors: Sequence[dict[str, Any]] = ()
    refusal: Refusal | None = None


def apply_batch(batch: Batch) -> EffectResult:
    """Carry out the operation on the store."""
    if batch.treatment == "refused":
        problem = Refusal("The record is busy. Please try again", category="CONFLICT")
        return EffectResult(errors=[problem.item_error(_names(batch, one)) for one in batch.inputs])
    kind = batch.spec.kind
    refusal = id_property_problem(batch.family, kind, batch.id_property, batch.inputs)
    if refusal is not None:
        return EffectResult(refusal=refusal)
    return _EFFECTS[kind](batch)


def _names(batch: Batch, item: Input) -> dict[str, list[str]]:
    """Return the context of an error that names its input, if an error of this kind does."""
    spec = batch.spec
    if spec.kind == "create":
        trace_id = fields_of(item).get(spec.trace_id_field or "")
        return {str(spec.trace_id_field): [trace_id]} if trace_id else {}
    name = name_of(spec, item)
    return {spec.single_id_key: [name]} if name else {}


def _create(batch: Batch) -> EffectResult:
    claimed: set[tuple[str, str]] = set()

    def check(item: Input) -> Refusal | None:
        complete = batch.treatment != "incomplete"
        fields = fields_of(item)
        problem = value_problem(batch.family, fields, complete=complete)
        problem = problem or rule_problem(batch.enforced, fields)
        return problem or uniqueness_problem(batch.family, batch.store, fields, claimed)

    # What names itself keeps its name.
    named = isinstance(batch.spec.id_field, str) and batch.spec.echoes
    return _apply_each(
        batch,
        check,
        lambda item: _create_record(batch, item, name_of(batch.spec, item) if named else None),
    )


def _apply_each(
    batch: Batch,
    check: Callable[[Input], Refusal | None],
    apply: Callable[[Input], dict[str, Any]],
) -> EffectResult:
    """Apply the good inputs if every input has a unique trace id; else all inputs or none."""
    field = batch.spec.trace_id_field
    trace_ids = [fields_of(item).get(field) for item in batch.inputs] if field else []
    partial = bool(trace_ids) and all(trace_ids) and len(set(trace_ids)) == len(trace_ids)
    good: list[Input] = []
    errors: list[dict[str, Any]] = []
    for item in batch.inputs:
        problem = check(item)
        if problem is None:
            good.append(item)
        elif partial and field:
            errors.append(problem.item_error({field: [item[field]]}))
        elif batch.treatment == "alone":
            errors.append(problem.item_error({}))
        else:
            # Nothing says that a refused batch of campaigns is refused before the first is created.
            for one in good if batch.treatment == "partly" and field is None else ():
                apply(one)
            return EffectResult(refusal=problem)
    return EffectResult(_reorder(batch, [apply(item) for item in good]), errors)


def _create_record(batch: Batch, item: Input, record_id: str | None = None) -> dict[str, Any]:
    spec, given = batch.spec, item
    item = fields_of(given)
    record = Record(
        record_id or batch.store.new_id(batch.rng),
        properties=item.get("properties") or {},
        fields=_other_fields(spec, item),
        custom_properties=_custom_properties(item),
        associations=tuple(item.get("associations") or ()),
        trace_id=item.get(spec.trace_id_field) if spec.trace_id_field else None,
        made_by=batch.request_number,
        created_at=batch.now,
        updated_at=batch.now,
    )
    return _render_with_trace_id(batch, batch.store.put(record), given)


def _update_record(batch: Batch, record: Record, item: Input) -> Record:
    spec, item = batch.spec, fields_of(item)
    return batch.store.update(
        record,
        properties={**record.properties, **(item.get("properties") or {})},
        fields={**record.fields, **_other_fields(spec, item)},
        custom_properties={**record.custom_properties, **_custom_properties(item)},
        trace_id=item.get(spec.trace_id_field) if spec.trace_id_field else record.trace_id,
        changed_by=batch.request_number,
        updated_at=batch.now,
    )


def _find_record(batch: Batch, item: Input) -> Record | None:
    id_property = fields_of(item).get(ID_PROPERTY) or batch.id_property
    return find(batch.spec, batch.store, item, id_property)


def _render(batch: Batch, record: Record, item: Input) -> dict[str, Any]:
    result = batch.family.render(record, batch.view, batch.family)
    repeat_name(batch.spec, item, record, result)
    sent: dict[str, Any] = fields_of(item).get("properties") or {}
    if batch.normalizes and (
        warnings := normalization_warnings(sent, result.get("properties") or {})
    ):
        result["warnings"] = warnings
    return result


def _render_with_trace_id(batch: Batch, record: Record, item: Input) -> dict[str, Any]:
    # Only some results repeat the trace id, so that no client relies on it.
    view = evolve(batch.view, trace_id=batch.rng.random() < batch.trace_echo)
    return _render(evolve(batch, view=view), record, item)


def _read(batch: Batch) -> EffectResult:
    # Duplicate ids are dropped silently (HubSpot, campaigns batch read): a dict keeps one of each.
    asked = {name_of(batch.spec, item): item for item in batch.inputs}
    found = {name: _find_record(batch, item) for name, item in asked.items()}
    missing = [name for name, record in found.items() if not record]
    records = {record.id: (record, asked[name]) for name, record in found.items() if record}
    results = [_render(batch, record, item) for record, item in records.values()]
    return EffectResult(_reorder(batch, results), _not_found_errors(batch.spec, missing))


def _update(batch: Batch) -> EffectResult:
    for item in batch.inputs:
        if problem := value_problem(batch.family, fields_of(item), complete=False):
            return EffectResult(refusal=problem)
    results: dict[str, dict[str, Any]] = {}
    missing: list[str] = []
    for item in batch.inputs:
        record_id = name_of(batch.spec, item)
        if record := _find_record(batch, item):
            results[record.id] = _render(batch, _update_record(batch, record, item), item)
        elif batch.spec.creates_missing:
            results[record_id] = _create_record(batch, item, record_id)
        else:
            missing.append(record_id)
    errors = _not_found_errors(batch.spec, missing)
    return EffectResult(_reorder(batch, list(results.values())), errors)


def _upsert(batch: Batch) -> EffectResult:
    spec = batch.spec
    by_id = spec.id_field == "id"

    def with_id_property(item: Input) -> Input:
        """Add the id to the properties, as a record that is created from the input has it."""
        if not (by_id and fields_of(item).get(ID_PROPERTY)):
            return item
        fields = fields_of(item)
        sent: dict[str, Any] = fields.get("properties") or {}
        return {**fields, "properties": {fields[ID_PROPERTY]: str(fields["id"]), **sent}}

    def check(item: Input) -> Refusal | None:
        exists = _find_record(batch, item) is not None
        if by_id and not exists and not fields_of(item).get(ID_PROPERTY):
            return Refusal(f"{batch.family.label} {name_of(spec, item)} was not found", 404)
        fields = fields_of(with_id_property(item))
        problem = value_problem(batch.family, fields, complete=not exists)
        return problem or (None if exists else rule_problem(batch.enforced, fields))

    def apply(item: Input) -> dict[str, Any]:
        if record := _find_record(batch, item):
            updated = _update_record(batch, record, item)
            return result_of_upsert(_render_with_trace_id(batch, updated, item), new=False)
        name = name_of(spec, item) if isinstance(spec.id_field, str) and not by_id else None
        return result_of_upsert(_create_record(batch, with_id_property(item), name), new=True)

    def result_of_upsert(result: dict[str, Any], *, new: bool) -> dict[str, Any]:
        return {**result, "new": new} if spec.tells_new else result

    return _apply_each(batch, check, apply)


def _archive(batch: Batch) -> EffectResult:
    results: list[dict[str, Any]] = []
    for item in batch.inputs:
        if record := _find_record(batch, item):
            results.append(_render(batch, record, item))
            batch.store.remove(record.id)
    # HubSpot archives existing records, and says nothing of missing ones.
    return EffectResult(_reorder(batch, results) if batch.spec.results else ())


def _act(batch: Batch) -> EffectResult:
    """Do something that the contract does not explain: to the records named, or to a new one."""
    return _update(batch) if values_of(batch.spec, batch.inputs[0]) else _create(batch)


_EFFECTS: Mapping[str, Callable[[Batch], EffectResult]] = {
    "create": _create,
    "read": _read,
    "update": _update,
    "upsert": _upsert,
    "archive": _archive,
    "action": lambda batch: _act(batch) if batch.inputs else EffectResult(),
}


def _other_fields(spec: SandboxOperation, item: Input) -> dict[str, Any]:
    """Return the fields of an input that a record keeps in `fields`."""
    handled: set[str | None] = {spec.trace_id_field, ID_PROPERTY}
    handled |= {"properties", "associations", "customProperties"}
    if isinstance(spec.id_field, str) and spec.kind != "create":
        handled.add(spec.id_field)
    return {name: value for name, value in item.items() if name not in handled}


def _custom_properties(item: Input) -> dict[str, str]:
    # The server accepts the long form of a custom property and is reported to save nothing of it.
    short_form = {"name", "value"}
    custom = [one for one in item.get("customProperties") or () if set(one) == short_form]
    return {one["name"]: one["value"] for one in custom}


def _reorder(batch: Batch, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if batch.spec.result_order == "reversed":
        return results[::-1]
    batch.rng.shuffle(results)
    return results


def _not_found_errors(spec: SandboxOperation, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return one error for all ids that were not found; HubSpot counts them as one error."""
    if not ids:
        return []
    unique_ids = list(dict.fromkeys(ids))
    problem = Refusal(
        f"{spec.family.label} records were not found: {', '.join(unique_ids)}",
        category="OBJECT_NOT_FOUND",
        sub_category=spec.not_found_sub_category,
    )
    return [problem.item_error({spec.single_id_key if len(unique_ids) == 1 else "ids": unique_ids})]
