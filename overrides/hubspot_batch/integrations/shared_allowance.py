"""`SharedAllowance`, which several processes give to their clients as `rate_limit`.

This module decides where the allowance is kept: in a Redis or Valkey that the user has, or in a
file.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from hubspot_batch.options import DEFAULT_RATE_LIMIT, SYSTEM_CLOCK, Clock, RateLimit, check, wrong

if TYPE_CHECKING:
    from .shared_limiter import OnLost, SharedLimiter


class SharedAllowance:
    """One rate limit for all processes that name the same key in the same store.

    A request asks the store once for a start, and the first to ask is the first to send. All
    processes together stay below the account's limit, and leave to other programs what they use.
    A 429 that one of them gets makes all of them wait.

    ```python
    allowance = SharedAllowance(redis.Redis(host="redis.internal"), key="account 123")
    with HubSpotBatch(rate_limit=allowance) as hubspot:
        hubspot.calls.create(rows)
    ```

    Args:
        client: A client of redis-py or valkey-py; for `AsyncHubSpotBatch` an asynchronous one.
        key: The name of the allowance: one for each app (token) and account.
        limit: The limit until the first response tells the account's, as for one process.
        on_lost: What happens while the store does not answer within 250 ms. With `share`, each
            process takes its share of what the processes last known may use, and asks the store
            again every second. With `stop`, the run stops with `UnreachableError`. It also stops if
            the store never answered.

    Raises:
        ConfigurationError: An argument is wrong.
    """

    def __init__(
        self,
        client: Any,
        *,
        key: str,
        limit: RateLimit = DEFAULT_RATE_LIMIT,
        on_lost: OnLost = "share",
    ) -> None:
        from .redis_store import RedisStore, check_client  # noqa: PLC0415 - only where it is used

        check_client(client)
        self._set(partial(RedisStore, client), key, limit, on_lost)

    @classmethod
    def local(
        cls,
        path: str | os.PathLike[str],
        *,
        key: str = "hubspot",
        limit: RateLimit = DEFAULT_RATE_LIMIT,
        on_lost: OnLost = "share",
        clock: Clock = SYSTEM_CLOCK,
    ) -> Self:
        """Return an allowance for the processes of this machine, in a file.

        Args:
            path: The file, on a disk of this machine; it is made if there is none.
            key: The name of the allowance in it.
            limit: As for a store.
            on_lost: As for a store.
            clock: The clock, for tests that must not wait.
        """
        from .local_store import LocalStore  # noqa: PLC0415 - only where it is used

        check("path", path, str | os.PathLike, "the path of a file")
        check("clock", clock, Clock, "a Clock(now, sleep, asleep)")
        made = cls.__new__(cls)
        name = os.fspath(path)
        made._set(partial(LocalStore, name, clock=clock), key, limit, on_lost)
        return made

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs to have the same allowance.

        Raises:
            TypeError: It is kept in a store, and the connections of a client cannot be pickled.
        """
        if not isinstance(self._store.args[0], str):
            raise TypeError(
                "A SharedAllowance of a client cannot be pickled, because the client's connections "
                "belong to this process. Make it in each process, with the same key."
            )
        return self.__dict__

    def _set(self, store: partial[Any], key: str, limit: RateLimit, on_lost: OnLost) -> None:
        check("key", key, str, "a text, the same in all processes")
        check("limit", limit, RateLimit, "a RateLimit, such as RateLimit(100, 10)")
        if on_lost not in ("share", "stop"):
            raise wrong("on_lost", '"share" or "stop"', on_lost)
        self._store = store
        self._key = key
        self._limit = limit
        self._on_lost: OnLost = on_lost

    @property
    def seconds(self) -> float:
        """The length of the window that is known before a response tells it."""
        return self._limit.seconds

    def limiter(self, daily_reserve: int | None) -> SharedLimiter:
        """Return the rate limiter of one process; a client calls this."""
        from .shared_limiter import SharedLimiter  # noqa: PLC0415 - only where it is used

        return SharedLimiter(self._store(self._key), self._limit, daily_reserve, self._on_lost)

    def searches(self, limit: RateLimit) -> SharedLimiter:
        """Return the rate limiter of the searches of one process; a client calls this.

        HubSpot counts searches apart, so they have a key of their own
        (https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm).

        Args:
            limit: How many searches all processes may make together.
        """
        from .shared_limiter import SharedLimiter  # noqa: PLC0415 - only where it is used

        return SharedLimiter(self._store(f"{self._key}:searches"), limit, None, self._on_lost)
