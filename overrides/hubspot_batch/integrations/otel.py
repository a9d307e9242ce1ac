"""OpenTelemetry: spans and metrics of the events of a client (extra `otel`).

This module decides the names of spans, metrics and attributes. They hold numbers and names, and
never an input or a record. HTTP attributes have the names of OpenTelemetry's conventions
(https://opentelemetry.io/docs/specs/semconv/http/http-spans/).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from threading import Lock
from typing import Any, NamedTuple

from hubspot_batch.events import Answered, Event, RequestSent, RunEnded, Settled, Wait
from hubspot_batch.version import __version__

from .needed import needed_by

with needed_by(__name__, "hubspot-batch[otel]"):
    from opentelemetry import context, metrics, trace
    from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider

_NAME = "hubspot_batch"
_ALLOWANCE = "hubspot_batch.allowance.used"
_DAILY_ALLOWANCE = "hubspot_batch.daily_allowance.used"


class _Attempt(NamedTuple):
    """The span of an attempt, and what ends its being the current one."""

    span: Span
    token: Any


class OpenTelemetry:
    """Makes spans and metrics of events; for `HubSpotBatch(on_event=OpenTelemetry())`.

    A run is a span named after its operation, from its first event to its end, below the span that
    is current where the run begins. Its attributes `hubspot_batch.succeeded`, `.failed`, `.unknown`
    and `.not_sent` count its inputs. Each attempt of a request is a span below it, with
    `http.request.resend_count` and, if it failed, `error.type`. While it is sent it is the current
    span, so spans of instrumented transports stand below it.

    Metrics: `hubspot_batch.requests` (attempts), `hubspot_batch.records` (inputs by
    `hubspot_batch.outcome`), `hubspot_batch.waits` and `hubspot_batch.wait.duration` (seconds),
    `hubspot_batch.allowance.used` and `hubspot_batch.daily_allowance.used` (the used share of
    HubSpot's limits, from 0 to 1, as the last response says).

    Args:
        tracer_provider: Where spans go; the global provider by default.
        meter_provider: Where metrics go; the global provider by default.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self._tracer = trace.get_tracer(_NAME, __version__, tracer_provider)
        meter = metrics.get_meter(_NAME, __version__, meter_provider)
        self._requests = meter.create_counter(
            "hubspot_batch.requests", "{request}", "Attempts of requests."
        )
        self._records = meter.create_counter(
            "hubspot_batch.records", "{record}", "Inputs with a known outcome."
        )
        self._waits = meter.create_counter("hubspot_batch.waits", "{wait}", "Waits.")
        self._waited = meter.create_histogram(
            "hubspot_batch.wait.duration", "s", "The length of waits."
        )
        self._used: dict[str, float] = {}
        for name, what in (
            (_ALLOWANCE, "The used share of the rate limit."),
            (_DAILY_ALLOWANCE, "The used share of the day's requests."),
        ):
            meter.create_observable_gauge(name, [partial(self._observe, name)], "1", what)
        self._runs: dict[str, Span] = {}
        self._attempts: dict[int, _Attempt] = {}
        self._lock = Lock()

    def __call__(self, event: Event) -> None:
        """Take an event; for `on_event`."""
        match event:
            case RequestSent():
                self._sent(event)
            case Answered():
                self._answered(event)
            case Wait():
                about = _about(event.operation, {"hubspot_batch.wait.reason": event.reason})
                self._waits.add(1, about)
                self._waited.record(event.seconds, about)
                if event.run_id is not None:
                    span = self._run(event.run_id, event.operation)
                    span.add_event("wait", {**about, "hubspot_batch.wait.seconds": event.seconds})
            case Settled():
                self._run(event.run_id, event.operation)
                for status, count in event.counts.items():
                    outcome = {"hubspot_batch.outcome": str(status)}
                    self._records.add(count, _about(event.operation, outcome))
            case RunEnded():
                self._ended(event)

    def _run(self, run_id: str, operation: str | None) -> Span:
        """Return the span of a run, begun at its first event."""
        with self._lock:
            span = self._runs.get(run_id)
            if span is None:
                span = self._tracer.start_span(operation or _NAME, attributes=_about(operation))
                self._runs[run_id] = span
            return span

    def _sent(self, event: RequestSent) -> None:
        parent = None
        if event.run_id is not None:
            parent = trace.set_span_in_context(self._run(event.run_id, event.operation))
        attributes: dict[str, Any] = {
            **_about(event.operation),
            "http.request.method": event.method,
            "url.path": event.path,
        }
        if event.attempt > 1:
            attributes["http.request.resend_count"] = event.attempt - 1
        if event.inputs is not None:
            attributes["hubspot_batch.inputs"] = event.inputs
        span = self._tracer.start_span(
            event.method, parent, kind=SpanKind.CLIENT, attributes=attributes
        )
        token = context.attach(trace.set_span_in_context(span))
        self._attempts[event.request_id] = _Attempt(span, token)

    def _answered(self, event: Answered) -> None:
        about: dict[str, Any] = {}
        if event.status_code is not None:
            about["http.response.status_code"] = event.status_code
        if event.error is not None:
            about["error.type"] = event.error
        self._requests.add(1, _about(event.operation, about))
        for name, most, left in (
            (_ALLOWANCE, event.limit, event.remaining),
            (_DAILY_ALLOWANCE, event.daily_limit, event.daily_remaining),
        ):
            if most and left is not None:
                self._used[name] = 1 - left / most
        attempt = self._attempts.pop(event.request_id, None)
        if attempt is None:
            return
        context.detach(attempt.token)
        span = attempt.span
        span.set_attributes(about)
        if event.correlation_id is not None:
            span.set_attribute("hubspot.correlation_id", event.correlation_id)
        if event.error is not None:
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def _observe(self, name: str, _: CallbackOptions) -> list[Observation]:
        return [Observation(self._used[name])] if name in self._used else []

    def _ended(self, event: RunEnded) -> None:
        span = self._run(event.run_id, event.operation)
        with self._lock:
            self._runs.pop(event.run_id, None)
        span.set_attributes({f"{_NAME}.{status}": count for status, count in event.counts.items()})
        if event.stopped not in (None, "GeneratorExit"):  # an iterator that is left has not failed
            span.set_attribute("error.type", event.stopped)
            span.set_status(Status(StatusCode.ERROR))
        span.end()


def _about(operation: str | None, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    named = {} if operation is None else {"hubspot_batch.operation": operation}
    return {**named, **(more or {})}
