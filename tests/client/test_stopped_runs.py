"""The note of an exception that ends a run: how far it came, what was asked, the response."""

from __future__ import annotations

import asyncio
import pickle
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from both_clients import ClientFactory
from hubspot_batch import (
    AsyncHubSpotBatch,
    BrokenOffError,
    ConfigurationError,
    DailyLimitError,
    ForbiddenError,
    HubSpotBatch,
    HubSpotBatchError,
    InputError,
    MissingScopesError,
    Retry,
    UnreachableError,
    result_of,
)
from hubspot_batch.sandbox import Sandbox, SandboxTransport, live_sandbox, served
from leak_watch import SECRET
from scripted_server import (
    CALLS,
    CAMPAIGNS,
    CREATES,
    DONE,
    KINDS,
    READ,
    UPDATE,
    ScriptedServer,
    Step,
    carry_out,
    fails,
    meeting,
    says,
    statuses,
    wanted,
)

each_kind = pytest.mark.parametrize("kind", KINDS)


def stopped(
    make_client: ClientFactory, kind: str, *steps: Step, count: int = 6, **arguments: Any
) -> Any:
    """Return the exception that ends a run, one input to a request."""
    server = ScriptedServer(Sandbox(), *steps)
    client = meeting(make_client, server, max_concurrency=1, **arguments)
    with pytest.raises(HubSpotBatchError) as caught:
        carry_out(client, kind, wanted(server.sandbox, kind, count), chunk_size=1)
    return caught.value


# ---------------------------------------------------------------- how far it came


def test_a_stopped_run_says_its_numbers(make_client: ClientFactory) -> None:
    """They stand in the traceback of a job's log, and survive pickling."""
    sandbox = Sandbox(rate_limit=None, daily_limit=2)
    client = make_client(transport=sandbox, max_concurrency=1)
    with pytest.raises(DailyLimitError) as caught:
        client.calls.create(wanted(sandbox, CALLS, 5), chunk_size=2)
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        (note,) = error.__notes__
        assert "calls.create ended early, after 5 inputs: 4 succeeded, 1 not_sent." in note
        assert error.result.counts["succeeded"] == 4


def test_a_stopped_iteration_says_the_numbers_of_all_its_outcomes(
    make_client: ClientFactory,
) -> None:
    """Also of those that were handed out, which its result does not hold."""
    sandbox = Sandbox(rate_limit=None, daily_limit=2)
    client = make_client(transport=sandbox, max_concurrency=1)
    outcomes = client.calls.create_iter(wanted(sandbox, CALLS, 5), chunk_size=2)
    with pytest.raises(DailyLimitError) as caught:
        list(outcomes)
    (note,) = caught.value.__notes__
    assert "after 5 inputs: 4 succeeded, 1 not_sent." in note
    assert "not handed out" in note
    assert caught.value.result is not None
    assert len(caught.value.result) == 0


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_exception_of_the_block_around_an_iteration_says_the_numbers(
    kind: str, *, whole: bool
) -> None:
    """It ends the run as well; after the run has ended, it has no such note."""
    sandbox = Sandbox(rate_limit=None)
    rows = wanted(sandbox, CALLS, 3)

    def blocking() -> None:
        client = HubSpotBatch("t", transport=SandboxTransport(sandbox))
        with client, client.calls.create_iter(rows, chunk_size=1) as outcomes:
            for _ in outcomes:
                if not whole:
                    break
            raise ZeroDivisionError

    async def awaited() -> None:
        client = AsyncHubSpotBatch("t", transport=SandboxTransport(sandbox))
        async with client, client.calls.create_iter(rows, chunk_size=1) as outcomes:
            async for _ in outcomes:
                if not whole:
                    break
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        blocking() if kind == "sync" else asyncio.run(awaited())
    notes = getattr(caught.value, "__notes__", [])
    assert [note.partition(":")[0] for note in notes] == (
        [] if whole else ["calls.create ended early, after 3 inputs"]
    )


def test_an_iterable_that_raises_says_after_how_many_inputs(make_client: ClientFactory) -> None:
    """Full requests have been sent by then."""
    sandbox = Sandbox(rate_limit=None)

    def rows() -> Iterator[Any]:
        yield from wanted(sandbox, CALLS, 7)
        raise OSError("the file is gone")

    with pytest.raises(InputError, match=r"raised OSError after 7 inputs") as caught:
        make_client(transport=sandbox).calls.create(rows(), chunk_size=3)
    assert "after 7 inputs: 6 succeeded, 1 not_sent." in caught.value.__notes__[0]


def test_ctrl_c_says_the_numbers_too(make_client: ClientFactory) -> None:
    """It is not wrapped; the note is on the KeyboardInterrupt itself."""
    sandbox = Sandbox(rate_limit=None)

    def rows() -> Iterator[Any]:
        yield from wanted(sandbox, CALLS, 3)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        make_client(transport=sandbox).calls.create(rows(), chunk_size=1)
    (note,) = caught.value.__notes__
    assert "calls.create ended early, after 3 inputs" in note
    result = result_of(caught.value)
    assert result is not None
    assert len(result) == 3


def test_another_run_of_the_same_failure_has_its_own_note(make_client: ClientFactory) -> None:
    """A token's provider that failed is not asked again, and its error is a copy."""

    def provide() -> str:
        raise OSError("no vault")

    client = make_client(provide, transport=Sandbox())
    for count in (2, 3):
        with pytest.raises(HubSpotBatchError) as caught:
            client.calls.create(wanted(Sandbox(), CALLS, count))
        (note,) = caught.value.__notes__
        assert f"after {count} inputs: {count} not_sent." in note


# ---------------------------------------------------------------- which address was asked


def test_no_connection_names_host_port_and_cause(make_client: ClientFactory) -> None:
    """The exception of httpx is the cause, without its frames."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = make_client(base_url=f"http://127.0.0.1:{port}", retry=Retry(1))
    with pytest.raises(UnreachableError, match=rf"http://127\.0\.0\.1:{port}/.*ConnectE") as caught:
        client.calls.create(wanted(Sandbox(), CALLS, 1))
    assert isinstance(caught.value.__cause__, httpx.ConnectError)
    assert caught.value.__cause__.__traceback__ is None


def test_the_port_of_https_is_named(make_client: ClientFactory) -> None:
    """A firewall is asked about host and port."""
    error = stopped(make_client, CALLS, fails(httpx.ConnectTimeout))
    assert "https://api.hubapi.com:443/" in str(error)
    assert "ConnectTimeout" in str(error)


def test_no_connection_names_the_proxy(
    make_client: ClientFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And neither its user nor its password."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{SECRET.replace('/', '')}@127.0.0.1:{port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    client = make_client(base_url="https://host.example", retry=Retry(1))
    with pytest.raises(UnreachableError) as caught:
        client.calls.create(wanted(Sandbox(), CALLS, 1))
    assert f"through the proxy http://127.0.0.1:{port} (" in str(caught.value)
    assert "user" not in str(caught.value)


@pytest.mark.parametrize("path", ["/crm/v3", "/x"])
def test_a_base_url_with_a_path_too_many_stops_the_run(
    make_client: ClientFactory, path: str
) -> None:
    """A server that does not know the operation: the message names the whole address."""
    with served(live_sandbox()) as url:
        client = make_client(base_url=url + path)
        with pytest.raises(ConfigurationError) as caught:
            client.calls.create(wanted(Sandbox(), CALLS, 3))
    assert f"{url}{path}/crm/v3/objects/calls/batch/create" in str(caught.value)
    assert "base_url" in str(caught.value)
    assert caught.value.status_code == 404
    assert caught.value.result is not None
    assert statuses(caught.value.result) == ["not_sent"] * 3


HTML = {"Content-Type": "text/html; charset=utf-8"}


@each_kind
@pytest.mark.parametrize("status", [200, 301, 302, 307, 404, 405])
def test_a_page_that_is_not_hubspots_stops_the_run(
    make_client: ClientFactory, kind: str, status: int
) -> None:
    """A web server, a login page, a captive portal: nothing more is sent there."""
    page = says(status, "<html><title>Welcome to nginx!</title></html>", headers=HTML)
    error = stopped(make_client, kind, page, retry=Retry(1))
    assert isinstance(error, ConfigurationError)
    assert "https://api.hubapi.com:443/" in str(error)
    assert "Welcome to nginx!" in str(error)
    # A success without a result may have been one.
    first = "not_sent" if status != 200 else "failed" if kind == READ else "unknown"
    assert statuses(error.result) == [first, *["not_sent"] * 5]


ELSEWHERE = {
    "a redirect without a page": says(301, "", headers={"Location": "https://login.example/"}),
    "a redirect on the same host": says(308, "", headers={"Location": "/login"}),
    "a path that another API lacks": says(404, {"detail": "Not Found"}),
    "a method that another API lacks": says(405, {"detail": "Method Not Allowed"}),
}


@each_kind
@pytest.mark.parametrize("how", ELSEWHERE)
def test_other_signs_of_a_wrong_address(make_client: ClientFactory, kind: str, how: str) -> None:
    """HubSpot's API redirects nowhere, and says what it refuses in its own form."""
    error = stopped(make_client, kind, ELSEWHERE[how], retry=Retry(1))
    assert isinstance(error, ConfigurationError)
    assert "https://api.hubapi.com:443/" in str(error)
    assert ("login" in str(error)) is ("redirect" in how)


@each_kind
@pytest.mark.parametrize(
    "body",
    [
        {"message": "There is nothing here.", "correlationId": "6c4b6b1e"},
        {"status": "error", "message": "There is nothing here."},
    ],
)
def test_a_404_of_hubspot_concerns_its_request(
    make_client: ClientFactory, kind: str, body: Any
) -> None:
    """Some of its 404s have no category, and the address is right as long as it adds no path."""
    server = ScriptedServer(Sandbox(), says(404, body))
    result = carry_out(meeting(make_client, server), kind, wanted(server.sandbox, kind, 2))
    # HubSpot does not say whether it has created some campaigns before it looked for something.
    assert statuses(result) == ["unknown" if kind == CAMPAIGNS else "failed"] * 2
    assert result.outcomes[0].error is not None
    assert result.outcomes[0].error.message == "There is nothing here."


@each_kind
@pytest.mark.parametrize("status", [407, 511])
def test_a_network_that_wants_a_login_stops_the_run(
    make_client: ClientFactory, kind: str, status: int
) -> None:
    """HubSpot was not reached, whatever it has answered before."""
    server = ScriptedServer(Sandbox(), DONE, says(status, "<html>Log in</html>", headers=HTML))
    client = meeting(make_client, server, max_concurrency=1)
    with pytest.raises(UnreachableError, match=r"api\.hubapi\.com:443/.*log in") as caught:
        carry_out(client, kind, wanted(server.sandbox, kind, 3), chunk_size=1)
    assert caught.value.result is not None
    assert statuses(caught.value.result) == ["succeeded", "not_sent", "not_sent"]


@each_kind
@pytest.mark.parametrize(
    "page",
    [
        says(404, {"message": "resource not found"}),
        says(404, "<html>", headers=HTML),
        says(302, "<html>", headers=HTML),
    ],
    ids=["json", "page", "redirect"],
)
def test_a_strange_page_after_hubspots_answers_concerns_its_request(
    make_client: ClientFactory, kind: str, page: Step
) -> None:
    """The address is right, since HubSpot has answered there."""
    server = ScriptedServer(Sandbox(), DONE, page, DONE)
    client = meeting(make_client, server, max_concurrency=1)
    result = carry_out(client, kind, wanted(server.sandbox, kind, 3), chunk_size=1)
    assert statuses(result) == ["succeeded", "failed", "succeeded"]


@each_kind
def test_a_page_of_hubspots_edge_is_no_wrong_address(make_client: ClientFactory, kind: str) -> None:
    """It has HubSpot's name of the request."""
    edge = says(405, "<html>", headers={**HTML, "X-HubSpot-Correlation-Id": "abc"})
    server = ScriptedServer(Sandbox(), edge)
    result = carry_out(meeting(make_client, server), kind, wanted(server.sandbox, kind, 2))
    assert statuses(result) == ["failed"] * 2


# ---------------------------------------------------------------- what HubSpot said


@each_kind
@pytest.mark.parametrize(
    "body",
    [
        {"category": "MISSING_SCOPES", "message": "no"},
        {"message": "This app hasn't been granted all required scopes."},
        {"message": "no", "context": {"requiredScopes": ["crm.objects.contacts.write"]}},
        {"message": "no", "errors": [{"message": "x", "context": {"missingScopes": ["a.b"]}}]},
    ],
    ids=["category", "message", "context", "detail"],
)
def test_a_403_about_scopes_is_a_missing_scope(
    make_client: ClientFactory, kind: str, body: Any
) -> None:
    """Wherever HubSpot says so."""
    assert type(stopped(make_client, kind, says(403, body))) is MissingScopesError


@each_kind
@pytest.mark.parametrize(
    "words", ["The telescope is not yours.", "This is outside your kaleidoscopes."]
)
def test_a_403_about_another_word_is_no_missing_scope(
    make_client: ClientFactory, kind: str, words: str
) -> None:
    """A scope is a word of its own."""
    error = stopped(make_client, kind, says(403, {"category": "FORBIDDEN", "message": words}))
    assert type(error) is ForbiddenError


@each_kind
def test_another_403_stops_the_run_with_hubspots_words(
    make_client: ClientFactory, kind: str
) -> None:
    """And does not speak of scopes."""
    words = "This account was suspended. " + "More words. " * 100
    error = stopped(make_client, kind, says(403, {"category": "BANNED", "message": words}))
    assert type(error) is ForbiddenError
    assert "This account was suspended." in str(error)
    assert "scope" not in str(error)
    assert len(str(error)) < 600
    assert statuses(error.result) == ["not_sent"] * 6


@each_kind
def test_a_403_page_of_the_edge_concerns_that_request_alone(
    make_client: ClientFactory, kind: str
) -> None:
    """It refuses what the request holds, so others go on; the outcome quotes the page."""
    page = "<html><style>a{}</style><h1>Attention&nbsp;Required!</h1><p>You are blocked</p></html>"
    server = ScriptedServer(Sandbox(), DONE, says(403, page, headers=HTML), DONE)
    client = meeting(make_client, server, max_concurrency=1)
    result = carry_out(client, kind, wanted(server.sandbox, kind, 3), chunk_size=1)
    assert statuses(result) == ["succeeded", "failed", "succeeded"]
    (failed,) = result.failed
    assert failed.error is not None
    assert failed.error.status_code == 403
    assert "Attention Required! You are blocked" in failed.error.message
    assert "<" not in failed.error.message


def test_a_414_speaks_of_the_properties(make_client: ClientFactory) -> None:
    """Where the edge or a proxy accepts less than is checked before sending."""
    page = says(414, "<html><title>414 Request-URI Too Large</title></html>", headers=HTML)
    server = ScriptedServer(Sandbox(), page)
    result = carry_out(meeting(make_client, server), READ, wanted(server.sandbox, READ, 2))
    for outcome in result.failed:
        assert outcome.error is not None
        assert "fewer `properties`" in outcome.error.message
        assert "414 Request-URI Too Large" in outcome.error.message


def test_operations_have_the_names_that_users_write(make_client: ClientFactory) -> None:
    """In every message."""
    names = {CALLS: "calls.create", CAMPAIGNS: "campaigns.create"}
    names |= {READ: "campaigns.read", UPDATE: "marketing_events.update"}
    assert {*CREATES} <= {*names}
    for kind, name in names.items():
        assert f"({name}, HTTP 401" in str(stopped(make_client, kind, says(401, {"message": "no"})))
        with pytest.raises(ConfigurationError, match=rf"inputs of {name} must be .*; got dict"):
            carry_out(make_client(transport=Sandbox()), kind, {})
        with pytest.raises(ConfigurationError, match=rf"chunk_size of {name} must be .*; got 0"):
            carry_out(make_client(transport=Sandbox()), kind, [], chunk_size=0)


def test_event_hooks_of_the_http_client_are_called_for_runs(make_client: ClientFactory) -> None:
    """Without the token, which only the transport adds."""
    sandbox = Sandbox(rate_limit=None)
    client = make_client(transport=sandbox)
    seen: list[str] = []
    if make_client.kind == "sync":

        def hook(message: Any) -> None:
            seen.append(type(message).__name__ + repr(message.headers))

        client.raw.get_httpx_client().event_hooks = {"request": [hook], "response": [hook]}
    else:

        async def later(message: Any) -> None:
            seen.append(type(message).__name__ + repr(message.headers))

        client.raw.get_async_httpx_client().event_hooks = {"request": [later], "response": [later]}
    client.calls.create(wanted(sandbox, CALLS, 3), chunk_size=1)
    assert [name.partition("Headers")[0] for name in sorted(seen)] == ["Request"] * 3 + [
        "Response"
    ] * 3
    assert "uthorization" not in "".join(seen)


def test_what_breaks_a_run_off_keeps_its_numbers(make_client: ClientFactory) -> None:
    """A transport of the user's own may raise anything."""
    error = stopped(make_client, CALLS, DONE, fails(ZeroDivisionError))
    assert isinstance(error, BrokenOffError)
    assert "1 succeeded, 1 unknown, 4 not_sent" in error.__notes__[0]
