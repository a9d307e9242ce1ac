"""Reads what the generated functions return, in the engine's terms.

This module decides what in an answer is a result, what is an error, and what each of them names. It
never decides whose they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from hubspot_batch_client import models
from hubspot_batch_client.types import Model, Response

from hubspot_batch._engine.response import Answer
from hubspot_batch._json import is_map, items_of, names_of, text_of
from hubspot_batch._matching.items import Refusal, Results
from hubspot_batch._matching.keys import TRACE_ID, Names
from hubspot_batch.outcomes import OutcomeError, freeze_context

# The attribute of a result that repeats a trace id.
TRACE_IDS = "object_write_trace_id"


class Ties(NamedTuple):
    """What ties results and errors to inputs.

    Attributes:
        result_key: The attribute of a result that repeats an input's key, if any.
        id_key: The attribute that holds the record's id, where that is another one.
        error_keys: The names under which an error's context lists keys.
    """

    result_key: str | None
    id_key: str | None
    error_keys: tuple[str, ...]


def read_reply(response: Response[Any], ties: Ties, names: Names | None) -> Answer:
    """Return what an answer says.

    Args:
        response: The answer.
        ties: What ties what it says to inputs.
        names: What tells the inputs apart, where their ids need not be those of records.
    """
    parsed = response.parsed
    status = response.status_code
    error = _whole_error(response)
    if parsed is None or isinstance(parsed, models.ApiError):
        daily = isinstance(parsed, models.ApiError) and parsed.policy_name == "DAILY"
        return Answer(status, readable=False, error=error, daily=daily)
    results = _results(items_of(parsed.results), ties, names)
    refusals = (*_refusals(parsed, error, ties, names),)
    return Answer(status, readable=True, error=error, results=results, refusals=refusals)


def _results(values: list[Any], ties: Ties, names: Names | None) -> Results:
    # What is no record has no such attributes.
    if names is not None:
        ids, traces = names_of(values, "id"), names_of(values, TRACE_IDS)
        found = zip(ids, traces, map(_properties_of, values), strict=True)
        return Results(values, ids, [names.of_result(*one) for one in found], _properties_of)
    keys: Sequence[str | None] = [None] * len(values)
    if ties.result_key:
        keys = names_of(values, ties.result_key)
    records = names_of(values, ties.id_key) if ties.id_key else keys
    return Results(values, records, keys, _properties_of)


def _properties_of(value: Any) -> dict[str, Any]:
    properties = getattr(value, "properties", None)
    return properties if is_map(properties) else {}


def _refusals(
    parsed: Any, whole: OutcomeError, ties: Ties, names: Names | None
) -> Iterator[Refusal]:
    """Yield what the answer reports as refused, also where it does not say what."""
    items = items_of(parsed.errors)
    for item in items:
        known = isinstance(item, models.BatchError)
        yield _refusal(item, whole, ties, names) if known else _nameless(whole)
    odd = parsed.errors and not items
    more = isinstance(parsed.num_errors, int) and parsed.num_errors > len(items)
    if odd or more or "message" in parsed:
        yield _nameless(whole)


def _refusal(
    item: models.BatchError, whole: OutcomeError, ties: Ties, names: Names | None
) -> Refusal:
    context = freeze_context(item.context)
    error = OutcomeError(
        "refused",
        text_of(item.message) or "HubSpot refused this input without a reason.",
        category=text_of(item.category),
        sub_category=text_of(item.sub_category),
        context=context,
        correlation_id=whole.correlation_id,
        status_code=whole.status_code,
    )
    keys = frozenset(key for name in ties.error_keys for key in context.get(name, ()))
    if names is not None:
        keys = names.of_error(keys, context.get(TRACE_ID, ()))
    return Refusal(error, keys)


def _nameless(whole: OutcomeError) -> Refusal:
    """Return a refusal of which nothing is known but what the answer says as a whole."""
    return Refusal(whole, frozenset())


def _whole_error(response: Response[Any]) -> OutcomeError:
    """Return what an answer would mean as the error of the whole request."""
    status = response.status_code
    header = response.headers.get("X-HubSpot-Correlation-Id")
    parsed = response.parsed
    kind = "refused" if 300 <= status <= 499 else "server_error"
    if isinstance(parsed, Model) and not isinstance(parsed, models.ApiError):
        # A success that says something besides, such as why it did nothing.
        message = text_of(parsed.additional_properties.get("message")) or "something was refused"
        return OutcomeError(kind, message, correlation_id=header, status_code=status)
    if not isinstance(parsed, models.ApiError):
        message = f"HubSpot answered HTTP {status} with a body that is not a JSON object."
        return OutcomeError(kind, message, correlation_id=header, status_code=status)
    context = dict(freeze_context(parsed.context))
    for detail in items_of(parsed.errors):
        if isinstance(detail, models.ErrorDetail):
            context = {**freeze_context(detail.context), **context}
    return OutcomeError(
        kind,
        text_of(parsed.message) or f"HubSpot answered HTTP {status} without a reason.",
        category=text_of(parsed.category),
        sub_category=text_of(parsed.sub_category),
        context=context,
        correlation_id=text_of(parsed.correlation_id) or header,
        status_code=status,
    )
