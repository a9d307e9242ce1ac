"""A published operation -> the paths and schemas of its fragment.

Decides the names of the operation's own schemas, and what each part says. The schemas within them
are schema_drafter.py's.
"""

from collections.abc import Iterator, Mapping
from itertools import chain, count
from typing import Any

from attrs import frozen
from comparison.schema_forms import Form
from generation.keywords import KIND, RESULTS
from generation.yaml_source import is_map

from .names import roles, spoken
from .published_batch import PublishedBatch, undecided
from .schema_drafter import Schema, SchemaDrafter, reference
from .shared_schemas import SharedSchemas
from .wording import Wording

_FRAME = "BatchSummary"
_JSON = "application/json"
_MOST_NAMED = 8


@frozen
class Draft:
    """The new parts of a fragment, and sentences about what was not decided.

    Attributes:
        id: The operation's id.
        tag: The family.
        paths, schemas: The parts, as they stand in a fragment.
        notes: What the author has to look at.
    """

    id: str
    tag: str
    paths: Mapping[str, Any]
    schemas: Mapping[str, Any]
    notes: tuple[str, ...]


class OperationDrafter:
    """Drafts one operation.

    Args:
        one: The published operation.
        tag: Its family.
        bundle: What the fragments say already.
        own: The names of the schemas that the family has already.
        source: The `x-source` of all new parts.
    """

    def __init__(
        self,
        one: PublishedBatch,
        tag: str,
        bundle: Mapping[str, Any],
        own: frozenset[str],
        source: str,
    ) -> None:
        self._one = one
        self._tag = tag
        self._source = source
        self._bundle = bundle
        self._words = Wording(tag, one.kind if one.kind != "action" else one.verb)
        self._roles = roles(tag, one.verb)
        shared = SharedSchemas(bundle, tag)
        self._query = f"{self._roles.batch_input}Query"
        batches = frozenset([self._roles.batch_input, self._query])
        self._drafter = SchemaDrafter(one.side.reader, shared, self._words, source, own, batches)

    def draft(self) -> Draft:
        """Return the new parts.

        Raises:
            SchemaError: Something in the description cannot be read.
        """
        one, words = self._one, self._words.operation
        id_ = f"{one.verb}_{self._tag}"
        request, responses = self._request(), self._responses()
        named = one.results_name not in ("", "results") and one.result is not None
        operation: Schema = {
            "operationId": id_,
            "tags": [self._tag],
            "summary": words.summary,
            "description": words.description,
            "x-source": self._source,
            **({KIND: one.kind} if one.kind == "action" else {}),
            **({RESULTS: one.results_name} if named else {}),
            **({"deprecated": True} if one.operation.raw.get("deprecated") is True else {}),
            "security": [{"bearer": scopes} for scopes in one.scopes or [[]]],
        }
        if parameters := [*self._path_parameters(), *self._parameters()]:
            operation["parameters"] = parameters
        operation |= {
            "requestBody": {"required": True, "content": _content(reference(request))},
            "responses": {**responses, "default": {"$ref": "#/components/responses/Error"}},
        }
        path, method = one.operation.path, one.operation.method
        notes = (*undecided(one), *self._drafter.lost, *self._guessed())
        paths = {path: {method: operation}}
        return Draft(id_, self._tag, paths, self._drafter.schemas, notes)

    def _request(self) -> str:
        one, drafter, words = self._one, self._drafter, self._words.operation
        assert one.body is not None  # noqa: S101 - it is a batch
        inputs: Schema = {"type": "array"}
        inputs |= {"maxItems": one.limit} if one.limit else {}
        inputs["items"] = self._item()
        beside, needed = drafter.fields(
            one.body, "request", self._roles.batch_input, skipped=["inputs"]
        )
        schema = _object(words.inputs, ["inputs", *needed], {"inputs": inputs, **beside})
        return drafter.add(_numbered(self._roles.batch_input), schema)

    def _item(self) -> Schema:
        """Return the schema of an input: one value, an object, or one of several."""
        one, drafter = self._one, self._drafter
        if one.is_bare:
            return drafter.value(one.items, "request", self._roles.input, "input")
        made: list[Schema] = []
        for form in one.inputs:
            fields, required = drafter.fields(form, "request", self._roles.input)
            schema = _object(self._words.operation.input, required, fields)
            made.append(reference(drafter.add(_numbered(self._roles.input), schema)))
        return made[0] if len(made) == 1 else {"oneOf": made}

    def _responses(self) -> Schema:
        """Return the successful response; without results, it has no body."""
        one, words = self._one, self._words.operation
        said: Schema = {"description": words.response}
        if one.result is None:
            codes = [code for code in one.operation.raw.get("responses", {}) if str(code) == "204"]
            return {"204" if codes else "2XX": said}
        return {"2XX": {**said, "content": _content(reference(self._answer(one.result)))}}

    def _answer(self, given: Form) -> str:
        one, drafter = self._one, self._drafter
        shortest, longer = self._roles.results
        fields, required = drafter.fields(given, "response", shortest)
        schema = self._extended(shortest, required, fields) or _object(
            self._words.result(), required, fields
        )
        result = drafter.add(chain([shortest, longer], _numbered(longer, 2)), schema)
        known = self._bundle["components"]["schemas"][_FRAME]["properties"] if one.has_frame else ()
        every = [{*form.required} for form in one.answers]
        results = {
            "type": "array",
            "description": self._words.results(),
            "items": reference(result),
        }
        name, more = one.results_name, Schema()
        for form in one.answers:
            found, _ = drafter.fields(form, "response", result, skipped=[name, *known, *more])
            more |= found
        must = [key for key in (name, *more) if all(key in some for some in every)]
        own = {**({"required": must} if must else {}), "properties": {name: results, **more}}
        said = self._words.answer()
        answer: Schema = {"type": "object", "description": said, **own}
        if one.has_frame:
            parts = [reference(_FRAME), {"type": "object", **own}]
            answer = {"description": said, "allOf": parts}
        return drafter.add(_numbered(f"{result}Batch"), answer)

    def _extended(self, base: str, required: list[str], fields: Schema) -> Schema:
        """Return a result as an addition to the family's, or nothing if it is none."""
        known = self._drafter.shared.schemas.get(base) if base in self._drafter.own else None
        if not is_map(known) or not is_map(had := known.get("properties")):
            return {}
        added = {name: part for name, part in fields.items() if name not in had}
        same = all(name in fields and _says(fields[name]) == _says(had[name]) for name in had)
        if not added or not same or not {*known.get("required", [])} <= {*required}:
            return {}
        must = [name for name in required if name not in known.get("required", [])]
        own: Schema = {"type": "object", **({"required": must} if must else {})}
        parts = [reference(base), {**own, "properties": added}]
        return {"description": self._words.result(), "allOf": parts}

    def _path_parameters(self) -> Iterator[Schema]:
        for name, parameter in self._one.in_path.items():
            schema: Schema = {"type": "string"}
            if parameter is not None and parameter.schema:
                schema = self._drafter.value(parameter.schema, "request", self._query, name)
            text, _ = self._words.field(name, "", None, "argument")
            said = {} if "description" in schema else {"description": text}
            yield {
                "name": name,
                "in": "path",
                "x-source": self._source,
                "required": True,
                **said,
                "schema": schema,
            }

    def _parameters(self) -> Iterator[Schema]:
        for parameter in self._one.parameters:
            place, name = parameter.key
            if place != "query":
                continue
            schema = self._drafter.value(parameter.schema, "request", self._query, name)
            text, _ = self._words.field(name, "", None, "argument")
            kept = ("style", "explode", "allowReserved", "deprecated")
            yield {
                "name": name,
                "in": "query",
                "x-source": self._source,
                **({"required": True} if parameter.required else {}),
                **({"description": text} if "$ref" in schema else {}),
                **{key: parameter.raw[key] for key in kept if parameter.raw.get(key) is not None},
                "schema": schema,
            }

    def _guessed(self) -> Iterator[str]:
        if guessed := [*dict.fromkeys(self._drafter.guessed)]:
            shown = ", ".join(guessed[:_MOST_NAMED])
            rest = len(guessed) - _MOST_NAMED
            more = f" and {rest} more" if rest > 0 else ""
            yield f"These are described from their names only; read them: {shown}{more}."


def title(tag: str) -> str:
    """Return the first line of a new fragment."""
    words = spoken(tag)
    return f"{words[:1].upper()}{words[1:]}"


def _object(description: str, required: list[str], fields: Schema) -> Schema:
    must = {"required": required} if required else {}
    return {"type": "object", "description": description, **must, "properties": fields}


def _content(schema: Schema) -> Schema:
    return {_JSON: {"schema": schema}}


def _numbered(name: str, first: int = 1) -> Iterator[str]:
    return (f"{name}{number if number > 1 else ''}" for number in count(first))


def _says(schema: Any) -> Any:
    """Return a schema without its description."""
    return {k: v for k, v in schema.items() if k != "description"} if is_map(schema) else schema
