"""Connections of a client with other programs.

`shared_allowance` lets several processes share the rate limit of one account.
"""

from .shared_allowance import SharedAllowance

__all__ = ["SharedAllowance"]
