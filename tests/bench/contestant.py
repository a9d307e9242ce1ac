"""One contestant: it sends the same batch as often as it is told, and says what CPU time that took.

Run as `contestant.py NAME`, in an environment of its own. The first line of its standard input is
the work as JSON: address, operation, path and inputs. Each further line is a
number of times, and is answered by the CPU seconds. It imports nothing but what its contestant
needs, so that no other has part in the figure. Called from elsewhere, work can hold a transport.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

Work = dict[str, Any]
# Sends the batch once, and returns the number of results.
Call = Callable[[], int]
AsyncCall = Callable[[], Awaitable[int]]


def httpx_(work: Work) -> Call:
    """Plain httpx, with json."""
    import httpx

    client = httpx.Client(
        base_url=work["url"], headers=_HEADERS, timeout=60.0, transport=work.get("transport")
    )
    path, body = work["path"], {"inputs": work["inputs"]}
    return lambda: len(client.post(path, json=body).json()["results"])


def httpx_with_orjson(work: Work) -> Call:
    """Plain httpx, with the fastest of the well-kept codecs."""
    import httpx
    import orjson

    client = httpx.Client(base_url=work["url"], headers=_HEADERS, timeout=60.0)
    path, body = work["path"], {"inputs": work["inputs"]}
    headers = {"Content-Type": "application/json"}

    def call() -> int:
        response = client.post(path, content=orjson.dumps(body), headers=headers)
        return len(orjson.loads(response.content)["results"])

    return call


def httpx_async(work: Work) -> AsyncCall:
    """The same, asynchronous."""
    import httpx

    client = httpx.AsyncClient(base_url=work["url"], headers=_HEADERS, timeout=60.0)
    path, body = work["path"], {"inputs": work["inputs"]}

    async def call() -> int:
        return len((await client.post(path, json=body)).json()["results"])

    return call


def function(work: Work) -> Call:
    """The generated function, typed in and typed out."""
    from hubspot_batch_client import Client

    row, inputs = _typed(work)
    arguments = {"transport": work.get("transport")}
    client = Client(base_url=work["url"], headers=_HEADERS, httpx_args=arguments)
    body = row.batch(inputs=inputs)
    return lambda: len(row.send(client=client, body=body).parsed.results)


def function_async(work: Work) -> AsyncCall:
    """The same, asynchronous."""
    from hubspot_batch_client import Client

    row, inputs = _typed(work)
    client = Client(base_url=work["url"], headers=_HEADERS)
    body = row.batch(inputs=inputs)

    async def call() -> int:
        return len((await row.asend(client=client, body=body)).parsed.results)

    return call


def client(work: Work) -> Call:
    """`HubSpotBatch`, typed in and typed out, with an outcome for every input."""
    from hubspot_batch import HubSpotBatch

    row, inputs = _typed(work)
    made = HubSpotBatch(
        "token", base_url=work["url"], rate_limit=None, transport=work.get("transport")
    )
    method = getattr(getattr(made, row.family), row.method)
    return lambda: len(method(inputs).succeeded)


def client_in_one_thread(work: Work) -> Call:
    """The same without handing its requests to another thread, which is what that costs."""
    from hubspot_batch._engine.executors import Task as Piece
    from hubspot_batch._engine.executors import ThreadExecutor

    def submit(_: ThreadExecutor, piece: Piece) -> None:
        piece()()

    ThreadExecutor.submit = submit  # type: ignore[method-assign]
    return client(work)


def client_from_rows(work: Work) -> Call:
    """`HubSpotBatch`, given the rows of a file as they are."""
    from hubspot_batch import HubSpotBatch

    row, _ = _typed(work)
    made = HubSpotBatch("token", base_url=work["url"], rate_limit=None)
    method, rows = getattr(getattr(made, row.family), row.method), work["inputs"]
    return lambda: len(method(rows).succeeded)


def client_async(work: Work) -> AsyncCall:
    """`AsyncHubSpotBatch`, likewise."""
    from hubspot_batch import AsyncHubSpotBatch

    row, inputs = _typed(work)
    made = AsyncHubSpotBatch("token", base_url=work["url"], rate_limit=None)
    method = getattr(getattr(made, row.family), row.method)

    async def call() -> int:
        return len((await method(inputs)).succeeded)

    return call


def hubspot_sdk(work: Work) -> Call:
    """HubSpot's own new client, which takes rows as they are; typed out."""
    from hubspot_sdk import HubSpot  # type: ignore[import-not-found]

    batch = HubSpot(access_token="token", base_url=work["url"]).crm.objects.calls.batch
    inputs = work["inputs"]
    return lambda: len(batch.create(inputs=inputs).results)


def hubspot_api_client(work: Work) -> Call:
    """HubSpot's own other client, whose models are made of the rows; typed in and typed out."""
    from hubspot import HubSpot  # type: ignore[import-not-found]
    from hubspot.crm.objects.calls import models  # type: ignore[import-not-found]

    batch = HubSpot(access_token="token").crm.objects.calls.batch_api
    batch.api_client.configuration.host = work["url"]

    def association(one: Any) -> Any:
        types = [
            models.AssociationSpec(kind["associationCategory"], kind["associationTypeId"])
            for kind in one["types"]
        ]
        to = models.PublicObjectId(id=one["to"]["id"])
        return models.PublicAssociationsForObject(types=types, to=to)

    def body() -> Any:
        inputs = [
            models.SimplePublicObjectBatchInputForCreate(
                associations=[association(to) for to in one["associations"]],
                properties=one["properties"],
                object_write_trace_id=one["objectWriteTraceId"],
            )
            for one in work["inputs"]
        ]
        return models.BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs)

    return lambda: len(batch.create(body()).results)


class _Row:
    """The generated parts of an operation, and where the handwritten client has it."""

    def __init__(self, send: Any, batch: Any, input_: Any, family: str, method: str) -> None:
        self.send, self.asend = send.sync_detailed, send.asyncio_detailed
        self.batch, self.input = batch, input_
        self.family, self.method = family, method


def _typed(work: Work) -> tuple[_Row, list[Any]]:
    from hubspot_batch_client import models
    from hubspot_batch_client.api.calls import create_calls
    from hubspot_batch_client.api.campaigns import read_campaigns
    from hubspot_batch_client.api.marketing_events import (
        update_marketing_events,
    )

    calls = _Row(create_calls, models.CallBatchInput, models.CallInput, "calls", "create")
    rows = {
        "create_calls": calls,
        "read_campaigns": _Row(
            *(read_campaigns, models.CampaignReadBatchInput, models.CampaignReadInput),
            *("campaigns", "read"),
        ),
        "update_marketing_events": _Row(
            *(update_marketing_events, models.MarketingEventBatchInput),
            *(models.MarketingEventUpdate, "marketing_events", "update"),
        ),
    }
    row = rows[work["operation"]]
    return row, [row.input.from_dict(one) for one in work["inputs"]]


_HEADERS = {"Authorization": "Bearer token"}

CONTESTANTS: dict[str, Callable[[Work], Call]] = {
    "httpx": httpx_,
    "httpx with orjson": httpx_with_orjson,
    "function": function,
    "client": client,
    "client, in one thread": client_in_one_thread,
    "client, from rows": client_from_rows,
    "hubspot-sdk": hubspot_sdk,
    "hubspot-api-client": hubspot_api_client,
}
ASYNC: dict[str, Callable[[Work], AsyncCall]] = {
    "httpx, async": httpx_async,
    "function, async": function_async,
    "client, async": client_async,
}


def main(name: str) -> None:
    """Do what the lines of the standard input say."""
    work = json.loads(sys.stdin.readline())
    expected = len(work["inputs"])
    if name in ASYNC:
        import asyncio

        with asyncio.Runner() as runner:
            acall = ASYNC[name](work)

            async def many(times: int) -> list[int]:
                return [await acall() for _ in range(times)]

            _serve(lambda times: runner.run(many(times)), expected)
    else:
        call = CONTESTANTS[name](work)
        _serve(lambda times: [call() for _ in range(times)], expected)


def _serve(many: Callable[[int], list[int]], expected: int) -> None:
    for line in sys.stdin:
        times = int(line)
        gc.collect()
        many(times // 3 + 1)  # not counted: the caches are full of what the others did
        begun = time.process_time()
        counts = many(times)
        seconds = time.process_time() - begun
        if set(counts) != {expected}:
            sys.exit(f"it has {counts} results, not {expected}")
        print(seconds, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
