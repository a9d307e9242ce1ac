"""What the operations are, as data: a row for each, and the generated function that carries it out.

This module decides nothing while a run goes on. It alone knows the generated package. Limits,
paths, models and the forms of inputs come from there, and an operation that does what its kind does
needs no row, so a change of the description is rarely a change here.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from attrs import frozen
from hubspot_batch_client import Client, families, models
from hubspot_batch_client.client import address
from hubspot_batch_client.contract import OPERATIONS, Argument
from hubspot_batch_client.contract import Operation as Described
from hubspot_batch_client.types import Model, Response, read_model_ahead, to_bytes, to_json

from hubspot_batch._engine.chunk import Chunk, Glimpse, InvalidInputError, Operation
from hubspot_batch._engine.response import Answer
from hubspot_batch._matching.items import Entry
from hubspot_batch._matching.keys import TRACE_ID, Naming

from .parsing import TRACE_IDS, Ties, read_reply
from .validation import InputCheck

# The layers above take the generated names from here.
__all__ = [
    "REPEATABLE",
    "ROWS",
    "Argument",
    "Beside",
    "Client",
    "Row",
    "address",
    "families",
    "to_bytes",
]


class Beside(NamedTuple):
    """What goes with all inputs of a run.

    Attributes:
        query: Arguments of the generated function.
        tail: The end of a body, behind its inputs.
    """

    query: Mapping[str, Any] = MappingProxyType({})
    tail: bytes = b"}"


@frozen(slots=False, eq=False, repr=False)
class Row:
    """An operation.

    What is generated for it is imported when it is first carried out; that takes a while.

    Attributes:
        id: The operation's id in the description.
        input_key: The field by which an answer names an input; None where there is none.
        result_key: The attribute of a result that repeats it.
        error_keys: The names under which an error's context lists it.
        all_or_nothing: Whether a refused request has done nothing, although it creates.
        by_properties: Whether results repeat the values of their inputs.
        id_property: The property of which the ids of all inputs are values; None where they are
            ids of records, or each input says what its id is.
    """

    id: str
    input_key: str | None = None
    result_key: str | None = None
    error_keys: tuple[str, ...] = ()
    all_or_nothing: bool = False
    by_properties: bool = False
    id_property: str | None = None

    @property
    def described(self) -> Described:
        """What the description says of it."""
        return OPERATIONS[self.id]

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
        """The model of an answer to a success."""
        model: type[Model] = getattr(models, self.described.answer_model)
        return model

    @cached_property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.described.kind == "read"

    @property
    def repeatable(self) -> bool:
        """Whether it may be carried out twice: what sets values sets the same ones again."""
        return self.described.kind != "create"

    @cached_property
    def _naming(self) -> Naming:
        fields = self.described.input_schema.get("properties", {})
        return Naming(self.input_key, self.described.kind, fields, self.id_property)

    def read_ahead(self, response: Any) -> object:
        """Read an answer before the generated function does; None where it cannot be read."""
        return read_model_ahead(self.answer, response)

    @cached_property
    def _functions(self) -> Any:
        # The generator's own names.
        return import_module(f"hubspot_batch_client.api.{self.described.tag}.{self.id}")

    @property
    def send(self) -> Callable[..., Response[Any]]:
        """The generated function."""
        return cast("Callable[..., Response[Any]]", self._functions.sync_detailed)

    @property
    def asend(self) -> Callable[..., Awaitable[Response[Any]]]:
        """The generated asynchronous function."""
        return cast("Callable[..., Awaitable[Response[Any]]]", self._functions.asyncio_detailed)

    @cached_property
    def _check(self) -> InputCheck:
        return InputCheck(self.described.input_schema, self.input_key)

    def operation(self, *, isolate: bool) -> Operation[Any]:
        """Return what the engine has to know of this row.

        Args:
            isolate: Whether a refused request is taken apart even if it may have done something.
        """
        return Operation(
            id=self.id,
            limit=self.described.limit,
            reads=self.reads,
            splits=isolate or self.all_or_nothing or self.repeatable,
            by_properties=self.by_properties,
            key_field=self.input_key,
            keys_are_names=self.input_key == TRACE_ID,
            prepare=self._preparing() if self._naming.gives_trace_ids else self.prepare,
            glance=self.glance,
        )

    def glance(self, given: list[object]) -> Glimpse | None:
        """Return what is sent for inputs that are all valid at first sight; else None."""
        if self._naming.needs_a_close_look(given, self.input):
            return None
        kinds = {*map(type, given)}
        if kinds == {dict}:  # of other mappings a copy is made
            return self._check.glance(given)
        if kinds == {self.input}:
            return self._check.glance_at_text(lambda: to_bytes(given))
        if kinds == {str} and self.reads:
            return self._check.glance([{self.input_key: id_} for id_ in given])
        return None

    def prepare(self, index: int, given: object, trace_id: str | None = None) -> Entry:
        """Return what to send for an input. A read takes an id as it is.

        Args:
            index: Its position.
            given: The input.
            trace_id: A name for it, if it has none.

        Raises:
            InvalidInputError: It cannot be valid.
        """
        wire, more_names = self._wire(given)
        if trace_id is not None and not wire.get(TRACE_ID):
            wire[TRACE_ID] = trace_id
        text = self._check.read(wire, more_names=more_names)
        if self.input_key and wire.get(self.input_key) == "":
            raise InvalidInputError(f"{self.input_key} is empty.")
        return Entry(index, given, text, self._naming.key(wire))

    def _preparing(self) -> Callable[[int, object], Entry]:
        """Return what prepares the inputs of one run, with trace ids that no other run has."""
        run_id = os.urandom(16).hex()
        return lambda index, given: self.prepare(index, given, f"{run_id}-{index}")

    def _wire(self, given: object) -> tuple[dict[str, Any], bool]:
        """Return an input as a JSON object, and whether it may have names of its own."""
        if isinstance(given, self.input):
            return _json_of(given), True
        if self.reads and isinstance(given, str):
            return {str(self.input_key): given}, False
        # A dict is told apart from other mappings at a tenth of the price.
        if isinstance(given, dict) or isinstance(given, Mapping):  # noqa: SIM101
            return {**cast("Mapping[str, Any]", given)}, False
        kind = type(given).__name__
        forms = f"{self.input.__name__} or a mapping in the API's own names"
        raise InvalidInputError(
            f"An input is {'an id as text, a ' if self.reads else 'a '}{forms}, and not {kind}."
        )

    @staticmethod
    def request(chunk: Chunk, beside: Beside) -> dict[str, Any]:
        """Return the arguments of the generated function, but for the client."""
        # The inputs have been checked and written already, so no model need do it again.
        return {"body": b'{"inputs":' + chunk.array + beside.tail, **beside.query}

    def call(self, client: Client, chunk: Chunk, beside: Beside) -> Answer:
        """Send a chunk and read the answer."""
        return self.read(self.send(client=client, **self.request(chunk, beside)), chunk)

    async def acall(self, client: Client, chunk: Chunk, beside: Beside) -> Answer:
        """Send a chunk and read the answer."""
        return self.read(await self.asend(client=client, **self.request(chunk, beside)), chunk)

    def read(self, response: Response[Any], chunk: Chunk | None = None) -> Answer:
        """Return what an answer says, in the engine's terms.

        Args:
            response: The answer.
            chunk: What was asked; needed where ids of inputs can be something else than ids of
                records.
        """
        names = None if chunk is None else self._naming.names(chunk)
        return read_reply(response, self._ties, names)

    @cached_property
    def _ties(self) -> Ties:
        apart = self.result_key != "id" and hasattr(self.result, "id")
        return Ties(self.result_key, "id" if apart else None, self.error_keys)


def _json_of(model: Model) -> dict[str, Any]:
    try:
        wire: dict[str, Any] = to_json(model)
    except RecursionError:
        raise InvalidInputError("The input is nested too deeply, or holds itself.") from None
    return wire


def _row(id_: str, **said: Any) -> Row:
    """Return the row of an operation: what its kind and its fields say, and what is said of it."""
    if id_ not in OPERATIONS:
        raise LookupError(f"{id_} has a row here, but the description lacks it")
    described = OPERATIONS[id_]
    fields = described.input_schema.get("properties", {})
    usual: dict[str, Any] = {}
    if described.kind != "create":
        if "id" in fields:
            usual = {"input_key": "id", "result_key": "id", "error_keys": ("id", "ids")}
    else:
        usual["by_properties"] = "properties" in fields and "properties" in described.result_fields
        if TRACE_ID in fields:
            usual |= {"input_key": TRACE_ID, "result_key": TRACE_IDS, "error_keys": (TRACE_ID,)}
    return Row(id_, **{**usual, **said})


_SAID = (
    _row(
        "update_marketing_events",
        input_key="objectId",
        result_key="object_id",
        error_keys=("id", "ids", "objectId", "objectIds"),
    ),
    # Where all inputs have trace ids, the server does what it can, and else nothing
    # (openapi/pages/create_calls.yaml).
    _row("create_calls", all_or_nothing=True),
)
_KNOWN = {row.id: row for row in _SAID}
ROWS: Mapping[str, Row] = MappingProxyType(
    {id_: _KNOWN.get(id_) or _row(id_) for id_ in OPERATIONS}
)

REPEATABLE = {
    (OPERATIONS[row.id].method, OPERATIONS[row.id].path): row.read_ahead
    for row in ROWS.values()
    if row.repeatable
}
"""Methods and paths of the operations that may be carried out twice, with what reads an answer."""
