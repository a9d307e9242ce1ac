"""The meaning of an operation, and how its response names inputs: its `x-` keywords.

Decides the kind of an operation, the fields that name a record, the fields that a result repeats,
and the field that holds the results. Each has a default that is safe in every case. What no
default can tell has to stand in the fragment, and what the client cannot do is refused.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .keywords import ALL_OR_NOTHING, KEY, KIND, NAMED_BY, RESULTS, closest
from .yaml_source import Pointer, is_list, is_map

# What the first word of an operation's id says. Any other word is an `action`, never sent twice.
KINDS = ("create", "read", "update", "upsert", "archive", "action")
_SAME_WORD = 0.8  # how much a first word must be like a kind to count as misspelt

TRACE_ID = "objectWriteTraceId"
_ID, _ID_PROPERTY = "id", "idProperty"
_MAP = "properties"


class ContractError(Exception):
    """A part of the bundle that has no place in the contract; `pointer` is its place."""

    def __init__(self, pointer: Pointer, text: str) -> None:
        self.pointer = pointer
        self.text = text
        super().__init__(f"#/{'/'.join(map(str, pointer))}: {text}")


class Fields(NamedTuple):
    """The fields of an object: their schemas by name, without references, and the required ones."""

    schemas: Mapping[str, Any]
    required: frozenset[str]

    def scalar(self, name: str) -> bool:
        """Return True if a field holds a text or a whole number."""
        return is_scalar(self.schemas.get(name))


class Meaning(NamedTuple):
    """The meaning of an operation, and how its response names inputs.

    - `key`: the fields of an input that name its record, none for an input that is a plain string.
    - `result_key`: the fields of a result that repeat them; none if no result does.
    - `repeated`: the fields that input and result share, by which a result without a key is
      matched.
    - `record_key`: the field of a result with the record's own id, empty if it has none.
    """

    kind: str
    key: tuple[str, ...] = ()
    result_key: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    record_key: str = ""
    named_by: str = ""
    all_or_nothing: bool = False


def is_scalar(schema: Any) -> bool:
    """Return True for the schema of a text or a whole number, null allowed."""
    if not is_map(schema):
        return False
    said = schema.get("type")
    kinds: set[Any] = {*(said if is_list(said) else [said])} - {"null"}
    return kinds in ({"string"}, {"integer"})


def kind_of(at: Pointer, operation: Mapping[str, Any]) -> str:
    """Return the kind of an operation: what `x-kind` says, or the first word of its id.

    The kind decides if a request is sent again. An unknown word means `action`, which never is.
    """
    if KIND in operation:
        kind = operation[KIND]
        if kind not in KINDS:
            like = closest(str(kind), KINDS)
            advice = f"did you mean {like}" if like else f"write one of {', '.join(KINDS)}"
            raise ContractError(
                (*at, KIND), f"`{KIND}` is {kind!r}, which is no kind of operation; {advice}."
            )
        return str(kind)
    name = str(operation["operationId"])
    word = name.partition("_")[0]
    if word in KINDS:
        return word
    if like := closest(word, KINDS, _SAME_WORD):
        text = f"{name} begins with {word}; did you mean {like}? Rename it, or write its `{KIND}`."
        raise ContractError((*at, "operationId"), text)
    return "action"


def meaning_of(
    at: Pointer, operation: Mapping[str, Any], inputs: Sequence[Fields], result: Fields | None
) -> Meaning:
    """Return what an operation does, and how its answer names inputs.

    Args:
        at: The place of the operation.
        operation: The operation.
        inputs: The fields of an input, for each of its alternatives; none if it is only a text.
        result: The fields of a result; None if the answer has no results.

    Raises ContractError if a result could never be matched to its input.
    """
    kind, name = kind_of(at, operation), operation["operationId"]
    if kind == "read" and result is None:
        text = f"the answer to {name} has no list of results; name its field in `{RESULTS}`."
        raise ContractError(at, text)
    key, repeats = _key(at, operation, kind, inputs, result)
    # An input of another form could not carry a trace id.
    named = bool(inputs) and all(TRACE_ID in one.schemas for one in inputs)
    traced = kind in ("create", "upsert") and named
    # An upsert is matched by the property that its id is a value of (`_matching/keys.py`).
    by_property = any(_ID_PROPERTY in one.schemas for one in inputs)
    if kind == "upsert" and key == (_ID,) and not by_property:
        repeats = ()  # the id of an upsert can be anything, and need not be that of its result
    by_key = bool(repeats)
    repeated = () if by_key or kind == "read" else _shared(inputs, result, kind)
    if result is not None and not (by_key or repeated or traced):
        text = f"nothing in a result of {name} says which input it belongs to"
        raise ContractError(at, f"{text}; name the field in `{KEY}`.")
    return Meaning(
        kind=kind,
        key=key,
        result_key=repeats,
        repeated=repeated,
        # A create makes a record even where another one has the same key, such as a name.
        record_key=_record_key(result, repeats, is_its_id=kind != "create"),
        named_by=_text(at, operation, NAMED_BY),
        all_or_nothing=_flag(at, operation, ALL_OR_NOTHING),
    )


def _key(
    at: Pointer,
    operation: Mapping[str, Any],
    kind: str,
    inputs: Sequence[Fields],
    result: Fields | None,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the fields of an input that name its record, and those of a result that repeat it."""
    if KEY not in operation:
        return _default_key(kind, inputs, result)
    here, said = (*at, KEY), operation[KEY]
    names: list[Any] = [*said] if is_map(said) or is_list(said) else [said]
    others: list[Any] = [*said.values()] if is_map(said) else names
    if not names or not all(isinstance(one, str) and one for one in (*names, *others)):
        text = f"`{KEY}` names no field; write a name, a list of names, or `INPUT: RESULT`."
        raise ContractError(here, text)
    if not inputs and (is_map(said) or len(names) > 1):
        text = f"an input is one text; write in `{KEY}` the one field of a result that repeats it."
        raise ContractError(here, text)
    for fields in inputs:
        for name in names:
            _check_field(here, name, fields, "an input")
    repeats = result is not None and all(one in result.schemas for one in others)
    if result is not None and (repeats or is_map(said) or not inputs):
        for name in others:
            _check_field(here, name, result, "a result")
    return tuple(names) if inputs else (), tuple(others) if repeats else ()


def _default_key(
    kind: str, inputs: Sequence[Fields], result: Fields | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the key that the schemas show: `id`, or the only required field that both have."""
    if kind == "create":
        return (), ()  # what a result calls its id is new
    found = _ID if result is not None and result.scalar(_ID) else ""
    if not inputs:
        return (), (found,) if found else ()
    if all(one.scalar(_ID) for one in inputs):
        return (_ID,), (found,) if found else ()
    first = inputs[0]
    required = [
        name
        for name in first.schemas
        if all(name in one.required and one.scalar(name) for one in inputs)
        and (result is None or (name in result.required and result.scalar(name)))
    ]
    if len(required) == 1:
        return (required[0],), (required[0],) if result is not None else ()
    return (), ()


def _check_field(at: Pointer, name: str, fields: Fields, what: str) -> None:
    if name not in fields.schemas:
        like = closest(name, fields.schemas)
        advice = f"did you mean {like}" if like else f"it has {', '.join(fields.schemas)}"
        raise ContractError(at, f"{what} has no field `{name}`; {advice}.")
    if not fields.scalar(name):
        text = f"the field `{name}` of {what} is no text and no whole number; name another."
        raise ContractError(at, text)


def _shared(inputs: Sequence[Fields], result: Fields | None, kind: str) -> tuple[str, ...]:
    """Return the fields that input and result have in common; only `properties`, if both have it.

    A server adds properties of its own, but repeats those that were sent.
    """
    if result is None or not inputs:
        return ()
    names = dict.fromkeys(name for one in inputs for name in one.schemas)
    left_out = (TRACE_ID, *((_ID,) if kind == "upsert" else ()))
    shared = tuple(name for name in names if name in result.schemas and name not in left_out)
    return (_MAP,) if _MAP in shared else shared


def _record_key(result: Fields | None, repeats: Sequence[str], *, is_its_id: bool) -> str:
    """Return the field of a result with the id of its record, empty if there is none.

    Args:
        result: The fields of a result; None if the answer has no results.
        repeats: The fields that repeat the key of an input.
        is_its_id: Whether two results with the same key are the same record.
    """
    if result is None:
        return ""
    if _ID in result.schemas:
        return _ID
    if repeats and is_its_id:
        return repeats[0] if len(repeats) == 1 else ""
    ids = [
        name
        for name in result.schemas
        if name in result.required and result.scalar(name) and name.endswith(("Id", "ID"))
    ]
    return next((name for name in ids if name not in repeats), "")


def _text(at: Pointer, operation: Mapping[str, Any], keyword: str) -> str:
    said = operation.get(keyword, "")
    if keyword in operation and not (isinstance(said, str) and said):
        raise ContractError((*at, keyword), f"`{keyword}` is {said!r}; write a name.")
    return str(said)


def _flag(at: Pointer, operation: Mapping[str, Any], keyword: str) -> bool:
    said = operation.get(keyword, False)
    if not isinstance(said, bool):
        raise ContractError((*at, keyword), f"`{keyword}` is {said!r}; write true or false.")
    return said
