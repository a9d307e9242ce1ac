"""Carries out the plan of a soak run: a client over a sandbox where anything goes wrong.

It decides how, and takes down what the client said of each input and what the sandbox did. What of
that is true is judged by `soak_oracle`.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
from _thread import interrupt_main
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from attrs import define, evolve, field
from evidence import KEYS, Facts
from hubspot_batch import Wait
from hubspot_batch.sandbox import (
    FakeClock,
    Sandbox,
    SandboxRequest,
    SandboxResponse,
    SandboxTransport,
)
from hubspot_batch.sandbox.clock import EXAMPLE_START
from mutations import Mutator, mutated
from recorded_responses import ANSWERS
from soak_inputs import CALLS, CAMPAIGNS, MARK, READ, UPDATE, Source, UnforeseenError
from soak_scenario import Plan
from virtual_time import VirtualLoop

STORES = {CALLS: "calls", CAMPAIGNS: "campaigns", UPDATE: "marketing_events"}


class Watched(Sandbox):
    """A sandbox that notes what it did, and can change what it says.

    A forgetful one keeps the marks of campaigns to itself.
    """

    def __init__(self, operation: str, forgetful: bool = False, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.updates: list[tuple[str, str]] = []
        self.expiries: frozenset[int] = frozenset()
        self.rejected: set[str] = set()
        self.statuses: set[int] = set()
        self.allowance_is_small = arguments.get("daily_limit", 250_000) < 10_000
        self.changes: set[str] = set()
        self.mutator: Mutator | None = None
        self._operation = operation
        self._forgetful = forgetful
        self._watch = threading.Lock()

    def handle(self, request: SandboxRequest) -> SandboxResponse:
        """Answer, and note which updates were made, in their order."""
        with self._watch:
            if self._state.request_number in self.expiries:
                self.use_token("another")
            answer = super().handle(request)
            if self._operation == UPDATE:
                self.updates += [
                    (record.id, str(record.fields["eventName"]))
                    for record in self.records("marketing_events")
                    if record.changed_by == self._state.request_number
                ]
            self.statuses.add(answer.status)
            if answer.status == 401 and answer.loss is None:
                self.rejected.add(request.headers.get("authorization", ""))
            if self._forgetful and answer.status < 300:
                answer = _without_marks(answer)
            return answer if self.mutator is None else self.mutator(request, answer)

    def facts_of(self, request: SandboxRequest, answer: SandboxResponse) -> Facts:
        """Return what was true of the request that was answered last."""
        operation, number = self._operation, self._state.request_number
        keys: dict[str, str | None] = {}
        properties: dict[str, dict[str, Any]] = {}
        for sent in json.loads(request.body)["inputs"]:
            mark = mark_of(operation, sent)
            keys[mark] = sent.get(KEYS[operation] or "")
            properties[mark] = sent.get("properties", {})
        if operation in STORES:
            records = self.records(STORES[operation])
        else:
            records = self.records("campaigns")
        if operation in (READ, UPDATE):
            done = {record.id for record in records}
        else:
            done = {mark_of(operation, record) for record in records if record.made_by == number}
        return Facts(operation, keys, properties, frozenset(done & keys.keys()))

    def whose(self, record_id: str) -> str:
        """Return the origin of a result."""
        if self._operation in (READ, UPDATE):
            return record_id
        records = self.records(STORES[self._operation])
        return next(mark_of(self._operation, one) for one in records if one.id == record_id)


def mark_of(operation: str, one: Any) -> str:
    """Return the mark of an input as it was sent, or of a record."""
    part = one.get if isinstance(one, dict) else lambda name, *_: getattr(one, name)
    if operation == CALLS:
        return str(part("associations")[0]["to"]["id"])
    if operation == CAMPAIGNS:
        return str(part("properties", {}).get(MARK))
    return str(part(KEYS[operation]))


def _without_marks(answer: SandboxResponse) -> SandboxResponse:
    try:
        document = answer.document()
    except ValueError:
        return answer
    for result in document["results"]:
        result.get("properties", {}).pop(MARK, None)
    return answer.with_json(document)


class Recorded(Watched):
    """A sandbox that does nothing and answers as recorded bodies do."""

    def handle(self, request: SandboxRequest) -> SandboxResponse:
        """Answer with a recorded body, changed at random."""
        with self._watch:
            blank = super(Watched, self).handle(SandboxRequest("GET", "/nowhere"))
            assert self.mutator is not None
            form = self.mutator.rng.choice(ANSWERS)
            answer = blank.with_json(form.body, form.status)
            answer = evolve(answer, headers={**answer.headers, **form.headers})
            self.statuses.add(answer.status)
            answer, changes = mutated(self.mutator.rng, answer, Facts(self._operation, free=True))
            self.changes.update(changes)
            return answer


@define
class World:
    """The place in which a plan is carried out, and what was seen there."""

    plan: Plan
    sandbox: Watched
    source: Source
    now: Any
    times: dict[int, float] = field(factory=dict)
    most: int = 0
    asked: int = 0
    asked_in_vain: int = 0
    tokens: list[str] = field(factory=list)
    waits: list[Any] = field(factory=list)
    fired: list[BaseException] = field(factory=list)
    features: set[str] = field(factory=set)
    loop: VirtualLoop | None = None
    at_peace: bool = False
    inside_at_end: int = 0
    company_inside: int = 0
    _inside: int = 0
    _came: Counter[str] = field(factory=Counter)
    _lock: threading.Lock = field(factory=threading.Lock)

    def end(self) -> None:
        """Say that the run is over, as far as its caller can tell."""
        self.inside_at_end = self._inside - self.company_inside

    def come_to(self, where: str) -> None:
        """Raise what the plan says is raised when this place is come to so often."""
        interruption = self.plan.interruption
        if self.at_peace or interruption is None:
            return
        with self._lock:
            number = self._came[where]
            self._came[where] += 1
        if interruption.where == "key" and where == "before":
            if number in (interruption.at, interruption.at + 1 + (interruption.again or -9)):
                self.features.add("interruption:key")
                interrupt_main()
            return
        if where != interruption.where:
            return
        later = interruption.again
        if number == interruption.at or (
            later is not None and number == interruption.at + 1 + later
        ):
            error = interruption.error("as the plan wants it")
            self.features |= {f"interruption:{where}", f"raised:{interruption.error.__name__}"}
            self.fired.append(error)
            raise error

    @contextmanager
    def on_the_wire(self, request: httpx.Request) -> Iterator[tuple[int, random.Random]]:
        """Count a request that is under way."""
        with self._lock:
            number = self._came["wire"]
            self._came["wire"] += 1
            self.times[number] = self.now()
            self._inside += 1
            self.company_inside += request.url.path == ELSEWHERE
            self.most = max(self.most, self._inside)
        try:
            yield number, random.Random(f"{self.plan.seed}/{number}")
        finally:
            with self._lock:
                self._inside -= 1
                self.company_inside -= request.url.path == ELSEWHERE

    def provide(self) -> str:
        """Return a token, as the plan's provider does."""
        self.asked += 1
        form = self.plan.token if not self.at_peace else "renewing"
        try:
            self.come_to("provider")
            if form == "failing" and self.asked == 2:
                raise UnforeseenError("no token today")
        except BaseException:
            self.asked_in_vain += 1
            raise
        if form == "renewing":
            token = f"token-number-{self.asked}-of-this-run"
            self.sandbox.use_token(token)
            return token
        return "the-token-that-never-changes"

    async def provide_later(self) -> str:
        """The same, for an asynchronous client."""
        await asyncio.sleep(0)
        return self.provide()

    def on_event(self, event: Any) -> None:
        """Be told of an event."""
        if isinstance(event, Wait):
            self.waits.append(event)
        self.come_to("told")


ELSEWHERE = "/nowhere"
"""The path of requests that are no part of the run."""


def _place(where: str, request: httpx.Request) -> str:
    return f"{where} in company" if request.url.path == ELSEWHERE else where


class Wire(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """The way to the sandbox, where interruptions come from."""

    def __init__(self, world: World) -> None:
        self._world = world
        wait = asyncio.sleep if world.plan.kind == "async" else None
        self._inner = SandboxTransport(world.sandbox, sleep=wait)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Hand on a request in this thread."""
        world = self._world
        with world.on_the_wire(request) as (number, rng):
            world.come_to(_place("before", request))
            if world.plan.slow:
                threading.Event().wait(0.0 if rng.random() < 0.8 else 0.0005)
            response = self._inner.handle_request(request)
            self._end(request, response, number)
            return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hand on a request in this task; it takes a while if the plan says so."""
        world = self._world
        with world.on_the_wire(request) as (number, rng):
            world.come_to(_place("before", request))
            if world.plan.slow:
                await asyncio.sleep(rng.choice((0.0, 0.0, 0.01, rng.random(), 3.0)))
            response = await self._inner.handle_async_request(request)
            if world.plan.slow:
                await asyncio.sleep(rng.choice((0.0, 0.0, 0.01, rng.random(), 3.0)))
            self._end(request, response, number)
            return response

    def _end(self, request: httpx.Request, response: httpx.Response, number: int) -> None:
        self._world.come_to(_place("after", request))
        if response.status_code == 429:  # HubSpot does not count what it refuses
            del self._world.times[number]


def make_world(chosen: Plan) -> World:
    """Set up what a plan needs."""
    loop = VirtualLoop() if chosen.kind == "async" else None
    fake = FakeClock()
    now = (lambda: EXAMPLE_START + loop.time()) if loop else fake
    # The daily limit counts the days of the sandbox's clock.
    made = Recorded if chosen.answers == "recorded" else Watched
    sandbox = made(
        chosen.operation, chosen.forgetful, clock=now, faults=chosen.faults, **chosen.sandbox
    )
    if chosen.answers != "true":
        rng = random.Random(f"answers/{chosen.kind}/{chosen.seed}")
        sandbox.mutator = Mutator(rng, sandbox.facts_of, sandbox.whose, sandbox.changes)
    sandbox.expiries = chosen.expiries
    for one in chosen.ids:
        if chosen.operation == UPDATE:
            sandbox.add_marketing_event("as it was", record_id=one)
        elif chosen.operation == READ:
            sandbox.add_campaign("as it was", record_id=one)
    error = chosen.input_error("as the plan wants it") if chosen.input_error else None
    values = [one.value for one in chosen.given]
    source = Source(values, chosen.form, chosen.raise_at, error)
    return World(chosen, sandbox, source, now, loop=loop)
