"""The use of the rate limit, counted over all clients of a sandbox.

The module decides what is counted: each request that arrived, with the 429s. HubSpot does not count
the latter, but they show that clients together sent too much.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from attrs import frozen


@frozen
class Arrival:
    """A request that arrived: when, from which address, and whether it was refused (429)."""

    at: float
    client: str
    refused: bool


@frozen
class ClientUsage:
    """The requests of one address.

    `worst` is the largest number of requests in any window.
    """

    client: str
    requests: int
    refused: int
    worst: int


@frozen
class TokenUsage:
    """The requests of one token.

    `worst` is the largest number of requests in any window, `used` the part of the limit that
    accepted requests used after the first window (None if nothing came after it), and `clients` has
    each address, the busiest first.
    """

    limit: tuple[int, float]
    requests: int
    refused: int
    seconds: float
    worst: int
    used: float | None
    clients: tuple[ClientUsage, ...]

    def lines(self) -> Iterable[str]:
        """Yield it in words: a line for the token, then one for each address."""
        most, window = self.limit
        used = "" if self.used is None else f", {self.used:.1%} of the limit used after the first"
        yield (
            f"{self.requests:,} requests in {self.seconds:,.1f} s, {self.refused:,} refused (429), "
            f"worst window {self.worst:,} of {most:,} in {window:g} s{used}"
        )
        for one in self.clients:
            yield (
                f"  {one.client or 'unknown address'}: {one.requests:,} requests "
                f"({one.requests / self.requests:.1%}), {one.refused:,} refused, "
                f"worst window {one.worst:,}"
            )


def usage_of(arrivals: Sequence[Arrival], limit: tuple[int, float]) -> TokenUsage:
    """Count the requests of one token, which are in order of arrival."""
    requests, window = limit
    first, last = arrivals[0].at, arrivals[-1].at
    by_client: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        by_client[arrival.client].append(arrival)
    later = sum(not one.refused for one in arrivals if one.at >= first + window)
    after = last - (first + window)
    clients = [
        ClientUsage(name, len(own), _refused(own), worst_window(own, window))
        for name, own in by_client.items()
    ]
    return TokenUsage(
        limit=limit,
        requests=len(arrivals),
        refused=_refused(arrivals),
        seconds=last - first,
        worst=worst_window(arrivals, window),
        used=later / (requests * after / window) if after > 0 else None,
        clients=tuple(sorted(clients, key=lambda one: -one.requests)),
    )


def worst_window(arrivals: Sequence[Arrival], seconds: float) -> int:
    """Return the most arrivals that lie within less than `seconds`."""
    worst = first = 0
    for number, arrival in enumerate(arrivals):
        while arrival.at - arrivals[first].at >= seconds:
            first += 1
        worst = max(worst, number - first + 1)
    return worst


def _refused(arrivals: Sequence[Arrival]) -> int:
    return sum(one.refused for one in arrivals)
