"""A batch operation of a published description: its kind, its inputs and its results.

Decides where a description has each of these, and which operations cannot have a fragment: one
table, REFUSED, has the reasons.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TypeAlias

from attrs import frozen
from comparison import operation_view
from comparison.description import DescribedOperation, Description, signature
from comparison.operation_view import Body, Parameter
from comparison.schema_forms import Form, Parts
from generation.keywords import KIND
from generation.operation_meaning import (
    KINDS,
    TRACE_ID,
    ContractError,
    Fields,
    Meaning,
    meaning_of,
)

from .names import words_of

FRAME = ("status", "startedAt", "completedAt")
"""The fields that a usual batch response has beside its results (`BatchSummary`)."""

_USUAL = "results"
_NO_RESULTS = ("errors", "warnings")  # lists beside the results


@frozen(eq=False, slots=False)
class PublishedBatch:
    """An operation of a description, seen as a batch.

    Reading it raises SchemaError where a reference leads nowhere or something is no schema.
    """

    operation: DescribedOperation
    side: Description

    @property
    def verb(self) -> str:
        """The last part of the path that is written out, such as `create`."""
        return "_".join(words_of(self._words[-1])).lower() if self._words else ""

    @property
    def kind(self) -> str:
        """The kind that the verb says; any other verb is an action."""
        first = self.verb.partition("_")[0]
        return first if first in KINDS else "action"

    @property
    def family(self) -> tuple[str, ...]:
        """The parts of the path before `batch` and the verb, without the version."""
        return tuple(self._words[:-1])

    @cached_property
    def _words(self) -> list[str]:
        parts = signature(self.operation.path)
        return [part for part in parts if part != "batch" and part[:1] != "{"]

    @property
    def path_parameters(self) -> list[str]:
        """The names in braces in the path."""
        return re.findall(r"\{([^{}]*)\}", self.operation.path)

    @cached_property
    def parameters(self) -> list[Parameter]:
        """The parameters beside those of the path."""
        found = operation_view.parameters(self.operation, self.side).values()
        return [one for one in found if one.key[0] != "path"]

    @cached_property
    def in_path(self) -> dict[str, Parameter | None]:
        """The parameters of the path by name; None for one that is named there and nowhere else."""
        found = operation_view.parameters(self.operation, self.side)
        return {name: found.get(("path", name)) for name in dict.fromkeys(self.path_parameters)}

    @cached_property
    def body(self) -> Form | None:
        """The JSON object of the request, if it has one."""
        return self._object(operation_view.request(self.operation, self.side).schema)

    @cached_property
    def items(self) -> Parts:
        """The schemas of one input."""
        return self._items(self.body, "inputs")

    @cached_property
    def inputs(self) -> list[Form]:
        """The forms that one input may have: objects, or one text or whole number."""
        return [one for one in self.side.reader.shape(self.items).forms if one.kind != "null"]

    @property
    def is_bare(self) -> bool:
        """True if an input is one text or whole number."""
        return len(self.inputs) == 1 and self.inputs[0].kind in ("string", "integer")

    @cached_property
    def responses(self) -> list[Body]:
        """The successful responses, the one without errors first."""
        found = operation_view.responses(self.operation, self.side)
        codes = sorted((code for code in found if code[0] == "2"), key=lambda code: code == "207")
        return [found[code]() for code in codes]

    @cached_property
    def answers(self) -> list[Form]:
        """The JSON objects of the successful responses."""
        forms = (self._object(body.schema) for body in self.responses)
        return [form for form in forms if form is not None]

    @cached_property
    def results_name(self) -> str:
        """The field of a response with the results: the usual one, or the only list of objects."""
        if any(_USUAL in form.fields for form in self.answers):
            return _USUAL
        lists = {
            name
            for form in self.answers
            for name in form.fields
            if name not in _NO_RESULTS and self._object(self._items(form, name))
        }
        return lists.pop() if len(lists) == 1 else ""

    @property
    def results(self) -> Parts:
        """The schemas of one result."""
        found = (self._items(form, self.results_name) for form in self.answers)
        return next((parts for parts in found if parts), ())

    @cached_property
    def result(self) -> Form | None:
        """One result, if it is an object."""
        return self._object(self.results)

    @property
    def has_body(self) -> bool:
        """True if a successful response is said to have a JSON body of some form."""
        return any(self.side.reader.shape(body.schema).forms for body in self.responses)

    @property
    def has_frame(self) -> bool:
        """True if a response has the usual fields beside its results."""
        return all(any(name in form.fields for form in self.answers) for name in FRAME)

    @property
    def limit(self) -> int | None:
        """The most inputs of one request, if the description names a number."""
        body = operation_view.request(self.operation, self.side)
        return operation_view.limit(body, self.operation, self.side).value

    @property
    def scopes(self) -> list[list[str]]:
        """The scopes that a token needs, for each way of being let in."""
        ways = operation_view.ways(self.operation, self.side, by_scheme=False) or ()
        return sorted(sorted(str(need) for need in way) for way in ways)

    def _object(self, parts: Parts) -> Form | None:
        shape = self.side.reader.shape(parts)
        forms = [form for form in shape.forms if form.kind != "null"]
        return forms[0] if len(forms) == 1 and forms[0].kind == "object" else None

    def _items(self, form: Form | None, name: str) -> Parts:
        parts = form.fields.get(name, ()) if form else ()
        lists = [one for one in self.side.reader.shape(parts).forms if one.kind == "array"]
        return lists[0].items if len(lists) == 1 else ()


_Check: TypeAlias = Callable[[PublishedBatch], object]


def _meaning(one: PublishedBatch) -> Meaning | None:
    """Return how results name inputs, as the bundle will see it; None if no result does."""
    said = {"operationId": f"{one.verb}_records", KIND: one.kind}
    inputs = [] if one.is_bare else [_as_fields(one, form) for form in one.inputs]
    result = None if one.result is None else _as_fields(one, one.result)
    try:
        return meaning_of((), said, inputs, result)
    except ContractError:
        return None


def _as_fields(one: PublishedBatch, form: Form) -> Fields:
    parts = form.fields
    schemas = {name: {"type": [*one.side.reader.shape(parts[name]).kinds]} for name in parts}
    return Fields(schemas, form.required)


# What the client cannot do yet, or cannot know. Each reason follows "METHOD PATH: "; a row goes
# when the client learns what it names.
REFUSED: tuple[tuple[_Check, str], ...] = (
    (lambda one: not one.items, "it is no batch: its JSON body has no list `inputs`."),
    (lambda one: not one.verb, "its path has no word that says what is done."),
    (
        lambda one: not one.is_bare and {form.kind for form in one.inputs} != {"object"},
        "its inputs are neither objects, nor texts or whole numbers.",
    ),
    (
        lambda one: one.has_body and one.result is None,
        "its successful JSON response is no object with one list of objects, such as `results`.",
    ),
    (
        lambda one: one.kind == "read" and one.result is None,
        "it is a read, and has no successful JSON response with a list `results`.",
    ),
    (
        lambda one: _meaning(one) is None,
        "nothing in its results says which input each belongs to; if a field does, write the "
        "fragment by hand and name the field in `x-key`.",
    ),
    (
        lambda one: any(p.required and p.key[0] != "query" for p in one.parameters),
        "it requires a header or a cookie, which the client does not send.",
    ),
)


def refusal(one: PublishedBatch) -> str:
    """Return why an operation cannot have a fragment, or an empty text."""
    return next((reason for check, reason in REFUSED if check(one)), "")


def undecided(one: PublishedBatch) -> Iterator[str]:
    """Yield what the description leaves open, as sentences for the author of the fragment."""
    if one.kind == "action":
        yield (
            f"`{one.verb}` is no kind of operation, so it is never sent twice (`{KIND}: action`): "
            "if it may be repeated, write the kind that is like it, such as update or archive."
        )
    if one.limit is None:
        yield "The description names no limit: `maxItems` of `inputs` is left out (100 are sent)."
    if not any(one.scopes):
        yield "The description names no scope: fill in the list under `bearer`."
    if len(one.scopes) > 1:
        yield "The description names several sets of scopes; each is an entry under `security`."
    repeated = (meaning := _meaning(one)) and meaning.repeated
    answered = one.result is not None
    repeated = (meaning := _meaning(one)) and meaning.repeated
    if one.kind == "create" and answered and not (_both_have(one, TRACE_ID) or repeated):
        yield (
            "Its results repeat no trace id and no other field: a record that is created "
            "cannot be matched to its input, whose outcome is then `unknown`."
        )
    if one.kind == "upsert" and answered and not (_both_have(one, TRACE_ID) or _by_property(one)):
        yield (
            "Its results repeat neither a trace id nor the property that `idProperty` names: an "
            "outcome is `unknown` where the result has another id than the input."
        )
    for parameter in one.parameters:
        if parameter.key[0] != "query":
            yield f"The {parameter.key[0]} `{parameter.key[1]}` is left out; it is not sent."


def _both_have(one: PublishedBatch, name: str) -> bool:
    return all(name in _fields(form) for form in (*one.inputs, one.result))


def _by_property(one: PublishedBatch) -> bool:
    asked = all("idProperty" in _fields(form) for form in one.inputs)
    return asked and "properties" in _fields(one.result)


def _fields(form: Form | None) -> Mapping[str, Parts]:
    return form.fields if form else {}
