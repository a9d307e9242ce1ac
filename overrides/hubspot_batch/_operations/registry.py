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
from attrs import frozen
from hubspot_batch_client import Client, models
from hubspot_batch_client.contract import OPERATIONS
from hubspot_batch_client.contract import Operation as Described
from hubspot_batch_client.types import Model, as_model, read_model

from hubspot_batch._engine.chunk import BatchResponse, Chunk, Operation, SameKey
from hubspot_batch._json import read
from hubspot_batch._lazy import cached_property
from hubspot_batch._matching.keys import TRACE_ID, KeyRules
from hubspot_batch._transport.request_state import EXTENSION, Interpretation

from .parsing import TRACE_IDS, MatchKeys, parse_response, write_result
from .validation import InputEncoder, InputValidator


class Kind(NamedTuple):
    """The properties of a kind of operation.

    Attributes:
        reads: Whether it changes nothing.
        repeatable: Whether carrying it out twice does no more than once.
        same_key: How several inputs with the same key are sent.
        named_by_id: Whether inputs name records that exist by their `id`. If not, they may carry a
            trace id.
        adds_trace_ids: Whether inputs get a trace id in addition to their id.
        ids_are_values: Whether an id is a property value rather than the id of a record.
    """

    reads: bool
    repeatable: bool
    same_key: SameKey
    named_by_id: bool = True
    adds_trace_ids: bool = False
    ids_are_values: bool = False


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "create": Kind(False, False, SameKey.RENAMED, named_by_id=False),
        "read": Kind(True, True, SameKey.SHARED),
        "update": Kind(False, True, SameKey.IN_TURN),
        "upsert": Kind(False, True, SameKey.IN_TURN, adds_trace_ids=True, ids_are_values=True),
    }
)


class Parameters(NamedTuple):
    """The arguments of a run that go with all of its requests.

    Attributes:
        query: Arguments of the generated function.
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
        input_key: The field by which a response names an input; None if there is none.
        result_key: The attribute of a result that repeats it.
        error_keys: The names under which an error's context lists it.
        all_or_nothing: Whether a refused create has created nothing.
        by_properties: Whether results repeat the properties of their inputs.
        named_by: The property that every record has from its input, and no server fills in with the
            text of another input; None if there is none.
        id_property: The property whose values the ids of all inputs are; None if they are ids of
            records, or each input names the property.
    """

    id: str
    input_key: str | None = None
    result_key: str | None = None
    error_keys: tuple[str, ...] = ()
    all_or_nothing: bool = False
    by_properties: bool = False
    named_by: str | None = None
    id_property: str | None = None

    @property
    def described(self) -> Described:
        """The operation in the description."""
        return OPERATIONS[self.id]

    @property
    def name(self) -> str:
        """Its name in messages, as users write it: `calls.create`."""
        tag = self.described.tag
        return f"{tag}.{re.sub(rf'_{re.escape(tag)}(?=_|$)', '', self.id, count=1)}"

    @property
    def kind(self) -> Kind:
        """The kind of the operation."""
        return KINDS[self.described.kind]

    @cached_property
    def input(self) -> type[Model]:
        """The model of an input."""
        model: type[Model] = getattr(models, self.described.input_model)
        return model

    @cached_property
    def result(self) -> type[Model]:
        """The model of a result."""
        model: type[Model] = getattr(models, self.described.result_model)
        return model

    @cached_property
    def answer(self) -> type[Model]:
        """The model of a success."""
        model: type[Model] = getattr(models, self.described.answer_model)
        return model

    @cached_property
    def functions(self) -> Any:
        """The module that the generator wrote for the operation."""
        return import_module(f"hubspot_batch_client.api.{self.described.tag}.{self.id}")

    @cached_property
    def validator(self) -> InputValidator:
        """Checks the inputs."""
        return InputValidator(self.described.input_schema, self.input_key)

    @cached_property
    def _rules(self) -> KeyRules:
        kind, fields = self.kind, self.described.input_schema.get("properties", {})
        return KeyRules(
            self.input_key,
            fields,
            self.id_property,
            named_by_id=kind.named_by_id,
            adds_trace_ids=kind.adds_trace_ids,
            ids_are_values=kind.ids_are_values,
        )

    @cached_property
    def _match_keys(self) -> MatchKeys:
        apart = self.result_key != "id" and hasattr(self.result, "id")
        return MatchKeys(self.result_key, "id" if apart else None, self.error_keys)

    def encoder(self, run_id: str, *, allow_implausible: bool = False) -> InputEncoder:
        """Return the encoder of a run's inputs.

        Args:
            run_id: A text that no other run has.
            allow_implausible: Whether values are sent that are most likely not meant.
        """
        reads = self.kind.reads  # what is only asked for cannot be stored by mistake
        return InputEncoder(
            *(self.validator, self._rules, self.input, self.input_key),
            reads=reads,
            run_id=run_id,
            plausible=not (reads or allow_implausible),
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
            by_properties=self.by_properties,
            named_by=self.named_by,
            same_key=kind.same_key,
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
        return read_model(self.answer, response)

    def _request(self, chunk: Chunk, parameters: Parameters) -> dict[str, Any]:
        # The inputs are checked and written, so the generated function gets the text of the body.
        body = b'{"inputs":' + chunk.array + parameters.tail
        request: dict[str, Any] = self.functions._get_kwargs(body=body, **parameters.query)
        return {**request, "extensions": {EXTENSION: chunk.state}}

    def parse(self, response: httpx.Response, chunk: Chunk) -> BatchResponse:
        """Return a response in the engine's terms."""
        read = chunk.state.interpretation
        assert isinstance(read, Interpretation)  # noqa: S101 - the transport has read each response
        # A response of httpx refers to itself, and so would keep the models alive for a while.
        chunk.state.interpretation = None
        index = None if self._rules.plain else self._rules.index(chunk.entries)
        return parse_response(response, read, self._match_keys, index)


def _spec(id_: str, **differs: Any) -> OperationSpec:
    """Return the spec of an operation: its kind's defaults, and how it differs from them."""
    if id_ not in OPERATIONS:
        raise LookupError(f"{id_} has a spec here, but the description lacks it")
    described = OPERATIONS[id_]
    fields = described.input_schema.get("properties", {})
    usual: dict[str, Any] = {}
    if KINDS[described.kind].named_by_id:
        if "id" in fields:
            usual = {"input_key": "id", "result_key": "id", "error_keys": ("id", "ids")}
    else:
        usual["by_properties"] = "properties" in fields and "properties" in described.result_fields
        if TRACE_ID in fields:
            usual |= {"input_key": TRACE_ID, "result_key": TRACE_IDS, "error_keys": (TRACE_ID,)}
    return OperationSpec(id_, **{**usual, **differs})


_DIFFERENT = (
    # HubSpot refuses a campaign without a name (openapi/fragments/campaigns.yaml).
    _spec("create_campaigns", named_by="hs_name"),
    _spec(
        "update_marketing_events",
        input_key="objectId",
        result_key="object_id",
        error_keys=("id", "ids", "objectId", "objectIds"),
    ),
    # Where all inputs have trace ids, the server carries out the good ones; otherwise none
    # (openapi/pages/create_calls.yaml).
    _spec("create_calls", all_or_nothing=True),
)
_KNOWN = {spec.id: spec for spec in _DIFFERENT}
SPECS: Mapping[str, OperationSpec] = MappingProxyType(
    {id_: _KNOWN.get(id_) or _spec(id_) for id_ in OPERATIONS}
)

REPEATABLE = frozenset(
    (spec.described.method, spec.described.path) for spec in SPECS.values() if spec.kind.repeatable
)
"""Method and path of the operations that may be carried out twice."""


@lru_cache(maxsize=64)
def spec_by_property(id_: str, id_property: str) -> OperationSpec:
    """Return an operation all of whose ids are values of a property."""
    spec = SPECS[id_]
    return OperationSpec(
        spec.id,
        *(spec.input_key, spec.result_key, spec.error_keys),
        all_or_nothing=spec.all_or_nothing,
        by_properties=spec.by_properties,
        named_by=spec.named_by,
        id_property=id_property,
    )
