"""One request on its way through the sandbox.

It decides in which order a request is judged: path, method, token, request limits, scopes, JSON,
number of inputs, form, values. The first that objects gives the answer. It keeps no state.
"""

import json
import random
import uuid
from collections.abc import Sequence
from typing import cast

from attrs import evolve, frozen
from hubspot_batch_client.contract import Operation

from . import bodies
from .families import View
from .rows import Done, Input, Row, Turn, work
from .schema import first_problem, is_date
from .state import State
from .store import seeded
from .verdicts import Problem
from .wire import CORRELATION, SandboxAnswer, SandboxRequest


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
    inputs = _inputs(one.request.body)
    count = len(inputs) if isinstance(inputs, list) else None
    # A connection that never came about is nothing that the server could have counted.
    if fault is None or fault.loss != "refused":
        if turned_away := _gate(one):
            return Verdict(turned_away, one.operation.id, None, count)
        limits = one.state.limits.headers()
        one = evolve(one, blank=evolve(one.blank, headers={**one.blank.headers, **limits}))
    works = fault is None or fault.work_done
    answer = _worked(one, inputs) if works else _success(one, Done())
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
        return blank.with_json(bodies.rate_limited(blank.correlation_id, policy), 429)
    scopes = one.operation.scopes
    if state.scopes is not None and not state.scopes.issuperset(scopes):
        return blank.with_json(bodies.missing_scopes(blank.correlation_id, scopes), 403)
    return None


def _inputs(body: bytes) -> list[object] | Problem:
    """Read the inputs out of a body; broken JSON is a 400 without a category."""
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError):
        return Problem("Invalid input JSON: it cannot be read", category=None)
    if not isinstance(document, dict):
        return Problem("Invalid input JSON: it is not an object", category=None)
    inputs = cast("dict[str, object]", document).get("inputs")
    if not isinstance(inputs, list):
        return Problem(
            "Invalid input JSON: some required fields were not set: [inputs]", category=None
        )
    return cast("list[object]", inputs)


def _worked(one: _Visit, inputs: list[object] | Problem) -> SandboxAnswer:
    if isinstance(inputs, Problem):
        return _refused(one.blank, inputs)
    if problem := _batch_problem(one, inputs):
        return _refused(one.blank, problem)
    view = _view(one.row, one.request.query)
    if isinstance(view, Problem):
        return _refused(one.blank, view)
    family = one.state.families[one.row.family.store]
    turn = Turn(one.number, one.now, one.rng, view, one.state.trace_echo)
    done = work(one.row, family, one.state.stores[family.store], cast("list[Input]", inputs), turn)
    return _refused(one.blank, done.refusal) if done.refusal else _success(one, done)


def _batch_problem(one: _Visit, inputs: Sequence[object]) -> Problem | None:
    most = one.state.max_inputs[one.operation.id]
    if most is not None and len(inputs) > most:
        return Problem(
            f"The maximum number of inputs supported in a batch is {most}. "
            "Please reduce the number of items and try again"
        )
    for item in inputs:
        if said := first_problem(item, one.operation.input_schema, "an input"):
            return Problem(f"Invalid input JSON: {said}", category=None)
    return None


def _view(row: Row, query: Sequence[tuple[str, str]]) -> View | Problem:
    """Read what the caller wants to see; names may be joined by commas, repeated, or both."""
    view = row.view
    if row.select:
        names = [
            part.strip() for key, text in query if key == row.select for part in text.split(",")
        ]
        view = evolve(view, properties=tuple(dict.fromkeys(filter(None, names))))
    if row.dates:
        given = {key: text for key, text in query if key in row.dates}
        for key, text in given.items():
            if not is_date(text):
                return Problem(f"{key} is not a date in the form YYYY-MM-DD")
        view = evolve(view, metrics=len(given) == len(row.dates))
    return view


def _success(one: _Visit, done: Done) -> SandboxAnswer:
    completed = one.now + one.rng.randrange(20, 400) / 1000
    body = bodies.batch(done.results, done.errors, one.now, completed)
    return one.blank.with_json(body, 207 if done.errors else one.row.success)


def _refused(blank: SandboxAnswer, problem: Problem) -> SandboxAnswer:
    body = bodies.refusal(
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
