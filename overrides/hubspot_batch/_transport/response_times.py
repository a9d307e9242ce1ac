"""How long responses usually take, to notice a request that arrived late.

This module decides by how much a request may have arrived after its start. A network that resends a
packet, or a machine that stands still, delays requests. The server counts them when they arrive,
so a limiter must count them then, too.
"""

from __future__ import annotations

IDLE = 1.0
"""Seconds without a response after which a request may have to open a connection first."""

# Seconds of delay that are never noticed: limiters keep such a margin.
_IGNORED = 0.05
# The weights of a new response, and how many deviations are usual: those by which TCP decides that
# a packet is lost (https://www.rfc-editor.org/rfc/rfc6298#section-2).
_MEAN_WEIGHT, _DEVIATION_WEIGHT, _USUAL = 1 / 8, 1 / 4, 4


class ResponseTimes:
    """The usual time of a response, as a mean and a mean deviation."""

    def __init__(self) -> None:
        self._mean = -1.0
        self._deviation = 0.0

    def delay(self, seconds: float) -> float:
        """Note how long a response took; return how much longer that was than usual, in seconds.

        0 if the time is usual, or if no other response is known.
        """
        if self._mean < 0:
            self._mean, self._deviation = seconds, seconds / 2
            return 0.0
        excess = seconds - self._mean
        is_usual = excess <= _IGNORED or excess <= _USUAL * self._deviation
        self._mean += excess * _MEAN_WEIGHT
        self._deviation += (abs(excess) - self._deviation) * _DEVIATION_WEIGHT
        return 0.0 if is_usual else excess
