"""What the server said about a whole request, and whether it ends the run.

This module decides with which words a run ends. It never decides what becomes of a single input;
what a status means is `policies`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hubspot_batch._matching.items import Refusal, Results
from hubspot_batch._transport.retry import Rule, rule_for
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


class Answer(NamedTuple):
    """An HTTP answer, read.

    Attributes:
        status_code: Its status.
        readable: Whether its body was a JSON object.
        results: What it reports as done.
        refusals: What it reports as refused, where it reports results at all.
        error: What it says of the whole request, where it was refused.
        daily: Whether it says that the allowance of the day is spent.
    """

    status_code: int
    readable: bool
    error: OutcomeError
    results: Results = Results()
    refusals: tuple[Refusal, ...] = ()
    daily: bool = False

    @property
    def rule(self) -> Rule:
        """What it means for the request."""
        return rule_for(self.status_code, readable=self.readable, daily=self.daily)

    def stop(self, operation_id: str) -> HubSpotBatchError | None:
        """Return what ends the run, or None where it goes on."""
        if not self.rule.ends_run:
            return None
        daily = self.status_code == 429 and self.daily
        kind, what = _DAILY if daily else _STOPS[self.status_code]
        words = self.error.message.rstrip(".")
        for name, values in self.error.context.items():
            if "scope" in name.lower():  # HubSpot names them under several keys.
                words += f"; {name}: {', '.join(values)}"
        return kind(
            f"{what} ({operation_id}, HTTP {self.status_code}: {words}).",
            status_code=self.status_code,
            correlation_id=self.error.correlation_id,
        )

    def silence(self, unattributed: Sequence[OutcomeError], *, reads: bool) -> OutcomeError:
        """Return what it means for an input that a success says nothing of it.

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
