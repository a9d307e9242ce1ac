"""The outcomes of a chunk that the server carried out, as a whole or in part.

This module decides the outcome of each input of such a chunk. `_matching` decides which result and
which error belongs to which input.
"""

from __future__ import annotations

from typing import TypeVar

from attrs import evolve

from hubspot_batch._matching.match import match
from hubspot_batch.outcomes import Outcome, OutcomeError, OutcomeStatus

from .chunk import BatchResponse, Chunk, Operation

ResultT = TypeVar("ResultT")


def not_known(operation: Operation[ResultT]) -> OutcomeStatus:
    """Return the status of an input without a result or an error. A read is never in doubt."""
    return OutcomeStatus.FAILED if operation.reads else OutcomeStatus.UNKNOWN


def outcomes_of_success(
    operation: Operation[ResultT], chunk: Chunk, response: BatchResponse
) -> tuple[list[Outcome[ResultT]], list[ResultT]]:
    """Return the outcomes of a chunk, and its unmatched results."""
    reads, entries = operation.reads, chunk.entries
    matches = match(
        entries,
        response.results,
        response.errors,
        shared=reads,
        by_properties=operation.by_properties,
        repeated=None if response.complete else operation.repeated,
        named_by=operation.named_by,
        keys_in_messages=reads,
    )
    done, refused = matches.done, matches.refused
    succeeded = OutcomeStatus.SUCCEEDED
    if len(done) == len(entries):  # usually
        found = [
            Outcome(one.index, one.input, succeeded, done[at]) for at, one in enumerate(entries)
        ]
        return found, matches.unmatched
    not_mentioned: OutcomeError | None = None
    if len(done) + len(refused) < len(entries):
        not_mentioned = chunk.dated(response.not_mentioned_error(matches.unattributed, reads=reads))
    outcomes: list[Outcome[ResultT]] = []
    marks_of = operation.marks_of
    for position, entry in enumerate(entries):
        status, result, error = succeeded, None, None
        if position in done:
            result = done[position]
        elif position in refused:
            error, in_doubt = chunk.refused_alone(refused[position], operation)
            status = not_known(operation) if in_doubt else OutcomeStatus.FAILED
            error = chunk.dated(error) if in_doubt else error
        else:
            status, error = not_known(operation), not_mentioned
        if error is not None and marks_of is not None:
            error = evolve(error, marks=marks_of(entry))
        outcomes.append(Outcome(entry.index, entry.input, status, result, error))
    return outcomes, matches.unmatched
