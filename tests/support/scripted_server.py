"""A server for tests that plays what it is told, request by request, in front of a sandbox.

It decides what becomes of each request: the sandbox does its work or not, and then an answer, a
failure or the sandbox's own answer comes back. So what is said of an input can be held against
what was done. It never judges an input and knows nothing of the client's rules.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import httpx
from attrs import field, frozen
from both_clients import ClientFactory, clock_of, run
from hubspot_batch import BatchResult, HubSpotBatchError, OutcomeStatus
from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxTransport
from hubspot_batch_client.api.calls import create_calls
from hubspot_batch_client.api.campaigns import create_campaigns, read_campaigns
from hubspot_batch_client.api.marketing_events import update_marketing_events
from hubspot_batch_client.contract import OPERATIONS
from hubspot_batch_client.models import (
    CallBatchInput,
    CallInput,
    CampaignBatchInput,
    CampaignInput,
    CampaignReadBatchInput,
    CampaignReadInput,
    MarketingEventBatchInput,
    MarketingEventUpdate,
)

NOON = "2026-01-31T12:00:00Z"
READ, UPDATE, CALLS, CAMPAIGNS = (
    *("read_campaigns", "update_marketing_events"),
    *("create_calls", "create_campaigns"),
)
KINDS = (READ, UPDATE, CALLS, CAMPAIGNS)
CREATES = (CALLS, CAMPAIGNS)


@frozen
class Step:
    """The fate of a request: the work first, if any, then what comes back.

    `said` None is the sandbox's own answer. `seconds` go by until it comes.
    """

    said: httpx.Response | Exception | None = None
    work: bool = False
    seconds: float = 0.0


DONE = Step(work=True)


def says(
    status: int,
    body: object = None,
    *,
    work: bool = False,
    headers: dict[str, str] | None = None,
    seconds: float = 0.0,
) -> Step:
    """Answer with a status and a body: JSON where it is a mapping, an edge's page by default."""
    content = json.dumps(body) if isinstance(body, dict | list) else body
    if content is None:
        content = f"<html><h1>{status}</h1></html>"
    response = httpx.Response(status, headers=headers, content=content)  # type: ignore[arg-type]
    return Step(response, work, seconds)


def fails(failure: type[Exception], *, work: bool = False, seconds: float = 0.0) -> Step:
    """Let the connection fail."""
    return Step(failure("as the test wants it"), work, seconds)


class _Cut(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __iter__(self) -> Any:
        yield b'{"status": "COMPLETE", "resu'
        raise httpx.ReadError("cut")

    async def __aiter__(self) -> Any:
        yield b'{"status": "COMPLETE", "resu'
        raise httpx.ReadError("cut")


def breaks_off(status: int, *, work: bool = False) -> Step:
    """Begin to answer, and be cut off in the middle of the body."""
    return Step(httpx.Response(status, stream=_Cut()), work)


@frozen
class SeenRequest:
    """A request as it came in."""

    time: float
    path: str
    token: str = field(repr=False)
    inputs: list[dict[str, Any]] = field(repr=False)
    size: int = 0


class ScriptedServer(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Meets each request with the next step, and with the last one again and again.

    `meet` can be told what to do instead of a list: it is called with the request as it was seen
    and its number from 0, outside of any lock, and returns a step.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *steps: Step,
        meet: Callable[[SeenRequest, int], Step] | None = None,
        now: Callable[[], float] | None = None,
    ) -> None:
        self.sandbox = sandbox
        self.seen: list[SeenRequest] = []
        self._inner = SandboxTransport(sandbox)
        self._meet = meet or (lambda _, number: steps[min(number, len(steps) - 1)])
        self._now = now or sandbox.clock
        self._lock = threading.Lock()

    @property
    def times(self) -> list[float]:
        """When the requests came, counted from the first."""
        return [round(one.time - self.seen[0].time, 3) for one in self.seen]

    @property
    def pauses(self) -> list[float]:
        """How long nothing was sent between two requests."""
        times = self.times
        return [round(after - before, 3) for before, after in pairwise(times)]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Do what the step says."""
        step = self.note(request)
        answer = self._inner.handle_request(request) if step.work else None
        return self.play(step, answer)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Do the same for an asynchronous client."""
        await request.aread()
        return self.handle_request(request)

    def note(self, request: httpx.Request) -> Step:
        """Write down a request and return what becomes of it."""
        content = request.read()
        try:
            inputs = json.loads(content)["inputs"]
        except (ValueError, KeyError, TypeError):
            inputs = []
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        with self._lock:
            one = SeenRequest(self._now(), request.url.path, token, inputs, len(content))
            self.seen.append(one)
            number = len(self.seen) - 1
        return self._meet(one, number)

    def play(self, step: Step, answer: httpx.Response | None) -> httpx.Response:
        """Return or raise what comes back."""
        if step.seconds and isinstance(self.sandbox.clock, FakeClock):
            self.sandbox.clock.advance(step.seconds)
        if isinstance(step.said, Exception):
            raise type(step.said)(*step.said.args)
        if step.said is None:
            assert answer is not None, "a step without an answer of its own does the work"
            return answer
        if isinstance(step.said.stream, httpx.ByteStream):
            said = step.said
            return httpx.Response(said.status_code, headers=said.headers, content=said.content)
        return httpx.Response(step.said.status_code, stream=_Cut())


def meeting(
    make_client: ClientFactory, server: ScriptedServer, *token: Any, **arguments: Any
) -> Any:
    """Return a client of a server, in the time of its sandbox."""
    clock = server.sandbox.clock
    assert isinstance(clock, FakeClock)
    arguments.setdefault("clock", clock_of(clock))
    return make_client(*token, transport=server, **arguments)


def wanted(sandbox: Sandbox, kind: str, count: int) -> list[dict[str, Any]]:
    """Return good inputs of an operation; what they are about is put in place."""
    if kind == READ:
        return [{"id": sandbox.add_campaign(f"Campaign {n}")} for n in range(count)]
    if kind == UPDATE:
        ids = [sandbox.add_marketing_event("Old") for _ in range(count)]
        return [
            {"objectId": one, "eventName": f"New {n}", "customProperties": []}
            for n, one in enumerate(ids)
        ]
    if kind == CAMPAIGNS:
        return [{"properties": {"hs_name": f"Campaign {n}"}} for n in range(count)]
    return [
        {"properties": {"hs_timestamp": NOON, "hs_call_title": f"Call {n}"}, "associations": []}
        for n in range(count)
    ]


def carry_out(client: Any, kind: str, inputs: Iterable[Any], **arguments: Any) -> BatchResult[Any]:
    """Carry out an operation by its method."""
    methods = {
        READ: lambda: client.campaigns.read,
        UPDATE: lambda: client.marketing_events.update,
        CALLS: lambda: client.calls.create,
        CAMPAIGNS: lambda: client.campaigns.create,
    }
    result: BatchResult[Any] = methods[kind]()(inputs, **arguments)
    return result


def carry_out_or_stop(
    client: Any, kind: str, inputs: Iterable[Any], **arguments: Any
) -> BatchResult[Any]:
    """Carry out an operation and return the outcomes, also where something stopped it."""
    try:
        return carry_out(client, kind, inputs, **arguments)
    except HubSpotBatchError as error:
        if error.result is None:
            raise
        return error.result


_GENERATED: dict[str, tuple[Any, Any, Any]] = {
    READ: (read_campaigns, CampaignReadBatchInput, CampaignReadInput),
    UPDATE: (update_marketing_events, MarketingEventBatchInput, MarketingEventUpdate),
    CALLS: (create_calls, CallBatchInput, CallInput),
    CAMPAIGNS: (create_campaigns, CampaignBatchInput, CampaignInput),
}


def carry_out_raw(
    make_client: ClientFactory, client: Any, kind: str, inputs: list[dict[str, Any]]
) -> Any:
    """Carry out an operation by its generated function, through the client's connection."""
    generated, batch, model = _GENERATED[kind]
    body = batch(inputs=[model.from_dict(one) for one in inputs])
    send = generated.sync_detailed if make_client.kind == "sync" else generated.asyncio_detailed
    return run(send(client=client.raw, body=body), make_client._runner)


def held(sandbox: Sandbox, kind: str) -> list[str]:
    """Return what tells records apart, as they are held now; for reads nothing."""
    if kind == READ:
        return []
    store = OPERATIONS[kind].tag
    records = sandbox.records(store)
    if kind == UPDATE:
        return [f"{record.id}={record.fields['eventName']}" for record in records]
    name = "hs_call_title" if kind == CALLS else "hs_name"
    return [str(record.properties[name]) for record in records]


def mark(kind: str, given: dict[str, Any]) -> str:
    """Return by what the record of an input can be told in `held`."""
    if kind == UPDATE:
        return f"{given['objectId']}={given['eventName']}"
    return str(given["properties"]["hs_call_title" if kind == CALLS else "hs_name"])


def assert_true(result: BatchResult[Any], sandbox: Sandbox, kind: str) -> None:
    """Hold every outcome against the store, and see that all inputs have one, in their order."""
    assert [outcome.index for outcome in result.outcomes] == list(range(len(result.outcomes)))
    if kind == READ:
        assert not result.unknown
        return
    there = held(sandbox, kind)
    assert len(there) == len(set(there)), "a record was made twice"
    for outcome in result.outcomes:
        if outcome.status is OutcomeStatus.SUCCEEDED:
            assert mark(kind, outcome.input) in there
        elif outcome.status is not OutcomeStatus.UNKNOWN:
            assert mark(kind, outcome.input) not in there, outcome


def counts(result: BatchResult[Any]) -> tuple[int, int, int, int]:
    """Return the numbers of succeeded, failed, unknown and not sent; they must add up."""
    parts = (result.succeeded, result.failed, result.unknown, result.not_sent)
    assert sum(map(len, parts)) == len(result.outcomes)
    assert [outcome.index for outcome in result.outcomes] == list(range(len(result.outcomes)))
    return (len(parts[0]), len(parts[1]), len(parts[2]), len(parts[3]))


def statuses(result: BatchResult[Any]) -> list[str]:
    """Return the statuses of all outcomes, in the order of the inputs."""
    return [str(outcome.status) for outcome in result.outcomes]
