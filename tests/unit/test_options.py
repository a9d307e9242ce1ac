"""Where a token may be sent to."""

from __future__ import annotations

from typing import Any

import pytest
from hubspot_batch import ConfigurationError
from hubspot_batch.options import is_loopback, proxy_for, read_base_url


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://api.hubapi.com", "https://api.hubapi.com"),
        ("https://api-eu1.hubapi.com/", "https://api-eu1.hubapi.com"),
        ("http://localhost:8765", "http://localhost:8765"),
        ("http://127.0.0.1:8765/", "http://127.0.0.1:8765"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:80/prefix/", "http://[::1]/prefix"),
    ],
)
def test_https_anywhere_and_http_on_this_machine(given: str, expected: str) -> None:
    """A slash at the end makes no difference."""
    assert read_base_url(given) == expected


@pytest.mark.parametrize(
    "given",
    [
        "http://api.hubapi.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://10.0.0.1",
        "ftp://api.hubapi.com",
        "api.hubapi.com",
        "https://",
        "",
        "https://user:secret@api.hubapi.com",
        "https://api.hubapi.com?key=secret",
        "https://api.hubapi.com/pre?",
        "https://api.hubapi.com#",
        "https://api.hubapi.com#secret",
        "https://api.hubapi.com:port",
        "https://[::1",
        None,
        5,
    ],
)
def test_everything_else_is_refused_in_a_sentence(given: Any) -> None:
    """The sentence says what an address looks like, and repeats no secret."""
    with pytest.raises(ConfigurationError, match=r"base_url.*https") as caught:
        read_base_url(given)
    assert "secret" not in str(caught.value)


def test_loopback_is_this_machine_only() -> None:
    """Names are not looked up."""
    assert is_loopback("localhost")
    assert not is_loopback("localhost.localdomain")


def test_the_environment_names_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with httpx itself, but never for this machine or for what no_proxy lists."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert proxy_for("https://api.hubapi.com") is None
    monkeypatch.setenv("https_proxy", "proxy.example.com:3128")
    assert proxy_for("https://api.hubapi.com") == "http://proxy.example.com:3128"
    assert proxy_for("https://127.0.0.1:1") is None
    monkeypatch.setenv("https_proxy", "socks5://proxy.example.com")
    assert proxy_for("https://api.hubapi.com") == "socks5://proxy.example.com"
    monkeypatch.setenv("no_proxy", "hubapi.com")
    assert proxy_for("https://api.hubapi.com") is None
