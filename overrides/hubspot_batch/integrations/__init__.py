"""Connections of a client with other programs.

`shared_allowance` lets several processes share the rate limit of one account. `otel` makes spans
and metrics of events, and needs the extra of that name.
"""

from .shared_allowance import SharedAllowance

__all__ = ["SharedAllowance"]
