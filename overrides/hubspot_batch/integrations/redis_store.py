"""Keeps a shared allowance in Redis or Valkey.

This module decides how the store is asked: one script, one round trip, and 250 ms at most. The
clients of redis-py and valkey-py have the same methods, so neither is imported here.
"""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha1
from importlib import import_module
from pathlib import Path
from typing import Any

from hubspot_batch.errors import ConfigurationError

from .allowance_rule import AllowanceReply, AllowanceRequest
from .shared_limiter import STORE_TIMEOUT, StoreLostError


@cache
def script() -> str:
    """Return the rule as a script."""
    return Path(__file__).with_name("allowance.lua").read_text("utf-8")


@cache
def _digest() -> str:
    # The name of a script in Redis (https://redis.io/docs/latest/commands/evalsha/).
    return sha1(script().encode(), usedforsecurity=False).hexdigest()


def check_client(client: Any) -> None:
    """Refuse what is no client of redis-py or valkey-py.

    Raises:
        ConfigurationError: It is none.
    """
    if _class_of(client).__name__ not in ("Redis", "Valkey"):
        raise ConfigurationError(
            "client must be a client of redis-py or valkey-py (extra `shared`) for one server, "
            f"such as redis.Redis(); got {type(client).__name__}. Without a store, use "
            "SharedAllowance.local(path)."
        )


class RedisStore:
    """One key of a Redis or Valkey.

    Args:
        client: The user's client.
        key: The name of the allowance.
    """

    def __init__(self, client: Any, key: str) -> None:
        made_from = _class_of(client)
        exceptions = import_module(f"{_library(made_from)}.exceptions")
        self._missing: type[Exception] = exceptions.NoScriptError
        self._errors: tuple[type[Exception], ...] = (
            exceptions.RedisError if hasattr(exceptions, "RedisError") else exceptions.ValkeyError,
            OSError,
            TimeoutError,
        )
        self._asynchronous = ".asyncio" in made_from.__module__
        self._client = client if self._asynchronous else _impatient(client, made_from)
        self._key = f"hubspot-batch:allowance:{key}"

    def ask(self, ask: AllowanceRequest) -> AllowanceReply:
        """Answer a process."""
        if self._asynchronous:
            raise ConfigurationError(
                "HubSpotBatch needs a SharedAllowance of a client that blocks, such as "
                "redis.Redis(); this one is asynchronous."
            )
        text = _text(ask)
        try:
            try:
                reply = self._client.evalsha(_digest(), 1, self._key, text)
            except self._missing:
                reply = self._client.eval(script(), 1, self._key, text)
        except self._errors as error:
            raise _lost(error) from None
        return AllowanceReply(*map(int, reply))

    async def aask(self, ask: AllowanceRequest) -> AllowanceReply:
        """Answer a process, in a task."""
        if not self._asynchronous:
            raise ConfigurationError(
                "AsyncHubSpotBatch needs a SharedAllowance of an asynchronous client, such as "
                "redis.asyncio.Redis(); this one blocks."
            )
        from asyncio import timeout  # noqa: PLC0415 - threads never need it

        text = _text(ask)
        try:
            async with timeout(STORE_TIMEOUT):
                try:
                    reply = await self._client.evalsha(_digest(), 1, self._key, text)
                except self._missing:
                    reply = await self._client.eval(script(), 1, self._key, text)
        except self._errors as error:
            raise _lost(error) from None
        return AllowanceReply(*map(int, reply))


def _class_of(client: Any) -> type[Any]:
    """Return the class of the library that a client is of, or inherits from; its own if none."""
    classes = type(client).__mro__
    return next((one for one in classes if _library(one) in ("redis", "valkey")), classes[0])


def _library(of_class: type[Any]) -> str:
    return of_class.__module__.partition(".")[0]


def _impatient(client: Any, made_from: type[Any]) -> Any:
    """Return a client of the same server that gives up in time, and tries once."""
    pool, library = client.connection_pool, _library(made_from)
    retry = import_module(f"{library}.retry").Retry(
        import_module(f"{library}.backoff").NoBackoff(), 0
    )
    settings = {
        **pool.connection_kwargs,
        "socket_timeout": STORE_TIMEOUT,
        "socket_connect_timeout": STORE_TIMEOUT,
        "retry": retry,
    }
    if hasattr(pool, "sentinel_manager"):  # it finds the server by its name
        settings["connection_pool"] = None
        names = ("service_name", "sentinel_manager", "is_master", "check_connection")
        settings.update({name: getattr(pool, name) for name in names})
    made = type(pool)(connection_class=pool.connection_class, **settings)
    return made_from(connection_pool=made)


def _text(ask: AllowanceRequest) -> str:
    return json.dumps(ask._asdict())


def _lost(error: Exception) -> StoreLostError:
    # The text of an error can hold the server's address; it holds no password.
    return StoreLostError(f"the store ({type(error).__name__}: {error})")
