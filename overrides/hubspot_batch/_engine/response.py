"""The response to a chunk in the engine's terms, and whether it ends the run.

This module decides with which error and message a run ends. The meaning of a status is decided in
`_transport.retry`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hubspot_batch._matching.items import ItemError, Results
from hubspot_batch._transport.retry import Disposition
from hubspot_batch.errors import (
    AuthenticationError,
    DailyLimitError,
    HubSpotBatchError,
    MissingScopesError,
    RateLimitError,
    UnavailableError,
)
from hubspot_batch.outcomes import OutcomeError

_STOPS: dict[int, tuple[type[HubSpotBatchError], str]] = {
    401: (AuthenticationError, "HubSpot does not accept the token; check it, or get a new one"),
    403: (MissingScopesError, "The token may not do this; give its app the scope that is missing"),
    423: (UnavailableError, "HubSpot has locked the records for now; try again later"),
    429: (RateLimitError, "HubSpot refuses more requests for now; try again later"),
    477: (UnavailableError, "HubSpot is moving the account; try again later"),
}
_DAILY = (
    DailyLimitError,
    "The account's requests for the day are spent; go on after midnight in its time zone",
)


class BatchResponse(NamedTuple):
    """The parsed response to a chunk.

    Attributes:
        status_code: Its HTTP status.
        disposition: Its meaning for the request.
        error: What it says of the whole request, where it was refused.
        results: The results that it reports.
        errors: The errors that it reports for single inputs.
        daily: Whether it says that the limit of the day is reached.
    """

    status_code: int
    disposition: Disposition
    error: OutcomeError
    results: Results = Results()
    errors: tuple[ItemError, ...] = ()
    daily: bool = False

    def stop(self, operation_id: str) -> HubSpotBatchError | None:
        """Return the error that ends the run; None if the run goes on."""
        if not self.disposition.ends_run:
            return None
        kind, advice = (
            _DAILY if self.daily and self.status_code == 429 else _STOPS[self.status_code]
        )
        words = self.error.message.rstrip(".")
        for name, values in self.error.context.items():
            if "scope" in name.lower():  # HubSpot names them under several keys
                words += f"; {name}: {', '.join(values)}"
        return kind(
            f"{advice} ({operation_id}, HTTP {self.status_code}: {words}).",
            status_code=self.status_code,
            correlation_id=self.error.correlation_id,
        )

    def silence(self, unattributed: Sequence[OutcomeError], *, reads: bool) -> OutcomeError:
        """Return the error of an input that a success does not mention.

        Args:
            unattributed: Errors that it reports without naming an input.
            reads: Whether records were asked for.
        """
        kind, message = (
            ("not_returned", "The answer does not hold this record.")
            if reads
            else ("not_mentioned", "The answer does not mention this input; it may have been done.")
        )
        if unattributed:
            errors = "; ".join(dict.fromkeys(error.message for error in unattributed))
            message += f" Of inputs that it does not name it says: {errors}"
        return OutcomeError(
            kind, message, correlation_id=self.error.correlation_id, status_code=self.status_code
        )
