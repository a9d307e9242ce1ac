"""Reads the way to HubSpot from arguments or the environment: a proxy, and certificates to trust.

This module decides which proxy is used, and that a value that cannot be used is named by its
variable or argument. A proxy's address can hold a password, so no message, repr or traceback shows
it.
"""

from __future__ import annotations

import os
import re
import ssl
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import httpx

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.options import ClientOptions, proxy_for, without_password

if TYPE_CHECKING:
    import httpcore

_HOST = re.compile(r"[\w.:%-]+")
_NOT_IN_ADDRESSES = re.compile(r"[\s\x00-\x1f\x7f]")
_ARGUMENT = "proxy"
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")


class Proxy:
    """A proxy. Its address is shown without user and password.

    Args:
        url: Its address.
        variable: The environment's variable that names it, or another place.

    Attributes:
        address: Its address without user and password, for people.
        variable: As given.

    Raises:
        ConfigurationError: The certificates for it cannot be read.
    """

    __slots__ = ("_context", "_url", "address", "variable")

    def __init__(self, url: httpx.URL, variable: str) -> None:
        self._url = url
        self.address = without_password(str(url))
        self.variable = variable
        # Not that of the server: it tells when TLS to the server has begun.
        self._context = certificates("https:") if url.scheme == "https" else None

    def __repr__(self) -> str:
        return f"<Proxy {self.address}>"

    @property
    def source(self) -> str:
        """The name of what names it, for a sentence."""
        return "the argument proxy" if self.variable == _ARGUMENT else self.variable

    def for_httpcore(self) -> httpcore.Proxy:
        """Return it as httpcore wants it."""
        import httpcore  # noqa: PLC0415 - it is large, and needed for the first connection

        url = self._url
        named = url.username or url.password
        return httpcore.Proxy(
            httpcore.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            auth=(url.username.encode(), url.password.encode()) if named else None,
            ssl_context=self._context,
        )


class _Given:
    """The text in a variable, before it is known to be an address; no repr shows it."""

    __slots__ = ("text", "variable")

    def __init__(self, text: str, variable: str) -> None:
        self.text = text
        self.variable = variable

    def read(self) -> Proxy | str:
        """Return the proxy, or what is wrong with the text."""
        if _NOT_IN_ADDRESSES.search(self.text):
            return "has a blank or a control character in it; write it like http://host:port"
        try:
            url = httpx.URL(self.text)
        except (httpx.InvalidURL, ValueError):
            return "is not the address of a proxy; write it like http://host:port"
        if url.scheme not in ("http", "https", "socks5", "socks5h"):
            return "names no kind of proxy that is known here; write it like http://host:port"
        if not _HOST.fullmatch(url.host) or ".." in url.host:
            return "does not name a host; write it like http://host:port"
        if url.port is not None and not 0 < url.port < 65536:
            return "has a port that is not from 1 to 65535"
        if url.scheme.startswith("socks") and find_spec("socksio") is None:
            return 'names a SOCKS proxy, which needs another package: pip install "httpx[socks]"'
        return Proxy(url, self.variable)


class Route(NamedTuple):
    """The way to an address.

    Attributes:
        proxy: The proxy; None without one.
        context: The TLS settings; None for plain http.
    """

    proxy: Proxy | None
    context: ssl.SSLContext | None


def route_to(options: ClientOptions) -> Route:
    """Return the way to the address of a client, as its options or the environment name it.

    Raises:
        ConfigurationError: They name a proxy or certificates that cannot be used.
    """
    proxy, verify = options.proxy, options.verify
    found = proxy_of(options.base_url, proxy) if proxy is not False else None
    if isinstance(verify, ssl.SSLContext) and options.base_url.startswith("https:"):
        return Route(found, verify)
    file = None if isinstance(verify, bool | ssl.SSLContext) else os.fspath(verify)
    return Route(found, certificates(options.base_url, file))


def proxy_of(base_url: str, named: str | None = None) -> Proxy | None:
    """Return the proxy for an address: the named one, or else the environment's, as in httpx.

    Raises:
        ConfigurationError: It is no proxy's address.
    """
    given = _given(base_url) if named is None else _Given(named, _ARGUMENT)
    if given is None:
        return None
    proxy = given.read()
    if isinstance(proxy, str):
        raise ConfigurationError(f"{given.variable} {proxy}.")
    return proxy


def _given(base_url: str) -> _Given | None:
    text = proxy_for(base_url)
    if text is None:
        return None
    names = (f"{base_url.partition(':')[0]}_proxy", "all_proxy")
    variables = [
        name
        for name, value in os.environ.items()
        if name.lower() in names and value in (text, text.removeprefix("http://"))
    ]
    return _Given(text, min(variables, default="the system's proxy settings"))


def certificates(base_url: str, named: str | None = None) -> ssl.SSLContext | None:
    """Return the TLS settings for an address, with the named certificates or the environment's.

    None for plain http.

    Raises:
        ConfigurationError: They cannot be read.
    """
    if not base_url.startswith("https:"):
        return None
    if named == "":  # OpenSSL would trust the system's certificates
        raise ConfigurationError("verify is empty; leave it out, or name what to trust.")
    file, folder = (os.environ.get(name) for name in _CERTIFICATES[:2])
    try:
        if named is not None:
            if Path(named).is_dir():
                return ssl.create_default_context(capath=named)
            return ssl.create_default_context(cafile=named)
        # Some versions of httpx leave out a file that does not exist, and trust others instead.
        if file:
            return ssl.create_default_context(cafile=file)
        if folder:
            next(Path(folder).iterdir(), None)  # OpenSSL would only miss each certificate
            return ssl.create_default_context(capath=folder)
        return httpx.create_ssl_context()
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        known = [name for name in _CERTIFICATES if os.environ.get(name)]
        exact = [name for name in known if os.environ[name] == getattr(error, "filename", None)]
        which = "verify" if named is not None else "".join((exact or known)[:1])
        raise ConfigurationError(
            f"{which or 'The file of trusted certificates'} cannot be "
            f"used ({type(error).__name__}): name what exists, can be read and is of this kind."
        ) from error
