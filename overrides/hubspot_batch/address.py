"""Where requests go: the base URL and the proxy on the way.

This module decides whether a token may be sent to an address. It never connects to it.
"""

from __future__ import annotations

import ipaddress
import re
import urllib.request

import httpx

from .errors import ConfigurationError

_HOST = re.compile(r"[\w.:%-]+")

DEFAULT_BASE_URL = "https://api.hubapi.com"


def read_base_url(text: str) -> str:
    """Return a base URL that a token may be sent to.

    Plain http would show the token to everyone on the way, so it is refused except on loopback.

    Raises:
        ConfigurationError: The text is no such address.
    """
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, TypeError):
        raise ConfigurationError("base_url is not a URL; it looks like https://host.") from None
    if url.userinfo or "?" in text or "#" in text:
        raise ConfigurationError(
            "base_url holds more than an address (a user, a query or a fragment); "
            "it looks like https://host."
        )
    if url.scheme not in ("http", "https") or not _HOST.fullmatch(url.host):
        # It is not repeated: who has mixed up the arguments has put the token here.
        raise ConfigurationError("base_url is not an address; it looks like https://host.")
    if url.scheme == "http" and not is_loopback(url.host):
        raise ConfigurationError(
            f"base_url is {text!r}, but the token is only sent over https "
            "(or over http to this machine itself)."
        )
    return str(url).rstrip("/")


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def proxy_for(base_url: str) -> str | None:
    """Return the proxy that the environment names for an address, as httpx itself would use it.

    httpx looks at the environment only when it makes its transport itself.
    """
    url = httpx.URL(base_url)
    if is_loopback(url.host) or urllib.request.proxy_bypass(url.host):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return None if not proxy else proxy if "://" in proxy else f"http://{proxy}"
