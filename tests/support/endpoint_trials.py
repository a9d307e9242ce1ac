"""Tries the operations of a generated client against servers that answer as it is published.

It runs in a process of its own, because the client of another project is imported here. It reads
cases as JSON from the file that its argument names, and prints for each one what went wrong.

Each case is tried with both clients: all inputs are done, one of them is refused (207), all are
refused (400), and the first response is lost. A result holds the marks of the input that it belongs
to, so one that is given to another input is noticed.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
from both_clients import clock_of
from hubspot_batch import AsyncHubSpotBatch, HubSpotBatch
from hubspot_batch._operations.registry import SPECS
from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxTransport
from hubspot_batch_client.contract import OPERATIONS

Json = dict[str, Any]
_MARK = re.compile(r"mark\d+")
_NOON = "2026-01-31T12:00:00Z"
_FRAME = {"status": "COMPLETE", "startedAt": _NOON, "completedAt": _NOON}


class Server:
    """Answers one operation; `way` is what happens to the first request."""

    def __init__(self, case: Json, way: str) -> None:
        self.case = case
        self.way = way
        self.requests = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        self.requests += 1
        inputs = json.loads(request.content)["inputs"]
        if self.way == "refused":
            error = {"status": "error", "message": "No.", "category": "VALIDATION_ERROR"}
            return httpx.Response(400, json={**error, "correlationId": "1"})
        if self.way == "lost" and self.requests == 1:
            raise httpx.ReadError("the connection was reset", request=request)
        bad = [one for one in inputs if self.way == "partial" and self._is_last(one)]
        done = [one for one in inputs if one not in bad]
        if not bad and not self.case["answers"]:
            return httpx.Response(int(self.case["success"]))
        results = [self._result(one) for one in reversed(done)] if self.case["answers"] else []
        body: Json = {**_FRAME, self.case["results"]: results}
        if not bad:
            return httpx.Response(int(self.case["success"]), json=body)
        named = {"ids": "id", "objectWriteTraceId": "objectWriteTraceId"}
        context = {key: [bad[0][name]] for key, name in named.items() if name in bad[0]}
        if isinstance(bad[0], str):
            context = {"ids": [bad[0]]}
        error = {"status": "error", "category": "VALIDATION_ERROR", "message": "No."}
        body |= {"numErrors": 1, "errors": [{**error, "context": context}]}
        return httpx.Response(207, json=body)

    def _is_last(self, one: Json | str | int) -> bool:
        return f"mark{len(self.case['inputs']) - 1}" in json.dumps(one)

    def _result(self, one: Json | str) -> Json:
        """Return a result: the published one, with the marks and the fields of its input."""
        mark = next(iter(_MARK.findall(json.dumps(one))), "mark9")
        made: Json = json.loads(_MARK.sub(mark, json.dumps(self.case["result"])))
        if not isinstance(one, dict):
            return {**made, "id": one}
        for name, value in one.items():
            if name in made and type(value) is type(made[name]):
                made[name] = value
            elif name == "id" and isinstance(value, int) and isinstance(made.get("id"), str):
                made["id"] = str(value)
        if "idProperty" in one and "properties" in made:
            made["properties"][one["idProperty"]] = one.get("id", mark)
        return made


def call(client: type, case: Json, transport: Any) -> list[Any]:
    """Call the method of an operation; return the outcomes."""
    spec = SPECS[case["id"]]
    given = {
        one.keyword: case["beside"][one.name]
        for one in OPERATIONS[case["id"]].arguments
        if one.required
    }
    family, name = spec.name.split(".")
    options = {"transport": transport, "clock": clock_of(FakeClock())}
    if client is HubSpotBatch:
        with HubSpotBatch("token", **options) as hubspot:
            method = getattr(getattr(hubspot, family), name)
            return [*method(case["inputs"], **given).outcomes]

    async def run() -> list[Any]:
        async with AsyncHubSpotBatch("token", **options) as hubspot:
            method = getattr(getattr(hubspot, family), name)
            return [*(await method(case["inputs"], **given)).outcomes]

    return asyncio.run(run())


def faults(case: Json) -> Iterator[str]:
    """Yield what goes wrong with an operation."""
    for client in (HubSpotBatch, AsyncHubSpotBatch):
        for way, check in WAYS.items():
            server = Server(case, way)
            try:
                outcomes = call(client, case, httpx.MockTransport(server))
                wrong = [*_untrue(outcomes, case), *check(outcomes, case, server)]
            except Exception as error:  # noqa: BLE001 - whatever it is, the operation breaks
                wrong = [traceback.format_exception_only(error)[-1].strip()]
            yield from (f"{client.__name__}, {way}: {one}" for one in wrong)
        try:
            call(client, case, SandboxTransport(Sandbox(rate_limit=None)))
        except Exception as error:  # noqa: BLE001 - as above
            said = traceback.format_exception_only(error)
            yield f"{client.__name__}, sandbox: {said[-1].strip()}"


def _untrue(outcomes: list[Any], case: Json) -> Iterator[str]:
    """Yield outcomes that are another input's."""
    if len(outcomes) != len(case["inputs"]):
        yield f"{len(outcomes)} outcomes for {len(case['inputs'])} inputs"
    for outcome, given in zip(outcomes, case["inputs"], strict=False):
        marks = {*_MARK.findall(json.dumps(given))}
        if outcome.result is not None and marks:
            found = {*_MARK.findall(json.dumps(outcome.result.to_dict()))}
            if found - marks:
                yield f"input {sorted(marks)} has the result of {sorted(found)}"


def _statuses(outcomes: list[Any]) -> list[str]:
    return [f"{one.status}" for one in outcomes]


def _done(outcomes: list[Any], case: Json, _: Server) -> Iterator[str]:
    good = {"succeeded"} if case["repeats"] else {"succeeded", "unknown"}
    if not {*_statuses(outcomes)} <= good:
        yield f"{_statuses(outcomes)} where all were done ({_reasons(outcomes)})"


def _partial(outcomes: list[Any], case: Json, server: Server) -> Iterator[str]:
    *others, last = outcomes
    # A create without a key is matched by what it holds, which one bad input can make unsure.
    yield from _done(others, {**case, "repeats": case["repeats"] and case["keyed"]}, server)
    if f"{last.status}" not in ("failed", "unknown") and server._is_last(case["inputs"][-1]):
        yield f"the refused input is {last.status}"


def _refused(outcomes: list[Any], _: Json, __: Server) -> Iterator[str]:
    if not {*_statuses(outcomes)} <= {"failed", "unknown"}:
        yield f"{_statuses(outcomes)} where all were refused"


def _lost(outcomes: list[Any], case: Json, server: Server) -> Iterator[str]:
    found = {*_statuses(outcomes)}
    chunks = -(-len(outcomes) // OPERATIONS[case["id"]].limit)
    if case["kind"] in ("create", "action"):
        if "unknown" not in found or not found <= {"unknown", "succeeded"}:
            yield f"{_statuses(outcomes)} after a lost response ({_reasons(outcomes)})"
        if server.requests > chunks:
            yield f"it was sent {server.requests} times in {chunks} requests"
    else:
        yield from _done(outcomes, case, server)


def _reasons(outcomes: list[Any]) -> str:
    return "; ".join({one.error.message for one in outcomes if one.error})


WAYS: dict[str, Callable[[list[Any], Json, Server], Iterator[str]]] = {
    "done": _done,
    "partial": _partial,
    "refused": _refused,
    "lost": _lost,
}


if __name__ == "__main__":
    cases = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    print(json.dumps({case["title"]: [*faults(case)] for case in cases}))
