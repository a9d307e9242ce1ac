"""The generated functions: every answer is returned, whatever its status and body."""

from __future__ import annotations

import asyncio
import copy
import datetime as dt
import importlib
import inspect
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import recorded_responses as bodies
import httpx
import pytest
from thoroughness import FACTOR
from example_inputs import example_input
from attrs import frozen
from hubspot_batch_client import AuthenticatedClient, Client
from hubspot_batch_client import models
from hubspot_batch_client.contract import OPERATIONS
from hubspot_batch_client.models import (
    ApiError,
    CallBatch,
    CallBatchInput,
    CallInput,
    CampaignBatch,
    CampaignBatchInput,
    CampaignInput,
    CampaignReadBatch,
    CampaignReadBatchInput,
    CampaignReadInput,
    MarketingEventBatch,
    MarketingEventBatchInput,
    MarketingEventUpdate,
)
from hubspot_batch_client.types import Response
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]


@frozen
class Case:
    """An operation's models, and a request that it takes."""

    batch: Any
    body: Any
    input: Any
    wire: dict[str, Any]

    def request(self) -> Any:
        """A body to send."""
        return self.body([self.input.from_dict(self.wire)])


CASES = {
    "create_calls": Case(
        CallBatch, CallBatchInput, CallInput, {"properties": {"hs_timestamp": "0"}}
    ),
    "create_campaigns": Case(
        CampaignBatch, CampaignBatchInput, CampaignInput, {"properties": {"hs_name": "a"}}
    ),
    "read_campaigns": Case(
        CampaignReadBatch, CampaignReadBatchInput, CampaignReadInput, {"id": "a-1"}
    ),
    "update_marketing_events": Case(
        MarketingEventBatch,
        MarketingEventBatchInput,
        MarketingEventUpdate,
        {"objectId": "1", "customProperties": []},
    ),
}
CASES |= {
    known.id: Case(
        getattr(models, known.answer_model),
        getattr(models, f"{known.input_models[0].removesuffix('Input')}BatchInput"),
        getattr(models, known.input_models[0]),
        example_input(known.id),
    )
    for known in OPERATIONS.values()
    if known.results and known.id not in CASES
}
WAYS = ("sync", "sync_detailed", "asyncio", "asyncio_detailed")


def module_of(operation: str) -> Any:
    """The module of an operation."""
    known = OPERATIONS[operation]
    return importlib.import_module(f"hubspot_batch_client.api.{known.tag}.{known.id}")


@frozen
class Exchange:
    """Sends one request through a function of the generated client, and keeps what was sent."""

    operation: str
    way: str

    def __call__(
        self,
        answer: httpx.Response | Callable[[httpx.Request], httpx.Response],
        body: Any = None,
        seen: list[httpx.Request] | None = None,
        **arguments: Any,
    ) -> Any:
        """Return what the function returns; one test body serves sync and async."""

        def respond(request: httpx.Request) -> httpx.Response:
            if seen is not None:
                seen.append(request)
            return answer if isinstance(answer, httpx.Response) else answer(request)

        client = AuthenticatedClient(
            base_url="https://api.example",
            token="t",
            httpx_args={"transport": httpx.MockTransport(respond)},
        )
        send = getattr(module_of(self.operation), self.way)
        arguments["body"] = CASES[self.operation].request() if body is None else body
        if inspect.iscoroutinefunction(send):

            async def run() -> Any:
                async with client:
                    return await send(client=client, **arguments)

            return asyncio.run(run())
        with client:
            return send(client=client, **arguments)

    def parsed(self, result: Any) -> Any:
        """The model in what a function returned."""
        return result.parsed if self.way.endswith("detailed") else result


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """The name of one of the four functions."""
    return str(request.param)


@pytest.fixture(params=[*bodies.OPERATIONS])
def exchange(request: pytest.FixtureRequest, way: str) -> Exchange:
    """One of the four functions of one of the operations."""
    return Exchange(str(request.param), way)


# ---------------------------------------------------------------- the functions


def test_every_operation_has_its_functions() -> None:
    """Each operation of the contract has a module with four functions."""
    assert {*OPERATIONS} >= {*CASES} >= {*bodies.OPERATIONS}
    for operation in OPERATIONS:
        module = module_of(operation)
        for name in WAYS:
            function = getattr(module, name)
            assert inspect.iscoroutinefunction(function) == name.startswith("asyncio"), operation
            assert list(inspect.signature(function).parameters)[:2] == ["client", "body"]
            assert all(
                parameter.kind is parameter.KEYWORD_ONLY
                for parameter in inspect.signature(function).parameters.values()
            )


# ---------------------------------------------------------------- what is sent


@pytest.mark.parametrize("sent", bodies.SENT, ids=lambda sent: sent.name)
def test_a_request_is_what_the_api_wants(sent: bodies.Sent, way: str) -> None:
    """Method, path, token, query and body are the API's."""
    case = CASES[sent.operation]
    seen: list[httpx.Request] = []
    arguments = {
        name: dt.date.fromisoformat(value) if name.endswith("_date") else value
        for name, value in sent.arguments.items()
    }
    body = case.body([case.input.from_dict(item) for item in sent.inputs])
    Exchange(sent.operation, way)(httpx.Response(200), body, seen, **arguments)
    (request,) = seen
    known = OPERATIONS[sent.operation]
    assert (request.method, request.url.path) == (known.method, known.path)
    assert (request.url.host, request.headers["Authorization"]) == ("api.example", "Bearer t")
    assert request.headers["Content-Type"] == "application/json"
    assert dict(request.url.params) == sent.query
    assert request.url.params.multi_items() == list(sent.query.items())
    assert json.loads(request.content) == {"inputs": sent.inputs}


def test_lists_are_sent_empty_and_absent_things_not_at_all(way: str) -> None:
    """An input that says little becomes the least that the API takes."""
    seen: list[httpx.Request] = []
    calls = CallBatchInput([CallInput(properties={"hs_timestamp": "0"})])
    Exchange("create_calls", way)(httpx.Response(200), calls, seen)
    events = MarketingEventBatchInput([MarketingEventUpdate(object_id="1")])
    Exchange("update_marketing_events", way)(httpx.Response(200), events, seen)
    assert [json.loads(request.content)["inputs"] for request in seen] == [
        [{"properties": {"hs_timestamp": "0"}, "associations": []}],
        [{"objectId": "1", "customProperties": []}],
    ]


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        ({}, ""),
        ({"properties": []}, ""),
        ({"properties": ["hs_name"]}, "properties=hs_name"),
        ({"properties": ["a", "b"]}, "properties=a%2Cb"),
        ({"start_date": dt.date(2026, 1, 5)}, "startDate=2026-01-05"),
        ({"end_date": dt.date(999, 1, 5)}, "endDate=0999-01-05"),
    ],
)
def test_query_parameters(arguments: dict[str, Any], query: str, way: str) -> None:
    """A list is one value with commas, a date is YYYY-MM-DD, and what is absent is absent."""
    seen: list[httpx.Request] = []
    Exchange("read_campaigns", way)(httpx.Response(200), None, seen, **arguments)
    assert seen[0].url.query.decode() == query


# ---------------------------------------------------------------- what comes back


@pytest.mark.parametrize("answer", bodies.ANSWERS, ids=lambda answer: answer.name)
def test_a_known_form_of_answer_is_returned(answer: bodies.Answer, way: str) -> None:
    """Every form that answers are known to have arrives whole, in the model that fits."""
    exchange = Exchange(answer.operation, way)
    returned = exchange(
        httpx.Response(answer.status, json=answer.body, headers=dict(answer.headers))
    )
    parsed = exchange.parsed(returned)
    expected = CASES[answer.operation].batch if answer.status < 300 else ApiError
    assert type(parsed) is expected
    assert parsed.to_dict() == answer.body
    if isinstance(returned, Response):
        assert returned.status_code == answer.status
        assert json.loads(returned.content) == answer.body
        assert (
            answer.headers.items()
            <= {name: returned.headers[name] for name in answer.headers}.items()
        )


@pytest.mark.parametrize("status", [100, 200, 201, 202, 204, 207, 226, 299])
def test_a_success_is_the_class_and_not_the_code(status: int, exchange: Exchange) -> None:
    """Any 2xx is read as a batch answer; no other code is."""
    batch = CASES[exchange.operation].batch
    returned = exchange(httpx.Response(status, json=bodies.batch([])))
    assert type(exchange.parsed(returned)) is (batch if status >= 200 else ApiError)


@pytest.mark.parametrize(
    "status", [300, 301, 304, 308, 400, 418, 423, 451, 477, 499, 500, 520, 526, 530, 599, 600, 999]
)
def test_any_other_status_is_an_error(status: int, exchange: Exchange) -> None:
    """Statuses that the standard library does not know, and redirects, are returned."""
    body = bodies.refused("No.", "NOPE", later={"more": [1]})
    headers = {"Location": "https://elsewhere.example/"} if 300 <= status < 400 else {}
    seen: list[httpx.Request] = []
    returned = exchange(httpx.Response(status, json=body, headers=headers), None, seen)
    parsed = exchange.parsed(returned)
    assert type(parsed) is ApiError
    assert (parsed.message, parsed["later"]) == ("No.", {"more": [1]})
    assert [request.url.host for request in seen] == ["api.example"]
    if isinstance(returned, Response):
        assert returned.status_code == status


@pytest.mark.parametrize("status", [200, 201, 207, 299, 400, 429, 502, 530])
@pytest.mark.parametrize("content", bodies.UNREADABLE.values(), ids=bodies.UNREADABLE)
def test_what_is_no_json_object_is_returned_as_bytes(content: bytes, status: int, way: str) -> None:
    """HTML, empty, cut off and otherwise unreadable bodies raise nothing and stay reachable."""
    for operation in CASES if len(content) < 1_000 else ["create_calls"]:
        exchange = Exchange(operation, way)
        returned = exchange(httpx.Response(status, content=content))
        assert exchange.parsed(returned) is None
        if isinstance(returned, Response):
            assert (returned.status_code, returned.content) == (status, content)


def test_json_is_read_whatever_the_header_says(exchange: Exchange) -> None:
    """A wrong content type, a missing one, another encoding and a byte order mark do no harm."""
    body = bodies.batch([], links={"caf\u00e9": "\u2603"})
    text = json.dumps(body, ensure_ascii=False)
    for content_type, content in [
        ("text/html; charset=klingon", text.encode()),
        ("", text.encode("utf-8-sig")),
        ("application/json; charset=latin-1", text.encode("utf-16")),
        ("application/json", text.encode("utf-32-be")),
    ]:
        answer = httpx.Response(200, content=content, headers={"Content-Type": content_type})
        assert exchange.parsed(exchange(answer)).to_dict() == body


def test_a_body_under_another_status_keeps_its_fields(exchange: Exchange) -> None:
    """An error under 200, and results under 400, are reachable as items."""
    error = exchange.parsed(exchange(httpx.Response(200, json=bodies.RATE_LIMITED.body)))
    assert type(error) is CASES[exchange.operation].batch
    assert (error.status, error["policyName"]) == ("error", "TEN_SECONDLY_ROLLING")
    late = exchange.parsed(exchange(httpx.Response(400, json=bodies.batch([bodies.CALL]))))
    assert late["results"] == [bodies.CALL]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a JSON value, with each key or index that it has."""
    pairs = list(value.items() if isinstance(value, dict) else enumerate(value))
    inner = [place for _, item in pairs if isinstance(item, dict | list) for place in places(item)]
    return [(value, key) for key, _ in pairs] + inner


OTHER_VALUES = st.sampled_from(
    [None, True, 0, -1.5, "", "text", "10", [], {}, [None], [[]], {"": None}, [{"id": {}}]]
)


@st.composite
def contents(draw: st.DrawFn, operation: str) -> bytes:
    """A body: known, known and changed, cut off, or any bytes."""
    fitting = [answer.body for answer in bodies.ANSWERS if answer.operation == operation]
    body = copy.deepcopy(draw(st.sampled_from(fitting)))
    for _ in range(draw(st.integers(0, 3))):
        container, key = draw(st.sampled_from(places(body)))
        container[key] = copy.deepcopy(draw(OTHER_VALUES))
    text = json.dumps(body).encode()
    return draw(
        st.one_of(
            st.just(text),
            st.integers(0, len(text)).map(lambda end: text[:end]),
            st.binary(max_size=40),
            st.binary(min_size=1, max_size=3).map(lambda noise: text[:50] + noise + text[50:]),
        )
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("operation", bodies.OPERATIONS)
@settings(max_examples=40 * FACTOR)
@given(data=st.data(), status=st.integers(100, 999))
def test_no_answer_raises(operation: str, way: str, data: st.DataObject, status: int) -> None:
    """Any response is returned with all that it said, whatever its status and body."""
    exchange = Exchange(operation, way)
    content = data.draw(contents(operation))
    returned = exchange(httpx.Response(status, content=content))
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    parsed = exchange.parsed(returned)
    assert (parsed.to_dict() if parsed is not None else None) == (
        body if isinstance(body, dict) else None
    )
    if isinstance(returned, Response):
        assert (returned.status_code, returned.content) == (status, content)


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError]
)
def test_a_lost_request_raises_what_the_docstring_says(
    failure: type[httpx.TransportError], exchange: Exchange
) -> None:
    """Without an answer there is an httpx.HTTPError."""

    def lose(request: httpx.Request) -> httpx.Response:
        raise failure("gone", request=request)

    with pytest.raises(httpx.HTTPError, match="gone"):
        exchange(lose)


def test_a_client_without_a_token_serves_too(way: str) -> None:
    """A transport can add the token, so a plain client sends as well."""
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    transport = httpx.MockTransport(respond)
    client = Client("https://api.example", headers={"User-Agent": "tests"})
    client = client.with_timeout(httpx.Timeout(3)).with_cookies({"a": "b"})
    send = getattr(module_of("create_calls"), way)
    arguments = {"client": client, "body": CASES["create_calls"].request()}
    if inspect.iscoroutinefunction(send):

        async def run() -> None:
            async with httpx.AsyncClient(transport=transport, base_url="https://b.example") as made:
                assert client.set_async_httpx_client(made).get_async_httpx_client() is made
                await send(**arguments)

        asyncio.run(run())
    else:
        with httpx.Client(transport=transport, base_url="https://b.example") as made:
            assert client.set_httpx_client(made).get_httpx_client() is made
            send(**arguments)
    assert (seen[0].url.host, "Authorization" in seen[0].headers) == ("b.example", False)


def test_what_a_client_is_told_reaches_its_requests(way: str) -> None:
    """Headers, cookies, the prefix and the header of the token are sent."""
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    client = AuthenticatedClient(
        "https://api.example",
        token="t",
        prefix="",
        auth_header_name="X-Key",
        headers={"User-Agent": "tests"},
        httpx_args={"transport": httpx.MockTransport(respond)},
    )
    client = client.with_headers({"X-Trace": "1"}).with_cookies({"a": "b"})
    send = getattr(module_of("create_campaigns"), way)
    arguments = {"client": client, "body": CASES["create_campaigns"].request()}
    if inspect.iscoroutinefunction(send):
        asyncio.run(send(**arguments))
    else:
        send(**arguments)
    names = ("User-Agent", "X-Trace", "X-Key", "Cookie")
    assert [seen[0].headers[name] for name in names] == ["tests", "1", "t", "a=b"]


# ---------------------------------------------------------------- deviations


def test_every_deviation_has_a_body() -> None:
    """Wherever the fragments deviate from what is published, `recorded_responses` shows what is met."""
    yaml = pytest.importorskip("yaml", reason="the deviations are YAML")
    text = (ROOT / "openapi" / "deviations.yaml").read_text("utf-8")
    noted = yaml.safe_load(text)["deviations"]
    # No body shows a limit, a default that is not filled in, or a header that is not sent.
    bodiless = [one["kind"] in ("limit", "default") or "/header/*" in one["pointer"] for one in noted]
    met = {
        one["name"]
        for one, without in zip(noted, bodiless, strict=True)
        if one.get("seen") != "page" and not without
    }
    shown = {name for body in (*bodies.ANSWERS, *bodies.SENT) for name in body.shows}
    assert met <= shown <= {one["name"] for one in noted}
