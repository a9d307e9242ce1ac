"""What the server said about a whole request, and whether it ends the run.

This module decides what each HTTP status means for a request. It never decides what becomes of a
single input.
"""

from __future__ import annotations

from attrs import frozen

from .errors import (
    AuthenticationError,
    DailyLimitError,
    HubSpotBatchError,
    MissingScopesError,
    RateLimitError,
    UnavailableError,
)
from .outcomes import OutcomeError
from .ties import Found, Refusal

# Failures of the server after which nothing has been carried out: what it does not implement, and
# what the edge could not even hand on to it (HubSpot, error handling).
_NOT_DONE = frozenset({501, 505, 522, 525, 526, 530})

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


@frozen
class Answer:
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
    results: tuple[Found, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    daily: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the server says that it carried out the request, or a part of it.

        Any 2xx says so: HubSpot has changed the exact code of an endpoint overnight (HubSpot,
        developer changelog).
        """
        return 200 <= self.status_code <= 299

    @property
    def maybe_done(self) -> bool:
        """Whether the request may have been carried out, with an answer that does not say so."""
        if self.status_code == 303:
            return True  # "See other" is what a server says when it is done.
        return self.accepted or (self.status_code >= 500 and self.status_code not in _NOT_DONE)

    def stop(self, operation_id: str) -> HubSpotBatchError | None:
        """Return what ends the run, or None where it goes on."""
        if self.status_code not in _STOPS:
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
