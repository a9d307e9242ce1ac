"""What the operations are, as data: a row for each, and the generated function that carries it out.

This module decides nothing while a run goes on. It alone knows the generated package. Limits,
paths and the forms of inputs come from there, so a change of the description is no change here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import cached_property
from importlib import import_module
from typing import Any, Generic, TypeVar, cast

from attrs import frozen
from hubspot_batch_client import Client, models
from hubspot_batch_client.client import address
from hubspot_batch_client.contract import OPERATIONS
from hubspot_batch_client.types import Model, Response, read_model_ahead, to_bytes, to_json

from .answers import Answer
from .chunks import Chunk, Glimpse, InvalidInputError, Operation
from .evidence import Entry, Refusal, Results
from .guards import is_map, items_of, names_of, text_of
from .inputs import InputCheck
from .outcomes import OutcomeError, freeze_context

# The layers above take the generated names from here.
__all__ = [
    "CREATE_CALLS",
    "CREATE_CAMPAIGNS",
    "READ_CAMPAIGNS",
    "REPEATABLE",
    "UPDATE_MARKETING_EVENTS",
    "Client",
    "Row",
    "address",
    "models",
]

ResultT = TypeVar("ResultT", bound=Model)

# A name that each input of a batch may carry. When all carry one of their own, the server carries
# out what it can, and names what it refuses (openapi/pages/create_calls.yaml).
_TRACE_ID = "objectWriteTraceId"

# The limit of an operation for which neither a page nor a fragment names one: the CRM's ceiling.
_CEILING = 100


@frozen(slots=False, eq=False, repr=False)
class Row(Generic[ResultT]):
    """An operation.

    What is generated for it is imported when it is first carried out; that takes a while.

    Attributes:
        id: The operation's id in the description.
        load_input, load_result: Return the models of an input and of a result.
        input_key: The field by which an answer names an input; None where there is none.
        result_key: The attribute of a result that repeats it.
        error_keys: The names under which an error's context lists it.
        reads: Whether the operation changes nothing.
        read_ahead: Reads an answer, where the operation may be carried out twice.
        all_or_nothing: Whether a refused request has done nothing.
        by_properties: Whether results repeat the values of their inputs.
    """

    id: str
    load_input: Callable[[], type[Model]]
    load_result: Callable[[], type[ResultT]]
    input_key: str | None = None
    result_key: str | None = None
    error_keys: tuple[str, ...] = ()
    reads: bool = False
    read_ahead: Callable[[Any], Any] | None = None
    all_or_nothing: bool = False
    by_properties: bool = False

    def __attrs_post_init__(self) -> None:
        if self.id not in OPERATIONS:
            raise LookupError(f"{self.id} has a row here, but the description lacks it")

    @cached_property
    def input(self) -> type[Model]:
        """The model of an input."""
        return self.load_input()

    @cached_property
    def result(self) -> type[ResultT]:
        """The model of a result."""
        return self.load_result()

    @cached_property
    def _functions(self) -> Any:
        # The generator's own names.
        return import_module(f"hubspot_batch_client.api.{OPERATIONS[self.id].tag}.{self.id}")

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
        return InputCheck(OPERATIONS[self.id].input_schema, self.input_key)

    @property
    def limit(self) -> int:
        """Inputs to a request, at most, as the description says."""
        limit = OPERATIONS[self.id].max_inputs
        return _CEILING if limit is None else limit

    def operation(self, *, isolate: bool) -> Operation[ResultT]:
        """Return what the engine has to know of this row.

        Args:
            isolate: Whether a refused request is taken apart even if it may have done something.
        """
        return Operation(
            id=self.id,
            limit=self.limit,
            reads=self.reads,
            splits=isolate or self.all_or_nothing or self.read_ahead is not None,
            by_properties=self.by_properties,
            key_field=self.input_key,
            keys_are_names=self.input_key == _TRACE_ID,
            prepare=self.prepare,
            glance=self.glance,
        )

    def glance(self, given: list[object]) -> Glimpse | None:
        """Return what is sent for inputs that are all valid at first sight; else None."""
        kinds = {*map(type, given)}
        if kinds == {dict}:  # of other mappings a copy is made
            return self._check.glance(given)
        if kinds == {self.input}:
            return self._check.glance_at_text(lambda: to_bytes(given))
        if kinds == {str} and self.reads:
            return self._check.glance([{self.input_key: id_} for id_ in given])
        return None

    def prepare(self, index: int, given: object) -> Entry:
        """Return what to send for an input. A read takes an id as it is.

        Raises:
            InvalidInputError: It cannot be valid.
        """
        wire, more_names = self._wire(given)
        text = self._check.read(wire, more_names=more_names)
        key = wire.get(self.input_key) if self.input_key else None
        if key == "":
            raise InvalidInputError(f"{self.input_key} is empty.")
        return Entry(index, given, text, key)

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

    def request(self, chunk: Chunk, query: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the generated function, but for the client."""
        # The inputs have been checked and written already, so no model need do it again.
        return {"body": b'{"inputs":' + chunk.array + b"}", **query}

    def call(self, client: Client, chunk: Chunk, query: Mapping[str, Any]) -> Answer:
        """Send a chunk and read the answer."""
        return self.read(self.send(client=client, **self.request(chunk, query)))

    async def acall(self, client: Client, chunk: Chunk, query: Mapping[str, Any]) -> Answer:
        """Send a chunk and read the answer."""
        return self.read(await self.asend(client=client, **self.request(chunk, query)))

    def read(self, response: Response[Any]) -> Answer:
        """Return what an answer says, in the engine's terms."""
        parsed = response.parsed
        status = response.status_code
        error = _whole_error(response)
        if parsed is None or isinstance(parsed, models.ApiError):
            daily = isinstance(parsed, models.ApiError) and parsed.policy_name == "DAILY"
            return Answer(status, readable=False, error=error, daily=daily)
        results, refusals = self._results(items_of(parsed.results)), self._refusals(parsed, error)
        return Answer(status, readable=True, error=error, results=results, refusals=(*refusals,))

    def _refusals(self, parsed: Any, whole: OutcomeError) -> Iterator[Refusal]:
        """Yield what the answer reports as refused, also where it does not say what."""
        items = items_of(parsed.errors)
        for item in items:
            known = isinstance(item, models.BatchError)
            yield self._refusal(item, whole) if known else _nameless(whole)
        odd = parsed.errors and not items
        more = isinstance(parsed.num_errors, int) and parsed.num_errors > len(items)
        if odd or more or "message" in parsed:
            yield _nameless(whole)

    def _results(self, values: list[Any]) -> Results:  # what is no record has no such attributes
        keys = names_of(values, self.result_key) if self.result_key else [None] * len(values)
        has_other = self.result_key != "id" and hasattr(self.result, "id")
        ids = names_of(values, "id") if has_other else keys
        return Results(values, ids, keys, _properties_of)

    def _refusal(self, item: models.BatchError, whole: OutcomeError) -> Refusal:
        context = freeze_context(item.context)
        error = OutcomeError(
            "refused",
            text_of(item.message) or "HubSpot refused this input without a reason.",
            category=text_of(item.category),
            sub_category=text_of(item.sub_category),
            context=context,
            correlation_id=whole.correlation_id,
            status_code=whole.status_code,
        )
        keys = (key for name in self.error_keys for key in context.get(name, ()))
        return Refusal(error, frozenset(keys))


def _properties_of(value: Any) -> dict[str, Any]:
    properties = getattr(value, "properties", None)
    return properties if is_map(properties) else {}


def _nameless(whole: OutcomeError) -> Refusal:
    """Return a refusal of which nothing is known but what the answer says as a whole."""
    return Refusal(whole, frozenset())


def _json_of(model: Model) -> dict[str, Any]:
    try:
        wire: dict[str, Any] = to_json(model)
    except RecursionError:
        raise InvalidInputError("The input is nested too deeply, or holds itself.") from None
    return wire


def _whole_error(response: Response[Any]) -> OutcomeError:
    """Return what an answer would mean as the error of the whole request."""
    status = response.status_code
    header = response.headers.get("X-HubSpot-Correlation-Id")
    parsed = response.parsed
    kind = "refused" if 300 <= status <= 499 else "server_error"
    if isinstance(parsed, Model) and not isinstance(parsed, models.ApiError):
        # A success that says something besides, such as why it did nothing.
        message = text_of(parsed.additional_properties.get("message")) or "something was refused"
        return OutcomeError(kind, message, correlation_id=header, status_code=status)
    if not isinstance(parsed, models.ApiError):
        message = f"HubSpot answered HTTP {status} with a body that is not a JSON object."
        return OutcomeError(kind, message, correlation_id=header, status_code=status)
    context = dict(freeze_context(parsed.context))
    for detail in items_of(parsed.errors):
        if isinstance(detail, models.ErrorDetail):
            context = {**freeze_context(detail.context), **context}
    return OutcomeError(
        kind,
        text_of(parsed.message) or f"HubSpot answered HTTP {status} without a reason.",
        category=text_of(parsed.category),
        sub_category=text_of(parsed.sub_category),
        context=context,
        correlation_id=text_of(parsed.correlation_id) or header,
        status_code=status,
    )


CREATE_CAMPAIGNS = Row(
    "create_campaigns",
    lambda: models.CampaignInput,
    lambda: models.Campaign,
    by_properties=True,
)
READ_CAMPAIGNS = Row(
    "read_campaigns",
    lambda: models.CampaignReadInput,
    lambda: models.CampaignWithAssets,
    input_key="id",
    result_key="id",
    error_keys=("id", "ids"),
    reads=True,
    read_ahead=lambda answer: read_model_ahead(models.CampaignReadBatch, answer),
)
UPDATE_MARKETING_EVENTS = Row(
    "update_marketing_events",
    lambda: models.MarketingEventUpdate,
    lambda: models.MarketingEvent,
    input_key="objectId",
    result_key="object_id",
    error_keys=("id", "ids", "objectId", "objectIds"),
    read_ahead=lambda answer: read_model_ahead(models.MarketingEventBatch, answer),
)
CREATE_CALLS = Row(
    "create_calls",
    lambda: models.CallInput,
    lambda: models.Call,
    input_key=_TRACE_ID,
    result_key="object_write_trace_id",
    error_keys=(_TRACE_ID,),
    all_or_nothing=True,
    by_properties=True,
)
ROWS = (CREATE_CAMPAIGNS, READ_CAMPAIGNS, UPDATE_MARKETING_EVENTS, CREATE_CALLS)

REPEATABLE = {
    (OPERATIONS[row.id].method, OPERATIONS[row.id].path): row.read_ahead
    for row in ROWS
    if row.read_ahead is not None
}
"""Methods and paths of the operations that may be carried out twice, with what reads an answer."""
