"""The way of one request through the sandbox.

The module decides in which order a request is checked: path, method, token, request limits, scopes,
JSON, number of inputs, schema, values. The first check that fails determines the response.
"""

import json
import random
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import unquote

from attrs import evolve, frozen
from hubspot_batch_client.contract import Operation, Version

from .clock import is_date
from .effects import ID_PROPERTY, Batch, EffectResult, apply_batch
from .families import Family, View
from .faults import Fault
from .input_checks import Refusal, schema_problem
from .limits import SECONDLY
from .lookups import Lookup, look_up, lookup_on
from .messages import CORRELATION_ID, SandboxRequest, SandboxResponse, add_headers
from .operations import SandboxOperation
from .properties import PROPERTIES, list_properties, make_property, property_path, show_property
from .responses import batch_body, error_response, missing_scopes_body, rate_limit_body
from .state import SandboxState
from .store import seeded_random


@frozen
class HandlerResult:
    """A response, and the facts about its request for the request log."""

    response: SandboxResponse
    operation: str | None = None
    fault: str | None = None
    inputs: int | None = None


@frozen
class _Context:
    """The request that is being handled.

    `version` is that of its path, and `names` are the arguments in it; `empty` is a response
    without a body.
    """

    state: SandboxState
    request: SandboxRequest
    operation: Operation
    spec: SandboxOperation
    version: Version
    names: tuple[str, ...]
    now: float
    rng: random.Random
    empty: SandboxResponse
    number: int


def handle(state: SandboxState, request: SandboxRequest, now: float) -> HandlerResult:
    """Answer one request and apply its effects to the state."""
    # Each request has its own generator, so earlier requests do not shift its random choices.
    rng = seeded_random(state.seed, state.request_number)
    empty = SandboxResponse(200, {CORRELATION_ID: _correlation_id(rng)}, b"")
    if way := lookup_on(state.specs, request.path):
        return _show(state, way, request, now, rng, empty)
    if (place := property_path(state.families, request.path)) is not None:
        return _define(state, place, request, now, rng, empty)
    on_path = [
        (known, version, names)
        for known in state.operations.values()
        for version in known.offered
        if (names := path_names(version.path, request.path)) is not None
    ]
    # A path that is written out is nearer than one in which names are left open.
    on_path.sort(key=lambda one: len(one[2]))
    if not on_path:
        problem = Refusal("resource not found", 404, category=None)
        return HandlerResult(error_response(empty, problem))
    found = next((one for one in on_path if one[0].method == request.method), None)
    if found is None:
        return HandlerResult(_not_allowed(empty, *(known.method for known, *_ in on_path)))
    operation, version, names = found
    spec = state.specs[operation.id]
    number = state.request_number
    return _respond(
        _Context(state, request, operation, spec, version, names, now, rng, empty, number)
    )


def path_names(path: str, sent: str) -> tuple[str, ...] | None:
    """Return what an address has for the names in a path; None if it is another path."""
    if "{" not in path:
        return () if path == unquote(sent) else None
    parts = re.split(r"\{[^{}/]*\}", path)
    fits = re.fullmatch("([^/]+)".join(map(re.escape, parts)), sent)
    return tuple(map(unquote, fits.groups())) if fits else None


def _not_allowed(empty: SandboxResponse, *methods: str) -> SandboxResponse:
    problem = Refusal("HTTP 405 Method Not Allowed", 405, category=None)
    return add_headers(error_response(empty, problem), {"Allow": ", ".join(sorted(methods))})


def _show(
    state: SandboxState,
    way: Lookup,
    request: SandboxRequest,
    now: float,
    rng: random.Random,
    empty: SandboxResponse,
) -> HandlerResult:
    """Answer a request that looks up records."""
    if request.method != way.method:
        return HandlerResult(_not_allowed(empty, way.method))
    plans = state.fault_plans
    fault = next((one for plan in plans if (one := plan.next(way.operation, rng))), None)
    if fault is None or fault.loss != "refused":
        if denial := _check_access(state, request, way.scopes, empty, now, secondly=way.secondly):
            return HandlerResult(denial, way.operation)
        if not way.secondly:  # a search has no headers of limits
            empty = add_headers(empty, state.limits.headers())
    page: dict[str, Any] | Refusal = {"results": []}
    if fault is None or fault.work_done:
        page = look_up(state, way, request.query, request.body, now)
    response = error_response(empty, page) if isinstance(page, Refusal) else empty.with_json(page)
    if fault:
        response = fault.apply(response, rng)
    return HandlerResult(response, way.operation, fault.name if fault else None)


def _define(
    state: SandboxState,
    place: tuple[Family, str | None],
    request: SandboxRequest,
    now: float,
    rng: random.Random,
    empty: SandboxResponse,
) -> HandlerResult:
    """Answer a request about the properties of a family."""
    family, name = place
    methods = ("GET", "POST") if name is None else ("GET",)
    if request.method not in methods:
        return HandlerResult(_not_allowed(empty, *methods))
    makes = request.method == "POST"
    fault = next((one for plan in state.fault_plans if (one := plan.next(PROPERTIES, rng))), None)
    if fault is None or fault.loss != "refused":
        if denial := _check_access(state, request, (), empty, now):
            return HandlerResult(denial, PROPERTIES)
        empty = add_headers(empty, state.limits.headers())
    found: dict[str, Any] | Refusal = {}
    if fault is None or fault.work_done:
        if makes:
            found = make_property(state, family, request.body, now)
        else:
            found = list_properties(family) if name is None else show_property(family, name)
    if isinstance(found, Refusal):
        response = error_response(empty, found)
    else:
        response = empty.with_json(found, 201 if makes else 200)
    if fault:
        response = fault.apply(response, rng)
    return HandlerResult(response, PROPERTIES, fault.name if fault else None)


def _respond(context: _Context) -> HandlerResult:
    state, operation, rng = context.state, context.operation, context.rng
    fault = next(
        (fault for plan in state.fault_plans if (fault := plan.next(operation.id, rng))), None
    )
    body = _parse_body(context.request.body)
    count = None if isinstance(body, Refusal) else len(body.inputs)
    # A refused connection never reaches the server, so the server cannot count it.
    if fault is None or fault.loss != "refused":
        scopes = operation.scopes
        if denial := _check_access(state, context.request, scopes, context.empty, context.now):
            return HandlerResult(denial, operation.id, None, count)
        context = evolve(context, empty=add_headers(context.empty, state.limits.headers()))
    if fault is None or fault.work_done or fault.treatment:
        response = _run_operation(context, body, fault)
    else:
        response = _success_response(context, EffectResult())
    if fault and fault.latest:
        moment = context.now + rng.uniform(0.0, fault.latest)
        state.late.append((moment, lambda at: _run_operation(evolve(context, now=at), body, None)))
    if fault:
        response = fault.apply(response, rng)
    response = _with_results_under(context.spec.results, response)
    return HandlerResult(response, operation.id, fault.name if fault else None, count)


def _check_access(
    state: SandboxState,
    request: SandboxRequest,
    scopes: Sequence[str],
    response: SandboxResponse,
    now: float,
    *,
    secondly: bool = False,
) -> SandboxResponse | None:
    """Return the 401, 429 or 403 that denies access; None grants it."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or state.token not in (None, token):
        message = "The access token is missing or not valid."
        return error_response(response, Refusal(message, 401, "INVALID_AUTHENTICATION"))
    if secondly:
        policy = state.searches.admit(now) and SECONDLY
    else:
        policy = state.limits.admit(now)
        response = add_headers(response, state.limits.headers())
    if policy:
        return response.with_json(rate_limit_body(response.correlation_id, policy), 429)
    if state.scopes is not None and not state.scopes.issuperset(scopes):
        return response.with_json(missing_scopes_body(response.correlation_id, scopes), 403)
    return None


@frozen
class _Body:
    """The inputs of a request, and the arguments beside them."""

    inputs: list[object]
    arguments: dict[str, Any]


def _parse_body(content: bytes) -> _Body | Refusal:
    """Parse a body. For broken JSON the problem is a 400 without a category."""
    try:
        document: object = json.loads(content)
    except (ValueError, RecursionError):
        return Refusal("Invalid input JSON: it cannot be read", category=None)
    if not isinstance(document, dict):
        return Refusal("Invalid input JSON: it is not an object", category=None)
    arguments = cast("dict[str, Any]", document)
    inputs = arguments.pop("inputs", None)
    if not isinstance(inputs, list):
        return Refusal(
            "Invalid input JSON: some required fields were not set: [inputs]", category=None
        )
    return _Body(cast("list[object]", inputs), arguments)


def _run_operation(
    context: _Context, body: _Body | Refusal, fault: Fault | None
) -> SandboxResponse:
    if isinstance(body, Refusal):
        return error_response(context.empty, body)
    if problem := _check_body(context, body):
        return error_response(context.empty, problem)
    view = _select_view(context.spec, context.request.query, body.arguments)
    if isinstance(view, Refusal):
        return error_response(context.empty, view)
    state = context.state
    name = context.spec.family.name
    result = apply_batch(
        Batch(
            body.inputs,
            spec=context.spec,
            family=state.families[name],
            store=state.store(name, context.names),
            view=view,
            request_number=context.number,
            now=context.now,
            rng=context.rng,
            trace_echo=state.trace_echo,
            id_property=body.arguments.get(ID_PROPERTY),
            enforced=state.enforced.get(name, ()) if context.version.strict else (),
            normalizes=context.version.strict,
            treatment=fault.treatment if fault else None,
        )
    )
    if result.refusal:
        return error_response(context.empty, result.refusal)
    return _success_response(context, result)


def _check_body(context: _Context, body: _Body) -> Refusal | None:
    """Return the first violation of the limit of inputs or of a schema, or None."""
    limit = context.state.max_inputs[context.operation.id]
    if limit is not None and len(body.inputs) > limit:
        return Refusal(
            f"The maximum number of inputs supported in a batch is {limit}. "
            "Please reduce the number of items and try again"
        )
    schema = context.operation.schema_in(context.version)
    for item in body.inputs:
        if violation := schema_problem(item, schema, "an input"):
            return Refusal(f"Invalid input JSON: {violation}", category=None)
    if violation := schema_problem(
        body.arguments, _arguments_schema(context.operation), "the body"
    ):
        return Refusal(f"Invalid input JSON: {violation}", category=None)
    return None


def _arguments_schema(operation: Operation) -> dict[str, Any]:
    """Return the schema of a body without its inputs."""
    arguments = [argument for argument in operation.arguments if argument.place == "body"]
    return {
        "type": "object",
        "properties": {argument.name: argument.schema for argument in arguments},
        "required": [argument.name for argument in arguments if argument.required],
        "additionalProperties": False,
    }


def _select_view(
    spec: SandboxOperation, query: Sequence[tuple[str, str]], arguments: Mapping[str, Any]
) -> View | Refusal:
    """Choose what the results show. Property names may be repeated, joined by commas, or both."""
    view = spec.view
    if name := spec.properties_argument:
        names = [part.strip() for key, text in query if key == name for part in text.split(",")]
        chosen = tuple(dict.fromkeys(filter(None, [*names, *(arguments.get(name) or ())])))
        view = evolve(view, properties=None if spec.shows_all_by_default and not chosen else chosen)
    if spec.date_arguments:
        dates = {key: text for key, text in query if key in spec.date_arguments}
        for key, text in dates.items():
            if not is_date(text):
                return Refusal(f"{key} is not a date in the form YYYY-MM-DD")
        view = evolve(view, metrics=len(dates) == len(spec.date_arguments))
    return view


def _success_response(context: _Context, result: EffectResult) -> SandboxResponse:
    completed = context.now + context.rng.randrange(20, 400) / 1000
    status = context.spec.success_status
    if not (context.spec.results or result.errors):
        return evolve(context.empty, status=status)
    body = batch_body(result.results, result.errors, context.now, completed)
    partial = 207 if context.version.status is None else context.version.status
    return context.empty.with_json(body, partial if result.errors else status)


def _with_results_under(name: str, response: SandboxResponse) -> SandboxResponse:
    """Give the results of a success the name that the contract has for them."""
    if name in ("", "results") or response.status >= 300:
        return response
    try:
        document = response.document()
    except ValueError:
        return response
    return response.with_json({(name if k == "results" else k): v for k, v in document.items()})


def _correlation_id(rng: random.Random) -> str:
    # In recorded responses it is not always a UUID.
    value = uuid.UUID(int=rng.getrandbits(128), version=4)
    return str(value) if rng.random() < 0.9 else f"req_{value.hex[:20]}"
