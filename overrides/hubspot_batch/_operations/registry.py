"""The operations, as data: a spec for each, with the generated code that carries it out.

This module decides what a kind of operation means, and how an operation differs from its kind.
Limits, paths, models and schemas come from the generated package, so a change of the description is
rarely a change here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx
from attrs import evolve, frozen
from hubspot_batch_client import Client, models
from hubspot_batch_client.contract import LISTINGS, OPERATIONS
from hubspot_batch_client.contract import Operation as Described
from hubspot_batch_client.types import Model, as_model, read_model

from hubspot_batch._cached_property import cached_property
from hubspot_batch._engine.chunk import BatchResponse, Chunk, Operation, SameKey
from hubspot_batch._json import read
from hubspot_batch._matching.keys import TRACE_ID, KeyRules
from hubspot_batch._transport.request_state import EXTENSION, Interpretation

from .parsing import TRACE_IDS, MatchKeys, parse_response, write_result
from .schemas import fields_of, is_field_of_all
from .validation import InputEncoder, InputValidator
from .versions import all_paths, located


class Kind(NamedTuple):
    """The properties of a kind of operation.

    Attributes:
        reads: Whether it changes nothing.
        repeatable: Whether carrying it out twice has the same effect as once.
        same_key: How several inputs with the same key are sent.
        named_by_id: Whether inputs name records that exist by their `id`. If not, they may carry a
            trace id.
        adds_trace_ids: Whether inputs get a trace id in addition to their id.
        ids_are_values: Whether an id is a property value rather than the id of a record.
        takes_ids: Whether an input may be given as the id alone.
    """

    reads: bool
    repeatable: bool
    same_key: SameKey
    named_by_id: bool = True
    adds_trace_ids: bool = False
    ids_are_values: bool = False
    takes_ids: bool = False


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "create": Kind(False, False, SameKey.RENAMED, named_by_id=False),
        "read": Kind(True, True, SameKey.SHARED, takes_ids=True),
        "update": Kind(False, True, SameKey.IN_TURN),
        "upsert": Kind(False, True, SameKey.IN_TURN, adds_trace_ids=True, ids_are_values=True),
        "archive": Kind(False, True, SameKey.SHARED, takes_ids=True),
        "action": Kind(False, False, SameKey.IN_TURN),
    }
)


class Parameters(NamedTuple):
    """The arguments of a run that go with all of its requests.

    Attributes:
        query: Arguments of the generated function, for the path and the query.
        tail: The end of the JSON body, after its inputs.
    """

    query: Mapping[str, Any] = MappingProxyType({})
    tail: bytes = b"}"


@frozen(slots=False, eq=False, repr=False)
class OperationSpec:
    """An operation.

    The code generated for it is imported when it is first carried out; that takes a while.

    Attributes:
        id: The operation's id in the description.
        input_key: The field that names an input in a response, or several fields together; None if
            there is none.
        error_keys: The names under which an error's context lists it.
        all_or_nothing: Whether a refused create has created nothing.
        repeated: The fields that a result shares with its input, if only these match it.
        named_by: The property that every record has from its input, and no server fills in with the
            text of another input; None if there is none.
        id_property: The property that the ids of all inputs are values of. None if they are ids of
            records, or if each input names the property.
        version: The version of the API; None for the default.
    """

    id: str
    input_key: str | tuple[str, ...] | None = None
    error_keys: tuple[str, ...] = ()
    all_or_nothing: bool = False
    repeated: tuple[str, ...] = ()
    named_by: str | None = None
    id_property: str | None = None
    version: str | None = None

    @property
    def described(self) -> Described:
        """The operation in the description."""
        return OPERATIONS[self.id]

    @cached_property
    def name(self) -> str:
        """Its name in messages, as users write it: `calls.create`."""
        tag = self.described.tag
        return f"{tag}.{re.sub(rf'_{re.escape(tag)}(?=_|$)', '', self.id, count=1)}"

    @cached_property
    def kind(self) -> Kind:
        """The kind of the operation."""
        return KINDS[self.described.kind]

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """The JSON Schema of an input."""
        described = self.described
        schema: dict[str, Any] = described.schema_in(located(described, self.version))
        return schema

    @cached_property
    def inputs(self) -> tuple[type[Model], ...]:
        """The models of an input: several for alternatives, none for an input that is a text."""
        return tuple(getattr(models, name) for name in self.described.input_models)

    @cached_property
    def result(self) -> type[Model] | None:
        """The model of a result; None if responses have no results."""
        name = self.described.result_model
        return getattr(models, name) if self.described.results else None

    @cached_property
    def answer(self) -> type[Model]:
        """The model of a success; if it has no results, of the errors that it may have."""
        name = self.described.answer_model if self.described.results else "BatchSummary"
        model: type[Model] = getattr(models, name)
        return model

    @cached_property
    def result_key(self) -> str | tuple[str, ...] | None:
        """The attribute of a result that repeats the input's key, or several; None without one."""
        if self.input_key == TRACE_ID:
            return TRACE_IDS
        found = [_attribute(self.result, name) or name for name in self.described.result_key]
        return found[0] if len(found) == 1 else tuple(found) or None

    @cached_property
    def functions(self) -> Any:
        """The module that the generator wrote for the operation."""
        return import_module(f"hubspot_batch_client.api.{self.described.tag}.{self.id}")

    @cached_property
    def validator(self) -> InputValidator:
        """Checks the inputs."""
        key = self.input_key if isinstance(self.input_key, str) else None
        return InputValidator(self.input_schema, key, self.described.writable)

    @cached_property
    def _rules(self) -> KeyRules:
        kind = self.kind
        return KeyRules(
            self.input_key,
            fields_of(self.input_schema),
            self.id_property,
            named_by_id=kind.named_by_id,
            adds_trace_ids=kind.adds_trace_ids and is_field_of_all(self.input_schema, TRACE_ID),
            ids_are_values=kind.ids_are_values and self.input_key == "id",
        )

    @cached_property
    def _paths(self) -> list[str]:
        return [one.path for one in self.described.versions]

    @cached_property
    def _match_keys(self) -> MatchKeys:
        described, result_key = self.described, self.result_key
        id_key = _attribute(self.result, described.record_key)
        return MatchKeys(
            result_key,
            None if id_key == result_key else id_key,
            self.error_keys,
            _attribute(self.answer, described.results) or "",
            self.repeated,
            described.results or "",
            # A create makes a record even where another one has the same key, such as a name.
            is_id=self.kind.named_by_id or self.input_key == TRACE_ID,
        )

    @property
    def takes_ids(self) -> bool:
        """Whether an id stands for an input."""
        return self.kind.takes_ids and isinstance(self.input_key, str)

    def encoder(self, run_id: str, *, allow_implausible: bool = False) -> InputEncoder:
        """Return the encoder of a run's inputs.

        Args:
            run_id: A text that no other run has.
            allow_implausible: Whether values are sent that are most likely not meant.
        """
        return InputEncoder(
            validator=self.validator,
            rules=self._rules,
            models=self.inputs,
            key=self.validator.key,
            takes_ids=self.takes_ids,
            run_id=run_id,
            # A read or an archive stores no value, so none can be stored by mistake.
            plausible=not (self.kind.takes_ids or not self.inputs or allow_implausible),
        )

    def operation(
        self, parameters: Parameters, *, isolate: bool, allow_implausible: bool = False
    ) -> Operation[Any]:
        """Return the operation for one run, as the engine sees it.

        Args:
            parameters: The arguments that go with all requests.
            isolate: Whether a refused request is split even if it may have created something.
            allow_implausible: Whether values are sent that are most likely not meant.
        """
        kind = self.kind
        encoder = self.encoder(os.urandom(16).hex(), allow_implausible=allow_implausible)

        def send(client: Client, chunk: Chunk) -> BatchResponse:
            return self.parse(client.send(**self._request(chunk, parameters)), chunk)

        async def asend(client: Client, chunk: Chunk) -> BatchResponse:
            return self.parse(await client.asend(**self._request(chunk, parameters)), chunk)

        return Operation(
            id=self.id,
            limit=self.described.limit,
            reads=kind.reads,
            splits=isolate or self.all_or_nothing or kind.repeatable,
            # Nothing says so of updates either, but their parts are sent again.
            all_or_nothing=self.all_or_nothing or kind.repeatable,
            by_properties=bool(self.repeated),
            repeated=self.repeated,
            named_by=self.named_by,
            # Only a trace id can be replaced by another one.
            same_key=(
                SameKey.IN_TURN
                if kind.same_key is SameKey.RENAMED and self.input_key != TRACE_ID
                else kind.same_key
            ),
            encode=encoder.encode,
            rename=encoder.rename,
            read=self.read_success,
            send=send,
            asend=asend,
            repeatable=kind.repeatable,
            identify=encoder.identify,
            write_result=write_result,
            read_result=self.read_result,
            name=self.name,
        )

    def read_result(self, text: bytes) -> Any:
        """Return the result of a JSON text."""
        return as_model(self.result, read(text))

    def read_success(self, response: httpx.Response) -> Any:
        """Return the model of a success; None if its body is not a JSON object."""
        # A response without results has no body either, and a success of any status is one.
        if not self.described.results and not response.content:
            return as_model(self.answer, {})
        return read_model(self.answer, response)

    def _request(self, chunk: Chunk, parameters: Parameters) -> dict[str, Any]:
        # The inputs are checked and written, so the generated function gets the text of the body.
        # They can be long, so they are copied as rarely as possible.
        body = b"".join((b'{"inputs":[', b",".join(chunk.texts), b"]", parameters.tail))
        request: dict[str, Any] = self.functions._get_kwargs(body=body, **parameters.query)
        return {**request, "extensions": {EXTENSION: chunk.state}}

    def parse(self, response: httpx.Response, chunk: Chunk) -> BatchResponse:
        """Return a response in the engine's terms."""
        read = chunk.state.interpretation
        assert isinstance(read, Interpretation)  # noqa: S101 - the transport has read each response
        # An httpx response refers to itself, so it would keep the models in memory for a while.
        chunk.state.interpretation = None
        index = None if self._rules.plain else self._rules.index(chunk.entries)
        return parse_response(response, read, self._match_keys, index, self._paths)


def _attribute(model: type[Model] | None, name: str) -> str | None:
    """Return the attribute of a model for a field of the API; None if it has none."""
    forms = model._forms() if model is not None else ()  # pyright: ignore[reportPrivateUsage]
    return next((attribute for attribute, field, _ in forms if field == name), None)


def _spec(described: Described) -> OperationSpec:
    """Return the spec of an operation."""
    key = described.key[0] if len(described.key) == 1 else described.key or None
    names: tuple[str, ...] = (
        ("id", "ids") if isinstance(key, str) or not described.input_models else ()
    )
    if isinstance(key, str) and key != "id":
        names += (key, f"{key}s")
    traced = is_field_of_all(described.input_schema, TRACE_ID)
    if key is None and described.kind in ("create", "upsert") and traced:
        key, names = TRACE_ID, (TRACE_ID,)
    return OperationSpec(
        described.id,
        input_key=key,
        error_keys=names,
        all_or_nothing=described.all_or_nothing,
        repeated=described.repeated,
        named_by=described.named_by or None,
    )


SPECS: Mapping[str, OperationSpec] = MappingProxyType(
    {id_: _spec(described) for id_, described in OPERATIONS.items()}
)

REPEATABLE = all_paths(
    [
        *(spec.described for spec in SPECS.values() if spec.kind.repeatable),
        *LISTINGS.values(),
    ]
)
"""Method and path of the operations that may be carried out twice, `{...}` in a path for a name."""


@lru_cache(maxsize=64)
def spec_by_property(id_: str, id_property: str) -> OperationSpec:
    """Return an operation for ids that are values of a property."""
    return evolve(SPECS[id_], id_property=id_property)


@lru_cache(maxsize=64)
def spec_in(version: str | None, spec: OperationSpec) -> OperationSpec:
    """Return an operation as a version of the API has it; as the default one has it, if None."""
    differs = version is not None and located(spec.described, version).absent
    return evolve(spec, version=version) if differs else spec
