# Handwritten; "make regenerate" copies this module into generated/hubspot_batch_client.
"""The clients that endpoint functions send their requests with.

No repr and no exception shows a token, a header or a cookie.
"""

import os
import ssl
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import TracebackType
from typing import Any, Self, cast

import httpx
from attrs import define, evolve, field

_ANY_PROCESS = 0  # the id of no process


@lru_cache(maxsize=64)
def address(base: httpx.URL, path: str, path_of: Callable[[str], str] | None = None) -> httpx.URL:
    """Return the address to which httpx would send a request for this path.

    It is remembered: joining address and path takes httpx a third of the time of a request.
    """
    relative = httpx.URL(path if path_of is None else path_of(path))
    if base.is_relative_url:
        return relative
    return base.copy_with(raw_path=base.raw_path + relative.raw_path.lstrip(b"/"))


def _check_values(_: object, attribute: Any, values: Any) -> None:
    """Refuse what no header can carry; the exception of httpx would show the value."""
    if not isinstance(values, Mapping):
        values = {attribute.alias: values}
    for name, value in cast("Mapping[Any, Any]", values).items():
        if not (isinstance(value, str) and value.isascii() and value.isprintable()) or (
            value != value.strip()
        ):
            raise ValueError(
                f"{name} is not what an HTTP header can carry: "
                "text of printable ASCII characters, without spaces around it."
            )


@define
class Client:
    """Where and how to send requests. Each process makes its httpx clients on first use.

    Args:
        base_url: The address that the paths of the endpoints are added to.
        cookies: Cookies of every request.
        headers: Headers of every request.
        timeout: How long a request may take; None for no limit.
        verify_ssl: Whether to check certificates, or what to check them against.
        follow_redirects: Whether to follow redirects.
        httpx_args: Further arguments for `httpx.Client` and `httpx.AsyncClient`.
        path_of: Given the path that an endpoint function names, returns the path to send to, such
            as that of another version of the API. It is asked once for each path.

    Raises:
        ValueError: A header or a cookie has a value that cannot be sent; the value is not shown.
    """

    # Headers, cookies and further arguments can hold secrets, so the repr leaves them out.
    _base_url: str = field(alias="base_url")
    _cookies: dict[str, str] = field(
        factory=dict[str, str], kw_only=True, alias="cookies", repr=False, validator=_check_values
    )
    _headers: dict[str, str] = field(
        factory=dict[str, str], kw_only=True, alias="headers", repr=False, validator=_check_values
    )
    _timeout: httpx.Timeout | None = field(default=None, kw_only=True, alias="timeout")
    _verify_ssl: str | bool | ssl.SSLContext = field(default=True, kw_only=True, alias="verify_ssl")
    _follow_redirects: bool = field(default=False, kw_only=True, alias="follow_redirects")
    _httpx_args: dict[str, Any] = field(
        factory=dict[str, Any], kw_only=True, alias="httpx_args", repr=False
    )
    _path_of: Callable[[str], str] | None = field(
        default=None, kw_only=True, alias="path_of", repr=False
    )
    # With the process that it belongs to: a fork copies it, with its connections and its locks. One
    # that the user has set may be used in any process.
    _client: tuple[int, httpx.Client] | None = field(default=None, init=False, repr=False, eq=False)
    _async_client: tuple[int, httpx.AsyncClient] | None = field(
        default=None, init=False, repr=False, eq=False
    )

    def with_headers(self, headers: dict[str, str]) -> Self:
        """Return a copy that also sends these headers."""
        return evolve(self, headers={**self._headers, **headers})

    def with_cookies(self, cookies: dict[str, str]) -> Self:
        """Return a copy that also sends these cookies."""
        return evolve(self, cookies={**self._cookies, **cookies})

    def with_timeout(self, timeout: httpx.Timeout) -> Self:
        """Return a copy with another timeout."""
        return evolve(self, timeout=timeout)

    def _request_headers(self) -> dict[str, str]:
        return dict(self._headers)

    def _arguments(self) -> dict[str, Any]:
        return {
            "base_url": self._base_url,
            "cookies": self._cookies,
            "headers": self._request_headers(),
            "timeout": self._timeout,
            "verify": self._verify_ssl,
            "follow_redirects": self._follow_redirects,
            **self._httpx_args,
        }

    def set_httpx_client(self, client: httpx.Client) -> Self:
        """Send with this httpx client instead of an own one; return this object."""
        self._client = _ANY_PROCESS, client
        return self

    def get_httpx_client(self) -> httpx.Client:
        """Return the httpx client; make it if there is none yet in this process."""
        if self._client is None or self._client[0] not in (os.getpid(), _ANY_PROCESS):
            self._client = os.getpid(), httpx.Client(**self._arguments())
        return self._client[1]

    def set_async_httpx_client(self, async_client: httpx.AsyncClient) -> Self:
        """Send with this asynchronous httpx client instead of an own one; return this object."""
        self._async_client = _ANY_PROCESS, async_client
        return self

    def get_async_httpx_client(self) -> httpx.AsyncClient:
        """Return the asynchronous httpx client; make it if there is none yet in this process."""
        if self._async_client is None or self._async_client[0] not in (os.getpid(), _ANY_PROCESS):
            self._async_client = os.getpid(), httpx.AsyncClient(**self._arguments())
        return self._async_client[1]

    def send(self, *, url: str, **request: Any) -> httpx.Response:
        """Send a request to a path and return the response with its body.

        Args:
            url: The path, which is added to the base URL.
            request: The other arguments of `httpx.Client.build_request`.
        """
        http = self.get_httpx_client()
        return http.send(
            http.build_request(url=address(http.base_url, url, self._path_of), **request)
        )

    async def asend(self, *, url: str, **request: Any) -> httpx.Response:
        """Do as `send`, asynchronously."""
        http = self.get_async_httpx_client()
        return await http.send(
            http.build_request(url=address(http.base_url, url, self._path_of), **request)
        )

    def __enter__(self) -> Self:
        self.get_httpx_client().__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.get_httpx_client().__exit__(exc_type, exc_value, traceback)

    async def __aenter__(self) -> Self:
        await self.get_async_httpx_client().__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.get_async_httpx_client().__aexit__(exc_type, exc_value, traceback)


@define
class AuthenticatedClient(Client):
    """A client that sends a token.

    Args:
        token: The token. No repr shows it.
        prefix: The word before the token in the header; empty for none.
        auth_header_name: The name of that header.

    Raises:
        ValueError: The token, a header or a cookie cannot be sent; its value is not shown.
    """

    token: str = field(kw_only=True, repr=False, validator=_check_values)
    prefix: str = field(default="Bearer", kw_only=True)
    auth_header_name: str = field(default="Authorization", kw_only=True)

    def _request_headers(self) -> dict[str, str]:
        value = f"{self.prefix} {self.token}" if self.prefix else self.token
        return {**self._headers, self.auth_header_name: value}
