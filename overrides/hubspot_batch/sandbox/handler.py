"""One request on its way through the sandbox.

It decides in which order a request is judged: path, method, token, request limits, scopes, JSON,
number of inputs, form, values. The first that objects gives the answer. It keeps no state.
"""

import json
import random
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, cast

from attrs import evolve, frozen
from hubspot_batch_client.contract import Operation

from . import responses
from .clock import is_date
from .effects import ID_PROPERTY, Done, Input, Turn, work
from .families import View
from .messages import CORRELATION, SandboxAnswer, SandboxRequest
from .operations import Row
from .state import State
from .store import seeded
from .validation import Problem, first_problem


@frozen
class Verdict:
    """An answer and what the request log says about how it came about."""

    answer: SandboxAnswer
    operation: str | None = None
    fault: str | None = None
    inputs: int | None = None


@frozen
class _Visit:
    state: State
    request: SandboxRequest
    operation: Operation
    row: Row
    number: int
    now: float
    rng: random.Random
    blank: SandboxAnswer


def visit(state: State, request: SandboxRequest, number: int, now: float) -> Verdict:
    """Answer one request, changing the state as the request asks."""
    # A generator for each request: what came before does not shift its choices.
    rng = seeded(state.seed, number)
    blank = SandboxAnswer(200, {CORRELATION: _correlation_id(rng)}, b"")
    here = [one for one in state.operations.values() if one.path == request.path]
    if not here:
        return Verdict(_refused(blank, Problem("resource not found", 404, category=None)))
    operation = next((one for one in here if one.method == request.method), None)
    if operation is None:
        allowed = ", ".join(sorted(one.method for one in here))
        answer = _refused(blank, Problem("HTTP 405 Method Not Allowed", 405, category=None))
        return Verdict(evolve(answer, headers={**answer.headers, "Allow": allowed}))
    row = state.rows[operation.id]
    return _answer(_Visit(state, request, operation, row, number, now, rng, blank))


def _answer(one: _Visit) -> Verdict:
    fault = next(
        (met for plan in one.state.faults if (met := plan.next(one.operation.id, one.rng))), None
    )
    body = _body(one.request.body)
    count = None if isinstance(body, Problem) else len(body.inputs)
    # A connection that never came about is nothing that the server could have counted.
    if fault is None or fault.loss != "refused":
        if turned_away := _gate(one):
            return Verdict(turned_away, one.operation.id, None, count)
        limits = one.state.limits.headers()
        one = evolve(one, blank=evolve(one.blank, headers={**one.blank.headers, **limits}))
    works = fault is None or fault.work_done
    answer = _worked(one, body) if works else _success(one, Done())
    if fault:
        answer = fault.apply(answer, one.rng)
    return Verdict(answer, one.operation.id, fault.name if fault else None, count)


def _gate(one: _Visit) -> SandboxAnswer | None:
    """Return the answer of the door keeper: 401, 429 or 403; None lets the request in."""
    state, blank = one.state, one.blank
    scheme, _, token = one.request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or state.token not in (None, token):
        return _refused(
            blank,
            Problem("The access token is missing or not valid.", 401, "INVALID_AUTHENTICATION"),
        )
    policy = state.limits.admit(one.now)
    blank = evolve(blank, headers={**blank.headers, **state.limits.headers()})
    if policy:
        return blank.with_json(responses.rate_limited(blank.correlation_id, policy), 429)
    scopes = one.operation.scopes
    if state.scopes is not None and not state.scopes.issuperset(scopes):
        return blank.with_json(responses.missing_scopes(blank.correlation_id, scopes), 403)
    return None


@frozen
class _Body:
    """The inputs, and what the body has beside them."""

    inputs: list[object]
    beside: dict[str, Any]


def _body(text: bytes) -> _Body | Problem:
    """Read a body; broken JSON is a 400 without a category."""
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError):
        return Problem("Invalid input JSON: it cannot be read", category=None)
    if not isinstance(document, dict):
        return Problem("Invalid input JSON: it is not an object", category=None)
    beside = cast("dict[str, Any]", document)
    inputs = beside.pop("inputs", None)
    if not isinstance(inputs, list):
        return Problem(
            "Invalid input JSON: some required fields were not set: [inputs]", category=None
        )
    return _Body(cast("list[object]", inputs), beside)


def _worked(one: _Visit, body: _Body | Problem) -> SandboxAnswer:
    if isinstance(body, Problem):
        return _refused(one.blank, body)
    if problem := _batch_problem(one, body):
        return _refused(one.blank, problem)
    view = _view(one.row, one.request.query, body.beside)
    if isinstance(view, Problem):
        return _refused(one.blank, view)
    family = one.state.families[one.row.family.store]
    turn = Turn(
        *(one.number, one.now, one.rng, view, one.state.trace_echo),
        id_property=body.beside.get(ID_PROPERTY),
    )
    inputs = cast("list[Input]", body.inputs)
    done = work(one.row, family, one.state.stores[family.store], inputs, turn)
    return _refused(one.blank, done.refusal) if done.refusal else _success(one, done)


def _batch_problem(one: _Visit, body: _Body) -> Problem | None:
    most = one.state.max_inputs[one.operation.id]
    if most is not None and len(body.inputs) > most:
        return Problem(
            f"The maximum number of inputs supported in a batch is {most}. "
            "Please reduce the number of items and try again"
        )
    for item in body.inputs:
        if said := first_problem(item, one.operation.input_schema, "an input"):
            return Problem(f"Invalid input JSON: {said}", category=None)
    if said := first_problem(body.beside, _beside(one.operation), "the body"):
        return Problem(f"Invalid input JSON: {said}", category=None)
    return None


def _beside(operation: Operation) -> dict[str, Any]:
    """The schema of what may stand in the body beside the inputs."""
    known = [one for one in operation.arguments if one.place == "body"]
    return {
        "type": "object",
        "properties": {one.name: one.schema for one in known},
        "required": [one.name for one in known if one.required],
        "additionalProperties": False,
    }


def _view(row: Row, query: Sequence[tuple[str, str]], beside: Mapping[str, Any]) -> View | Problem:
    """Read what the caller wants to see; names may be joined by commas, repeated, or both."""
    view = row.view
    if row.select:
        names = [
            part.strip() for key, text in query if key == row.select for part in text.split(",")
        ]
        chosen = tuple(dict.fromkeys(filter(None, [*names, *(beside.get(row.select) or ())])))
        view = evolve(view, properties=None if row.shows_all and not chosen else chosen)
    if row.dates:
        given = {key: text for key, text in query if key in row.dates}
        for key, text in given.items():
            if not is_date(text):
                return Problem(f"{key} is not a date in the form YYYY-MM-DD")
        view = evolve(view, metrics=len(given) == len(row.dates))
    return view


def _success(one: _Visit, done: Done) -> SandboxAnswer:
    completed = one.now + one.rng.randrange(20, 400) / 1000
    body = responses.batch(done.results, done.errors, one.now, completed)
    return one.blank.with_json(body, 207 if done.errors else one.row.success)


def _refused(blank: SandboxAnswer, problem: Problem) -> SandboxAnswer:
    body = responses.refusal(
        blank.correlation_id,
        problem.message,
        problem.category,
        sub_category=problem.sub_category,
        errors=problem.details,
    )
    return blank.with_json(body, problem.status)


def _correlation_id(rng: random.Random) -> str:
    # Not always a UUID, as recorded.
    made = uuid.UUID(int=rng.getrandbits(128), version=4)
    return str(made) if rng.random() < 0.9 else f"req_{made.hex[:20]}"
