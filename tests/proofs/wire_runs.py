"""One run over the wire after the other, each out of one seed.

It decides what a run is: a client is given inputs over real sockets on loopback while a server or a
proxy goes wrong, what it says is judged, and then the same client must work as if nothing had
been, whatever has happened on its idle connections. No socket may be left behind.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from attrs import define, field
from hubspot_batch import (
    AsyncHubSpotBatch,
    Clock,
    HubSpotBatch,
    HubSpotBatchError,
    Outcome,
    OutcomeStatus,
    Retry,
    UnreachableError,
    result_of,
)
from hubspot_batch.options import DEFAULT_RATE_LIMIT
from soak_runs import Report, silence
from wire_oracle import judge, judge_secrets
from wire_peer import Peer, serving
from wire_plan import SHORT, TOKEN, WirePlan, wire_plan
from wire_proxy import ProxyPeer, proxying
from wire_server import CERTIFICATE
from wire_store import Store

TOOK_TOO_LONG = 10.0
"""Seconds of a run after which it has not been bounded by its time-outs."""

PATIENCE = 5.0
"""Seconds in which a closed client has ended all of its connections."""

_METHODS = {
    "create_calls": ("calls", "create"),
    "create_campaigns": ("campaigns", "create"),
    "read_campaigns": ("campaigns", "read"),
    "update_marketing_events": ("marketing_events", "update"),
}
DESCRIPTORS = Path("/proc/self/fd")
"""Where the system lists what this process has open; not every system has it."""

_AFTERWARDS = [
    {
        "properties": {"hs_timestamp": "2026-01-31T12:00:00Z", "hs_call_title": f"Afterwards {n}"},
        "associations": [
            {
                "to": {"id": f"99000{n}"},
                "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 194}],
            }
        ],
    }
    for n in range(4)
]


@define
class Said:
    """The outcomes that a client gave to its inputs."""

    outcomes: list[Outcome[Any]] = field(factory=list)
    error: BaseException | None = None


def one_wire(seed: int, kind: str) -> Report:
    """Carry out the run of a seed with a client of a kind, and judge it."""
    plan, failure = wire_plan(seed, kind), None
    features: set[str] = set()
    try:
        with silence():
            features |= _carry_out(plan)
    except Exception:  # noqa: BLE001 - whatever it is, it is to be seen with its seed
        failure = traceback.format_exc()
    return Report(seed, kind, "wire", frozenset(features), failure)


def _carry_out(plan: WirePlan) -> set[str]:
    rng = random.Random(f"peer/{plan.kind}/{plan.seed}")
    names = {one: f"Name of {one}" for one in plan.known}
    store = Store(rng, plan.habits, campaigns=dict(names), events=dict(names))
    peer = Peer(store, rng, plan.faults, secure=plan.way != "plain")
    before, begun = _descriptors(), time.monotonic()
    with serving(peer) as server:
        proxy = None
        if plan.proxy_faults is not None:
            proxy = ProxyPeer(peer, server, rng, plan.proxy_faults)
        with proxying(proxy) as proxy_url, _environment(proxy_url):
            base_url = server.url
            if plan.way != "plain":
                base_url = server.url.replace("http://127.0.0.1", "https://localhost")
            if proxy is not None:
                base_url = "https://hubspot.test"
            said = Said()
            runner = _run_async if plan.kind == "async" else _run_sync
            runner(plan, _settings(plan, base_url), peer, proxy, said)
            took = time.monotonic() - begun
            assert took < TOOK_TOO_LONG, f"it took {took:.1f} s"
            assert peer.all_ended(PATIENCE), "the client has left a connection open"
    assert before == _descriptors(), "a socket is left open"
    features = {f"status:{one.status}" for one in said.outcomes}
    features |= {f"kind:{one.error.kind}" for one in said.outcomes if one.error}
    features |= {f"fault:{name}" for name in peer.met}
    features |= {f"fault:{name}" for name in (proxy.met if proxy else ())}
    features |= {f"operation:{plan.operation}", f"way:{plan.way}", f"idle:{plan.idle}"}
    features |= {"iterate"} if plan.iterate else set()
    features |= {"cancelled"} if isinstance(said.error, TimeoutError) else set()
    return features


@contextmanager
def _environment(proxy_url: str | None) -> Iterator[None]:
    """Let the environment name a proxy and the server's certificate, and nothing else."""
    before = dict(os.environ)
    for name in before:
        if name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ["SSL_CERT_FILE"] = str(CERTIFICATE)
    if proxy_url is not None:
        os.environ["HTTPS_PROXY"] = proxy_url
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _settings(plan: WirePlan, base_url: str) -> dict[str, Any]:
    """Return the arguments of the client; waits between attempts take no time."""
    slept = [0.0]
    lock = threading.Lock()

    def sleep(seconds: float) -> None:
        with lock:
            slept[0] += seconds

    async def asleep(seconds: float) -> None:
        sleep(seconds)
        await asyncio.sleep(0)

    return {
        "token": TOKEN,
        "base_url": base_url,
        "timeout": plan.timeout,
        "max_concurrency": plan.concurrency,
        "rate_limit": DEFAULT_RATE_LIMIT if plan.limited else None,
        "retry": Retry(max_attempts=plan.attempts),
        "clock": Clock(lambda: time.monotonic() + slept[0], sleep, asleep),
    }


def _run_sync(
    plan: WirePlan, settings: dict[str, Any], peer: Peer, proxy: ProxyPeer | None, said: Said
) -> None:
    with HubSpotBatch(**settings) as client:
        method, arguments = _method(plan, client)
        try:
            if plan.iterate:
                outcomes = method(plan.inputs, **arguments)
                try:
                    said.outcomes += outcomes
                finally:
                    outcomes.close()
                    said.outcomes += outcomes.result.outcomes
            else:
                said.outcomes += method(plan.inputs, **arguments).outcomes
        except HubSpotBatchError as error:
            _note(plan, said, error)
        _judge(plan, peer, proxy, said)
        with _patience(plan):
            _judge_afterwards(plan, client.calls.create(_AFTERWARDS, chunk_size=2), peer)


def _run_async(
    plan: WirePlan, settings: dict[str, Any], peer: Peer, proxy: ProxyPeer | None, said: Said
) -> None:
    async def main() -> None:
        async with AsyncHubSpotBatch(**settings) as client:
            await _carry_out_async(plan, client, said)
            _judge(plan, peer, proxy, said)
            with _patience(plan):
                _judge_afterwards(plan, await client.calls.create(_AFTERWARDS, chunk_size=2), peer)

    asyncio.run(main())


async def _carry_out_async(plan: WirePlan, client: Any, said: Said) -> None:
    method, arguments = _method(plan, client)
    try:
        async with asyncio.timeout(plan.cancel_after):
            if not plan.iterate:
                said.outcomes += (await method(plan.inputs, **arguments)).outcomes
                return
            outcomes = method(plan.inputs, **arguments)
            try:
                async for outcome in outcomes:
                    said.outcomes.append(outcome)
            finally:
                await outcomes.aclose()
                said.outcomes += outcomes.result.outcomes
    except (HubSpotBatchError, TimeoutError) as error:
        _note(plan, said, error)


def _method(plan: WirePlan, client: Any) -> tuple[Any, dict[str, Any]]:
    family, verb = _METHODS[plan.operation]
    arguments: dict[str, Any] = {"chunk_size": plan.chunk_size}
    if plan.operation == "read_campaigns":
        arguments["properties"] = ["hs_name"]
    if plan.isolate:
        arguments["isolate"] = True
    return getattr(getattr(client, family), verb + "_iter" * plan.iterate), arguments


def _note(plan: WirePlan, said: Said, error: BaseException) -> None:
    said.error = error
    if not plan.iterate:
        result = error.result if isinstance(error, HubSpotBatchError) else result_of(error)
        assert result is not None, f"{error!r} has no result"
        said.outcomes += result.outcomes


def _judge(plan: WirePlan, peer: Peer, proxy: ProxyPeer | None, said: Said) -> None:
    peer.settle()
    judge(plan, peer, said.outcomes, said.error)
    judge_secrets(said.outcomes, said.error)
    peer.at_peace = True
    if proxy is not None:
        proxy.peace()
    # Through a proxy, nothing tells when it has arrived.
    peer.disturb_idle("nothing" if proxy else plan.idle)


def _patience(plan: WirePlan) -> AbstractContextManager[object]:
    """Let a short time-out end a connection attempt while the machine is busy."""
    return suppress(UnreachableError) if plan.timeout == SHORT else nullcontext()


def _judge_afterwards(plan: WirePlan, result: Any, peer: Peer) -> None:
    """See that the client works as if nothing had been."""
    for outcome in result.outcomes:
        said = "" if outcome.error is None else f"{outcome.error.kind} {outcome.error.message}"
        if plan.timeout == SHORT and "Timeout" in said:
            return  # the machine was busy for as long
        silent = said.startswith("not_mentioned")
        assert silent or outcome.status is OutcomeStatus.SUCCEEDED, f"afterwards: {outcome}"
    made = [mark for mark in peer.store.done("create_calls") if mark.startswith("99000")]
    assert len(made) == len({*made}) == len(_AFTERWARDS), f"afterwards {made} were created"


def _descriptors() -> int:
    """Return how many files and sockets this process has open; 0 where that cannot be seen."""
    return len([*DESCRIPTORS.iterdir()]) if DESCRIPTORS.is_dir() else 0
