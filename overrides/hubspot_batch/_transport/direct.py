"""Sends the requests of runs straight to the transport.

This module decides nothing. What an httpx client does besides (cookies, redirects, authentication,
hooks) is not for these requests, and takes as long as all that is decided about them.
"""

from __future__ import annotations

import logging
from typing import Any

import httpx
from attrs import define, field

from hubspot_batch._operations.registry import Client, address

from .transport import Transport

_log = logging.getLogger("hubspot_batch")


@define
class DirectClient(Client):
    """A generated client that sends to a transport.

    Args:
        raw: The one whose httpx client has the address, the headers and the time limit.
        transport: Where to send.
    """

    _raw: Client = field(kw_only=True, alias="raw", repr=False)
    _transport: Transport = field(kw_only=True, alias="transport", repr=False)

    def send(self, *, url: str, **request: Any) -> httpx.Response:
        """Send a request to a path, and return the answer with its body."""
        made = _made(self._raw.get_httpx_client(), url, **request)
        try:
            return _noted(made, self._transport.handle_request(made))
        except httpx.RequestError as error:
            error.request = made
            raise

    async def asend(self, *, url: str, **request: Any) -> httpx.Response:
        """Do as `send`, asynchronously."""
        made = _made(self._raw.get_async_httpx_client(), url, **request)
        try:
            return _noted(made, await self._transport.handle_async_request(made))
        except httpx.RequestError as error:
            error.request = made
            raise


def _made(
    http: httpx.Client | httpx.AsyncClient,
    url: str,
    *,
    method: str,
    content: bytes,
    headers: dict[str, str],
    params: dict[str, Any] | None = None,
) -> httpx.Request:
    all_headers = httpx.Headers(http.headers)
    all_headers.update(headers)
    extensions = {"timeout": http.timeout.as_dict()}
    return httpx.Request(
        *(method, address(http.base_url, url)),
        params=params,
        headers=all_headers,
        content=content,
        extensions=extensions,
    )


def _noted(request: httpx.Request, response: httpx.Response) -> httpx.Response:
    _log.debug("%s %s: HTTP %d", request.method, request.url.path, response.status_code)
    return response
