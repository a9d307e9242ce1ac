"""Where a token may be sent to."""

from __future__ import annotations

from typing import Any

import pytest
from hubspot_batch import ConfigurationError, HubSpotBatchError, RateLimit, Retry
from hubspot_batch.options import (
    ClientOptions,
    is_loopback,
    proxy_for,
    read_base_url,
    without_password,
)


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
        "https://api.hubapi.com:99999",
        "https://api.hubapi.com:0",
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


@pytest.mark.parametrize("given", ["https://api.hubapi.com\n", " https://a.example", "a.example"])
def test_a_wrong_address_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    """The message names the variable that is set."""
    monkeypatch.setenv("HUBSPOT_BASE_URL", given)
    with pytest.raises(ConfigurationError, match=r"^HUBSPOT_BASE_URL is not .*https://host"):
        ClientOptions()


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


NAN = float("nan")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"timeout": 0}, "timeout must be more than 0 seconds, or None; got 0."),
        ({"timeout": -1.5}, "timeout must be more than 0 seconds, or None; got -1.5."),
        ({"timeout": NAN}, "timeout must be more than 0 seconds, or None; got nan."),
        ({"timeout": True}, "timeout must be more than 0 seconds, or None; got True."),
        ({"timeout": "60"}, "timeout must be a number of seconds, .*; got str."),
        ({"max_concurrency": 0}, "max_concurrency must be a whole number, 1 or more; got 0."),
        ({"max_concurrency": True}, "max_concurrency must be a whole number, 1 or more; got True."),
        ({"max_concurrency": 2.0}, "max_concurrency must be a whole number, 1 or more; got 2.0."),
        ({"retry": None}, r"retry must be a Retry, such as Retry\(1\), .*; got None."),
        ({"retry": 3}, r"retry must be a Retry, .*; got 3."),
        ({"rate_limit": 100}, r"rate_limit must be a RateLimit, .* or None; got 100."),
        (
            {"daily_reserve": -1},
            "daily_reserve must be a whole number, 0 or more, or None; got -1.",
        ),
    ],
)
def test_a_wrong_argument_says_what_is_right(given: dict[str, Any], words: str) -> None:
    """The message says what it must be, and what it is."""
    with pytest.raises(ConfigurationError, match=f"^{words}$"):
        ClientOptions(**given)


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        (
            Retry,
            {"max_attempts": 0},
            "max_attempts of Retry must be a whole number, 1 or more; .* 0",
        ),
        (Retry, {"max_attempts": "3"}, "max_attempts of Retry must be a whole number, .*; got str"),
        (Retry, {"max_elapsed": -1}, "max_elapsed of Retry must be 0 seconds or more; got -1"),
        (Retry, {"max_elapsed": None}, "max_elapsed of Retry must be 0 seconds or more; got None"),
        (Retry, {"max_wait": NAN}, "max_wait of Retry must be 0 seconds or more, or None; got nan"),
        (RateLimit, {"requests": 0}, "requests of RateLimit must be a whole number, 1 .*; got 0"),
        (RateLimit, {"requests": 1.5}, "requests of RateLimit must be a whole number, .*; got 1.5"),
        (RateLimit, {"seconds": 0}, "seconds of RateLimit must be more than 0 seconds; got 0"),
        (RateLimit, {"seconds": "b"}, "seconds of RateLimit must be more than 0 seconds; got str"),
    ],
)
def test_a_wrong_value_is_an_error_of_the_package(kind: Any, given: Any, words: str) -> None:
    """It is a ValueError too."""
    with pytest.raises(HubSpotBatchError, match=f"^{words}.$") as caught:
        kind(**given)
    assert isinstance(caught.value, ConfigurationError)
    assert isinstance(caught.value, ValueError)


def test_a_token_in_the_wrong_place_is_not_repeated() -> None:
    """A text where a number or an object belongs may be one."""
    for name in ("timeout", "max_concurrency", "rate_limit", "retry", "daily_reserve"):
        for token in ("pat-na1-secret", b"pat-na1-secret"):
            with pytest.raises(ConfigurationError) as caught:
                ClientOptions(**{name: token})
            assert "secret" not in str(caught.value)


def test_a_proxy_is_shown_without_its_password() -> None:
    """In messages."""
    assert without_password("http://user:secret@proxy.example:3128") == "http://proxy.example:3128"
    assert without_password("socks5://proxy.example") == "socks5://proxy.example"
    assert without_password(None) is None
