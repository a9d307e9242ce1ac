"""The generated client never shows the token, nor any other value of a header."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from typing import Any

import attrs
import httpx
import pytest
from hubspot_batch_client import AuthenticatedClient, Client
from hubspot_batch_client.api.calls import create_calls
from hubspot_batch_client.models import CallBatchInput, CallInput
from hubspot_batch_client.types import Response

TOKEN = "pat-na1-sesame"
COOKIE = "chocolate"
AGENT = "agent-of-mine"
SECRETS = (TOKEN, COOKIE, AGENT)


def client(**more: Any) -> AuthenticatedClient:
    """A client that has a secret wherever one can be."""
    return AuthenticatedClient(
        "https://api.example",
        token=TOKEN,
        headers={"User-Agent": AGENT},
        cookies={"taste": COOKIE},
        **more,
    )


def used(made: AuthenticatedClient) -> AuthenticatedClient:
    """The client after it has made its two httpx clients."""
    made.get_httpx_client()
    made.get_async_httpx_client()
    return made


def shown(value: object) -> str:
    """Every text that an object has for people, and the traceback of an exception."""
    texts = [repr(value), str(value), f"{value}", f"{[value]}"]
    if isinstance(value, BaseException):
        texts += traceback.format_exception(value)
    return "\n".join(texts)


@pytest.mark.parametrize(
    "make",
    [
        client,
        lambda: used(client()),
        lambda: client().with_headers({"Authorization": f"Bearer {TOKEN}"}),
        lambda: client().with_cookies({"more": COOKIE}),
        lambda: client().with_timeout(httpx.Timeout(3)),
        lambda: attrs.evolve(client(), prefix="Token"),
        lambda: attrs.evolve(used(client()), token=TOKEN),
        lambda: client(httpx_args={"auth": ("user", TOKEN), "headers": {"X-Key": TOKEN}}),
        lambda: client(prefix="", auth_header_name="X-Key"),
        lambda: Client("https://api.example", headers={"Authorization": TOKEN, "X": AGENT}),
        lambda: Client("https://api.example", cookies={"taste": COOKIE}),
    ],
)
def test_a_client_shows_no_secret(make: Callable[[], Client]) -> None:
    """No text of a client holds the value of a header, of a cookie or the token."""
    made = make()
    assert "https://api.example" in repr(made)
    assert not [secret for secret in SECRETS if secret in shown(made)]


def answered(respond: Callable[[httpx.Request], httpx.Response], way: str) -> Any:
    """Return what the generated function returns or raises."""
    made = client(httpx_args={"transport": httpx.MockTransport(respond)})
    body = CallBatchInput([CallInput(properties={"hs_timestamp": "0"})])
    if way == "sync":
        return create_calls.sync_detailed(client=made, body=body)
    return asyncio.run(create_calls.asyncio_detailed(client=made, body=body))


@pytest.mark.parametrize("way", ["sync", "asyncio"])
def test_a_response_shows_no_headers(way: str) -> None:
    """An answer shows its status and its body, and no header: some are cookies."""

    def respond(request: httpx.Request) -> httpx.Response:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert request.headers["Cookie"] == f"taste={COOKIE}"
        headers = {"Set-Cookie": f"session={COOKIE}", "X-Echo": request.headers["Authorization"]}
        return httpx.Response(401, json={"message": "No."}, headers=headers)

    response = answered(respond, way)
    assert isinstance(response, Response)
    assert response.headers["X-Echo"] == f"Bearer {TOKEN}"
    assert "401" in repr(response)
    assert not [secret for secret in SECRETS if secret in shown(response)]


@pytest.mark.parametrize("way", ["sync", "asyncio"])
@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ReadTimeout])
def test_a_failure_shows_no_secret(failure: type[httpx.TransportError], way: str) -> None:
    """The exception of a lost request has the request, and shows nothing of its headers."""

    def lose(request: httpx.Request) -> httpx.Response:
        raise failure("gone", request=request)

    with pytest.raises(failure) as caught:
        answered(lose, way)
    assert caught.value.request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert not [secret for secret in SECRETS if secret in shown(caught.value)]
    assert not [secret for secret in SECRETS if secret in shown(caught.value.request)]


@pytest.mark.parametrize(
    "unfit", ["{}\n", " {}", "{} ", "{}\r\nX: y", "{}\u00e9", "{}\x00", "\u200b{}"]
)
@pytest.mark.parametrize(
    "make",
    [
        lambda value: AuthenticatedClient("https://api.example", token=value),
        lambda value: Client("https://api.example", headers={"token": value}),
        lambda value: Client("https://api.example", cookies={"token": value}),
        lambda value: Client("https://api.example").with_headers({"token": value}),
        lambda value: Client("https://api.example").with_cookies({"token": value}),
        lambda value: attrs.evolve(client(), token=value),
        lambda value: setattr(client(), "token", value),
    ],
    ids=["token", "headers", "cookies", "with_headers", "with_cookies", "evolve", "set"],
)
def test_a_value_that_cannot_be_sent_is_refused_unseen(
    make: Callable[[str], object], unfit: str
) -> None:
    """httpx would show the value in its exception, so it never gets one that it cannot send."""
    with pytest.raises(ValueError, match="token is not what an HTTP header can carry") as caught:
        make(unfit.format(TOKEN))
    assert TOKEN not in shown(caught.value)


@pytest.mark.parametrize("absent", [None, 5, b"token"])
def test_a_token_that_is_no_text_is_refused(absent: Any) -> None:
    """A token that the environment lacks is one clear sentence."""
    with pytest.raises(ValueError, match="token is not what an HTTP header can carry"):
        AuthenticatedClient("https://api.example", token=absent)


def test_httpx_would_show_what_cannot_be_sent() -> None:
    """The reason for the check: without it the value stands in the exception's words."""
    with pytest.raises(UnicodeEncodeError) as caught:
        httpx.Client(headers={"Authorization": f"Bearer {TOKEN}\u00e9"})
    assert TOKEN in repr(caught.value)
