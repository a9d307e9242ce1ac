"""Spans and metrics of OpenTelemetry, from the events of a client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from both_clients import ClientFactory
from hubspot_batch import AuthenticationError, Retry
from hubspot_batch.sandbox import Sandbox, script
from leak_watch import SECRET

pytest.importorskip("opentelemetry.sdk", reason="the SDK of OpenTelemetry is missing")
from hubspot_batch.integrations.otel import OpenTelemetry
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

ROWS: list[Any] = [
    {"properties": {"hs_timestamp": "2026-01-31T09:30:00Z", "hs_call_title": f"Call {number}"}}
    for number in range(3)
]
ROWS.append({"properties": {"hs_call_title": b"5"}})


class Collected:
    """The spans and metrics that were exported."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self.tracing = TracerProvider()
        self.tracing.add_span_processor(SimpleSpanProcessor(self._spans))
        self._reader = InMemoryMetricReader()
        self.metering = MeterProvider([self._reader])
        self.on_event = OpenTelemetry(self.tracing, self.metering)

    def spans(self, kind: trace.SpanKind | None = None) -> list[ReadableSpan]:
        """The spans that have ended, or those of a kind."""
        found = self._spans.get_finished_spans()
        return [span for span in found if kind is None or span.kind is kind]

    def points(self, name: str) -> list[tuple[dict[str, Any], Any]]:
        """The attributes and the value of each point of a metric."""
        data = self._reader.get_metrics_data()
        assert data is not None
        return [
            (dict(point.attributes or {}), getattr(point, "value", getattr(point, "sum", None)))
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


@pytest.fixture
def collected() -> Iterator[Collected]:
    made = Collected()
    yield made
    made.metering.shutdown()
    made.tracing.shutdown()


def test_an_iterator_that_is_left_is_no_error(
    make_client: ClientFactory, collected: Collected
) -> None:
    """The program wanted no more, so the span of the run has not failed."""
    client = make_client(transport=Sandbox(), on_event=collected.on_event, max_concurrency=1)
    outcomes = client.calls.create_iter(ROWS * 10, chunk_size=1)
    next(outcomes)
    outcomes.close()
    *_, run = collected.spans()
    assert run.name == "create_calls"
    assert run.status.is_unset
    assert "error.type" not in run.attributes


def test_a_run_and_its_attempts_are_spans(make_client: ClientFactory, collected: Collected) -> None:
    """The run has the counts, and stands below the caller's span; each attempt below the run."""
    faults = script([None, "locked", None])
    sandbox = Sandbox(faults=faults)
    client = make_client(transport=sandbox, on_event=collected.on_event, max_concurrency=1)
    with collected.tracing.get_tracer("test").start_as_current_span("mine") as mine:
        client.calls.create(ROWS, chunk_size=2)
        assert trace.get_current_span() is mine
    *attempts, run, last = collected.spans()
    assert last.name == "mine"
    assert run.name == "create_calls"
    assert run.parent is not None
    assert run.parent.span_id == mine.get_span_context().span_id
    assert dict(run.attributes or {}) == {
        "hubspot_batch.operation": "create_calls",
        "hubspot_batch.succeeded": 3,
        "hubspot_batch.failed": 1,
    }
    assert [event.name for event in run.events] == ["wait"]
    assert [span.kind for span in attempts] == [trace.SpanKind.CLIENT] * 3
    assert {span.parent and span.parent.span_id for span in attempts} == {run.context.span_id}
    about = [dict(span.attributes or {}) for span in attempts]
    assert [one.get("http.request.resend_count") for one in about] == [None, None, 1]
    assert [one.get("error.type") for one in about] == [None, "423", None]
    assert [one["http.response.status_code"] for one in about] == [201, 423, 201]
    assert [one["hubspot_batch.inputs"] for one in about] == [2, 1, 1]
    assert [span.status.is_ok for span in attempts] == [True, False, True]
    assert SECRET not in "".join(span.to_json() for span in collected.spans())
    assert "Call 1" not in "".join(span.to_json() for span in collected.spans())


def test_a_stopped_run_is_an_error(make_client: ClientFactory, collected: Collected) -> None:
    """Its span names the exception."""
    client = make_client(transport=Sandbox(token="another" * 3), on_event=collected.on_event)
    with pytest.raises(AuthenticationError):
        client.calls.create(ROWS[:1])
    run = collected.spans()[-1]
    assert (run.attributes or {})["error.type"] == "AuthenticationError"
    assert not run.status.is_ok


def test_metrics(make_client: ClientFactory, collected: Collected) -> None:
    """Requests, records by outcome, waits, and the used share of the allowance."""
    faults = script(["locked", None])
    sandbox = Sandbox(rate_limit=(100, 10.0), faults=faults)
    client = make_client(transport=sandbox, on_event=collected.on_event)
    client.calls.create(ROWS)
    operation = {"hubspot_batch.operation": "create_calls"}
    requests = collected.points("hubspot_batch.requests")
    failed = {"http.response.status_code": 423, "error.type": "423"}
    assert ({**operation, **failed}, 1) in requests
    assert ({**operation, "http.response.status_code": 201}, 1) in requests
    records = collected.points("hubspot_batch.records")
    assert ({**operation, "hubspot_batch.outcome": "succeeded"}, 3) in records
    assert ({**operation, "hubspot_batch.outcome": "failed"}, 1) in records
    why = {**operation, "hubspot_batch.wait.reason": "retry"}
    assert collected.points("hubspot_batch.waits") == [(why, 1)]
    assert collected.points("hubspot_batch.wait.duration") == [(why, 2.0)]
    ((_, used),) = collected.points("hubspot_batch.allowance.used")
    assert used == pytest.approx(0.01, abs=0.011)
    assert collected.points("hubspot_batch.daily_allowance.used")


def test_a_request_outside_of_a_run(make_client: ClientFactory, collected: Collected) -> None:
    """It is a span of its own."""
    client = make_client(transport=Sandbox(), on_event=collected.on_event)
    make_client.request(client, "POST", "/crm/v3/objects/calls/batch/create", json={"inputs": []})
    (span,) = collected.spans()
    assert span.parent is None


def test_a_client_can_be_instrumented(make_client: ClientFactory, collected: Collected) -> None:
    """The instrumentation of httpx adds one span for a request, with all its attempts."""
    sandbox = Sandbox(faults=script(["locked"]))
    client = make_client(transport=sandbox, on_event=collected.on_event, retry=Retry(2))
    raw = client.raw
    http = raw.get_httpx_client() if make_client.kind == "sync" else raw.get_async_httpx_client()
    HTTPXClientInstrumentor().instrument_client(http, tracer_provider=collected.tracing)
    client.calls.create(ROWS[:1])
    clients = collected.spans(trace.SpanKind.CLIENT)
    assert [dict(span.attributes or {}).get("http.request.resend_count") for span in clients] == [
        *(None, 1, None)
    ]
    assert [span.name for span in collected.spans()] == ["POST"] * 3 + ["create_calls"]


def test_all_of_httpx_can_be_instrumented(make_client: ClientFactory, collected: Collected) -> None:
    """Then the attempts of this client have their spans once, and other clients theirs."""
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=collected.tracing)
    try:
        client = make_client(transport=Sandbox(), on_event=collected.on_event)
        client.calls.create(ROWS[:1])
        with httpx.Client() as other, pytest.raises(httpx.ConnectError):
            other.get("http://127.0.0.1:9/")
    finally:
        instrumentor.uninstrument()
    assert [span.name for span in collected.spans()] == ["POST", "create_calls", "GET"]


def test_a_transport_that_is_instrumented_stands_below_its_attempt(
    make_client: ClientFactory, collected: Collected
) -> None:
    """The attempt is the current span while it is sent, in each thread and task."""
    seen: list[trace.Span] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(trace.get_current_span())
        return httpx.Response(500, json={})

    client = make_client(transport=httpx.MockTransport(answer), on_event=collected.on_event)
    client.campaigns.read(["1", "2"], chunk_size=1)
    attempts = collected.spans(trace.SpanKind.CLIENT)
    assert len(attempts) == len(seen) > 2
    assert {span.get_span_context().span_id for span in seen} == {
        span.context.span_id for span in attempts
    }
